use domino_core::Dag;
use serde::{Deserialize, Serialize};

use super::separation::{Effects, ancestors};
use crate::MetricError;
use crate::sample::check_dim;

/// Which variables a predicted graph would adjust for to estimate the effect of `i` on `j`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// The parents of `i`, for any `j` that is not one of them.
    #[default]
    Parents,
    /// The ancestors of `i`.
    Ancestors,
    /// The parents of the variables on directed paths from `i` to `j`, less their descendants and
    /// `i`: of the smallest asymptotic variance.
    Optimal,
}

/// How many causal effects a predicted graph gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrongEffects {
    /// Ordered pairs `(i, j)`, `i != j`, whose effect is wrong, from 0 to `d (d − 1)`.
    pub count: usize,
    /// `count / (d (d − 1))`; 0 for fewer than two variables.
    pub share: f64,
}

impl WrongEffects {
    fn count(dim: usize, is_wrong: impl Fn(usize, usize) -> bool) -> Self {
        let pairs = (0..dim).flat_map(|i| (0..dim).map(move |j| (i, j)));
        let count = pairs.filter(|&(i, j)| i != j && is_wrong(i, j)).count();
        let all = dim * dim.saturating_sub(1);
        Self { count, share: super::ratio(count, all) }
    }
}

/// Structural intervention distance: ordered pairs `(i, j)` whose interventional distribution
/// `p(j | do(i))` would be wrong if estimated by adjusting for the parents of `i` in `predicted`.
///
/// Where `j` is a parent of `i` in `predicted`, the predicted effect is none, wrong if `j` descends
/// from `i` in `truth`. Else it is wrong unless the predicted parents are a valid adjustment set in
/// `truth`. Lower is better, 0 at best, which every acyclic supergraph of the truth reaches: it does
/// not see extra edges that keep the order. Not symmetric.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::sid;
///
/// let chain = Dag::chain(3);
/// assert_eq!(sid(&chain, &Dag::full(3))?.count, 0);
/// assert_eq!(sid(&Dag::full(3), &chain)?.count, 1);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
///
/// Peters & Bühlmann, *Structural intervention distance for evaluating causal graphs*, Neural
/// Computation 2015. Time is of order `d²` searches of the graph.
pub fn sid(truth: &Dag, predicted: &Dag) -> Result<WrongEffects, MetricError> {
    adjustment_distance(truth, predicted, Adjustment::Parents)
}

/// Adjustment identification distance: ordered pairs `(i, j)` whose effect would be wrong if
/// identified by an adjustment set read off `predicted`.
///
/// Where `j` does not descend from `i` in `predicted`, the predicted effect is none, wrong if `j`
/// descends from `i` in `truth`; else it is wrong unless the set is valid in `truth`. For
/// [`Adjustment::Parents`] only the parents of `i` count as without effect, which makes it [`sid`].
/// Range and direction as there; lower is better.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::{Adjustment, adjustment_distance};
///
/// let reversed = Dag::from_edges(2, &[(1, 0)])?;
/// let distance = adjustment_distance(&Dag::chain(2), &reversed, Adjustment::Ancestors)?;
/// assert_eq!([distance.count as f64, distance.share], [2.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
///
/// Henckel, Würtzen & Weichwald, *Adjustment identification distance: a gadjid for causal structure
/// learning*, UAI 2024.
pub fn adjustment_distance(
    truth: &Dag,
    predicted: &Dag,
    adjustment: Adjustment,
) -> Result<WrongEffects, MetricError> {
    check_dim("graph", truth.dim(), predicted.dim())?;
    let (true_effects, predicted_effects) = (Effects::new(truth), Effects::new(predicted));
    Ok(WrongEffects::count(truth.dim(), |i, j| {
        let claims_an_effect = match adjustment {
            Adjustment::Parents => !predicted.has_edge(j, i),
            Adjustment::Ancestors | Adjustment::Optimal => predicted_effects.exists(i, j),
        };
        if !claims_an_effect {
            return true_effects.exists(i, j);
        }
        let adjusted = match adjustment {
            Adjustment::Parents => (0..truth.dim()).map(|k| predicted.has_edge(k, i)).collect(),
            Adjustment::Ancestors => ancestors(predicted, i),
            Adjustment::Optimal => predicted_effects.optimal_adjustment(i, j),
        };
        !true_effects.is_identified_by(&adjusted, i, j)
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::tests::dag;

    const ALL: [Adjustment; 3] = [Adjustment::Parents, Adjustment::Ancestors, Adjustment::Optimal];

    proptest! {
        #[test]
        fn a_graph_gets_its_own_effects_right(g in dag()) {
            prop_assert_eq!(sid(&g, &g).unwrap().count, 0);
            for adjustment in ALL {
                prop_assert_eq!(adjustment_distance(&g, &g, adjustment).unwrap().count, 0);
            }
        }

        #[test]
        fn a_supergraph_gets_all_effects_right(g in dag()) {
            let place = |k: usize| g.topological_order().iter().position(|&n| n == k).unwrap();
            let pairs = (0..5).flat_map(|i| (0..5).map(move |j| (i, j)));
            let forward: Vec<_> = pairs.filter(|&(i, j)| place(i) < place(j)).collect();
            let full = Dag::from_edges(5, &forward).unwrap();
            prop_assert_eq!(sid(&g, &full).unwrap().count, 0);
        }

        #[test]
        fn an_empty_prediction_misses_exactly_what_confounds_or_adjusting_for_nothing_cannot(
            g in dag(),
        ) {
            // Adjusting for nothing is right where no path enters the cause.
            let wrong = sid(&g, &Dag::empty(5)).unwrap().count;
            let ancestor = |a: usize, b: usize| a == b || g.descendants(a)[b];
            let confounded = |i: usize, j: usize| {
                // Some other variable reaches the cause, and the effect around it.
                (0..5).any(|k| k != i && ancestor(k, i) && reaches_around(&g, k, j, i))
            };
            let pairs = (0..5).flat_map(|i| (0..5).map(move |j| (i, j)));
            let expected = pairs.filter(|&(i, j)| i != j && confounded(i, j)).count();
            prop_assert_eq!(wrong, expected);
        }
    }

    /// Whether a directed path leads from `from` to `to` without `around`.
    fn reaches_around(g: &Dag, from: usize, to: usize, around: usize) -> bool {
        from == to || g.children(from).any(|k| k != around && reaches_around(g, k, to, around))
    }

    #[test]
    fn small_and_empty_graphs_are_defined() {
        for d in [0, 1] {
            let wrong = sid(&Dag::empty(d), &Dag::empty(d)).unwrap();
            assert!(wrong.count == 0 && wrong.share <= 0.0);
        }
        // p(1 | do(0)) and p(2 | do(0)) are right without edges, the other way round is not.
        let wrong = sid(&Dag::chain(3), &Dag::empty(3)).unwrap();
        assert_eq!(wrong.count, 3);
        assert!(sid(&Dag::chain(2), &Dag::chain(3)).is_err());
    }
}
