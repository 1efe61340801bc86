use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::linear::{Basis, thin_svd};
use crate::{Correlation, MetricError, Sample, mcc};

/// Mean correlation of canonical variates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeakMcc {
    /// Mean matched correlation of the variates on the second sample.
    pub score: f64,
    /// The same on the sample that the variates were fitted on: the mean of
    /// `canonical_correlations`.
    pub in_sample: f64,
    /// Canonical correlations on the first sample, descending, `[min(K, D)]`; 0 where latents or
    /// factors have no further independent direction.
    pub canonical_correlations: Vec<f64>,
}

/// Mean correlation coefficient up to a linear map of the latents (weak MCC): latents and factors
/// are projected on the `min(K, D)` canonical directions of `train`, and the projections of `test`
/// matched and correlated as in [`mcc`].
///
/// From 0 to 1, higher is better; not below the MCC of the same sample where all directions are
/// independent. It does not see whether latents are disentangled: any invertible linear mixture of
/// the factors scores 1. Constant and dependent columns are left out; directions that are missing
/// for that reason count as 0. The canonical correlations are the singular values of `Q_zᵀ Q_y`,
/// with orthonormal bases `Q` of the centred columns: exact, where scikit-learn iterates up to a
/// tolerance, and without the directions that a plain QR decomposition makes up for dependent
/// columns.
///
/// ```
/// use domino_metrics::{Sample, weak_mcc};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(20, 2, |i, j| if j == 0 { i as f64 } else { (i % 3) as f64 });
/// let latents = &factors * DMatrix::from_row_slice(2, 2, &[1.0, 2.0, -1.0, 1.0]);
/// let sample = Sample::new(&latents, &factors)?;
/// assert!((weak_mcc(sample, sample)?.score - 1.0).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors.
///
/// Khemakhem et al., *ICE-BeeM*, NeurIPS 2020; Björck & Golub, *Numerical methods for computing
/// angles between linear subspaces*, 1973.
pub fn weak_mcc(train: Sample<'_>, test: Sample<'_>) -> Result<WeakMcc, MetricError> {
    train.check_same_columns(&test)?;
    let components = train.latents().ncols().min(train.factors().ncols());
    let [z, y] = [train.latents(), train.factors()].map(Basis::new);
    let mut correlations = vec![0.0; components];
    let mut score = 0.0;
    if z.u.ncols() > 0 && y.u.ncols() > 0 {
        let (a, singular, bt) = thin_svd(z.u.tr_mul(&y.u));
        let found = singular.len();
        for (to, from) in correlations.iter_mut().zip(singular.iter()) {
            *to = from.min(1.0);
        }
        let variates = |basis: &Basis, m: &DMatrix<f64>, to: &DMatrix<f64>| basis.project(m) * to;
        let latents = variates(&z, test.latents(), &a);
        let factors = variates(&y, test.factors(), &bt.transpose());
        let matched = mcc(Sample::new(&latents, &factors)?, Correlation::Pearson)?;
        score = matched.score * found as f64 / components as f64;
    }
    let in_sample = correlations.iter().sum::<f64>() / components as f64;
    Ok(WeakMcc { score, in_sample, canonical_correlations: correlations })
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;

    fn noise(n: usize, d: usize, seed: u64) -> DMatrix<f64> {
        let mut rng = Seed(seed).rng(Stream::Data);
        DMatrix::from_fn(n, d, |_, _| rng.random::<f64>())
    }

    fn score(latents: &DMatrix<f64>, factors: &DMatrix<f64>) -> WeakMcc {
        let sample = Sample::new(latents, factors).unwrap();
        weak_mcc(sample, sample).unwrap()
    }

    #[test]
    fn missing_directions_count_as_zero() {
        let z = noise(40, 3, 0);
        // A constant, a copy and one live column for three factors.
        let latents = DMatrix::from_fn(40, 3, |i, j| [0.7, z[(i, 0)], 2.0 * z[(i, 0)] - 1.0][j]);
        let scores = score(&latents, &z);
        assert!((scores.score - 1.0 / 3.0).abs() < 1e-9, "{}", scores.score);
        assert!((scores.in_sample - 1.0 / 3.0).abs() < 1e-9);
        let nothing = score(&DMatrix::from_element(40, 2, 0.1), &z);
        assert_eq!(nothing.canonical_correlations, [0.0; 2]);
        assert!(nothing.score <= 0.0);
    }

    #[test]
    fn one_point_is_defined() {
        assert!(score(&noise(1, 2, 0), &noise(1, 3, 1)).score <= 0.0);
    }

    proptest! {
        #[test]
        fn linear_maps_of_the_latents_change_nothing(seed in 0u64..1000) {
            let (latents, factors, map) = (noise(50, 4, seed), noise(50, 3, seed + 1), noise(4, 4, seed + 2));
            // Away from singular maps.
            let mapped = &latents * (map + DMatrix::identity(4, 4) * 4.0);
            let (a, b) = (score(&latents, &factors), score(&mapped, &factors));
            prop_assert!((a.in_sample - b.in_sample).abs() < 1e-9);
            prop_assert!((a.score - a.in_sample).abs() < 1e-9);
            let strong = mcc(Sample::new(&latents, &factors).unwrap(), Correlation::Pearson).unwrap();
            prop_assert!(strong.score <= a.score + 0.2 && (0.0..=1.0).contains(&a.score));
        }
    }
}
