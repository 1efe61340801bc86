use domino_core::Dag;

use crate::sample::check_dim;
use crate::{Digraph, MetricError};

/// Structural Hamming distance of the Markov equivalence classes of two graphs: unordered pairs
/// whose status (none, undirected, `->`, `<-`) differs between their completed partially directed
/// graphs.
///
/// From 0, for graphs that observations cannot tell apart, to `d (d − 1) / 2`; lower is better.
///
/// ```
/// use domino_core::Dag;
/// use domino_metrics::shd_of_classes;
///
/// let (chain, fork) = (Dag::chain(3), Dag::from_edges(3, &[(1, 0), (1, 2)])?);
/// assert_eq!(shd_of_classes(&chain, &fork)?, 0);
/// assert_eq!(shd_of_classes(&chain, &Dag::from_edges(3, &[(0, 1), (2, 1)])?)?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the graphs differ in size.
///
/// Tsamardinos, Brown & Aliferis 2006; orientation rules of Meek, *Causal inference and causal
/// explanation with background knowledge*, UAI 1995.
pub fn shd_of_classes(a: &Dag, b: &Dag) -> Result<usize, MetricError> {
    check_dim("graph", a.dim(), b.dim())?;
    let (a, b) = (equivalence_class(a), equivalence_class(b));
    let differs = |&(i, j): &(usize, usize)| {
        a.has_edge(i, j) != b.has_edge(i, j) || a.has_edge(j, i) != b.has_edge(j, i)
    };
    Ok(a.pairs().filter(differs).count())
}

/// The completed partially directed graph of a DAG; an undirected edge points both ways.
fn equivalence_class(dag: &Dag) -> Digraph {
    let mut compelled = Compelled::colliders(dag);
    while compelled.apply_rules() {}
    Digraph::from_fn(dag.dim(), |i, j| {
        dag.has_edge(i, j) || (dag.has_edge(j, i) && !compelled.is(j, i))
    })
}

/// The edges that have one direction in all members of the class.
struct Compelled<'a> {
    dag: &'a Dag,
    /// Row-major `[from, to]`.
    edges: Vec<bool>,
}

impl<'a> Compelled<'a> {
    /// `a -> c` and `b -> c` where `a` and `b` are not adjacent.
    fn colliders(dag: &'a Dag) -> Self {
        let d = dag.dim();
        let adjacent = |i, j| dag.has_edge(i, j) || dag.has_edge(j, i);
        let meets_stranger = |a, c| dag.parents(c).any(|b| b != a && !adjacent(a, b));
        let edges = (0..d * d)
            .map(|n| dag.has_edge(n / d, n % d) && meets_stranger(n / d, n % d))
            .collect();
        Self { dag, edges }
    }

    fn is(&self, from: usize, to: usize) -> bool {
        self.edges[from * self.dag.dim() + to]
    }

    fn are_adjacent(&self, i: usize, j: usize) -> bool {
        self.dag.has_edge(i, j) || self.dag.has_edge(j, i)
    }

    fn is_undirected(&self, i: usize, j: usize) -> bool {
        self.are_adjacent(i, j) && !self.is(i, j) && !self.is(j, i)
    }

    /// Directs what Meek's first three rules direct; whether there was anything. The fourth follows
    /// only from background knowledge.
    fn apply_rules(&mut self) -> bool {
        let found: Vec<_> = self
            .dag
            .edges()
            .filter(|&(i, j)| !self.is(i, j) && (self.no_collider(i, j) || self.no_cycle(i, j)))
            .collect();
        for &(i, j) in &found {
            self.edges[i * self.dag.dim() + j] = true;
        }
        !found.is_empty()
    }

    /// `k -> i`, `k` and `j` not adjacent: `i <- j` would be a new collider.
    fn no_collider(&self, i: usize, j: usize) -> bool {
        (0..self.dag.dim()).any(|k| k != j && self.is(k, i) && !self.are_adjacent(k, j))
    }

    /// `i -> k -> j`, or `i - k -> j` and `i - l -> j` with `k` and `l` not adjacent.
    fn no_cycle(&self, i: usize, j: usize) -> bool {
        let all = 0..self.dag.dim();
        let path = all.clone().any(|k| self.is(i, k) && self.is(k, j));
        let leads: Vec<usize> =
            all.filter(|&k| self.is_undirected(i, k) && self.is(k, j)).collect();
        path || leads.iter().any(|&k| leads.iter().any(|&l| k != l && !self.are_adjacent(k, l)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_graph_has_no_compelled_edge() {
        let class = equivalence_class(&Dag::full(4));
        assert!(class.pairs().all(|(i, j)| class.has_edge(i, j) && class.has_edge(j, i)));
    }

    #[test]
    fn what_follows_a_collider_is_compelled() {
        let dag = Dag::from_edges(4, &[(0, 2), (1, 2), (2, 3)]).unwrap();
        assert_eq!(equivalence_class(&dag), Digraph::from(&dag));
    }
}
