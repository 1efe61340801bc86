use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::representation::{check_points, check_world, draw_factors, encode};
use crate::{GbtOptions, MetricError, Predictor, Representation, parallel};

/// Options of [`fairness`]; the defaults are those of `disentanglement_lib`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FairnessOptions {
    /// What learns the factors.
    pub predictor: Predictor,
    /// Points to learn from, at least 1.
    pub train: usize,
    /// Points that are predicted for each value of the sensitive factor, at least 1.
    pub points_per_class: usize,
    /// Threads to fit predictors on; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for FairnessOptions {
    fn default() -> Self {
        let predictor = Predictor::Gbt(GbtOptions::default());
        Self { predictor, train: 10_000, points_per_class: 100, threads: NonZeroUsize::MIN }
    }
}

/// How far predictions of one factor depend on another; lower is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// Mean total variation between the predictions for one value of the sensitive factor and for
    /// all; `mean.mean_pred_mean_sens` is the score of the paper.
    pub mean: Unfairness,
    /// Largest total variation over the values of the sensitive factor.
    pub max: Unfairness,
    /// Demographic parity gap: largest difference, over predicted classes and pairs of values of the
    /// sensitive factor, of the probability of the class. Not the same as the others.
    pub parity_gap: Unfairness,
}

/// Unfairness of every prediction towards every sensitive factor, in `[0, 1]`; 0 is fair.
///
/// Names of the means over both are read from the left: `mean_pred_max_sens` is the mean over
/// predicted factors of the largest over sensitive ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say which, and the type says what")]
pub struct Unfairness {
    /// Rows are predicted factors, columns sensitive ones, `[K, K]`; 0 on the diagonal.
    #[serde(with = "crate::rows")]
    pub matrix: DMatrix<f64>,
    /// Mean over the sensitive factors, for each predicted one, `[K]`.
    pub mean_sens: Vec<f64>,
    /// Largest over the sensitive factors, for each predicted one, `[K]`.
    pub max_sens: Vec<f64>,
    pub mean_pred_mean_sens: f64,
    pub mean_pred_max_sens: f64,
    pub max_pred_mean_sens: f64,
    pub max_pred_max_sens: f64,
    pub mean_sens_mean_pred: f64,
    pub mean_sens_max_pred: f64,
    pub max_sens_mean_pred: f64,
    pub max_sens_max_pred: f64,
}

impl Unfairness {
    fn new(matrix: DMatrix<f64>) -> Self {
        let by_target = [mean as fn(&[f64]) -> f64, max].map(|f| off_diagonal(&matrix, f));
        let transposed = matrix.transpose();
        let by_sensitive = [mean as fn(&[f64]) -> f64, max].map(|f| off_diagonal(&transposed, f));
        Self {
            mean_pred_mean_sens: mean(&by_target[0]),
            mean_pred_max_sens: mean(&by_target[1]),
            max_pred_mean_sens: max(&by_target[0]),
            max_pred_max_sens: max(&by_target[1]),
            mean_sens_mean_pred: mean(&by_sensitive[0]),
            mean_sens_max_pred: mean(&by_sensitive[1]),
            max_sens_mean_pred: max(&by_sensitive[0]),
            max_sens_max_pred: max(&by_sensitive[1]),
            mean_sens: by_target[0].clone(),
            max_sens: by_target[1].clone(),
            matrix,
        }
    }
}

/// A summary of every row without its diagonal entry.
fn off_diagonal(matrix: &DMatrix<f64>, summary: fn(&[f64]) -> f64) -> Vec<f64> {
    let rows = matrix.row_iter().enumerate();
    let others = |(i, row): (usize, nalgebra::MatrixView1xX<'_, f64, _, _>)| -> Vec<f64> {
        row.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &v)| v).collect()
    };
    rows.map(|row| summary(&others(row))).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Unfairness of predictions towards one sensitive factor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupUnfairness {
    /// Mean over groups, weighted by size, of `½ Σ_p |P(p | group) − P(p)|`.
    pub mean_variation: f64,
    /// Largest of these.
    pub max_variation: f64,
    /// `max_{p, g, h} |P(p | g) − P(p | h)|`.
    pub parity_gap: f64,
}

/// Unfairness of predictions from counts of predicted classes in groups, `[classes, groups]`.
///
/// All parts are in `[0, 1]`, 0 is fair. Groups without a prediction are left out.
///
/// ```
/// use domino_metrics::group_unfairness;
/// use nalgebra::DMatrix;
///
/// // Shares 3/4 and 1/4 of the first class; 1/2 in both groups together.
/// let unfair = group_unfairness(&DMatrix::from_row_slice(2, 2, &[3, 1, 1, 3]))?;
/// assert_eq!([unfair.mean_variation, unfair.max_variation, unfair.parity_gap], [0.25, 0.25, 0.5]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Empty`] if nothing is predicted.
///
/// Locatello et al., *On the fairness of disentangled representations*, NeurIPS 2019, section 4; the
/// parity gap as in Dwork et al., *Fairness through awareness*, 2012.
pub fn group_unfairness(counts: &DMatrix<usize>) -> Result<GroupUnfairness, MetricError> {
    let total: usize = counts.iter().sum();
    if total == 0 {
        let (rows, cols) = counts.shape();
        return Err(MetricError::Empty { what: "counts", rows, cols });
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let pooled: Vec<f64> = counts.row_iter().map(|r| share(r.iter().sum(), total)).collect();
    let mut unfair = GroupUnfairness { mean_variation: 0.0, max_variation: 0.0, parity_gap: 0.0 };
    let (mut low, mut high) = (vec![1.0_f64; pooled.len()], vec![0.0_f64; pooled.len()]);
    for group in counts.column_iter().filter(|g| g.iter().any(|&c| c > 0)) {
        let size: usize = group.iter().sum();
        let shares: Vec<f64> = group.iter().map(|&c| share(c, size)).collect();
        let apart: f64 = shares.iter().zip(&pooled).map(|(p, q)| (p - q).abs()).sum();
        unfair.mean_variation += share(size, total) * apart / 2.0;
        unfair.max_variation = unfair.max_variation.max(apart / 2.0);
        for ((low, high), &p) in low.iter_mut().zip(&mut high).zip(&shares) {
            (*low, *high) = (low.min(p), high.max(p));
        }
    }
    unfair.parity_gap = low.iter().zip(&high).map(|(l, h)| h - l).fold(0.0, f64::max);
    Ok(unfair)
}

/// Fairness: how far predictions of factor `i` move when only the sensitive factor `j ≠ i` does, as
/// total variation `½ Σ_p |P(p | y_j = c) − P(p)|` between predictions for one value and for all.
///
/// For each pair, a set of random factors is encoded once for every value of `y_j` and predicted by
/// what was learned on other points. All parts are in `[0, 1]`; 0 is fair, so these are measures of
/// *un*fairness. The representation maps factors `[n, K]` to latents `[n, D]`. With a single factor
/// all is 0.
///
/// Blind to predictors that know nothing: a constant prediction is fair.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{FairnessOptions, LatentTable, fairness};
/// use nalgebra::DMatrix;
///
/// let table = DMatrix::from_fn(12, 2, |i, j| [i / 4, i % 4][j] as f64);
/// let world = LatentTable::new(vec![3, 4], table)?;
/// let options = FairnessOptions { train: 200, ..Default::default() };
/// let scores = fairness(&world, &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert_eq!(scores.mean.mean_pred_mean_sens, 0.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`draw_sample`](crate::draw_sample); [`MetricError::Option`] for an option outside its range.
///
/// Locatello et al., *On the fairness of disentangled representations*, NeurIPS 2019.
pub fn fairness(
    world: &dyn Representation,
    options: &FairnessOptions,
    rng: &mut dyn Rng,
) -> Result<Fairness, MetricError> {
    check_world(world)?;
    options.predictor.check()?;
    check_points("train", options.train)?;
    check_points("points_per_class", options.points_per_class)?;
    let cardinalities = world.cardinalities();
    let k = cardinalities.len();
    let seen = draw_factors(world, options.train, rng);
    let latents = encode(world, &seen)?;
    let seeds: Vec<Seed> = (0..k).map(|_| Seed(rng.random())).collect();
    let fit = |i: usize| {
        let labels: Vec<usize> = seen.column(i).iter().copied().collect();
        let rng = &mut seeds[i].rng(Stream::Eval);
        options.predictor.fit(&latents, &labels, cardinalities[i], rng)
    };
    let predictors = parallel::map_by_cost(cardinalities, options.threads, fit);
    let mut parts = [(); 3].map(|()| DMatrix::zeros(k, k));
    for (i, predictor) in predictors.into_iter().enumerate() {
        let predictor = predictor?;
        for j in (0..k).filter(|&j| j != i) {
            let mut factors = draw_factors(world, options.points_per_class, rng);
            let mut counts = DMatrix::zeros(cardinalities[i], cardinalities[j]);
            for value in 0..cardinalities[j] {
                factors.column_mut(j).fill(value);
                for class in predictor.predict(&encode(world, &factors)?)? {
                    counts[(class, value)] += 1;
                }
            }
            let unfair = group_unfairness(&counts)?;
            parts[0][(i, j)] = unfair.mean_variation;
            parts[1][(i, j)] = unfair.max_variation;
            parts[2][(i, j)] = unfair.parity_gap;
        }
    }
    let [mean, max, parity_gap] = parts.map(Unfairness::new);
    Ok(Fairness { mean, max, parity_gap })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LatentTable;

    #[test]
    fn entangled_latents_are_unfair_and_threads_do_not_matter() {
        let table = DMatrix::from_fn(12, 1, |i, _| (i / 4) as f64 + 0.7 * (i % 4) as f64);
        let world = LatentTable::new(vec![3, 4], table).unwrap();
        let score = |threads| {
            let threads = NonZeroUsize::new(threads).unwrap();
            // Boundaries too few to tell twelve values apart.
            let gbt = GbtOptions { stages: 1, max_depth: 1, ..GbtOptions::default() };
            let predictor = Predictor::Gbt(gbt);
            let options = FairnessOptions { threads, predictor, train: 300, ..Default::default() };
            fairness(&world, &options, &mut Seed(0).rng(Stream::Eval)).unwrap()
        };
        let scores = score(1);
        assert_eq!(scores, score(2));
        assert!(scores.mean.mean_pred_mean_sens > 0.1);
        assert!(scores.max.matrix[(0, 1)] >= scores.mean.matrix[(0, 1)]);
    }

    #[test]
    fn summaries_are_read_from_the_left() {
        let matrix = DMatrix::from_row_slice(3, 3, &[9.0, 1.0, 2.0, 3.0, 9.0, 5.0, 0.0, 1.0, 9.0]);
        let unfair = Unfairness::new(matrix);
        assert_eq!(unfair.mean_sens, [1.5, 4.0, 0.5]);
        assert_eq!(unfair.max_sens, [2.0, 5.0, 1.0]);
        assert!((unfair.max_pred_mean_sens - 4.0).abs() < 1e-12);
        assert!((unfair.mean_sens_max_pred - 3.0).abs() < 1e-12);
        assert!((unfair.max_sens_mean_pred - 3.5).abs() < 1e-12);
    }
}
