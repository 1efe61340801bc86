use nalgebra::{DMatrix, DVector};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::logistic::first_largest;
use crate::representation::{below, check_points, check_world, draw_factors, encode};
use crate::sample::check_dim;
use crate::{MetricError, Representation};

/// Votes whose batches are encoded at a time.
const AT_ONCE: usize = 64;

/// Options of [`factor_vae`]; the defaults are those of the published configurations of
/// `disentanglement_lib`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorVaeOptions {
    /// Observations behind one vote, at least 2.
    pub batch: usize,
    /// Votes that the classifier is made of, at least 1.
    pub train: usize,
    /// Votes to test it on, at least 1.
    pub test: usize,
    /// Points that the variance of each latent is estimated on, at least 2.
    pub variance_points: usize,
    /// Latents whose standard deviation is below this do not vote. The public function's default
    /// is 0; a latent that is exactly constant never votes.
    pub least_std: f64,
}

impl Default for FactorVaeOptions {
    fn default() -> Self {
        Self { batch: 64, train: 10_000, test: 5_000, variance_points: 10_000, least_std: 0.05 }
    }
}

impl FactorVaeOptions {
    fn check(&self) -> Result<(), MetricError> {
        check_points("train", self.train)?;
        check_points("test", self.test)?;
        for (name, value) in [("batch", self.batch), ("variance_points", self.variance_points)] {
            if value < 2 {
                let value = value as f64;
                return Err(MetricError::Option { name, expected: "at least 2", value });
            }
        }
        let (name, value) = ("least_std", self.least_std);
        if value >= 0.0 {
            Ok(())
        } else {
            Err(MetricError::Option { name, expected: "at least 0", value })
        }
    }
}

/// Accuracy of naming the factor that a batch shares from its steadiest latent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorVae {
    /// The score: accuracy at fresh votes, in `[0, 1]`; 0 if no latent votes.
    pub test_accuracy: f64,
    /// Accuracy at the votes that the classifier is made of.
    pub train_accuracy: f64,
    /// The latents that vote.
    pub active: Vec<usize>,
}

/// `FactorVAE` score: accuracy of the majority vote that names the factor `k` from
/// `argmin_i Var(z_i | y_k) / Var(z_i)`, the latent that varies least, relative to its variance, in a
/// batch of observations with one value of factor `k`.
///
/// From chance, about one over the number of factors, to 1; higher is better. The representation
/// maps factors `[n, K]` to latents `[n, D]`; scale and sign of latents do not matter as long as
/// their standard deviation exceeds the threshold.
///
/// Hardly sees rotations: factors that are mixed by a random rotation score up to 0.997.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{FactorVaeOptions, LatentTable, factor_vae};
/// use nalgebra::DMatrix;
///
/// let table = DMatrix::from_fn(12, 3, |i, j| [i / 4, i % 4, 7][j] as f64);
/// let world = LatentTable::new(vec![3, 4], table)?;
/// let options = FactorVaeOptions { train: 300, test: 100, ..Default::default() };
/// let scores = factor_vae(&world, &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert_eq!(scores.test_accuracy, 1.0);
/// assert_eq!(scores.active, [0, 1]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`draw_sample`](crate::draw_sample); [`MetricError::Option`] for an option outside its range.
///
/// Kim & Mnih, *Disentangling by factorising*, ICML 2018, with the constants of Locatello et al. 2019.
pub fn factor_vae(
    world: &dyn Representation,
    options: &FactorVaeOptions,
    rng: &mut dyn Rng,
) -> Result<FactorVae, MetricError> {
    check_world(world)?;
    options.check()?;
    let points = draw_factors(world, options.variance_points, rng);
    let variance = variances(&encode(world, &points)?);
    let votes = |i: &usize| variance[*i] > 0.0 && variance[*i].sqrt() >= options.least_std;
    let active: Vec<usize> = (0..variance.len()).filter(votes).collect();
    if active.is_empty() {
        return Ok(FactorVae { test_accuracy: 0.0, train_accuracy: 0.0, active });
    }
    let mut count = |votes| count_votes(world, votes, options.batch, (&variance, &active), rng);
    let [train, test] = [count(options.train)?, count(options.test)?];
    let [train_accuracy, test_accuracy] = factor_vae_of_votes(&train, &test)?;
    Ok(FactorVae { test_accuracy, train_accuracy, active })
}

/// Accuracies, on the votes it is made of and on others, of the classifier that gives each latent
/// the factor with most of its votes, the first of several. Votes are counts `[K, latents]`.
///
/// # Errors
/// [`MetricError::Empty`] if there is no vote, [`MetricError::Dim`] if the two differ in shape.
pub fn factor_vae_of_votes(
    train: &DMatrix<usize>,
    test: &DMatrix<usize>,
) -> Result<[f64; 2], MetricError> {
    check_dim("latents that vote", train.ncols(), test.ncols())?;
    check_dim("factors that share votes", train.nrows(), test.nrows())?;
    for votes in [train, test] {
        if votes.iter().all(|&v| v == 0) {
            let (rows, cols) = votes.shape();
            return Err(MetricError::Empty { what: "votes", rows, cols });
        }
    }
    let factor =
        |column: nalgebra::DVectorView<'_, usize>| first_largest(column.iter().map(|&v| v as f64));
    let classifier: Vec<usize> = train.column_iter().map(factor).collect();
    let accuracy = |votes: &DMatrix<usize>| {
        let right: usize = classifier.iter().enumerate().map(|(i, &k)| votes[(k, i)]).sum();
        right as f64 / votes.iter().sum::<usize>() as f64
    };
    Ok([accuracy(train), accuracy(test)])
}

/// Votes `[K, active latents]`.
fn count_votes(
    world: &dyn Representation,
    votes: usize,
    batch: usize,
    (variance, active): (&DVector<f64>, &[usize]),
    rng: &mut dyn Rng,
) -> Result<DMatrix<usize>, MetricError> {
    let k = world.cardinalities().len();
    let mut counts = DMatrix::zeros(k, active.len());
    for first in (0..votes).step_by(AT_ONCE) {
        let shared: Vec<usize> =
            (first..votes.min(first + AT_ONCE)).map(|_| below(k, rng)).collect();
        let mut factors = draw_factors(world, shared.len() * batch, rng);
        for (vote, &factor) in shared.iter().enumerate() {
            let mut same = factors.view_mut((vote * batch, factor), (batch, 1));
            let value = same[0];
            same.fill(value);
        }
        let latents = encode(world, &factors)?;
        check_dim("latents", variance.len(), latents.ncols())?;
        for (vote, &factor) in shared.iter().enumerate() {
            let steadiness = active.iter().map(|&i| {
                let local = &latents.as_slice()[i * latents.nrows() + vote * batch..][..batch];
                -sample_variance(local) / variance[i]
            });
            counts[(factor, first_largest(steadiness))] += 1;
        }
    }
    Ok(counts)
}

fn variances(latents: &DMatrix<f64>) -> DVector<f64> {
    let variance = |c: nalgebra::DVectorView<'_, f64>| {
        if c.min() < c.max() { sample_variance(c.as_slice()) } else { 0.0 }
    };
    DVector::from_iterator(latents.ncols(), latents.column_iter().map(variance))
}

/// Variance divided by `n − 1`.
fn sample_variance(values: &[f64]) -> f64 {
    let mean = crate::accuracy::mean(values);
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::LatentTable;

    fn score(table: DMatrix<f64>, least_std: f64) -> FactorVae {
        let world = LatentTable::new(vec![3, 4], table).unwrap();
        let options = FactorVaeOptions { train: 400, test: 200, least_std, ..Default::default() };
        factor_vae(&world, &options, &mut Seed(0).rng(Stream::Eval)).unwrap()
    }

    #[test]
    fn dead_latents_never_vote_and_alone_score_zero() {
        let dead = DMatrix::from_element(12, 2, 0.1);
        assert!(score(dead, 0.0).test_accuracy <= 0.0);
        let perfect =
            DMatrix::from_fn(12, 3, |i, j| [(i / 4) as f64, (i % 4) as f64 * 1e-3, 0.1][j]);
        assert!(score(perfect.clone(), 0.0).test_accuracy >= 1.0);
        // The threshold silences the faint latent; the other one cannot tell its votes apart.
        let pruned = score(perfect, 0.05);
        assert!(pruned.active == [0] && pruned.test_accuracy < 0.65);
    }

    #[test]
    fn ties_go_to_the_first_factor() {
        let votes = DMatrix::from_row_slice(2, 2, &[3, 0, 3, 4]);
        let accuracy = factor_vae_of_votes(&votes, &votes).unwrap();
        assert!((accuracy[0] - 0.7).abs() < 1e-15);
    }
}
