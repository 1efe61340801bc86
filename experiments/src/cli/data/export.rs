use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use domino::core::GroundTruth;
use domino::data::npz::write_pairs;

use crate::cli::output::say;
use crate::dataset::Source;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// File of pairs or folder of shards
    #[arg(value_name = "FILE.npz|DIR")]
    data: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE.npz")]
    out: PathBuf,
    /// Leave out all that only metrics may see
    #[arg(long)]
    without_truth: bool,
    /// Rows from A up to but without B, counted from 0
    #[arg(long, value_name = "A..B")]
    rows: Option<String>,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        let source = Source::open(&self.data)?;
        let rows = match &self.rows {
            None => 0..source.len(),
            Some(text) => range(text, source.len())?,
        };
        let sample = source.sample(&rows.collect::<Vec<_>>())?;
        let truth = if self.without_truth { GroundTruth::default() } else { sample.truth };
        write_pairs(&self.out, &sample.pairs, &truth)?;
        say(&format!("{}: {} pairs", self.out.display(), sample.pairs.len()));
        Ok(())
    }
}

/// `A..B` within `n` rows.
fn range(text: &str, n: usize) -> Result<Range<usize>> {
    let ends = text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let Some((from, to)) = ends else {
        bail!("--rows {text}: expected A..B, such as 0..1000");
    };
    ensure!(
        from < to && to <= n,
        "--rows {text}: expected at least one of the {n} rows, A below B and B at most {n}"
    );
    Ok(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_a_range_within_the_file() {
        assert_eq!(range("2..5", 5).unwrap(), 2..5);
        for text in ["2..6", "3..3", "5..2", "2-3", "..4"] {
            assert!(range(text, 5).unwrap_err().to_string().starts_with("--rows"));
        }
    }
}
