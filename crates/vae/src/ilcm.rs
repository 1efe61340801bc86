use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation::softmax};
use domino_model::{GaussianMlp, GaussianMlpConfig, PairBatch, upload_rows};
use nalgebra::DMatrix;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SolutionConfig, SolutionFunctions};

/// Start of the heuristic target posterior's `α, β, γ` (Brehmer et al. 2022, appendix C).
const HEURISTIC: [f32; 3] = [-3.0, 15.0, 15.0];

/// Shape of an [`Ilcm`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IlcmConfig {
    /// `q(e | x̃)`.
    pub encoder: GaussianMlpConfig,
    /// `p(x̃ | e)`.
    pub decoder: GaussianMlpConfig,
    /// Solution functions `s_k(e_k; e_\k)` that are trained along in the ELBO.
    pub solution: SolutionConfig,
}

impl Default for IlcmConfig {
    fn default() -> Self {
        Self {
            encoder: GaussianMlpConfig::default(),
            decoder: GaussianMlpConfig {
                initial_std: 0.1,
                min_std: 1e-3,
                ..GaussianMlpConfig::default()
            },
            solution: SolutionConfig::default(),
        }
    }
}

/// Sizes of a stack of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Models trained side by side.
    pub replicas: usize,
    /// Whitened observation components.
    pub components: usize,
    /// Causal variables `d`.
    pub d: usize,
}

/// A stack of implicit latent causal models on whitened observations `x̃`.
///
/// Encoder `q(e | x̃)`, decoder `p(x̃ | e)`, solution functions in noise form, and the heuristic
/// target posterior `logit_0 = 0`, `logit_k = α + β |δ_k| + γ δ_k²` with `δ = μ(x̃') − μ(x̃)`.
#[derive(Module, Debug)]
pub struct Ilcm {
    pub(crate) encoder: GaussianMlp,
    pub(crate) decoder: GaussianMlp,
    pub(crate) solution: SolutionFunctions,
    heuristic: Param<Tensor<3>>,
    #[module(skip)]
    config: IlcmConfig,
    #[module(skip)]
    replicas: usize,
    #[module(skip)]
    d: usize,
}

/// The encodings of both sides of a batch, `[rows, d]` each.
pub(crate) struct Encodings {
    pub(crate) mean: [Tensor<2>; 2],
    pub(crate) std: [Tensor<2>; 2],
}

impl Encodings {
    /// Means and standard deviations of both sides as one set of rows, as [`join`] orders them.
    pub(crate) fn joined(&self, replicas: usize) -> [Tensor<2>; 2] {
        [&self.mean, &self.std].map(|[before, after]| join(before, after, replicas))
    }
}

impl Ilcm {
    /// Models with random weights and linear parts at zero.
    pub fn new(sizes: Sizes, config: &IlcmConfig, rng: &mut dyn Rng, device: &Device) -> Self {
        let Sizes { replicas, components, d } = sizes;
        let others = DMatrix::from_fn(replicas * d, d, |row, j| f64::from(u8::from(row % d != j)));
        let heuristic = upload_rows(HEURISTIC.repeat(replicas), 3, device);
        Self {
            encoder: GaussianMlp::new([replicas, components, d], &config.encoder, rng, device),
            decoder: GaussianMlp::new([replicas, d, components], &config.decoder, rng, device),
            solution: SolutionFunctions::new(&others, &config.solution, rng, device),
            heuristic: Param::from_tensor(heuristic.reshape([replicas, 1, 3])),
            config: config.clone(),
            replicas,
            d,
        }
    }

    /// The shapes of its networks.
    pub fn config(&self) -> &IlcmConfig {
        &self.config
    }

    /// The same models with linear parts `e = x̃ A_r` and `x̃ = e A_r⁺`, one `A_r [components, d]`
    /// per replica.
    ///
    /// # Panics
    /// If `unmixing` is empty.
    #[must_use]
    pub fn with_linear_start(self, unmixing: &[DMatrix<f64>], device: &Device) -> Self {
        let inverse = |a: &DMatrix<f64>| {
            a.clone().pseudo_inverse(1e-12).expect("the tolerance is not negative")
        };
        let mixing: Vec<_> = unmixing.iter().map(inverse).collect();
        self.with_linear_parts(unmixing, &mixing, device)
    }

    /// The same models with linear parts `e = x̃ A_r` and `x̃ = e B_r`, one `A_r [components, d]` and
    /// one `B_r [d, components]` per replica.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn with_linear_parts(
        mut self,
        unmixing: &[DMatrix<f64>],
        mixing: &[DMatrix<f64>],
        device: &Device,
    ) -> Self {
        self.decoder = self.decoder.with_skip(stacked(mixing, device));
        self.encoder = self.encoder.with_skip(stacked(unmixing, device));
        self
    }

    /// Copies of one model that can be trained apart, whose mean codes are multiplied by one matrix `[d, d]` each from
    /// the right: `μ(x̃) T_r`. Decoders stay as they are.
    ///
    /// # Panics
    /// If there is no matrix, or this is more than one model.
    #[must_use]
    pub fn turned(self, turns: &[DMatrix<f64>], device: &Device) -> Self {
        assert_eq!(self.replicas, 1, "copies of one model");
        let replicas = turns.len();
        let copies = Self { replicas, ..domino_model::repeat_replica(self, replicas) };
        Self { encoder: copies.encoder.turned(&stacked(turns, device)), ..copies }
    }

    /// Models in the stack.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.d
    }

    /// The model of one replica.
    #[must_use]
    pub fn replica(self, replica: usize) -> Self {
        let replicas = self.replicas;
        Self { replicas: 1, ..domino_model::select_replica(self, replica, replicas) }
    }

    /// The same models with networks that add nothing to the linear parts.
    #[must_use]
    pub fn silenced(self) -> Self {
        Self { encoder: self.encoder.silenced(), decoder: self.decoder.silenced(), ..self }
    }

    /// The solution functions that the bound trains along.
    pub fn solution_functions(&self) -> &SolutionFunctions {
        &self.solution
    }

    /// The means of `q(e | x̃)`, `[rows, d]`.
    pub fn mean_codes(&self, whitened: Tensor<2>) -> Tensor<2> {
        self.encoder.mean(whitened)
    }

    /// The means of `p(x̃ | e)` of codes `[rows, d]`: `[rows, components]`.
    pub fn mean_observations(&self, codes: Tensor<2>) -> Tensor<2> {
        self.decoder.mean(codes)
    }

    /// What the decoder makes of the mean codes, `[rows, components]`.
    pub fn reconstruct(&self, whitened: Tensor<2>) -> Tensor<2> {
        self.mean_observations(self.mean_codes(whitened))
    }

    /// `q(I | x, x̃)` of the heuristic posterior from changes `δ [rows, d]`: `[rows, d + 1]`.
    pub fn posterior(&self, change: Tensor<2>) -> Tensor<2> {
        let [rows, d] = change.dims();
        let (replicas, batch) = (self.replicas, rows / self.replicas);
        let change = change.reshape([replicas, batch, d]);
        let coefficient = |at| self.heuristic.val().narrow(2, at, 1);
        let logits = coefficient(0)
            + coefficient(1) * change.clone().abs()
            + coefficient(2) * change.square();
        let none = Tensor::zeros([rows, 1], &logits.device());
        softmax(Tensor::cat(vec![none, logits.reshape([rows, d])], 1), 1)
    }

    /// Encodes both sides in one pass.
    pub(crate) fn encode(&self, pairs: &PairBatch) -> Encodings {
        let both = join(&pairs.before.0, &pairs.after.0, self.replicas);
        let (mean, std) = self.encoder.forward(both);
        Encodings { mean: halves(mean, self.replicas), std: halves(std, self.replicas) }
    }
}

/// Matrices of one shape as a tensor, `[count, rows, columns]`.
fn stacked(matrices: &[DMatrix<f64>], device: &Device) -> Tensor<3> {
    let [rows, cols] = [matrices[0].nrows(), matrices[0].ncols()];
    let data =
        matrices.iter().flat_map(|m| m.transpose().iter().map(|&v| v as f32).collect::<Vec<_>>());
    upload_rows(data.collect(), cols, device).reshape([matrices.len(), rows, cols])
}

/// `−ln N(x; mean, std²)` up to a constant, summed over columns: `[rows, 1]`.
pub(crate) fn gaussian_nll(x: Tensor<2>, mean: Tensor<2>, std: Tensor<2>) -> Tensor<2> {
    (((x - mean) / std.clone()).square() * 0.5 + std.log()).sum_dim(1)
}

/// Two sets of rows, grouped by replica, as one: `[r0 before, r0 after, r1 before, …]`.
pub(crate) fn join(before: &Tensor<2>, after: &Tensor<2>, replicas: usize) -> Tensor<2> {
    let [rows, dim] = before.dims();
    let grouped = |x: &Tensor<2>| x.clone().reshape([replicas, rows / replicas, dim]);
    Tensor::cat(vec![grouped(before), grouped(after)], 1).reshape([2 * rows, dim])
}

/// The inverse of [`join`].
pub(crate) fn halves(both: Tensor<2>, replicas: usize) -> [Tensor<2>; 2] {
    let [rows, dim] = both.dims();
    let batch = rows / replicas / 2;
    let grouped = both.reshape([replicas, 2 * batch, dim]);
    [0, batch].map(|start| grouped.clone().narrow(1, start, batch).reshape([rows / 2, dim]))
}

/// The mean over each replica's rows of `[rows, 1]`: `[replicas]`.
pub(crate) fn replica_means(per_row: Tensor<2>, replicas: usize) -> Tensor<1> {
    let [rows, _] = per_row.dims();
    per_row.reshape([replicas, rows / replicas]).mean_dim(1).reshape([replicas])
}
