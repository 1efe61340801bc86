//! Structure from interventions by gradients of edge beliefs, without an acyclicity constraint.

mod belief;
mod fitting;
mod linear;
mod parents;
mod run;

use nalgebra::DMatrix;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use run::EncoRun;

use crate::distinct::{distinct, expanded};
use crate::{DagError, LearnedGraph, Mechanisms, Samples, StructureLearner};

/// ENCO: edge probabilities `σ(γ_ij) σ(θ_ij)` from observational and interventional samples.
///
/// Two stages alternate. *Distribution fitting* trains one network per variable, on observational
/// rows (see `folds`), to predict it from random sets of causes drawn from the current beliefs, and stops for each
/// network when its loss on held-out rows rises, since a network that has learned its rows by heart
/// makes true causes look useless on the interventional ones. *Graph fitting*
/// takes rows in which one variable `t` was intervened upon, draws `graphs` graphs, and moves the
/// beliefs by what an edge changes in the mean loss `L_j` of its effect:
///
/// ```text
/// ∂γ_ij = σ(θ_ij) σ'(γ_ij) (E[L_j | i → j] − E[L_j | i ↛ j] + λ)      j ≠ t
/// ∂θ_tj = σ(γ_tj) σ'(θ_tj) (E[L_j | t → j] − E[L_j | t ↛ j])          θ_jt = −θ_tj
/// ```
///
/// Columns may be categorical or continuous (standardised on the observational rows, Gaussian
/// conditionals with learned mean and scale). Perfect and soft interventions are treated alike: the
/// loss of a variable does not count in rows that target it. Inferred targets enter as weights: with
/// probabilities `w`, the loss of `j` has weight `1 − w_j` for `γ` and `w_t (1 − w_j)` for `θ`.
/// Without interventions the directions stay at 1/2, so that no edge is believed in.
///
/// An indirect cause is dropped only if its gain stands out of the errors of the networks. Where all
/// mechanisms are linear (see `mechanisms`), a Gaussian score is more precise: from the graph of the networks
/// and from no edge, single edges are added, dropped and turned while that raises the likelihood by more than
/// `ln n / 2 + ln (d (d − 1) / 2)` per edge, and the beliefs are the posterior odds of these changes (Chen &
/// Chen, *Extended Bayesian information criteria*, Biometrika 2008). This is an addition to the paper's method.
///
/// Networks have one hidden layer with leaky rectifiers; the weights of the states of categorical
/// inputs shrink as they learn, which the paper's do not. All networks are evaluated in one kernel
/// over the stack; in graph fitting each distinct set of causes is evaluated once, however many of
/// the graphs share it, which changes no number.
///
/// Lippe, Cohen & Gavves, *Efficient neural causal discovery without acyclicity constraints*, ICLR
/// 2022, arXiv 2107.10483: equations 4 and 5, algorithm 1, appendix D for latent confounders.
///
/// ```
/// use domino_core::{Dag, Seed, Stream};
/// use domino_dag::networks::{DiscreteNetwork, Intervention, Plan, draw_samples};
/// use domino_dag::{Enco, StructureLearner};
///
/// let mut rng = Seed(4).rng(Stream::World);
/// let network = DiscreteNetwork::random(Dag::chain(3), 4, &mut rng)?;
/// let plan = Plan { observational: 2000, per_target: 200, intervention: Intervention::Perfect };
/// let samples = draw_samples(&network, &plan, &mut rng)?;
/// let learned = Enco { hidden: 16, ..Enco::default() }.learn(&samples, &mut rng)?;
/// assert_eq!(learned.dag, Dag::chain(3));
/// # Ok::<(), domino_dag::DagError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Enco {
    /// Hidden units of each network.
    #[schemars(range(min = 1))]
    pub hidden: usize,
    /// Rounds of distribution and graph fitting, at most; settled beliefs end them.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Distribution steps per round, at most; networks stop earlier by their held-out loss.
    #[schemars(range(min = 1))]
    pub distribution_steps: usize,
    /// Parts of the interventional rows, each with networks of its own, which learn from the rows of
    /// the other parts beside the observational ones and judge the graph on their own part. 1 is the
    /// paper's method: observational rows alone teach. More parts cost as many times more and help
    /// where interventions reach values that the observational rows do not have.
    #[schemars(range(min = 1))]
    pub folds: usize,
    /// Rows per distribution step.
    #[schemars(range(min = 1))]
    pub distribution_batch: usize,
    /// Adam's rate in distribution steps.
    #[schemars(range(min = 0.0))]
    pub distribution_rate: f64,
    /// Shrinkage of the weights of categorical inputs per distribution step, in units of the rate: an
    /// addition to the paper's method, which is 0. A free weight for every state of every input has
    /// errors that drown what one weak cause among many tells.
    #[schemars(range(min = 0.0))]
    pub shrinkage: f64,
    /// Graph steps per round.
    #[schemars(range(min = 1))]
    pub graph_steps: usize,
    /// Rows per graph step, all with the same target.
    #[schemars(range(min = 1))]
    pub graph_batch: usize,
    /// Graphs drawn per graph step.
    #[schemars(range(min = 2))]
    pub graphs: usize,
    /// Whether a Gaussian score has the last word on edges: if no mechanism is seen to be curved, always,
    /// or never, as in the paper. Columns of states and more than 200 variables are left to the networks.
    pub mechanisms: Mechanisms,
    /// Price `λ` of an edge, in nats per row.
    #[schemars(range(min = 0.0))]
    pub sparsity: f64,
    /// Adam's rate for `γ`, whose decays are 0.9 and 0.9.
    #[schemars(range(min = 0.0))]
    pub gamma_rate: f64,
    /// Adam's rate for `θ`, whose decays are 0.9 and 0.999.
    #[schemars(range(min = 0.0))]
    pub theta_rate: f64,
}

impl Default for Enco {
    fn default() -> Self {
        Self {
            hidden: 64,
            epochs: 30,
            distribution_steps: 2000,
            folds: 1,
            distribution_batch: 128,
            distribution_rate: 5e-3,
            shrinkage: 3.0,
            graph_steps: 100,
            graph_batch: 64,
            graphs: 50,
            mechanisms: Mechanisms::Detect,
            sparsity: 0.004,
            gamma_rate: 2e-2,
            theta_rate: 1e-1,
        }
    }
}

/// What ENCO finds; matrices are `[d, d]`, `[from, to]`.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoFit {
    /// The graph and its beliefs `σ(γ) σ(θ)`.
    pub graph: LearnedGraph,
    /// Beliefs that an edge exists, whatever its direction: `σ(γ)`, or those of the score.
    pub existence: DMatrix<f64>,
    /// Beliefs that `i` precedes `j`, `σ(θ)` or those of the score; 1/2 where no intervention tells.
    pub orientation: DMatrix<f64>,
    /// Scores for a latent common cause of `i` and `j`, 0 to 1, symmetric:
    /// `σ(γᵒ_ij) (1 − σ(γⁱ_ij)) σ(γᵒ_ji) (1 − σ(γⁱ_ji))`, where `γⁱ_ij` sums the updates of `γ_ij` on
    /// rows that target `i`, and `γᵒ_ij` all others. The authors take scores above 0.35 as found.
    pub confounders: DMatrix<f64>,
    /// Rounds that were run.
    pub epochs: usize,
}

impl StructureLearner<Samples> for Enco {
    fn learn(&self, samples: &Samples, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        Ok(self.fit(samples, rng)?.graph)
    }
}

impl Enco {
    /// The graph with existence, orientation and confounder scores; see [`StructureLearner::learn`].
    ///
    /// # Errors
    /// [`DagError::Option`] if an option is out of its range.
    pub fn fit(&self, samples: &Samples, rng: &mut dyn Rng) -> Result<EncoFit, DagError> {
        let (d, kept) = (samples.dim(), distinct(samples));
        if kept.len() == d {
            return self.fit_distinct(samples, rng);
        }
        if kept.is_empty() {
            self.validate()?;
            let zeros = DMatrix::zeros(d, d);
            let graph = LearnedGraph::from_edge_probs(zeros.clone())?;
            let (existence, orientation) = (zeros.clone(), zeros.clone());
            return Ok(EncoFit { graph, existence, orientation, confounders: zeros, epochs: 0 });
        }
        let part = self.fit_distinct(&samples.project(&kept), rng)?;
        let whole = |m: &DMatrix<f64>| expanded(m, &kept, d);
        Ok(EncoFit {
            graph: LearnedGraph::from_edge_probs(whole(&part.graph.edge_probs))?,
            existence: whole(&part.existence),
            orientation: whole(&part.orientation),
            confounders: whole(&part.confounders),
            epochs: part.epochs,
        })
    }

    fn fit_distinct(&self, samples: &Samples, rng: &mut dyn Rng) -> Result<EncoFit, DagError> {
        let fit = self.start(samples, rng)?.finish(rng)?;
        let Some([existence, orientation]) = linear::beliefs(&fit, samples, self.mechanisms)?
        else {
            return Ok(fit);
        };
        let graph = LearnedGraph::from_edge_probs(existence.component_mul(&orientation))?;
        Ok(EncoFit { graph, existence, orientation, ..fit })
    }

    /// A run that can be taken step by step, without the score at the end.
    ///
    /// # Errors
    /// As [`Enco::fit`].
    pub fn start(&self, samples: &Samples, rng: &mut dyn Rng) -> Result<EncoRun, DagError> {
        self.validate()?;
        Ok(EncoRun::new(self.clone(), samples, rng))
    }

    fn validate(&self) -> Result<(), DagError> {
        let counts = [
            ("hidden", self.hidden, 1),
            ("epochs", self.epochs, 1),
            ("distribution_steps", self.distribution_steps, 1),
            ("folds", self.folds, 1),
            ("distribution_batch", self.distribution_batch, 1),
            ("graph_steps", self.graph_steps, 1),
            ("graph_batch", self.graph_batch, 1),
            ("graphs", self.graphs, 2),
        ];
        for (key, got, least) in counts {
            if got < least {
                let expected = if least == 1 { "1 or more" } else { "2 or more" };
                return Err(DagError::Option { key, expected, got: got as f64 });
            }
        }
        let rates = [
            ("distribution_rate", self.distribution_rate),
            ("shrinkage", self.shrinkage),
            ("sparsity", self.sparsity),
            ("gamma_rate", self.gamma_rate),
            ("theta_rate", self.theta_rate),
        ];
        for (key, got) in rates {
            if !(0.0..=f64::MAX).contains(&got) {
                return Err(DagError::Option { key, expected: "a number, 0 or more", got });
            }
        }
        Ok(())
    }
}
