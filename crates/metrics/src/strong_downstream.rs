use std::num::NonZeroUsize;

use domino_core::Seed;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::classes::Classes;
use crate::downstream::accuracies;
use crate::representation::{below, check_points, check_world, draw_factors, encode};
use crate::{Accuracy, MetricError, Predictor, Representation, parallel};

/// Options of [`strong_downstream`]. No configuration is published; experiments are as many as the
/// public function's default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StrongDownstreamOptions {
    /// What learns the factors.
    pub predictor: Predictor,
    /// Points to learn from, at least 1.
    pub train: usize,
    /// Points to test on, at least 1.
    pub test: usize,
    /// Shifted worlds per factor, at least 1.
    pub experiments: usize,
    /// Threads to fit predictors on; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for StrongDownstreamOptions {
    fn default() -> Self {
        let (predictor, threads) = (Predictor::default(), NonZeroUsize::MIN);
        Self { predictor, train: 10_000, test: 5_000, experiments: 10, threads }
    }
}

/// How well what is learned holds where another factor takes values never seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrongDownstream {
    /// Accuracy at the points that are learned from.
    pub train: Accuracy,
    /// Accuracy at other points of the same world.
    pub test: Accuracy,
    /// Accuracy at points that share one value of another factor, which are learned from.
    pub strong_train: Accuracy,
    /// Accuracy at points where that factor has any value but this.
    pub strong_test: Accuracy,
    /// One minus the mean of `strong_test` over the mean of `test`; lower is better, 0 is no loss.
    pub gap: f64,
}

/// Strong downstream task: accuracy of a predictor of each factor on points where another factor
/// `l ≠ i` takes every value but the one it has in all points that are learned from.
///
/// For each factor and experiment, `l` and its value are drawn, the factors of one common set of
/// points are changed accordingly and encoded again, and a predictor is fitted. Accuracies are in
/// `[0, 1]`, higher is better; `gap = 1 − strong_test / test` is at most 1, lower is better. The
/// representation maps factors `[n, K]` to latents `[n, D]`. Factors with one value are never
/// changed; where no other factor has two, nothing is.
///
/// Blind to entanglement that a linear predictor can undo from one slice of the world.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{LatentTable, StrongDownstreamOptions, strong_downstream};
/// use nalgebra::DMatrix;
///
/// let table = DMatrix::from_fn(12, 2, |i, j| [i / 4, i % 4][j] as f64);
/// let world = LatentTable::new(vec![3, 4], table)?;
/// let options = StrongDownstreamOptions { train: 200, test: 100, ..Default::default() };
/// let scores = strong_downstream(&world, &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert!(scores.gap.abs() < 0.01);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`draw_sample`](crate::draw_sample); [`MetricError::Option`] for an option outside its range.
///
/// `disentanglement_lib`, `strong_downstream_task`; Locatello et al., *On the fairness of disentangled
/// representations*, NeurIPS 2019, uses the same code base.
pub fn strong_downstream(
    world: &dyn Representation,
    options: &StrongDownstreamOptions,
    rng: &mut dyn Rng,
) -> Result<StrongDownstream, MetricError> {
    check_world(world)?;
    options.predictor.check()?;
    check_points("train", options.train)?;
    check_points("test", options.test)?;
    check_points("experiments", options.experiments)?;
    let factors = [options.train, options.test].map(|n| draw_factors(world, n, rng));
    let mut jobs = Vec::new();
    let k = world.cardinalities().len();
    for target in 0..k {
        jobs.push(Job::new(world, &factors, target, rng)?);
        for _ in 0..options.experiments {
            let shifted = shifted(world, &factors, target, rng);
            jobs.push(Job::new(world, &shifted, target, rng)?);
        }
    }
    let run = |at: usize| jobs[at].run(&options.predictor);
    let results = parallel::map(jobs.len(), options.threads, run);
    let results: Vec<[f64; 2]> = results.into_iter().collect::<Result<_, _>>()?;
    let per_target: Vec<&[[f64; 2]]> = results.chunks_exact(1 + options.experiments).collect();
    let plain = |of: usize| Accuracy::new(per_target.iter().map(|r| r[0][of]).collect());
    let strong = |of: usize| {
        let mean =
            |r: &&[[f64; 2]]| r[1..].iter().map(|e| e[of]).sum::<f64>() / (r.len() - 1) as f64;
        Accuracy::new(per_target.iter().map(mean).collect())
    };
    let (test, strong_test) = (plain(1), strong(1));
    let gap = if test.mean > 0.0 { 1.0 - strong_test.mean / test.mean } else { 0.0 };
    Ok(StrongDownstream { train: plain(0), test, strong_train: strong(0), strong_test, gap })
}

/// One predictor to fit and to test.
struct Job {
    latents: [DMatrix<f64>; 2],
    classes: Classes,
    truth: Vec<Option<usize>>,
    seed: Seed,
}

impl Job {
    fn new(
        world: &dyn Representation,
        [seen, unseen]: &[DMatrix<usize>; 2],
        target: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetricError> {
        let labels = seen.column(target).iter().copied().collect();
        Ok(Self {
            latents: [encode(world, seen)?, encode(world, unseen)?],
            classes: Classes::numbered(labels, world.cardinalities()[target]),
            truth: unseen.column(target).iter().copied().map(Some).collect(),
            seed: Seed(rng.random()),
        })
    }

    fn run(&self, predictor: &Predictor) -> Result<[f64; 2], MetricError> {
        let [seen, unseen] = &self.latents;
        accuracies(predictor, (seen, &self.classes), (unseen, &self.truth), self.seed)
    }
}

/// Factors in which one that is not the target has one value in the first set and any other in the
/// second.
fn shifted(
    world: &dyn Representation,
    factors: &[DMatrix<usize>; 2],
    target: usize,
    rng: &mut dyn Rng,
) -> [DMatrix<usize>; 2] {
    let [mut seen, mut unseen] = factors.clone();
    let cardinalities = world.cardinalities();
    let movable = |&l: &usize| l != target && cardinalities[l] > 1;
    let movable: Vec<usize> = (0..cardinalities.len()).filter(movable).collect();
    if !movable.is_empty() {
        let factor = movable[below(movable.len(), rng)];
        let value = below(cardinalities[factor], rng);
        seen.column_mut(factor).fill(value);
        for other in unseen.column_mut(factor).iter_mut() {
            let draw = below(cardinalities[factor] - 1, rng);
            *other = draw + usize::from(draw >= value);
        }
    }
    [seen, unseen]
}

#[cfg(test)]
mod tests {
    use domino_core::Stream;

    use super::*;
    use crate::LatentTable;

    #[test]
    fn entanglement_costs_where_the_other_factor_moves() {
        let table = DMatrix::from_fn(12, 1, |i, _| (i / 4) as f64 + 1.5 * (i % 4) as f64);
        let world = LatentTable::new(vec![3, 4], table).unwrap();
        let options = StrongDownstreamOptions { train: 200, test: 100, ..Default::default() };
        let scores = strong_downstream(&world, &options, &mut Seed(0).rng(Stream::Eval)).unwrap();
        // Within a slice the sum tells the factor; across slices it misleads.
        assert!(scores.strong_train.mean > 0.95 && scores.gap > 0.1, "{scores:?}");
    }

    #[test]
    fn shifted_factors_part_the_two_sets() {
        let world = LatentTable::new(vec![1, 3, 2], DMatrix::zeros(6, 1)).unwrap();
        let rng = &mut Seed(0).rng(Stream::Eval);
        let factors = [10, 50].map(|n| draw_factors(&world, n, rng));
        for _ in 0..10 {
            let [seen, unseen] = shifted(&world, &factors, 2, rng);
            let value = seen[(0, 1)];
            assert!(seen.column(1).iter().all(|&v| v == value));
            assert!(unseen.column(1).iter().all(|&v| v != value && v < 3));
            assert_eq!(seen.column(2), factors[0].column(2));
        }
        let alone = LatentTable::new(vec![1, 3], DMatrix::zeros(3, 1)).unwrap();
        let factors = [10, 50].map(|n| draw_factors(&alone, n, rng));
        assert_eq!(shifted(&alone, &factors, 1, rng), factors);
    }
}
