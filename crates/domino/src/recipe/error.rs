use domino_core::files::WriteError;
use domino_dag::DagError;
use domino_model::ModelError;
use domino_train::TrainError;
use domino_vae::ConvolutionError;
use domino_vae::start::WhitenError;
use thiserror::Error;

/// Why a model could not be fitted, saved or loaded.
#[derive(Debug, Error)]
pub enum FitError {
    /// The configuration asks for something impossible.
    #[error("{key}: expected {expected}, got {got}")]
    Config {
        /// The key.
        key: &'static str,
        /// What would do.
        expected: &'static str,
        /// What was given.
        got: String,
    },
    /// The observations cannot be whitened.
    #[error(transparent)]
    Whiten(#[from] WhitenError),
    /// The pictures cannot go through convolutions.
    #[error(transparent)]
    Convolution(#[from] ConvolutionError),
    /// Training stopped early.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The graph could not be learned.
    #[error(transparent)]
    Graph(#[from] DagError),
    /// The parts of the model do not fit.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A saved model could not be read.
    #[error("{}: {reason}", path.display())]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
