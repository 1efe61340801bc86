use domino_core::Dag;
use nalgebra::DMatrix;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::acyclic::without_cycles;
use crate::{DagError, EquivalenceClass, PairCodes};

/// Finds the causal graph behind data: noise codes of pairs, or [`crate::Samples`] of the variables.
///
/// Every learner answers every sound input, and its answer is acyclic. Where the data tell nothing it
/// says so by its probabilities: constant columns and repeats of an earlier column have no edges, an
/// edge whose direction is open has no direction with a probability above 0.5, and one variable has
/// the trivial graph.
pub trait StructureLearner<Data = PairCodes> {
    /// The graph, and the belief in each edge.
    ///
    /// # Errors
    /// [`DagError`] if the learner's options or the kind of the data do not allow an answer.
    fn learn(&self, data: &Data, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError>;
}

/// A learned causal graph; matrices are `[from, to]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedGraph {
    /// The edges believed in with a probability above 0.5, or one member of the class of graphs that
    /// the learner cannot tell apart; acyclic.
    pub dag: Dag,
    /// All variables, causes before effects; every edge of `dag` runs forward in it.
    pub order: Vec<usize>,
    /// Belief in each edge, `[d, d]`, 0 on the diagonal.
    ///
    /// Where the codes of pairs tell nothing of a variable's causes (it is never intervened upon),
    /// the edges into it share evenly what the edges out of it leave: `P(j → k) = (1 − P(k → j)) / 2`,
    /// or 1/3 where the codes tell nothing of either variable. None of these reaches above 0.5.
    pub edge_probs: DMatrix<f64>,
    /// Permutation dependence of each mechanism on each direct cause, `[d, d]`, 0 without an edge:
    /// `E[(f_k(e_k, z) − f_k(e_k, z^π))²] / Var f_k`, where `z^π` has column `j` permuted. It is 2
    /// times the share of the variance of `z_k` that a linear mechanism takes from `z_j`. Learners
    /// that fit no mechanisms to codes of pairs leave it at 0.
    pub strengths: DMatrix<f64>,
}

impl LearnedGraph {
    /// The graph of beliefs `[d, d]` without strengths: the edges above 0.5, of which those that run
    /// against an order are cut down to 0.5. The order is one in which moving a single variable does not
    /// lower the sum of what is cut.
    ///
    /// ```
    /// use domino_dag::LearnedGraph;
    /// use nalgebra::dmatrix;
    ///
    /// let cyclic = dmatrix![0.0, 0.9, 0.0; 0.0, 0.0, 0.8; 0.6, 0.0, 0.0];
    /// let learned = LearnedGraph::from_edge_probs(cyclic)?;
    /// assert_eq!(learned.order, [0, 1, 2]);
    /// assert!(learned.edge_probs[(2, 0)] <= 0.5);
    /// # Ok::<(), domino_dag::DagError>(())
    /// ```
    ///
    /// # Errors
    /// [`DagError::Shape`] if the matrix is not square, [`DagError::NotFinite`] for a NaN.
    pub fn from_edge_probs(edge_probs: DMatrix<f64>) -> Result<Self, DagError> {
        let d = edge_probs.nrows();
        if edge_probs.ncols() != d {
            let got = [d, edge_probs.ncols()];
            return Err(DagError::Shape { what: "edge_probs", expected: [d, d], got });
        }
        if let Some(at) = edge_probs.iter().position(|p| !p.is_finite()) {
            let (row, col) = (at % d, at / d);
            let value = edge_probs[(row, col)];
            return Err(DagError::NotFinite { what: "edge_probs", row, col, value });
        }
        let (dag, order, edge_probs) = without_cycles(edge_probs)?;
        Ok(Self { dag, order, edge_probs, strengths: DMatrix::zeros(d, d) })
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.dag.dim()
    }

    /// Belief in what `dag` says of each pair of variables, `[d, d]`, symmetric, 1 on the diagonal:
    /// the probability of its edge, or of no edge, `1 − P(i → j) − P(j → i)`.
    pub fn certainty(&self) -> DMatrix<f64> {
        let p = &self.edge_probs;
        DMatrix::from_fn(self.dim(), self.dim(), |i, j| match () {
            () if i == j => 1.0,
            () if self.dag.has_edge(i, j) => p[(i, j)],
            () if self.dag.has_edge(j, i) => p[(j, i)],
            () => (1.0 - p[(i, j)] - p[(j, i)]).max(0.0),
        })
    }

    /// The graphs that perfect interventions on these variables, one at a time, cannot tell from
    /// `dag`: what else may be true where the data is silent on a direction.
    pub fn alternatives(&self, intervened: &[usize]) -> EquivalenceClass {
        let targets: Vec<Vec<usize>> = intervened.iter().map(|&k| vec![k]).collect();
        EquivalenceClass::of_interventions(&self.dag, &targets)
    }

    /// The structural Hamming distance to the truth, reversals counted once, that the beliefs expect:
    /// `Σ_{i<j} (1 − certainty)`.
    pub fn expected_shd(&self) -> f64 {
        let certainty = self.certainty();
        let pairs = (0..self.dim()).flat_map(|j| (0..j).map(move |i| (i, j)));
        pairs.map(|at| 1.0 - certainty[at]).sum()
    }
}
