use burn::module::{Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use domino_model::{Loss, PairBatch, PairObjective, download, standard_normal, uniform, upload};
use nalgebra::DMatrix;
use rand::Rng;

use crate::Ilcm;
use crate::ilcm::{halves, join, replica_means};
use crate::thin::marginal_cost;

/// Keeps the logistic noise of edges finite.
const LEAST_UNIFORM: f64 = 1e-6;

/// How far edge probabilities `[from, to]` are from a graph without cycles, and the gradient by them.
pub type Acyclicity = fn(&DMatrix<f64>) -> (f64, DMatrix<f64>);

/// Explicit latent causal models with a learned graph as their prior, a baseline.
///
/// Encoder and decoder deal in the causal variables `z`. The noise follows by the mechanisms,
/// `e_k = s_k(z_pa) z_k + b_k(z_pa)`, where the parents are drawn anew for every pair, edge `j → k` with
/// the probability `p_jk` (Gumbel, straight through):
///
/// ```text
/// c_j = E[(e'_j − e_j)²] / 2τ² + ln τ − ln s_j(z'_pa)     cost of "j kept its noise"
/// g_k = E[z'_k²] / 2                                      unit prior of an intervened variable
/// L_0 = Σ_j c_j,   L_k = L_0 − c_k + g_k
/// loss = −ln p(x̃|z) − ln p(x̃'|z') + β [−H(q) + Σ_j E[e_j²] / 2 − ln s_j(z_pa) − ln Σ_I exp(−L_I) / (d + 1)]
///        + λ Σ_jk p_jk + ρ h(p)
/// ```
///
/// It is the prior of the explicit models of Brehmer et al. 2022, with unchanged noise on a
/// thin manifold instead of exactly shared noise, so that gradients see all targets; edges are
/// learned as in Brouillard et al. 2020 (DCDI). Order and graph are learned together with the variables
/// here, which the implicit models avoid.
#[derive(Module, Debug)]
pub struct Elcm {
    /// The models being trained.
    pub model: Ilcm,
    /// Logits of the edges, `[replicas, to, from]`.
    edges: Param<Tensor<3>>,
    #[module(skip)]
    acyclicity: Acyclicity,
}

/// Weights of [`Elcm`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElcmWeights {
    /// Width `τ` of the manifold.
    pub tau: f64,
    /// Weight of everything about the variables but the reconstruction.
    pub beta: f64,
    /// Standard deviation of the observations around their reconstruction.
    pub noise: f64,
    /// Weight `λ` of the expected number of edges.
    pub sparsity: f64,
    /// Weight `ρ` of the distance from a graph without cycles.
    pub acyclicity: f64,
}

/// The noise that explains the causal variables of one side.
struct Abducted {
    /// `E[e]` at the means of `q(z | x)`, `[rows, d]`.
    mean: Tensor<2>,
    /// `Var[e]`, `[rows, d]`.
    variance: Tensor<2>,
    /// `ln de_k / dz_k`, `[rows, d]`.
    log_slope: Tensor<2>,
}

impl Elcm {
    /// Models whose edges are all as likely as not.
    ///
    /// # Panics
    /// If the solution functions have more than one component: these have no inverse to differentiate.
    pub fn new(model: Ilcm, acyclicity: Acyclicity, device: &Device) -> Self {
        assert_eq!(model.solution.components(), 1, "explicit models need affine mechanisms");
        let d = model.dim();
        let edges = Param::from_tensor(Tensor::zeros([model.replicas(), d, d], device));
        Self { model, edges, acyclicity }
    }

    /// The same models with other logits of the edges, `[replicas, to, from]`.
    #[cfg(test)]
    pub(crate) fn with_edges(self, logits: Tensor<3>) -> Self {
        Self { edges: Param::from_tensor(logits), ..self }
    }

    /// Edge probabilities `[from, to]` of each model.
    pub fn edge_probs(&self) -> Vec<DMatrix<f64>> {
        let d = self.model.dim();
        let all = download(self.probs().reshape([self.model.replicas() * d, d]));
        (0..self.model.replicas()).map(|at| all.rows(at * d, d).transpose()).collect()
    }

    /// `p [replicas, to, from]`, 0 on the diagonal.
    fn probs(&self) -> Tensor<3> {
        let d = self.model.dim();
        let itself = Tensor::<2>::eye(d, &self.edges.val().device()).reshape([1, d, d]);
        sigmoid(self.edges.val()) * (itself.neg() + 1.0)
    }

    /// Graphs drawn for every pair, `[replicas, to, batch, from]`, 0 or 1; their gradient is that of
    /// the relaxed draw.
    fn draw(&self, batch: usize, rng: &mut dyn Rng) -> Tensor<4> {
        let (replicas, d) = (self.model.replicas(), self.model.dim());
        let logits = self.edges.val().reshape([replicas, d, 1, d]);
        let u = uniform([replicas, d, batch, d], rng, &logits.device());
        let u = u.clamp(LEAST_UNIFORM, 1.0 - LEAST_UNIFORM);
        let noise = u.clone().log() - (u.neg() + 1.0).log();
        let soft = sigmoid(logits + noise);
        let hard = soft.clone().detach().greater_elem(0.5).float();
        soft.clone() + (hard - soft.detach())
    }

    fn abduct(&self, mean: &Tensor<2>, std: &Tensor<2>, graphs: &Tensor<4>) -> Abducted {
        let replicas = self.model.replicas();
        let [rows, d] = mean.dims();
        let batch = rows / replicas;
        let context = mean.clone().reshape([replicas, 1, batch, d]) * graphs.clone();
        let maps = self.model.solution.of_own(context.reshape([rows * d, d]));
        let by_variable = mean.clone().reshape([replicas, batch, d]).swap_dims(1, 2);
        let by_row =
            |x: Tensor<2>| x.reshape([replicas, d, batch]).swap_dims(1, 2).reshape([rows, d]);
        let slope = by_row(maps.scale.clone());
        Abducted {
            mean: by_row(maps.backward(by_variable.reshape([rows * d, 1]))),
            variance: (slope.clone() * std.clone()).square(),
            log_slope: slope.log(),
        }
    }

    /// `Σ p` and `h(p)` of each model, `[replicas]`.
    fn graph_terms(&self) -> [Tensor<1>; 2] {
        let (replicas, d) = (self.model.replicas(), self.model.dim());
        let probs = self.probs();
        let sum = |x: Tensor<3>| x.sum_dim(2).sum_dim(1).reshape([replicas]);
        let device = probs.device();
        let mut gradient = DMatrix::zeros(replicas * d, d);
        // What the tangent at p misses of the value.
        let mut rest = DMatrix::zeros(1, replicas);
        for (at, p) in self.edge_probs().iter().enumerate() {
            let (value, slope) = (self.acyclicity)(p);
            rest[at] = value - slope.dot(p);
            gradient.rows_mut(at * d, d).copy_from(&slope.transpose());
        }
        let tangent = sum(probs.clone() * upload(&gradient, &device).reshape([replicas, d, d]));
        [sum(probs), tangent + upload(&rest, &device).reshape([replicas])]
    }
}

impl PairObjective for Elcm {
    type Weights = ElcmWeights;

    fn loss(&self, pairs: &PairBatch, weights: &ElcmWeights, rng: &mut dyn Rng) -> Loss {
        let replicas = self.model.replicas();
        let code = self.model.encode(pairs);
        let [rows, d] = code.mean[0].dims();
        let [mean, std] = code.joined(replicas);
        let z = mean + std.clone() * standard_normal([2 * rows, d], rng, &std.device());
        let x = join(&pairs.before.0, &pairs.after.0, replicas);
        let error = (x - self.model.decoder.mean(z)).square().sum_dim(1);
        let reconstruction =
            replica_means(error, replicas) * (1.0 / (weights.noise * weights.noise));
        let entropy = replica_means(std.clone().log().sum_dim(1), replicas) * -2.0 - d as f64;

        let graphs = self.draw(rows / replicas, rng);
        let [before, after] =
            [0, 1].map(|side: usize| self.abduct(&code.mean[side], &code.std[side], &graphs));
        let square = before.mean.clone().square() + before.variance.clone();
        let prior = replica_means((square * 0.5 - before.log_slope).sum_dim(1), replicas);

        let moved = (after.mean - before.mean).square() + before.variance + after.variance;
        let tau = weights.tau;
        let kept = moved / (2.0 * tau * tau) + tau.ln() - after.log_slope;
        let [_, after_std] = halves(std, replicas);
        let drawn = (code.mean[1].clone().square() + after_std.square()) * 0.5;
        let targets = marginal_cost(kept.clone().sum_dim(1), kept - drawn);
        let targets = replica_means(targets, replicas);

        let [edges, cycles] = self.graph_terms();
        let divergence = entropy.clone() + prior.clone() + targets.clone();
        let total = (reconstruction.clone()
            + divergence * weights.beta
            + edges.clone() * weights.sparsity
            + cycles.clone() * weights.acyclicity)
            .sum();
        let terms = vec![
            ("reconstruction", reconstruction),
            ("entropy", entropy),
            ("prior", prior),
            ("targets", targets),
            ("edges", edges),
            ("cycles", cycles),
        ];
        Loss { total, terms }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{Obs, cpu};

    use super::*;
    use crate::{IlcmConfig, Sizes};

    /// `tr A²` and its gradient.
    fn two_cycles(p: &DMatrix<f64>) -> (f64, DMatrix<f64>) {
        ((p * p).trace(), p.transpose() * 2.0)
    }

    fn elcm(logits: &[f32]) -> Elcm {
        let device = cpu().autodiff();
        let mut rng = Seed(4).rng(Stream::Init);
        let mut config = IlcmConfig::default();
        config.solution.initial_log_scale = 0.3;
        let sizes = Sizes { replicas: 2, components: 2, d: 2 };
        let model = Ilcm::new(sizes, &config, &mut rng, &device);
        let logits = domino_model::upload_rows(logits.to_vec(), 2, &device);
        Elcm::new(model, two_cycles, &device).with_edges(logits.reshape([2, 2, 2]))
    }

    /// Effect, cause: 0 → 1 for certain in the first model, none in the second.
    const CERTAIN: [f32; 8] = [0.0, -30.0, 30.0, 0.0, 0.0, -30.0, -30.0, 0.0];

    #[test]
    fn edges_are_read_from_cause_to_effect() {
        let probs = elcm(&CERTAIN).edge_probs();
        assert!((probs[0][(0, 1)] - 1.0).abs() < 1e-6 && probs[0].sum() < 1.0 + 1e-6);
        assert!(probs[1].sum() < 1e-6);
    }

    #[test]
    fn a_variable_without_an_edge_does_not_answer() {
        let elcm = elcm(&CERTAIN);
        let device = cpu().autodiff();
        let graphs = elcm.draw(1, &mut Seed(1).rng(Stream::Noise));
        let side = |cause: f32| {
            let rows = vec![cause, 0.7, cause, 0.7];
            let z = domino_model::upload_rows(rows, 2, &device);
            let abducted = elcm.abduct(&z, &z.ones_like(), &graphs);
            download(abducted.mean)
        };
        let (low, high) = (side(-1.0), side(1.0));
        assert!((low[(0, 1)] - high[(0, 1)]).abs() > 1e-3, "an effect's noise sees its cause");
        assert!((low[(1, 1)] - high[(1, 1)]).abs() < 1e-9, "without an edge it does not");
    }

    #[test]
    fn drawn_edges_have_their_probabilities() {
        let logit = (0.8_f32 / 0.2).ln();
        let elcm = elcm(&[0.0, -30.0, logit, 0.0, 0.0, -30.0, -30.0, 0.0]);
        let drawn = elcm.draw(4000, &mut Seed(2).rng(Stream::Noise));
        let share = drawn.narrow(0, 0, 1).narrow(1, 1, 1).narrow(3, 0, 1).mean();
        let share = share.into_scalar::<f64>();
        assert!((share - 0.8).abs() < 0.02, "{share}");
    }

    #[test]
    fn graph_terms_have_their_values_and_gradients() {
        let at = |logit: f32| elcm(&[0.0, 0.4, logit, 0.0, 0.0, -30.0, -30.0, 0.0]);
        let value = |logit: f32| {
            let [edges, cycles] = at(logit).graph_terms();
            [edges, cycles].map(|t| t.sum().into_scalar::<f64>())
        };
        let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
        let [edges, cycles] = value(-0.6);
        assert!((edges - sigma(0.4) - sigma(-0.6)).abs() < 1e-5);
        assert!((cycles - 2.0 * sigma(0.4) * sigma(-0.6)).abs() < 1e-5);
        let model = at(-0.6);
        let [_, cycles] = model.graph_terms();
        let gradient = model.edges.val().grad(&cycles.sum().backward()).unwrap();
        let got = download(gradient.reshape([4, 2]))[(1, 0)];
        let numeric = (value(-0.59)[1] - value(-0.61)[1]) / 0.02;
        assert!((got - numeric).abs() < 1e-3 * numeric.abs().max(1.0), "{got} against {numeric}");
    }

    #[test]
    fn one_intervention_costs_less_than_two() {
        let elcm = elcm(&CERTAIN);
        let device = cpu().autodiff();
        let weights =
            ElcmWeights { tau: 0.05, beta: 1.0, noise: 1.0, sparsity: 0.0, acyclicity: 0.0 };
        let targets = |after: [f32; 2]| {
            let side = |row: [f32; 2]| Obs(domino_model::upload_rows(row.repeat(2), 2, &device));
            let start = [DMatrix::identity(2, 2), DMatrix::identity(2, 2)];
            let model = elcm.model.clone().with_linear_start(&start, &device).silenced();
            let elcm = Elcm { model, ..elcm.clone() };
            let pairs = PairBatch { before: side([0.5, -0.3]), after: side(after) };
            let loss = elcm.loss(&pairs, &weights, &mut Seed(0).rng(Stream::Noise));
            let (_, term) = loss.terms.into_iter().find(|(name, _)| *name == "targets").unwrap();
            download(term.reshape([1, 2]))[(0, 1)]
        };
        assert!(targets([0.5, 0.9]) + 10.0 < targets([-0.7, 0.9]));
    }
}
