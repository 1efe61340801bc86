use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LearningRate;
use crate::basis::{Basis, BasisConfig};

/// Adam with a gradient norm that is bounded per model, and decoupled weight decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// Step sizes.
    pub learning_rate: LearningRate,
    /// Largest gradient norm of each model of a stack.
    pub clip: f64,
    /// Decoupled weight decay per step, times the step size.
    pub weight_decay: f64,
    /// Whether the moments start anew with each cycle of the learning rate.
    pub reset_at_restart: bool,
    /// Where present, the second moments of weight matrices are kept along the axes along which gradients vary
    /// independently; otherwise entry by entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<BasisConfig>,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            learning_rate: LearningRate::default(),
            clip: 10.0,
            weight_decay: 0.0,
            reset_at_restart: false,
            basis: None,
        }
    }
}

/// Decays of the moments.
const BETA: [f64; 2] = [0.9, 0.999];
/// The same where second moments have a basis of their own.
const BETA_IN_BASIS: [f64; 2] = [0.95, 0.95];
const EPSILON: f64 = 1e-8;

/// The optimiser (Kingma & Ba 2015; decay as in Loshchilov & Hutter 2019).
///
/// Each of `models` stacked models has its own gradient norm, so that none disturbs another; a
/// model whose gradient is not finite skips the step. Parameters are known by their place in the
/// module, so that state saved by one process fits the next.
///
/// With a [basis](AdamConfig::basis) the moments of weights `W [models, rows, cols]` are those of SOAP (Vyas et al.
/// 2024, arXiv 2409.11321): along the axes `Q_L`, `Q_R` of the averages of `G Gᵀ` and `Gᵀ G`,
///
/// ```text
/// V ← β₂ V + (1 − β₂) (Q_Lᵀ G Q_R)²
/// W ← W − rate · Q_L [Q_Lᵀ M Q_R / (√V + ε)] Q_Rᵀ
/// ```
///
/// with the usual corrections of a fresh start. Where outputs differ much in size, such as the noise of effects that
/// causes outweigh by far, gradients along single weights are ill conditioned and along these axes are not.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    models: usize,
    steps: i32,
    moments: Vec<Option<Moments>>,
}

/// What is known of the gradients of one parameter, flat.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    pub(crate) first: Tensor<1>,
    pub(crate) second: Tensor<1>,
    /// The basis of the second moments, where it is not that of the parameter.
    pub(crate) basis: Option<Basis>,
}

impl Adam {
    /// An optimiser of `models` stacked models; every parameter leads with a multiple of that.
    pub fn new(config: AdamConfig, models: usize) -> Self {
        Self { config, models, steps: 0, moments: Vec::new() }
    }

    /// Forgets the moments.
    pub fn reset(&mut self) {
        self.steps = 0;
        self.moments.clear();
    }

    /// Steps since the moments were last fresh.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Moments by place of the parameter; none where one had no gradient yet.
    pub(crate) fn moments(&self) -> &[Option<Moments>] {
        &self.moments
    }

    /// Puts saved moments back.
    pub(crate) fn restore(&mut self, steps: i32, moments: Vec<Option<Moments>>) {
        self.steps = steps;
        self.moments = moments;
    }

    /// Decays of first and second moments.
    fn beta(&self) -> [f64; 2] {
        if self.config.basis.is_some() { BETA_IN_BASIS } else { BETA }
    }

    /// One step along the gradients.
    pub fn step<M: Module>(&mut self, module: M, grads: &Gradients, rate: f64) -> M {
        self.steps += 1;
        let mut norms = Norms { grads, models: self.models, squares: None };
        module.visit(&mut norms);
        let Some(squares) = norms.squares else { return module };
        let norm = squares.sqrt();
        let finite = norm.clone().is_finite();
        let shrink = (norm.clone().clamp_min(self.config.clip)).recip() * self.config.clip;
        let factor = shrink.mask_fill(finite.clone().bool_not(), 0.0);
        let all_finite = finite.all().into_scalar::<bool>();
        let mut update = Update { adam: self, grads, rate, factor, all_finite, place: 0 };
        module.map(&mut update)
    }
}

/// Squared gradient norms per model, `[models, 1]`.
struct Norms<'a> {
    grads: &'a Gradients,
    models: usize,
    squares: Option<Tensor<2>>,
}

impl ModuleVisitor for Norms<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(grad) = param.val().grad(self.grads) else { return };
        let share = grad.shape().num_elements() / self.models;
        let squares = grad.reshape([self.models, share]).square().sum_dim(1);
        self.squares = Some(match self.squares.take() {
            Some(sum) => sum + squares,
            None => squares,
        });
    }
}

struct Update<'a> {
    adam: &'a mut Adam,
    grads: &'a Gradients,
    rate: f64,
    factor: Tensor<2>,
    all_finite: bool,
    place: usize,
}

/// From the axes of a parameter to those of its second moments, or back.
type Turn = fn(&Basis, Tensor<3>) -> Tensor<3>;

impl Update<'_> {
    /// The clipped gradient of all models, flat.
    fn clipped<const D: usize>(&self, grad: Tensor<D>) -> Tensor<1> {
        let count = grad.shape().num_elements();
        let models = self.adam.models;
        let mut grad = grad.reshape([models, count / models]);
        if !self.all_finite {
            let broken = grad.clone().is_finite().bool_not();
            grad = grad.mask_fill(broken, 0.0);
        }
        (grad * self.factor.clone()).reshape([count])
    }

    /// The moments of the parameter at this place with its gradient taken in, and the step along them. Axes are those of
    /// earlier gradients, so that a gradient is not measured by itself.
    fn advanced(&mut self, grad: Tensor<1>, weights: Option<[usize; 3]>) -> (Moments, Tensor<1>) {
        let [beta_1, beta_2] = self.adam.beta();
        let steps = self.adam.steps;
        let config = self.adam.config.basis.zip(weights);
        let count = grad.dims();
        let known = self.adam.moments.get_mut(self.place).and_then(Option::take);
        let mut moments = known.unwrap_or_else(|| Moments {
            first: grad.zeros_like(),
            second: grad.zeros_like(),
            basis: config.map(|(_, shape)| Basis::new(&grad.clone().reshape(shape))),
        });
        let Moments { first, second, basis } = &mut moments;
        let put = |tensor: Tensor<1>, basis: &Option<Basis>, turn: Turn| match (basis, config) {
            (Some(basis), Some((_, shape))) => turn(basis, tensor.reshape(shape)).reshape(count),
            _ => tensor,
        };
        *first = first.clone() * beta_1 + grad.clone() * (1.0 - beta_1);
        let square = put(grad.clone(), basis, Basis::turned).square();
        *second = second.clone() * beta_2 + square * (1.0 - beta_2);
        let correction = (1.0 - beta_2.powi(steps)).sqrt();
        let size = self.rate * correction / (1.0 - beta_1.powi(steps));
        let along = put(first.clone(), basis, Basis::turned) * size
            / (second.clone().sqrt() + EPSILON * correction);
        let change = put(along, basis, Basis::turned_back);
        if let (Some(basis), Some((config, shape))) = (basis, config) {
            basis.follow(&grad.reshape(shape), config.decay);
            if (steps as u64).is_multiple_of(config.every.max(1)) {
                *second = basis.turn(second.clone().reshape(shape)).reshape(count);
            }
        }
        (moments, change)
    }
}

/// The shape of a parameter that is a stack of matrices with more than one row and column.
fn matrices(shape: &[usize]) -> Option<[usize; 3]> {
    match shape {
        &[models, rows, cols] if rows > 1 && cols > 1 => Some([models, rows, cols]),
        _ => None,
    }
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(grad) = param.val().grad(self.grads) else {
            self.place += 1;
            return param;
        };
        let weights = matrices(&grad.dims());
        let grad = self.clipped(grad);
        let (moments, change) = self.advanced(grad, weights);
        let keep = 1.0 - self.rate * self.adam.config.weight_decay;
        if self.adam.moments.len() <= self.place {
            self.adam.moments.resize(self.place + 1, None);
        }
        self.adam.moments[self.place] = Some(moments);
        self.place += 1;
        param.map(|tensor| {
            let value = tensor.inner();
            let shape = value.dims();
            let value = if keep < 1.0 { value * keep } else { value };
            Tensor::from_inner(value - change.reshape(shape)).require_grad()
        })
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{StackedLinear, cpu, download, standard_normal, upload_rows};

    use super::*;

    fn bias_after(steps: usize, gradient: [f32; 2], config: AdamConfig) -> Vec<f64> {
        let device = cpu().autodiff();
        let mut rng = Seed(0).rng(Stream::Init);
        let mut layers = StackedLinear::with_normal_weights([2, 1, 1], 0.0, 0.0, &mut rng, &device);
        let mut adam = Adam::new(config, 2);
        let slope = upload_rows(gradient.to_vec(), 1, &device);
        for _ in 0..steps {
            let y = layers.forward(Tensor::zeros([2, 1], &device));
            let grads = (y * slope.clone()).sum().backward();
            layers = adam.step(layers, &grads, 0.1);
        }
        layers.bias.val().into_data().iter::<f64>().collect()
    }

    #[test]
    fn the_first_step_has_the_size_of_the_rate_against_the_gradient() {
        let bias = bias_after(1, [3.0, -1e-3], AdamConfig::default());
        assert!((bias[0] + 0.1).abs() < 1e-5 && (bias[1] - 0.1).abs() < 1e-4, "{bias:?}");
    }

    #[test]
    fn a_model_with_a_broken_gradient_rests_and_leaves_the_other_alone() {
        let bias = bias_after(3, [f32::NAN, 1.0], AdamConfig::default());
        assert!(bias[0].abs() < 1e-12, "{bias:?}");
        assert!((bias[1] + 0.3).abs() < 1e-4, "{bias:?}");
    }

    #[test]
    fn a_quadratic_is_minimised() {
        let device = cpu().autodiff();
        let mut rng = Seed(0).rng(Stream::Init);
        let mut layer = StackedLinear::new([1, 2, 1], &mut rng, &device);
        let x = standard_normal([64, 2], &mut rng, &device);
        let y = x.clone().matmul(upload_rows(vec![2.0, -1.0], 1, &device)) + 0.5;
        let mut adam = Adam::new(AdamConfig::default(), 1);
        for _ in 0..800 {
            let loss = (layer.forward(x.clone()) - y.clone()).square().mean();
            layer = adam.step(layer, &loss.backward(), 0.02);
        }
        let weight = download(layer.weight.val().inner().reshape([2, 1]));
        assert!((weight[0] - 2.0).abs() < 1e-3 && (weight[1] + 1.0).abs() < 1e-3, "{weight}");
    }
}
