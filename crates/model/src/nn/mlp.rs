use burn::module::Module;
use burn::tensor::{Device, Tensor, activation::relu};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StackedLinear;

/// Width of the rounded corner of [`Activation::RoundedLeaky`].
const CORNER: f64 = 0.1;

/// What follows a hidden layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(h, 0)`.
    #[default]
    Relu,
    /// `0.6 h + 0.4 √(h² + 0.1²)`: a rectifier that lets a fifth through below zero, and whose slope changes
    /// smoothly. Nothing that it is given is lost, and a volume that depends on slopes has gradients.
    RoundedLeaky,
}

impl Activation {
    /// Whether it is the rectifier; this is what is not written.
    pub fn is_relu(&self) -> bool {
        *self == Self::Relu
    }

    fn of(self, h: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Relu => relu(h),
            Self::RoundedLeaky => h.clone() * 0.6 + rounded(h) * 0.4,
        }
    }

    /// The value and the slope.
    fn with_slope(self, h: Tensor<2>) -> [Tensor<2>; 2] {
        match self {
            Self::Relu => [relu(h.clone()), h.greater_elem(0.0).float()],
            Self::RoundedLeaky => {
                let size = rounded(h.clone());
                [h.clone() * 0.6 + size.clone() * 0.4, h / size * 0.4 + 0.6]
            }
        }
    }
}

/// `√(h² + 0.1²)`.
fn rounded(h: Tensor<2>) -> Tensor<2> {
    (h.square() + CORNER * CORNER).sqrt()
}

/// A stack of trunks: every layer is followed by an activation.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<StackedLinear>,
    #[module(skip)]
    activation: Activation,
}

impl Mlp {
    /// `layers` layers of `hidden` units on `d_in` inputs, for each of `stack` networks.
    pub fn new(
        [stack, d_in, hidden]: [usize; 3],
        layers: usize,
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        let width = |layer| if layer == 0 { d_in } else { hidden };
        let layers = (0..layers)
            .map(|l| StackedLinear::new([stack, width(l), hidden], rng, device))
            .collect();
        Self { layers, activation: Activation::default() }
    }

    /// The same networks with another activation.
    #[must_use]
    pub fn with_activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// The networks of several stacks as one, in the given order of networks.
    ///
    /// # Panics
    /// If `parts` is empty or the networks differ in depth or activation.
    pub fn gather(parts: &[&Self], order: &[usize]) -> Self {
        let layer = |l: usize| {
            StackedLinear::gather(&parts.iter().map(|p| &p.layers[l]).collect::<Vec<_>>(), order)
        };
        let activation = parts[0].activation;
        assert!(parts.iter().all(|part| part.activation == activation), "activations differ");
        Self { layers: (0..parts[0].layers.len()).map(layer).collect(), activation }
    }

    /// Maps `[stack · batch, d_in]` to `[stack · batch, hidden]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| self.activation.of(layer.forward(x)))
    }

    /// The same with the derivatives by the inputs, `[stack, batch, d_in, hidden]`.
    ///
    /// # Panics
    /// If there is no layer.
    pub(super) fn forward_with_jacobian(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<4>) {
        let (mut x, mut jacobian) = (x, None);
        for layer in &self.layers {
            let [value, slope] = self.activation.with_slope(layer.forward(x));
            x = value;
            let weight = layer.weight.val();
            let [stack, d_in, hidden] = weight.dims();
            let slope = slope.reshape([stack, x.dims()[0] / stack, 1, hidden]);
            let before = match jacobian {
                None => weight.reshape([stack, 1, d_in, hidden]),
                Some(inner) => onwards(inner, weight),
            };
            jacobian = Some(before * slope);
        }
        (x, jacobian.expect("at least one layer"))
    }
}

/// Derivatives `[stack, batch, d_in, width]` on through weights `[stack, width, d_out]`.
pub(super) fn onwards(jacobian: Tensor<4>, weight: Tensor<3>) -> Tensor<4> {
    let ([stack, batch, d_in, width], [_, _, d_out]) = (jacobian.dims(), weight.dims());
    let product = jacobian.reshape([stack, batch * d_in, width]).matmul(weight);
    product.reshape([stack, batch, d_in, d_out])
}
