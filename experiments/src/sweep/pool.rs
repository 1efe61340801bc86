use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use domino::core::files::create_folder;
use indicatif::{ProgressBar, ProgressStyle};

use super::file::Resources;
use super::folder::{Failure, State, SweepFolder};
use super::plan::Line;

/// Pause between two looks at a run.
const PAUSE: Duration = Duration::from_millis(2);

/// Longest pause between two looks: long runs are looked at seldom.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// How often a run that was killed from outside is started before it counts as failed.
const LIVES: usize = 3;

/// Bytes at the end of a log that tell why a run broke.
const TAIL: u64 = 2000;

const BYTES_PER_GIB: f64 = 1_073_741_824.0;

/// Runs of one study side by side on this machine, each a process of its own.
#[derive(Debug)]
pub struct Pool<'a> {
    folder: &'a SweepFolder,
    /// The program that does a line: `PROGRAM sweep run FOLDER --index N`.
    program: PathBuf,
    workers: usize,
}

/// How the work of a pool ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolEnd {
    /// Runs started here that are finished.
    pub finished: usize,
    /// Runs that had been finished before.
    pub reused: usize,
    /// Lines whose run failed, now or before.
    pub failed: Vec<usize>,
    /// Whether it was asked to stop.
    pub interrupted: bool,
    /// Seconds that a worker spends between two runs, on average.
    pub overhead: f64,
}

/// Runs that this machine can hold at once: by processors, and by the memory that is free now.
pub fn workers(resources: Resources) -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let by_memory = free_memory()
        .filter(|_| resources.memory > 0.0)
        .map_or(usize::MAX, |free| (free / resources.memory) as usize);
    (processors / resources.threads.max(1)).min(by_memory).max(1)
}

/// Free memory in GiB, where Linux tells.
fn free_memory() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / BYTES_PER_GIB)
}

impl<'a> Pool<'a> {
    /// A pool of `workers` processes of `program`.
    pub fn new(folder: &'a SweepFolder, program: PathBuf, workers: usize) -> Self {
        Self { folder, program, workers: workers.max(1) }
    }

    /// Does every line of the plan that is not finished or failed, until `stop` is set.
    ///
    /// A run that another process is at is waited for. A run that is killed from outside is
    /// started again, at most twice.
    ///
    /// # Errors
    /// If the study's folder refuses or no process can be started.
    pub fn perform(&self, stop: &AtomicBool) -> Result<PoolEnd> {
        let (mut open, mut end) = (VecDeque::new(), PoolEnd::default());
        for line in &self.folder.runs().lines {
            match self.folder.state(line)? {
                State::Finished => end.reused += 1,
                State::Failed(_) => end.failed.push(line.index),
                State::Running | State::Stopped | State::Pending => open.push_back(Task::new(line)),
            }
        }
        create_folder(&self.folder.path().join("logs"))?;
        let bar = bar(self.folder.runs().lines.len(), end.reused + end.failed.len());
        let work = Work { pool: self, open: Mutex::new(open), end: Mutex::new(end), bar, stop };
        let ended: Vec<Result<()>> = thread::scope(|scope| {
            let start = |_| scope.spawn(|| work.labour());
            let workers: Vec<_> = (0..self.workers).map(start).collect();
            let lost = |_| Err(anyhow!("a worker broke"));
            workers.into_iter().map(|w| w.join().unwrap_or_else(lost)).collect()
        });
        work.bar.finish_and_clear();
        ended.into_iter().collect::<Result<()>>()?;
        let mut end = work.end.into_inner().unwrap_or_else(PoisonError::into_inner);
        end.failed.sort_unstable();
        end.interrupted = stop.load(Ordering::Relaxed);
        end.overhead /= end.finished.max(1) as f64;
        Ok(end)
    }

    fn start(&self, line: &Line) -> Result<Child> {
        let path = self.folder.log(line);
        let log = || File::options().create(true).append(true).open(&path);
        let named = || format!("cannot write {}", path.display());
        let threads = self.folder.resources().threads.to_string();
        Command::new(&self.program)
            .args(["sweep", "run"])
            .arg(self.folder.path())
            .args(["--index", &line.index.to_string()])
            .env("RAYON_NUM_THREADS", threads)
            .stdin(Stdio::null())
            .stdout(log().with_context(named)?)
            .stderr(log().with_context(named)?)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }
}

/// A line to be done.
struct Task {
    index: usize,
    /// How often it may still be started.
    lives: usize,
}

impl Task {
    fn new(line: &Line) -> Self {
        Self { index: line.index, lives: LIVES }
    }
}

/// What the workers share.
struct Work<'a> {
    pool: &'a Pool<'a>,
    open: Mutex<VecDeque<Task>>,
    end: Mutex<PoolEnd>,
    bar: ProgressBar,
    stop: &'a AtomicBool,
}

impl Work<'_> {
    /// Does one line after another until none is left.
    fn labour(&self) -> Result<()> {
        while !self.stop.load(Ordering::Relaxed) {
            let Some(task) = held(&self.open).pop_front() else { break };
            if let Some(again) = self.attempt(task)? {
                held(&self.open).push_back(again);
            }
        }
        Ok(())
    }

    /// Does a line; returns it if it is to be done again later.
    fn attempt(&self, task: Task) -> Result<Option<Task>> {
        let begun = Instant::now();
        let folder = self.pool.folder;
        let line = folder.line(task.index)?;
        if folder.state(line)? == State::Running {
            thread::sleep(LONGEST_PAUSE);
            return Ok(Some(task));
        }
        let child = self.pool.start(line)?;
        let started = Instant::now();
        let status = self.wait(child)?;
        let lived = started.elapsed();
        match folder.state(line)? {
            State::Finished => {
                let mut end = held(&self.end);
                end.finished += 1;
                end.overhead += begun.elapsed().saturating_sub(lived).as_secs_f64();
                self.bar.inc(1);
            }
            State::Failed(failure) => self.count_failure(line, &failure),
            State::Running => return Ok(Some(task)),
            State::Stopped | State::Pending => return self.broken(task, line, status),
        }
        Ok(None)
    }

    /// A run that ended without a report or a record.
    fn broken(&self, task: Task, line: &Line, status: ExitStatus) -> Result<Option<Task>> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if status.code().is_none() && task.lives > 1 {
            return Ok(Some(Task { lives: task.lives - 1, ..task }));
        }
        let said = tail(&self.pool.folder.log(line)).unwrap_or_default();
        let how = if status.code().is_none() {
            format!("killed {LIVES} times ({status}), for want of memory perhaps")
        } else {
            format!("broke ({status})")
        };
        let failure = Failure { message: format!("{how}: {}", said.trim()), code: status.code() };
        self.pool.folder.fail(line, &failure)?;
        self.count_failure(line, &failure);
        Ok(None)
    }

    fn count_failure(&self, line: &Line, failure: &Failure) {
        self.bar.println(format!(
            "run {} ({}) failed: {}",
            line.index,
            line.label(),
            failure.message
        ));
        self.bar.inc(1);
        held(&self.end).failed.push(line.index);
    }

    /// Waits for a run, and hands on the wish to stop.
    fn wait(&self, mut child: Child) -> io::Result<ExitStatus> {
        let mut pause = PAUSE;
        let mut asked = false;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if self.stop.load(Ordering::Relaxed) && !asked {
                asked = true;
                interrupt(&mut child);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Asks a run to save its state and end; one that cannot be asked is killed and loses some steps.
fn interrupt(child: &mut Child) {
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    if !asked.is_ok_and(|status| status.success()) {
        // It may have ended meanwhile.
        let _ = child.kill();
    }
}

/// What a lock guards, even if another worker broke while it held it.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of a file.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The view of all runs, hidden when stderr is no terminal.
fn bar(lines: usize, done: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar:.cyan/dim} {pos}/{len} runs  {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(lines as u64).with_style(style);
    bar.set_position(done as u64);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_runs_than_memory_and_at_least_one() {
        let need = |memory| workers(Resources { memory, ..Resources::default() });
        assert_eq!(need(1e9), 1);
        assert!(need(1e-6) >= 1 && need(0.0) >= need(1e9));
        let greedy = Resources { threads: 100_000, ..Resources::default() };
        assert_eq!(workers(greedy), 1);
    }
}
