use serde::{Deserialize, Serialize};

use crate::{Digraph, MetricError};

/// How a library counts the distance to a predicted graph that may have 2-cycles.
///
/// On directed acyclic graphs all but [`ShdConvention::Hamming`] agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShdConvention {
    /// Pairs whose status (none, `->`, `<-`, both) differs: cdt with `double_for_anticausal=False`.
    #[default]
    PairStatus,
    /// Entries in which the adjacency matrices differ: cdt's default.
    Hamming,
    /// Missing and extra edges less reversed ones: ENCO and CITRIS. A 2-cycle on a pair that is not
    /// adjacent costs 2.
    Enco,
    /// gcastle: a predicted 2-cycle is an undirected edge, which costs nothing on an adjacent pair
    /// and 1 on any other. The truth has no 2-cycles.
    Gcastle,
}

/// Structural Hamming distance of a predicted graph as a library counts it.
///
/// A lower distance is better; 0 for equal graphs. Except for [`ShdConvention::Gcastle`], which does
/// not see the direction of edges inside 2-cycles, it is 0 for equal graphs only.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::{Digraph, ShdConvention, shd_by_convention};
/// use nalgebra::DMatrix;
///
/// let truth = Digraph::from(&Dag::empty(2));
/// let cycle = Digraph::from_adjacency(&DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]))?;
/// let shd = |convention| shd_by_convention(&truth, &cycle, convention);
/// assert_eq!([shd(ShdConvention::PairStatus)?, shd(ShdConvention::Enco)?], [1, 2]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
pub fn shd_by_convention(
    truth: &Digraph,
    predicted: &Digraph,
    convention: ShdConvention,
) -> Result<usize, MetricError> {
    truth.check_same_dim(predicted)?;
    let status = |g: &Digraph, (i, j)| [g.has_edge(i, j), g.has_edge(j, i)];
    let cost = |pair| pair_cost(status(truth, pair), status(predicted, pair), convention);
    Ok(truth.pairs().map(cost).sum())
}

/// The cost of a pair whose edges are `[->, <-]`.
fn pair_cost(truth: [bool; 2], predicted: [bool; 2], convention: ShdConvention) -> usize {
    let differing = truth.iter().zip(predicted).filter(|&(&t, p)| t != p).count();
    let is_adjacent = |status: [bool; 2]| status[0] || status[1];
    let is_reversed = differing == 2 && is_adjacent(truth) && is_adjacent(predicted);
    match convention {
        ShdConvention::Hamming => differing,
        ShdConvention::Enco => differing - usize::from(is_reversed),
        ShdConvention::Gcastle if predicted == [true; 2] => usize::from(!is_adjacent(truth)),
        ShdConvention::PairStatus | ShdConvention::Gcastle => differing.min(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_a_pair_costs_what_the_library_says() {
        let (none, right, left, both) =
            ([false, false], [true, false], [false, true], [true, true]);
        let costs = |truth, predicted| {
            [
                ShdConvention::PairStatus,
                ShdConvention::Hamming,
                ShdConvention::Enco,
                ShdConvention::Gcastle,
            ]
            .map(|c| pair_cost(truth, predicted, c))
        };
        assert_eq!(costs(right, right), [0, 0, 0, 0]);
        assert_eq!(costs(right, left), [1, 2, 1, 1]);
        assert_eq!(costs(right, none), [1, 1, 1, 1]);
        assert_eq!(costs(none, left), [1, 1, 1, 1]);
        assert_eq!(costs(none, both), [1, 2, 2, 1]);
        assert_eq!(costs(right, both), [1, 1, 1, 0]);
    }
}
