use thiserror::Error;

/// Why properties of a picture cannot be causal variables as asked for.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum VariableError {
    /// A name that no property has.
    #[error("variables: expected any of {known}, got {name}")]
    Unknown {
        /// The name found.
        name: String,
        /// All names.
        known: String,
    },
    /// Nothing varies.
    #[error("variables: expected at least one")]
    Nothing,
    /// A name appears twice.
    #[error("variables: expected each once, got {name} twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A variable is given a fixed value.
    #[error("fixed.{name}: expected a property that is no variable")]
    FixedAndVaried {
        /// The name.
        name: String,
    },
    /// A fixed value that the property cannot have.
    #[error("fixed.{name}: expected {expected}, got {got}")]
    Fixed {
        /// The property.
        name: String,
        /// What would do.
        expected: String,
        /// The value found.
        got: f64,
    },
    /// A cause is given to a variable whose noise could not be told from its value.
    #[error("graph: expected no edge into the discrete variable {name}, got one from {cause}")]
    CausedDiscrete {
        /// The discrete variable.
        name: String,
        /// Its cause.
        cause: String,
    },
}
