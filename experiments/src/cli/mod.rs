//! The command line.
//!
//! Exit codes: 0 for success, 2 for whatever the user can mend (arguments, configuration, data,
//! folders), 1 for a fault of the program, 130 for a run that was interrupted.

mod changed;
mod data;
mod diagnose;
mod embed;
mod evaluate;
mod export;
mod failure;
mod graph;
mod intervene;
mod metrics;
mod output;
mod report;
mod run;
mod sweep;
mod verify;

use std::ffi::OsString;
use std::panic;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::json_schema;
use crate::settings::Settings;
use output::{complain, say};

/// Learns causal variables, intervention targets and a causal graph from before-and-after pairs.
#[derive(Debug, Parser)]
#[command(name = "domino", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what pairs alone tell of the assumptions of learning, before anything is trained
    Diagnose(diagnose::Args),
    /// Fit a model as a configuration says, measure it and write a report
    ///
    /// A run that is finished is not run again, and one that was stopped goes on.
    Run(run::Args),
    /// Measure a finished run again, on its own test pairs or on those of a file
    Evaluate(evaluate::Args),
    /// Write the variables and targets that a finished run's model sees in the pairs of a file
    Embed(embed::Args),
    /// Ask a finished run's model what an observation would have been
    Intervene(intervene::Args),
    /// Ask a finished run's model what was changed between two pictures
    Changed(changed::Args),
    /// Score what any model says against the truth, by every metric that both allow
    Metrics(metrics::Args),
    /// Learn a causal graph from pairs or samples, compare two, or draw samples from a network
    #[command(subcommand)]
    Graph(graph::Command),
    /// Draw the report of a run again, or write a page that compares several
    Report(report::Args),
    /// Make, check, look at or convert pairs
    #[command(subcommand)]
    Data(data::Command),
    /// Plan, do and compare many runs
    #[command(subcommand)]
    Sweep(sweep::Command),
    /// Run a finished run again from its own configuration and compare the bytes
    Verify(verify::Args),
    /// Hand runs on to other trackers
    #[command(subcommand)]
    Export(export::Command),
    /// Print the JSON schema of configurations
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    Interrupted,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // The default hook has printed the fault by the time it arrives here.
    let ended = panic::catch_unwind(|| {
        let cli = Cli::parse_from(&arguments);
        cli.command.perform()
    });
    match ended {
        Ok(Ok(Ending::Done)) => ExitCode::SUCCESS,
        Ok(Ok(Ending::Interrupted)) => ExitCode::from(failure::INTERRUPTED),
        Ok(Err(error)) => {
            complain(&format!("error: {}", failure::chain(&error)));
            ExitCode::from(failure::code(&error))
        }
        Err(_) => ExitCode::from(failure::FAULT),
    }
}

impl Command {
    fn perform(&self) -> Result<Ending> {
        match self {
            Self::Diagnose(args) => diagnose::perform(args)?,
            Self::Run(args) => return run::perform(args),
            Self::Evaluate(args) => evaluate::perform(args)?,
            Self::Embed(args) => embed::perform(args)?,
            Self::Intervene(args) => intervene::perform(args)?,
            Self::Changed(args) => changed::perform(args)?,
            Self::Metrics(args) => metrics::perform(args)?,
            Self::Graph(command) => command.perform()?,
            Self::Report(args) => report::perform(args)?,
            Self::Data(command) => return command.perform(),
            Self::Sweep(command) => return command.perform(),
            Self::Verify(args) => return verify::perform(args),
            Self::Export(command) => command.perform()?,
            Self::Schema => say(&json_schema::<Settings>()?),
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut Cli::command(), "domino", &mut script);
                say(String::from_utf8_lossy(&script).trim_end());
            }
        }
        Ok(Ending::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_contradict_nothing() {
        Cli::command().debug_assert();
    }
}
