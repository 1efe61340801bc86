use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::Rng;

use crate::{standard_normal, uniform};

/// `stack` linear layers of one shape, evaluated as one batched product.
///
/// Layer `s` maps its own rows: `y = x W_s + b_s`.
#[derive(Module, Debug)]
pub struct StackedLinear {
    /// Weights, `[stack, d_in, d_out]`.
    pub weight: Param<Tensor<3>>,
    /// Biases, `[stack, 1, d_out]`.
    pub bias: Param<Tensor<3>>,
}

impl StackedLinear {
    /// Weights and biases from `U(−1/√d_in, 1/√d_in)`, the usual start of a linear layer.
    pub fn new([stack, d_in, d_out]: [usize; 3], rng: &mut dyn Rng, device: &Device) -> Self {
        let bound = 1.0 / (d_in.max(1) as f64).sqrt();
        let mut draw = |shape| uniform::<3>(shape, rng, device) * (2.0 * bound) - bound;
        Self::from_parts(draw([stack, d_in, d_out]), draw([stack, 1, d_out]))
    }

    /// Weights from N(0, `std`²), biases all `bias`.
    pub fn with_normal_weights(
        [stack, d_in, d_out]: [usize; 3],
        std: f64,
        bias: f64,
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        Self::from_parts(
            standard_normal([stack, d_in, d_out], rng, device) * std,
            Tensor::full([stack, 1, d_out], bias, device),
        )
    }

    /// Layers of given weights `[stack, d_in, d_out]` and biases `[stack, 1, d_out]`.
    pub fn from_parts(weight: Tensor<3>, bias: Tensor<3>) -> Self {
        Self { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias) }
    }

    /// The layers of several stacks as one, in the given order of layers.
    ///
    /// # Panics
    /// If `parts` is empty.
    pub fn gather(parts: &[&Self], order: &[usize]) -> Self {
        let joined = |field: fn(&Self) -> Tensor<3>| {
            take_stack(Tensor::cat(parts.iter().map(|p| field(p)).collect(), 0), order)
        };
        Self::from_parts(joined(|p| p.weight.val()), joined(|p| p.bias.val()))
    }

    /// Maps `[stack · batch, d_in]` to `[stack · batch, d_out]`; rows are grouped by layer.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        let [stack, d_in, d_out] = weight.dims();
        let [rows, _] = x.dims();
        if stack == 1 {
            return x.matmul(weight.reshape([d_in, d_out])) + bias.reshape([1, d_out]);
        }
        let x = x.reshape([stack, rows / stack, d_in]);
        (x.matmul(weight) + bias).reshape([rows, d_out])
    }
}

/// The given entries of the leading axis, in the given order, as values without history.
pub fn take_stack(tensor: Tensor<3>, order: &[usize]) -> Tensor<3> {
    let tensor = tensor.detach();
    Tensor::cat(order.iter().map(|&s| tensor.clone().narrow(0, s, 1)).collect(), 0)
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::{cpu, download};

    #[test]
    fn each_layer_maps_its_own_rows() {
        let mut rng = Seed(1).rng(Stream::Init);
        let layers = StackedLinear::new([3, 4, 2], &mut rng, &cpu());
        let x = standard_normal([6, 4], &mut rng, &cpu());
        let y = download(layers.forward(x.clone()));
        for s in 0..3 {
            let single = StackedLinear::from_parts(
                layers.weight.val().narrow(0, s, 1),
                layers.bias.val().narrow(0, s, 1),
            );
            let own = download(single.forward(x.clone().narrow(0, 2 * s, 2)));
            assert!((own - y.rows(2 * s, 2)).amax() < 1e-6);
        }
    }

    #[test]
    fn the_start_is_bounded_by_the_fan_in() {
        let mut rng = Seed(1).rng(Stream::Init);
        let weight = StackedLinear::new([2, 16, 50], &mut rng, &cpu()).weight.val();
        let largest: f32 = weight.abs().max().into_scalar();
        assert!((0.24..=0.25).contains(&largest), "{largest}");
    }
}
