//! Every metric that a prediction and a truth allow, as one table.

mod card;
mod context;
mod discrete;
mod graphs;
mod input;
mod latents;
mod reason;
mod registry;

pub use card::{Missing, Points, Score, ScoreError, ScoreOptions, Scorecard, scorecard};
pub use input::{Prediction, Truth};
pub use registry::{Better, Cost, MetricInfo, metrics};
