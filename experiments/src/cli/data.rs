use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail, ensure};
use domino::core::{GroundTruth, InterventionTarget, Observations};
use domino::data::npz::write_pairs;
use domino::data::{DatasetSpec, checksum};
use nalgebra::DMatrix;

use super::output::{say, table};
use crate::config::resolve_file;
use crate::dataset::Sample;
use crate::settings::Settings;

#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write a file of generated pairs with their truth
    Generate(Generate),
    /// Tell what a file of pairs holds
    Inspect {
        /// File of pairs
        file: PathBuf,
    },
    /// Write some rows of a file, or all, with their truth or without
    Export(Export),
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Generate {
    /// A `spec.toml` of a data set, or the configuration of a run with `[data.scaling]`
    spec: PathBuf,
    /// Number of pairs, instead of the one in the file
    #[arg(long, value_name = "N")]
    pairs: Option<usize>,
    /// Seed of world and pairs, instead of the one in the file
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// File to write
    #[arg(long, value_name = "FILE.npz")]
    out: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Export {
    /// File of pairs
    file: PathBuf,
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

impl Command {
    pub(super) fn perform(&self) -> Result<()> {
        match self {
            Self::Generate(args) => args.perform(),
            Self::Inspect { file } => inspect(file),
            Self::Export(args) => args.perform(),
        }
    }
}

impl Generate {
    fn perform(&self) -> Result<()> {
        let spec = self.spec()?;
        let (pairs, truth) =
            spec.generate().map_err(|e| anyhow!("{}: {e}", self.spec.display()))?;
        write_pairs(&self.out, &pairs, &truth)?;
        let sum = checksum(&pairs, &truth);
        say(&format!("{}: {} pairs, checksum {sum}", self.out.display(), pairs.len()));
        Ok(())
    }

    /// The specification with what the arguments change; a changed one has no checksum to meet.
    fn spec(&self) -> Result<DatasetSpec> {
        let mut spec = if is_configuration(&self.spec) {
            let settings: Settings = resolve_file(&self.spec, &[] as &[&str])?;
            let pairs = settings.data.train.unwrap_or(100_000);
            DatasetSpec { pairs, checksum: None, scaling: settings.data.scaling }
        } else {
            resolve_file(&self.spec, &[] as &[&str])?
        };
        if let Some(pairs) = self.pairs {
            spec = DatasetSpec { pairs, checksum: None, ..spec };
        }
        if let (Some(seed), Some(scaling)) = (self.seed, &mut spec.scaling) {
            scaling.seed = seed;
            spec.checksum = None;
        }
        Ok(spec)
    }
}

/// Whether a file is the configuration of a run: only those have a table `data`.
fn is_configuration(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    ["data", "base"].iter().any(|key| table.contains_key(*key))
}

impl Export {
    fn perform(&self) -> Result<()> {
        let all = Sample::read(&self.file)?;
        let n = all.pairs.len();
        let range = match &self.rows {
            None => 0..n,
            Some(text) => range(text, n)?,
        };
        let pairs = all.pairs.slice(range.clone());
        let truth =
            if self.without_truth { GroundTruth::default() } else { all.truth.slice(range) };
        write_pairs(&self.out, &pairs, &truth)?;
        say(&format!("{}: {} pairs", self.out.display(), pairs.len()));
        Ok(())
    }
}

/// `A..B` within `n` rows.
fn range(text: &str, n: usize) -> Result<std::ops::Range<usize>> {
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

fn inspect(file: &Path) -> Result<()> {
    let Sample { pairs, truth } = Sample::read(file)?;
    let mut rows = vec![["array", "form", "range"].map(str::to_owned).to_vec()];
    for (name, x) in [("before", pairs.before()), ("after", pairs.after())] {
        rows.push(vec![name.to_owned(), x.describe(), span(values(x))]);
    }
    for (name, m) in truth.matrices() {
        rows.push(vec![name.to_owned(), shape(m), span(m.iter().copied())]);
    }
    say(&table(&rows));
    say(&format!("pairs: {}", pairs.len()));
    if let Some(targets) = &truth.targets {
        say(&format!("targets: {}", target_counts(targets, truth.dim())));
    }
    if let Some(dag) = &truth.dag {
        let edges: Vec<String> =
            dag.edges().map(|(i, j)| format!("z{} -> z{}", i + 1, j + 1)).collect();
        let edges = if edges.is_empty() { "no edge".to_owned() } else { edges.join(", ") };
        say(&format!("graph: {} variables, {edges}", dag.dim()));
    }
    if let Some(names) = &truth.names {
        say(&format!("names: {}", names.join(", ")));
    }
    if truth.is_empty() {
        say("truth: none");
    }
    say(&format!("checksum: {}", checksum(&pairs, &truth)));
    Ok(())
}

fn shape(m: &DMatrix<f64>) -> String {
    format!("[{}, {}] float", m.nrows(), m.ncols())
}

fn values(x: &Observations) -> Box<dyn Iterator<Item = f64> + '_> {
    match x {
        Observations::Vectors { data, .. } => Box::new(data.iter().map(|&v| f64::from(v))),
        Observations::Images { data, .. } => Box::new(data.iter().map(|&v| f64::from(v))),
    }
}

fn span(values: impl Iterator<Item = f64>) -> String {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    format!("{low:.4} to {high:.4}")
}

/// Pairs by target, such as `none 10, 1: 12, 1+2: 3`; variables count from 1.
fn target_counts(targets: &[InterventionTarget], dim: Option<usize>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for k in 0..dim.unwrap_or(0) {
        counts.insert(vec![k], 0);
    }
    for target in targets {
        *counts.entry(target.variables().to_vec()).or_insert(0_usize) += 1;
    }
    let name = |set: &Vec<usize>| match set[..] {
        [] => "none".to_owned(),
        _ => set.iter().map(|k| format!("z{}", k + 1)).collect::<Vec<_>>().join("+"),
    };
    counts.iter().map(|(set, n)| format!("{} {n}", name(set))).collect::<Vec<_>>().join(", ")
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

    #[test]
    fn targets_are_counted_with_those_never_hit() {
        let targets = [0, 2, 2].map(InterventionTarget::from_label);
        assert_eq!(target_counts(&targets, Some(2)), "none 1, z1 0, z2 2");
        let several = [InterventionTarget::Several(vec![0, 1])];
        assert_eq!(target_counts(&several, None), "z1+z2 1");
    }
}
