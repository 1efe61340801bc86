//! Graphs as users handle them: learned from data in any of its forms, written and read as files,
//! drawn and compared.

mod columns;
mod compare;
mod data;
mod dot;
mod draw;
mod file;
mod graphml;
mod json;
mod layout;
mod method;
mod xml;

use domino::core::Dag;
use domino::dag::LearnedGraph;
use serde::{Deserialize, Serialize};

pub use columns::Columns;
pub use compare::{Comparison, compare};
pub use data::{Data, DataError, DataKind, Loaded, load};
pub use draw::draw;
pub use file::{FORMATS, GraphError, check_ending, read, write};
pub use method::{Method, MethodError};

/// A graph with names.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Names of the variables, `[d]`, all different.
    pub names: Vec<String>,
    /// The graph and the beliefs; certain where a file tells of edges alone.
    pub learned: LearnedGraph,
    /// Where it comes from, if it was learned here.
    pub provenance: Option<Provenance>,
}

/// How a graph was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the method.
    pub method: String,
    /// Its settings.
    pub settings: serde_json::Value,
    /// Resamples that the probabilities are averaged over, 0 for none.
    pub bootstrap: usize,
    /// What all random numbers come from.
    pub seed: u64,
    /// What it was learned from.
    pub data: DataSummary,
    /// Graphs that the data cannot tell apart; not listed for more than [`MOST_LISTED`] variables.
    pub alternatives: Option<Alternatives>,
}

/// What a graph was learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// The form of the data.
    pub kind: String,
    /// Pairs or rows.
    pub rows: usize,
    /// Variables that no intervention hit, as far as the data tells.
    pub never_intervened: Vec<usize>,
}

/// Graphs that perfect interventions on the variables intervened upon cannot tell from the learned
/// one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternatives {
    /// Edges that all of them have, `(from, to)`.
    pub directed: Vec<(usize, usize)>,
    /// Edges that run either way.
    pub undirected: Vec<(usize, usize)>,
    /// The edges of each of them, of at most [`MOST_MEMBERS`].
    pub members: Vec<Vec<(usize, usize)>>,
}

/// Alternatives cost the fourth power of the number of variables.
pub const MOST_LISTED: usize = 64;

/// Alternatives that are listed.
pub const MOST_MEMBERS: usize = 20;

impl Graph {
    /// A graph that is certain.
    pub fn known(names: Vec<String>, dag: Dag) -> Self {
        let (order, edge_probs) = (dag.topological_order().to_vec(), dag.adjacency());
        let strengths = edge_probs.scale(0.0);
        Self {
            names,
            learned: LearnedGraph { dag, order, edge_probs, strengths },
            provenance: None,
        }
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.learned.dim()
    }
}

impl Alternatives {
    /// The class of a learned graph, unless it is too large to list.
    pub fn of(learned: &LearnedGraph, intervened: &[usize]) -> Option<Self> {
        if learned.dim() > MOST_LISTED {
            return None;
        }
        let class = learned.alternatives(intervened);
        let members = class.members(MOST_MEMBERS);
        Some(Self {
            directed: class.directed().collect(),
            undirected: class.undirected().collect(),
            members: members.iter().map(|dag| dag.edges().collect()).collect(),
        })
    }
}

/// `prefix1`, `prefix2` and so on.
pub fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}{number}")).collect()
}
