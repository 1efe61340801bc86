use domino_core::GraphError;
use thiserror::Error;

/// Why a score cannot be computed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum MetricError {
    /// A value is NaN, infinite, or too large for the arithmetic of the metric.
    #[error("{what}[{row}, {col}]: expected a finite number, got {value}")]
    NotFinite {
        /// Name of the matrix.
        what: &'static str,
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
        /// The value found.
        value: f64,
    },
    /// A value lies outside its range.
    #[error("{what}[{row}, {col}]: expected {expected}, got {value}")]
    Range {
        /// Name of the matrix.
        what: &'static str,
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
        /// The range, in words.
        expected: &'static str,
        /// The value found.
        value: f64,
    },
    /// An option lies outside its range.
    #[error("option {name}: expected {expected}, got {value}")]
    Option {
        /// Name of the option.
        name: &'static str,
        /// The range, in words.
        expected: &'static str,
        /// The value found.
        value: f64,
    },
    /// A matrix has no rows or no columns.
    #[error("{what}: expected at least one row and one column, got {rows} x {cols}")]
    Empty {
        /// Name of the matrix.
        what: &'static str,
        /// Rows found.
        rows: usize,
        /// Columns found.
        cols: usize,
    },
    /// Two inputs speak of different numbers of points.
    #[error("{what}: expected {expected} rows, one per point, got {got}")]
    Rows {
        /// Name of the input.
        what: &'static str,
        /// Points expected.
        expected: usize,
        /// Points found.
        got: usize,
    },
    /// Two inputs speak of different numbers of variables.
    #[error("{what}: expected {expected} variables, got {got}")]
    Dim {
        /// Name of the input.
        what: &'static str,
        /// Variables expected.
        expected: usize,
        /// Variables found.
        got: usize,
    },
    /// There are more variables than an exact search can take.
    #[error("{what}: expected at most {most} variables, got {got}")]
    TooLarge {
        /// Name of the input.
        what: &'static str,
        /// Most variables.
        most: usize,
        /// Variables found.
        got: usize,
    },
    /// There are fewer of something than needed.
    #[error("{what}: expected at least {least}, got {got}")]
    TooFew {
        /// What there are too few of.
        what: &'static str,
        /// Least number.
        least: usize,
        /// Number found.
        got: usize,
    },
    /// A factor has too many distinct values to be discrete.
    #[error("factors[.., {factor}]: expected at most {most} classes, got {got}")]
    Classes {
        /// Column of the factor.
        factor: usize,
        /// Largest number of classes.
        most: usize,
        /// Distinct values found.
        got: usize,
    },
    /// A target label names a variable that does not exist.
    #[error("label[{row}]: expected 0 (none) to {dim}, got {label}")]
    Label {
        /// Row of the label.
        row: usize,
        /// Number of variables.
        dim: usize,
        /// The label found.
        label: usize,
    },
    /// Two factors are matched with one latent.
    #[error(
        "factors {first} and {second} are both matched with latent {latent}: expected one factor per latent"
    )]
    MatchedTwice {
        /// The latent.
        latent: usize,
        /// The first of its factors.
        first: usize,
        /// The second of its factors.
        second: usize,
    },
    /// The assignment problem has no finite solution.
    #[error(
        "no best matching of {factors} factors with {latents} latents: expected gains whose sums are finite"
    )]
    Assignment {
        /// Number of factors.
        factors: usize,
        /// Number of latents.
        latents: usize,
    },
    /// A variable is its own cause.
    #[error("adjacency[{variable}, {variable}]: expected no self-loop")]
    SelfLoop {
        /// The variable.
        variable: usize,
    },
    /// A matrix is not an adjacency matrix.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
