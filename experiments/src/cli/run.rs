use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use domino::data::GeneratorConfig;

use super::output::{complain, say};
use super::{Ending, failure};
use crate::config::{ConfigError, resolve_file};
use crate::report::Report;
use crate::run::{Earlier, Outcome, Request, RunFolder, perform as perform_run};
use crate::settings::Settings;
use crate::shell::quoted;
use crate::{score, verdict};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration, a TOML file
    config: PathBuf,
    /// Keys to replace, such as `seed=3`, `model.d=8` or `data.path=pairs.npz`
    #[arg(value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Folder of the run [default: experiments/runs/NAME/CONFIGURATION/SEED]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep drawn pairs in this folder, for further runs on the same ones
    #[arg(long, value_name = "DIR")]
    keep_data: Option<PathBuf>,
    /// Replace an earlier run in that folder
    #[arg(long)]
    fresh: bool,
}

pub(super) fn perform(args: &Args) -> Result<Ending> {
    let request = Request {
        settings: settings(args)?,
        out: args.out.clone(),
        earlier: if args.fresh { Earlier::Replace } else { Earlier::Keep },
        keep_data: args.keep_data.clone(),
        command_line: args.command_line("domino"),
    };
    let stop = watch_for_interrupts()?;
    Ok(match perform_run(&request, &stop)? {
        Outcome::Finished(folder, report) => tell(&folder, &report),
        Outcome::Reused(folder, report) => {
            complain(&format!(
                "finished before, in {}; --fresh runs it again",
                folder.path().display()
            ));
            tell(&folder, &report)
        }
        Outcome::Interrupted(_) => {
            let program = std::env::args().next().unwrap_or_else(|| "domino".to_owned());
            complain("interrupted; its state is saved, and this command goes on from there:");
            complain(&args.command_line(&program));
            Ending::Interrupted
        }
    })
}

fn tell(folder: &RunFolder, report: &Report) -> Ending {
    say(&folder.page().display().to_string());
    say(&report
        .scores
        .as_ref()
        .map_or_else(|| verdict::one_line(&report.verdict), score::one_line));
    Ending::Done
}

/// The settings of file and overrides. A `data.path` from the command line takes the place of a
/// generator from the file.
fn settings(args: &Args) -> Result<Settings, ConfigError> {
    let settings: Settings = resolve_file(&args.config, &args.overrides)?;
    let sets = |key: &str| args.overrides.iter().any(|o| o.trim_start().starts_with(key));
    let sets_generator = || GeneratorConfig::KINDS.iter().any(|kind| sets(&format!("data.{kind}")));
    if sets("data.path") && !sets_generator() && settings.data.path.is_some() {
        let data = settings.data.without_generator();
        return Ok(Settings { data, ..settings });
    }
    Ok(settings)
}

/// A flag that the first interrupt sets; the second ends the process.
pub(super) fn watch_for_interrupts() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            process::exit(i32::from(failure::INTERRUPTED));
        }
    })
    .context("cannot watch for interrupts")?;
    Ok(stop)
}

impl Args {
    /// The command that does the same, `--fresh` left out.
    fn command_line(&self, program: &str) -> String {
        let mut words =
            vec![program.to_owned(), "run".to_owned(), self.config.display().to_string()];
        words.extend(self.overrides.iter().cloned());
        if let Some(out) = &self.out {
            words.extend(["--out".to_owned(), out.display().to_string()]);
        }
        if let Some(keep) = &self.keep_data {
            words.extend(["--keep-data".to_owned(), keep.display().to_string()]);
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_resume_survives_a_shell() {
        let args = Args {
            config: "my configs/a.toml".into(),
            overrides: vec!["seed=3".into(), "name=it's".into()],
            out: Some("out".into()),
            keep_data: Some("kept".into()),
            fresh: true,
        };
        assert_eq!(
            args.command_line("domino"),
            r"domino run 'my configs/a.toml' seed=3 'name=it'\''s' --out out --keep-data kept"
        );
    }
}
