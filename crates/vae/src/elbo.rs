use burn::module::Module;
use burn::tensor::{Int, Tensor};
use domino_model::{Loss, PairBatch, PairObjective, standard_normal, uniform};
use rand::Rng;

use crate::Ilcm;
use crate::ilcm::{Encodings, halves, join, replica_means};
use crate::solution::interventional;

/// Keeps `p ln p` and its gradient finite at `p = 0`.
const TINY: f64 = 1e-9;

/// The evidence lower bound of Brehmer et al. 2022, equation 6, with the reference's phases as
/// weights.
///
/// For each target `I` the encodings are projected (kept components of both sides become one
/// random convex combination `μ̄ = λμ + (1−λ)μ'`), decoded, and weighted by `q(I | x, x̃)`:
///
/// ```text
/// L = Σ_I q(I) [ −ln p(x̃|e) − ln p(x̃'|e') + β (ln q(e, e') − ln p(e, e' | I)) ]
///     + β Σ_I q(I) ln q(I) + β ln(d + 1)
/// ```
///
/// With atomic targets only `s_k` enters for `I = {k}`, and projections for different targets
/// differ in one component, so all targets cost `2d + 1` decodes and `d` solution functions.
#[derive(Module, Debug)]
pub struct Elbo {
    /// The models being trained.
    pub model: Ilcm,
}

/// How the targets enter the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetMode {
    /// No targets: two independent autoencoders, as in pretraining.
    Absent,
    /// Every target, weighted by its posterior.
    Soft,
    /// Only the most probable target.
    Hard,
}

/// Whether `p(e' | e)` of the intervened code is part of the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MechanismMode {
    /// Left out.
    Absent,
    /// By the solution functions.
    Learned,
}

/// Weights of [`Elbo`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElboWeights {
    /// Weight of the divergences.
    pub beta: f64,
    /// Weight of `|e|² + |e'|²` of the unprojected codes.
    pub z_regularization: f64,
    /// Weight of the squared error of the unprojected reconstructions.
    pub consistency: f64,
    /// Weight of the entropy of the batch's mean target posterior, which is maximised.
    pub entropy: f64,
    /// Floor that is mixed into the target posterior.
    pub offset: f64,
    /// How the targets enter.
    pub targets: TargetMode,
    /// Whether the solution functions enter.
    pub mechanisms: MechanismMode,
}

impl PairObjective for Elbo {
    type Weights = ElboWeights;

    fn loss(&self, pairs: &PairBatch, weights: &ElboWeights, rng: &mut dyn Rng) -> Loss {
        let code = self.model.encode(pairs);
        let mut loss = match weights.targets {
            TargetMode::Absent => self.autoencoders(pairs, &code, weights, rng),
            TargetMode::Soft | TargetMode::Hard => self.bound(pairs, &code, weights, rng),
        };
        if weights.z_regularization > 0.0 || weights.consistency > 0.0 {
            self.add_unprojected(&mut loss, pairs, &code, weights, rng);
        }
        loss
    }
}

/// One sample of the codes that all targets share.
struct Sample {
    /// Projected code, `[rows, d]`.
    shared: Tensor<2>,
    /// Unprojected codes before and after, `[rows, d]`.
    own: [Tensor<2>; 2],
    /// `KL` for "none", `[rows, 1]`.
    divergence_none: Tensor<2>,
    /// What the divergence gains when `k` is the target, `[rows, d]`.
    divergence_gain: Tensor<2>,
}

impl Elbo {
    fn bound(
        &self,
        pairs: &PairBatch,
        code: &Encodings,
        weights: &ElboWeights,
        rng: &mut dyn Rng,
    ) -> Loss {
        let replicas = self.model.replicas();
        let [rows, d] = code.mean[0].dims();
        let change = code.mean[1].clone() - code.mean[0].clone();
        let floored = self.model.posterior(change) + weights.offset;
        let posterior = floored / (1.0 + weights.offset * (d + 1) as f64);
        let sample = self.sample(code, weights.mechanisms, rng);
        let (likelihood, divergence, used) = match weights.targets {
            TargetMode::Hard => self.hard(pairs, &sample, &posterior),
            _ => self.soft(pairs, &sample, &posterior),
        };
        let surprise = (used.clone() * (used + TINY).log()).sum_dim(1) + ((d + 1) as f64).ln();
        let reconstruction = replica_means(likelihood, replicas).neg();
        let divergence = replica_means(divergence, replicas);
        let surprise = replica_means(surprise, replicas);
        let mut total =
            reconstruction.clone() + (divergence.clone() + surprise.clone()) * weights.beta;
        if weights.entropy > 0.0 {
            total = total - self.usage_entropy(posterior, rows, d) * weights.entropy;
        }
        let terms = vec![
            ("reconstruction", reconstruction),
            ("divergence", divergence),
            ("targets", surprise),
        ];
        Loss { total: total.sum(), terms }
    }

    /// The entropy of each replica's mean posterior, `[replicas]`.
    fn usage_entropy(&self, posterior: Tensor<2>, rows: usize, d: usize) -> Tensor<1> {
        let replicas = self.model.replicas();
        let mean = posterior.reshape([replicas, rows / replicas, d + 1]).mean_dim(1);
        (mean.clone() * (mean + TINY).log()).sum_dim(2).neg().reshape([replicas])
    }

    fn sample(&self, code: &Encodings, mechanisms: MechanismMode, rng: &mut dyn Rng) -> Sample {
        let shape = code.mean[0].dims();
        let device = code.mean[0].device();
        let lambda = uniform(shape, rng, &device);
        let noise = [(); 2].map(|()| standard_normal(shape, rng, &device));
        let blend = |side: &[Tensor<2>; 2]| {
            side[1].clone() + (side[0].clone() - side[1].clone()) * lambda.clone()
        };
        let shared_std = blend(&code.std);
        let shared = blend(&code.mean) + shared_std.clone() * noise[0].clone();
        let own = [0, 1].map(|side: usize| {
            code.mean[side].clone() + code.std[side].clone() * noise[side].clone()
        });
        // ln q − ln p of one unit Gaussian component; the constants ½ ln 2π cancel.
        let half_square = |e: &Tensor<2>| e.clone().square() * 0.5;
        let cost = |e: &Tensor<2>, std: &Tensor<2>, noise: &Tensor<2>| {
            half_square(e) - std.clone().log() - half_square(noise)
        };
        let kept = cost(&shared, &shared_std, &noise[0]);
        let mut gain = cost(&own[0], &code.std[0], &noise[0])
            - kept.clone()
            - code.std[1].clone().log()
            - half_square(&noise[1]);
        if mechanisms == MechanismMode::Learned {
            gain = gain - self.interventional(&own[1], &shared);
        }
        Sample { shared, own, divergence_none: kept.sum_dim(1), divergence_gain: gain }
    }

    /// `ln p(e'_k | e)` for each `k`, `[rows, d]`, of a stack of models.
    fn interventional(&self, drawn: &Tensor<2>, shared: &Tensor<2>) -> Tensor<2> {
        let replicas = self.model.replicas();
        if replicas == 1 {
            return interventional(&self.model.solution, drawn.clone(), shared.clone());
        }
        let [rows, d] = shared.dims();
        let batch = rows / replicas;
        let context =
            shared.clone().reshape([replicas, 1, batch, d]).expand([replicas, d, batch, d]);
        let maps = self.model.solution.of_own(context.reshape([replicas * d * batch, d]));
        let drawn = drawn.clone().reshape([replicas, batch, d]).swap_dims(1, 2);
        let density = maps.log_density(drawn.reshape([rows * d, 1]));
        density.reshape([replicas, d, batch]).swap_dims(1, 2).reshape([rows, d])
    }

    /// Likelihood and divergence averaged over all targets, `[rows, 1]` each.
    fn soft(
        &self,
        pairs: &PairBatch,
        sample: &Sample,
        posterior: &Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        let replicas = self.model.replicas();
        let [rows, d] = sample.shared.dims();
        let batch = rows / replicas;
        let device = sample.shared.device();
        let eye = Tensor::<2>::eye(d, &device).reshape([1, d, 1, d]);
        let shared = sample.shared.clone().reshape([replicas, 1, batch, d]);
        let moved = |own: &Tensor<2>| {
            let step = (own.clone() - sample.shared.clone()).reshape([replicas, 1, batch, d]);
            shared.clone() + step * eye.clone()
        };
        // Branches: d before-sides, the shared code (both sides of "none"), d after-sides.
        let codes =
            Tensor::cat(vec![moved(&sample.own[0]), shared.clone(), moved(&sample.own[1])], 1);
        let branches = 2 * d + 1;
        let (mean, std) = self.model.decoder.forward(codes.reshape([rows * branches, d]));
        let [_, width] = mean.dims();
        let shape = [replicas, branches, batch, width];
        let (mean, std) = (mean.reshape(shape), std.reshape(shape));
        let side = |x: &Tensor<2>, start: usize| {
            let x = x.clone().reshape([replicas, 1, batch, width]);
            let (mean, std) =
                (mean.clone().narrow(1, start, d + 1), std.clone().narrow(1, start, d + 1));
            let residual = (x - mean) / std.clone();
            (residual.square() * -0.5 - std.log()).sum_dim(3).reshape([replicas, d + 1, batch])
        };
        let before = side(&pairs.before.0, 0);
        let after = side(&pairs.after.0, d);
        // "none" is the last branch of the first block and the first of the second.
        let none = before.clone().narrow(1, d, 1) + after.clone().narrow(1, 0, 1);
        let atomic = before.narrow(1, 0, d) + after.narrow(1, 1, d);
        let likelihood = Tensor::cat(vec![none, atomic], 1).swap_dims(1, 2).reshape([rows, d + 1]);
        let gain = posterior.clone().narrow(1, 1, d) * sample.divergence_gain.clone();
        let divergence = sample.divergence_none.clone() + gain.sum_dim(1);
        ((likelihood * posterior.clone()).sum_dim(1), divergence, posterior.clone())
    }

    /// Likelihood and divergence of the most probable target, `[rows, 1]` each.
    fn hard(
        &self,
        pairs: &PairBatch,
        sample: &Sample,
        posterior: &Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        let replicas = self.model.replicas();
        let [_, d] = sample.shared.dims();
        let chosen = one_hot(posterior.clone().detach(), d + 1);
        let atomic = chosen.clone().narrow(1, 1, d);
        let moved = |own: &Tensor<2>| {
            sample.shared.clone() + (own.clone() - sample.shared.clone()) * atomic.clone()
        };
        let codes = join(&moved(&sample.own[0]), &moved(&sample.own[1]), replicas);
        let x = join(&pairs.before.0, &pairs.after.0, replicas);
        let [before, after] = halves(log_density(self.model.decoder.forward(codes), x), replicas);
        let gain = (atomic * sample.divergence_gain.clone()).sum_dim(1);
        (before + after, sample.divergence_none.clone() + gain, chosen)
    }

    fn autoencoders(
        &self,
        pairs: &PairBatch,
        code: &Encodings,
        weights: &ElboWeights,
        rng: &mut dyn Rng,
    ) -> Loss {
        let replicas = self.model.replicas();
        let [mean, std] = code.joined(replicas);
        let noise = standard_normal(std.dims(), rng, &std.device());
        let e = mean + std.clone() * noise.clone();
        let x = join(&pairs.before.0, &pairs.after.0, replicas);
        let likelihood = log_density(self.model.decoder.forward(e.clone()), x);
        let cost = e.square() * 0.5 - std.log() - noise.square() * 0.5;
        let reconstruction = replica_means(likelihood, replicas) * -2.0;
        let divergence = replica_means(cost.sum_dim(1), replicas) * 2.0;
        let total = (reconstruction.clone() + divergence.clone() * weights.beta).sum();
        let terms = vec![("reconstruction", reconstruction), ("divergence", divergence)];
        Loss { total, terms }
    }

    fn add_unprojected(
        &self,
        loss: &mut Loss,
        pairs: &PairBatch,
        code: &Encodings,
        weights: &ElboWeights,
        rng: &mut dyn Rng,
    ) {
        let replicas = self.model.replicas();
        let [mean, std] = code.joined(replicas);
        let e = mean + std.clone() * standard_normal(std.dims(), rng, &std.device());
        let mut add = |name, weight: f64, per_row: Tensor<2>| {
            let term = replica_means(per_row, replicas) * 2.0;
            loss.total = loss.total.clone() + term.clone().sum() * weight;
            loss.terms.push((name, term));
        };
        if weights.consistency > 0.0 {
            let x = join(&pairs.before.0, &pairs.after.0, replicas);
            let error = (x - self.model.decoder.mean(e.clone())).square().sum_dim(1);
            add("consistency", weights.consistency, error);
        }
        if weights.z_regularization > 0.0 {
            add("z_regularization", weights.z_regularization, e.square().sum_dim(1));
        }
    }
}

/// `ln N(x; mean, std²)` without its constant, `[rows, 1]`.
fn log_density((mean, std): (Tensor<2>, Tensor<2>), x: Tensor<2>) -> Tensor<2> {
    let residual = (x - mean) / std.clone();
    (residual.square() * -0.5 - std.log()).sum_dim(1)
}

/// One in the column of each row's largest entry, `[rows, classes]`.
fn one_hot(scores: Tensor<2>, classes: usize) -> Tensor<2> {
    let device = scores.device();
    let last = i64::try_from(classes).expect("a handful of classes");
    let columns = Tensor::<1, Int>::arange(0..last, &device).reshape([1, classes]);
    let [rows, _] = scores.dims();
    let best = scores.argmax(1).expand([rows, classes]);
    best.equal(columns.expand([rows, classes])).float()
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use domino_model::{Obs, cpu, download};

    use super::*;
    use crate::{IlcmConfig, Sizes};

    const REPLICAS: usize = 2;
    const BATCH: usize = 5;
    const D: usize = 3;

    fn setting() -> (Elbo, PairBatch) {
        let mut rng = Seed(8).rng(Stream::Init);
        let sizes = Sizes { replicas: REPLICAS, components: 4, d: D };
        let mut config = IlcmConfig::default();
        config.encoder.skip = false;
        config.decoder.skip = false;
        config.solution.initial_log_scale = 0.0;
        let model = Ilcm::new(sizes, &config, &mut rng, &cpu());
        let mut side = || Obs(standard_normal([REPLICAS * BATCH, 4], &mut rng, &cpu()) * 2.0);
        (Elbo { model }, PairBatch { before: side(), after: side() })
    }

    fn sample_of(elbo: &Elbo, pairs: &PairBatch) -> Sample {
        let code = elbo.model.encode(pairs);
        elbo.sample(&code, MechanismMode::Learned, &mut Seed(1).rng(Stream::Noise))
    }

    #[test]
    fn all_targets_at_once_equal_one_target_at_a_time() {
        let (elbo, pairs) = setting();
        let sample = sample_of(&elbo, &pairs);
        let rows = REPLICAS * BATCH;
        for target in 0..=D {
            // A posterior that is certain of one target must give the hard bound of that target.
            let mut certain = [0.0; D + 1];
            certain[target] = 1.0;
            let posterior = domino_model::upload_rows(certain.repeat(rows), D + 1, &cpu());
            let (soft, soft_kl, _) = elbo.soft(&pairs, &sample, &posterior);
            let (hard, hard_kl, chosen) = elbo.hard(&pairs, &sample, &posterior);
            assert!((download(soft) - download(hard)).amax() < 2e-3, "target {target}");
            assert!((download(soft_kl) - download(hard_kl)).amax() < 1e-3, "target {target}");
            assert!((download(chosen) - download(posterior)).amax() < 1e-6);
        }
    }

    #[test]
    fn the_bound_is_linear_in_the_posterior() {
        let (elbo, pairs) = setting();
        let sample = sample_of(&elbo, &pairs);
        let rows = REPLICAS * BATCH;
        let upload = |row: [f32; D + 1]| domino_model::upload_rows(row.repeat(rows), D + 1, &cpu());
        let mixed = elbo.soft(&pairs, &sample, &upload([0.25; D + 1])).0;
        let mut mean = mixed.zeros_like();
        for target in 0..=D {
            let mut row = [0.0; D + 1];
            row[target] = 0.25;
            mean = mean + elbo.soft(&pairs, &sample, &upload(row)).0;
        }
        assert!((download(mixed) - download(mean)).amax() < 2e-3);
    }

    #[test]
    fn the_posterior_enters_its_own_divergence_once() {
        // Equal sides: δ = 0, so q(∅) = 1 / (1 + d e^{−3}) whatever the weights of the networks.
        let (elbo, mut pairs) = setting();
        pairs.after = pairs.before.clone();
        let weights = ElboWeights {
            beta: 1.0,
            z_regularization: 0.0,
            consistency: 0.0,
            entropy: 0.0,
            offset: 0.0,
            targets: TargetMode::Soft,
            mechanisms: MechanismMode::Absent,
        };
        let loss = elbo.loss(&pairs, &weights, &mut Seed(1).rng(Stream::Noise));
        let (_, term) = loss.terms.iter().find(|(name, _)| *name == "targets").unwrap();
        let d = D as f64;
        let none = 1.0 / (1.0 + d * (-3.0_f64).exp());
        let each = (1.0 - none) / d;
        let expected = none * none.ln() + d * each * each.ln() + (d + 1.0).ln();
        for value in term.clone().into_data().iter::<f64>() {
            assert!((value - expected).abs() < 1e-5, "{value} against {expected}");
        }
    }

    #[test]
    fn interventional_density_of_a_stack_is_that_of_each_model() {
        let (elbo, pairs) = setting();
        let sample = sample_of(&elbo, &pairs);
        let together = download(elbo.interventional(&sample.own[1], &sample.shared));
        for replica in 0..REPLICAS {
            let alone = Elbo { model: elbo.model.clone().replica(replica) };
            let rows = |x: &Tensor<2>| x.clone().narrow(0, replica * BATCH, BATCH);
            let own = alone.interventional(&rows(&sample.own[1]), &rows(&sample.shared));
            assert!((download(own) - together.rows(replica * BATCH, BATCH)).amax() < 1e-4);
        }
    }
}
