use domino_core::GraphError;
use thiserror::Error;

/// Why no graph can be learned.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DagError {
    /// A matrix has the wrong shape.
    #[error("{what}: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// The matrix.
        what: &'static str,
        /// Rows and columns expected.
        expected: [usize; 2],
        /// Rows and columns found.
        got: [usize; 2],
    },
    /// There is no pair or no variable.
    #[error("expected at least one pair and one variable, got {pairs} pairs of {dim} variables")]
    Empty {
        /// Number of pairs.
        pairs: usize,
        /// Number of variables.
        dim: usize,
    },
    /// A code is NaN or infinite.
    #[error("{what}[{row}, {col}]: expected a finite number, got {value}")]
    NotFinite {
        /// The matrix.
        what: &'static str,
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
        /// The value.
        value: f64,
    },
    /// A target probability lies outside 0 to 1.
    #[error("target_probs[{row}, {col}]: expected a probability from 0 to 1, got {value}")]
    NotProbability {
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
        /// The value.
        value: f64,
    },
    /// An option is out of its range.
    #[error("{key}: expected {expected}, got {got}")]
    Option {
        /// The option.
        key: &'static str,
        /// What would do.
        expected: &'static str,
        /// The value found.
        got: f64,
    },
    /// The edges found are no acyclic graph.
    #[error("learned edges: {0}")]
    Graph(#[from] GraphError),
}
