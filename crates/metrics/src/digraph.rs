use domino_core::{Dag, GraphError};
use nalgebra::DMatrix;

use crate::MetricError;
use crate::sample::check_dim;

/// A directed graph that may have cycles: what a structure learner may predict.
///
/// Adjacency is `[from, to]`; there are no self-loops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digraph {
    dim: usize,
    /// Row-major `[from, to]`.
    adjacency: Vec<bool>,
}

impl Digraph {
    /// The graph of an adjacency matrix `[d, d]` of zeros and ones, `[i, j] = 1` for `i -> j`.
    ///
    /// # Errors
    /// [`MetricError::Graph`] if the matrix is not square or not binary,
    /// [`MetricError::SelfLoop`] for a one on the diagonal.
    pub fn from_adjacency(adjacency: &DMatrix<f64>) -> Result<Self, MetricError> {
        let dim = square(adjacency)?;
        for from in 0..dim {
            for to in 0..dim {
                let value = adjacency[(from, to)];
                let is_zero = value.abs() <= 0.0;
                let is_one = (value - 1.0).abs() <= 0.0;
                if !is_zero && !is_one {
                    let value = value.to_string();
                    return Err(GraphError::NotBinary { from, to, value }.into());
                }
                if is_one && from == to {
                    return Err(MetricError::SelfLoop { variable: from });
                }
            }
        }
        Ok(Self::from_fn(dim, |from, to| adjacency[(from, to)] > 0.5))
    }

    /// The edges whose probability, `[d, d]` with `[i, j]` the belief in `i -> j`, exceeds a
    /// threshold. The diagonal is not read.
    ///
    /// ```
    /// use domino_core::Dag;
    /// use domino_metrics::Digraph;
    /// use nalgebra::DMatrix;
    ///
    /// let probs = DMatrix::from_row_slice(2, 2, &[0.0, 0.9, 0.5, 0.0]);
    /// assert_eq!(Digraph::from_probs(&probs, 0.5)?, Digraph::from(&Dag::chain(2)));
    /// # Ok::<(), domino_metrics::MetricError>(())
    /// ```
    ///
    /// # Errors
    /// [`MetricError::Graph`] if the matrix is not square, [`MetricError::NotFinite`] for a NaN off
    /// the diagonal.
    pub fn from_probs(probs: &DMatrix<f64>, threshold: f64) -> Result<Self, MetricError> {
        let dim = square(probs)?;
        let off_diagonal = (0..dim * dim).map(|n| (n / dim, n % dim)).filter(|(i, j)| i != j);
        for (row, col) in off_diagonal {
            let value = probs[(row, col)];
            if value.is_nan() {
                return Err(MetricError::NotFinite { what: "edge_probs", row, col, value });
            }
        }
        Ok(Self::from_fn(dim, |from, to| probs[(from, to)] > threshold))
    }

    /// The edges `(from, to)`, `from != to`, for which `has_edge` holds.
    pub(crate) fn from_fn(dim: usize, mut has_edge: impl FnMut(usize, usize) -> bool) -> Self {
        let mut keep = |n: usize| n / dim != n % dim && has_edge(n / dim, n % dim);
        Self { dim, adjacency: (0..dim * dim).map(&mut keep).collect() }
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Whether `from -> to`.
    pub fn has_edge(&self, from: usize, to: usize) -> bool {
        from < self.dim && to < self.dim && self.adjacency[from * self.dim + to]
    }

    /// Whether there is an edge between two variables, in either direction.
    pub fn are_adjacent(&self, i: usize, j: usize) -> bool {
        self.has_edge(i, j) || self.has_edge(j, i)
    }

    /// All unordered pairs of variables `(i, j)`, `i < j`, in row-major order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let dim = self.dim;
        (0..dim).flat_map(move |i| (i + 1..dim).map(move |j| (i, j)))
    }

    pub(crate) fn check_same_dim(&self, other: &Self) -> Result<(), MetricError> {
        check_dim("graph", self.dim, other.dim)
    }
}

impl From<&Dag> for Digraph {
    fn from(dag: &Dag) -> Self {
        Self::from_fn(dag.dim(), |from, to| dag.has_edge(from, to))
    }
}

pub(crate) fn square(m: &DMatrix<f64>) -> Result<usize, GraphError> {
    let (rows, cols) = m.shape();
    if rows == cols { Ok(rows) } else { Err(GraphError::NotSquare { rows, cols }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_binary_square_matrices_without_loops_are_graphs() {
        let text = |rows, cols, entries: &[f64]| {
            let m = DMatrix::from_row_slice(rows, cols, entries);
            Digraph::from_adjacency(&m).map_err(|e| e.to_string())
        };
        assert!(text(2, 2, &[0.0, 1.0, 1.0, 0.0]).is_ok(), "a 2-cycle is allowed");
        let error = text(2, 2, &[0.0, 0.3, 1.0, 0.0]).unwrap_err();
        assert_eq!(error, "adjacency[0, 1]: expected 0 or 1, got 0.3");
        let error = text(2, 2, &[0.0, 0.0, 0.0, 1.0]).unwrap_err();
        assert_eq!(error, "adjacency[1, 1]: expected no self-loop");
        let error = text(1, 2, &[0.0, 0.0]).unwrap_err();
        assert_eq!(error, "adjacency: expected a square matrix, got 1 x 2");
    }

    #[test]
    fn a_nan_probability_is_named() {
        let mut probs = DMatrix::zeros(3, 3);
        probs[(2, 1)] = f64::NAN;
        let error = Digraph::from_probs(&probs, 0.5).unwrap_err().to_string();
        assert_eq!(error, "edge_probs[2, 1]: expected a finite number, got NaN");
    }
}
