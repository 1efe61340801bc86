use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use domino::core::files::write_bytes;

use crate::cli::output::{say, table};
use crate::graph::{Columns, Comparison, FORMATS, Graph, compare, load, read};

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The graph that counts as the truth: .json, .dot, .svg, .graphml, .npy, a network as .bif, or
    /// data that comes with its graph
    truth: PathBuf,
    /// The other graph, in any of these forms
    other: PathBuf,
    /// File to write the comparison to
    #[arg(long, value_name = "FILE.json")]
    json: Option<PathBuf>,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        let (truth, other) = (graph(&self.truth)?, graph(&self.other)?);
        ensure!(
            truth.dim() == other.dim(),
            "{}: expected {} variables as in {}, got {}",
            self.other.display(),
            truth.dim(),
            self.truth.display(),
            other.dim()
        );
        let found = compare(&truth, &other)?;
        if let Some(path) = &self.json {
            let json = serde_json::to_string_pretty(&found)? + "\n";
            write_bytes(path, json.as_bytes())?;
        }
        show(&found);
        Ok(())
    }
}

/// The graph of a file of a graph, or that of data.
fn graph(path: &Path) -> Result<Graph> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_data = path.is_dir() || (ending == "npz" && !FORMATS.contains(&&*ending));
    if !is_data {
        return Ok(read(path)?);
    }
    let loaded = load(path, Columns::Auto)?;
    let expected = "data that comes with its graph, `adjacency` or ENCO's `adj_matrix`, got none";
    let Some(dag) = loaded.truth else {
        anyhow::bail!("{}: expected {expected}", path.display());
    };
    Ok(Graph::known(loaded.names, dag))
}

fn show(found: &Comparison) {
    let count = |name: &str, value: usize| vec![name.to_owned(), value.to_string()];
    let share = |name: &str, value: f64| vec![name.to_owned(), format!("{value:.4}")];
    let [precision, recall, f1] = found.directed;
    let rows = [
        count("edges of the truth", found.edges[0]),
        count("edges of the other", found.edges[1]),
        count("SHD, reversal counted once", found.shd),
        count("SHD, reversal counted twice", found.shd_reversal_twice),
        count("SHD as cdt counts", found.shd_cdt),
        count("SHD as cdt counts pairs", found.shd_cdt_pairs),
        count("SHD as ENCO counts", found.shd_enco),
        count("SHD as gcastle counts", found.shd_gcastle),
        count("SHD of equivalence classes", found.shd_classes),
        count("SID", found.sid),
        share("precision of edges", precision),
        share("recall of edges", recall),
        share("F1 of edges", f1),
    ];
    say(&table(&rows));
    for (what, edges) in
        [("missing", &found.missing), ("added", &found.added), ("reversed", &found.reversed)]
    {
        let edges: Vec<String> = edges.iter().map(|(i, j)| format!("{i} -> {j}")).collect();
        if !edges.is_empty() {
            say(&format!("{what}: {}", edges.join(", ")));
        }
    }
    if found.matched_by == "place" {
        say("variables are matched by place: the names differ");
    }
}
