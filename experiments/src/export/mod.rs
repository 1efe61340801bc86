//! Runs handed on to the trackers that others use.
//!
//! [`long_csv`] writes losses for any tool that reads tables, [`tensorboard_events`] what TensorBoard
//! reads, and [`mlflow`] replays a run to an MLflow server.

mod csv;
pub mod mlflow;
mod tensorboard;

pub use csv::long_csv;
pub use tensorboard::tensorboard_events;
