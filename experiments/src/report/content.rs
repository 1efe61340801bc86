use serde::{Deserialize, Serialize};

use super::nullable;
use crate::pictures::PictureScores;

/// Everything a run found, without times or hosts: equal runs have equal reports.
///
/// Learned variables ("codes") come in the model's own arbitrary order; true variables ("factors")
/// in the generator's. Only [`Scores::matching`] relates the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the experiment.
    pub experiment: String,
    /// Hash of the resolved configuration.
    pub config_hash: String,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// What was measured on.
    pub data: DataSummary,
    /// What was fitted, in words.
    pub model: String,
    /// Number of learned variables `d`.
    pub d: usize,
    /// The learned variables, `[d]`.
    pub variables: Vec<VariableSummary>,
    /// Edges of the learned graph, between codes.
    pub learned_edges: Vec<Edge>,
    /// Belief in every edge, `[d, d]`, entry `[i][j]` for `i -> j`.
    #[serde(deserialize_with = "nullable::matrix")]
    pub edge_probs: Vec<Vec<f64>>,
    /// The learned causal order, causes first, `[d]`.
    pub order: Vec<usize>,
    /// Share of pairs by inferred target, `[d + 1]`; entry 0 is "none". A pair counts for every variable
    /// that was set.
    #[serde(deserialize_with = "nullable::vector")]
    pub target_shares: Vec<f64>,
    /// Whether the result can be trusted, judged without labels.
    pub verdict: Verdict,
    /// Comparison with the truth, where it is known.
    pub scores: Option<Scores>,
    /// What the model answers to "what would be if"; one sweep per variable.
    pub counterfactuals: Vec<CounterfactualStrip>,
    /// How good the pictures are that the model draws, if it draws any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<PictureScores>,
}

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Name of the dataset.
    pub name: String,
    /// Pairs trained on.
    pub rows: usize,
    /// Held-out pairs that all measurements but the learning curves are taken on.
    pub held_out_rows: usize,
    /// Numbers per observation.
    pub dim_x: usize,
    /// BLAKE3 checksum of the data, hexadecimal.
    pub checksum: String,
}

/// One learned variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariableSummary {
    /// Its name, such as `z1`.
    pub name: String,
    /// Share of pairs whose inferred target it is.
    #[serde(deserialize_with = "nullable::number")]
    pub intervened_share: f64,
    /// Its direct causes in the learned graph, as codes.
    pub parents: Vec<usize>,
}

/// A directed edge of the learned graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The cause, a code.
    pub from: usize,
    /// The effect, a code.
    pub to: usize,
    /// Belief that the edge exists, from 0 to 1.
    #[serde(deserialize_with = "nullable::number")]
    pub probability: f64,
    /// How strongly the effect depends on the cause, in standard deviations of the effect.
    #[serde(deserialize_with = "nullable::number")]
    pub strength: f64,
}

/// How far a result can be relied on, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every check passed.
    Trustworthy,
    /// A check is near its threshold: look at the evidence.
    Doubtful,
    /// A check failed clearly.
    Failed,
}

impl Level {
    /// The judgement in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trustworthy => "trustworthy",
            Self::Doubtful => "doubtful",
            Self::Failed => "failed",
        }
    }
}

/// A judgement that uses no labels, so that it also holds for data without truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The judgement.
    pub level: Level,
    /// Mean share of a pair's squared change that lies in its most changed variable; 1 for a
    /// perfect intervention on one variable.
    pub sparsity_of_change: Option<f64>,
    /// Entropy of the inferred targets over `log d`; 1 if all variables are used equally.
    pub target_entropy: Option<f64>,
    /// Smallest |Spearman correlation| of a code with its counterpart in the replica that agrees
    /// best with the kept one; none where only one was trained.
    pub agreement: Option<f64>,
    /// Mean share of a variable's squared change that the model does not foresee.
    pub unforeseen: Option<f64>,
    /// Mean share of the variance of newly set values that the other noise before explains.
    pub dependence: Option<f64>,
    /// Mean share of the variance of newly set values that a variable's own noise before explains.
    pub persistence: Option<f64>,
    /// Number of variables that the pairs support: directions, or the dimension of a surface.
    pub supported_variables: Option<f64>,
    /// Largest step of a code between neighbouring ones of two hundred equally likely values, in what is drawn
    /// of them, over the largest distance between any two.
    pub largest_step: Option<f64>,
    /// Mean squared reconstruction error over the data's variance.
    pub reconstruction: Option<f64>,
    /// Mean log likelihood of a pair, in nats.
    pub log_likelihood: Option<f64>,
    /// What the verdict rests on, one sentence each.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// Whether every check passed.
    pub fn trustworthy(&self) -> bool {
        self.level == Level::Trustworthy
    }
}

/// The learned variables against the true ones; `None` where the truth lacks what a score needs.
///
/// There may be more codes than factors, or fewer: then some have no partner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// DCI disentanglement.
    pub disentanglement: Option<f64>,
    /// DCI completeness.
    pub completeness: Option<f64>,
    /// Mean squared error of the trees that predict factors from codes, on held-out rows.
    pub informativeness_test: Option<f64>,
    /// Mean |Pearson correlation| of the factors with their codes; 0 for a factor without one.
    pub mcc: Option<f64>,
    /// Mean |Spearman correlation| of the factors with their codes; 0 for a factor without one.
    pub mcc_spearman: Option<f64>,
    /// Smallest |Pearson correlation| of a factor with its code; 0 for a factor without one.
    pub smallest_correlation: Option<f64>,
    /// Share of pairs whose intervened variable is named correctly.
    pub target_accuracy: Option<f64>,
    /// Share of pairs whose set of intervened variables is named correctly, where the model names sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_sets: Option<f64>,
    /// Share of pairs in which a variable is rightly said to be set or not, mean over variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_states: Option<f64>,
    /// Structural Hamming distance of the graphs over matched variables; edges of factors without a
    /// code are missing, those of codes without a factor made up.
    pub shd: Option<f64>,
    /// Share of learned edges that exist.
    pub edge_precision: Option<f64>,
    /// Share of true edges that were found.
    pub edge_recall: Option<f64>,
    /// Harmonic mean of the two.
    pub edge_f1: Option<f64>,
    /// Names of the factors, `[factors]`.
    pub factor_names: Vec<String>,
    /// The code that each factor is matched with, none where there are too few, `[factors]`.
    pub matching: Vec<Option<usize>>,
    /// Importance of every code for every factor, `[codes, factors]`; empty where unknown.
    #[serde(deserialize_with = "nullable::matrix")]
    pub importance: Vec<Vec<f64>>,
    /// Pairs by true (row) and inferred (column) target after matching, none first: `[factors + 1,
    /// factors + unmatched codes + 1]`; empty where unknown.
    pub confusion: Vec<Vec<u64>>,
    /// Edges of the true graph, between factors; `None` if it is unknown.
    pub true_edges: Option<Vec<(usize, usize)>>,
}

/// How all variables answer when one of them is set: `do(z_k = v)` for several `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CounterfactualStrip {
    /// The variable `k` that is set, a code.
    pub variable: usize,
    /// The values it is set to, `[values]`.
    #[serde(deserialize_with = "nullable::vector")]
    pub values: Vec<f64>,
    /// All variables under each value, `[values, d]`.
    #[serde(deserialize_with = "nullable::matrix")]
    pub predicted: Vec<Vec<f64>>,
    /// The same by the true model, mapped to the codes' units, `[values, d]`.
    #[serde(default)]
    pub truth: Option<Vec<Vec<f64>>>,
}
