//! The file that holds all that is known of a graph.

use domino::core::Dag;
use domino::dag::LearnedGraph;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Graph, Provenance};

/// The content of the file; matrices are lists of rows, `[from][to]`.
#[derive(Serialize, Deserialize)]
struct Content {
    names: Vec<String>,
    dag: Dag,
    #[serde(default)]
    order: Option<Vec<usize>>,
    #[serde(default)]
    edge_probs: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    strengths: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    expected_shd: f64,
    #[serde(default)]
    learned_by: Option<Provenance>,
}

pub(super) fn render(graph: &Graph) -> Result<String, serde_json::Error> {
    let learned = &graph.learned;
    let content = Content {
        names: graph.names.clone(),
        dag: learned.dag.clone(),
        order: Some(learned.order.clone()),
        edge_probs: Some(rows(&learned.edge_probs)),
        strengths: Some(rows(&learned.strengths)),
        // The empty sum is −0.
        expected_shd: learned.expected_shd() + 0.0,
        learned_by: graph.provenance.clone(),
    };
    let serde_json::Value::Object(parts) = serde_json::to_value(&content)? else {
        return Ok(String::new());
    };
    let parts = parts.iter().map(|(key, value)| format!("  {key:?}: {}", laid_out(value)));
    Ok(format!("{{\n{}\n}}\n", parts.collect::<Vec<_>>().join(",\n")))
}

/// A matrix has a line per row, everything else one line.
fn laid_out(value: &serde_json::Value) -> String {
    let is_matrix = |rows: &Vec<serde_json::Value>| rows.iter().all(serde_json::Value::is_array);
    let Some(rows) = value.as_array().filter(|rows| !rows.is_empty() && is_matrix(rows)) else {
        return value.to_string();
    };
    let rows: Vec<String> = rows.iter().map(|row| format!("    {row}")).collect();
    format!("[\n{}\n  ]", rows.join(",\n"))
}

pub(super) fn parse(text: &str) -> Result<Graph, String> {
    let content: Content = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let (d, dag) = (content.dag.dim(), content.dag);
    let square = |what: &str, rows: Option<Vec<Vec<f64>>>, other: DMatrix<f64>| {
        let Some(rows) = rows else { return Ok(other) };
        if rows.len() != d || rows.iter().any(|row| row.len() != d) {
            return Err(format!("{what}: expected {d} rows of {d} numbers, one per variable"));
        }
        Ok(DMatrix::from_fn(d, d, |i, j| rows[i][j]))
    };
    let edge_probs = square("edge_probs", content.edge_probs, dag.adjacency())?;
    let strengths = square("strengths", content.strengths, DMatrix::zeros(d, d))?;
    let order = content.order.unwrap_or_else(|| dag.topological_order().to_vec());
    let learned = LearnedGraph { dag, order, edge_probs, strengths };
    Ok(Graph { names: content.names, learned, provenance: content.learned_by })
}

fn rows(m: &DMatrix<f64>) -> Vec<Vec<f64>> {
    m.row_iter().map(|row| row.iter().copied().collect()).collect()
}
