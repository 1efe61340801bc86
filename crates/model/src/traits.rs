use burn::module::Module;
use burn::tensor::Tensor;
use rand::Rng;

use crate::{Action, Causal, ModelError, Noise, NoisePosterior, Obs, PairBatch};

/// A structural causal model in solution form: `z = s(e)`, `e = s⁻¹(z)`.
///
/// [`laws::assert_scm_laws`](crate::laws::assert_scm_laws) states what an implementer owes.
pub trait Scm: Send {
    /// Number of variables `d`.
    fn dim(&self) -> usize;

    /// Edge probabilities `[d, d]`; entry `(i, j)` is the belief in `i -> j`.
    fn edge_probs(&self) -> Tensor<2>;

    /// The variables that noise `e` leads to.
    fn solve(&self, e: Noise) -> Causal;

    /// The noise behind variables `z`.
    fn abduct(&self, z: Causal) -> Noise;

    /// The variables that noise `e` leads to under an action.
    fn intervene(&self, e: Noise, action: &Action) -> Causal;

    /// What `z` would have been: abduct, act, predict (Pearl 2009, theorem 7.1.7).
    fn counterfactual(&self, z: Causal, action: &Action) -> Causal {
        self.intervene(self.abduct(z), action)
    }
}

/// A model of observations `x` whose latents obey an SCM, learned from before/after pairs.
///
/// Brehmer et al. 2022, arXiv 2203.16437.
pub trait LatentCausalModel: Scm {
    /// `q(e | x)`.
    fn encode(&self, x: Obs) -> NoisePosterior;

    /// The mean of `p(x | z)`, `[batch, dim_x]`.
    fn decode(&self, z: Causal) -> Obs;

    /// `log q(I | x, x̃)`, `[batch, d + 1]`; column 0 is "none", column `k + 1` variable `k`.
    fn target_log_probs(&self, pairs: &PairBatch) -> Tensor<2>;

    /// A lower bound of `log p(x, x̃)` in nats, `[batch]`.
    ///
    /// # Errors
    /// [`ModelError`] if the pairs do not fit the model.
    fn log_likelihood(&self, pairs: &PairBatch, rng: &mut dyn Rng)
    -> Result<Tensor<1>, ModelError>;

    /// The causal variables of `x`: `s(E[q(e | x)])`.
    fn latents(&self, x: Obs) -> Causal {
        self.solve(self.encode(x).mean)
    }
}

/// What the training loop needs of a model, and nothing else.
pub trait PairObjective: Module {
    /// Weights of the loss terms, after their schedules.
    type Weights;

    /// The loss of a batch. Every noise value comes from `rng`.
    fn loss(&self, pairs: &PairBatch, weights: &Self::Weights, rng: &mut dyn Rng) -> Loss;
}

/// A loss and what it is made of.
#[derive(Debug)]
pub struct Loss {
    /// The quantity to minimise, `[1]`: the sum over replicas of each replica's mean.
    pub total: Tensor<1>,
    /// Named parts, each `[replicas]`, for logs; unweighted.
    pub terms: Vec<(&'static str, Tensor<1>)>,
}
