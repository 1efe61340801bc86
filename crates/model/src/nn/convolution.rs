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

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::host::values;
    use crate::{cpu, standard_normal};

    const SIZE: [usize; 4] = [2, 6, 8, 3];

    /// A picture's value, 0 outside.
    fn at(x: &[f32], [_, h, w, c]: [usize; 4], [n, i, j, k]: [isize; 4]) -> f64 {
        let [h, w, c] = [h, w, c].map(usize::cast_signed);
        let inside = (0..h).contains(&i) && (0..w).contains(&j);
        let place = ((n * h + i) * w + j) * c + k;
        if inside { f64::from(x[place as usize]) } else { 0.0 }
    }

    /// The indices of one entry of `[n, h, w, c]` after another.
    fn places([n, h, w, c]: [usize; 4]) -> impl Iterator<Item = [isize; 4]> {
        (0..n * h * w * c).map(move |place| {
            [place / (h * w * c), place / (w * c) % h, place / c % w, place % c]
                .map(usize::cast_signed)
        })
    }

    fn assert_close(got: &[f32], want: impl Iterator<Item = f64>) {
        let mut count = 0;
        for (got, want) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-4, "{got} against {want}");
            count += 1;
        }
        assert_eq!(count, got.len());
    }

    #[test]
    fn a_halving_convolution_is_the_naive_sum() {
        let mut rng = Seed(1).rng(Stream::Init);
        let x = standard_normal(SIZE, &mut rng, &cpu());
        let layer = HalvingConvolution::new([3, 5], &mut rng, &cpu());
        let (input, weight) = (values(x.clone()), values(layer.product.weight.val()));
        let y = layer.forward(x);
        assert_eq!(y.dims(), [2, 3, 4, 5]);
        let naive = places([2, 3, 4, 5]).map(|[n, i, j, l]| {
            let terms = places([1, 4, 4, 3]).map(|[_, u, v, k]| {
                let seen = at(&input, SIZE, [n, 2 * i + u - 1, 2 * j + v - 1, k]);
                seen * f64::from(weight[(((4 * u + v) * 3 + k) * 5 + l) as usize])
            });
            terms.sum()
        });
        assert_close(&values(y), naive);
    }

    #[test]
    fn a_doubling_convolution_is_the_naive_sum() {
        let mut rng = Seed(2).rng(Stream::Init);
        let x = standard_normal(SIZE, &mut rng, &cpu());
        let layer = DoublingConvolution::new([3, 5], &mut rng, &cpu());
        let (input, weight) = (values(x.clone()), values(layer.product.weight.val()));
        let y = layer.forward(x);
        assert_eq!(y.dims(), [2, 12, 16, 5]);
        let naive = places([2, 12, 16, 5]).map(|[n, p, q, l]| {
            let terms = places([1, 6, 8, 3]).map(|[_, i, j, k]| {
                let (u, v) = (p + 1 - 2 * i, q + 1 - 2 * j);
                let weight = |place: isize| f64::from(weight[place as usize]);
                let hit = (0..4).contains(&u) && (0..4).contains(&v);
                let share = if hit { weight(k * 80 + (4 * u + v) * 5 + l) } else { 0.0 };
                at(&input, SIZE, [n, i, j, k]) * share
            });
            terms.sum()
        });
        assert_close(&values(y), naive);
    }

    /// The slope of the squared length of what a layer gives, along a direction: by gradients, and by
    /// the difference of two values, which is exact for squares of linear functions.
    fn slopes(x: &Tensor<4>, layer: impl Fn(Tensor<4>) -> Tensor<4>) -> [f64; 2] {
        let device = cpu().autodiff();
        let direction = standard_normal(x.dims(), &mut Seed(9).rng(Stream::Eval), &cpu());
        let on = |x: Tensor<4>| Tensor::<4>::from_data(x.into_data(), &device);
        let value = |x: Tensor<4>| layer(on(x)).square().sum();
        let tracked = on(x.clone()).require_grad();
        let grads = layer(tracked.clone()).square().sum().backward();
        let gradient = tracked.grad(&grads).expect("it was tracked");
        let by_gradient = (gradient * direction.clone()).sum().into_scalar::<f64>();
        let [ahead, behind] = [0.5, -0.5]
            .map(|step| value(x.clone() + direction.clone() * step).into_scalar::<f64>());
        [by_gradient, ahead - behind]
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut rng = Seed(3).rng(Stream::Init);
        let x = standard_normal(SIZE, &mut rng, &cpu());
        let device = cpu().autodiff();
        let halving = HalvingConvolution::new([3, 4], &mut rng, &device);
        let doubling = DoublingConvolution::new([3, 4], &mut rng, &device);
        for [got, want] in [slopes(&x, |x| halving.forward(x)), slopes(&x, |x| doubling.forward(x))]
        {
            assert!((got - want).abs() < 1e-3 * want.abs().max(1.0), "{got} against {want}");
        }
    }

    #[test]
    fn the_weights_of_a_convolution_get_their_gradient() {
        let device = cpu().autodiff();
        let mut rng = Seed(4).rng(Stream::Init);
        let x = standard_normal([1, 4, 4, 1], &mut rng, &device);
        let layer = HalvingConvolution::new([1, 1], &mut rng, &device);
        let grads = layer.forward(x.clone()).sum().backward();
        let gradient = layer.product.weight.val().grad(&grads).expect("a parameter");
        // The kernel's place (1, 1) sees the upper left pixels of all four blocks.
        let seen: Vec<f32> = values(x.inner());
        let want = seen[0] + seen[2] + seen[8] + seen[10];
        assert!((values(gradient)[5] - want).abs() < 1e-5);
    }
}
