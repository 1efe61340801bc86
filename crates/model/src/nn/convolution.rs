use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::StackedLinear;
use super::windows::{KERNEL, overlaid, windows};

/// Places of the kernel.
const PLACES: usize = KERNEL * KERNEL;

/// Inputs of a transposed convolution that each output sees.
const SEEN: usize = 4;

/// A convolution that halves the sides of pictures: kernel 4 by 4, stride 2, one pixel of zeros around.
///
/// ```text
/// y[i, j] = b + Σ_{u, v ∈ 0..4} x[2 i + u − 1, 2 j + v − 1] W[u, v]
/// ```
///
/// Pictures are `[n, h, w, c]`. What each output sees becomes a row, and one matrix product does the
/// rest: row `(4 u + v) c_in + k` of the weights is that of kernel place `(u, v)` and input channel `k`.
#[derive(Module, Debug)]
pub struct HalvingConvolution {
    /// The matrix product: weights `[1, 16 c_in, c_out]`, biases `[1, 1, c_out]`.
    pub product: StackedLinear,
}

impl HalvingConvolution {
    /// From `c_in` to `c_out` channels: weights from N(0, 2 / fan-in), which keeps the size of what goes
    /// through a `ReLU`, and no bias.
    pub fn new([c_in, c_out]: [usize; 2], rng: &mut dyn Rng, device: &Device) -> Self {
        let fan_in = PLACES * c_in;
        Self { product: of_kept_size([fan_in, c_out], fan_in, rng, device) }
    }

    /// Maps pictures `[n, h, w, c_in]` of even sides to `[n, h / 2, w / 2, c_out]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, h, w, c_in] = x.dims();
        let rows = windows(x).reshape([n * h * w / 4, PLACES * c_in]);
        let [_, _, c_out] = self.product.weight.val().dims();
        self.product.forward(rows).reshape([n, h / 2, w / 2, c_out])
    }
}

/// A transposed convolution that doubles the sides of pictures, the adjoint of a
/// [`HalvingConvolution`]: kernel 4 by 4, stride 2, one pixel cut off around.
///
/// ```text
/// y[p, q] = Σ_{i, j: 0 ≤ p + 1 − 2 i, q + 1 − 2 j < 4} b[u, v] + x[i, j] W[u, v],  (u, v) = (p + 1 − 2 i, q + 1 − 2 j)
/// ```
///
/// One matrix product takes each input pixel to the 4 by 4 outputs that see it, and these are laid
/// over one another. Column `(4 u + v) c_out + l` of weights and biases is that of kernel place
/// `(u, v)` and output channel `l`.
#[derive(Module, Debug)]
pub struct DoublingConvolution {
    /// The matrix product: weights `[1, c_in, 16 c_out]`, biases `[1, 1, 16 c_out]`.
    pub product: StackedLinear,
}

impl DoublingConvolution {
    /// From `c_in` to `c_out` channels, from random weights as a [`HalvingConvolution`].
    pub fn new([c_in, c_out]: [usize; 2], rng: &mut dyn Rng, device: &Device) -> Self {
        Self { product: of_kept_size([c_in, PLACES * c_out], SEEN * c_in, rng, device) }
    }

    /// Maps pictures `[n, h, w, c_in]` to `[n, 2 h, 2 w, c_out]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, h, w, c_in] = x.dims();
        let [_, _, wide] = self.product.weight.val().dims();
        overlaid(self.product.forward(x.reshape([n * h * w, c_in])).reshape([n, h, w, wide]))
    }
}

fn of_kept_size(
    [d_in, d_out]: [usize; 2],
    fan_in: usize,
    rng: &mut dyn Rng,
    device: &Device,
) -> StackedLinear {
    let std = (2.0 / fan_in as f64).sqrt();
    StackedLinear::with_normal_weights([1, d_in, d_out], std, 0.0, rng, device)
}
