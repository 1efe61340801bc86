use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use domino::core::{Seed, Stream};
use serde_json::{Map, Value};

use crate::cli::output::{say, table};
use crate::graph::{
    Alternatives, Columns, DataSummary, Graph, Loaded, Method, Provenance, check_ending, load,
    write,
};

/// Edges that are shown.
const MOST_SHOWN: usize = 40;

#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Pairs with `e_before`, `e_after` and `target`, an embedding, rows `x` with `targets`, or ENCO's
    /// arrays, as an .npz; or the folder of a finished run or of DCDI
    data: PathBuf,
    /// How to learn [default: pairs from codes, enco from rows]
    #[arg(long)]
    method: Option<Method>,
    /// A setting of the method, such as `epochs=10`; the .json tells all that there are
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, Value)>,
    /// How to understand columns of numbers
    #[arg(long, default_value = "auto")]
    columns: Columns,
    /// Average the probabilities over so many resamples of the data
    #[arg(long, value_name = "N", default_value_t = 0)]
    bootstrap: usize,
    /// What all random numbers come from
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// File to write: .json holds everything, .svg is a drawing, .dot and .graphml are for other tools,
    /// .npy is the adjacency matrix; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    out: Vec<PathBuf>,
}

impl Args {
    pub(super) fn perform(&self) -> Result<()> {
        self.out.iter().try_for_each(|path| check_ending(path))?;
        let loaded = load(&self.data, self.columns)?;
        let method = self.method.unwrap_or_else(|| Method::usual(&loaded.data));
        let settings: Map<String, Value> = self.settings.iter().cloned().collect();
        let rng = &mut Seed(self.seed).rng(Stream::Init);
        let (learned, settings) = method
            .learn(&loaded.data, settings, self.bootstrap, rng)
            .with_context(|| self.data.display().to_string())?;
        let intervened = loaded.data.intervened();
        let provenance = Provenance {
            method: method.name().to_owned(),
            settings,
            bootstrap: self.bootstrap,
            seed: self.seed,
            alternatives: Alternatives::of(&learned, method.seen(&intervened)),
            data: summary(&loaded, &intervened),
        };
        let graph = Graph { names: loaded.names, learned, provenance: Some(provenance) };
        for path in &self.out {
            write(path, &graph)?;
        }
        show(&graph);
        self.out.iter().for_each(|path| say(&path.display().to_string()));
        Ok(())
    }
}

fn summary(loaded: &Loaded, intervened: &[usize]) -> DataSummary {
    let never = (0..loaded.data.dim()).filter(|k| !intervened.contains(k));
    DataSummary {
        kind: loaded.kind.name().to_owned(),
        rows: loaded.data.len(),
        never_intervened: never.collect(),
    }
}

fn setting(text: &str) -> Result<(String, Value)> {
    let (key, value) =
        text.split_once('=').with_context(|| format!("expected KEY=VALUE, got `{text}`"))?;
    ensure!(!key.is_empty(), "expected KEY=VALUE, got `{text}`");
    // What is no number, list or the like is a word.
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((key.to_owned(), value))
}

fn show(graph: &Graph) {
    let learned = &graph.learned;
    let mut rows = vec![["edge", "probability"].map(str::to_owned).to_vec()];
    for (from, to) in learned.dag.edges().take(MOST_SHOWN) {
        let name = format!("{} -> {}", graph.names[from], graph.names[to]);
        rows.push(vec![name, format!("{:.3}", learned.edge_probs[(from, to)])]);
    }
    if learned.dag.edge_count() > 0 {
        say(&table(&rows));
    }
    let shown = rows.len() - 1;
    if learned.dag.edge_count() > shown {
        say(&format!("and {} more", learned.dag.edge_count() - shown));
    }
    say(&format!(
        "{} variables, {} edges, {:.2} wrong ones expected",
        graph.dim(),
        learned.dag.edge_count(),
        // The empty sum is −0.
        learned.expected_shd() + 0.0
    ));
    let Some(provenance) = &graph.provenance else { return };
    let named = |k: &usize| graph.names[*k].as_str();
    let never: Vec<&str> = provenance.data.never_intervened.iter().map(named).collect();
    if !never.is_empty() && never.len() < graph.dim() {
        say(&format!("never intervened upon: {}", never.join(", ")));
    }
    let open = provenance.alternatives.as_ref().map_or(0, |a| a.undirected.len());
    if open > 0 {
        say(&format!("edges whose direction the data cannot tell: {open}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_numbers_or_words() {
        assert_eq!(setting("epochs=10").unwrap(), ("epochs".into(), Value::from(10)));
        assert_eq!(setting("model=mlp").unwrap(), ("model".into(), Value::from("mlp")));
        assert!(setting("epochs").is_err() && setting("=1").is_err());
    }
}
