use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mlp::onwards;
use super::{Activation, Mlp, StackedLinear};

/// Spread of the output layer's first weights: near zero, so that a linear skip rules at first.
const HEAD_STD: f64 = 0.01;

/// Spread of the standard-deviation head's first weights.
const STD_HEAD_STD: f64 = 1e-3;

/// Shape of a [`GaussianMlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianMlpConfig {
    /// Units per hidden layer.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
    /// What follows a hidden layer.
    #[serde(skip_serializing_if = "Activation::is_relu")]
    pub activation: Activation,
    /// Whether the mean has a linear part beside the network.
    pub skip: bool,
    /// Standard deviation at the start.
    pub initial_std: f64,
    /// Smallest standard deviation.
    pub min_std: f64,
}

impl Default for GaussianMlpConfig {
    fn default() -> Self {
        Self {
            hidden: 64,
            layers: 2,
            activation: Activation::default(),
            skip: true,
            initial_std: 0.01,
            min_std: 1e-4,
        }
    }
}

/// A stack of networks that give a diagonal Gaussian: `N(x A + f(x), σ(x)²)`.
///
/// The standard deviation is `min_std + squareplus(g(x))` with `squareplus(a) = (a + √(a² + 4)) / 2`
/// times a constant scale: as smooth and positive as softplus at a tenth of its cost.
#[derive(Module, Debug)]
pub struct GaussianMlp {
    skip: Option<Param<Tensor<3>>>,
    trunk: Mlp,
    mean: StackedLinear,
    std: StackedLinear,
    #[module(skip)]
    min_std: f64,
    #[module(skip)]
    std_scale: f64,
}

impl GaussianMlp {
    /// Networks of `[stack, d_in, d_out]`; a linear part starts at zero.
    pub fn new(
        [stack, d_in, d_out]: [usize; 3],
        config: &GaussianMlpConfig,
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        let hidden = config.hidden;
        let trunk = Mlp::new([stack, d_in, hidden], config.layers, rng, device)
            .with_activation(config.activation);
        let mean = if config.skip {
            let head = [stack, hidden, d_out];
            StackedLinear::with_normal_weights(head, HEAD_STD, 0.0, rng, device)
        } else {
            StackedLinear::new([stack, hidden, d_out], rng, device)
        };
        let head = [stack, hidden, d_out];
        let std = StackedLinear::with_normal_weights(head, STD_HEAD_STD, 0.0, rng, device);
        let skip =
            config.skip.then(|| Param::from_tensor(Tensor::zeros([stack, d_in, d_out], device)));
        // squareplus(0) = 1, so the scale is what the start needs above the floor.
        let std_scale = config.initial_std - config.min_std;
        Self { skip, trunk, mean, std, min_std: config.min_std, std_scale }
    }

    /// The same networks with the linear part `[stack, d_in, d_out]`, if they have one.
    #[must_use]
    pub fn with_skip(mut self, weight: Tensor<3>) -> Self {
        self.skip = self.skip.map(|_| Param::from_tensor(weight));
        self
    }

    /// The same networks, whose means are multiplied by matrices `[stack, d_out, d_out]` from the right.
    #[must_use]
    pub fn turned(mut self, turns: &Tensor<3>) -> Self {
        let turned = |param: &Param<Tensor<3>>| param.val().matmul(turns.clone()).detach();
        self.mean = StackedLinear::from_parts(turned(&self.mean.weight), turned(&self.mean.bias));
        self.skip = self.skip.as_ref().map(|skip| Param::from_tensor(turned(skip)));
        self
    }

    /// The same networks, whose means are the linear part alone.
    #[must_use]
    pub fn silenced(mut self) -> Self {
        let zero = |param: &Param<Tensor<3>>| param.val().zeros_like();
        self.mean = StackedLinear::from_parts(zero(&self.mean.weight), zero(&self.mean.bias));
        self
    }

    /// Means and standard deviations, `[stack · batch, d_out]` each, of `[stack · batch, d_in]`.
    pub fn forward(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let hidden = self.trunk.forward(x.clone());
        let raw = self.std.forward(hidden.clone());
        let squareplus = (raw.clone() + (raw.square() + 4.0).sqrt()) * (0.5 * self.std_scale);
        (self.mean_of(x, hidden), squareplus + self.min_std)
    }

    /// The means alone.
    pub fn mean(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = self.trunk.forward(x.clone());
        self.mean_of(x, hidden)
    }

    /// The means, and their derivatives by the inputs, `[stack · batch, d_in, d_out]`.
    ///
    /// # Panics
    /// If there is no hidden layer.
    pub fn mean_with_jacobian(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<3>) {
        let (hidden, inner) = self.trunk.forward_with_jacobian(x.clone());
        let network = onwards(inner, self.mean.weight.val());
        let [stack, batch, d_in, d_out] = network.dims();
        let jacobian = match &self.skip {
            None => network,
            Some(skip) => network + skip.val().reshape([stack, 1, d_in, d_out]),
        };
        (self.mean_of(x, hidden), jacobian.reshape([stack * batch, d_in, d_out]))
    }

    fn mean_of(&self, x: Tensor<2>, hidden: Tensor<2>) -> Tensor<2> {
        let mean = self.mean.forward(hidden);
        let Some(skip) = &self.skip else { return mean };
        let weight = skip.val();
        let [stack, d_in, d_out] = weight.dims();
        let [rows, _] = x.dims();
        let linear = x.reshape([stack, rows / stack, d_in]).matmul(weight);
        mean + linear.reshape([rows, d_out])
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::{cpu, download, standard_normal, upload};

    #[test]
    fn the_start_is_the_skip_and_the_asked_for_spread() {
        let mut rng = Seed(5).rng(Stream::Init);
        let config = GaussianMlpConfig::default();
        let skip = standard_normal([2, 3, 3], &mut rng, &cpu());
        let net = GaussianMlp::new([2, 3, 3], &config, &mut rng, &cpu()).with_skip(skip.clone());
        let x = standard_normal([8, 3], &mut rng, &cpu());
        let (mean, std) = net.forward(x.clone());
        let linear = x.reshape([2, 4, 3]).matmul(skip).reshape([8, 3]);
        assert!((download(mean) - download(linear)).amax() < 0.2);
        assert!(download(std).iter().all(|s| (s - 0.01).abs() < 1e-4));
    }

    #[test]
    fn turned_networks_give_turned_means() {
        let mut rng = Seed(7).rng(Stream::Init);
        for skip in [true, false] {
            let config = GaussianMlpConfig { skip, ..GaussianMlpConfig::default() };
            let linear = standard_normal([2, 3, 3], &mut rng, &cpu());
            let net = GaussianMlp::new([2, 3, 3], &config, &mut rng, &cpu()).with_skip(linear);
            let x = standard_normal([8, 3], &mut rng, &cpu());
            let turns = standard_normal([2, 3, 3], &mut rng, &cpu());
            let expected = net.mean(x.clone()).reshape([2, 4, 3]).matmul(turns.clone());
            let got = net.turned(&turns).mean(x);
            assert!((download(got) - download(expected.reshape([8, 3]))).amax() < 1e-5);
        }
    }

    #[test]
    fn derivatives_are_those_of_the_means() {
        for activation in [Activation::RoundedLeaky, Activation::Relu] {
            for skip in [true, false] {
                let mut rng = Seed(6).rng(Stream::Init);
                let config = GaussianMlpConfig {
                    hidden: 5,
                    layers: 3,
                    skip,
                    activation,
                    ..GaussianMlpConfig::default()
                };
                let linear = standard_normal([2, 3, 4], &mut rng, &cpu());
                let net = GaussianMlp::new([2, 3, 4], &config, &mut rng, &cpu()).with_skip(linear);
                let net =
                    GaussianMlp { mean: StackedLinear::new([2, 5, 4], &mut rng, &cpu()), ..net };
                let x = standard_normal([4, 3], &mut rng, &cpu());
                let (mean, jacobian) = net.mean_with_jacobian(x.clone());
                assert!(download(mean - net.mean(x.clone())).amax() < 1e-6);
                let jacobian: Vec<f64> = jacobian.into_data().iter::<f64>().collect();
                let step = 1e-3;
                for input in 0..3 {
                    let moved = |by: f64| {
                        let mut at = download(x.clone());
                        at.column_mut(input).add_scalar_mut(by);
                        download(net.mean(upload(&at, &cpu())))
                    };
                    let slope = (moved(step) - moved(-step)) / (2.0 * step);
                    for (row, output) in [(0, 0), (1, 3), (2, 1), (3, 2)] {
                        let got = jacobian[(row * 3 + input) * 4 + output];
                        assert!((got - slope[(row, output)]).abs() < 2e-3, "{activation:?}");
                    }
                }
            }
        }
    }
}
