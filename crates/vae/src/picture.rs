use burn::module::{Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use domino_core::Observations;
use domino_model::{
    Loss, Mlp, PairBatch, PairObjective, StackedLinear, download, upload, upload_rows,
};
use nalgebra::{DMatrix, DVector};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ilcm::replica_means;

/// Pictures from which a basis is made, spread evenly over the data.
const SAMPLE: usize = 2000;

/// Directions that a basis is looked for in beyond those that it keeps.
const SPARE: usize = 16;

/// Multiplications by the covariance on the way to a basis.
const ITERATIONS: usize = 2;

/// Pictures projected at once.
const CHUNK: usize = 256;

/// `Φ(x)` and `σ(1.702 x)` differ by less than 0.01.
const NORMAL_AS_LOGISTIC: f64 = 1.702;

/// Spread of the head's first weights: the linear part rules at first.
const HEAD_STD: f64 = 0.01;

/// Shape of a [`PictureDecoder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PictureConfig {
    /// Principal directions of the pictures that the network mixes.
    pub directions: usize,
    /// Units per hidden layer.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
}

impl Default for PictureConfig {
    fn default() -> Self {
        Self { directions: 96, hidden: 128, layers: 3 }
    }
}

/// The principal directions of pictures at full resolution.
#[derive(Clone, Debug)]
pub struct PictureBasis {
    /// Mean picture, `[h · w · c]`, in `[0, 1]`.
    mean: DVector<f64>,
    /// Orthonormal directions, `[h · w · c, directions]`.
    directions: DMatrix<f64>,
    /// Root of the total variance: coefficients are divided by it.
    scale: f64,
}

impl PictureBasis {
    /// The leading principal directions of pictures, by subspace iteration from pictures of the set
    /// itself, so that nothing is drawn.
    pub fn fit(pictures: &Observations, directions: usize) -> Self {
        let (n, dim) = (pictures.len(), pictures.dim());
        let take = n.min(SAMPLE);
        let mut data = Vec::with_capacity(take * dim);
        (0..take).for_each(|at| pictures.push_row(at * n / take, &mut data));
        let mut x = DMatrix::from_row_iterator(take, dim, data.into_iter().map(f64::from));
        let mean = x.row_mean().transpose();
        x.row_iter_mut().for_each(|mut row| row -= mean.transpose());
        let scale = (x.norm_squared() / take.max(1) as f64).sqrt().max(f64::MIN_POSITIVE);

        let keep = directions.min(take).min(dim);
        let width = (keep + SPARE).min(take).min(dim);
        let evenly: Vec<usize> = (0..width).map(|at| at * take / width.max(1)).collect();
        let mut basis = x.select_rows(&evenly).transpose().qr().q();
        for _ in 0..ITERATIONS {
            basis = x.tr_mul(&(&x * basis)).qr().q();
        }
        let scores = &x * &basis;
        let (_, turn) = crate::start::sorted_eigen(scores.tr_mul(&scores));
        let directions = basis * turn.columns(0, keep);
        Self { mean, directions, scale }
    }

    /// Number of directions.
    pub fn len(&self) -> usize {
        self.directions.ncols()
    }

    /// Whether there is no direction.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Coefficients of pictures, row-major `[n, directions]`, of unit total variance.
    pub fn coefficients(&self, pictures: &Observations, device: &Device) -> Vec<f32> {
        let mean = self.mean_row(device);
        let forward = upload(&(&self.directions / self.scale), device);
        let mut coefficients = Vec::with_capacity(pictures.len() * self.len());
        for start in (0..pictures.len()).step_by(CHUNK) {
            let mut data = Vec::with_capacity(CHUNK * pictures.dim());
            let end = (start + CHUNK).min(pictures.len());
            (start..end).for_each(|row| pictures.push_row(row, &mut data));
            let x = upload_rows(data, pictures.dim(), device) - mean.clone();
            let rows = download(x.matmul(forward.clone()));
            coefficients.extend(rows.transpose().iter().map(|&v| v as f32));
        }
        coefficients
    }

    fn mean_row(&self, device: &Device) -> Tensor<2> {
        upload(&DMatrix::from_row_slice(1, self.mean.len(), self.mean.as_slice()), device)
    }
}

/// From the variables of a state to its picture: a network that mixes the principal directions of
/// pictures at full resolution,
///
/// ```text
/// x̂ = mean + f(Φ(z), e) Vᵀ
/// ```
///
/// It sees the causal variables and the noise encodings of the same state: either may be the
/// simpler thing to draw from.
#[derive(Module, Debug)]
pub struct PictureDecoder {
    linear: Param<Tensor<3>>,
    trunk: Mlp,
    head: StackedLinear,
    /// Mean picture, `[1, h · w · c]`. Constant.
    mean: Param<Tensor<2>>,
    /// Directions times their scale, `[directions, h · w · c]`. Constant.
    directions: Param<Tensor<2>>,
}

impl PictureDecoder {
    /// A decoder of `d` variables with random weights.
    pub fn new(
        d: usize,
        basis: &PictureBasis,
        config: &PictureConfig,
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        let directions = upload(&(basis.directions.transpose() * basis.scale), device);
        Self::blank(d, config, [directions, basis.mean_row(device)], rng, device)
    }

    /// A decoder of pictures of `width` values that is there to be loaded into: what it draws from
    /// is zero.
    pub fn empty(
        [d, directions, width]: [usize; 3],
        config: &PictureConfig,
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        let zeros = |rows| Tensor::zeros([rows, width], device);
        Self::blank(d, config, [zeros(directions), zeros(1)], rng, device)
    }

    fn blank(
        d: usize,
        config: &PictureConfig,
        [directions, mean]: [Tensor<2>; 2],
        rng: &mut dyn Rng,
        device: &Device,
    ) -> Self {
        let [count, _] = directions.dims();
        let head = [1, config.hidden, count];
        let constant = |tensor| Param::from_tensor(tensor).set_require_grad(false);
        Self {
            linear: Param::from_tensor(Tensor::zeros([1, 2 * d, count], device)),
            trunk: Mlp::new([1, 2 * d, config.hidden], config.layers, rng, device),
            head: StackedLinear::with_normal_weights(head, HEAD_STD, 0.0, rng, device),
            mean: constant(mean),
            directions: constant(directions),
        }
    }

    /// Directions that it mixes.
    pub fn directions(&self) -> usize {
        let [directions, _] = self.directions.val().dims();
        directions
    }

    /// Pictures `[rows, h · w · c]` in `[0, 1]` of variables `z` and noise `e`, `[rows, d]` each.
    pub fn forward(&self, z: Tensor<2>, e: Tensor<2>) -> Tensor<2> {
        let inputs = Self::inputs(z, e);
        let picture = self.coefficients(inputs).matmul(self.directions.val()) + self.mean.val();
        picture.clamp(0.0, 1.0)
    }

    /// What it draws from, `[rows, 2 d]`: `(2 Φ(z) − 1, e)`, with `Φ(z) ≈ σ(1.702 z)`. Variables that
    /// interventions draw evenly from an interval are thus on an even scale again.
    pub fn inputs(z: Tensor<2>, e: Tensor<2>) -> Tensor<2> {
        Tensor::cat(vec![sigmoid(z * NORMAL_AS_LOGISTIC) * 2.0 - 1.0, e], 1)
    }

    /// Coefficients of the directions of its inputs, `[rows, 2 d]`.
    fn coefficients(&self, inputs: Tensor<2>) -> Tensor<2> {
        let [_, width, count] = self.linear.val().dims();
        let linear = inputs.clone().matmul(self.linear.val().reshape([width, count]));
        self.head.forward(self.trunk.forward(inputs)) + linear
    }
}

/// Squared error of the coefficients of pictures, over their total variance.
///
/// `before` holds [`PictureDecoder::inputs`] and `after` the coefficients `[rows, directions]`.
#[derive(Module, Debug)]
pub struct PictureRegression {
    /// The decoder being fitted.
    pub decoder: PictureDecoder,
}

impl PairObjective for PictureRegression {
    type Weights = ();

    fn loss(&self, rows: &PairBatch, _weights: &(), _rng: &mut dyn Rng) -> Loss {
        let error = self.decoder.coefficients(rows.before.0.clone()) - rows.after.0.clone();
        let term = replica_means(error.square().sum_dim(1), 1);
        Loss { total: term.clone().sum(), terms: vec![("picture", term)] }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{ImageShape, Seed, Stream};
    use domino_model::cpu;
    use rand::RngExt;

    use super::*;

    /// Pictures of two directions around a mean, the first thrice as strong.
    fn pictures(n: usize) -> Observations {
        let shape = ImageShape { height: 4, width: 5, channels: 1 };
        let mut rng = Seed(3).rng(Stream::Data);
        let data = (0..n).flat_map(|_| {
            let (a, b) = (rng.random::<f64>() - 0.5, rng.random::<f64>() - 0.5);
            (0..20).map(move |p| {
                let value = 128.0 + if p < 10 { 180.0 * a } else { 60.0 * b };
                value.round() as u8
            })
        });
        Observations::Images { data: data.collect(), shape }
    }

    #[test]
    fn a_basis_finds_the_directions_in_their_order() {
        let basis = PictureBasis::fit(&pictures(300), 2);
        let first = basis.directions.column(0);
        assert!((first.rows(0, 10).norm() - 1.0).abs() < 1e-3, "{first}");
        let gram = basis.directions.tr_mul(&basis.directions);
        assert!((gram - DMatrix::identity(2, 2)).amax() < 1e-9);
    }

    #[test]
    fn coefficients_of_a_picture_draw_it_again() {
        let (pictures, device) = (pictures(300), cpu());
        let basis = PictureBasis::fit(&pictures, 2);
        let coefficients = basis.coefficients(&pictures, &device);
        let total: f64 = coefficients.iter().map(|&c| f64::from(c).powi(2)).sum();
        assert!((total / 300.0 - 1.0).abs() < 0.01, "of unit total variance: {total}");

        let decoder = PictureDecoder::new(
            1,
            &basis,
            &PictureConfig::default(),
            &mut Seed(0).rng(Stream::Init),
            &device,
        );
        let rows = upload_rows(coefficients, 2, &device);
        let drawn = download(rows.matmul(decoder.directions.val()) + decoder.mean.val());
        let mut want = Vec::new();
        pictures.push_row(7, &mut want);
        assert!(drawn.row(7).iter().zip(&want).all(|(a, b)| (a - f64::from(*b)).abs() < 0.01));
    }
}
