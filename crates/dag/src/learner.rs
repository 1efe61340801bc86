use domino_core::Dag;
use nalgebra::DMatrix;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{DagError, PairCodes};

/// Finds the causal graph behind noise codes of pairs.
pub trait StructureLearner {
    /// The graph, and the belief in each edge.
    ///
    /// # Errors
    /// [`DagError`] if the learner's options do not allow an answer.
    fn learn(&self, codes: &PairCodes, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError>;
}

/// A learned causal graph; matrices are `[from, to]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedGraph {
    /// The edges believed in with a probability above 0.5; acyclic.
    pub dag: Dag,
    /// All variables, causes before effects; every edge of `dag` runs forward in it.
    pub order: Vec<usize>,
    /// Belief in each edge, `[d, d]`, 0 on the diagonal.
    ///
    /// Where the codes tell nothing of a variable's causes (it is never intervened upon), the edges
    /// into it share evenly what the edges out of it leave: `P(j → k) = (1 − P(k → j)) / 2`, or 1/3
    /// where the codes tell nothing of either variable. None of these reaches above 0.5.
    pub edge_probs: DMatrix<f64>,
    /// Permutation dependence of each mechanism on each direct cause, `[d, d]`, 0 without an edge:
    /// `E[(f_k(e_k, z) − f_k(e_k, z^π))²] / Var f_k`, where `z^π` has column `j` permuted. It is 2
    /// times the share of the variance of `z_k` that a linear mechanism takes from `z_j`.
    pub strengths: DMatrix<f64>,
}

impl LearnedGraph {
    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.dag.dim()
    }
}
