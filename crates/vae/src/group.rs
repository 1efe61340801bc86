use burn::module::Module;
use burn::tensor::Tensor;
use domino_model::{Loss, PairBatch, PairObjective, standard_normal};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ilcm;
use crate::ilcm::{Encodings, join, replica_means};

/// What a [`GroupVae`] does with the codes that both sides of a pair seem to share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Averaging {
    /// Nothing: two pictures apart, a β-VAE (Higgins et al., ICLR 2017).
    #[default]
    None,
    /// The mean of means and variances: Ada-GVAE (Locatello et al., ICML 2020).
    Gvae,
    /// The product of the two Gaussians, of twice its variance: Ada-ML-VAE (Locatello et al. 2020).
    MlVae,
}

/// Variational autoencoders of pairs, without a causal model:
///
/// ```text
/// δ_i = KL(q(z_i | x) ‖ q(z_i | x')),   shared where δ_i < (min δ + max δ) / 2
/// loss = −ln p(x | z) − ln p(x' | z') + β [KL(q̃(z|x) ‖ N(0, 1)) + KL(q̃(z|x') ‖ N(0, 1))]
/// ```
///
/// where `q̃` averages the shared codes of both sides as [`Averaging`] says. Baselines: they are
/// trained by the same loop, on the same features and by the same networks as the causal models.
#[derive(Module, Debug)]
pub struct GroupVae {
    /// The models being trained.
    pub model: Ilcm,
    /// What happens to shared codes.
    #[module(skip)]
    pub averaging: Averaging,
}

/// Weights of [`GroupVae`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupWeights {
    /// Weight `β` of the divergence.
    pub beta: f64,
    /// Standard deviation of the observations around their reconstruction.
    pub noise: f64,
}

impl PairObjective for GroupVae {
    type Weights = GroupWeights;

    fn loss(&self, pairs: &PairBatch, weights: &GroupWeights, rng: &mut dyn Rng) -> Loss {
        let model = &self.model;
        let replicas = model.replicas();
        let code = average(model.encode(pairs), self.averaging);
        let [mean, std] = code.joined(replicas);
        let z = mean.clone() + std.clone() * standard_normal(mean.dims(), rng, &mean.device());
        let x = join(&pairs.before.0, &pairs.after.0, replicas);
        let error = (x - model.decoder.mean(z)).square().sum_dim(1);
        let reconstruction =
            replica_means(error, replicas) * (1.0 / (weights.noise * weights.noise));
        let divergence = (mean.square() + std.clone().square() - std.log() * 2.0 - 1.0).sum_dim(1);
        // Means over both sides of halves of sums: of one pair, twice a half.
        let divergence = replica_means(divergence, replicas);
        let total = (reconstruction.clone() + divergence.clone() * weights.beta).sum();
        Loss { total, terms: vec![("reconstruction", reconstruction), ("divergence", divergence)] }
    }
}

/// `q̃` of both sides.
fn average(code: Encodings, averaging: Averaging) -> Encodings {
    if averaging == Averaging::None {
        return code;
    }
    let Encodings { mean: [m, m_after], std: [s, s_after] } = code;
    let (v, v_after) = (s.clone().square(), s_after.clone().square());
    let gap = (m.clone() - m_after.clone()).square();
    // 2 KL of one Gaussian to another, per code.
    let delta = (v.clone() + gap) / v_after.clone() - 1.0 + (v_after.clone() / v.clone()).log();
    let delta = delta.detach();
    let threshold = (delta.clone().min_dim(1) + delta.clone().max_dim(1)) * 0.5;
    let shared = delta.lower(threshold);
    let (mean, variance) = match averaging {
        Averaging::None => unreachable!("returned above"),
        Averaging::Gvae => ((m.clone() + m_after.clone()) * 0.5, (v + v_after) * 0.5),
        Averaging::MlVae => {
            let variance = v.clone() * v_after.clone() * 2.0 / (v.clone() + v_after.clone());
            let mean = (m.clone() / v + m_after.clone() / v_after) * variance.clone() * 0.5;
            (mean, variance)
        }
    };
    let std = variance.sqrt();
    let put = |own: Tensor<2>, common: &Tensor<2>| own.mask_where(shared.clone(), common.clone());
    Encodings {
        mean: [put(m, &mean), put(m_after, &mean)],
        std: [put(s, &std), put(s_after, &std)],
    }
}

#[cfg(test)]
mod tests {
    use domino_model::{cpu, download, upload_rows};

    use super::*;

    fn codes() -> Encodings {
        let row = |values: [f32; 3]| upload_rows(values.to_vec(), 3, &cpu());
        Encodings {
            mean: [row([0.0, 1.0, -2.0]), row([0.2, 1.0, 2.0])],
            std: [row([1.0, 0.5, 0.5]), row([0.5, 0.5, 0.5])],
        }
    }

    fn numbers(x: &Tensor<2>) -> Vec<f64> {
        download(x.clone()).iter().copied().collect()
    }

    fn near(got: &Tensor<2>, want: [f64; 3]) {
        assert!(numbers(got).iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got}");
    }

    #[test]
    fn ada_gvae_averages_what_is_shared_and_keeps_what_changed() {
        let code = average(codes(), Averaging::Gvae);
        near(&code.mean[0], [0.1, 1.0, -2.0]);
        near(&code.mean[1], [0.1, 1.0, 2.0]);
        near(&code.std[0], [0.625_f64.sqrt(), 0.5, 0.5]);
    }

    #[test]
    fn ada_ml_vae_weighs_by_precision() {
        let code = average(codes(), Averaging::MlVae);
        // Variances 1 and ¼: precision-weighted mean (0 · 1 + 0.2 · 4) / 5.
        near(&code.mean[0], [0.16, 1.0, -2.0]);
        near(&code.std[1], [0.4_f64.sqrt(), 0.5, 0.5]);
    }

    #[test]
    fn a_beta_vae_keeps_both_sides_apart() {
        let code = average(codes(), Averaging::None);
        near(&code.mean[0], [0.0, 1.0, -2.0]);
        near(&code.mean[1], [0.2, 1.0, 2.0]);
    }
}
