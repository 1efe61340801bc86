use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domino::core::files::{WriteError, create_folder, write_bytes};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::file::Resources;
use super::plan::{Line, Plan, PlanError};
use crate::run::{FolderError, RunFolder};

const PLAN: &str = "plan.jsonl";
const HEAD: &str = "sweep.json";

/// The folder of a study.
///
/// `sweep.json` and `plan.jsonl` say what is to be done, `runs/<id>` are the folders of the runs,
/// `failures/<id>.json` say why a run failed, `logs/<id>.log` hold what it printed.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepFolder {
    root: PathBuf,
    plan: Plan,
    resources: Resources,
}

/// The content of `sweep.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    name: String,
    runs: usize,
    resources: Resources,
}

/// How far a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It has a report.
    Finished,
    /// A process is at it.
    Running,
    /// It failed.
    Failed(Failure),
    /// It was stopped and will go on.
    Stopped,
    /// Nothing is there.
    Pending,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What it said.
    pub message: String,
    /// Its exit code; nothing if it was killed.
    pub code: Option<i32>,
}

/// Why a study cannot go on.
#[derive(Debug, Error)]
pub enum SweepError {
    /// The sweep file is wrong.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder holds another study, or another state of it.
    #[error(
        "{}: its plan of {found} runs is another than that of the sweep file ({expected} runs): \
         `domino sweep plan FILE --out {}` replaces it and keeps the runs that both have",
        path.display(), path.display()
    )]
    OtherPlan {
        /// The folder.
        path: PathBuf,
        /// Runs of its plan.
        found: usize,
        /// Runs of the sweep file.
        expected: usize,
    },
    /// The folder holds no study.
    #[error("{}: expected the folder of a sweep, got no {PLAN} in it: {reason}", path.display())]
    NoPlan {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A file of the study is damaged.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such line.
    #[error("--index {index}: expected one of the {runs} runs of the plan, counted from 0")]
    NoLine {
        /// The line asked for.
        index: usize,
        /// Lines of the plan.
        runs: usize,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A run's folder is unfit.
    #[error(transparent)]
    Run(#[from] FolderError),
}

impl SweepFolder {
    /// Writes the plan of a sweep file into a folder, in place of an earlier one; the runs stay.
    ///
    /// # Errors
    /// [`SweepError`] if the sweep file is wrong or the folder refuses.
    pub fn plan(file: &Path, root: &Path) -> Result<Self, SweepError> {
        let (sweep, plan) = Plan::of_file(file)?;
        let head =
            Head { name: plan.name.clone(), runs: plan.lines.len(), resources: sweep.resources };
        create_folder(root)?;
        // A folder counts as planned once it has the plan, which is therefore the last to appear.
        write_json(&root.join(HEAD), &head)?;
        write_bytes(&root.join(PLAN), plan.to_jsonl()?.as_bytes())?;
        Ok(Self { root: root.to_owned(), plan, resources: sweep.resources })
    }

    /// The folder of a sweep file's plan, which it already has or is given now.
    ///
    /// # Errors
    /// [`SweepError::OtherPlan`] if it has another one, and those of [`SweepFolder::plan`].
    pub fn prepare(file: &Path, root: &Path) -> Result<Self, SweepError> {
        if !root.join(PLAN).exists() {
            return Self::plan(file, root);
        }
        let (there, (_, plan)) = (Self::open(root)?, Plan::of_file(file)?);
        if there.plan != plan {
            let (found, expected) = (there.plan.lines.len(), plan.lines.len());
            return Err(SweepError::OtherPlan { path: root.to_owned(), found, expected });
        }
        Ok(there)
    }

    /// The folder of a study that has been planned.
    ///
    /// # Errors
    /// [`SweepError`] if there is no plan, or a damaged one.
    pub fn open(root: &Path) -> Result<Self, SweepError> {
        let read = |name: &str| {
            fs::read_to_string(root.join(name))
                .map_err(|reason| SweepError::NoPlan { path: root.to_owned(), reason })
        };
        let damaged =
            |name: &str, reason: String| SweepError::Damaged { path: root.join(name), reason };
        let head: Head =
            serde_json::from_str(&read(HEAD)?).map_err(|e| damaged(HEAD, e.to_string()))?;
        let lines = read(PLAN)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Line>, _>>()
            .map_err(|e| damaged(PLAN, e.to_string()))?;
        if lines.len() != head.runs {
            let reason = format!("expected {} lines as in {HEAD}, got {}", head.runs, lines.len());
            return Err(damaged(PLAN, reason));
        }
        let plan = Plan { name: head.name, lines };
        Ok(Self { root: root.to_owned(), plan, resources: head.resources })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What is to be done.
    pub fn runs(&self) -> &Plan {
        &self.plan
    }

    /// What one run needs.
    pub fn resources(&self) -> Resources {
        self.resources
    }

    /// A line of the plan.
    ///
    /// # Errors
    /// [`SweepError::NoLine`] if there is none of that number.
    pub fn line(&self, index: usize) -> Result<&Line, SweepError> {
        let runs = self.plan.lines.len();
        self.plan.lines.get(index).ok_or(SweepError::NoLine { index, runs })
    }

    /// The folder of a line's run.
    pub fn run(&self, line: &Line) -> RunFolder {
        RunFolder::new(self.root.join("runs").join(&line.id))
    }

    /// The file of what a line's run prints.
    pub fn log(&self, line: &Line) -> PathBuf {
        self.root.join("logs").join(format!("{}.log", line.id))
    }

    /// How far a line is.
    ///
    /// # Errors
    /// [`SweepError::Damaged`] if its record of failure cannot be read.
    pub fn state(&self, line: &Line) -> Result<State, SweepError> {
        let run = self.run(line);
        if RunFolder::finished(run.path()).is_ok() {
            return Ok(State::Finished);
        }
        if run.is_busy() {
            return Ok(State::Running);
        }
        if let Some(failure) = self.failure(line)? {
            return Ok(State::Failed(failure));
        }
        Ok(if run.config().is_ok() { State::Stopped } else { State::Pending })
    }

    /// Records that a line's run failed.
    ///
    /// # Errors
    /// [`SweepError::Write`] if the system refuses.
    pub fn fail(&self, line: &Line, failure: &Failure) -> Result<(), SweepError> {
        let path = self.failure_path(line);
        create_folder(path.parent().unwrap_or(&self.root))?;
        write_json(&path, failure)
    }

    /// Forgets that a line's run failed, and what is left of that run.
    ///
    /// # Errors
    /// [`SweepError`] if a process is at it, or the system refuses.
    pub fn forgive(&self, line: &Line) -> Result<(), SweepError> {
        let run = self.run(line);
        let lock = run.lock()?;
        run.clear()?;
        drop(lock);
        let path = self.failure_path(line);
        match fs::remove_file(&path) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                Err(WriteError { path, reason }.into())
            }
            _ => Ok(()),
        }
    }

    fn failure_path(&self, line: &Line) -> PathBuf {
        self.root.join("failures").join(format!("{}.json", line.id))
    }

    fn failure(&self, line: &Line) -> Result<Option<Failure>, SweepError> {
        let path = self.failure_path(line);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        let damaged = |e: serde_json::Error| SweepError::Damaged { path, reason: e.to_string() };
        serde_json::from_str(&text).map(Some).map_err(damaged)
    }
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), SweepError> {
    let unwritable =
        |e: serde_json::Error| SweepError::Damaged { path: path.to_owned(), reason: e.to_string() };
    let json = serde_json::to_string_pretty(value).map_err(unwritable)? + "\n";
    Ok(write_bytes(path, json.as_bytes())?)
}
