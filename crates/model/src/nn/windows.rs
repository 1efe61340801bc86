//! What a convolution of kernel 4 by 4 and stride 2 sees of pictures, and the way back.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Slice, Tensor, TensorData};

/// Side of the kernel.
pub(super) const KERNEL: usize = 4;

/// Pictures `[n, h, w, c]` of even sides to what each place of a halved picture sees,
/// `[n, h / 2, w / 2, 16 c]`: entry `(4 u + v) c + k` of place `(i, j)` is
/// `x[2 i + u − 1, 2 j + v − 1, k]`, and 0 outside the picture.
pub(super) fn windows(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Windows>::windows(x.into_dispatch()))
}

/// The adjoint of [`windows`], `[n, h, w, 16 c]` to `[n, 2 h, 2 w, c]`: each pixel is the sum of all
/// that [`windows`] would copy it to.
pub(super) fn overlaid(rows: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Windows>::overlaid(rows.into_dispatch()))
}

/// Both as operations of their own: composed of slices, their gradients would take ten times as long.
#[backend_extension(
    Autodiff,
    Flex,
    Cube: cfg(feature = "cuda"),
    Fusion: cfg(feature = "cuda")
)]
trait Windows: Backend {
    #[fusion(default)]
    fn windows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        composed_windows::<Self>(x)
    }

    #[fusion(default)]
    fn overlaid(rows: FloatTensor<Self>) -> FloatTensor<Self> {
        composed_overlaid::<Self>(rows)
    }
}

#[cfg(feature = "cuda")]
impl Windows for burn::backend::Cube {}

impl Windows for Flex {
    fn windows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let [n, h, w, c] = x.shape().dims();
        let x = x.to_contiguous();
        let data = values(&x);
        let wide = KERNEL * KERNEL * c;
        let mut out = Vec::with_capacity(n * (h / 2) * (w / 2) * wide);
        for (from, to) in runs([n, h, w, c]) {
            out.resize(to.start, 0.0);
            out.extend_from_slice(&data[from..from + to.len()]);
        }
        out.resize(n * (h / 2) * (w / 2) * wide, 0.0);
        FlexTensor::from_data(TensorData::new(out, [n, h / 2, w / 2, wide]))
    }

    fn overlaid(rows: FloatTensor<Self>) -> FloatTensor<Self> {
        let [n, h, w, wide] = rows.shape().dims();
        let shape = [n, 2 * h, 2 * w, wide / (KERNEL * KERNEL)];
        let rows = rows.to_contiguous();
        let data = values(&rows);
        // Memory that was used before: the allocator maps what must be zero anew.
        let mut out = Vec::new();
        out.resize(shape.iter().product(), 0.0);
        for (to, from) in runs(shape) {
            let to = &mut out[to..to + from.len()];
            to.iter_mut().zip(&data[from]).for_each(|(sum, value)| *sum += value);
        }
        FlexTensor::from_data(TensorData::new(out, shape))
    }
}

/// Values of a contiguous tensor.
fn values(tensor: &FlexTensor) -> &[f32] {
    let (from, to) = tensor.layout().contiguous_offsets().expect("it was made contiguous");
    &tensor.storage()[from..to]
}

/// Stretches of neighbouring pixels `[n, h, w, c]` that windows copy, in the order of the windows: the
/// place of the first value in the pictures, and the places in the windows.
fn runs([n, h, w, c]: [usize; 4]) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let (down, across) = (h / 2, w / 2);
    (0..n * down * across).flat_map(move |place| {
        let (picture, i, j) = (place / (down * across), place / across % down, place % across);
        // Columns 2 j − 1 to 2 j + 2 of the picture, as far as it goes.
        let from = (2 * j).max(1) - 1;
        let until = (2 * j + KERNEL - 1).min(w);
        let missing = from + 1 - 2 * j;
        (0..KERNEL).filter_map(move |u| {
            let row = inside(2 * i + u, h)?;
            let start = ((place * KERNEL + u) * KERNEL + missing) * c;
            Some((((picture * h + row) * w + from) * c, start..start + (until - from) * c))
        })
    })
}

/// A place of the padded picture in the picture itself.
fn inside(padded: usize, side: usize) -> Option<usize> {
    padded.checked_sub(1).filter(|place| *place < side)
}

impl<B: Backend + Windows, C: CheckpointStrategy> Windows for Autodiff<B, C> {
    fn windows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = ToWindows.prepare::<C>([x.node()]).compute_bound().stateful();
        match prepared {
            OpsKind::Tracked(tracked) => tracked.finish((), B::windows(x.into_primitive())),
            OpsKind::UnTracked(plain) => plain.finish(B::windows(x.into_primitive())),
        }
    }

    fn overlaid(rows: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = FromWindows.prepare::<C>([rows.node()]).compute_bound().stateful();
        match prepared {
            OpsKind::Tracked(tracked) => tracked.finish((), B::overlaid(rows.into_primitive())),
            OpsKind::UnTracked(plain) => plain.finish(B::overlaid(rows.into_primitive())),
        }
    }
}

#[derive(Debug)]
struct ToWindows;

#[derive(Debug)]
struct FromWindows;

impl<B: Backend + Windows> Backward<B, 1> for ToWindows {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        pass_back::<B>(ops, grads, B::overlaid);
    }
}

impl<B: Backend + Windows> Backward<B, 1> for FromWindows {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        pass_back::<B>(ops, grads, B::windows);
    }
}

/// Hands a gradient on through the adjoint.
fn pass_back<B: Backend>(
    ops: Ops<(), 1>,
    grads: &mut Gradients,
    adjoint: fn(FloatTensor<B>) -> FloatTensor<B>,
) {
    let [parent] = ops.parents;
    let gradient = grads.consume::<B>(&ops.node);
    if let Some(parent) = parent {
        grads.register::<B>(parent.id, adjoint(gradient));
    }
}

/// [`windows`] of slices, for any device.
fn composed_windows<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [n, h, w, c] = x.shape().dims();
    let whole = [0..n, 1..h + 1, 1..w + 1, 0..c].map(Slice::from);
    let padded = B::float_slice_assign(zeros::<B>(&x, [n, h + 2, w + 2, c]), &whole, x);
    let parts = kernel().map(|at| B::float_slice(padded.clone(), &every_other(at, [n, h, w, c])));
    B::float_cat(parts.collect(), 3)
}

/// [`overlaid`] of slices, for any device.
fn composed_overlaid<B: Backend>(rows: FloatTensor<B>) -> FloatTensor<B> {
    let [n, h, w, wide] = rows.shape().dims();
    let c = wide / (KERNEL * KERNEL);
    let shape = [n, 2 * h, 2 * w, c];
    let mut padded = zeros::<B>(&rows, [n, 2 * h + 2, 2 * w + 2, c]);
    for (place, at) in kernel().enumerate() {
        let own = [0..n, 0..h, 0..w, place * c..(place + 1) * c].map(Slice::from);
        let part = B::float_slice(rows.clone(), &own);
        let there = every_other(at, shape);
        let sum = B::float_add(B::float_slice(padded.clone(), &there), part);
        padded = B::float_slice_assign(padded, &there, sum);
    }
    B::float_slice(padded, &[0..n, 1..2 * h + 1, 1..2 * w + 1, 0..c].map(Slice::from))
}

fn zeros<B: Backend>(like: &FloatTensor<B>, shape: [usize; 4]) -> FloatTensor<B> {
    B::float_zeros(shape.into(), &like.device(), like.dtype().into())
}

/// Rows and columns of the kernel.
fn kernel() -> impl Iterator<Item = [usize; 2]> {
    (0..KERNEL * KERNEL).map(|place| [place / KERNEL, place % KERNEL])
}

/// Every other pixel of padded pictures `[n, h + 2, w + 2, c]`, from a place of the kernel on.
fn every_other([u, v]: [usize; 2], [n, h, w, c]: [usize; 4]) -> [Slice; 4] {
    let half = |from, side| Slice { step: 2, ..Slice::from(from..from + side - 1) };
    [Slice::from(0..n), half(u, h), half(v, w), Slice::from(0..c)]
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::{cpu, standard_normal};

    #[test]
    fn both_ways_are_adjoint() {
        let mut rng = Seed(5).rng(Stream::Init);
        let x = standard_normal([3, 6, 4, 2], &mut rng, &cpu());
        let y = standard_normal([3, 3, 2, 32], &mut rng, &cpu());
        let there = (windows(x.clone()) * y.clone()).sum().into_scalar::<f64>();
        let back = (x * overlaid(y)).sum().into_scalar::<f64>();
        assert!((there - back).abs() < 1e-4, "{there} against {back}");
    }

    #[test]
    fn slices_give_the_same() {
        let mut rng = Seed(6).rng(Stream::Init);
        let plain = |x: Tensor<4>| FlexTensor::from_data(x.into_data());
        let x = standard_normal([2, 4, 6, 3], &mut rng, &cpu());
        let rows = standard_normal([2, 2, 3, 48], &mut rng, &cpu());
        let pairs = [
            (composed_windows::<Flex>(plain(x.clone())), windows(x)),
            (composed_overlaid::<Flex>(plain(rows.clone())), overlaid(rows)),
        ];
        for (slices, own) in pairs {
            assert_eq!(slices.shape().dims::<4>(), own.dims());
            let own: Vec<f32> = own.into_data().iter::<f32>().collect();
            let slices = slices.to_contiguous();
            assert!(values(&slices).iter().zip(&own).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
