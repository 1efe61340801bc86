use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::accuracy::mean;
use crate::gbt::{Columns, Gbt, GbtOptions, TreeImportance};
use crate::{Concentration, MetricError, Sample, completeness, disentanglement, parallel};

/// Options of [`dci`]; the defaults are those of the `ILCM` reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DciOptions {
    /// The regressor that importances are read from.
    pub gbt: GbtOptions,
    /// Added to every importance before a row or column is normalised, at least 0.
    pub smoothing: f64,
    /// How the gains of the trees become importances.
    pub importance: TreeImportance,
    /// Threads to fit factors on; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for DciOptions {
    fn default() -> Self {
        Self {
            gbt: GbtOptions::default(),
            smoothing: 1e-12,
            importance: TreeImportance::Pooled,
            threads: NonZeroUsize::MIN,
        }
    }
}

/// Disentanglement, completeness and informativeness of latents for factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dci {
    /// Is each latent important for one factor only? One part per latent.
    pub disentanglement: Concentration,
    /// Is each factor captured by one latent only? One part per factor.
    pub completeness: Concentration,
    /// Squared error at the points the regressors were fitted on.
    pub informativeness_train: SquaredError,
    /// Squared error at other points.
    pub informativeness_test: SquaredError,
    /// Importance of latent `i` for factor `j`, `[D, K]`; columns sum to 1 or are 0.
    #[serde(with = "crate::rows")]
    pub importance: DMatrix<f64>,
}

/// Error of predicting the factors from the latents; lower is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SquaredError {
    /// Mean over the factors.
    pub mean: f64,
    /// Mean squared error of each factor, in its squared units, `[K]`.
    pub per_factor: Vec<f64>,
}

impl SquaredError {
    fn new(per_factor: Vec<f64>) -> Self {
        Self { mean: mean(&per_factor), per_factor }
    }
}

/// DCI by gradient-boosted regression trees: column `j` of the importance matrix holds the
/// importances of a [`Gbt`] for factor `j` given all latents; the scores are its
/// [`disentanglement`] and [`completeness`], and the mean squared errors on both samples.
///
/// The regressors are fitted on `train`; `test` only serves [`Dci::informativeness_test`].
/// A constant latent has importance 0 for every factor; an exact copy of a latent shares its
/// importance at random, so that completeness then depends on `rng`. A constant factor has
/// importance 0 from every latent and weighs nothing.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{DciOptions, Sample, dci};
/// use nalgebra::DMatrix;
///
/// // Two latents that hold one factor each, in the other order.
/// let factors = DMatrix::from_fn(200, 2, |i, j| if j == 0 { i % 20 } else { i / 20 } as f64);
/// let latents = DMatrix::from_fn(200, 2, |i, j| 1.0 - factors[(i, 1 - j)]);
/// let sample = Sample::new(&latents, &factors)?;
///
/// let scores = dci(sample, sample, &DciOptions::default(), &mut Seed(0).rng(Stream::Eval))?;
/// assert!(scores.disentanglement.score > 0.999 && scores.completeness.score > 0.999);
/// assert!(scores.importance[(1, 0)] > 0.999);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::NotFinite`] if
/// a latent overflows single precision, [`MetricError::Option`] for an option outside its range.
///
/// Eastwood & Williams 2018 with the regressor and constants of Brehmer et al. 2022.
pub fn dci(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &DciOptions,
    rng: &mut dyn Rng,
) -> Result<Dci, MetricError> {
    options.gbt.check()?;
    check_smoothing(options.smoothing)?;
    train.check_same_columns(&test)?;
    let columns = [Columns::new(train.latents())?, Columns::new(test.latents())?];
    let fits = fit_factors(&columns, [train, test], options, rng)?;

    let importance = DMatrix::from_fn(columns[0].dim(), fits.len(), |i, j| fits[j].importance[i]);
    let errors = |of: usize| SquaredError::new(fits.iter().map(|fit| fit.errors[of]).collect());
    Ok(Dci {
        disentanglement: disentanglement(&importance, options.smoothing)?,
        completeness: completeness(&importance, options.smoothing)?,
        informativeness_train: errors(0),
        informativeness_test: errors(1),
        importance,
    })
}

/// What the regression of one factor leaves behind.
struct FactorFit {
    importance: Vec<f64>,
    /// Mean squared error on train and test.
    errors: [f64; 2],
}

/// Fits all factors, each with a generator of its own, so that the threads do not matter.
fn fit_factors(
    columns: &[Columns; 2],
    samples: [Sample<'_>; 2],
    options: &DciOptions,
    rng: &mut dyn Rng,
) -> Result<Vec<FactorFit>, MetricError> {
    let factors = samples[0].factors().ncols();
    let seeds: Vec<Seed> = (0..factors).map(|_| Seed(rng.random())).collect();
    let fit = |j: usize| fit_factor(columns, samples, j, options, seeds[j]);
    parallel::map(factors, options.threads, fit).into_iter().collect()
}

fn fit_factor(
    [train_columns, test_columns]: &[Columns; 2],
    [train, test]: [Sample<'_>; 2],
    factor: usize,
    options: &DciOptions,
    seed: Seed,
) -> Result<FactorFit, MetricError> {
    let y: Vec<f64> = train.factors().column(factor).iter().copied().collect();
    let gbt = Gbt::fit(train_columns, &y, &options.gbt, &mut seed.rng(Stream::Eval))?;
    let test_column = test.factors().column(factor);
    let errors = [
        squared_error(y.iter(), gbt.fitted()),
        squared_error(test_column.iter(), &gbt.predict(test_columns)?),
    ];
    Ok(FactorFit { importance: gbt.importances(options.importance), errors })
}

fn squared_error<'a>(truth: impl Iterator<Item = &'a f64>, predicted: &[f64]) -> f64 {
    mean(&truth.zip(predicted).map(|(y, p)| (y - p) * (y - p)).collect::<Vec<_>>())
}

/// Fails unless the number added to importances is finite and not negative.
pub(crate) fn check_smoothing(value: f64) -> Result<(), MetricError> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(MetricError::Option { name: "smoothing", expected: "at least 0", value })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these scores are exact by definition")]
mod tests {
    use super::*;

    fn noise(n: usize, d: usize, seed: u64) -> DMatrix<f64> {
        let mut rng = Seed(seed).rng(Stream::Data);
        DMatrix::from_fn(n, d, |_, _| rng.random::<f64>())
    }

    fn score(latents: &DMatrix<f64>, factors: &DMatrix<f64>, options: &DciOptions) -> Dci {
        let sample = Sample::new(latents, factors).unwrap();
        dci(sample, sample, options, &mut Seed(3).rng(Stream::Eval)).unwrap()
    }

    #[test]
    fn threads_do_not_change_the_result() {
        let latents = noise(300, 4, 0);
        let factors = DMatrix::from_fn(300, 5, |i, j| latents[(i, j % 4)] * (j as f64 + 1.0));
        let one = score(&latents, &factors, &DciOptions::default());
        for threads in [2, 3, 9] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let many = score(&latents, &factors, &DciOptions { threads, ..DciOptions::default() });
            assert_eq!(one, many);
        }
    }

    #[test]
    fn dead_latents_and_constant_factors_are_scored_without_them() {
        let z = noise(300, 2, 1);
        let latents = DMatrix::from_fn(300, 3, |i, j| if j == 2 { 0.1 } else { z[(i, j)] });
        let factors = DMatrix::from_fn(300, 3, |i, j| if j == 2 { -4.0 } else { z[(i, j)] });
        let scores = score(&latents, &factors, &DciOptions::default());
        assert!(scores.disentanglement.score > 0.99 && scores.completeness.score > 0.99);
        assert!(
            scores.importance.row(2).iter().chain(scores.importance.column(2)).all(|&r| r <= 0.0)
        );
        assert!(scores.informativeness_train.per_factor[2] < 1e-20);
    }

    #[test]
    fn one_latent_one_factor_and_one_point_are_defined() {
        let z = noise(50, 1, 2);
        let scores = score(&z, &z, &DciOptions::default());
        assert_eq!([scores.disentanglement.score, scores.completeness.score], [1.0, 1.0]);
        let point = score(&noise(1, 3, 0), &noise(1, 2, 1), &DciOptions::default());
        assert_eq!([point.disentanglement.score, point.informativeness_test.mean], [0.0, 0.0]);
    }

    #[test]
    fn samples_that_differ_are_refused() {
        let (a, b) = (noise(10, 3, 0), noise(10, 2, 0));
        let (train, test) = (Sample::new(&a, &a).unwrap(), Sample::new(&b, &a).unwrap());
        let mut rng = Seed(0).rng(Stream::Eval);
        let error = dci(train, test, &DciOptions::default(), &mut rng).unwrap_err();
        assert_eq!(error.to_string(), "latents: expected 3 variables, got 2");
    }

    #[test]
    fn results_survive_json() {
        let z = noise(40, 2, 5);
        let scores = score(&z, &z, &DciOptions::default());
        let json = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<Dci>(&json).unwrap(), scores);
    }
}
