use burn::module::Module;
use burn::tensor::Tensor;
use domino_model::{Loss, Obs, PairBatch, PairObjective, standard_normal};
use rand::Rng;

use crate::ilcm::{gaussian_nll, halves, join, replica_means};
use crate::{Ilcm, Referee};

/// Weight of the referee's own loss: it must not count where the encoder's gradients are clipped,
/// and an optimiser that divides by the size of a gradient does not mind.
const REFEREE_WEIGHT: f64 = 1e-3;

/// Standard deviation of the broad prior on an intervened code: interventions spread the noise
/// encodings somewhat beyond the unit prior.
const BROAD_STD: f64 = 1.4;

/// Sparsity of change as a latent variable model: the thin-manifold objective.
///
/// ```text
/// c_j = E[(e'_j − e_j)²] / 2τ² + ln τ          cost of "j kept its noise"
/// g_k = e'_k² / 2 s² + ln s,  s = 1.4           broad prior of an intervened code
/// L_0 = Σ_j c_j,   L_k = L_0 − c_k + g_k
/// loss = −ln p(x̃|e) − ln p(x̃'|e') + β [KL-like entropy + |e|²/2 − ln Σ_I exp(−L_I) / (d + 1)]
/// ```
///
/// The targets are marginalised exactly, so that gradients reach them throughout; nothing of the
/// mechanisms is in the loss. As `τ` shrinks, the kept codes are pressed onto the thin manifold
/// `e'_j = e_j`.
///
/// Where a [`Referee`] is there, its posterior `q` names the targets instead:
/// `Σ_I q(I) (L_I + ln q(I))` takes the place of `−ln Σ_I exp(−L_I)`, which is the smallest value
/// that it can have.
#[derive(Module, Debug)]
pub struct ThinManifold {
    /// The models being trained.
    pub model: Ilcm,
    /// Who names the targets; where absent, the objective's own posterior.
    pub referee: Option<Referee>,
}

/// Weights of [`ThinManifold`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThinWeights {
    /// Width `τ` of the manifold.
    pub tau: f64,
    /// Weight of everything but the reconstruction.
    pub beta: f64,
    /// Standard deviation of the observations around their reconstruction; the decoder's own where
    /// absent.
    pub noise: Option<f64>,
}

impl PairObjective for ThinManifold {
    type Weights = ThinWeights;

    fn loss(&self, pairs: &PairBatch, weights: &ThinWeights, rng: &mut dyn Rng) -> Loss {
        let (model, tau) = (&self.model, weights.tau);
        thin_loss(model, pairs, weights, rng, |Changed { change, delta, after }| {
            match &self.referee {
                None => (target_cost(change, &after, tau), None),
                Some(referee) => {
                    let (log_probs, evidence) = referee.judge(delta.detach());
                    let cost = judged_cost(change, &after, tau, log_probs.detach());
                    (cost, Some(replica_means(evidence, model.replicas()).sum()))
                }
            }
        })
    }
}

/// The thin-manifold objective of [`ThinManifold`] with targets that are named beforehand:
/// `Σ_I q(I) (L_I + ln q(I))` of given `q` takes the place of `−ln Σ_I exp(−L_I)`.
///
/// `before` holds the features of both sides, `[rows, 2 components]`, and `after` the logarithms
/// `ln q [rows, d + 1]`, "none" first.
#[derive(Module, Debug)]
pub struct GivenTargets {
    /// The models being trained.
    pub model: Ilcm,
}

impl PairObjective for GivenTargets {
    type Weights = ThinWeights;

    fn loss(&self, rows: &PairBatch, weights: &ThinWeights, rng: &mut dyn Rng) -> Loss {
        let (both, log_probs) = (rows.before.0.clone(), rows.after.0.clone());
        let components = both.dims()[1] / 2;
        let side = |from| Obs(both.clone().narrow(1, from, components));
        let pairs = PairBatch { before: side(0), after: side(components) };
        thin_loss(&self.model, &pairs, weights, rng, |Changed { change, after, .. }| {
            (judged_cost(change, &after, weights.tau, log_probs), None)
        })
    }
}

/// What a batch of pairs does to the codes, `[rows, d]` each.
struct Changed {
    /// The expected squared change.
    change: Tensor<2>,
    /// The change of the means.
    delta: Tensor<2>,
    /// A draw of the codes after.
    after: Tensor<2>,
}

/// The objective, given what its targets cost in each row and the evidence of who else is trained.
fn thin_loss(
    model: &Ilcm,
    pairs: &PairBatch,
    weights: &ThinWeights,
    rng: &mut dyn Rng,
    cost: impl FnOnce(Changed) -> (Tensor<2>, Option<Tensor<1>>),
) -> Loss {
    let replicas = model.replicas();
    let code = model.encode(pairs);
    let [rows, d] = code.mean[0].dims();
    let both = [2 * rows, d];
    let [mean, std] = code.joined(replicas);
    let e = mean + std.clone() * standard_normal(both, rng, &std.device());

    let x = join(&pairs.before.0, &pairs.after.0, replicas);
    let (x_mean, x_std) = model.decoder.forward(e.clone());
    let nll = match weights.noise {
        Some(std) => (x - x_mean).square().sum_dim(1) * (0.5 / (std * std)),
        None => gaussian_nll(x, x_mean, x_std),
    };
    let reconstruction = replica_means(nll, replicas) * 2.0;

    let entropy = replica_means(std.log().sum_dim(1), replicas) * -2.0 - d as f64;
    let [before, after] = halves(e, replicas);
    let prior = replica_means(before.square().sum_dim(1) * 0.5, replicas);

    let variance = code.std[0].clone().square() + code.std[1].clone().square();
    let delta = code.mean[1].clone() - code.mean[0].clone();
    let change = delta.clone().square() + variance;
    let (targets, evidence) = cost(Changed { change, delta, after });
    let targets = replica_means(targets, replicas);

    let divergence = entropy.clone() + prior.clone() + targets.clone();
    let mut total = (reconstruction.clone() + divergence * weights.beta).sum();
    if let Some(evidence) = evidence {
        total = total - evidence * REFEREE_WEIGHT;
    }
    let terms = vec![
        ("reconstruction", reconstruction),
        ("entropy", entropy),
        ("prior", prior),
        ("targets", targets),
    ];
    Loss { total, terms }
}

/// `L_0 [rows, 1]` and the gains `L_0 − L_k [rows, d]`.
fn costs(change: Tensor<2>, after: &Tensor<2>, tau: f64) -> (Tensor<2>, Tensor<2>) {
    let kept = change / (2.0 * tau * tau) + tau.ln();
    let drawn = after.clone().square() / (2.0 * BROAD_STD * BROAD_STD) + BROAD_STD.ln();
    (kept.clone().sum_dim(1), kept - drawn)
}

/// `−ln Σ_I exp(−L_I) / (d + 1)` of expected squared changes and codes after, `[rows, 1]`.
fn target_cost(change: Tensor<2>, after: &Tensor<2>, tau: f64) -> Tensor<2> {
    let (none, gain) = costs(change, after, tau);
    marginal_cost(none, gain)
}

/// `−ln Σ_I exp(−L_I) / (d + 1)` of `L_0 [rows, 1]` and the gains `L_0 − L_k [rows, d]`: `[rows, 1]`.
pub(crate) fn marginal_cost(none: Tensor<2>, gain: Tensor<2>) -> Tensor<2> {
    let [_, d] = gain.dims();
    // A log-sum-exp around its largest exponent.
    let top = gain.clone().max_dim(1).clamp_min(0.0).detach();
    let sum = (gain - top.clone()).exp().sum_dim(1) + top.clone().neg().exp();
    none - top - sum.log() + ((d + 1) as f64).ln()
}

/// `Σ_I q(I) (L_I + ln q(I)) + ln(d + 1)` of given `ln q [rows, d + 1]`, `[rows, 1]`.
fn judged_cost(change: Tensor<2>, after: &Tensor<2>, tau: f64, log_probs: Tensor<2>) -> Tensor<2> {
    let [_, d] = change.dims();
    let (none, gain) = costs(change, after, tau);
    let probs = log_probs.clone().exp();
    let hit = probs.clone().narrow(1, 1, d);
    none - (gain * hit).sum_dim(1) + (probs * log_probs).sum_dim(1) + ((d + 1) as f64).ln()
}

#[cfg(test)]
mod tests {
    use domino_model::{cpu, download, upload_rows};

    use super::*;

    #[test]
    fn targets_are_summed_exactly() {
        let (tau, d) = (0.1_f64, 2.0_f64);
        let change = [0.09, 0.0004];
        let after = [0.5, -1.0];
        let kept = change.map(|c: f64| c / (2.0 * tau * tau) + tau.ln());
        let drawn = after.map(|e: f64| e * e / (2.0 * BROAD_STD * BROAD_STD) + BROAD_STD.ln());
        let none = kept[0] + kept[1];
        let costs = [none, none - kept[0] + drawn[0], none - kept[1] + drawn[1]];
        let sum: f64 = costs.iter().map(|c| (-c).exp() / (d + 1.0)).sum();
        let upload = |x: [f64; 2]| upload_rows(x.map(|v| v as f32).to_vec(), 2, &cpu());
        let got = download(target_cost(upload(change), &upload(after), tau))[(0, 0)];
        assert!((got + sum.ln()).abs() < 1e-4, "{got} against {}", -sum.ln());
    }

    #[test]
    fn a_hopeless_change_stays_finite() {
        let change = upload_rows(vec![1e6, 1e6], 2, &cpu());
        let after = upload_rows(vec![1e3, 1e3], 2, &cpu());
        assert!(download(target_cost(change, &after, 1e-3))[(0, 0)].is_finite());
    }
    #[test]
    fn a_given_target_costs_at_least_what_the_best_judge_does() {
        let tau = 0.1;
        let upload = |x: &[f32]| upload_rows(x.to_vec(), x.len(), &cpu());
        let (change, after) = (upload(&[0.09, 0.0004]), upload(&[0.5, -1.0]));
        let (none, gain) = costs(change.clone(), &after, tau);
        let (none, gain) = (download(none)[(0, 0)], download(gain));
        let loss = [none, none - gain[(0, 0)], none - gain[(0, 1)]];
        let given = |log_probs: &[f32]| {
            let cost = judged_cost(change.clone(), &after, tau, upload(log_probs));
            download(cost)[(0, 0)]
        };
        // One target for certain costs what it costs in the sum.
        for (target, cost) in loss.iter().enumerate() {
            let log_probs = [0, 1, 2].map(|at| if at == target { 0.0 } else { -80.0 });
            assert!((given(&log_probs) - cost - 3.0_f64.ln()).abs() < 1e-3, "target {target}");
        }
        // The posterior of the objective itself costs least: the logarithm of the sum.
        let sum: f64 = loss.iter().map(|l| (-l).exp()).sum();
        let posterior = loss.map(|l| (-l - sum.ln()) as f32);
        let least = download(target_cost(change.clone(), &after, tau))[(0, 0)];
        assert!((given(&posterior) - least).abs() < 1e-3);
    }
}
