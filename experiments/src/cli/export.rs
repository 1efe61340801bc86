use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use domino::core::files::{create_folder, write_bytes};

use super::output::say;
use crate::export::mlflow::{Replay, Server};
use crate::export::{long_csv, tensorboard_events};
use crate::run::RunFolder;

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write the losses of each run as `losses.csv` into its folder
    Csv {
        /// Folders of finished runs
        #[arg(required = true)]
        runs: Vec<PathBuf>,
    },
    /// Write an event file for each run: `tensorboard --logdir DIR` shows them
    Tensorboard {
        /// Folders of finished runs
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// Folder of the event files, one folder in it per run
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Replay each run to an MLflow server
    Mlflow {
        /// Folders of finished runs
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// Address of the server
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:5000")]
        server: String,
    },
}

impl Command {
    pub(super) fn perform(&self) -> Result<()> {
        match self {
            Self::Csv { runs } => runs.iter().try_for_each(|run| {
                let folder = RunFolder::finished(run)?;
                let path = folder.path().join("losses.csv");
                write_bytes(&path, long_csv(&folder.curves()?).as_bytes())?;
                say(&path.display().to_string());
                Ok(())
            }),
            Self::Tensorboard { runs, out } => tensorboard(runs, out),
            Self::Mlflow { runs, server } => mlflow(runs, server),
        }
    }
}

fn tensorboard(runs: &[PathBuf], out: &std::path::Path) -> Result<()> {
    for run in runs {
        let folder = RunFolder::finished(run)?;
        let report = folder.report()?;
        let name = format!("{}-{}-{}", report.experiment, report.config_hash, report.seed);
        let place = out.join(name);
        create_folder(&place)?;
        // TensorBoard knows event files by this part of their name.
        let path = place.join("events.out.tfevents.0.domino");
        let events =
            tensorboard_events(&folder.curves()?, report.scores.as_ref(), now().as_secs_f64());
        write_bytes(&path, &events)?;
        say(&path.display().to_string());
    }
    Ok(())
}

fn mlflow(runs: &[PathBuf], address: &str) -> Result<()> {
    let server = Server::new(address);
    for run in runs {
        let folder = RunFolder::finished(run)?;
        let (report, curves) = (folder.report()?, folder.curves()?);
        let (info, config) = (folder.run_info()?, folder.config()?);
        let time = u64::try_from(now().as_millis()).unwrap_or(0);
        let replay =
            Replay { report: &report, curves: &curves, info: info.as_ref(), config: &config, time };
        say(&format!("{}: run {} of {address}", run.display(), server.replay(&replay)?));
    }
    Ok(())
}

fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
