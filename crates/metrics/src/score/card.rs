use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::context::{Context, shuffled};
use super::input::{Prediction, Truth, points};
use super::registry::{Better, Cost, MetricInfo, Part, metrics};
use crate::{Interval, MetricError, interval_of_replicates};

/// Options of [`scorecard`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreOptions {
    /// Metrics to compute, by name; all that are cheap where it is empty.
    pub only: Vec<String>,
    /// What parts the points, breaks ties and resamples.
    pub seed: u64,
    /// Bins of latents and of continuous factors where a metric needs discrete ones, at least 1.
    pub bins: usize,
    /// Edges of a higher probability than this are believed in.
    pub threshold: f64,
    /// Threads to fit trees on; values do not depend on it.
    pub threads: NonZeroUsize,
    /// Resamples of the points for intervals; none without.
    pub bootstrap: usize,
    /// Nominal coverage of the intervals, above 0 and below 1.
    pub confidence: f64,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            seed: 0,
            bins: 20,
            threshold: 0.5,
            threads: NonZeroUsize::MIN,
            bootstrap: 0,
            confidence: 0.95,
        }
    }
}

/// How many points a value rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// Points that something was fitted on, which are not among the others.
    pub train: Option<usize>,
    /// Points that were scored.
    pub test: usize,
}

/// One value of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Metric and part, as in `dci.completeness`.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Which values are better.
    pub better: Better,
    /// The points used; nothing for a value of the graphs alone.
    pub points: Option<Points>,
    /// The percentile bootstrap interval, where one was asked for and points were used.
    pub interval: Option<Interval>,
    /// How variables were matched, factors binned and the like.
    pub notes: Vec<String>,
}

/// A metric, or a part of one, without value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Metric, or metric and part.
    pub name: String,
    /// Why it has no value.
    pub reason: String,
}

/// All scores of a prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// What parted the points, broke ties and resampled.
    pub seed: u64,
    /// Points given.
    pub points: usize,
    /// The values, in the order of [`metrics`].
    pub scores: Vec<Score>,
    /// What has no value, in the same order.
    pub missing: Vec<Missing>,
}

/// Why there is no table at all.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ScoreError {
    /// A metric is asked for that does not exist.
    #[error("metric `{name}`: expected one of {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The parts contradict each other, or an option is out of range.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

/// Scores a prediction by every metric that it and the truth allow; the others are listed with the
/// reason.
///
/// The points are shuffled by the seed; metrics that fit something take their published numbers of
/// points from them, or all in the same proportion where there are fewer. For intervals the points
/// of each part are drawn anew with replacement, so that no point comes into both. Graphs are
/// compared after matching latents with factors by correlation, or else by intervention targets, or
/// else as given.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::{Prediction, ScoreOptions, Truth, scorecard};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(60, 2, |i, j| if j == 0 { i % 6 } else { i % 5 } as f64);
/// let (latents, dag) = (factors.map(|y| -y), Dag::chain(2));
/// let said = Prediction { latents: Some(&latents), ..Prediction::default() };
/// let known = Truth { factors: Some(&factors), dag: Some(&dag), ..Truth::default() };
///
/// let only = vec!["mcc".into(), "shd".into()];
/// let card = scorecard(&said, &known, &ScoreOptions { only, ..ScoreOptions::default() })?;
/// assert!((card.value("mcc.score").unwrap() - 1.0).abs() < 1e-12);
/// assert_eq!(card.missing[0].reason, "needs edge probabilities, which the prediction lacks");
/// # Ok::<(), domino_metrics::ScoreError>(())
/// ```
///
/// # Errors
/// [`ScoreError::Unknown`] for a metric that does not exist, [`ScoreError::Metric`] if parts differ
/// in their number of points or the bins or the confidence are out of range.
pub fn scorecard(
    prediction: &Prediction<'_>,
    truth: &Truth<'_>,
    options: &ScoreOptions,
) -> Result<Scorecard, ScoreError> {
    let wanted = wanted(&options.only)?;
    check(options)?;
    let points = points(prediction, truth)?;
    let mut card =
        Scorecard { seed: options.seed, points, scores: Vec::new(), missing: Vec::new() };
    let order = shuffled(points, Seed(options.seed));
    for metric in wanted {
        card.add(metric, (*prediction, *truth), options, &order);
    }
    Ok(card)
}

impl Scorecard {
    /// The value of a name such as `dci.completeness`.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.scores.iter().find(|score| score.name == name).map(|score| score.value)
    }

    fn add(
        &mut self,
        metric: &MetricInfo,
        (said, known): (Prediction<'_>, Truth<'_>),
        options: &ScoreOptions,
        order: &[usize],
    ) {
        // A generator of its own for each metric: one metric more never shifts another.
        let part = fingerprint(metric.name);
        let rng_at = |at: u64| Seed(options.seed).rng_at(Stream::Eval, part.wrapping_add(at));
        let context = |resample: usize| Context {
            said,
            known,
            options,
            order,
            rng: rng_at(0),
            resampling: (resample > 0).then(|| rng_at(resample as u64)),
            points: None,
            notes: BTreeSet::new(),
        };
        let mut own = context(0);
        let parts = match (metric.compute)(&mut own) {
            Ok(parts) => parts,
            Err(reason) => {
                let (name, reason) = (metric.name.to_owned(), reason.to_string());
                self.missing.push(Missing { name, reason });
                return;
            }
        };
        let resamples = if own.points.is_some() { options.bootstrap } else { 0 };
        let replicates = replicates(resamples, |b| (metric.compute)(&mut context(b)).ok());
        let notes: Vec<String> = own.notes.iter().cloned().collect();
        for part in parts {
            let name = format!("{}.{}", metric.name, part.name);
            let value = part.value.map_err(|reason| reason.to_string()).and_then(finite);
            match value {
                Err(reason) => self.missing.push(Missing { name, reason }),
                Ok(value) => {
                    let drawn = replicates.get(part.name).filter(|r| r.len() == resamples);
                    let interval = drawn.and_then(|drawn| {
                        interval_of_replicates(value, drawn, options.confidence).ok()
                    });
                    let (better, points, notes) = (part.better, own.points, notes.clone());
                    self.scores.push(Score { name, value, better, points, interval, notes });
                }
            }
        }
    }
}

/// The values of each part over resamples `1..=resamples`, where all exist.
fn replicates(
    resamples: usize,
    mut compute: impl FnMut(usize) -> Option<Vec<Part>>,
) -> BTreeMap<&'static str, Vec<f64>> {
    let mut drawn = BTreeMap::<&'static str, Vec<f64>>::new();
    for parts in (1..=resamples).filter_map(&mut compute) {
        for part in parts {
            drawn.entry(part.name).or_default().extend(part.value.ok());
        }
    }
    drawn
}

fn finite(value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value) } else { Err(format!("its value is {value}")) }
}

fn wanted(only: &[String]) -> Result<Vec<&'static MetricInfo>, ScoreError> {
    if only.is_empty() {
        return Ok(metrics().iter().filter(|m| m.cost == Cost::Low).collect());
    }
    if let Some(name) = only.iter().find(|name| metrics().iter().all(|m| m.name != **name)) {
        let known = metrics().iter().map(|m| m.name).collect::<Vec<_>>().join(", ");
        return Err(ScoreError::Unknown { name: name.clone(), known });
    }
    Ok(metrics().iter().filter(|m| only.iter().any(|name| name == m.name)).collect())
}

fn check(options: &ScoreOptions) -> Result<(), MetricError> {
    if options.bins == 0 {
        return Err(MetricError::Option { name: "bins", expected: "at least 1", value: 0.0 });
    }
    // Whether the confidence is one.
    interval_of_replicates(0.0, &[0.0], options.confidence).map(|_| ())
}

/// FNV-1a.
fn fingerprint(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use domino_core::{Dag, InterventionTarget};
    use nalgebra::DMatrix;
    use rand::RngExt;

    use super::*;

    /// A model that knows everything but calls its variables in reverse order.
    struct Oracle {
        factors: DMatrix<f64>,
        latents: DMatrix<f64>,
        targets: Vec<InterventionTarget>,
        target_probs: DMatrix<f64>,
        set_probs: DMatrix<f64>,
        dag: Dag,
        edge_probs: DMatrix<f64>,
    }

    impl Oracle {
        fn new(n: usize) -> Self {
            let mut rng = Seed(5).rng(Stream::Data);
            let factors = DMatrix::from_fn(n, 3, |_, _| rng.random::<f64>());
            let labels: Vec<usize> = (0..n).map(|i| i % 4).collect();
            let said = |label: usize| if label == 0 { 0 } else { 4 - label };
            let sure = |i: usize, k| f64::from(u8::from(said(labels[i]) == k));
            let dag = Dag::chain(3);
            let edge_probs =
                DMatrix::from_fn(3, 3, |i, j| f64::from(u8::from(dag.has_edge(2 - i, 2 - j))));
            Self {
                latents: DMatrix::from_fn(n, 3, |i, j| -factors[(i, 2 - j)]),
                target_probs: DMatrix::from_fn(n, 4, sure),
                set_probs: DMatrix::from_fn(n, 3, |i, k| sure(i, k + 1)),
                targets: labels.iter().map(|&l| InterventionTarget::from_label(l)).collect(),
                factors,
                dag,
                edge_probs,
            }
        }

        fn said(&self) -> Prediction<'_> {
            Prediction {
                latents: Some(&self.latents),
                latents_after: None,
                noise: None,
                target_probs: Some(&self.target_probs),
                set_probs: Some(&self.set_probs),
                edge_probs: Some(&self.edge_probs),
            }
        }

        fn known(&self) -> Truth<'_> {
            Truth {
                factors: Some(&self.factors),
                targets: Some(&self.targets),
                dag: Some(&self.dag),
                ..Truth::default()
            }
        }
    }

    fn only(names: &[&str]) -> ScoreOptions {
        let only = names.iter().map(|&name| name.to_owned()).collect();
        ScoreOptions { only, ..ScoreOptions::default() }
    }

    #[test]
    fn an_oracle_is_perfect_whatever_it_calls_its_variables() {
        let oracle = Oracle::new(400);
        let names: Vec<&str> = metrics().iter().map(|m| m.name).collect();
        let card = scorecard(&oracle.said(), &oracle.known(), &only(&names)).unwrap();
        for (name, perfect, tolerance) in [
            ("dci.disentanglement", 1.0, 0.02),
            ("dci.completeness", 1.0, 0.02),
            ("mcc.smallest", 1.0, 1e-9),
            ("mcc_spearman.score", 1.0, 1e-9),
            ("weak_mcc.score", 1.0, 1e-9),
            ("affine_mcc.score", 1.0, 1e-9),
            ("r2.smallest", 1.0, 1e-9),
            ("r2_kernel.score", 1.0, 1e-2),
            ("groups.r2_diag", 1.0, 0.02),
            ("sap_continuous.score", 1.0, 0.1),
            ("modularity.score", 1.0, 0.1),
            ("explicitness.score", 1.0, 0.2),
            ("dci_classes.disentanglement", 1.0, 0.3),
            ("dci_lasso.disentanglement", 1.0, 0.05),
            ("irs.score", 1.0, 0.1),
            ("unsupervised.total_correlation", 0.0, 0.1),
            ("targets.accuracy", 1.0, 1e-12),
            ("target_sets.exact", 1.0, 1e-12),
            ("target_sets.per_variable", 1.0, 1e-12),
            ("targets_matched.accuracy", 1.0, 1e-12),
            ("shd.reversal_twice", 0.0, 1e-12),
            ("shd_classes.count", 0.0, 1e-12),
            ("edges.f1", 1.0, 1e-12),
            ("edges.orientation", 1.0, 1e-12),
            ("sid.share", 0.0, 1e-12),
            ("ged.unlabelled", 0.0, 1e-12),
            ("edge_probs.auroc", 1.0, 1e-12),
            ("calibration.expected_error", 0.0, 1e-12),
            ("gcastle.gscore", 1.0, 1e-12),
        ] {
            let value = card.value(name).unwrap_or_else(|| panic!("{name}: {:?}", card.missing));
            assert!((value - perfect).abs() < tolerance, "{name}: {value}");
        }
        let missing: Vec<&str> = card.missing.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(missing, ["dci_noise", "mcc_noise"]);
        let dci = card.scores.iter().find(|s| s.name.starts_with("dci.")).unwrap();
        assert_eq!(dci.points, Some(Points { train: Some(266), test: 134 }));
        let binned = card.scores.iter().find(|s| s.name == "mig.score").unwrap();
        assert_eq!(binned.notes, ["continuous factors in 20 bins"]);
        let json = serde_json::to_string(&card).unwrap();
        assert_eq!(serde_json::from_str::<Scorecard>(&json).unwrap(), card);
    }

    #[test]
    fn what_lacks_is_named() {
        let oracle = Oracle::new(20);
        let card = |said: &Prediction<'_>, known: &Truth<'_>, names: &[&str]| {
            let card = scorecard(said, known, &only(names)).unwrap();
            card.missing.into_iter().map(|m| (m.name, m.reason)).collect::<Vec<_>>()
        };
        let (said, known) = (oracle.said(), oracle.known());
        let missing = |known: Truth<'_>, name: &str| card(&said, &known, &[name])[0].1.clone();
        let no_graph = Truth { dag: None, ..known };
        assert_eq!(missing(no_graph, "sid"), "needs the true graph, which the truth lacks");
        let no_factors = Truth { factors: None, ..known };
        assert_eq!(missing(no_factors, "mcc"), "needs true factors, which the truth lacks");
        let empty = Dag::empty(3);
        let no_edges = Truth { dag: Some(&empty), ..known };
        assert_eq!(missing(no_edges, "edge_probs"), "undefined where all edges exist, or none");
        let both = DMatrix::from_element(3, 3, 0.9);
        let cyclic = Prediction { edge_probs: Some(&both), ..said };
        let reason = &card(&cyclic, &known, &["sid"])[0].1;
        assert!(reason.starts_with("needs an acyclic graph of the edges believed in"), "{reason}");
    }

    #[test]
    fn intervals_surround_values_and_values_do_not_depend_on_them() {
        let oracle = Oracle::new(200);
        let noisy = oracle.latents.map(|z| z + 0.3 * (40.0 * z).sin());
        let said = Prediction { latents: Some(&noisy), ..oracle.said() };
        let plain = scorecard(&said, &oracle.known(), &only(&["mcc", "ged", "r2"])).unwrap();
        let options = ScoreOptions { bootstrap: 60, ..only(&["mcc", "ged", "r2"]) };
        let card = scorecard(&said, &oracle.known(), &options).unwrap();
        for (score, plain) in card.scores.iter().zip(&plain.scores) {
            assert!(score.value.to_bits() == plain.value.to_bits() && plain.interval.is_none());
            let interval = score.interval.unwrap();
            assert!(interval.low <= score.value + 0.05 && score.value - 0.05 <= interval.high);
            let is_graph = score.name.starts_with("ged");
            assert_eq!(is_graph, interval.high - interval.low <= 0.0, "{}", score.name);
        }
        assert_eq!(card, scorecard(&said, &oracle.known(), &options).unwrap());
    }

    #[test]
    fn unknown_metrics_and_unequal_parts_are_refused() {
        let oracle = Oracle::new(20);
        let error = scorecard(&oracle.said(), &oracle.known(), &only(&["dcy"])).unwrap_err();
        assert!(error.to_string().starts_with("metric `dcy`: expected one of dci, "));
        let short = Oracle::new(19);
        let error = scorecard(&oracle.said(), &short.known(), &only(&["mcc"])).unwrap_err();
        assert_eq!(error.to_string(), "true factors: expected 20 rows, one per point, got 19");
        let nothing = scorecard(&Prediction::default(), &Truth::default(), &only(&[])).unwrap();
        assert!(nothing.scores.is_empty() && !nothing.missing.is_empty());
    }
}
