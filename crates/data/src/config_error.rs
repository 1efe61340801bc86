use domino_core::GraphError;
use thiserror::Error;

use crate::factors::VariableError;

/// Why no generator can be made from its options.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ConfigError {
    /// A count is too small.
    #[error("{key}: expected at least {min}, got {got}")]
    TooFew {
        /// The option.
        key: &'static str,
        /// The least allowed.
        min: usize,
        /// The value found.
        got: usize,
    },
    /// A count is too large.
    #[error("{key}: expected at most {max}, got {got}")]
    TooMany {
        /// The option.
        key: &'static str,
        /// The most allowed.
        max: usize,
        /// The value found.
        got: usize,
    },
    /// A list has the wrong length.
    #[error("{key}: expected {expected} values, one per variable, got {got}")]
    Length {
        /// The option.
        key: &'static str,
        /// Number of variables.
        expected: usize,
        /// Length found.
        got: usize,
    },
    /// A number is not finite or out of its range.
    #[error("{key}: expected {expected}, got {got}")]
    Number {
        /// The option.
        key: &'static str,
        /// What would do.
        expected: &'static str,
        /// The value found.
        got: f64,
    },
    /// The given edges are no directed acyclic graph.
    #[error("graph: {0}")]
    Graph(GraphError),
    /// Properties of a picture cannot be variables as asked for.
    #[error(transparent)]
    Variables(#[from] VariableError),
    /// Pictures that a generator needs cannot be had.
    #[error("{key}: {reason}")]
    Source {
        /// The option.
        key: &'static str,
        /// Why not, as text so that the error stays comparable.
        reason: String,
    },
}

pub(crate) fn at_least(key: &'static str, min: usize, got: usize) -> Result<(), ConfigError> {
    if got < min { Err(ConfigError::TooFew { key, min, got }) } else { Ok(()) }
}

pub(crate) fn at_most(key: &'static str, max: usize, got: usize) -> Result<(), ConfigError> {
    if got > max { Err(ConfigError::TooMany { key, max, got }) } else { Ok(()) }
}

pub(crate) fn probability(key: &'static str, got: f64) -> Result<(), ConfigError> {
    number(key, "a number from 0 to 1", got, |p| (0.0..=1.0).contains(&p))
}

pub(crate) fn positive(key: &'static str, got: f64) -> Result<(), ConfigError> {
    number(key, "a finite number above 0", got, |v| v.is_finite() && v > 0.0)
}

pub(crate) fn not_negative(key: &'static str, got: f64) -> Result<(), ConfigError> {
    number(key, "a finite number, 0 or more", got, |v| v.is_finite() && v >= 0.0)
}

pub(crate) fn finite(key: &'static str, got: f64) -> Result<(), ConfigError> {
    number(key, "a finite number", got, f64::is_finite)
}

pub(crate) fn number(
    key: &'static str,
    expected: &'static str,
    got: f64,
    allowed: fn(f64) -> bool,
) -> Result<(), ConfigError> {
    if allowed(got) { Ok(()) } else { Err(ConfigError::Number { key, expected, got }) }
}
