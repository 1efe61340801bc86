//! What the `domino` command is made of.
//!
//! [`settings`] says what a run is, [`config`] reads that from TOML and overrides, [`dataset`] brings
//! the pairs. [`run`] fits a model to them in a folder of its own, and resumes there; [`score`]
//! compares the model with the truth, [`verdict`] judges it without, [`counterfactuals`] asks it what
//! would be if, [`pictures`] draws the answers. [`graph`] learns, writes, draws and compares graphs
//! without a run. [`sweep`] does many runs and compares them, [`export`] hands them on. [`report`] turns
//! the numbers into figures and one self-contained page, and [`progress`]
//! shows on a terminal how far a run is, [`shell`] quotes words for one. [`cli`] is the command line over all of it.

pub mod cli;
pub mod config;
pub mod counterfactuals;
pub mod dataset;
pub mod export;
pub mod graph;
pub mod pictures;
pub mod progress;
pub mod report;
pub mod run;
pub mod score;
pub mod settings;
pub mod shell;
pub mod sweep;
pub mod verdict;
