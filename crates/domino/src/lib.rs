//! Weakly supervised causal representation learning.
//!
//! From pairs of observations, before and after unknown interventions, Domino learns the causal
//! variables behind them, which of them each intervention hit, the graph between them, and a
//! model that answers what an observation would have been. The crates are re-exported by name;
//! [`recipe`] is where they meet: [`recipe::fit`] takes pairs to a fitted model.

pub use domino_core as core;
pub use domino_dag as dag;
pub use domino_data as data;
pub use domino_metrics as metrics;
pub use domino_model as model;
pub use domino_train as train;
pub use domino_vae as vae;

pub mod recipe;
