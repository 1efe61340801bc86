use serde::{Deserialize, Serialize};

use crate::information::top_two;
use crate::{BinOptions, MetricError, MutualInformation, Sample, mutual_information};

/// Mutual information gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mig {
    /// Mean gap over the factors that vary, in `[0, 1]`.
    pub score: f64,
    /// Gap of each factor, 0 for one that does not vary, `[K]`.
    pub per_factor: Vec<f64>,
    /// The mutual information behind the gaps.
    pub information: MutualInformation,
}

/// Mutual information gap: `MIG = mean_j (I_(1)j − I_(2)j) / H(y_j)`, where `I_(1)j` and `I_(2)j`
/// are the largest and second largest mutual information of a latent with factor `j`.
///
/// In `[0, 1]`, higher is better: 1 where each factor is held by one latent and no other latent
/// knows of it. Latents `[n, D]` are binned, factors `[n, K]` are discrete or binned; the published
/// sample is 10,000 points. With a single latent the second largest is 0. A factor that does not
/// vary is left out of the mean; the score is 0 if none varies.
///
/// Blind to latents that mix several factors as long as each factor has one best latent, and to
/// one-to-one maps of a latent up to the resolution of the bins. A noise latent costs nothing; a
/// copy of a latent costs all.
///
/// ```
/// use domino_metrics::{BinOptions, Sample, mig};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(60, 2, |i, j| if j == 0 { i % 3 } else { i / 3 % 4 } as f64);
/// let latents = DMatrix::from_fn(60, 2, |i, j| -factors[(i, 1 - j)]);
/// let scores = mig(Sample::new(&latents, &factors)?, &BinOptions::default())?;
/// assert!((scores.score - 1.0).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`mutual_information`].
///
/// Chen et al., *Isolating sources of disentanglement in VAEs*, NeurIPS 2018, with the constants of
/// Locatello et al. 2019.
pub fn mig(sample: Sample<'_>, options: &BinOptions) -> Result<Mig, MetricError> {
    let information = mutual_information(sample, options)?;
    let tops = top_two(&information.matrix);
    let gap = |([first, second], &entropy): ([f64; 2], &f64)| {
        if entropy > 0.0 { (first - second) / entropy } else { 0.0 }
    };
    let per_factor: Vec<f64> = tops.into_iter().zip(&information.entropy).map(gap).collect();
    let varying = information.entropy.iter().filter(|&&h| h > 0.0).count();
    let score = per_factor.iter().sum::<f64>() / varying.max(1) as f64;
    Ok(Mig { score, per_factor, information })
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;
    use proptest::prelude::*;

    use super::*;

    fn grid(factors: usize) -> DMatrix<f64> {
        DMatrix::from_fn(81, factors, |i, j| (i / 3_usize.pow(j as u32) % 3) as f64)
    }

    fn score(z: &DMatrix<f64>, y: &DMatrix<f64>) -> Mig {
        mig(Sample::new(z, y).unwrap(), &BinOptions::default()).unwrap()
    }

    #[test]
    fn a_copy_of_a_latent_closes_the_gap_of_its_factor() {
        let y = grid(2);
        let z = DMatrix::from_fn(81, 3, |i, j| y[(i, j.min(1))]);
        let gaps = score(&z, &y).per_factor;
        assert!((gaps[0] - 1.0).abs() < 1e-12 && gaps[1].abs() < 1e-12);
    }

    #[test]
    fn a_factor_that_does_not_vary_is_left_out() {
        let mut y = grid(3);
        let z = y.clone();
        y.column_mut(1).fill(5.0);
        assert!((score(&z, &y).score - 1.0).abs() < 1e-12);
        assert!(score(&z, &DMatrix::zeros(81, 1)).score <= 0.0);
    }

    proptest! {
        #[test]
        fn order_sign_and_scale_of_latents_do_not_matter(
            seed in prop::collection::vec(-1.0..1.0f64, 81 * 3),
            order in Just([0usize, 1, 2]).prop_shuffle(),
        ) {
            let y = grid(3);
            let z = DMatrix::from_fn(81, 3, |i, j| 2.0 * y[(i, j)] + seed[81 * j + i]);
            let permuted = DMatrix::from_fn(81, 3, |i, j| 4.0 * z[(i, order[j])]);
            let [a, b] = [score(&z, &y).score, score(&permuted, &y).score];
            prop_assert!((a - b).abs() < 1e-12 && (0.0..=1.0).contains(&a));
        }
    }
}
