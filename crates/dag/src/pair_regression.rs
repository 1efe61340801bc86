use domino_core::Dag;
use nalgebra::DMatrix;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::causal_order;
use crate::sample::Sample;
use crate::screening::Dependence;
use crate::{DagError, LearnedGraph, PairCodes, StructureLearner, linear, nonlinear};

/// Structure from regressions of the codes that interventions produce on the codes before.
///
/// 1. *Rows.* A pair speaks of variable `k` if `k` is its target with enough probability and no
///    other code changes more, in standard deviations.
/// 2. *Order.* `ẽ_k` and the size of its residual are regressed on all other codes before; the
///    dependence on `e_j` shows that `j` is an ancestor of `k`. The order takes next the variable
///    that depends least on the remaining ones.
/// 3. *Linear mechanisms*, where no regression is curved: the coefficients are total effects
///    `T = (I − W)⁻¹`, and all weights `W` are fitted to them at once by maximum likelihood, edges
///    dropped while their Wald statistic is below `max(ln n_k + 2 ln m, n_k f²)`, for `n_k` rows,
///    `m = d (d − 1) / 2` candidates and the least effect `f²`. The law that the weights follow is
///    then estimated from them, `± N(μ, τ²)` with probability `π` and 0 else, and edges are dropped
///    and added while the posterior odds under it change anything (empirical Bayes: Efron, *Statistical
///    Science* 2008). With more than 1000 possible edges, where effects grow too large to be fitted at
///    once, `T_·k = T W_·k` is solved for one variable after the other instead.
/// 4. *Other mechanisms*: in causal order, `ẽ_k` is regressed on the causal variables `z` of its
///    predecessors, with random features for location and scale; an edge is a predecessor without
///    which the held-out likelihood is worse. `z_k = (e_k − b_k(z_pa)) / s_k(z_pa)` then follows.
///
/// From [`crate::PairVariables`] it learns by other regressions with the same options: the order is
/// read off what the interventions on each variable move; where the changes of every variable are
/// weighted sums of its predecessors' changes, these sums and the regressions of the states before
/// are solved together, each weighed by its own error, so that without errors the edges are exact
/// once every cause was set; else `z_k` is regressed on its predecessors in the states before, by small
/// networks, and an edge is a predecessor without which the held-out likelihood is worse.
///
/// Relabelling the variables relabels the answer, and the answer does not change when a code is
/// shifted, scaled or flipped (exactly so for linear mechanisms; random features and networks see another draw).
/// Codes that repeat another code or are constant get no edges. A variable that is never intervened
/// upon can be a cause but gets no causes; see [`LearnedGraph::edge_probs`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairRegression {
    /// Least probability with which a pair's target is taken as known, above 0.5 if "none" or
    /// another variable is to be out of the question.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub least_target_probability: f64,
    /// What mechanisms are assumed.
    pub mechanisms: Mechanisms,
    /// Least partial effect `f² = ΔR² / (1 − R²)` of an edge between linear mechanisms. Errors of
    /// the codes of 2 % of their spread stay below the default.
    #[schemars(range(min = 0.0))]
    pub least_linear_effect: f64,
    /// Least effect of an edge between other mechanisms, twice the gain in held-out
    /// log-likelihood per row, which is `ln(1 + f²)` for a change of location. It has to exceed what
    /// errors in the estimated causal variables carry over from indirect causes.
    #[schemars(range(min = 0.0))]
    pub least_effect: f64,
}

/// How a variable may follow from its causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mechanisms {
    /// Linear if no regression of a code on the codes before is curved, else any.
    #[default]
    Detect,
    /// Weighted sums with constant scale.
    Linear,
    /// Any location and scale.
    Any,
}

/// A learned graph with the causal variables it goes with.
#[derive(Clone, Debug, PartialEq)]
pub struct PairFit {
    /// The graph and its beliefs.
    pub graph: LearnedGraph,
    /// Causal variables before the intervention, `[n, d]`, each known up to sign, shift and scale.
    pub z_before: DMatrix<f64>,
    /// The mechanisms that were used, never [`Mechanisms::Detect`].
    pub mechanisms: Mechanisms,
}

/// What a learner of a given order finds; indices are those of the codes.
pub(crate) struct Findings {
    /// Probability of each edge that runs forward in the order, else 0.
    pub(crate) probs: DMatrix<f64>,
    pub(crate) strengths: DMatrix<f64>,
    pub(crate) z_before: DMatrix<f64>,
}

impl Default for PairRegression {
    fn default() -> Self {
        Self {
            least_target_probability: 0.5,
            mechanisms: Mechanisms::Detect,
            least_linear_effect: 1e-3,
            least_effect: 0.01,
        }
    }
}

impl StructureLearner for PairRegression {
    fn learn(&self, codes: &PairCodes, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        Ok(self.fit(codes, rng)?.graph)
    }
}

impl PairRegression {
    /// The graph together with the causal variables; see [`StructureLearner::learn`].
    ///
    /// # Errors
    /// [`DagError::Option`] if an option is out of its range.
    pub fn fit(&self, codes: &PairCodes, rng: &mut dyn Rng) -> Result<PairFit, DagError> {
        self.validate()?;
        let sample = Sample::new(codes, self.least_target_probability);
        let found: Vec<_> = (0..sample.dim()).map(|k| Dependence::of(&sample, k)).collect();
        let order = causal_order(&found);
        let mechanisms = match self.mechanisms {
            Mechanisms::Detect if found.iter().any(|d| d.curved) => Mechanisms::Any,
            Mechanisms::Detect => Mechanisms::Linear,
            given => given,
        };
        let findings = match mechanisms {
            Mechanisms::Any => nonlinear::learn(&sample, &order, self, rng),
            _ => linear::learn(&sample, &order, self),
        };
        let Findings { probs, mut strengths, z_before } = findings;
        let edge_probs = completed(probs, &order, &sample, &found);
        let edges = forward_pairs(&order).filter(|&at| edge_probs[at] > 0.5);
        let dag = Dag::from_edges(sample.dim(), &edges.collect::<Vec<_>>())?;
        strengths.component_mul_assign(&dag.adjacency());
        let graph = LearnedGraph { dag, order, edge_probs, strengths };
        Ok(PairFit { graph, z_before, mechanisms })
    }

    /// A causal order of the variables by step 2 alone.
    ///
    /// # Errors
    /// [`DagError::Option`] if an option is out of its range.
    pub fn order(&self, codes: &PairCodes) -> Result<Vec<usize>, DagError> {
        self.validate()?;
        let sample = Sample::new(codes, self.least_target_probability);
        let found: Vec<_> = (0..sample.dim()).map(|k| Dependence::of(&sample, k)).collect();
        Ok(causal_order(&found))
    }

    pub(crate) fn validate(&self) -> Result<(), DagError> {
        let check = |key, got: f64, highest| {
            let expected =
                if highest < 2.0 { "a number from 0 to 1" } else { "a number, 0 or more" };
            let fits = got >= 0.0 && got <= highest;
            if fits { Ok(()) } else { Err(DagError::Option { key, expected, got }) }
        };
        check("least_target_probability", self.least_target_probability, 1.0)?;
        check("least_linear_effect", self.least_linear_effect, f64::MAX)?;
        check("least_effect", self.least_effect, f64::MAX)
    }
}

impl Findings {
    /// No edge, and nothing known of the causal variables.
    pub(crate) fn unknown(n: usize, d: usize) -> Self {
        let zeros = DMatrix::zeros(d, d);
        Self { probs: zeros.clone(), strengths: zeros, z_before: DMatrix::zeros(n, d) }
    }
}

/// Pairs `(from, to)` that run forward in the order.
pub(crate) fn forward_pairs(order: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..order.len()).flat_map(move |k| (0..k).map(move |j| (order[j], order[k])))
}

/// Adds the beliefs that the order leaves out: edges against it, and edges into variables that are
/// never intervened upon.
fn completed(
    mut probs: DMatrix<f64>,
    order: &[usize],
    sample: &Sample,
    found: &[Dependence],
) -> DMatrix<f64> {
    let candidates = order.len() - 1;
    let known = |k: usize| !sample.rows[k].is_empty();
    for (j, k) in forward_pairs(order) {
        if known(j) {
            let rows = sample.rows[j].len();
            let odds = crate::belief::log_odds(found[j].linear[k], rows, candidates);
            probs[(k, j)] = crate::belief::logistic(odds).min(0.5 * (1.0 - probs[(j, k)]));
        }
    }
    for (j, k) in forward_pairs(order) {
        match (known(j), known(k)) {
            (true, true) => {}
            (false, false) => (probs[(j, k)], probs[(k, j)]) = (1.0 / 3.0, 1.0 / 3.0),
            (false, true) => probs[(k, j)] = 0.5 * (1.0 - probs[(j, k)]),
            (true, false) => probs[(j, k)] = 0.5 * (1.0 - probs[(k, j)]),
        }
    }
    probs
}
