//! Random structural causal models of any size and vectors that mix their variables.
//!
//! A [`World`] is drawn from a [`ScalingConfig`]: a graph, a mechanism per variable and a mixing of
//! the variables into observations. It then yields any number of before/after pairs with their
//! truth. The linear world with a rotation is the benchmark of Brehmer et al. 2022, section 5.4;
//! location-scale mechanisms and the leaky-ReLU mixing make it nonlinear, and variables may be discrete.

mod config;
mod levels;
mod linalg;
mod mechanisms;
mod mixing;
mod sample;
mod short_form;
mod world;

pub use config::{
    GraphConfig, LeakyReluConfig, LinearConfig, MechanismConfig, MixingConfig, MlpConfig,
    RandomGraph, ScalingConfig, WeightLaw,
};
pub use world::World;

pub(crate) use config::graph_schema;
pub(crate) use short_form::{name_or_table, name_or_table_schema};

pub use crate::config_error::ConfigError;

#[cfg(test)]
mod config_tests;
#[cfg(test)]
mod tests;
