use burn::tensor::{Device, Tensor};

use crate::host::values;
use crate::upload_rows;

/// Causal variables `z`, `[batch, d]`.
#[derive(Clone, Debug)]
pub struct Causal(pub Tensor<2>);

/// Noise encodings `e`, `[batch, d]`, one per causal variable.
#[derive(Clone, Debug)]
pub struct Noise(pub Tensor<2>);

/// Observations `x`, flattened to `[batch, dim_x]`.
#[derive(Clone, Debug)]
pub struct Obs(pub Tensor<2>);

/// The Gaussian `q(e | x) = N(mean, diag(std²))`, both `[batch, d]`.
#[derive(Clone, Debug)]
pub struct NoisePosterior {
    /// Means.
    pub mean: Noise,
    /// Standard deviations.
    pub std: Tensor<2>,
}

/// A perfect intervention: `z_i := value_i` where `mask_i = 1`; both `[batch, d]`.
#[derive(Clone, Debug)]
pub struct Action {
    /// One where a variable is set, else zero.
    pub mask: Tensor<2>,
    /// The values set; ignored where the mask is zero.
    pub value: Tensor<2>,
}

/// Before/after observations, `[rows, dim_x]` each.
///
/// Rows of a stacked model are grouped by replica: `[replica 0's batch, replica 1's batch, …]`.
#[derive(Clone, Debug)]
pub struct PairBatch {
    /// Observations before the intervention.
    pub before: Obs,
    /// Observations after it.
    pub after: Obs,
}

impl Causal {
    /// Causal variables from rows.
    pub fn from_rows<const D: usize>(rows: &[[f32; D]], device: &Device) -> Self {
        Self(upload_rows(rows.concat(), D, device))
    }

    /// The rows on the host.
    pub fn to_rows(&self) -> Vec<Vec<f32>> {
        let [_, d] = self.0.dims();
        values(self.0.clone()).chunks(d).map(<[f32]>::to_vec).collect()
    }
}

impl Action {
    /// The action that does nothing to `batch` rows of `d` variables.
    pub fn nothing(batch: usize, d: usize, device: &Device) -> Self {
        let zeros = Tensor::zeros([batch, d], device);
        Self { mask: zeros.clone(), value: zeros }
    }

    /// `z_variable := value` in each of `batch` rows of `d` variables.
    pub fn set(batch: usize, d: usize, variable: usize, value: f32, device: &Device) -> Self {
        let mut mask = vec![0.0; d];
        mask[variable] = 1.0;
        let mask = upload_rows(mask, d, device).repeat_dim(0, batch);
        Self { value: mask.clone() * value, mask }
    }
}
