use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::accuracy::share_right;
use crate::classes::Classes;
use crate::{Accuracy, MetricError, Predictor, Sample, parallel};

/// Options of [`downstream`]; the defaults are those of `disentanglement_lib`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DownstreamOptions {
    /// What learns the factors.
    pub predictor: Predictor,
    /// Numbers of points to learn from, ascending, at least 1 each. One that exceeds the sample
    /// stands for the whole sample.
    pub sizes: Vec<usize>,
    /// The two sizes whose accuracies make the sample efficiency.
    pub efficiency: [usize; 2],
    /// Threads to fit factors on; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for DownstreamOptions {
    fn default() -> Self {
        Self {
            predictor: Predictor::default(),
            sizes: vec![10, 100, 1000, 10_000],
            efficiency: [100, 10_000],
            threads: NonZeroUsize::MIN,
        }
    }
}

/// How well factors are learned from latents, from more and more points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Downstream {
    /// Accuracies at each size.
    pub sizes: Vec<DownstreamAt>,
    /// Mean test accuracy from few points over that from many; higher is better.
    pub sample_efficiency: f64,
}

/// How well factors are learned from some number of points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DownstreamAt {
    /// Number of points to learn from.
    pub points: usize,
    /// Accuracy at those points.
    pub train: Accuracy,
    /// Accuracy at other points.
    pub test: Accuracy,
}

/// Downstream task: accuracy on `test` of a predictor of each factor that learns from the first `m`
/// points of `train`, and sample efficiency, `accuracy(100 points) / accuracy(10,000 points)`.
///
/// Accuracies are in `[0, 1]`, higher is better. Latents `[n, D]` are not standardised; discrete
/// factors `[n, K]`; published with 5,000 points to test on. A value of a factor that the first `m`
/// points lack is never predicted; if they hold one value only, it always is. Where the public
/// code fails, as for a fold of the cross-validation with one class, that fold predicts this class.
///
/// Logistic regression is blind to rotations: any invertible linear mixture of the factors scores
/// alike, up to its penalty. Trees see them.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{DownstreamOptions, Sample, downstream};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(120, 2, |i, j| if j == 0 { i % 2 } else { i / 2 % 3 } as f64);
/// let latents = DMatrix::from_fn(120, 2, |i, j| factors[(i, 0)] - j as f64 * factors[(i, 1)]);
/// let sample = Sample::new(&latents, &factors)?;
/// let options = DownstreamOptions { sizes: vec![120], ..Default::default() };
/// let scores = downstream(sample, sample, &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert_eq!(scores.sizes[0].test.mean, 1.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::Classes`] for a
/// factor that is not discrete, [`MetricError::Option`] for an option outside its range.
///
/// Locatello et al. 2019, section 5.5.
pub fn downstream(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &DownstreamOptions,
    rng: &mut dyn Rng,
) -> Result<Downstream, MetricError> {
    options.predictor.check()?;
    train.check_same_columns(&test)?;
    let wanted = options.sizes.iter().chain(&options.efficiency);
    let mut sizes: Vec<usize> = wanted.map(|&m| m.min(train.latents().nrows())).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes[0] == 0 {
        return Err(MetricError::Option { name: "sizes", expected: "at least 1 each", value: 0.0 });
    }
    let score = |&points: &usize| at_size(train, test, points, options, rng);
    let scores: Vec<DownstreamAt> = sizes.iter().map(score).collect::<Result<_, _>>()?;
    let mean = |size: usize| {
        let size = size.min(train.latents().nrows());
        scores.iter().find(|s| s.points == size).map_or(0.0, |s| s.test.mean)
    };
    let [few, many] = options.efficiency.map(mean);
    let sample_efficiency = if many > 0.0 { few / many } else { 0.0 };
    Ok(Downstream { sizes: scores, sample_efficiency })
}

fn at_size(
    train: Sample<'_>,
    test: Sample<'_>,
    points: usize,
    options: &DownstreamOptions,
    rng: &mut dyn Rng,
) -> Result<DownstreamAt, MetricError> {
    let [z, y] = [train.latents(), train.factors()].map(|m| m.rows(0, points).into_owned());
    let seen = Sample::new(&z, &y)?;
    let classes = Classes::of_all(seen)?;
    let seeds: Vec<Seed> = classes.iter().map(|_| Seed(rng.random())).collect();
    let costs: Vec<usize> = classes.iter().map(Classes::count).collect();
    let fit = |j: usize| {
        let truth = classes[j].find(test.factors(), j);
        let unseen = (test.latents(), truth.as_slice());
        accuracies(&options.predictor, (&z, &classes[j]), unseen, seeds[j])
    };
    let fits = parallel::map_by_cost(&costs, options.threads, fit);
    let fits: Vec<[f64; 2]> = fits.into_iter().collect::<Result<_, _>>()?;
    let accuracy = |of: usize| Accuracy::new(fits.iter().map(|fit| fit[of]).collect());
    Ok(DownstreamAt { points, train: accuracy(0), test: accuracy(1) })
}

/// Accuracies of a predictor on the points it learns from and on others.
pub(crate) fn accuracies(
    predictor: &Predictor,
    (latents, classes): (&DMatrix<f64>, &Classes),
    (unseen, truth): (&DMatrix<f64>, &[Option<usize>]),
    seed: Seed,
) -> Result<[f64; 2], MetricError> {
    let rng = &mut seed.rng(Stream::Eval);
    let fit = predictor.fit(latents, classes.labels(), classes.count(), rng)?;
    let own = classes.labels().iter().copied().map(Some);
    Ok([
        share_right(&fit.predict(latents)?, own),
        share_right(&fit.predict(unseen)?, truth.iter().copied()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GbtOptions;

    fn example() -> [DMatrix<f64>; 2] {
        let mut rng = Seed(0).rng(Stream::Data);
        let y = DMatrix::from_fn(200, 2, |_, j| f64::from(rng.random_range(0..2 + j as u32)));
        let z = DMatrix::from_fn(200, 3, |i, j| {
            if j < 2 { y[(i, j)] + 0.5 * rng.random::<f64>() } else { 0.1 }
        });
        [z, y]
    }

    #[test]
    fn more_points_teach_more_and_threads_change_nothing() {
        let [z, y] = example();
        let sample = Sample::new(&z, &y).unwrap();
        for predictor in [Predictor::default(), Predictor::Gbt(GbtOptions::default())] {
            let score = |threads| {
                let threads = NonZeroUsize::new(threads).unwrap();
                let (sizes, efficiency) = (vec![3, 1000], [3, 1000]);
                let options = DownstreamOptions { predictor, sizes, efficiency, threads };
                downstream(sample, sample, &options, &mut Seed(0).rng(Stream::Eval)).unwrap()
            };
            let scores = score(1);
            assert_eq!(scores, score(2));
            let points: Vec<_> = scores.sizes.iter().map(|s| s.points).collect();
            assert_eq!(points, [3, 200]);
            assert!(scores.sizes[1].test.min > 0.99 && scores.sample_efficiency < 0.95);
        }
    }
}
