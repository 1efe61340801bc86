use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Ending;
use super::output::say;
use super::run::watch_for_interrupts;
use crate::run::{Earlier, Outcome, Request, RunFolder, perform as perform_run};

/// What must be the same, byte for byte.
const RESULTS: [&str; 3] = ["report.json", "embedding.npz", "model"];

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    run: PathBuf,
}

/// Runs a recorded run again from its own configuration and compares the bytes.
pub(super) fn perform(args: &Args) -> Result<Ending> {
    let recorded = RunFolder::finished(&args.run)?;
    let place = tempfile::tempdir().context("cannot make a folder to run in")?;
    let request = Request {
        settings: recorded.settings()?,
        out: Some(place.path().join("run")),
        earlier: Earlier::Replace,
        keep_data: None,
        command_line: format!("domino verify {}", args.run.display()),
    };
    let stop = watch_for_interrupts()?;
    let again = match perform_run(&request, &stop)? {
        Outcome::Finished(folder, _) | Outcome::Reused(folder, _) => folder,
        Outcome::Interrupted(_) => return Ok(Ending::Interrupted),
    };
    let mut differ = Vec::new();
    for name in files(recorded.path())? {
        let bytes = |folder: &RunFolder| fs::read(folder.path().join(&name)).ok();
        let same = bytes(&recorded).is_some() && bytes(&recorded) == bytes(&again);
        say(&format!("{} {name}", if same { "same   " } else { "differs" }));
        if !same {
            differ.push(name);
        }
    }
    if !differ.is_empty() {
        bail!(
            "{}: {} differ from a run of the same configuration; expected the same bytes from the \
             same program on a machine of the same kind",
            args.run.display(),
            differ.join(", ")
        );
    }
    Ok(Ending::Done)
}

/// The files to compare, relative to the folder, sorted.
fn files(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for name in RESULTS {
        let path = root.join(name);
        if !path.is_dir() {
            names.push(name.to_owned());
            continue;
        }
        for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
            names.push(format!("{name}/{}", entry?.file_name().to_string_lossy()));
        }
    }
    names.sort();
    Ok(names)
}
