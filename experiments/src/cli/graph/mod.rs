//! Graphs without a run: learning, comparing, and samples to learn from.

mod compare;
mod learn;
mod sample;

use anyhow::Result;

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Learn a causal graph
    Learn(learn::Args),
    /// Tell how a graph differs from another, which counts as the truth
    Compare(compare::Args),
    /// Draw rows from a network, with and without interventions
    Sample(sample::Args),
}

impl Command {
    pub(super) fn perform(&self) -> Result<()> {
        match self {
            Self::Learn(args) => args.perform(),
            Self::Compare(args) => args.perform(),
            Self::Sample(args) => args.perform(),
        }
    }
}
