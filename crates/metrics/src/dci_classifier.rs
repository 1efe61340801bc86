use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::accuracy::share_right;
use crate::classes::Classes;
use crate::dci::check_smoothing;
use crate::{
    Accuracy, Columns, Concentration, GbtClassifier, GbtOptions, MetricError, Sample,
    TreeImportance, completeness, disentanglement, parallel,
};

/// Options of [`dci_classifier`]; the defaults are those of `disentanglement_lib`, whose published
/// sizes are 10,000 points to fit and 5,000 to test on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DciClassifierOptions {
    /// The classifier that importances are read from.
    pub gbt: GbtOptions,
    /// Added to every importance before a row or column is normalised, at least 0.
    pub smoothing: f64,
    /// How the gains of the trees become importances. Scores published before October 2018 are
    /// [`TreeImportance::PerTree`], those of Locatello et al. 2019 may be of either kind.
    pub importance: TreeImportance,
    /// Threads to fit factors on; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for DciClassifierOptions {
    fn default() -> Self {
        Self {
            gbt: GbtOptions::default(),
            smoothing: 1e-11,
            importance: TreeImportance::Pooled,
            threads: NonZeroUsize::MIN,
        }
    }
}

/// Disentanglement, completeness and informativeness of latents for discrete factors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DciClassifier {
    /// Is each latent important for one factor only? One part per latent.
    pub disentanglement: Concentration,
    /// Is each factor captured by one latent only? One part per factor.
    pub completeness: Concentration,
    /// Accuracy at the points the classifiers were fitted on.
    pub informativeness_train: Accuracy,
    /// Accuracy at other points.
    pub informativeness_test: Accuracy,
    /// Importance of latent `i` for factor `j`, `[D, K]`; columns sum to 1 or are 0.
    #[serde(with = "crate::rows")]
    pub importance: DMatrix<f64>,
}

/// DCI by gradient-boosted classification trees: column `j` of the importance matrix holds the
/// importances of a [`GbtClassifier`] for factor `j` given all latents; the scores are its
/// [`disentanglement`] and [`completeness`], and the accuracies on both samples.
///
/// All parts are in `[0, 1]`, higher is better. Factors are discrete: their distinct values in
/// `train` are the classes, and a point of `test` with another value counts as missed. A constant
/// latent has importance 0; exact copies share theirs at random, so that completeness then depends
/// on `rng`; a constant factor has importance 0 from every latent and weighs nothing. Latents that
/// rotate two factors into each other lower the scores, latents that bend one factor do not.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{DciClassifierOptions, Sample, dci_classifier};
/// use nalgebra::DMatrix;
///
/// // Two latents that hold one factor each, in the other order.
/// let factors = DMatrix::from_fn(60, 2, |i, j| if j == 0 { i % 3 } else { i / 3 % 4 } as f64);
/// let latents = DMatrix::from_fn(60, 2, |i, j| 1.0 - factors[(i, 1 - j)]);
/// let sample = Sample::new(&latents, &factors)?;
///
/// let options = DciClassifierOptions::default();
/// let scores = dci_classifier(sample, sample, &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert!(scores.disentanglement.score > 0.999 && scores.completeness.score > 0.999);
/// assert_eq!(scores.informativeness_test.mean, 1.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::Classes`] for a
/// factor that is not discrete, [`MetricError::NotFinite`] if a latent overflows single precision,
/// [`MetricError::Option`] for an option outside its range.
///
/// Eastwood & Williams 2018 with the classifier and constants of Locatello et al., *Challenging
/// common assumptions in the unsupervised learning of disentangled representations*, ICML 2019.
pub fn dci_classifier(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &DciClassifierOptions,
    rng: &mut dyn Rng,
) -> Result<DciClassifier, MetricError> {
    options.gbt.check()?;
    check_smoothing(options.smoothing)?;
    train.check_same_columns(&test)?;
    let columns = Columns::new(train.latents())?;
    let test_columns = Columns::new(test.latents())?;
    let classes = Classes::of_all(train)?;
    let fits = fit_classes(&columns, &classes, options, rng)?;

    let importances: Vec<_> = fits.iter().map(|fit| fit.importances(options.importance)).collect();
    let importance = DMatrix::from_fn(columns.dim(), fits.len(), |i, j| importances[j][i]);
    let seen = fits.iter().zip(&classes).map(|(fit, classes)| {
        share_right(fit.fitted(), classes.labels().iter().copied().map(Some))
    });
    let unseen = fits.iter().zip(&classes).enumerate().map(|(j, (fit, classes))| {
        Ok(share_right(&fit.predict(&test_columns)?, classes.find(test.factors(), j)))
    });
    Ok(DciClassifier {
        disentanglement: disentanglement(&importance, options.smoothing)?,
        completeness: completeness(&importance, options.smoothing)?,
        informativeness_train: Accuracy::new(seen.collect()),
        informativeness_test: Accuracy::new(unseen.collect::<Result<_, MetricError>>()?),
        importance,
    })
}

/// One classifier for each factor, each with a generator of its own, so that the threads do not
/// matter.
pub(crate) fn fit_classes(
    columns: &Columns,
    classes: &[Classes],
    options: &DciClassifierOptions,
    rng: &mut dyn Rng,
) -> Result<Vec<GbtClassifier>, MetricError> {
    let seeds: Vec<Seed> = classes.iter().map(|_| Seed(rng.random())).collect();
    let costs: Vec<usize> = classes.iter().map(Classes::count).collect();
    let fit = |j: usize| {
        let rng = &mut seeds[j].rng(Stream::Eval);
        GbtClassifier::fit(columns, classes[j].labels(), &options.gbt, rng)
    };
    parallel::map_by_cost(&costs, options.threads, fit).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(n: usize) -> [DMatrix<f64>; 2] {
        let mut rng = Seed(0).rng(Stream::Data);
        let y = DMatrix::from_fn(n, 3, |_, j| f64::from(rng.random_range(0..2 + j as u32)));
        let z =
            DMatrix::from_fn(
                n,
                4,
                |i, j| {
                    if j < 3 { y[(i, j)] + 0.8 * rng.random::<f64>() } else { 0.5 }
                },
            );
        [z, y]
    }

    #[test]
    fn threads_and_dead_latents_change_nothing() {
        let [z, y] = example(200);
        let live = z.columns(0, 3).into_owned();
        let score = |z: &DMatrix<f64>, threads| {
            let sample = Sample::new(z, &y).unwrap();
            let threads = NonZeroUsize::new(threads).unwrap();
            let options = DciClassifierOptions { threads, ..Default::default() };
            dci_classifier(sample, sample, &options, &mut Seed(1).rng(Stream::Eval)).unwrap()
        };
        assert_eq!(score(&z, 1), score(&z, 3));
        let [all, some] = [score(&z, 1), score(&live, 1)];
        assert!((all.disentanglement.score - some.disentanglement.score).abs() < 1e-9);
        assert!(all.importance.row(3).iter().all(|&r| r <= 0.0));
    }

    #[test]
    fn values_that_training_has_not_seen_count_as_missed() {
        let [z, y] = example(200);
        let mut other = y.clone();
        other.column_mut(2).fill(7.0);
        let [train, test] = [&y, &other].map(|y| Sample::new(&z, y).unwrap());
        let rng = &mut Seed(1).rng(Stream::Eval);
        let scores = dci_classifier(train, test, &DciClassifierOptions::default(), rng).unwrap();
        assert!(scores.informativeness_test.per_factor[2] <= 0.0);
        assert!(scores.informativeness_test.min <= 0.0);
        assert!(scores.informativeness_test.per_factor[0] > 0.99);
    }

    #[test]
    fn a_constant_factor_weighs_nothing() {
        let [z, mut y] = example(200);
        y.column_mut(1).fill(3.0);
        let sample = Sample::new(&z, &y).unwrap();
        let rng = &mut Seed(1).rng(Stream::Eval);
        let scores = dci_classifier(sample, sample, &DciClassifierOptions::default(), rng).unwrap();
        assert!(scores.completeness.weights[1] <= 0.0 && scores.completeness.score > 0.9);
        assert!(scores.informativeness_test.per_factor[1] >= 1.0);
    }
}
