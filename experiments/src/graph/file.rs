use std::fs;
use std::path::{Path, PathBuf};

use domino::core::files::{WriteError, write_bytes};
use domino::core::{Dag, GraphError as CycleError};
use domino::dag::LearnedGraph;
use domino::data::formats::{FormatError, bif};
use domino::data::npz::{FileError, Limits, read_npy_matrix, write_npy_matrix};
use nalgebra::DMatrix;
use thiserror::Error;

use super::xml::{escape, tags};
use super::{Graph, dot, draw, graphml, json, numbered};

/// Endings of files of graphs that can be written, and read again.
pub const FORMATS: [&str; 5] = ["json", "dot", "svg", "graphml", "npy"];

/// The element of a drawing that holds the graph.
const METADATA: &str = "domino-graph";

/// From, to and probability.
pub(super) type Edges = Vec<(usize, usize, f64)>;

/// What files of nodes and edges say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) names: Vec<String>,
    pub(super) edges: Edges,
}

/// Why a file of a graph cannot be read or written.
#[derive(Debug, Error)]
pub enum GraphError {
    /// The ending is none of the known ones.
    #[error("{path}: expected a file that ends in {expected}, got ending {got:?}")]
    Ending {
        /// The file.
        path: PathBuf,
        /// The endings that would do.
        expected: String,
        /// The ending found.
        got: String,
    },
    /// The system refuses to read it.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It holds something else.
    #[error("{path}: expected a graph: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Its edges run in a circle.
    #[error("{path}: {reason}")]
    Cycle {
        /// The file.
        path: PathBuf,
        /// Which variable is part of it.
        reason: CycleError,
    },
    /// A NumPy file is damaged or holds something else.
    #[error(transparent)]
    Npy(#[from] FileError),
    /// A network is damaged or holds something else.
    #[error(transparent)]
    Network(#[from] FormatError),
    /// The system refuses to write.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It cannot be put into words.
    #[error("{path}: {reason}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: serde_json::Error,
    },
}

/// Ending of a path, in lower case.
pub(super) fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn unknown(path: &Path, more: &str) -> GraphError {
    let expected = format!(".{}{more}", FORMATS.join(", ."));
    GraphError::Ending { path: path.to_owned(), expected, got: ending(path) }
}

/// Refuses a path to which [`write()`] would not write, before there is anything to write.
///
/// # Errors
/// [`GraphError::Ending`].
pub fn check_ending(path: &Path) -> Result<(), GraphError> {
    let is_known = FORMATS.contains(&&*ending(path));
    if is_known { Ok(()) } else { Err(unknown(path, "")) }
}

/// Writes a graph in the format of the path's ending, one of [`FORMATS`].
///
/// `.json` holds everything; `.svg` is a drawing that holds the same; `.dot` and `.graphml` hold
/// names and the edges of the graph with their probabilities; `.npy` holds `[d, d]` zeros and ones,
/// `[i, j] = 1` for `i -> j`.
///
/// # Errors
/// [`GraphError`] for another ending, or if the system refuses.
pub fn write(path: &Path, graph: &Graph) -> Result<(), GraphError> {
    let to_json = || json::render(graph).map_err(|reason| failed(path, reason));
    let text = match &*ending(path) {
        "json" => to_json()?,
        "dot" => dot::render(graph),
        "graphml" => graphml::render(graph),
        "svg" => {
            let drawing = draw(graph).to_svg();
            let metadata =
                format!("><metadata id=\"{METADATA}\">{}</metadata>", escape(&to_json()?));
            drawing.replacen('>', &metadata, 1)
        }
        "npy" => return Ok(write_npy_matrix(path, &graph.learned.dag.adjacency())?),
        _ => return Err(unknown(path, "")),
    };
    Ok(write_bytes(path, text.as_bytes())?)
}

fn failed(path: &Path, reason: serde_json::Error) -> GraphError {
    GraphError::Json { path: path.to_owned(), reason }
}

/// Reads a graph in any format that [`write()`] writes, or the graph of a `.bif` network.
///
/// Edges without a probability are certain; those up to a probability of 1/2 are beliefs, but no part
/// of the graph. A `.npy` may hold probabilities too, and has no names: variables are `x1` and so on.
///
/// # Errors
/// [`GraphError`] if the file cannot be read, holds no graph, names a variable twice or has a cycle.
pub fn read(path: &Path) -> Result<Graph, GraphError> {
    let content = |reason: String| GraphError::Content { path: path.to_owned(), reason };
    let text = || {
        fs::read_to_string(path)
            .map_err(|reason| GraphError::Read { path: path.to_owned(), reason })
    };
    let graph = match &*ending(path) {
        "json" => json::parse(&text()?).map_err(content)?,
        "dot" | "gv" => from_edges(path, dot::parse(&text()?).map_err(content)?)?,
        "graphml" => from_edges(path, graphml::parse(&text()?).map_err(content)?)?,
        "svg" => {
            let tags = tags(&text()?);
            let found = tags.iter().find(|tag| tag.attribute("id") == Some(METADATA));
            let missing =
                || content("only drawings that were written here hold their graph".into());
            json::parse(&found.ok_or_else(missing)?.text).map_err(content)?
        }
        "npy" => {
            let matrix = read_npy_matrix(path, Limits::default())?;
            from_matrix(path, numbered("x", matrix.nrows()), matrix)?
        }
        "bif" => {
            let network = bif::read(path, Limits::default())?;
            let names = network.variables().iter().map(|v| v.name.clone()).collect();
            Graph::known(names, network.dag().clone())
        }
        _ => return Err(unknown(path, " or .bif")),
    };
    check_names(&graph).map_err(content)?;
    Ok(graph)
}

fn check_names(graph: &Graph) -> Result<(), String> {
    let (names, d) = (&graph.names, graph.dim());
    if names.len() != d {
        return Err(format!("{d} names, one per variable, got {}", names.len()));
    }
    if let Some(twice) = (1..d).find(|&k| names[..k].contains(&names[k])) {
        return Err(format!("variables of different names, got {:?} twice", names[twice]));
    }
    if graph.learned.order.len() != d || graph.learned.edge_probs.iter().any(|p| !p.is_finite()) {
        return Err("an order of all variables and finite probabilities".into());
    }
    Ok(())
}

fn from_edges(path: &Path, parsed: Parsed) -> Result<Graph, GraphError> {
    let d = parsed.names.len();
    let mut probs = DMatrix::zeros(d, d);
    parsed.edges.iter().for_each(|&(from, to, p)| probs[(from, to)] = p);
    from_matrix(path, parsed.names, probs)
}

/// The graph of the entries above 1/2.
fn from_matrix(path: &Path, names: Vec<String>, probs: DMatrix<f64>) -> Result<Graph, GraphError> {
    let content =
        |reason: &str| GraphError::Content { path: path.to_owned(), reason: reason.to_owned() };
    if probs.nrows() != probs.ncols() {
        let (rows, cols) = probs.shape();
        return Err(content(&format!("expected a square matrix, got {rows} x {cols}")));
    }
    if !probs.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err(content("expected probabilities from 0 to 1, got other numbers"));
    }
    let adjacency = probs.map(|p| f64::from(u8::from(p > 0.5)));
    let dag = Dag::from_adjacency(&adjacency)
        .map_err(|reason| GraphError::Cycle { path: path.to_owned(), reason })?;
    let order = dag.topological_order().to_vec();
    let strengths = DMatrix::zeros(dag.dim(), dag.dim());
    Ok(Graph {
        names,
        learned: LearnedGraph { dag, order, edge_probs: probs, strengths },
        provenance: None,
    })
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;

    fn sample() -> Graph {
        let probs = dmatrix![0.0, 0.75, 0.0, 0.125; 0.0, 0.0, 0.5625, 0.0;
                             0.0, 0.0, 0.0, 0.0; 0.0, 0.0, 0.0, 0.0];
        let names = ["plain", "a \"quoted\" <name>", "ä & b\\", "alone"].map(str::to_owned);
        let learned = LearnedGraph::from_edge_probs(probs).unwrap();
        Graph { names: names.to_vec(), learned, provenance: None }
    }

    #[test]
    fn every_format_gives_back_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let graph = sample();
        for format in FORMATS {
            let path = folder.path().join(format!("graph.{format}"));
            write(&path, &graph).unwrap();
            let found = read(&path).unwrap();
            assert_eq!(found.learned.dag, graph.learned.dag, "{format}");
            match format {
                "json" | "svg" => assert_eq!(found, graph),
                "npy" => assert_eq!(found.names, ["x1", "x2", "x3", "x4"]),
                _ => {
                    assert_eq!(found.names, graph.names, "{format}");
                    let certain = graph.learned.dag.adjacency();
                    let kept = graph.learned.edge_probs.component_mul(&certain);
                    assert_eq!(found.learned.edge_probs, kept, "{format}");
                }
            }
        }
    }

    #[test]
    fn graphs_without_variables_or_edges_are_graphs() {
        let folder = tempfile::tempdir().unwrap();
        for (d, formats) in [(1, &FORMATS[..]), (3, &FORMATS[..])] {
            let graph = Graph::known(numbered("x", d), Dag::empty(d));
            for format in formats {
                let path = folder.path().join(format!("{d}.{format}"));
                write(&path, &graph).unwrap();
                assert_eq!(read(&path).unwrap(), graph, "{format}");
            }
        }
    }

    #[test]
    fn other_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            read(&path).unwrap_err().to_string()
        };
        for (name, text, part) in [
            ("g.txt", "", "expected a file that ends in .json, .dot, .svg, .graphml, .npy or .bif"),
            ("g.json", "{}", "missing field `names`"),
            ("g.json", r#"{"names": ["a"], "dag": {"dim": 2, "edges": []}}"#, "2 names"),
            ("g.json", r#"{"names": ["a", "a"], "dag": {"dim": 2, "edges": []}}"#, "\"a\" twice"),
            ("g.dot", "digraph { a -> b -> a }", "the graph has a cycle through variable"),
            ("g.svg", "<svg></svg>", "only drawings that were written here"),
            ("g.graphml", "<svg></svg>", "expected a graphml element"),
            ("g.npy", "no array", "g.npy"),
            ("g.bif", "no network", "expected a discrete Bayesian network"),
        ] {
            let error = refusal(name, text);
            assert!(error.contains(part) && error.contains(name), "{error}");
        }
    }
}
