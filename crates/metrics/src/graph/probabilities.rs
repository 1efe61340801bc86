use domino_core::Dag;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::digraph::square;
use crate::sample::check_dim;
use crate::{Digraph, MetricError};

/// How well edge probabilities rank and predict the true edges, over the `d (d − 1)` ordered pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeProbScores {
    /// Probability that a true edge has a higher probability than an absent one, ties counted half:
    /// the area under the receiver operating characteristic. From 0 to 1, 0.5 by chance; nothing
    /// where all or none of the edges exist.
    pub auroc: Option<f64>,
    /// `Σ_t (R_t − R_{t−1}) P_t` over the distinct probabilities in descending order, with recall
    /// `R_t` and precision `P_t` of the edges of at least that probability. From 0 to 1, the share of
    /// true edges by chance; nothing where there is no true edge.
    pub average_precision: Option<f64>,
    /// Mean squared difference of probability and truth, from 0 to 1; lower is better. 0 for fewer
    /// than two variables.
    pub brier: f64,
}

/// Ranking and squared error of edge probabilities `[d, d]`, `[i, j]` the belief in `i -> j`; the
/// diagonal is not read.
///
/// Ranking does not see whether probabilities are calibrated, see [`calibration`](crate::calibration).
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::edge_prob_scores;
/// use nalgebra::DMatrix;
///
/// let probs = DMatrix::from_row_slice(2, 2, &[0.0, 0.9, 0.5, 0.0]);
/// let scores = edge_prob_scores(&(&Dag::chain(2)).into(), &probs)?;
/// assert_eq!((scores.auroc, scores.average_precision), (Some(1.0), Some(1.0)));
/// assert!((scores.brier - (0.01 + 0.25) / 2.0).abs() < 1e-12);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] or [`MetricError::Graph`] if the matrix does not fit the graph,
/// [`MetricError::Range`] for an entry that is no probability, NaN among them.
///
/// Brier, *Verification of forecasts expressed in terms of probability*, 1950; average precision as
/// scikit-learn computes it.
pub fn edge_prob_scores(
    truth: &Digraph,
    probs: &DMatrix<f64>,
) -> Result<EdgeProbScores, MetricError> {
    let beliefs = beliefs(truth, probs)?;
    let brier = beliefs.iter().map(|b| (b.prob - f64::from(u8::from(b.exists))).powi(2));
    let brier = brier.sum::<f64>() / beliefs.len().max(1) as f64;
    let steps = steps(beliefs);
    Ok(EdgeProbScores { auroc: auroc(&steps), average_precision: average_precision(&steps), brier })
}

/// Area under the precision-recall curve as cdt computes it: trapezoids, and the diagonal counted
/// as `d` absent edges of probability 0; nothing where there is no true edge.
///
/// It is higher than [`EdgeProbScores::average_precision`] as a rule, since lines between points of
/// this curve cannot be reached by any threshold.
///
/// # Errors
/// As [`edge_prob_scores`].
///
/// Kalainathan & Goudet, *Causal Discovery Toolbox*, 2019, `precision_recall`.
pub fn cdt_area_under_precision_recall(
    truth: &Digraph,
    probs: &DMatrix<f64>,
) -> Result<Option<f64>, MetricError> {
    let mut beliefs = beliefs(truth, probs)?;
    beliefs.extend((0..truth.dim()).map(|_| Belief { prob: 0.0, exists: false }));
    let steps = steps(beliefs);
    let Some(edges) = steps.last().map(|s| s.hits).filter(|&hits| hits > 0) else {
        return Ok(None);
    };
    let point = |s: &Step| (ratio(s.hits, edges), ratio(s.hits, s.hits + s.misses));
    let (mut area, mut from) = (0.0, (0.0, 1.0));
    for step in &steps {
        let to = point(step);
        area += (to.0 - from.0) * (from.1 + to.1) / 2.0;
        from = to;
    }
    Ok(Some(area))
}

/// Share of the true edges `i -> j` whose orientation logit `[i, j]` is above 0, whether or not the
/// edge is believed to exist; nothing where there is no true edge. From 0 to 1.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::orientation_accuracy;
/// use nalgebra::DMatrix;
///
/// let logits = DMatrix::from_row_slice(3, 3, &[0., 1., 0., -1., 0., -2., 0., 2., 0.]);
/// assert_eq!(orientation_accuracy(&Dag::chain(3), &logits)?, Some(0.5));
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] or [`MetricError::Graph`] if the matrix does not fit the graph,
/// [`MetricError::NotFinite`] for a NaN off the diagonal.
///
/// Lippe, Cohen & Gavves, *Efficient neural causal discovery without acyclicity constraints*, ICLR
/// 2022.
pub fn orientation_accuracy(
    truth: &Dag,
    logits: &DMatrix<f64>,
) -> Result<Option<f64>, MetricError> {
    let oriented = Digraph::from_probs(logits, 0.0)?;
    check_dim("logits", truth.dim(), oriented.dim())?;
    let right = truth.edges().filter(|&(i, j)| oriented.has_edge(i, j)).count();
    let edges = truth.edge_count();
    Ok((edges > 0).then(|| ratio(right, edges)))
}

/// The probability of an edge and whether it exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief {
    pub(super) prob: f64,
    pub(super) exists: bool,
}

/// The beliefs of all ordered pairs in row-major order.
pub(super) fn beliefs(truth: &Digraph, probs: &DMatrix<f64>) -> Result<Vec<Belief>, MetricError> {
    let dim = truth.dim();
    check_dim("edge_probs", dim, square(probs)?)?;
    let pairs = (0..dim * dim).map(|n| (n / dim, n % dim)).filter(|(i, j)| i != j);
    pairs
        .map(|(row, col)| {
            let value = probs[(row, col)];
            if !(0.0..=1.0).contains(&value) {
                let (what, expected) = ("edge_probs", "a probability");
                return Err(MetricError::Range { what, row, col, expected, value });
            }
            Ok(Belief { prob: value, exists: truth.has_edge(row, col) })
        })
        .collect()
}

/// Edges of at least some probability: how many exist, how many do not.
struct Step {
    hits: usize,
    misses: usize,
}

/// One step per distinct probability, from the highest.
fn steps(mut beliefs: Vec<Belief>) -> Vec<Step> {
    beliefs.sort_by(|a, b| b.prob.total_cmp(&a.prob));
    let (mut hits, mut misses) = (0, 0);
    let tied = beliefs.chunk_by(|a, b| a.prob <= b.prob);
    let step = |tied: &[Belief]| {
        hits += tied.iter().filter(|b| b.exists).count();
        misses += tied.iter().filter(|b| !b.exists).count();
        Step { hits, misses }
    };
    tied.map(step).collect()
}

fn auroc(steps: &[Step]) -> Option<f64> {
    let last = steps.last().filter(|s| s.hits > 0 && s.misses > 0)?;
    let (mut area, mut from) = (0.0, (0, 0));
    for step in steps {
        area += ((step.misses - from.1) * (from.0 + step.hits)) as f64 / 2.0;
        from = (step.hits, step.misses);
    }
    Some(area / (last.hits * last.misses) as f64)
}

fn average_precision(steps: &[Step]) -> Option<f64> {
    let edges = steps.last().map(|s| s.hits).filter(|&hits| hits > 0)?;
    let mut before = 0;
    let area = steps.iter().map(|s| {
        let gained = s.hits - std::mem::replace(&mut before, s.hits);
        ratio(gained, edges) * ratio(s.hits, s.hits + s.misses)
    });
    Some(area.sum())
}

fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::tests::dag;

    fn any_probs() -> impl Strategy<Value = DMatrix<f64>> {
        // Multiples of a tenth, so that there are ties.
        prop::collection::vec((0u8..11).prop_map(|tenth| f64::from(tenth) / 10.0), 25)
            .prop_map(|entries| DMatrix::from_row_slice(5, 5, &entries))
    }

    proptest! {
        #[test]
        fn auroc_is_the_share_of_pairs_ranked_right(truth in dag(), probs in any_probs()) {
            let truth = Digraph::from(&truth);
            let all = beliefs(&truth, &probs).unwrap();
            let (mut right, mut pairs) = (0.0, 0.0);
            for a in all.iter().filter(|b| b.exists) {
                for b in all.iter().filter(|b| !b.exists) {
                    pairs += 1.0;
                    right += if a.prob > b.prob { 1.0 } else if a.prob < b.prob { 0.0 } else { 0.5 };
                }
            }
            let auroc = edge_prob_scores(&truth, &probs).unwrap().auroc;
            prop_assert_eq!(auroc.is_some(), pairs > 0.0);
            if let Some(auroc) = auroc {
                prop_assert!((auroc - right / pairs).abs() < 1e-12);
            }
        }

        #[test]
        fn a_graph_predicts_itself_perfectly(truth in dag()) {
            let scores = edge_prob_scores(&(&truth).into(), &truth.adjacency()).unwrap();
            prop_assert!(scores.brier <= 0.0);
            prop_assert!(scores.auroc.is_none_or(|a| (a - 1.0).abs() < 1e-12));
            prop_assert!(scores.average_precision.is_none_or(|a| (a - 1.0).abs() < 1e-12));
        }
    }

    #[test]
    fn graphs_without_pairs_or_edges_have_no_ranking() {
        for d in [0, 1, 3] {
            let scores = edge_prob_scores(&(&Dag::empty(d)).into(), &DMatrix::zeros(d, d)).unwrap();
            assert_eq!((scores.auroc, scores.average_precision), (None, None));
            assert!(scores.brier <= 0.0);
        }
        let logits = DMatrix::zeros(2, 2);
        assert_eq!(orientation_accuracy(&Dag::empty(2), &logits).unwrap(), None);
    }

    #[test]
    fn what_is_no_probability_is_named() {
        let mut probs = DMatrix::from_element(3, 3, 0.5);
        probs[(0, 0)] = f64::NAN;
        let truth = Digraph::from(&Dag::chain(3));
        assert!(edge_prob_scores(&truth, &probs).is_ok(), "the diagonal is not read");
        probs[(2, 1)] = 1.5;
        let error = edge_prob_scores(&truth, &probs).unwrap_err().to_string();
        assert_eq!(error, "edge_probs[2, 1]: expected a probability, got 1.5");
        let error = edge_prob_scores(&truth, &DMatrix::zeros(2, 2)).unwrap_err().to_string();
        assert_eq!(error, "edge_probs: expected 3 variables, got 2");
    }
}
