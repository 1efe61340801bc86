use std::num::NonZeroUsize;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::probabilities::{Belief, beliefs};
use crate::{Digraph, MetricError};

/// How probabilities are put into bins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// Bins `(k / m, (k + 1) / m]`, the first with its left end.
    #[default]
    EqualWidth,
    /// Bins that hold equally many probabilities, up to one.
    EqualCount,
}

/// Options of [`calibration`]; the defaults are those of Guo et al. 2017.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationOptions {
    /// Number of bins.
    pub bins: NonZeroUsize,
    /// How they are cut.
    pub binning: Binning,
}

impl Default for CalibrationOptions {
    fn default() -> Self {
        let bins = NonZeroUsize::MIN.saturating_add(14);
        Self { bins, binning: Binning::EqualWidth }
    }
}

/// One point of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Edges in the bin, at least one.
    pub count: usize,
    /// Mean probability.
    pub predicted: f64,
    /// Share that exists.
    pub observed: f64,
}

impl ReliabilityBin {
    fn new(members: &[Belief]) -> Self {
        let n = members.len() as f64;
        Self {
            count: members.len(),
            predicted: members.iter().map(|b| b.prob).sum::<f64>() / n,
            observed: members.iter().filter(|b| b.exists).count() as f64 / n,
        }
    }

    fn gap(&self) -> f64 {
        (self.predicted - self.observed).abs()
    }
}

/// Whether edges of probability `p` exist in a share `p` of cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// `Σ_b (n_b / n) |predicted_b − observed_b|`, from 0 to 1; lower is better.
    pub expected_error: f64,
    /// The largest `|predicted_b − observed_b|`.
    pub largest_error: f64,
    /// The reliability curve: the bins that hold an edge, by probability.
    pub curve: Vec<ReliabilityBin>,
}

/// Calibration of edge probabilities `[d, d]` over one or several graphs: expected calibration error
/// and reliability curve over all their ordered pairs.
///
/// It does not see whether probabilities tell edges apart: the share of edges everywhere is
/// perfectly calibrated. Few edges in a bin make its error large by chance, so that single small
/// graphs are hardly worth a look. Without any pair the errors are 0 and the curve is empty.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::{CalibrationOptions, calibration};
/// use nalgebra::DMatrix;
///
/// let (truth, probs) = ((&Dag::full(3)).into(), DMatrix::from_element(3, 3, 0.5));
/// let fair = calibration(&[(&truth, &probs)], &CalibrationOptions::default())?;
/// assert_eq!((fair.expected_error, fair.curve[0].count), (0.0, 6));
/// let sure = calibration(&[(&truth, &probs.map(|_| 1.0))], &CalibrationOptions::default())?;
/// assert_eq!(sure.expected_error, 0.5);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`edge_prob_scores`](crate::edge_prob_scores).
///
/// Naeini, Cooper & Hauskrecht, *Obtaining well calibrated probabilities using Bayesian binning*,
/// AAAI 2015; Guo et al., *On calibration of modern neural networks*, ICML 2017.
pub fn calibration(
    graphs: &[(&Digraph, &DMatrix<f64>)],
    options: &CalibrationOptions,
) -> Result<Calibration, MetricError> {
    let mut all = Vec::new();
    for (truth, probs) in graphs {
        all.extend(beliefs(truth, probs)?);
    }
    all.sort_by(|a, b| a.prob.total_cmp(&b.prob));
    let curve = bins(&all, options);
    let weight = |bin: &ReliabilityBin| bin.count as f64 / all.len() as f64;
    Ok(Calibration {
        expected_error: curve.iter().map(|bin| weight(bin) * bin.gap()).sum(),
        largest_error: curve.iter().map(ReliabilityBin::gap).fold(0.0, f64::max),
        curve,
    })
}

fn bins(sorted: &[Belief], options: &CalibrationOptions) -> Vec<ReliabilityBin> {
    let m = options.bins.get();
    if sorted.is_empty() {
        return Vec::new();
    }
    match options.binning {
        Binning::EqualWidth => {
            let bin = |b: &Belief| ((b.prob * m as f64).ceil() as usize).max(1);
            sorted.chunk_by(|a, b| bin(a) == bin(b)).map(ReliabilityBin::new).collect()
        }
        Binning::EqualCount => {
            let cut = |k: usize| k * sorted.len() / m;
            let members = (0..m).map(|k| &sorted[cut(k)..cut(k + 1)]);
            members.filter(|bin| !bin.is_empty()).map(ReliabilityBin::new).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Dag, Seed, Stream};
    use rand::RngExt;

    use super::*;

    fn options(bins: usize, binning: Binning) -> CalibrationOptions {
        CalibrationOptions { bins: NonZeroUsize::new(bins).unwrap(), binning }
    }

    #[test]
    fn a_small_example_by_hand() {
        // Pairs in order 01, 02, 10, 12, 20, 21; the true ones are 01, 02, 12.
        let probs = DMatrix::from_row_slice(3, 3, &[0.0, 0.9, 0.7, 0.1, 0.0, 0.4, 0.2, 0.6, 0.0]);
        let truth = Digraph::from(&Dag::full(3));
        let two = calibration(&[(&truth, &probs)], &options(2, Binning::EqualWidth)).unwrap();
        let gaps: Vec<f64> = two.curve.iter().map(ReliabilityBin::gap).collect();
        // Up to 0.5: 0.1, 0.2, 0.4 of which one exists; above: 0.6, 0.7, 0.9 of which two exist.
        assert!((gaps[0] - 0.1).abs() < 1e-12 && (gaps[1] - 0.2 / 3.0).abs() < 1e-12);
        assert!((two.expected_error - f64::midpoint(0.1, 0.2 / 3.0)).abs() < 1e-12);
        let same = calibration(&[(&truth, &probs)], &options(2, Binning::EqualCount)).unwrap();
        assert_eq!(same, two);
    }

    #[test]
    fn probabilities_that_edges_are_drawn_from_are_calibrated() {
        let mut rng = Seed(4).rng(Stream::Data);
        let mut drawn = Vec::new();
        for _ in 0..400 {
            let probs = DMatrix::from_fn(6, 6, |_, _| rng.random::<f64>());
            let truth = Digraph::from_fn(6, |i, j| rng.random::<f64>() < probs[(i, j)]);
            drawn.push((truth, probs));
        }
        let graphs: Vec<_> = drawn.iter().map(|(g, p)| (g, p)).collect();
        for binning in [Binning::EqualWidth, Binning::EqualCount] {
            let fair = calibration(&graphs, &options(10, binning)).unwrap();
            assert!(fair.expected_error < 0.02, "{}", fair.expected_error);
            assert_eq!(fair.curve.iter().map(|b| b.count).sum::<usize>(), 12_000);
        }
    }

    #[test]
    fn ends_of_the_range_and_no_pairs_at_all_are_defined() {
        let truth = Digraph::from(&Dag::chain(2));
        let probs = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 0.0]);
        let sure = calibration(&[(&truth, &probs)], &CalibrationOptions::default()).unwrap();
        assert!(sure.curve.len() == 2 && sure.largest_error <= 0.0);
        let single = Digraph::from(&Dag::empty(1));
        let none = DMatrix::zeros(1, 1);
        let nothing = calibration(&[(&single, &none)], &CalibrationOptions::default()).unwrap();
        assert!(nothing.curve.is_empty() && nothing.expected_error <= 0.0);
    }
}
