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
    /// There is no pair or row, or no variable.
    #[error("expected at least one pair and one variable, got {pairs} pairs of {dim} variables")]
    Empty {
        /// Number of pairs or rows.
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
    /// A categorical value is not one of its column's states.
    #[error("columns[{row}, {col}]: expected a state below {states}, got {state}")]
    State {
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
        /// The value.
        state: u32,
        /// Number of states of the column.
        states: usize,
    },
    /// A column is of the wrong kind for a learner.
    #[error("column {col}: expected a {expected} variable")]
    Kind {
        /// The column.
        col: usize,
        /// The kind that would do.
        expected: &'static str,
    },
    /// A regime names a variable or a probability that cannot be.
    #[error(
        "regime {regime}: expected variables below {dim} with probabilities from 0 to 1, \
         got {target} with {probability}"
    )]
    Regime {
        /// The regime.
        regime: usize,
        /// The variable.
        target: usize,
        /// Its probability.
        probability: f64,
        /// Number of variables.
        dim: usize,
    },
    /// A row names a regime that does not exist.
    #[error("row {row}: expected a regime below {regimes}, got {regime}")]
    RegimeOfRow {
        /// The row.
        row: usize,
        /// Its regime.
        regime: usize,
        /// Number of regimes.
        regimes: usize,
    },
    /// A row of a conditional probability table is no distribution.
    #[error(
        "table {variable}, row {row}: expected probabilities that sum to 1, got a sum of {sum}"
    )]
    NotDistribution {
        /// The variable.
        variable: usize,
        /// The row, a state of the parents.
        row: usize,
        /// Sum of the row.
        sum: f64,
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
