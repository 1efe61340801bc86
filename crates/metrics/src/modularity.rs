use serde::{Deserialize, Serialize};

use crate::accuracy::mean;
use crate::{BinOptions, MetricError, MutualInformation, Sample, mutual_information};

/// Mutual information below this is rounding: counts that are exactly independent give about this
/// much, and the ratio of two such values would be a score.
const NO_INFORMATION: f64 = 1e-12;

/// How far each latent informs on one factor only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Modularity {
    /// Mean over all latents, in `[0, 1]`.
    pub score: f64,
    /// Modularity of each latent, 0 for one without information, `[D]`.
    pub per_latent: Vec<f64>,
    /// The mutual information behind the score.
    pub information: MutualInformation,
}

/// Modularity: `mean_i (1 − Σ_{j ≠ j*} I_ij² / (I_ij*² (K − 1)))` with `I_ij` the mutual information
/// of latent `i` with factor `j` and `j*` the factor it knows best.
///
/// In `[0, 1]`, higher is better. Latents `[n, D]` are binned, factors `[n, K]` discrete or binned;
/// the published sample is 10,000 points. Every latent counts alike: a dead one counts 0, one of
/// pure noise whatever its accidental information gives. With a single factor a latent with any
/// information counts 1.
///
/// Blind to factors that no latent holds, and to several latents that share one factor.
///
/// ```
/// use domino_metrics::{BinOptions, Sample, modularity};
/// use nalgebra::DMatrix;
///
/// // The first latent is one factor, the second knows both alike.
/// let factors = DMatrix::from_fn(4, 2, |i, j| (i >> j & 1) as f64);
/// let latents = DMatrix::from_fn(4, 2, |i, j| factors[(i, 0)] + j as f64 * factors[(i, 1)]);
/// let scores = modularity(Sample::new(&latents, &factors)?, &BinOptions::default())?;
/// assert!((scores.per_latent[0] - 1.0).abs() < 1e-9 && scores.per_latent[1].abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`mutual_information`].
///
/// Ridgeway & Mozer, *Learning deep disentangled embeddings with the F-statistic loss*, NeurIPS
/// 2018, with the constants of Locatello et al. 2019.
pub fn modularity(sample: Sample<'_>, options: &BinOptions) -> Result<Modularity, MetricError> {
    let information = mutual_information(sample, options)?;
    let rows = information.matrix.row_iter();
    let per_latent: Vec<f64> =
        rows.map(|row| of_latent(&row.iter().copied().collect::<Vec<_>>())).collect();
    Ok(Modularity { score: mean(&per_latent), per_latent, information })
}

fn of_latent(information: &[f64]) -> f64 {
    let known = information.iter().map(|&i| if i < NO_INFORMATION { 0.0 } else { i });
    let squares: Vec<f64> = known.map(|i| i * i).collect();
    let largest = squares.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return 0.0;
    }
    let others = squares.iter().sum::<f64>() - largest;
    1.0 - others / (largest * (squares.len() - 1).max(1) as f64)
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;

    #[test]
    fn dead_latents_count_zero_and_copies_cost_nothing() {
        let y = DMatrix::from_fn(81, 3, |i, j| (i / 3_usize.pow(j as u32) % 3) as f64);
        let z = DMatrix::from_fn(81, 4, |i, j| if j < 3 { y[(i, j / 2)] } else { 0.1 });
        let scores = modularity(Sample::new(&z, &y).unwrap(), &BinOptions::default()).unwrap();
        assert!((scores.score - 0.75).abs() < 1e-12, "{scores:?}");
    }

    #[test]
    fn a_single_factor_is_defined() {
        assert!((of_latent(&[0.3]) - 1.0).abs() < 1e-15 && of_latent(&[1e-16]) <= 0.0);
        assert!((of_latent(&[1.0, 0.5, 0.5]) - 0.75).abs() < 1e-15);
    }
}
