use nalgebra::DMatrix;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::accuracy::share_right;
use crate::logistic::{Logistic, LogisticOptions};
use crate::representation::{below, check_points, check_world, draw_factors, encode};
use crate::sample::{check_dim, check_matrix};
use crate::{MetricError, Representation};

/// Points whose batches are encoded at a time.
const AT_ONCE: usize = 32;

/// Options of [`beta_vae`]; the defaults are those of `disentanglement_lib`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BetaVaeOptions {
    /// Pairs of observations that are averaged for one point, at least 1.
    pub batch: usize,
    /// Points to fit the classifier on, at least 1.
    pub train: usize,
    /// Points to test it on, at least 1.
    pub test: usize,
    /// The classifier.
    pub classifier: LogisticOptions,
}

impl Default for BetaVaeOptions {
    fn default() -> Self {
        let classifier = LogisticOptions::default();
        Self { batch: 64, train: 10_000, test: 5_000, classifier }
    }
}

/// Accuracy of naming the factor that a batch of pairs shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BetaVae {
    /// The score: accuracy at fresh points, in `[0, 1]`.
    pub test_accuracy: f64,
    /// Accuracy at the points the classifier was fitted on.
    pub train_accuracy: f64,
}

/// `BetaVAE` score: accuracy of a linear classifier that names the factor `k` from
/// `mean_b |z(y_b) − z(y'_b)|`, `[D]`, over a batch of pairs of random factors with `y_bk = y'_bk`.
///
/// From chance, about one over the number of factors, to 1; higher is better. The representation
/// maps factors `[n, K]` to latents `[n, D]`. Dead latents carry no weight. With a single factor
/// the score is 1.
///
/// Hardly sees rotations: factors that are mixed by a random rotation score about 0.99. It can
/// also be 1 although one factor is not represented at all, since the classifier then names it
/// by elimination.
///
/// See [`Representation`] for an example.
///
/// # Errors
/// As [`draw_sample`](crate::draw_sample); [`MetricError::Option`] for an option outside its range.
///
/// Higgins et al., *beta-VAE: learning basic visual concepts with a constrained variational
/// framework*, ICLR 2017, with the classifier and constants of Locatello et al. 2019.
pub fn beta_vae(
    world: &dyn Representation,
    options: &BetaVaeOptions,
    rng: &mut dyn Rng,
) -> Result<BetaVae, MetricError> {
    check_world(world)?;
    check_points("batch", options.batch)?;
    check_points("train", options.train)?;
    check_points("test", options.test)?;
    let train = differences(world, options.train, options.batch, rng)?;
    let test = differences(world, options.test, options.batch, rng)?;
    beta_vae_of_differences(&train, &test, &options.classifier)
}

/// Differences of latents, averaged over batches of pairs that share a factor.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedFactorDifferences {
    /// Mean absolute difference of each latent, `[n, D]`.
    pub differences: DMatrix<f64>,
    /// The factor that is shared, `[n]`.
    pub factors: Vec<usize>,
}

/// [`beta_vae`] on given points to fit and to test on.
///
/// # Errors
/// [`MetricError::Rows`] if factors and differences are not as many, [`MetricError::Dim`] if the two
/// sets differ in latents, [`MetricError::Empty`] or [`MetricError::NotFinite`] for differences
/// without entries or with NaN, [`MetricError::Option`] for an option outside its range.
pub fn beta_vae_of_differences(
    train: &SharedFactorDifferences,
    test: &SharedFactorDifferences,
    options: &LogisticOptions,
) -> Result<BetaVae, MetricError> {
    options.check()?;
    for set in [train, test] {
        check_matrix("differences", &set.differences)?;
        let (expected, got) = (set.differences.nrows(), set.factors.len());
        if expected != got {
            return Err(MetricError::Rows { what: "factors", expected, got });
        }
    }
    check_dim("differences", train.differences.ncols(), test.differences.ncols())?;
    let classes = train.factors.iter().max().map_or(0, |&k| k + 1);
    let fit = Logistic::fit(&train.differences, &train.factors, classes, options);
    let accuracy = |set: &SharedFactorDifferences| {
        share_right(&fit.predict(&set.differences), set.factors.iter().copied().map(Some))
    };
    Ok(BetaVae { test_accuracy: accuracy(test), train_accuracy: accuracy(train) })
}

fn differences(
    world: &dyn Representation,
    points: usize,
    batch: usize,
    rng: &mut dyn Rng,
) -> Result<SharedFactorDifferences, MetricError> {
    let k = world.cardinalities().len();
    let factors: Vec<usize> = (0..points).map(|_| below(k, rng)).collect();
    let mut differences: Option<DMatrix<f64>> = None;
    for (block, shared) in factors.chunks(AT_ONCE).enumerate() {
        let first = draw_factors(world, shared.len() * batch, rng);
        let mut second = draw_factors(world, shared.len() * batch, rng);
        for (point, &factor) in shared.iter().enumerate() {
            let same = first.view((point * batch, factor), (batch, 1));
            second.view_mut((point * batch, factor), (batch, 1)).copy_from(&same);
        }
        let apart = (encode(world, &first)? - encode(world, &second)?).abs();
        let all = differences.get_or_insert_with(|| DMatrix::zeros(points, apart.ncols()));
        check_dim("latents", all.ncols(), apart.ncols())?;
        for (column, mut means) in apart.column_iter().zip(all.column_iter_mut()) {
            for (point, values) in column.as_slice().chunks_exact(batch).enumerate() {
                means[block * AT_ONCE + point] = crate::accuracy::mean(values);
            }
        }
    }
    Ok(SharedFactorDifferences { differences: differences.unwrap_or_default(), factors })
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;
    use crate::LatentTable;

    fn score(table: DMatrix<f64>) -> BetaVae {
        let world = LatentTable::new(vec![3, 4, 2], table).unwrap();
        let options = BetaVaeOptions { train: 500, test: 300, ..Default::default() };
        beta_vae(&world, &options, &mut Seed(0).rng(Stream::Eval)).unwrap()
    }

    fn factor(row: usize, j: usize) -> f64 {
        ([row / 8, row / 2 % 4, row % 2])[j] as f64
    }

    #[test]
    fn factors_score_one_and_noise_scores_chance() {
        let perfect = DMatrix::from_fn(24, 4, |i, j| if j < 3 { -factor(i, j) } else { 0.5 });
        assert!(score(perfect).test_accuracy >= 1.0);
        let dead = DMatrix::from_element(24, 2, 0.5);
        assert!(score(dead).test_accuracy < 0.45);
        let mut rng = Seed(1).rng(Stream::Data);
        let noise = DMatrix::from_fn(24, 1, |_, _| rng.random::<f64>());
        assert!(score(noise).test_accuracy < 0.6);
    }

    #[test]
    fn rotations_are_hardly_seen() {
        let mixed = DMatrix::from_fn(24, 3, |i, j| {
            factor(i, j) + 0.5 * factor(i, (j + 1) % 3) - 0.5 * factor(i, (j + 2) % 3)
        });
        assert!(score(mixed).test_accuracy > 0.95);
    }
}
