use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use anyhow::{Context, Result, bail, ensure};
use domino::core::files::{create_folder, write_bytes};

use super::Ending;
use super::output::{complain, say, table as aligned};
use super::run::watch_for_interrupts;
use crate::config::resolve_file;
use crate::sweep::{
    Checked, Comparison, Expected, Line, LineOutcome, METRICS, Metric, Pool, Provenance, Results,
    Slurm, State, StudyPage, Summary, SweepFile, SweepFolder, TableForm, compare, kubernetes,
    parallel, perform_line, slurm_collect, slurm_script, study_figures, study_page, summarise,
    table, workers,
};

/// Metrics that tables and pages show where nothing else is asked for.
const HEADLINE: [&str; 5] =
    ["disentanglement", "mcc", "smallest_correlation", "target_accuracy", "shd"];

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print every run of a sweep file, and write the plan into a folder if one is given
    Plan {
        /// The sweep file
        file: PathBuf,
        /// Folder of the study, whose earlier plan is replaced; runs that both have are kept
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Do all runs that are not finished, or hand them to another engine
    Run(Run),
    /// Tell how far every run is
    Status {
        /// Folder of the study
        folder: PathBuf,
    },
    /// Gather results, tables, comparisons, figures and one page from the runs that are finished
    Collect(Collect),
    /// Record what a study found, for others to compare their run of it with
    Expect {
        /// Folder of the study
        folder: PathBuf,
        /// File to write
        #[arg(long, value_name = "FILE.json")]
        out: PathBuf,
        /// Largest difference that still counts as the same
        #[arg(long, value_name = "T", default_value_t = 0.02)]
        tolerance: f64,
    },
    /// Compare a study with what is expected of it; fails on a miss
    Check {
        /// Folder of the study
        folder: PathBuf,
        /// What `expect` has written
        expected: PathBuf,
    },
    /// Forget failures, so that the runs are done again from their beginning
    Retry {
        /// Folder of the study
        folder: PathBuf,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Run {
    /// The sweep file, or the folder of a study that has been planned
    sweep: PathBuf,
    /// Folder of the study [default: experiments/runs/sweep/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at once on this machine [default: as many as processors and memory allow]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Do this run alone, here and now
    #[arg(long, value_name = "I")]
    index: Option<usize>,
    /// Who does the runs
    #[arg(long, value_enum, default_value = "local")]
    engine: Engine,
    /// Slurm: runs at once
    #[arg(long, value_name = "N")]
    throttle: Option<usize>,
    /// Slurm: partition
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Slurm: a further option, such as `--account=lab`
    #[arg(long = "sbatch", value_name = "OPTION", allow_hyphen_values = true)]
    options: Vec<String>,
    /// Kubernetes: image that has the program
    #[arg(long, value_name = "IMAGE", default_value = "domino:latest")]
    image: String,
    /// Print what would be handed to the engine, and hand over nothing
    #[arg(long)]
    print: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Processes on this machine
    Local,
    /// A job array, submitted by `sbatch`, and a job that collects
    Slurm,
    /// Commands for GNU parallel, printed
    Parallel,
    /// An Indexed Job, printed
    Kubernetes,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Collect {
    /// Folder of the study
    folder: PathBuf,
    /// Metrics to show, separated by commas
    #[arg(long, value_delimiter = ',')]
    metrics: Vec<String>,
    /// The factor whose values are compared
    #[arg(long, value_name = "KEY", default_value = "variant")]
    by: String,
}

impl Command {
    pub(super) fn perform(&self) -> Result<Ending> {
        match self {
            Self::Plan { file, out } => plan(file, out.as_deref())?,
            Self::Run(args) => return args.perform(),
            Self::Status { folder } => status(&SweepFolder::open(folder)?)?,
            Self::Collect(args) => args.perform()?,
            Self::Expect { folder, out, tolerance } => {
                expect(&SweepFolder::open(folder)?, out, *tolerance)?;
            }
            Self::Check { folder, expected } => check(&SweepFolder::open(folder)?, expected)?,
            Self::Retry { folder } => retry(&SweepFolder::open(folder)?)?,
        }
        Ok(Ending::Done)
    }
}

fn plan(file: &Path, out: Option<&Path>) -> Result<()> {
    let lines = match out {
        Some(root) => SweepFolder::plan(file, root)?.runs().lines.clone(),
        None => crate::sweep::Plan::of_file(file)?.1.lines,
    };
    let mut rows = vec![["run", "id", "seed", "repeat", "factors"].map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| {
        let numbers = [line.index.to_string(), line.id.clone(), line.seed.to_string()];
        let mut cells = numbers.to_vec();
        cells.extend([line.repeat.to_string(), line.label()]);
        cells
    }));
    say(&aligned(&rows));
    say(&format!("{} runs", lines.len()));
    Ok(())
}

impl Run {
    fn perform(&self) -> Result<Ending> {
        let folder = self.folder()?;
        match (self.index, self.engine) {
            (Some(index), _) => one(&folder, folder.line(index)?),
            (None, Engine::Local) => self.local(&folder),
            (None, Engine::Slurm) => self.slurm(&folder),
            (None, Engine::Parallel) => {
                let commands = parallel(&absolute(&folder)?, &program()?);
                say(commands.text.trim_end());
                complain(&commands.hint);
                Ok(Ending::Done)
            }
            (None, Engine::Kubernetes) => {
                let job = kubernetes(&folder, &self.image);
                say(job.text.trim_end());
                complain(&job.hint);
                Ok(Ending::Done)
            }
        }
    }

    fn folder(&self) -> Result<SweepFolder> {
        if self.sweep.is_dir() {
            ensure!(self.out.is_none(), "--out: expected only with a sweep file, got a folder");
            return Ok(SweepFolder::open(&self.sweep)?);
        }
        let root = if let Some(out) = &self.out {
            out.clone()
        } else {
            let file: SweepFile = resolve_file(&self.sweep, &[] as &[&str])?;
            ["experiments", "runs", "sweep", &file.name].iter().collect()
        };
        Ok(SweepFolder::prepare(&self.sweep, &root)?)
    }

    fn local(&self, folder: &SweepFolder) -> Result<Ending> {
        let workers = self.workers.unwrap_or_else(|| workers(folder.resources()));
        let stop = watch_for_interrupts()?;
        let end = Pool::new(folder, program()?, workers).perform(&stop)?;
        if end.interrupted {
            complain("interrupted; the same command goes on from here");
            return Ok(Ending::Interrupted);
        }
        let results = Results::collect(folder)?;
        results.write(folder)?;
        say(&format!(
            "{} runs finished, {} of them before; {} failed",
            end.finished + end.reused,
            end.reused,
            end.failed.len()
        ));
        if end.finished > 0 {
            complain(&format!(
                "{workers} at once, {:.0} ms between two runs of a worker",
                1e3 * end.overhead
            ));
        }
        say(&folder.path().join("results.csv").display().to_string());
        refuse_failures(folder, &results)?;
        Ok(Ending::Done)
    }

    fn slurm(&self, folder: &SweepFolder) -> Result<Ending> {
        let folder = absolute(folder)?;
        create_folder(&folder.path().join("logs"))?;
        let slurm = Slurm {
            throttle: self.throttle,
            partition: self.partition.clone(),
            options: self.options.clone(),
        };
        let (array, collect) =
            (slurm_script(&folder, &program()?, &slurm), slurm_collect(&folder, &program()?));
        if self.print {
            say(array.trim_end());
            return Ok(Ending::Done);
        }
        write_bytes(&folder.path().join("array.sbatch"), array.as_bytes())?;
        write_bytes(&folder.path().join("collect.sbatch"), collect.as_bytes())?;
        let job = submit(&array, &[])?;
        let after = format!("--dependency=afterany:{job}");
        let collecting = submit(&collect, &[&after])?;
        say(&format!(
            "array {job} of {} runs, collected by {collecting}",
            folder.runs().lines.len()
        ));
        Ok(Ending::Done)
    }
}

/// Hands a script to `sbatch` and returns the number of the job.
fn submit(script: &str, arguments: &[&str]) -> Result<String> {
    let mut sbatch = Process::new("sbatch")
        .arg("--parsable")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start sbatch: expected Slurm's commands on this machine")?;
    if let Some(mut input) = sbatch.stdin.take() {
        input.write_all(script.as_bytes()).context("cannot hand the script to sbatch")?;
    }
    let output = sbatch.wait_with_output().context("cannot hear from sbatch")?;
    ensure!(output.status.success(), "sbatch refused the job ({})", output.status);
    let said = String::from_utf8_lossy(&output.stdout);
    // With several clusters, their name follows the number.
    let job = said.trim().split(';').next().unwrap_or_default().to_owned();
    ensure!(!job.is_empty(), "sbatch: expected the number of a job, got nothing");
    Ok(job)
}

/// The same folder by its absolute path: other processes work elsewhere.
fn absolute(folder: &SweepFolder) -> Result<SweepFolder> {
    let path = std::path::absolute(folder.path()).context("the current folder")?;
    Ok(SweepFolder::open(&path)?)
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().context("the path of this program")
}

fn one(folder: &SweepFolder, line: &Line) -> Result<Ending> {
    let stop = watch_for_interrupts()?;
    match perform_line(folder, line, &stop)? {
        LineOutcome::Finished => say(&format!("run {}: finished", line.index)),
        LineOutcome::Busy => say(&format!("run {}: another process is at it", line.index)),
        LineOutcome::Interrupted => return Ok(Ending::Interrupted),
        LineOutcome::Failed(failure) => bail!("run {}: {}", line.index, failure.message),
    }
    Ok(Ending::Done)
}

fn status(folder: &SweepFolder) -> Result<()> {
    let mut counts = [0; 5];
    let mut failures = Vec::new();
    for line in &folder.runs().lines {
        let at = match folder.state(line)? {
            State::Finished => 0,
            State::Running => 1,
            State::Stopped => 2,
            State::Pending => 3,
            State::Failed(failure) => {
                failures.push(format!(
                    "run {} ({}): {}",
                    line.index,
                    line.label(),
                    failure.message
                ));
                4
            }
        };
        counts[at] += 1;
    }
    let [finished, running, stopped, pending, failed] = counts;
    say(&format!(
        "{}: {finished} of {} finished, {running} running, {stopped} stopped, {pending} not begun, {failed} failed",
        folder.runs().name,
        folder.runs().lines.len()
    ));
    for failure in &failures {
        say(failure);
    }
    Ok(())
}

fn retry(folder: &SweepFolder) -> Result<()> {
    let mut count = 0;
    for line in &folder.runs().lines {
        if let State::Failed(_) = folder.state(line)? {
            folder.forgive(line)?;
            count += 1;
        }
    }
    say(&format!("{count} failures forgotten: `domino sweep run` does these runs again"));
    Ok(())
}

fn expect(folder: &SweepFolder, out: &Path, tolerance: f64) -> Result<()> {
    let results = Results::collect(folder)?;
    refuse_failures(folder, &results)?;
    let summary = summarise(&results);
    let metrics = headline(&summary)?;
    let first = folder.run(folder.line(0)?).run_info()?;
    let provenance = Provenance {
        revision: first.as_ref().map_or_else(String::new, |info| info.revision.clone()),
        versions: first.map(|info| info.versions).unwrap_or_default(),
        command: format!("domino sweep run experiments/sweeps/{}.toml", summary.name),
    };
    let expected = Expected::of(&summary, &metrics, tolerance, provenance);
    write_bytes(out, (serde_json::to_string_pretty(&expected)? + "\n").as_bytes())?;
    say(&format!("{}: {} numbers", out.display(), expected.checks.len()));
    Ok(())
}

fn check(folder: &SweepFolder, path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let expected: Expected =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let summary = summarise(&Results::collect(folder)?);
    ensure!(
        expected.study == summary.name,
        "{}: expected numbers of the study {}, got those of {}",
        path.display(),
        summary.name,
        expected.study
    );
    let checked = expected.check(&summary);
    let head = ["number", "expected", "within", "found", ""].map(str::to_owned).to_vec();
    let row = |one: &Checked<'_>| {
        let found = one.found.map_or_else(|| "nothing".to_owned(), |v| format!("{v:.4}"));
        let value = format!("{:.4}", one.check.value);
        let mark = if one.holds() { "" } else { "MISSED" };
        vec![one.check.label(), value, one.check.tolerance.to_string(), found, mark.to_owned()]
    };
    say(&aligned(&std::iter::once(head).chain(checked.iter().map(row)).collect::<Vec<_>>()));
    let missed = checked.iter().filter(|one| !one.holds()).count();
    ensure!(missed == 0, "{missed} of {} numbers are not as published", checked.len());
    say(&format!(
        "all {} numbers are as published ({})",
        checked.len(),
        expected.provenance.revision
    ));
    Ok(())
}

/// The headline metrics that any run has.
fn headline(summary: &Summary) -> Result<Vec<&'static Metric>> {
    let any = |name: &&str| summary.groups.iter().any(|g| g.metrics.contains_key(name));
    HEADLINE.into_iter().filter(any).map(metric).collect()
}

fn metric(name: &str) -> Result<&'static Metric> {
    let known = || METRICS.map(|metric| metric.name).join(", ");
    Metric::named(name).with_context(|| format!("--metrics {name}: expected one of {}", known()))
}

/// Fails if a run of the study has failed.
fn refuse_failures(folder: &SweepFolder, results: &Results) -> Result<()> {
    let absent = results.absent();
    let list: Vec<String> = absent.iter().map(|(index, how)| format!("{index} {how}")).collect();
    ensure!(
        absent.is_empty(),
        "{} of {} runs have no result ({}): `domino sweep status {}` says why",
        absent.len(),
        results.rows.len(),
        list.join(", "),
        folder.path().display()
    );
    Ok(())
}

impl Collect {
    fn perform(&self) -> Result<()> {
        let folder = SweepFolder::open(&self.folder)?;
        let results = Results::collect(&folder)?;
        results.write(&folder)?;
        let summary = summarise(&results);
        let metrics = self.shown(&summary)?;
        let comparisons: Vec<Comparison> =
            metrics.iter().flat_map(|metric| compare(&results, &self.by, metric)).collect();
        write(&folder, &summary, &metrics, &comparisons)?;
        say(table(&summary, &metrics, TableForm::Markdown).trim_end());
        for (index, how) in results.absent() {
            complain(&format!("run {index}: {how}"));
        }
        say(&folder.path().join("study.html").display().to_string());
        Ok(())
    }

    /// The metrics asked for, or those of the headline.
    fn shown(&self, summary: &Summary) -> Result<Vec<&'static Metric>> {
        if self.metrics.is_empty() {
            return headline(summary);
        }
        self.metrics.iter().map(|name| metric(name)).collect()
    }
}

/// Writes everything but `results.csv`.
fn write(
    folder: &SweepFolder,
    summary: &Summary,
    metrics: &[&'static Metric],
    comparisons: &[Comparison],
) -> Result<()> {
    let put = |name: &str, text: &str| write_bytes(&folder.path().join(name), text.as_bytes());
    put("table.md", &table(summary, metrics, TableForm::Markdown))?;
    put("table.tex", &table(summary, metrics, TableForm::Latex))?;
    put("table.csv", &table(summary, metrics, TableForm::Csv))?;
    put("summary.json", &(serde_json::to_string_pretty(summary)? + "\n"))?;
    put("comparisons.json", &(serde_json::to_string_pretty(comparisons)? + "\n"))?;
    let figures = study_figures(summary, metrics);
    create_folder(&folder.path().join("figures"))?;
    for (n, figure) in figures.iter().enumerate() {
        put(&format!("figures/{n:02}-{}.svg", figure.name), &figure.canvas.to_svg())?;
    }
    let page = StudyPage { summary, metrics, comparisons, figures: &figures };
    Ok(put("study.html", &study_page(&page))?)
}
