use std::fmt;

use nalgebra::DMatrix;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A directed acyclic graph over the variables `0..dim`.
///
/// A `Dag` in hand is acyclic: every constructor checks. Adjacency is `[from, to]`, as in
/// `ILCM`, ENCO and AVICI.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EdgeList", into = "EdgeList")]
pub struct Dag {
    dim: usize,
    /// Row-major `[from, to]`.
    adjacency: Vec<bool>,
    order: Vec<usize>,
}

/// Why something is not a [`Dag`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// An edge names a variable that does not exist.
    #[error("edge {from} -> {to}: expected variables below {dim}")]
    OutOfRange {
        /// The edge's tail.
        from: usize,
        /// The edge's head.
        to: usize,
        /// Number of variables.
        dim: usize,
    },
    /// The edges contain a directed cycle, self-loops included.
    #[error("the graph has a cycle through variable {through}: expected an acyclic graph")]
    Cycle {
        /// A variable on the cycle.
        through: usize,
    },
    /// An adjacency matrix is not square.
    #[error("adjacency: expected a square matrix, got {rows} x {cols}")]
    NotSquare {
        /// Rows found.
        rows: usize,
        /// Columns found.
        cols: usize,
    },
    /// An adjacency matrix holds something besides 0 and 1.
    #[error("adjacency[{from}, {to}]: expected 0 or 1, got {value}")]
    NotBinary {
        /// Row of the entry.
        from: usize,
        /// Column of the entry.
        to: usize,
        /// The entry, as text so that the error stays comparable.
        value: String,
    },
}

impl Dag {
    /// The graph over `dim` variables with the given edges `(from, to)`; repeated edges count once.
    ///
    /// # Errors
    /// [`GraphError::OutOfRange`] for an unknown variable, [`GraphError::Cycle`] for a cycle.
    pub fn from_edges(dim: usize, edges: &[(usize, usize)]) -> Result<Self, GraphError> {
        let mut adjacency = vec![false; dim * dim];
        for &(from, to) in edges {
            if from >= dim || to >= dim {
                return Err(GraphError::OutOfRange { from, to, dim });
            }
            adjacency[from * dim + to] = true;
        }
        let mut graph = DiGraph::<(), ()>::with_capacity(dim, edges.len());
        (0..dim).for_each(|_| {
            graph.add_node(());
        });
        for (from, to) in set_entries(dim, &adjacency) {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        toposort(&graph, None)
            .map_err(|cycle| GraphError::Cycle { through: cycle.node_id().index() })?;
        let order = smallest_first_order(dim, &adjacency);
        Ok(Self { dim, adjacency, order })
    }

    /// The graph of an adjacency matrix `[d, d]` of zeros and ones, `[i, j] = 1` for `i -> j`.
    ///
    /// # Errors
    /// [`GraphError`] if the matrix is not square, not binary or cyclic.
    pub fn from_adjacency(adjacency: &DMatrix<f64>) -> Result<Self, GraphError> {
        let (rows, cols) = adjacency.shape();
        if rows != cols {
            return Err(GraphError::NotSquare { rows, cols });
        }
        let mut edges = Vec::new();
        for from in 0..rows {
            for to in 0..rows {
                let value = adjacency[(from, to)];
                if (value - 1.0).abs() < f64::EPSILON {
                    edges.push((from, to));
                } else if value.abs() > 0.0 || value.is_nan() {
                    return Err(GraphError::NotBinary { from, to, value: value.to_string() });
                }
            }
        }
        Self::from_edges(rows, &edges)
    }

    /// The graph without edges.
    pub fn empty(dim: usize) -> Self {
        Self { dim, adjacency: vec![false; dim * dim], order: (0..dim).collect() }
    }

    /// `0 -> 1 -> … -> dim − 1`.
    pub fn chain(dim: usize) -> Self {
        Self::forward(dim, |from, to| to == from + 1)
    }

    /// Every edge from a smaller to a larger index.
    pub fn full(dim: usize) -> Self {
        Self::forward(dim, |_, _| true)
    }

    /// The edges `i -> j`, `i < j`, for which `keep(i, j)` holds, asked in row-major order.
    pub fn forward(dim: usize, mut keep: impl FnMut(usize, usize) -> bool) -> Self {
        let mut dag = Self::empty(dim);
        for from in 0..dim {
            for to in from + 1..dim {
                dag.adjacency[from * dim + to] = keep(from, to);
            }
        }
        dag
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Whether `from -> to`.
    pub fn has_edge(&self, from: usize, to: usize) -> bool {
        from < self.dim && to < self.dim && self.adjacency[from * self.dim + to]
    }

    /// All edges `(from, to)` in row-major order.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        set_entries(self.dim, &self.adjacency)
    }

    /// Number of edges.
    pub fn edge_count(&self) -> usize {
        self.adjacency.iter().filter(|&&edge| edge).count()
    }

    /// The direct causes of a variable, ascending.
    pub fn parents(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.dim).filter(move |&from| self.has_edge(from, of))
    }

    /// The direct effects of a variable, ascending.
    pub fn children(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.dim).filter(move |&to| self.has_edge(of, to))
    }

    /// Which variables a directed path leads to from `of`, itself excluded; `[d]`.
    pub fn descendants(&self, of: usize) -> Vec<bool> {
        let mut reached = vec![false; self.dim];
        for &node in &self.order {
            reached[node] = self.parents(node).any(|p| p == of || reached[p]);
        }
        reached
    }

    /// An order in which causes precede effects; among the possible ones the smallest index first.
    pub fn topological_order(&self) -> &[usize] {
        &self.order
    }

    /// The variables by the length of the longest path that leads to them, ascending in each level.
    pub fn levels(&self) -> Vec<Vec<usize>> {
        let mut depth = vec![0; self.dim];
        for &node in &self.order {
            depth[node] = self.parents(node).map(|p| depth[p] + 1).max().unwrap_or(0);
        }
        let deepest = depth.iter().copied().max().unwrap_or(0);
        (0..=deepest).map(|l| (0..self.dim).filter(|&k| depth[k] == l).collect()).collect()
    }

    /// The adjacency matrix `[d, d]`, `[i, j] = 1` for `i -> j`.
    pub fn adjacency(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.dim, self.dim, |i, j| f64::from(u8::from(self.has_edge(i, j))))
    }

    /// The same graph under new names: variable `i` becomes `to[i]`.
    ///
    /// # Errors
    /// [`GraphError::OutOfRange`] if `to` names a variable that does not exist.
    pub fn relabelled(&self, to: &[usize]) -> Result<Self, GraphError> {
        let edges: Vec<_> = self.edges().map(|(i, j)| (to[i], to[j])).collect();
        Self::from_edges(self.dim, &edges)
    }
}

impl fmt::Debug for Dag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dag({}:", self.dim)?;
        self.edges().try_for_each(|(i, j)| write!(f, " {i}->{j}"))?;
        write!(f, ")")
    }
}

fn set_entries(dim: usize, adjacency: &[bool]) -> impl Iterator<Item = (usize, usize)> + '_ {
    adjacency.iter().enumerate().filter(|(_, edge)| **edge).map(move |(n, _)| (n / dim, n % dim))
}

/// Kahn's algorithm with the smallest index first: petgraph's order depends on insertion history.
fn smallest_first_order(dim: usize, adjacency: &[bool]) -> Vec<usize> {
    let mut placed = vec![false; dim];
    let mut order = Vec::with_capacity(dim);
    while let Some(next) =
        (0..dim).find(|&j| !placed[j] && (0..dim).all(|i| !adjacency[i * dim + j] || placed[i]))
    {
        placed[next] = true;
        order.push(next);
    }
    order
}

/// The serialised form of a [`Dag`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeList {
    dim: usize,
    edges: Vec<(usize, usize)>,
}

impl TryFrom<EdgeList> for Dag {
    type Error = GraphError;

    fn try_from(list: EdgeList) -> Result<Self, GraphError> {
        Self::from_edges(list.dim, &list.edges)
    }
}

impl From<Dag> for EdgeList {
    fn from(dag: Dag) -> Self {
        Self { dim: dag.dim, edges: dag.edges().collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cycle_is_refused_and_named() {
        let error = Dag::from_edges(3, &[(0, 1), (1, 2), (2, 1)]).unwrap_err();
        assert!(matches!(error, GraphError::Cycle { through: 1 | 2 }), "{error}");
        assert_eq!(Dag::from_edges(2, &[(1, 1)]), Err(GraphError::Cycle { through: 1 }));
    }

    #[test]
    fn a_stray_edge_is_refused_with_its_ends() {
        let error = Dag::from_edges(2, &[(0, 5)]).unwrap_err();
        assert_eq!(error.to_string(), "edge 0 -> 5: expected variables below 2");
    }

    #[test]
    fn adjacency_must_be_square_and_binary() {
        let wide = DMatrix::zeros(2, 3);
        assert!(matches!(Dag::from_adjacency(&wide), Err(GraphError::NotSquare { .. })));
        let half = DMatrix::from_row_slice(2, 2, &[0.0, 0.5, 0.0, 0.0]);
        assert!(matches!(Dag::from_adjacency(&half), Err(GraphError::NotBinary { to: 1, .. })));
    }

    #[test]
    fn descendants_follow_paths_not_index_order() -> Result<(), GraphError> {
        let dag = Dag::from_edges(4, &[(3, 0), (0, 2)])?;
        assert_eq!(dag.descendants(3), [true, false, true, false]);
        assert_eq!(dag.descendants(2), [false; 4]);
        assert_eq!(dag.topological_order(), [1, 3, 0, 2]);
        Ok(())
    }

    #[test]
    fn levels_put_causes_first() {
        let dag = Dag::from_edges(4, &[(3, 0), (0, 2), (3, 2)]).unwrap();
        assert_eq!(dag.levels(), [vec![1, 3], vec![0], vec![2]]);
    }

    fn any_dag() -> impl Strategy<Value = Dag> {
        (1_usize..7)
            .prop_flat_map(|d| {
                (
                    Just(d),
                    proptest::collection::vec(any::<bool>(), d * d),
                    Just(()).prop_perturb(move |(), mut rng| {
                        let mut order: Vec<usize> = (0..d).collect();
                        for i in (1..d).rev() {
                            order.swap(i, rng.random_range(0..=i));
                        }
                        order
                    }),
                )
            })
            .prop_map(|(d, bits, order)| {
                Dag::forward(d, |i, j| bits[i * d + j])
                    .relabelled(&order)
                    .expect("a relabelled DAG is a DAG")
            })
    }

    proptest! {
        #[test]
        fn causes_precede_effects(dag in any_dag()) {
            let place = |node: usize| dag.topological_order().iter().position(|&n| n == node).unwrap();
            prop_assert_eq!(dag.topological_order().len(), dag.dim());
            for (from, to) in dag.edges() {
                prop_assert!(place(from) < place(to));
            }
        }

        #[test]
        fn adjacency_and_json_round_trip(dag in any_dag()) {
            prop_assert_eq!(&Dag::from_adjacency(&dag.adjacency()).unwrap(), &dag);
            let json = serde_json::to_string(&dag).unwrap();
            prop_assert_eq!(serde_json::from_str::<Dag>(&json).unwrap(), dag);
        }
    }
}
