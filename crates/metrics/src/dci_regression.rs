use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::accuracy::mean;
use crate::forest::Forest;
use crate::lasso::{Lasso, standardised};
use crate::{Columns, Concentration, MetricError, Sample, disentanglement, parallel};

/// Options of [`dci_lasso`]; the default is that of Eastwood & Williams 2018.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DciLassoOptions {
    /// Weight of the absolute values of the coefficients, at least 0.
    pub alpha: f64,
}

impl Default for DciLassoOptions {
    fn default() -> Self {
        Self { alpha: 0.02 }
    }
}

/// Options of [`dci_forest`]; the defaults are those of Eastwood & Williams 2018.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DciForestOptions {
    /// Trees in each forest, at least 1.
    pub trees: usize,
    /// Smallest depth that is tried.
    pub min_depth: usize,
    /// Largest depth that is tried. For each factor the depth of smallest validation error is
    /// taken; with equal bounds nothing is tuned.
    pub max_depth: usize,
    /// Threads to fit factors on; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for DciForestOptions {
    fn default() -> Self {
        Self { trees: 10, min_depth: 2, max_depth: 12, threads: NonZeroUsize::MIN }
    }
}

impl DciForestOptions {
    fn check(&self) -> Result<(), MetricError> {
        let error = |name, expected, value: usize| {
            Err(MetricError::Option { name, expected, value: value as f64 })
        };
        if self.trees == 0 {
            return error("trees", "at least 1", 0);
        }
        if self.min_depth > self.max_depth {
            return error("min_depth", "at most max_depth", self.min_depth);
        }
        Ok(())
    }
}

/// Disentanglement, completeness and informativeness by regression of standardised variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DciRegression {
    /// Is each latent important for one factor only? Weighted by importance.
    pub disentanglement: Concentration,
    /// Is each factor captured by one latent only? All factors weigh alike.
    pub completeness: Concentration,
    /// Error of predicting the factors on the test sample.
    pub informativeness: RelativeError,
    /// Importance of latent `i` for factor `j`, `[D, K]`.
    #[serde(with = "crate::rows")]
    pub importance: DMatrix<f64>,
}

/// Root mean squared error over the standard deviation of what is predicted: 0 is best, 1 is no
/// better than the mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelativeError {
    /// Mean over the factors.
    pub mean: f64,
    /// Error for each factor, `[K]`.
    pub per_factor: Vec<f64>,
}

/// DCI as first published, by linear regression with an absolute penalty: importance `R_ij = |w_ij|`
/// for `w_j = argmin |y_j − z w|² / 2n + α |w|₁` on standardised latents and factors.
///
/// `D` is the [`disentanglement`] of `R` without smoothing, `C` the plain mean of the factors'
/// completeness, both in `[0, 1]`, higher is better; informativeness is an error, lower is better.
/// All is standardised by the mean and standard deviation of `train`; latents `[n, D]`, factors
/// `[n, K]` as numbers. Latents that matter nowhere, constant ones among them, weigh nothing; a
/// constant factor has importance 0 from every latent and completeness 0. Of exact copies the first
/// takes all. A factor that is constant in `test` counts with its error in units of `train`.
///
/// Sees linear relations only: a latent that bends its factor loses informativeness, and others may
/// make up for it.
///
/// ```
/// use domino_metrics::{DciLassoOptions, Sample, dci_lasso};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(64, 2, |i, j| (i >> (3 * j) & 7) as f64);
/// let latents = DMatrix::from_fn(64, 2, |i, j| 5.0 - factors[(i, 1 - j)]);
/// let sample = Sample::new(&latents, &factors)?;
/// let scores = dci_lasso(sample, sample, &DciLassoOptions::default())?;
/// assert!(scores.disentanglement.score > 0.999 && scores.completeness.score > 0.999);
/// // Each coefficient is shrunk by alpha.
/// assert!((scores.informativeness.mean - 0.02).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::Option`] for an
/// option outside its range.
///
/// Eastwood & Williams 2018, section 4.
pub fn dci_lasso(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &DciLassoOptions,
) -> Result<DciRegression, MetricError> {
    let (name, value) = ("alpha", options.alpha);
    if !(value >= 0.0 && value.is_finite()) {
        return Err(MetricError::Option { name, expected: "at least 0", value });
    }
    train.check_same_columns(&test)?;
    let [(z, y), (z_test, y_test)] = [train, test].map(|sample| standardise(sample, train));
    let n = z.nrows() as f64;
    let gram = z.tr_mul(&z) / n;
    let solve = |y: nalgebra::DVectorView<'_, f64>| {
        let square = y.norm_squared() / n;
        Lasso { gram: &gram, cross: z.tr_mul(&y) / n, square, alpha: value }.solve()
    };
    let weights: Vec<DVector<f64>> = y.column_iter().map(solve).collect();
    let weights = DMatrix::from_columns(&weights);
    scores(weights.abs(), &(z_test * &weights), &y_test)
}

/// DCI as first published, by random forests: importance `R_ij` is the share of latent `i` in the
/// decrease of squared error of a forest for factor `j`, normalised in every tree.
///
/// The depth of each factor's forest is the one of smallest error on `validation`. Scores, ranges
/// and standardisation are those of [`dci_lasso`], but relations need not be linear, and exact copies
/// share their importance at random. A constant factor has importance 0 from every latent.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{DciForestOptions, Sample, dci_forest};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(256, 2, |i, j| (i >> (4 * j) & 15) as f64);
/// let latents = DMatrix::from_fn(256, 2, |i, j| f64::exp(-factors[(i, 1 - j)]));
/// let sample = Sample::new(&latents, &factors)?;
/// let mut rng = Seed(0).rng(Stream::Eval);
/// let scores = dci_forest([sample; 3], &DciForestOptions::default(), &mut rng)?;
/// assert!(scores.disentanglement.score > 0.99 && scores.informativeness.mean < 0.1);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::Option`] for an
/// option outside its range, [`MetricError::NotFinite`] if a standardised latent overflows single
/// precision.
///
/// Eastwood & Williams 2018, section 4.
pub fn dci_forest(
    [train, validation, test]: [Sample<'_>; 3],
    options: &DciForestOptions,
    rng: &mut dyn Rng,
) -> Result<DciRegression, MetricError> {
    options.check()?;
    train.check_same_columns(&validation)?;
    train.check_same_columns(&test)?;
    let splits = [train, validation, test].map(|sample| standardise(sample, train));
    let columns: Vec<Columns> =
        splits.iter().map(|(z, _)| Columns::new(z)).collect::<Result<_, _>>()?;
    let seeds: Vec<Seed> = splits[0].1.column_iter().map(|_| Seed(rng.random())).collect();
    let fit = |j: usize| {
        let y = splits[0].1.column(j);
        tuned(&columns, y.as_slice(), splits[1].1.column(j).as_slice(), options, seeds[j])
    };
    let forests = parallel::map(seeds.len(), options.threads, fit);
    let predicted: Vec<DVector<f64>> =
        forests.iter().map(|f| DVector::from_vec(f.predict(&columns[2]))).collect();
    let importances: Vec<_> = forests.iter().map(Forest::importances).collect();
    let importance = DMatrix::from_fn(columns[0].dim(), forests.len(), |i, j| importances[j][i]);
    scores(importance, &DMatrix::from_columns(&predicted), &splits[2].1)
}

/// The forest whose depth has the smallest validation error, the shallowest of several.
fn tuned(
    columns: &[Columns],
    y: &[f64],
    validation: &[f64],
    options: &DciForestOptions,
    seed: Seed,
) -> Forest {
    let fit = |depth: usize| {
        let rng = &mut seed.rng_at(Stream::Eval, depth as u64);
        Forest::fit(&columns[0], y, (options.trees, depth), rng)
    };
    let mut best = fit(options.min_depth);
    if options.min_depth == options.max_depth {
        return best;
    }
    let error = |forest: &Forest| mean_square(&forest.predict(&columns[1]), validation);
    let mut smallest = error(&best);
    for depth in options.min_depth + 1..=options.max_depth {
        let forest = fit(depth);
        let error = error(&forest);
        if error < smallest {
            (best, smallest) = (forest, error);
        }
    }
    best
}

fn standardise(sample: Sample<'_>, train: Sample<'_>) -> (DMatrix<f64>, DMatrix<f64>) {
    (
        standardised(sample.latents(), train.latents()),
        standardised(sample.factors(), train.factors()),
    )
}

fn mean_square(predicted: &[f64], truth: &[f64]) -> f64 {
    mean(&predicted.iter().zip(truth).map(|(p, y)| (y - p) * (y - p)).collect::<Vec<_>>())
}

/// The scores of an importance matrix and of predictions `[n, K]` of standardised factors.
fn scores(
    importance: DMatrix<f64>,
    predicted: &DMatrix<f64>,
    truth: &DMatrix<f64>,
) -> Result<DciRegression, MetricError> {
    let mut completeness = disentanglement(&importance.transpose(), 0.0)?;
    completeness.weights.fill(1.0 / importance.ncols() as f64);
    completeness.score = mean(&completeness.parts);
    let error = |(p, y): (nalgebra::DVectorView<'_, f64>, nalgebra::DVectorView<'_, f64>)| {
        let std = if y.min() < y.max() { y.variance().sqrt() } else { 1.0 };
        mean_square(p.as_slice(), y.as_slice()).sqrt() / std
    };
    let per_factor: Vec<f64> =
        predicted.column_iter().zip(truth.column_iter()).map(error).collect();
    Ok(DciRegression {
        disentanglement: disentanglement(&importance, 0.0)?,
        completeness,
        informativeness: RelativeError { mean: mean(&per_factor), per_factor },
        importance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> [DMatrix<f64>; 2] {
        let mut rng = Seed(0).rng(Stream::Data);
        let y = DMatrix::from_fn(300, 3, |_, _| rng.random::<f64>());
        let z = DMatrix::from_fn(300, 4, |i, j| if j < 3 { -y[(i, j)] } else { 0.1 });
        [z, y]
    }

    #[test]
    fn dead_latents_weigh_nothing_and_constant_factors_are_incomplete() {
        let [z, mut y] = example();
        y.column_mut(1).fill(2.0);
        let sample = Sample::new(&z, &y).unwrap();
        let rng = &mut Seed(0).rng(Stream::Eval);
        let linear = dci_lasso(sample, sample, &DciLassoOptions::default()).unwrap();
        let forest = dci_forest([sample; 3], &DciForestOptions::default(), rng).unwrap();
        for scores in [linear, forest] {
            assert!(scores.disentanglement.score > 0.9);
            assert!(scores.importance.row(3).sum() <= 0.0);
            assert!(scores.completeness.parts[1] <= 0.0);
            assert!(scores.informativeness.per_factor[1] <= 0.0);
            assert!((scores.completeness.score - 2.0 / 3.0).abs() < 0.1);
        }
    }

    #[test]
    fn threads_change_nothing_and_depth_is_tuned() {
        let [z, y] = example();
        let sample = Sample::new(&z, &y).unwrap();
        let score = |threads: usize, min_depth, max_depth| {
            let threads = NonZeroUsize::new(threads).unwrap();
            let options = DciForestOptions { min_depth, max_depth, threads, ..Default::default() };
            dci_forest([sample; 3], &options, &mut Seed(0).rng(Stream::Eval)).unwrap()
        };
        assert_eq!(score(1, 2, 12), score(4, 2, 12));
        let [tuned, shallow] = [score(1, 2, 12), score(1, 2, 2)];
        assert!(tuned.informativeness.mean < 0.5 * shallow.informativeness.mean);
    }
}
