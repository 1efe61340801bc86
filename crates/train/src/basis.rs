use burn::tensor::{Tensor, TensorData};
use nalgebra::{DMatrix, SymmetricEigen};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When and how the basis of Adam's second moments follows the gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BasisConfig {
    /// Decay of the averages per step.
    pub decay: f64,
    /// Steps from one turn of the basis to the next.
    pub every: u64,
}

impl Default for BasisConfig {
    fn default() -> Self {
        Self { decay: 0.95, every: 10 }
    }
}

/// The basis of one stack of weights `[models, rows, cols]`.
///
/// ```text
/// L ← γ L + (1 − γ) G Gᵀ,   R ← γ R + (1 − γ) Gᵀ G
/// ```
///
/// with the eigenvectors of `L` and `R`, tracked by orthogonal iteration, as its axes. Everything is kept flat, as
/// moments are.
#[derive(Clone, Debug)]
pub(crate) struct Basis {
    /// `L [models, rows, rows]` and `R [models, cols, cols]`.
    averages: [Tensor<1>; 2],
    /// Their axes, one per column.
    axes: [Tensor<1>; 2],
}

impl Basis {
    /// What the parts are called in a file.
    pub(crate) const PARTS: [&str; 4] = ["left", "right", "left_axes", "right_axes"];

    /// The basis of a first gradient.
    pub(crate) fn new(gradient: &Tensor<3>) -> Self {
        let averages = products(gradient);
        let axes = averages.clone().map(|average| flat(map_matrices(&average, eigenvectors)));
        Self { averages: averages.map(flat), axes }
    }

    /// All parts, in the order of [`Self::PARTS`].
    pub(crate) fn parts(&self) -> [Tensor<1>; 4] {
        let ([left, right], [left_axes, right_axes]) = (self.averages.clone(), self.axes.clone());
        [left, right, left_axes, right_axes]
    }

    /// The basis of saved parts, in the order of [`Self::PARTS`].
    pub(crate) fn of_parts([left, right, left_axes, right_axes]: [Tensor<1>; 4]) -> Self {
        Self { averages: [left, right], axes: [left_axes, right_axes] }
    }

    /// Weights or gradients in these axes.
    pub(crate) fn turned(&self, weights: Tensor<3>) -> Tensor<3> {
        let [left, right] = self.shaped_axes(weights.dims());
        left.swap_dims(1, 2).matmul(weights).matmul(right)
    }

    /// The inverse of [`Self::turned`].
    pub(crate) fn turned_back(&self, weights: Tensor<3>) -> Tensor<3> {
        let [left, right] = self.shaped_axes(weights.dims());
        left.matmul(weights).matmul(right.swap_dims(1, 2))
    }

    /// Takes a gradient into the averages.
    pub(crate) fn follow(&mut self, gradient: &Tensor<3>, decay: f64) {
        let new = products(gradient).map(flat);
        for (average, new) in self.averages.iter_mut().zip(new) {
            *average = average.clone() * decay + new * (1.0 - decay);
        }
    }

    /// One step of orthogonal iteration towards the eigenvectors, largest first; returns second moments
    /// `[models, rows, cols]` in the order of the new axes.
    pub(crate) fn turn(&mut self, second: Tensor<3>) -> Tensor<3> {
        let shape = second.dims();
        let [left, right] = shaped(&self.averages, shape);
        let [left_axes, right_axes] = self.shaped_axes(shape);
        let (left_axes, rows) = iterated(&left, &left_axes);
        let (right_axes, cols) = iterated(&right, &right_axes);
        self.axes = [left_axes, right_axes].map(flat);
        rows.swap_dims(1, 2).matmul(second).matmul(cols)
    }

    fn shaped_axes(&self, shape: [usize; 3]) -> [Tensor<3>; 2] {
        shaped(&self.axes, shape)
    }
}

/// `G Gᵀ` and `Gᵀ G`.
fn products(gradient: &Tensor<3>) -> [Tensor<3>; 2] {
    let turned = gradient.clone().swap_dims(1, 2);
    [gradient.clone().matmul(turned.clone()), turned.matmul(gradient.clone())]
}

fn flat(tensor: Tensor<3>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

fn shaped([left, right]: &[Tensor<1>; 2], [models, rows, cols]: [usize; 3]) -> [Tensor<3>; 2] {
    [left.clone().reshape([models, rows, rows]), right.clone().reshape([models, cols, cols])]
}

/// The axes of `A Q`, by QR decomposition, the largest eigenvalues of `A` first, and the permutation that took the old
/// axes into this order, `[models, n, n]`.
fn iterated(average: &Tensor<3>, axes: &Tensor<3>) -> (Tensor<3>, Tensor<3>) {
    let grown = average.clone().matmul(axes.clone());
    let sizes = (axes.clone() * grown.clone()).sum_dim(1);
    let sizes: Vec<f64> = sizes.into_data().iter::<f64>().collect();
    let [models, n, _] = grown.dims();
    let orders: Vec<Vec<usize>> = (0..models)
        .map(|model| {
            let size = |axis: usize| sizes[model * n + axis];
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
            order
        })
        .collect();
    let mut permutation = vec![0.0_f32; models * n * n];
    for (model, order) in orders.iter().enumerate() {
        for (to, &from) in order.iter().enumerate() {
            permutation[(model * n + from) * n + to] = 1.0;
        }
    }
    let data = TensorData::new(permutation, [models, n, n]);
    let permutation = Tensor::from_data(data, &grown.device());
    let axes = map_matrices(&grown.matmul(permutation.clone()), |matrix| matrix.qr().q());
    (axes, permutation)
}

fn eigenvectors(matrix: DMatrix<f64>) -> DMatrix<f64> {
    SymmetricEigen::new(matrix).eigenvectors
}

/// Square matrices `[models, n, n]`, each put through a function on the host.
fn map_matrices(matrices: &Tensor<3>, map: impl Fn(DMatrix<f64>) -> DMatrix<f64>) -> Tensor<3> {
    let [models, n, _] = matrices.dims();
    let values: Vec<f64> = matrices.clone().into_data().iter::<f64>().collect();
    let mut mapped = Vec::with_capacity(values.len());
    for matrix in values.chunks_exact(n * n) {
        let matrix = map(DMatrix::from_row_slice(n, n, matrix));
        mapped.extend(matrix.transpose().iter().map(|&v| v as f32));
    }
    Tensor::from_data(TensorData::new(mapped, [models, n, n]), &matrices.device())
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{cpu, download, standard_normal};

    use super::*;

    /// Two models' gradients, `[2, 3, 2]`.
    fn gradient(seed: u64) -> Tensor<3> {
        let mut rng = Seed(seed).rng(Stream::Init);
        standard_normal([2, 3, 2], &mut rng, &cpu())
    }

    fn largest(tensor: Tensor<3>) -> f64 {
        tensor.abs().max().into_scalar()
    }

    #[test]
    fn turning_back_undoes_turning() {
        let mut basis = Basis::new(&gradient(1));
        basis.follow(&gradient(2), 0.5);
        basis.turn(gradient(3));
        let weights = gradient(4);
        let there_and_back = basis.turned_back(basis.turned(weights.clone()));
        assert!(largest(there_and_back - weights) < 1e-5);
    }

    #[test]
    fn axes_become_the_eigenvectors_of_the_averages() {
        let mut basis = Basis::new(&gradient(1));
        basis.follow(&gradient(2), 0.5);
        for _ in 0..200 {
            basis.turn(gradient(3));
        }
        let [left, right] = shaped(&basis.averages, [2, 3, 2]);
        let [left_axes, right_axes] = basis.shaped_axes([2, 3, 2]);
        for (average, axes) in [(left, left_axes), (right, right_axes)] {
            let turned = axes.clone().swap_dims(1, 2).matmul(average.clone()).matmul(axes);
            let [_, n, _] = turned.dims();
            for model in 0..2 {
                let matrix = download(turned.clone().narrow(0, model, 1).reshape([n, n]));
                let diagonal = DMatrix::from_diagonal(&matrix.diagonal());
                assert!((&matrix - diagonal).amax() < 1e-3 * matrix.amax(), "{matrix}");
                let falls = (1..n).all(|k| matrix[(k - 1, k - 1)] >= matrix[(k, k)]);
                assert!(falls, "{matrix}");
            }
        }
    }

    #[test]
    fn second_moments_keep_to_their_axes() {
        // The averages say that the second row is the larger one; axes start in the order of rows.
        let gradient = Tensor::<3>::from_data([[[1.0, 0.0], [0.0, 3.0]]], &cpu());
        let unit = Tensor::<1>::from_data([1.0, 0.0, 0.0, 1.0], &cpu());
        let mut basis = Basis::new(&gradient);
        basis.axes = [unit.clone(), unit];
        let second = Tensor::<3>::from_data([[[1.0, 2.0], [3.0, 4.0]]], &cpu());
        let turned: Vec<f64> = basis.turn(second).into_data().iter::<f64>().collect();
        assert_eq!(turned, [4.0, 3.0, 2.0, 1.0]);
    }
}
