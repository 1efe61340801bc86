use burn::module::Module;
use burn::tensor::{Device, Tensor, activation::relu};
use rand::Rng;

use super::StackedLinear;

/// A stack of `ReLU` trunks: every layer is followed by a `ReLU`.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<StackedLinear>,
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
        Self { layers }
    }

    /// The networks of several stacks as one, in the given order of networks.
    ///
    /// # Panics
    /// If `parts` is empty or the networks differ in depth.
    pub fn gather(parts: &[&Self], order: &[usize]) -> Self {
        let layer = |l: usize| {
            StackedLinear::gather(&parts.iter().map(|p| &p.layers[l]).collect::<Vec<_>>(), order)
        };
        Self { layers: (0..parts[0].layers.len()).map(layer).collect() }
    }

    /// Maps `[stack · batch, d_in]` to `[stack · batch, hidden]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(x, |x, layer| relu(layer.forward(x)))
    }
}
