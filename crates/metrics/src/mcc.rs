use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::accuracy::mean;
use crate::{Correlation, Matching, MetricError, Sample, correlation_matrix};

/// Mean correlation coefficient of factors with the latents that stand for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mcc {
    /// Mean of `matched` over all `K` factors.
    pub score: f64,
    /// Absolute correlation of each factor with its latent, 0 for a factor without one, `[K]`.
    pub matched: Vec<f64>,
    /// Smallest entry of `matched`: 0 as soon as one factor has no latent.
    pub smallest: f64,
    /// Which latent stands for which factor.
    pub matching: Matching,
    /// Absolute correlation of every factor with every latent, `[K, D]`.
    #[serde(with = "crate::rows")]
    pub correlations: DMatrix<f64>,
}

impl Mcc {
    fn new(matching: Matching, correlations: DMatrix<f64>) -> Self {
        let matched: Vec<f64> = (0..matching.factors())
            .map(|k| matching.latent_of(k).map_or(0.0, |i| correlations[(k, i)]))
            .collect();
        let score = mean(&matched);
        let smallest = matched.iter().copied().fold(1.0, f64::min);
        Self { score, matched, smallest, matching, correlations }
    }
}

/// Mean correlation coefficient (strong MCC): `mean_k |corr(y_k, z_π(k))|` under the matching `π`
/// of factors with latents that maximises it.
///
/// There may be more latents than factors, which changes nothing, or fewer: a factor without a latent
/// counts as correlation 0. Public codes leave such factors out of the mean; theirs is the score times
/// `K / min(K, D)`. A constant latent or factor has correlation 0 with everything.
///
/// ```
/// use domino_metrics::{Correlation, Sample, mcc};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_row_slice(4, 2, &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
/// let latents = DMatrix::from_fn(4, 2, |i, j| 5.0 - 2.0 * factors[(i, 1 - j)]);
/// let scores = mcc(Sample::new(&latents, &factors)?, Correlation::Pearson)?;
/// assert!((scores.score - 1.0).abs() < 1e-12);
/// assert_eq!(scores.matching.latents(), [Some(1), Some(0)]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// Those of [`Matching::best`], which correlations do not meet.
///
/// Hyvärinen & Morioka, *Unsupervised feature extraction by time-contrastive learning and nonlinear
/// ICA*, NeurIPS 2016; Khemakhem et al., *ICE-BeeM*, NeurIPS 2020.
pub fn mcc(sample: Sample<'_>, correlation: Correlation) -> Result<Mcc, MetricError> {
    mcc_out_of_sample(sample, sample, correlation)
}

/// [`mcc`] whose matching is found on one sample and whose correlations are taken on another.
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors.
pub fn mcc_out_of_sample(
    matched_on: Sample<'_>,
    scored_on: Sample<'_>,
    correlation: Correlation,
) -> Result<Mcc, MetricError> {
    matched_on.check_same_columns(&scored_on)?;
    let matching = Matching::best(&correlation_matrix(matched_on, correlation).abs())?;
    Ok(Mcc::new(matching, correlation_matrix(scored_on, correlation).abs()))
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

    fn score(latents: &DMatrix<f64>, factors: &DMatrix<f64>, correlation: Correlation) -> Mcc {
        mcc(Sample::new(latents, factors).unwrap(), correlation).unwrap()
    }

    #[test]
    fn dead_latents_are_matched_last_and_count_zero() {
        let factors = noise(30, 3, 0);
        let latents =
            DMatrix::from_fn(30, 3, |i, j| if j == 1 { 0.3 } else { factors[(i, (j + 1) % 3)] });
        let scores = score(&latents, &factors, Correlation::Pearson);
        assert_eq!(scores.matching.latents(), [Some(2), Some(0), Some(1)]);
        assert!((scores.score - 2.0 / 3.0).abs() < 1e-12);
        assert!(scores.smallest <= 0.0);
    }

    #[test]
    fn a_factor_without_a_latent_counts_zero() {
        let factors = noise(30, 3, 1);
        let latents = factors.columns(1, 2).into_owned();
        let scores = score(&latents, &factors, Correlation::Spearman);
        assert_eq!(scores.matching.latents(), [None, Some(0), Some(1)]);
        assert!((scores.score - 2.0 / 3.0).abs() < 1e-12 && scores.smallest <= 0.0);
        let swapped = score(&factors, &latents, Correlation::Spearman);
        assert!((swapped.score - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_matching_of_one_sample_scores_another() {
        let (seen, unseen) = (noise(30, 2, 2), noise(30, 2, 3));
        let crossed = DMatrix::from_fn(30, 2, |i, j| unseen[(i, 1 - j)]);
        let matched_on = Sample::new(&seen, &seen).unwrap();
        let scored_on = Sample::new(&crossed, &unseen).unwrap();
        let scores = mcc_out_of_sample(matched_on, scored_on, Correlation::Pearson).unwrap();
        assert_eq!(scores.matching, Matching::identity(2));
        assert!(scores.score < 0.5 && score(&crossed, &unseen, Correlation::Pearson).score > 0.99);
    }

    proptest! {
        #[test]
        fn a_permuted_truth_without_one_of_d_columns_scores_d_minus_1_of_d(
            seed in 0u64..1000,
            order in (2usize..7).prop_flat_map(|d| Just((0..d).collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let d = order.len();
            let factors = noise(20, d, seed);
            let latents = DMatrix::from_fn(20, d - 1, |i, j| 1.0 - 3.0 * factors[(i, order[j])]);
            for correlation in [Correlation::Pearson, Correlation::Spearman] {
                let scores = score(&latents, &factors, correlation);
                prop_assert!((scores.score - (d as f64 - 1.0) / d as f64).abs() < 1e-9);
                prop_assert_eq!(scores.matching.latent_of(order[d - 1]), None);
            }
        }

        #[test]
        fn a_latent_that_knows_nothing_changes_no_matched_correlation(seed in 0u64..1000) {
            let factors = noise(400, 3, seed);
            let blur = noise(400, 4, seed + 1);
            let latents = DMatrix::from_fn(400, 3, |i, j| factors[(i, 2 - j)] + 0.3 * blur[(i, j)]);
            let more = latents.clone().insert_column(1, 0.0);
            let more = DMatrix::from_fn(400, 4, |i, j| if j == 1 { blur[(i, 3)] } else { more[(i, j)] });
            for correlation in [Correlation::Pearson, Correlation::Spearman] {
                let [a, b] = [&latents, &more].map(|z| score(z, &factors, correlation));
                prop_assert_eq!(b.matching.latents(), [Some(3), Some(2), Some(0)]);
                for (a, b) in a.matched.iter().zip(&b.matched) {
                    prop_assert!((a - b).abs() < 1e-12);
                }
            }
        }

        #[test]
        fn permuting_and_scaling_latents_changes_nothing(
            seed in 0u64..1000,
            order in Just([0usize, 1, 2, 3]).prop_shuffle(),
            scale in prop::collection::vec(prop_oneof![-5.0..-0.1f64, 0.1..5.0f64], 4),
        ) {
            let (latents, factors) = (noise(20, 4, seed), noise(20, 3, seed + 1));
            let other = DMatrix::from_fn(20, 4, |i, j| scale[j] * latents[(i, order[j])] + 1.0);
            for correlation in [Correlation::Pearson, Correlation::Spearman] {
                let (a, b) = (score(&latents, &factors, correlation), score(&other, &factors, correlation));
                prop_assert!((a.score - b.score).abs() < 1e-9);
                prop_assert!((0.0..=1.0).contains(&a.score));
            }
        }
    }
}
