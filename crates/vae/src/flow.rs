use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use domino_model::{Loss, PairBatch, PairObjective};
use nalgebra::DMatrix;
use rand::Rng;

use crate::Ilcm;
use crate::ilcm::{halves, join, replica_means};
use crate::thin::marginal_cost;

/// One of so many pairs tells the volume: it varies less over pairs than what it is weighed against.
const VOLUME_ROWS: usize = 4;

/// Where the spreads of intervened codes start.
const SPREAD: f64 = 1.4;

/// The exact likelihood of pairs under an encoder `e = μ(x̃)` that is a change of variables:
///
/// ```text
/// c_j = (e'_j − e_j)² / 2τ² + ln τ             cost of "j kept its noise"
/// g_k = e'_k² / 2 s_k² + ln s_k                broad prior of an intervened code
/// L_0 = Σ_j c_j,   L_k = L_0 − c_k + g_k
/// loss = |e|² / 2 − ln Σ_I exp(−L_I) / (d + 1) − ln |det ∂e/∂x̃| − ln |det ∂e'/∂x̃'|
/// ```
///
/// up to constants: [`ThinManifold`](crate::ThinManifold) without a decoder, with the volume in its place. It needs as
/// many features as variables. An evidence bound forgives the loss of a variable that moves the observations little,
/// as effects that their causes outweigh do, since reconstructions without it are nearly as good; here every
/// direction that is lost costs infinitely much.
///
/// A change of variables keeps the sign of its determinant everywhere. One that folds does not, gives two observations
/// the same codes, and is as likely; so where the sign is not that of most others, the volume counts the other way round,
/// and the fold opens.
///
/// The spreads `s_k` of intervened codes are learned: values that are set do not follow causes, so that the noise behind them makes up for
/// these, by several times its own spread where causes outweigh it. A prior that is too narrow bends such codes inwards, and
/// mechanisms with them.
///
/// There is nothing for the decoder in it: [`Decoding`](crate::Decoding) learns that of codes that stay.
#[derive(Module, Debug)]
pub struct Flow {
    /// The models being trained.
    pub model: Ilcm,
    /// `ln s`, `[replicas, 1, d]`.
    log_spread: Param<Tensor<3>>,
}

impl Flow {
    /// The objective of models on a device.
    pub fn new(model: Ilcm, device: &Device) -> Self {
        let shape = [model.replicas(), 1, model.dim()];
        let log_spread = Param::from_tensor(Tensor::full(shape, SPREAD.ln(), device));
        Self { model, log_spread }
    }

    /// `−ln Σ_I exp(−L_I) / (d + 1)` of codes before and after, `[rows, 1]`.
    fn target_cost(&self, before: Tensor<2>, after: Tensor<2>, tau: f64) -> Tensor<2> {
        let [rows, d] = after.dims();
        let replicas = self.model.replicas();
        let kept = (after.clone() - before).square() / (2.0 * tau * tau) + tau.ln();
        let log_spread = self.log_spread.val();
        let after = after.reshape([replicas, rows / replicas, d]);
        let drawn = (after / log_spread.clone().exp()).square() * 0.5 + log_spread;
        marginal_cost(kept.clone().sum_dim(1), kept - drawn.reshape([rows, d]))
    }
}

/// Weights of [`Flow`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowWeights {
    /// Width `τ` of the manifold.
    pub tau: f64,
}

impl PairObjective for Flow {
    type Weights = FlowWeights;

    fn loss(&self, pairs: &PairBatch, weights: &FlowWeights, _rng: &mut dyn Rng) -> Loss {
        let (model, replicas) = (&self.model, self.model.replicas());
        let x = join(&pairs.before.0, &pairs.after.0, replicas);
        let [before, after] = halves(model.encoder.mean(x.clone()), replicas);
        let targets = self.target_cost(before.clone(), after, weights.tau);
        let targets = replica_means(targets, replicas);
        let prior = replica_means(before.square().sum_dim(1) * 0.5, replicas);
        let few = few_of_each(x, replicas);
        let volume =
            replica_means(log_volume(model.encoder.mean_with_jacobian(few).1, replicas), replicas);
        let volume = volume * -2.0;

        let total = (targets.clone() + prior.clone() + volume.clone()).sum();
        let terms = vec![("targets", targets), ("prior", prior), ("volume", volume)];
        Loss { total, terms }
    }
}

/// One of [`VOLUME_ROWS`] rows of either side of each replica.
fn few_of_each(x: Tensor<2>, replicas: usize) -> Tensor<2> {
    let [rows, dim] = x.dims();
    let batch = rows / replicas;
    // Rows before come first: with these alone, the volume after would be taken for the same.
    let sides = x.reshape([replicas, 2, batch / 2, dim]);
    let kept = (batch / 2).div_ceil(VOLUME_ROWS);
    sides.narrow(2, 0, kept).reshape([replicas * 2 * kept, dim])
}

/// `s ln |det J|` of matrices `[rows, d, d]`, grouped by replica: `[rows, 1]`, `s = 1` where the sign of the determinant
/// is that of most of the replica's rows, and −1 elsewhere. A row without an inverse has no gradient.
///
/// Determinants and inverses are computed on the host, in double precision; `∂ ln |det J| / ∂J = J⁻ᵀ`.
fn log_volume(jacobians: Tensor<3>, replicas: usize) -> Tensor<2> {
    let [rows, d, width] = jacobians.dims();
    assert_eq!(d, width, "a volume needs as many codes as features");
    let device = jacobians.device();
    let values: Vec<f64> = jacobians.clone().detach().into_data().iter::<f64>().collect();
    let volumes: Vec<Volume> = values.chunks_exact(d * d).map(|v| Volume::of(v, d)).collect();
    let mut offsets = Vec::with_capacity(rows);
    let mut slopes = Vec::with_capacity(values.len());
    for volumes in volumes.chunks_exact(rows / replicas) {
        let positive = volumes.iter().map(|v| v.sign).sum::<f64>() >= 0.0;
        for Volume { sign, log, inverse } in volumes {
            let right = if (*sign >= 0.0) == positive { 1.0 } else { -1.0 };
            // Column-major values of the inverse are row-major ones of its transpose.
            slopes.extend(inverse.iter().map(|&v| (right * v) as f32));
            let traced = if inverse.amax() > 0.0 { d as f64 } else { 0.0 };
            offsets.push((right * (log - traced)) as f32);
        }
    }
    let slopes = Tensor::from_data(TensorData::new(slopes, [rows, d, d]), &device);
    let offsets = Tensor::from_data(TensorData::new(offsets, [rows, 1]), &device);
    (jacobians * slopes).reshape([rows, d * d]).sum_dim(1) + offsets
}

/// What a matrix does to volumes.
struct Volume {
    /// Sign of the determinant.
    sign: f64,
    /// Logarithm of its size.
    log: f64,
    /// The inverse; zero where there is none.
    inverse: DMatrix<f64>,
}

impl Volume {
    /// Of the row-major values of a square matrix.
    fn of(values: &[f64], d: usize) -> Self {
        let factors = DMatrix::from_row_slice(d, d, values).lu();
        let diagonal = factors.u().diagonal();
        let sign = factors.p().determinant::<f64>() * diagonal.map(f64::signum).product();
        let log = diagonal.iter().map(|v| v.abs().ln()).sum::<f64>();
        let inverse = factors.try_inverse().filter(|inverse| inverse.iter().all(|v| v.is_finite()));
        match inverse {
            Some(inverse) => Self { sign, log, inverse },
            None => {
                Self { sign, log: f64::from(f32::MIN_POSITIVE).ln(), inverse: DMatrix::zeros(d, d) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{cpu, download, standard_normal};

    use super::*;

    #[test]
    fn the_volume_is_the_determinant_and_its_slope_the_inverse() {
        let device = cpu().autodiff();
        let matrices = [
            [[2.0, 1.0], [0.5, -3.0]],
            [[1.0, 2.0], [2.0, 4.0]],
            [[2.0, 0.0], [0.0, -1.0]],
            [[0.0, 0.5], [-0.25, 0.0]],
        ];
        let matrices = Tensor::<3>::from_data(matrices, &device).require_grad();
        // A replica whose determinants are negative but for one of 1/8, beside one that vanishes.
        let volume = log_volume(matrices.clone(), 1);
        let values = download(volume.clone().inner());
        for (row, expected) in [(0, 6.5_f64.ln()), (2, 2.0_f64.ln()), (3, 8.0_f64.ln())] {
            assert!((values[row] - expected).abs() < 1e-6, "{values}");
        }
        assert!(values[1] < -80.0);
        let grads = volume.sum().backward();
        let slope: Vec<f64> = matrices.grad(&grads).unwrap().into_data().iter::<f64>().collect();
        let inverses = [
            [-3.0 / -6.5, -0.5 / -6.5, -1.0 / -6.5, 2.0 / -6.5],
            [0.0; 4],
            [0.5, 0.0, 0.0, -1.0],
            // The other way round: −J⁻ᵀ.
            [0.0, -2.0, 4.0, 0.0],
        ];
        for (got, expected) in slope.iter().zip(inverses.concat()) {
            assert!((got - expected).abs() < 1e-6, "{slope:?}");
        }
    }

    #[test]
    fn each_replica_keeps_rows_of_its_own() {
        let x = standard_normal([2 * 8, 3], &mut Seed(4).rng(Stream::Noise), &cpu());
        let few = download(few_of_each(x.clone(), 2));
        let x = download(x);
        for (place, row) in [0, 4, 8, 12].into_iter().enumerate() {
            assert_eq!(few.row(place), x.row(row));
        }
    }
}
