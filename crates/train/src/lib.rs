//! The training loop: batching, schedules, optimisation, checkpoints, observers.
//!
//! [`train`] minimises any [`domino_model::PairObjective`] over a [`PairSource`] for one
//! [`PhaseConfig`]. Every random number of step `t` comes from parts of the run's streams that
//! belong to that step alone, so that a run resumed from a checkpoint draws what it would have
//! drawn, and ends with the same bytes. Nothing here knows of files' truth, of metrics, or of what
//! is being learned.
//!
//! ```
//! use domino_train::Schedule;
//!
//! let tau = Schedule::ramp(0.5, 0.03).until(0.7).exponential();
//! assert_eq!(tau.at(0.0), 0.5);
//! assert!((tau.at(0.35) - (0.5_f64 * 0.03).sqrt()).abs() < 1e-12); // half-way in logarithms
//! assert!((tau.at(0.9) - 0.03).abs() < 1e-12);
//! ```

mod adam;
mod basis;
mod checkpoint;
mod error;
mod history;
mod observer;
mod run;
mod schedule;
mod source;
mod weights;

pub use adam::{Adam, AdamConfig};
pub use basis::BasisConfig;
pub use checkpoint::Checkpoints;
pub use error::TrainError;
pub use observer::{Observer, Silent, StepReport};
pub use run::{PhaseConfig, TrainContext, train};
pub use schedule::{LearningRate, Schedule};
pub use source::PairSource;
pub use weights::{load_weights, save_weights};
