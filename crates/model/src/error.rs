use thiserror::Error;

/// What can go wrong when a model is built or asked.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ModelError {
    /// Two sizes disagree.
    #[error("{what}: expected {expected}, got {got}")]
    Size {
        /// Which size.
        what: &'static str,
        /// The size that fits.
        expected: usize,
        /// The size found.
        got: usize,
    },
    /// A model needs an acyclic graph.
    #[error("effects: {0}")]
    Graph(#[from] domino_core::GraphError),
    /// A matrix has no inverse.
    #[error("{what}: expected a matrix of rank {expected}, got rank {got}")]
    Rank {
        /// Which matrix.
        what: &'static str,
        /// The rank that is needed.
        expected: usize,
        /// The rank found.
        got: usize,
    },
}
