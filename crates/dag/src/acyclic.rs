use domino_core::Dag;
use nalgebra::DMatrix;

use crate::DagError;

/// A belief above which an edge is drawn.
pub(crate) const EDGE: f64 = 0.5;

/// A move that spares less belief than this is rounding.
const LEAST_GAIN: f64 = 1e-9;

/// The graph of the edges above 0.5, an order of it, and the beliefs, those of edges against the
/// order cut down to 0.5.
///
/// The order takes next a variable without causes among the remaining ones; where all have one, that
/// whose beliefs in causes among them exceed 0.5 by the least in sum. Then single variables move to
/// other places while that lowers the sum of what is cut. An acyclic set of edges stays as it is.
pub(crate) fn without_cycles(
    mut probs: DMatrix<f64>,
) -> Result<(Dag, Vec<usize>, DMatrix<f64>), DagError> {
    let d = probs.nrows();
    (0..d).for_each(|k| probs[(k, k)] = 0.0);
    let mut order = peeled(&probs);
    while improve(&mut order, &probs) {}
    for (place, &later) in order.iter().enumerate() {
        for &earlier in &order[..place] {
            probs[(later, earlier)] = probs[(later, earlier)].min(EDGE);
        }
    }
    let pairs = (0..d).flat_map(|i| (0..d).map(move |j| (i, j)));
    let edges: Vec<_> = pairs.filter(|&at| probs[at] > EDGE).collect();
    Ok((Dag::from_edges(d, &edges)?, order, probs))
}

/// By how much a belief exceeds that below which no edge is drawn.
fn over(p: f64) -> f64 {
    (p - EDGE).max(0.0)
}

/// The variables with the fewest beliefs in causes among the remaining ones first.
fn peeled(probs: &DMatrix<f64>) -> Vec<usize> {
    let d = probs.nrows();
    // What each variable's remaining causes amount to, kept up to date as they are taken.
    let mut causes: Vec<usize> =
        (0..d).map(|k| (0..d).filter(|&j| probs[(j, k)] > EDGE).count()).collect();
    let mut excess: Vec<f64> = (0..d).map(|k| (0..d).map(|j| over(probs[(j, k)])).sum()).collect();
    let mut remaining: Vec<usize> = (0..d).collect();
    let mut order = Vec::with_capacity(d);
    while let Some(&first) = remaining.first() {
        let free = remaining.iter().copied().find(|&k| causes[k] == 0);
        let next = free.unwrap_or_else(|| {
            let least = remaining.iter().copied().min_by(|&a, &b| excess[a].total_cmp(&excess[b]));
            least.unwrap_or(first)
        });
        remaining.retain(|&k| k != next);
        for &k in &remaining {
            causes[k] -= usize::from(probs[(next, k)] > EDGE);
            excess[k] -= over(probs[(next, k)]);
        }
        order.push(next);
    }
    order
}

/// Moves each variable to the place where the least is cut, and says whether that was of use.
fn improve(order: &mut Vec<usize>, probs: &DMatrix<f64>) -> bool {
    let mut improved = false;
    for k in 0..order.len() {
        let Some(place) = order.iter().position(|&o| o == k) else { continue };
        let mut best = (-LEAST_GAIN, place);
        let mut change = 0.0;
        for (to, &passed) in order.iter().enumerate().take(place).rev() {
            change += over(probs[(passed, k)]) - over(probs[(k, passed)]);
            best = if change < best.0 { (change, to) } else { best };
        }
        change = 0.0;
        for (to, &passed) in order.iter().enumerate().skip(place + 1) {
            change += over(probs[(k, passed)]) - over(probs[(passed, k)]);
            best = if change < best.0 { (change, to) } else { best };
        }
        if best.1 != place {
            order.remove(place);
            order.insert(best.1, k);
            improved = true;
        }
    }
    improved
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 0 → 1 → {2, 3, 4}, 2 → 5, and a less certain 5 → 0, which alone closes a cycle; 6 follows from 3
    /// with the least belief of all.
    #[test]
    fn the_edge_that_closes_a_cycle_is_cut_and_no_other() {
        let mut probs = DMatrix::zeros(7, 7);
        for at in [(0, 1), (1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)] {
            probs[at] = 0.99;
        }
        (probs[(5, 0)], probs[(3, 6)]) = (0.94, 0.6);
        let (dag, _, cut) = without_cycles(probs).unwrap();
        assert_eq!(dag.edge_count(), 8);
        assert!(!dag.has_edge(5, 0) && (cut[(5, 0)] - 0.5).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn any_beliefs_become_a_graph_whose_order_fits(
            d in 1_usize..7,
            values in proptest::collection::vec(0.0..1.0_f64, 49),
        ) {
            let probs = DMatrix::from_fn(d, d, |i, j| values[7 * i + j]);
            let (dag, order, cut) = without_cycles(probs.clone()).unwrap();
            let place = |k: usize| order.iter().position(|&o| o == k).unwrap();
            for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))).filter(|(i, j)| i != j) {
                prop_assert_eq!(dag.has_edge(i, j), cut[(i, j)] > EDGE);
                if dag.has_edge(i, j) {
                    prop_assert!(place(i) < place(j));
                    prop_assert!((cut[(i, j)] - probs[(i, j)]).abs() < 1e-12);
                }
            }
        }

        #[test]
        fn acyclic_beliefs_keep_every_edge(
            d in 1_usize..7,
            values in proptest::collection::vec(0.0..1.0_f64, 49),
        ) {
            let probs = DMatrix::from_fn(d, d, |i, j| if i < j { values[7 * i + j] } else { 0.3 });
            let (dag, _, cut) = without_cycles(probs.clone()).unwrap();
            for (i, j) in (0..d).flat_map(|i| (i + 1..d).map(move |j| (i, j))) {
                prop_assert_eq!(dag.has_edge(i, j), probs[(i, j)] > EDGE);
                prop_assert!((cut[(i, j)] - probs[(i, j)]).abs() < 1e-12);
            }
        }
    }
}
