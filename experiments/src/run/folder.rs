use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domino::core::files::{Lock, WriteError, create_folder, write_bytes};
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::config::{ConfigError, resolve};
use crate::pictures::{Panel, read_panels};
use crate::report::{Curves, CurvesError, Report, RunInfo};
use crate::settings::Settings;

const CONFIG: &str = "config.toml";
const RUN: &str = "run.json";
const REPORT: &str = "report.json";
const PICTURES: &str = "pictures";
const METRICS: &str = "metrics.jsonl";
const LOCK: &str = ".lock";

/// Everything a run writes, the mark of a finished run first.
const CONTENT: [&str; 11] = [
    REPORT,
    "report.html",
    "figures",
    PICTURES,
    "evaluation.json",
    "embedding.npz",
    "model",
    "checkpoints",
    METRICS,
    RUN,
    CONFIG,
];

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    root: PathBuf,
}

/// How far the run in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing is there.
    New,
    /// It was stopped.
    Unfinished,
    /// It has a report.
    Finished,
}

/// Why a folder cannot serve a run.
#[derive(Debug, Error)]
pub enum FolderError {
    /// It holds something else.
    #[error(
        "{}: expected a new folder, an empty one or one of a run, got one without {CONFIG} that \
         holds `{found}`",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// One of the names in it.
        found: String,
    },
    /// It holds another run.
    #[error(
        "{} holds a run with another {what}: expected the same; choose another --out, or replace \
         that run with --fresh",
        path.display()
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// Another process is running in it.
    #[error("{}: another process is running there: expected a folder of its own", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// It holds no finished run.
    #[error("{}: expected the folder of a finished run, got no {REPORT} in it", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The configuration cannot be read back.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The learning curves cannot be read back.
    #[error("{METRICS}: {0}")]
    Curves(#[from] CurvesError),
}

impl RunFolder {
    /// The folder at a path, whatever it holds.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of a finished run.
    ///
    /// # Errors
    /// [`FolderError::NoRun`] if it has no report.
    pub fn finished(root: &Path) -> Result<Self, FolderError> {
        if root.join(REPORT).is_file() {
            return Ok(Self::new(root.to_owned()));
        }
        Err(FolderError::NoRun { path: root.to_owned() })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Where checkpoints lie.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// Where the fitted model lies.
    pub fn model(&self) -> PathBuf {
        self.root.join("model")
    }

    /// The embedding of the test pairs.
    pub fn embedding(&self) -> PathBuf {
        self.root.join("embedding.npz")
    }

    /// The log of the losses.
    pub fn metrics(&self) -> PathBuf {
        self.root.join(METRICS)
    }

    /// The page.
    pub fn page(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// Writes pages of pictures, if there are any.
    ///
    /// # Errors
    /// [`FolderError::Write`] if the folder refuses.
    pub fn write_panels(&self, panels: &[Panel]) -> Result<(), FolderError> {
        if panels.is_empty() {
            return Ok(());
        }
        let folder = self.root.join(PICTURES);
        create_folder(&folder)?;
        for panel in panels {
            write_bytes(&folder.join(panel.file), &panel.bytes)?;
        }
        Ok(())
    }

    /// The pages of pictures that the run has.
    pub fn panels(&self) -> Vec<Panel> {
        read_panels(&self.root.join(PICTURES))
    }

    /// How far the run of this configuration, as canonical TOML, on data of this checksum is.
    ///
    /// # Errors
    /// [`FolderError::Other`] if the folder is another run's, [`FolderError::Foreign`] if it is no
    /// run's at all.
    pub fn progress(&self, config: &str, checksum: &str) -> Result<Progress, FolderError> {
        let Some(found) = self.read_if_there(CONFIG)? else {
            return match self.first_name()? {
                None => Ok(Progress::New),
                Some(found) => Err(FolderError::Foreign { path: self.root.clone(), found }),
            };
        };
        let other = |what| FolderError::Other { path: self.root.clone(), what };
        if found != config {
            return Err(other("configuration"));
        }
        if self.run_info()?.is_some_and(|info| info.data_checksum != checksum) {
            return Err(other("state of its data"));
        }
        let finished = self.root.join(REPORT).is_file();
        Ok(if finished { Progress::Finished } else { Progress::Unfinished })
    }

    /// Makes the folder and keeps other processes out of it for as long as the lock lives.
    ///
    /// # Errors
    /// [`FolderError::Busy`] if another process is running there, [`FolderError::Write`] if the
    /// system refuses.
    pub fn lock(&self) -> Result<Lock, FolderError> {
        let path = self.root.join(LOCK);
        let refused = |reason| WriteError { path: path.clone(), reason };
        let busy = || FolderError::Busy { path: self.root.clone() };
        create_folder(&self.root)?;
        Lock::take(&path).map_err(refused)?.ok_or_else(busy)
    }

    /// Whether another process is running there now.
    pub fn is_busy(&self) -> bool {
        Lock::is_held(&self.root.join(LOCK))
    }

    /// Makes the folder with its configuration and what is known of the run so far.
    ///
    /// # Errors
    /// [`FolderError::Write`] if the system refuses.
    pub fn begin(&self, config: &str, info: &RunInfo) -> Result<(), FolderError> {
        create_folder(&self.root)?;
        write_bytes(&self.root.join(CONFIG), config.as_bytes())?;
        self.write_run_info(info)?;
        create_folder(&self.checkpoints())?;
        Ok(create_folder(&self.model())?)
    }

    /// Removes what a run wrote, and nothing else; nothing at all where there is no run.
    ///
    /// # Errors
    /// [`FolderError::Write`] if the system refuses.
    pub fn clear(&self) -> Result<(), FolderError> {
        if !self.root.join(CONFIG).exists() {
            return Ok(());
        }
        for name in CONTENT {
            let path = self.root.join(name);
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                    return Err(WriteError { path, reason }.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes a run that failed before its first checkpoint, and its folder.
    ///
    /// # Errors
    /// [`FolderError::Write`] if the system refuses.
    pub fn discard_if_untrained(&self) -> Result<(), FolderError> {
        let trained = fs::read_dir(self.checkpoints()).is_ok_and(|mut all| all.next().is_some());
        if trained {
            return Ok(());
        }
        self.clear()?;
        // Whatever else is in the folder is not the run's.
        let _ = fs::remove_file(self.root.join(LOCK)).and_then(|()| fs::remove_dir(&self.root));
        Ok(())
    }

    /// Writes `run.json`.
    ///
    /// # Errors
    /// [`FolderError::Write`] if the system refuses.
    pub fn write_run_info(&self, info: &RunInfo) -> Result<(), FolderError> {
        let path = self.root.join(RUN);
        let unwritable = |e: serde_json::Error| self.unreadable(RUN, e);
        let json = serde_json::to_string_pretty(info).map_err(unwritable)? + "\n";
        Ok(write_bytes(&path, json.as_bytes())?)
    }

    /// What ran where, if that is known.
    ///
    /// # Errors
    /// [`FolderError::Read`] if the file is unreadable.
    pub fn run_info(&self) -> Result<Option<RunInfo>, FolderError> {
        self.json_if_there(RUN)
    }

    /// The report of a finished run.
    ///
    /// # Errors
    /// [`FolderError::NoRun`] if there is none, [`FolderError::Read`] if it is unreadable.
    pub fn report(&self) -> Result<Report, FolderError> {
        self.json_if_there(REPORT)?.ok_or_else(|| FolderError::NoRun { path: self.root.clone() })
    }

    /// The learning curves so far.
    ///
    /// # Errors
    /// [`FolderError`] if the log is unreadable.
    pub fn curves(&self) -> Result<Curves, FolderError> {
        Ok(Curves::from_jsonl(&self.read_if_there(METRICS)?.unwrap_or_default())?)
    }

    /// The resolved configuration as TOML.
    ///
    /// # Errors
    /// [`FolderError::Read`] if the file is missing.
    pub fn config(&self) -> Result<String, FolderError> {
        self.read_if_there(CONFIG)?.ok_or_else(|| self.unreadable(CONFIG, "no such file"))
    }

    /// The settings of the run.
    ///
    /// # Errors
    /// [`FolderError`] if the configuration is missing or of another version.
    pub fn settings(&self) -> Result<Settings, FolderError> {
        let name = self.root.join(CONFIG).display().to_string();
        Ok(resolve(&self.config()?, &name, &[] as &[&str])?)
    }

    fn json_if_there<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FolderError> {
        let Some(text) = self.read_if_there(name)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|e| self.unreadable(name, e))
    }

    fn read_if_there(&self, name: &str) -> Result<Option<String>, FolderError> {
        match fs::read_to_string(self.root.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            // The path leads through a file: there is nothing, and beginning a run will say so.
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(e) => Err(self.unreadable(name, e)),
        }
    }

    fn unreadable(&self, name: &str, reason: impl ToString) -> FolderError {
        FolderError::Read { path: self.root.join(name), reason: reason.to_string() }
    }

    /// A name in the folder, but those of the lock and of files that were being written aside.
    fn first_name(&self) -> Result<Option<String>, FolderError> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Ok(None) };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| self.unreadable("", e))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        let aside = |name: &str| {
            name == LOCK
                || name.starts_with('.')
                    && Path::new(name).extension().is_some_and(|kind| kind == "tmp")
        };
        names.retain(|name| !aside(name));
        names.sort();
        Ok(names.into_iter().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(checksum: &str) -> RunInfo {
        RunInfo {
            revision: String::new(),
            versions: Vec::new(),
            device: "cpu".into(),
            threads: 1,
            host: String::new(),
            started: String::new(),
            wall_seconds: 0.0,
            cpu_seconds: 0.0,
            data_checksum: checksum.into(),
            command_line: String::new(),
        }
    }

    #[test]
    fn a_folder_belongs_to_one_configuration_and_one_state_of_the_data() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(place.path().join("run"));
        assert_eq!(folder.progress("a = 1", "c0").unwrap(), Progress::New);
        folder.begin("a = 1", &info("c0")).unwrap();
        assert_eq!(folder.progress("a = 1", "c0").unwrap(), Progress::Unfinished);
        let text = |config, checksum| folder.progress(config, checksum).unwrap_err().to_string();
        assert!(text("a = 2", "c0").contains("another configuration"));
        assert!(text("a = 1", "c1").contains("another state of its data"));
        fs::write(folder.path().join(REPORT), "{}").unwrap();
        assert_eq!(folder.progress("a = 1", "c0").unwrap(), Progress::Finished);
    }

    #[test]
    fn clearing_leaves_what_is_not_the_runs() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(place.path().to_owned());
        fs::write(place.path().join("notes.txt"), "mine").unwrap();
        assert!(matches!(folder.progress("", ""), Err(FolderError::Foreign { .. })));
        folder.begin("a = 1", &info("")).unwrap();
        folder.clear().unwrap();
        assert_eq!(folder.first_name().unwrap().as_deref(), Some("notes.txt"));
    }
}
