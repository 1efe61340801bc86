use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use domino::core::GroundTruth;
use domino::core::files::write_bytes;
use domino::data::npz::{FileError, Limits, read_matrices, read_truth};
use domino::metrics::{
    Better, Cost, Prediction, Score, ScoreOptions, Scorecard, Truth, metrics, scorecard,
};
use nalgebra::DMatrix;

use super::output::{say, table};

/// The names that latents go by, the first one found taken.
const LATENTS: [&str; 3] = ["z", "latents", "embedding"];

/// The names that factors go by where there are no `z_before` and `z_after`.
const FACTORS: [&str; 2] = ["factors", "y"];

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// What a model says: `z` (or `latents`, or `embedding`), and any of `z_after`, `e`,
    /// `target_probs`, `set_probs` and `edge_probs`
    #[arg(long, value_name = "FILE.npz", required_unless_present = "list")]
    pred: Option<PathBuf>,
    /// What is known: any of `z_before`, `z_after`, `e_before`, `target`, `adjacency` as in a file of
    /// pairs, or `factors` (or `y`)
    #[arg(long, value_name = "FILE.npz", required_unless_present = "list")]
    truth: Option<PathBuf>,
    /// Metrics to compute [default: all that take seconds]
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Resample the points so often for 95 % intervals
    #[arg(long, value_name = "N", default_value_t = 0)]
    bootstrap: usize,
    /// What parts the points, breaks ties and resamples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads to fit trees on; the values do not depend on it
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// File to write the table to
    #[arg(long, value_name = "FILE.json")]
    json: Option<PathBuf>,
    /// List the metrics and stop
    #[arg(long)]
    list: bool,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let (Some(pred), Some(truth), false) = (&args.pred, &args.truth, args.list) else {
        say(&table(&listed()));
        return Ok(());
    };
    let said = Said::read(pred)?;
    let known = read_known(truth)?;
    let options = ScoreOptions {
        only: args.only.clone(),
        seed: args.seed,
        bootstrap: args.bootstrap,
        threads: args.threads,
        ..ScoreOptions::default()
    };
    let card = scorecard(&said.prediction(), &Truth::from(&known), &options)
        .with_context(|| format!("{} and {}", pred.display(), truth.display()))?;
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&card)? + "\n";
        write_bytes(path, json.as_bytes())?;
    }
    say(&table(&rows(&card)));
    for missing in &card.missing {
        say(&format!("{}: {}", missing.name, missing.reason));
    }
    if let Some(path) = &args.json {
        say(&path.display().to_string());
    }
    Ok(())
}

/// The arrays of a prediction.
struct Said {
    latents: Option<DMatrix<f64>>,
    latents_after: Option<DMatrix<f64>>,
    noise: Option<DMatrix<f64>>,
    target_probs: Option<DMatrix<f64>>,
    set_probs: Option<DMatrix<f64>>,
    edge_probs: Option<DMatrix<f64>>,
}

impl Said {
    fn read(path: &Path) -> Result<Self> {
        let read = |names: &[&'static str]| -> Result<Option<DMatrix<f64>>, FileError> {
            let found = read_matrices(path, names, Limits::default())?;
            Ok(found.into_iter().flatten().next())
        };
        let said = Self {
            latents: read(&LATENTS)?,
            latents_after: read(&["z_after"])?,
            noise: read(&["e"])?,
            target_probs: read(&["target_probs"])?,
            set_probs: read(&["set_probs"])?,
            edge_probs: read(&["edge_probs"])?,
        };
        let Self { latents, latents_after, noise, target_probs, set_probs, edge_probs } = &said;
        let parts = [latents, latents_after, noise, target_probs, set_probs, edge_probs];
        ensure!(
            parts.into_iter().any(Option::is_some),
            "{}: expected at least one of the arrays z, latents, embedding, z_after, e, \
             target_probs, set_probs and edge_probs",
            path.display()
        );
        Ok(said)
    }

    fn prediction(&self) -> Prediction<'_> {
        Prediction {
            latents: self.latents.as_ref(),
            latents_after: self.latents_after.as_ref(),
            noise: self.noise.as_ref(),
            target_probs: self.target_probs.as_ref(),
            set_probs: self.set_probs.as_ref(),
            edge_probs: self.edge_probs.as_ref(),
        }
    }
}

fn read_known(path: &Path) -> Result<GroundTruth> {
    let mut known = read_truth(path, Limits::default())?;
    if known.z_before.is_none() && known.z_after.is_none() {
        let found = read_matrices(path, &FACTORS, Limits::default())?;
        known.z_before = found.into_iter().flatten().next();
    }
    ensure!(
        !known.is_empty(),
        "{}: expected at least one of the arrays z_before, z_after, e_before, target, adjacency, \
         factors and y",
        path.display()
    );
    Ok(known)
}

fn rows(card: &Scorecard) -> Vec<Vec<String>> {
    let has_intervals = card.scores.iter().any(|score| score.interval.is_some());
    let mut head = vec!["metric", "value", "better", "fitted on", "scored on"];
    if has_intervals {
        head.extend(["low", "high"]);
    }
    let head = head.into_iter().map(str::to_owned).collect();
    std::iter::once(head).chain(card.scores.iter().map(row)).collect()
}

fn row(score: &Score) -> Vec<String> {
    let number = |value: f64| format!("{value:.4}");
    let count = |points: Option<usize>| points.map_or_else(|| "-".into(), |n| n.to_string());
    let mut cells = vec![
        score.name.clone(),
        number(score.value),
        match score.better {
            Better::Higher => "higher".into(),
            Better::Lower => "lower".into(),
        },
        count(score.points.and_then(|points| points.train)),
        count(score.points.map(|points| points.test)),
    ];
    cells.extend(score.interval.into_iter().flat_map(|i| [i.low, i.high]).map(number));
    cells
}

fn listed() -> Vec<Vec<String>> {
    let row = |metric: &domino::metrics::MetricInfo| {
        let when = match metric.cost {
            Cost::Low => "",
            Cost::High => "only where named",
        };
        vec![format!("{}: {}", metric.name, metric.about), when.to_owned()]
    };
    metrics().iter().map(row).collect()
}
