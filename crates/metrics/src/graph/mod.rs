//! Predicted graphs against true ones.

mod adjustment;
mod calibration;
mod convention;
mod cpdag;
mod edit;
mod gcastle;
mod probabilities;
mod separation;

pub use adjustment::{Adjustment, WrongEffects, adjustment_distance, sid};
pub use calibration::{Binning, Calibration, CalibrationOptions, ReliabilityBin, calibration};
pub use convention::{ShdConvention, shd_by_convention};
pub use cpdag::shd_of_classes;
pub use edit::{MAX_EDIT_DIM, edit_distance, unlabelled_edit_distance};
pub use gcastle::{GcastleRates, gcastle_rates};
pub use probabilities::{
    EdgeProbScores, cdt_area_under_precision_recall, edge_prob_scores, orientation_accuracy,
};

use domino_core::Dag;
use serde::{Deserialize, Serialize};

use crate::{Digraph, MetricError};

/// What a reversed edge costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversal {
    /// One: the edge is flipped.
    #[default]
    Once,
    /// Two: one edge is missing and another too many.
    Twice,
}

/// Structural Hamming distance: edges to add, drop or flip to turn `a` into `b`.
///
/// With [`Reversal::Once`] it is the number of unordered pairs whose status (none, `->`, `<-`)
/// differs, with [`Reversal::Twice`] the number of entries in which the adjacency matrices differ.
/// Both are metrics on graphs, from 0 to `d (d − 1)`.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::{Reversal, shd};
///
/// let (chain, flipped) = (Dag::chain(3), Dag::from_edges(3, &[(1, 0), (1, 2)])?);
/// assert_eq!(shd(&chain, &flipped, Reversal::Once)?, 1);
/// assert_eq!(shd(&chain, &flipped, Reversal::Twice)?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
///
/// Tsamardinos, Brown & Aliferis, *The max-min hill-climbing Bayesian network structure learning
/// algorithm*, Machine Learning 2006, counted on directed graphs instead of equivalence classes.
pub fn shd(a: &Dag, b: &Dag, reversal: Reversal) -> Result<usize, MetricError> {
    shd_of_digraphs(&a.into(), &b.into(), reversal)
}

/// [`shd`] of graphs that may have cycles.
///
/// A pair joined in both directions has a status of its own with [`Reversal::Once`]: against any
/// other it costs 1, also where the other graph has no edge. ENCO charges 2 there.
///
/// # Errors
/// As [`shd`].
pub fn shd_of_digraphs(a: &Digraph, b: &Digraph, reversal: Reversal) -> Result<usize, MetricError> {
    a.check_same_dim(b)?;
    let differing = |(i, j): (usize, usize)| {
        let entries = [(i, j), (j, i)];
        entries.iter().filter(|&&(from, to)| a.has_edge(from, to) != b.has_edge(from, to)).count()
    };
    let cost = |differing: usize| match reversal {
        Reversal::Once => differing.min(1),
        Reversal::Twice => differing,
    };
    Ok(a.pairs().map(|pair| cost(differing(pair))).sum())
}

/// How many edges of a predicted graph are right, and how many of the true ones it has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeScores {
    /// Predicted edges that exist.
    pub true_positives: usize,
    /// Predicted edges that do not exist.
    pub false_positives: usize,
    /// Edges that exist and are not predicted.
    pub false_negatives: usize,
    /// `tp / (tp + fp)`; 0 for a prediction without edges.
    pub precision: f64,
    /// `tp / (tp + fn)`; 0 for a truth without edges.
    pub recall: f64,
    /// `2 tp / (2 tp + fp + fn)`; 0 where neither graph has an edge.
    pub f1: f64,
}

impl EdgeScores {
    /// Counts `(true, predicted)` edges.
    fn count(edges: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut counts = [[0; 2]; 2];
        edges.for_each(|(truth, predicted)| {
            counts[usize::from(truth)][usize::from(predicted)] += 1;
        });
        let [[_, fp], [fn_, tp]] = counts;
        Self {
            true_positives: tp,
            false_positives: fp,
            false_negatives: fn_,
            precision: ratio(tp, tp + fp),
            recall: ratio(tp, tp + fn_),
            f1: ratio(2 * tp, 2 * tp + fp + fn_),
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Precision, recall and F1 of a predicted graph against the true one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphScores {
    /// On directed edges.
    pub directed: EdgeScores,
    /// On unordered pairs of adjacent variables.
    pub skeleton: EdgeScores,
    /// Of the true edges whose variables are adjacent in the prediction, the share that is predicted
    /// in the right direction; nothing where there is no such edge.
    pub orientation: Option<f64>,
}

/// Precision, recall and F1 of the edges of `predicted`, as directed edges and as a skeleton.
///
/// Ratios without a denominator are 0: an empty prediction has precision, recall and F1 of 0, and
/// so has any prediction of an empty truth.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::edge_scores;
///
/// let predicted = Dag::from_edges(3, &[(1, 0), (1, 2), (0, 2)])?;
/// let scores = edge_scores(&Dag::chain(3), &predicted)?;
/// assert_eq!([scores.directed.precision, scores.directed.recall], [1.0 / 3.0, 0.5]);
/// assert_eq!([scores.skeleton.precision, scores.skeleton.recall], [2.0 / 3.0, 1.0]);
/// assert_eq!(scores.orientation, Some(0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
pub fn edge_scores(truth: &Dag, predicted: &Dag) -> Result<GraphScores, MetricError> {
    edge_scores_of_digraphs(&truth.into(), &predicted.into())
}

/// [`edge_scores`] of graphs that may have cycles.
///
/// # Errors
/// As [`edge_scores`].
pub fn edge_scores_of_digraphs(
    truth: &Digraph,
    predicted: &Digraph,
) -> Result<GraphScores, MetricError> {
    truth.check_same_dim(predicted)?;
    let ordered = || truth.pairs().flat_map(|(i, j)| [(i, j), (j, i)]);
    let directed = EdgeScores::count(
        ordered().map(|(from, to)| (truth.has_edge(from, to), predicted.has_edge(from, to))),
    );
    let skeleton = EdgeScores::count(
        truth.pairs().map(|(i, j)| (truth.are_adjacent(i, j), predicted.are_adjacent(i, j))),
    );
    let found = ordered()
        .filter(|&(from, to)| truth.has_edge(from, to) && predicted.are_adjacent(from, to))
        .count();
    let orientation = (found > 0).then(|| ratio(directed.true_positives, found));
    Ok(GraphScores { directed, skeleton, orientation })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these scores are exact by definition")]
pub(crate) mod tests {
    use nalgebra::DMatrix;
    use proptest::prelude::*;

    use super::*;

    /// Any directed graph over five variables.
    pub(crate) fn digraph() -> impl Strategy<Value = Digraph> {
        prop::collection::vec(0.0..1.0f64, 25).prop_map(|entries| {
            Digraph::from_probs(&DMatrix::from_row_slice(5, 5, &entries), 0.6).unwrap()
        })
    }

    /// A DAG over five variables in any order.
    pub(crate) fn dag() -> impl Strategy<Value = Dag> {
        let bits = prop::collection::vec(any::<bool>(), 25);
        let order = Just((0..5).collect::<Vec<usize>>()).prop_shuffle();
        (bits, order).prop_map(|(bits, order)| {
            Dag::forward(5, |i, j| bits[5 * i + j]).relabelled(&order).unwrap()
        })
    }

    const BOTH: [Reversal; 2] = [Reversal::Once, Reversal::Twice];

    proptest! {
        #[test]
        fn shd_is_a_metric(a in digraph(), b in digraph(), c in digraph()) {
            for reversal in BOTH {
                let shd = |a, b| shd_of_digraphs(a, b, reversal).unwrap();
                prop_assert_eq!(shd(&a, &b) == 0, a == b);
                prop_assert_eq!(shd(&a, &a), 0);
                prop_assert_eq!(shd(&a, &b), shd(&b, &a));
                prop_assert!(shd(&a, &c) <= shd(&a, &b) + shd(&b, &c));
            }
        }

        #[test]
        fn shd_on_dags_is_missing_plus_extra_less_reversed(a in dag(), b in dag()) {
            let scores = edge_scores(&a, &b).unwrap();
            let twice = shd(&a, &b, Reversal::Twice).unwrap();
            prop_assert_eq!(twice, scores.directed.false_positives + scores.directed.false_negatives);
            let reversed = a.edges().filter(|&(from, to)| b.has_edge(to, from)).count();
            prop_assert_eq!(shd(&a, &b, Reversal::Once).unwrap(), twice - reversed);
            prop_assert_eq!(shd(&a, &b, Reversal::Once).unwrap() == 0, a == b);
        }

        #[test]
        fn swapping_the_graphs_swaps_precision_and_recall(a in dag(), b in dag()) {
            let (ab, ba) = (edge_scores(&a, &b).unwrap(), edge_scores(&b, &a).unwrap());
            for (x, y) in [(ab.directed, ba.directed), (ab.skeleton, ba.skeleton)] {
                prop_assert_eq!((x.precision, x.recall, x.f1), (y.recall, y.precision, y.f1));
            }
        }
    }

    #[test]
    fn graphs_without_edges_score_zero() {
        let (none, chain) = (Dag::empty(3), Dag::chain(3));
        for (truth, predicted) in [(&chain, &none), (&none, &chain), (&none, &none)] {
            let scores = edge_scores(truth, predicted).unwrap();
            for s in [scores.directed, scores.skeleton] {
                assert_eq!([s.precision, s.recall, s.f1], [0.0; 3]);
            }
            assert_eq!(scores.orientation, None);
        }
    }

    #[test]
    fn graphs_of_different_size_are_refused() {
        let error = shd(&Dag::chain(3), &Dag::chain(4), Reversal::Once).unwrap_err();
        assert_eq!(error.to_string(), "graph: expected 3 variables, got 4");
    }
}
