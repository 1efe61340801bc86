use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;

use domino::train::{Observer, StepReport, TrainError};
use serde_json::{Map, Value, json};

use crate::progress::Progress;

/// Writes losses to `metrics.jsonl` and shows progress.
pub struct RunLog {
    file: File,
    progress: Progress,
    /// Whether stderr shows the progress; otherwise each phase is a line of text.
    terminal: bool,
    /// How often a phase of each name was finished: levels of the mechanisms share a name.
    finished: BTreeMap<String, usize>,
    label: String,
    error: Option<io::Error>,
}

impl RunLog {
    /// A log that goes on at the end of a file, where a killed run may have left half a line.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            progress: Progress::stderr(),
            terminal: io::stderr().is_terminal(),
            finished: BTreeMap::new(),
            label: String::new(),
            error: None,
        })
    }

    /// Ends the log.
    ///
    /// # Errors
    /// The first failure to write.
    pub fn close(mut self) -> io::Result<()> {
        self.progress.finish();
        self.error.map_or(Ok(()), Err)
    }

    fn say(&self, text: &str) {
        if !self.terminal {
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}

/// Shows a sentence that concerns the whole run.
pub(super) fn warn(text: &str) {
    // As in `say`.
    let _ = writeln!(io::stderr(), "warning: {text}");
}

impl Observer for RunLog {
    fn phase(&mut self, name: &str, steps: u64, done: u64) {
        self.label = match self.finished.get(name) {
            None => name.to_owned(),
            Some(times) => format!("{name} {}", times + 1),
        };
        self.progress.phase(&self.label, steps);
        self.progress.step(done, f64::NAN);
        match done {
            0 => self.say(&format!("{}: {steps} steps", self.label)),
            _ if done >= steps => self.say(&format!("{}: done before", self.label)),
            _ => self.say(&format!("{}: going on at step {done} of {steps}", self.label)),
        }
    }

    fn damaged(&mut self, damage: &TrainError) {
        self.progress.aside(|| {
            // As in `say`.
            let _ = writeln!(io::stderr(), "warning: {damage}; an earlier state is taken instead");
        });
    }

    fn report(&mut self, report: &StepReport<'_>) {
        let terms: Map<String, Value> =
            report.terms.iter().map(|&(name, value)| (name.to_owned(), json!(value))).collect();
        let line = json!({ "phase": self.label, "step": report.step, "terms": terms });
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        self.error = self.error.take().or(written.err());
        let total = report.terms.iter().find(|(name, _)| *name == "total");
        self.progress.step(report.step, total.map_or(f64::NAN, |(_, value)| *value));
    }

    fn finish(&mut self, name: &str) {
        *self.finished.entry(name.to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Curves;

    #[test]
    fn a_resumed_log_drops_half_a_line_and_tells_levels_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, "{\"phase\":\"m\",\"step\":1,\"terms\":{\"total\":3}}\n{\"pha")
            .unwrap();
        let mut log = RunLog::append(&path).unwrap();
        for level in 0..2 {
            log.phase("m", 2, 0);
            let terms = [("total", f64::from(level)), ("odd", f64::NAN)];
            log.report(&StepReport { phase: "m", step: 2, terms: &terms });
            log.finish("m");
        }
        log.close().unwrap();
        let curves = Curves::from_jsonl(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(curves.series[0].points, [(1, 3.0), (2, 0.0), (4, 1.0)]);
        let names: Vec<_> = curves.phases.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["m", "m 2"]);
    }
}
