use std::path::PathBuf;

use domino_core::files::WriteError;
use thiserror::Error;

/// Why training stopped early.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The loss stayed NaN or infinite.
    #[error(
        "phase `{phase}` diverged at step {step}: the term `{term}` is {value}; expected a finite \
         loss, so try a smaller learning rate"
    )]
    Diverged {
        /// The phase.
        phase: String,
        /// The first step whose loss was not finite.
        step: u64,
        /// The first term that was not finite.
        term: &'static str,
        /// Its value.
        value: f64,
    },
    /// The run was asked to stop; its state is saved where checkpoints are kept.
    #[error("interrupted in phase `{phase}` after step {step}")]
    Interrupted {
        /// The phase.
        phase: String,
        /// Steps done.
        step: u64,
    },
    /// A checkpoint could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A checkpoint is of another run.
    #[error("{}: expected a checkpoint of run {expected}, got {found}", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// This run.
        expected: String,
        /// The run that wrote it.
        found: String,
    },
    /// A checkpoint could not be read back.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what was expected.
        reason: String,
    },
}
