use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::folder::{Failure, State, SweepFolder};
use super::plan::Line;
use crate::config::resolve;
use crate::run::{Earlier, FolderError, Outcome, Request, perform};
use crate::settings::Settings;

/// How the work on a line ended.
#[derive(Clone, Debug, PartialEq)]
pub enum LineOutcome {
    /// The run is finished, now or before.
    Finished,
    /// Another process is at it.
    Busy,
    /// It was asked to stop.
    Interrupted,
    /// It failed, now or before, and will not be tried again unasked.
    Failed(Failure),
}

/// Does one line of a plan, once: a finished or failed run is left as it is, a stopped one goes on,
/// and a run that another process is at is left to that.
///
/// # Errors
/// If the study's folder refuses. A failure of the run itself is recorded, not returned.
pub fn perform_line(folder: &SweepFolder, line: &Line, stop: &AtomicBool) -> Result<LineOutcome> {
    match folder.state(line)? {
        State::Finished => return Ok(LineOutcome::Finished),
        State::Failed(failure) => return Ok(LineOutcome::Failed(failure)),
        State::Running | State::Stopped | State::Pending => {}
    }
    let settings: Settings = resolve(&line.config, "plan.jsonl", &[] as &[&str])?;
    let request = Request {
        settings,
        out: Some(folder.run(line).path().to_owned()),
        earlier: Earlier::Keep,
        keep_data: folder.resources().keep_data.then(|| folder.path().join("data")),
        command_line: format!(
            "domino sweep run {} --index {}",
            folder.path().display(),
            line.index
        ),
    };
    match perform(&request, stop) {
        Ok(Outcome::Finished(..) | Outcome::Reused(..)) => Ok(LineOutcome::Finished),
        Ok(Outcome::Interrupted(_)) => Ok(LineOutcome::Interrupted),
        Err(error) if is_busy(&error) => Ok(LineOutcome::Busy),
        Err(error) => {
            let failure = Failure { message: format!("{error:#}"), code: None };
            folder.fail(line, &failure)?;
            Ok(LineOutcome::Failed(failure))
        }
    }
}

fn is_busy(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<FolderError>(), Some(FolderError::Busy { .. }))
}
