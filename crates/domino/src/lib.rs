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

pub mod diagnose;
pub mod recipe;

/// What a program that fits and scores models needs.
pub mod prelude {
    pub use domino_core::{
        Dag, Embedding, GroundTruth, InterventionTarget, Observations, Pairs, Seed, Stream,
    };
    pub use domino_data::npz::{Limits, read_pairs, write_embedding, write_pairs};
    pub use domino_data::scaling::{ScalingConfig, World};
    pub use domino_data::{Generator, Split};
    pub use domino_metrics::{Correlation, DciOptions, Reversal, Sample, dci, mcc, shd};
    pub use domino_model::{Action, Causal, LatentCausalModel, Noise, Obs, Scm, cpu, device};
    pub use domino_train::{Checkpoints, Observer, Silent, TrainContext};

    pub use crate::recipe::{self, Fit, RecipeConfig};
}

/// The README's example runs with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
