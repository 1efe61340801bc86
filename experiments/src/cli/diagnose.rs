use std::path::PathBuf;

use anyhow::{Context, Result};
use domino::diagnose::{Answer, PairDiagnosis, diagnose};

use super::output::say;
use crate::dataset::Sample;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// File or folder of pairs
    pairs: PathBuf,
    /// Number of variables that is going to be learned, where it is known
    #[arg(long)]
    d: Option<usize>,
    /// Print JSON: every question with its number, threshold, answer and words
    #[arg(long)]
    json: bool,
}

pub(super) fn perform(args: &Args) -> Result<()> {
    let sample = Sample::read(&args.pairs)?;
    let path = || args.pairs.display().to_string();
    let found = diagnose(&sample.pairs, args.d).with_context(path)?;
    if args.json {
        say(&serde_json::to_string_pretty(&found)?);
    } else {
        say(&page(&path(), &found));
    }
    Ok(())
}

fn page(path: &str, found: &PairDiagnosis) -> String {
    let head = format!("{path}: {} pairs of {} values", found.pairs, found.dim_x);
    let answers = found.findings.iter().map(|finding| {
        let mark = match finding.answer {
            Answer::Good => "good",
            Answer::Doubtful => "doubtful",
            Answer::Bad => "bad",
            Answer::Unknown => "unknown",
        };
        format!("{mark:9} {}\n          {}", finding.question, finding.words)
    });
    std::iter::once(head).chain(answers).collect::<Vec<_>>().join("\n")
}
