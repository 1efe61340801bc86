//! The `domino` program as its users meet it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says why")]

mod commands;
mod data;
mod graph;
mod metrics;
mod pictures;
mod place;
mod pool;
mod refusals;
mod reproducing;
mod resuming;
mod slurm;
mod sweeping;
mod trackers;
