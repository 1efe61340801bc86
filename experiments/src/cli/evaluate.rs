use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use domino::core::files::write_bytes;
use domino::core::{Embedding, Seed};
use domino::data::checksum;
use domino::recipe::{Fit, embed};
use serde::Serialize;

use super::embed::open;
use super::output::{complain, say, table};
use crate::dataset::{Dataset, Sample, TrainTruth, shuffled};
use crate::report::{DataSummary, Scores, miscount, score_rows};
use crate::run::RunFolder;
use crate::score::{Answer, score};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    run: PathBuf,
    /// Pairs with truth to measure on instead of the run's own: half of them for the trees of the
    /// DCI scores, half for all scores
    #[arg(long, value_name = "FILE.npz")]
    data: Option<PathBuf>,
    /// File to write [default: evaluation.json in RUN]
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Where to compute
    #[arg(long, default_value = "cpu")]
    device: String,
}

/// The content of `evaluation.json`.
#[derive(Serialize)]
struct Evaluation {
    data: DataSummary,
    scores: Scores,
}

/// Pairs to score on, and others to fit trees on.
struct Measuring {
    test: Sample,
    train: Option<Sample>,
    data: DataSummary,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let (folder, fit) = open(&args.run, &args.device)?;
    let measuring = match &args.data {
        Some(path) => of_file(path, &folder)?,
        None => own(&folder)?,
    };
    let scores = rescore(&folder, &fit, &measuring)?;
    let Some(scores) = scores else {
        let name = &measuring.data.name;
        bail!("{name}: expected true variables or targets to compare with, got none in the data");
    };
    let text: Vec<Vec<String>> = score_rows(&scores).into_iter().map(Vec::from).collect();
    let evaluation = Evaluation { data: measuring.data, scores };
    let json = serde_json::to_string_pretty(&evaluation)? + "\n";
    let out = args.out.clone().unwrap_or_else(|| folder.path().join("evaluation.json"));
    write_bytes(&out, json.as_bytes())?;
    say(&table(&text));
    say(&out.display().to_string());
    Ok(())
}

fn rescore(folder: &RunFolder, fit: &Fit, measuring: &Measuring) -> Result<Option<Scores>> {
    let settings = folder.settings()?;
    let name = || measuring.data.name.clone();
    let known = measuring.test.truth.dim();
    if let Some(text) = known.and_then(|known| miscount(fit.graph.dim(), known)) {
        complain(&format!("warning: {text}"));
    }
    let embed = |sample: &Sample| -> Result<Embedding> {
        embed(&fit.model, &sample.pairs).with_context(name)
    };
    let test = embed(&measuring.test)?;
    let train = measuring.train.as_ref().map(embed).transpose()?;
    let train = measuring.train.as_ref().zip(train.as_ref());
    let train = train.map(|(sample, embedding)| Answer { embedding, truth: &sample.truth });
    let answer = Answer { embedding: &test, truth: &measuring.test.truth };
    let options = settings.eval.dci.options();
    Ok(score(answer, train, &fit.graph.dag, &options, Seed(settings.seed))?)
}

/// The run's own test pairs.
fn own(folder: &RunFolder) -> Result<Measuring> {
    let settings = folder.settings()?;
    let data = Dataset::load(&settings.data, TrainTruth::Dropped, None)?;
    let summary = folder.report()?.data;
    ensure!(
        data.checksum == summary.checksum,
        "the run's data: expected checksum {} as when it was run, got {}; name a file with --data",
        summary.checksum,
        data.checksum
    );
    Ok(Measuring { test: data.test, train: data.dci_train, data: summary })
}

fn of_file(path: &std::path::Path, folder: &RunFolder) -> Result<Measuring> {
    let all = Sample::read(path)?;
    let n = all.pairs.len();
    ensure!(n >= 2, "{}: expected at least 2 pairs, half of them to fit trees on", path.display());
    let order = shuffled(n);
    let (train, test) = order.split_at(n / 2);
    let data = DataSummary {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        rows: folder.report()?.data.rows,
        held_out_rows: test.len(),
        dim_x: all.pairs.dim(),
        checksum: checksum(&all.pairs, &all.truth),
    };
    Ok(Measuring { test: all.rows(test), train: Some(all.rows(train)), data })
}
