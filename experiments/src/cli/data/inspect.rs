use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Result;
use domino::core::{Form, GroundTruth, InterventionTarget, Observations};
use domino::data::store::{Kept, Manifest, Origin};

use super::sheet;
use crate::cli::output::{say, table};
use crate::dataset::Source;

/// Bytes of observations that are looked at together.
const BLOCK: usize = 64 << 20;

/// Pairs whose observations are looked at where they are not stored.
const RENDERED: usize = 64;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// File of pairs or folder of shards
    #[arg(value_name = "FILE.npz|DIR")]
    data: PathBuf,
    /// Also draw the first pairs of pictures, with what changed under each
    #[arg(long, value_name = "OUT.png")]
    sheet: Option<PathBuf>,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        let source = Source::open(&self.data)?;
        let summary = Summary::of(&source)?;
        say(&table(&summary.table(&source)));
        say(&format!("pairs: {}", source.len()));
        if let Source::Folder(shards) = &source {
            for line in stored(shards.manifest()) {
                say(&line);
            }
        }
        for line in summary.lines() {
            say(&line);
        }
        say(&format!("checksum: {}", source.checksum()?));
        if let Some(out) = &self.sheet {
            sheet::draw(&source, out)?;
            say(&out.display().to_string());
        }
        Ok(())
    }
}

/// What is said of all rows.
struct Summary {
    /// Ranges of before and after.
    observations: [Span; 2],
    /// Ranges of the true states, by name, with their number of columns.
    states: BTreeMap<usize, (&'static str, usize, Span)>,
    /// Pairs by target, `None` where targets are not known.
    targets: Option<BTreeMap<Vec<usize>, usize>>,
    /// Graph and names, without rows.
    rest: GroundTruth,
}

/// The least and the largest of some values.
#[derive(Clone, Copy)]
struct Span(f64, f64);

impl Span {
    const EMPTY: Self = Self(f64::INFINITY, f64::NEG_INFINITY);

    fn with(self, values: impl Iterator<Item = f64>) -> Self {
        values.fold(self, |Self(low, high), v| Self(low.min(v), high.max(v)))
    }

    fn text(self) -> String {
        format!("{:.4} to {:.4}", self.0, self.1)
    }
}

impl Summary {
    /// Passes over the rows, some at a time.
    fn of(source: &Source) -> Result<Self> {
        let first = source.truth(&[0])?;
        let mut summary = Self {
            observations: [Span::EMPTY; 2],
            states: BTreeMap::new(),
            targets: first.targets.as_ref().map(|_| no_targets(first.dim())),
            rest: GroundTruth { dag: first.dag, names: first.names, ..GroundTruth::default() },
        };
        for rows in blocks(source) {
            let rows: Vec<usize> = rows.collect();
            if source.is_stored() || rows[0] < RENDERED {
                let seen =
                    if source.is_stored() { &rows[..] } else { &rows[..rows.len().min(RENDERED)] };
                let pairs = source.pairs(seen)?;
                for (span, x) in
                    summary.observations.iter_mut().zip([pairs.before(), pairs.after()])
                {
                    *span = within(*span, x);
                }
            }
            summary.add_truth(&source.truth(&rows)?);
        }
        Ok(summary)
    }

    fn add_truth(&mut self, truth: &GroundTruth) {
        for (at, (name, m)) in truth.matrices().enumerate() {
            let entry = self.states.entry(at).or_insert((name, m.ncols(), Span::EMPTY));
            entry.2 = entry.2.with(m.iter().copied());
        }
        if let (Some(counts), Some(targets)) = (&mut self.targets, &truth.targets) {
            count(targets, counts);
        }
    }

    fn table(&self, source: &Source) -> Vec<Vec<String>> {
        let mut rows = vec![["array", "form", "range"].map(str::to_owned).to_vec()];
        let form = described(source.form(), source.len());
        for (name, span) in ["before", "after"].into_iter().zip(self.observations) {
            rows.push(vec![name.to_owned(), form.clone(), span.text()]);
        }
        for (name, cols, span) in self.states.values() {
            let form = format!("[{}, {cols}] float", source.len());
            rows.push(vec![(*name).to_owned(), form, span.text()]);
        }
        rows
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(counts) = &self.targets {
            lines.push(format!("targets: {}", in_words(counts)));
        }
        if let Some(dag) = &self.rest.dag {
            let edge = |(i, j)| format!("z{} -> z{}", i + 1, j + 1);
            let edges: Vec<String> = dag.edges().map(edge).collect();
            let edges = if edges.is_empty() { "no edge".to_owned() } else { edges.join(", ") };
            lines.push(format!("graph: {} variables, {edges}", dag.dim()));
        }
        if let Some(names) = &self.rest.names {
            lines.push(format!("names: {}", names.join(", ")));
        }
        if self.rest.is_empty() && self.states.is_empty() && self.targets.is_none() {
            lines.push("truth: none".to_owned());
        }
        lines
    }
}

/// Ranges of rows whose observations fit into a block.
fn blocks(source: &Source) -> impl Iterator<Item = Range<usize>> {
    let bytes = match source.form() {
        Form::Vector { dim } => 2 * dim * size_of::<f32>(),
        Form::Image(shape) => 2 * shape.len(),
    };
    let (n, rows) = (source.len(), (BLOCK / bytes.max(1)).max(1));
    (0..n).step_by(rows).map(move |start| start..n.min(start + rows))
}

fn within(span: Span, x: &Observations) -> Span {
    match x {
        Observations::Vectors { data, .. } => span.with(data.iter().map(|&v| f64::from(v))),
        Observations::Images { data, .. } => span.with(data.iter().map(|&v| f64::from(v))),
    }
}

/// The form of `n` observations, as in `[100, 4] float`.
fn described(form: Form, n: usize) -> String {
    form.to_string().replacen('[', &format!("[{n}, "), 1)
}

/// Where the pairs of a folder come from and how they lie there.
fn stored(manifest: &Manifest) -> Vec<String> {
    let bytes: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
    let megabytes = bytes as f64 / 1e6;
    let mut lines = vec![format!("shards: {}, {megabytes:.1} MB", manifest.shards.len())];
    if manifest.observations == Kept::Rendered {
        lines.push(format!("observations: rendered when read, ranges of the first {RENDERED}"));
    }
    lines.extend(manifest.origin.as_ref().map(|origin| match origin {
        Origin::Generator(g) => {
            let split = serde_json::to_value(g.split).unwrap_or_default();
            let split = split.as_str().unwrap_or_default().to_owned();
            format!("generator: {}, version {}, seed {}, split {split}", g.name, g.version, g.seed)
        }
        Origin::Import(import) => format!("import: {}, seed {}", import.kind, import.seed),
    }));
    lines
}

/// One entry per single variable, so that those never hit are told too.
fn no_targets(dim: Option<usize>) -> BTreeMap<Vec<usize>, usize> {
    (0..dim.unwrap_or(0)).map(|k| (vec![k], 0)).collect()
}

fn count(targets: &[InterventionTarget], counts: &mut BTreeMap<Vec<usize>, usize>) {
    for target in targets {
        *counts.entry(target.variables().to_vec()).or_insert(0) += 1;
    }
}

/// Pairs by target, such as `none 10, z1 12, z1+z2 3`; variables count from 1.
fn in_words(counts: &BTreeMap<Vec<usize>, usize>) -> String {
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
    fn targets_are_counted_with_those_never_hit() {
        let told = |targets: &[InterventionTarget], dim| {
            let mut counts = no_targets(dim);
            count(targets, &mut counts);
            in_words(&counts)
        };
        let targets = [0, 2, 2].map(InterventionTarget::from_label);
        assert_eq!(told(&targets, Some(2)), "none 1, z1 0, z2 2");
        let several = [InterventionTarget::Several(vec![0, 1])];
        assert_eq!(told(&several, None), "z1+z2 1");
    }
}
