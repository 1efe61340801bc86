use std::collections::BTreeMap;

use domino_core::Seed;
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::classes::Classes;
use crate::dci_classifier::fit_classes;
use crate::downstream::accuracies;
use crate::logistic::first_largest;
use crate::{Columns, DciClassifierOptions, MetricError, Predictor, Sample, parallel};

/// Options of [`reduced_downstream`]; the defaults are those of `disentanglement_lib`'s test
/// configuration, the only one there is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReducedDownstreamOptions {
    /// Latents that are removed for each factor, below their number.
    pub removed: usize,
    /// What the importances are read from.
    pub importance: DciClassifierOptions,
    /// What learns the factors from the latents that are left.
    pub predictor: Predictor,
}

impl Default for ReducedDownstreamOptions {
    fn default() -> Self {
        let predictor = Predictor::Gbt(crate::GbtOptions::default());
        Self { removed: 1, importance: DciClassifierOptions::default(), predictor }
    }
}

/// What removing the latents of one factor costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReducedDownstream {
    /// Mean over factors of the accuracy of a factor without its own latents; lower is better.
    pub own: f64,
    /// Mean over factors of the mean accuracy of the others; higher is better.
    pub others: f64,
    /// Test accuracy of factor `j` after the latents of factor `i` are removed, `[K, K]`.
    #[serde(with = "crate::rows")]
    pub accuracy: DMatrix<f64>,
    /// The latents that are removed for each factor, first removed first, `[K]`.
    pub removed: Vec<Vec<usize>>,
}

/// Reduced downstream task: for every factor, remove the latent of largest importance for it,
/// several times over, then learn all factors from the latents that are left.
///
/// Disentangled latents lose the factor whose latents are removed, and only that: `own` falls to
/// chance and `others` stays. Both are in `[0, 1]`. Importances are those of
/// [`dci_classifier`](crate::dci_classifier), found anew after each removal. Latents `[n, D]`, discrete
/// factors `[n, K]`; published with 10,000 points to fit and 5,000 to test on. Every set of latents
/// is fitted once, however many factors lead to it. With a single factor `others` is 0.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{ReducedDownstreamOptions, Sample, reduced_downstream};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(64, 2, |i, j| (i >> (2 * j) & 3) as f64);
/// let latents = DMatrix::from_fn(64, 2, |i, j| -factors[(i, 1 - j)]);
/// let sample = Sample::new(&latents, &factors)?;
/// let options = ReducedDownstreamOptions::default();
/// let scores = reduced_downstream(sample, sample, &options, &mut Seed(0).rng(Stream::Eval))?;
/// assert_eq!(scores.removed, [[1], [0]]);
/// assert!(scores.own < 0.3 && scores.others == 1.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`dci_classifier`](crate::dci_classifier); [`MetricError::Option`] if no latent would be left.
///
/// `disentanglement_lib`, `reduced_downstream_task`.
pub fn reduced_downstream(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &ReducedDownstreamOptions,
    rng: &mut dyn Rng,
) -> Result<ReducedDownstream, MetricError> {
    options.importance.gbt.check()?;
    options.predictor.check()?;
    train.check_same_columns(&test)?;
    let (d, value) = (train.latents().ncols(), options.removed);
    if value >= d {
        let (name, expected) = ("removed", "fewer than there are latents");
        return Err(MetricError::Option { name, expected, value: value as f64 });
    }
    let mut task =
        Task { train, test, classes: Classes::of_all(train)?, options, known: BTreeMap::new() };
    let k = task.classes.len();
    let mut accuracy = DMatrix::zeros(k, k);
    let mut removed = Vec::new();
    let mut reduced: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
    for factor in 0..k {
        let gone = task.remove_latents_of(factor, rng)?;
        let left: Vec<usize> = (0..d).filter(|i| !gone.contains(i)).collect();
        if !reduced.contains_key(&left) {
            reduced.insert(left.clone(), task.accuracies(&left, rng)?);
        }
        accuracy.row_mut(factor).iter_mut().zip(&reduced[&left]).for_each(|(a, b)| *a = *b);
        removed.push(gone);
    }
    let own = accuracy.diagonal().mean();
    let others =
        if k > 1 { (accuracy.sum() - accuracy.trace()) / (k * (k - 1)) as f64 } else { 0.0 };
    Ok(ReducedDownstream { own, others, accuracy, removed })
}

struct Task<'a> {
    train: Sample<'a>,
    test: Sample<'a>,
    classes: Vec<Classes>,
    options: &'a ReducedDownstreamOptions,
    /// Importances of sets of latents for every factor, `[K][latents]`.
    known: BTreeMap<Vec<usize>, Vec<Vec<f64>>>,
}

impl Task<'_> {
    fn remove_latents_of(
        &mut self,
        factor: usize,
        rng: &mut dyn Rng,
    ) -> Result<Vec<usize>, MetricError> {
        let mut left: Vec<usize> = (0..self.train.latents().ncols()).collect();
        let mut gone = Vec::new();
        for _ in 0..self.options.removed {
            if !self.known.contains_key(&left) {
                let columns = Columns::new(&self.train.latents().select_columns(&left))?;
                let options = &self.options.importance;
                let fits = fit_classes(&columns, &self.classes, options, rng)?;
                let importances = fits.iter().map(|f| f.importances(options.importance)).collect();
                self.known.insert(left.clone(), importances);
            }
            let at = first_largest(self.known[&left][factor].iter().copied());
            gone.push(left.remove(at));
        }
        Ok(gone)
    }

    /// Test accuracy of every factor from some of the latents, `[K]`.
    fn accuracies(&self, left: &[usize], rng: &mut dyn Rng) -> Result<Vec<f64>, MetricError> {
        let [seen, unseen] = [self.train, self.test].map(|s| s.latents().select_columns(left));
        let seeds: Vec<Seed> = self.classes.iter().map(|_| Seed(rng.random())).collect();
        let costs: Vec<usize> = self.classes.iter().map(Classes::count).collect();
        let fit = |j: usize| {
            let truth = self.classes[j].find(self.test.factors(), j);
            let [_, test] = accuracies(
                &self.options.predictor,
                (&seen, &self.classes[j]),
                (&unseen, &truth),
                seeds[j],
            )?;
            Ok(test)
        };
        parallel::map_by_cost(&costs, self.options.importance.threads, fit).into_iter().collect()
    }
}
