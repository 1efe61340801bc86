//! One run: fit, measure, write, and go on where it was stopped.

mod assemble;
mod folder;
mod info;
mod log;

use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use domino::core::Seed;
use domino::core::files::create_folder;
use domino::data::npz::write_embedding;
use domino::model::device;
use domino::recipe::{Fit, FitError, VariableStage, embed, fit, fit_supervised, save};
use domino::train::{Checkpoints, TrainContext, TrainError};

pub use assemble::{Measured, measure};
pub use folder::{FolderError, Progress, RunFolder};
pub use info::Start;
pub use log::RunLog;

use crate::config::to_canonical_toml;
use crate::dataset::{Dataset, TrainTruth};
use crate::pictures::Panel;
use crate::report::{Page, Report, miscount, write_report};
use crate::settings::Settings;

/// Digits of the data's checksum that mark a run's checkpoints.
const CHECKSUM_DIGITS: usize = 16;

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to run.
    pub settings: Settings,
    /// The folder, or else one named by experiment, configuration and seed.
    pub out: Option<PathBuf>,
    /// What to do with an earlier run there.
    pub earlier: Earlier,
    /// Folder of drawn pairs that further runs on the same ones read.
    pub keep_data: Option<PathBuf>,
    /// The command line, for the record.
    pub command_line: String,
}

/// What to do with an earlier run of the same configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Go on with it, or leave it as it is where it is finished.
    Keep,
    /// Start anew.
    Replace,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// It ran to its end.
    Finished(RunFolder, Box<Report>),
    /// It had been run before.
    Reused(RunFolder, Box<Report>),
    /// It was asked to stop; the same request goes on.
    Interrupted(RunFolder),
}

/// Runs what a request says, until it is finished or `stop` is set.
///
/// Everything that can be checked is checked before the first file is written.
///
/// # Errors
/// If settings or data are unfit, the folder is another run's or refuses, or training fails.
pub fn perform(request: &Request, stop: &AtomicBool) -> Result<Outcome> {
    let start = Start::now();
    request.settings.validate()?;
    device(&request.settings.device)?;
    let truth = match &request.settings.variables {
        VariableStage::Supervised(_) => TrainTruth::Noise,
        _ => TrainTruth::Dropped,
    };
    let data = Dataset::load(&request.settings.data, truth, request.keep_data.as_deref())?;
    let settings = request.settings.clone().for_data(data.dim())?;
    settings.recipe().validate()?;
    if let Some(text) = data.dim().and_then(|known| miscount(settings.recipe().model.d, known)) {
        log::warn(&text);
    }

    let folder = RunFolder::new(request.out.clone().map_or_else(|| default_folder(&settings), Ok)?);
    let config = to_canonical_toml(&settings)?;
    let finished =
        || -> Result<bool> { Ok(folder.progress(&config, &data.checksum)? == Progress::Finished) };
    if request.earlier == Earlier::Keep && finished()? {
        let report = folder.report()?;
        return Ok(Outcome::Reused(folder, Box::new(report)));
    }
    let _lock = folder.lock()?;
    if request.earlier == Earlier::Replace {
        folder.clear()?;
    }
    if finished()? {
        let report = folder.report()?;
        return Ok(Outcome::Reused(folder, Box::new(report)));
    }
    let info = || start.info(&settings.device, &data.checksum, &request.command_line);
    folder.begin(&config, &info())?;

    let job = Job { settings: &settings, data: &data, folder: &folder, stop };
    let fitted = job.fit();
    if fitted.is_err() {
        folder.discard_if_untrained()?;
    }
    let Some(fit) = fitted? else { return Ok(Outcome::Interrupted(folder)) };
    let Some((report, panels)) = job.measure(&fit)? else {
        return Ok(Outcome::Interrupted(folder));
    };
    let info = info();
    folder.write_run_info(&info)?;
    let curves = folder.curves()?;
    let page = Page {
        report: &report,
        curves: &curves,
        panels: &panels,
        run: Some(&info),
        config: &config,
    };
    write_report(folder.path(), &page)?;
    Ok(Outcome::Finished(folder, Box::new(report)))
}

/// `experiments/runs/<name>/<hash>/<seed>`.
fn default_folder(settings: &Settings) -> Result<PathBuf> {
    let hash = settings.hash()?;
    let seed = settings.seed.to_string();
    Ok(["experiments", "runs", &settings.name, &hash, &seed].iter().collect())
}

/// A run under way.
struct Job<'a> {
    settings: &'a Settings,
    data: &'a Dataset,
    folder: &'a RunFolder,
    stop: &'a AtomicBool,
}

impl Job<'_> {
    /// The fit, or nothing if it was stopped.
    fn fit(&self) -> Result<Option<Fit>> {
        let Self { settings, data, folder, stop } = self;
        let digits = &data.checksum[..CHECKSUM_DIGITS];
        let mark = format!("{}-{}-{digits}", settings.hash()?, settings.seed);
        let checkpoints =
            Checkpoints::new(&folder.checkpoints(), &mark, settings.checkpoints.every);
        let mut log = RunLog::append(&folder.metrics())
            .with_context(|| format!("cannot write {}", folder.metrics().display()))?;
        let mut context = TrainContext {
            seed: Seed(settings.seed),
            device: device(&settings.device)?.autodiff(),
            observer: &mut log,
            checkpoints: Some(&checkpoints),
            stop,
        };
        let recipe = settings.recipe();
        let (train, validation) = (&data.train, &data.validation);
        let fitted = match &data.train_noise {
            Some([before, after]) => {
                fit_supervised(train, [before, after], validation, &recipe, &mut context)
            }
            None => fit(train, validation, &recipe, &mut context),
        };
        log.close().with_context(|| format!("cannot write {}", folder.metrics().display()))?;
        match fitted {
            Err(FitError::Train(TrainError::Interrupted { .. })) => Ok(None),
            other => Ok(Some(other?)),
        }
    }

    /// Writes the model and its embedding, and measures; nothing if it was stopped.
    fn measure(&self, fit: &Fit) -> Result<Option<(Report, Vec<Panel>)>> {
        create_folder(&self.folder.model())?;
        save(&self.folder.model(), fit, &self.settings.recipe())?;
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let test = embed(&fit.model, &self.data.test.pairs)?;
        write_embedding(&self.folder.embedding(), &test)?;
        let mut measured = measure(fit, &test, self.settings, self.data)?;
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        self.folder.write_panels(&measured.panels)?;
        let panels = mem::take(&mut measured.panels);
        Ok(Some((measured.into_report(fit, self.settings, self.data)?, panels)))
    }
}
