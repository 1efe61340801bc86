use domino::core::Dag;
use domino::metrics::{
    Digraph, MetricError, Reversal, ShdConvention, edge_scores, shd, shd_by_convention,
    shd_of_classes, sid,
};
use serde::Serialize;

use super::Graph;

/// How two graphs over the same variables differ; the first counts as the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Whether variables were matched by their names, or else by their places.
    pub matched_by: &'static str,
    /// Names of the variables, in the order of the first graph.
    pub names: Vec<String>,
    /// Edges of the first and the second graph.
    pub edges: [usize; 2],
    /// Structural Hamming distance, a reversed edge counted once.
    pub shd: usize,
    /// The same with a reversed edge counted twice.
    pub shd_reversal_twice: usize,
    /// As cdt counts it by default: entries of the adjacency matrices that differ.
    pub shd_cdt: usize,
    /// As cdt counts it with `double_for_anticausal=False`.
    pub shd_cdt_pairs: usize,
    /// As ENCO and CITRIS count it.
    pub shd_enco: usize,
    /// As gcastle counts it.
    pub shd_gcastle: usize,
    /// Distance of the Markov equivalence classes.
    pub shd_classes: usize,
    /// Structural intervention distance: pairs whose effect the second graph gets wrong.
    pub sid: usize,
    /// Precision, recall and F1 of directed edges.
    pub directed: [f64; 3],
    /// Edges of the first graph between variables that the second does not join.
    pub missing: Vec<(String, String)>,
    /// Edges of the second graph between variables that the first does not join.
    pub added: Vec<(String, String)>,
    /// Edges of the first graph that run the other way in the second.
    pub reversed: Vec<(String, String)>,
}

/// Compares `other` with `truth`.
///
/// Variables are matched by name where both graphs have the same names, and by place elsewhere.
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
pub fn compare(truth: &Graph, other: &Graph) -> Result<Comparison, MetricError> {
    let place = |name: &String| truth.names.iter().position(|known| known == name);
    let places: Option<Vec<usize>> = other.names.iter().map(place).collect();
    let by_name = places
        .filter(|to| to.len() == truth.dim())
        .and_then(|to| other.learned.dag.relabelled(&to).ok());
    let (matched_by, dag) = match by_name {
        Some(dag) => ("name", dag),
        None => ("place", other.learned.dag.clone()),
    };
    let known = &truth.learned.dag;
    let [first, second] = [Digraph::from(known), Digraph::from(&dag)];
    let by = |convention| shd_by_convention(&first, &second, convention);
    let scores = edge_scores(known, &dag)?.directed;
    let named = |edges: Vec<(usize, usize)>| {
        let name = |k: usize| truth.names[k].clone();
        edges.into_iter().map(|(i, j)| (name(i), name(j))).collect()
    };
    Ok(Comparison {
        matched_by,
        names: truth.names.clone(),
        edges: [known.edge_count(), dag.edge_count()],
        shd: shd(known, &dag, Reversal::Once)?,
        shd_reversal_twice: shd(known, &dag, Reversal::Twice)?,
        shd_cdt: by(ShdConvention::Hamming)?,
        shd_cdt_pairs: by(ShdConvention::PairStatus)?,
        shd_enco: by(ShdConvention::Enco)?,
        shd_gcastle: by(ShdConvention::Gcastle)?,
        shd_classes: shd_of_classes(known, &dag)?,
        sid: sid(known, &dag)?.count,
        directed: [scores.precision, scores.recall, scores.f1],
        missing: named(alone(known, &dag)),
        added: named(alone(&dag, known)),
        reversed: named(known.edges().filter(|&(i, j)| dag.has_edge(j, i)).collect()),
    })
}

/// Edges between variables that the other graph does not join.
fn alone(dag: &Dag, other: &Dag) -> Vec<(usize, usize)> {
    let joined = |i, j| other.has_edge(i, j) || other.has_edge(j, i);
    dag.edges().filter(|&(i, j)| !joined(i, j)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(names: &[&str], edges: &[(usize, usize)]) -> Graph {
        let dag = Dag::from_edges(names.len(), edges).expect("acyclic");
        Graph::known(names.iter().map(|&name| name.to_owned()).collect(), dag)
    }

    #[test]
    fn every_kind_of_difference_is_told_by_name() {
        let truth = graph(&["a", "b", "c", "d"], &[(0, 1), (1, 2), (2, 3)]);
        // a -> b, c -> b, a -> d with variables in another order.
        let other = graph(&["d", "c", "b", "a"], &[(3, 2), (1, 2), (3, 0)]);
        let found = compare(&truth, &other).expect("one size");
        let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(found.matched_by, "name");
        assert_eq!(found.missing, [edge("c", "d")]);
        assert_eq!(found.added, [edge("a", "d")]);
        assert_eq!(found.reversed, [edge("b", "c")]);
        assert_eq!((found.shd, found.shd_reversal_twice, found.shd_cdt), (3, 4, 4));
        assert!((found.directed[0] - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn other_names_are_matched_by_place_and_other_sizes_refused() {
        let truth = graph(&["a", "b"], &[(0, 1)]);
        let found = compare(&truth, &graph(&["x1", "x2"], &[(0, 1)])).expect("one size");
        assert_eq!((found.matched_by, found.shd, found.sid), ("place", 0, 0));
        assert!(compare(&truth, &graph(&["a"], &[])).is_err());
    }
}
