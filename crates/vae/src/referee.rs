use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use domino_model::upload_rows;

/// Where widths and leaks start: an encoder that knows little yet.
const START: f32 = 0.3;

/// Where spreads start: two independent draws of unit variance differ by `√2`.
const START_SPREAD: f32 = std::f32::consts::SQRT_2;

/// Smallest variance of an unchanged code.
const LEAST_VARIANCE: f64 = 1e-8;

/// Names the target of a change `δ = e' − e` while the encoder is still learning.
///
/// ```text
/// p(δ | ∅) = Π_j N(δ_j; 0, a_j²)
/// p(δ | k) = N(δ_k; 0, ω_k²) · Π_{j≠k} N(δ_j; 0, a_j² + b_kj² δ_k²)
/// q(I | δ) ∝ p(δ | I)
/// ```
///
/// with one leak `b_kj` for every cause and every code that answers to it. A child that reacts
/// strongly to its parent changes more than the parent, so that the code that changes most is
/// the wrong target, and a model that believes it is stuck there. Leaks tell the two apart: an
/// intervention on the parent moves both codes, one on the child leaves the parent's at rest, so
/// that only "the parent was set, and the child's code answers" explains all pairs. Targets are
/// equally likely beforehand: learned shares let a code that lost some of its pairs lose the rest.
///
/// All parameters follow the likelihood of the changes, which are given: the encoder's gradients
/// do not pass through here.
#[derive(Module, Debug)]
pub struct Referee {
    /// `ln a`, `[replicas, 1, 1, d]`.
    log_width: Param<Tensor<4>>,
    /// `ln b`, `[replicas, 1, d, d]`: cause, code.
    log_leak: Param<Tensor<4>>,
    /// `ln ω`, `[replicas, 1, d]`.
    log_spread: Param<Tensor<3>>,
    /// 1 off the diagonal, `[1, 1, d, d]`.
    others: Param<Tensor<4>>,
}

impl Referee {
    /// Referees for `replicas` models of `d` codes side by side.
    pub fn new(replicas: usize, d: usize, device: &Device) -> Self {
        let logarithms = |value: f32, n: usize| upload_rows(vec![value.ln(); n], n, device);
        let others = (0..d * d).map(|at| if at / d == at % d { 0.0 } else { 1.0 }).collect();
        let others = upload_rows(others, d * d, device).reshape([1, 1, d, d]);
        let n = replicas * d;
        Self {
            log_width: leaf(logarithms(START, n).reshape([replicas, 1, 1, d])),
            log_leak: leaf(logarithms(START, n * d).reshape([replicas, 1, d, d])),
            log_spread: leaf(logarithms(START_SPREAD, n).reshape([replicas, 1, d])),
            others: leaf(others).set_require_grad(false),
        }
    }

    /// `ln q(I | δ) [rows, d + 1]`, "none" first, and `ln p(δ) [rows, 1]` up to a constant, of
    /// changes `[rows, d]` grouped by replica.
    pub fn judge(&self, change: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let [rows, d] = change.dims();
        let [replicas, ..] = self.log_width.val().dims();
        let batch = rows / replicas;
        let squares = change.square().reshape([replicas, batch, d]);
        let (kept, cause) = (
            squares.clone().reshape([replicas, batch, 1, d]),
            squares.clone().reshape([replicas, batch, d, 1]),
        );
        let width = (self.log_width.val() * 2.0).exp() + LEAST_VARIANCE;
        let none = (kept.clone() / width.clone() + width.clone().log()).sum_dim(3);
        let variance = width + (self.log_leak.val() * 2.0).exp() * cause;
        let others = ((kept / variance.clone() + variance.log()) * self.others.val()).sum_dim(3);
        let spread = (self.log_spread.val() * 2.0).exp();
        let own = squares / spread.clone() + spread.log();
        let hit = others.reshape([replicas, batch, d]) + own;
        let costs = Tensor::cat(vec![none.reshape([replicas, batch, 1]), hit], 2);
        let joint = costs.reshape([rows, d + 1]) * -0.5;
        let top = joint.clone().max_dim(1).detach();
        let evidence = (joint.clone() - top.clone()).exp().sum_dim(1).log() + top;
        (joint - evidence.clone(), evidence)
    }
}

fn leaf<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(value.detach())
}

#[cfg(test)]
mod tests {
    use burn::module::ModuleMapper;
    use burn::tensor::Gradients;
    use domino_core::{Seed, Stream};
    use domino_model::{cpu, download};
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::*;

    #[test]
    fn posterior_and_evidence_are_those_of_the_mixture() {
        let referee = Referee::new(1, 2, &cpu());
        let change = [0.5_f64, -0.2];
        // Without the factor 1 / √(2π) of every code.
        let normal = |x: f64, variance: f64| (-0.5 * x * x / variance).exp() / variance.sqrt();
        let width = f64::from(START).powi(2) + LEAST_VARIANCE;
        let leaked = |cause: f64| width + f64::from(START).powi(2) * cause * cause;
        let joint = [
            normal(change[0], width) * normal(change[1], width),
            normal(change[0], 2.0) * normal(change[1], leaked(change[0])),
            normal(change[1], 2.0) * normal(change[0], leaked(change[1])),
        ];
        let total: f64 = joint.iter().sum();
        let rows = upload_rows(change.map(|c| c as f32).to_vec(), 2, &cpu());
        let (log_probs, evidence) = referee.judge(rows);
        let log_probs = download(log_probs);
        for (target, p) in joint.iter().enumerate() {
            assert!((log_probs[(0, target)] - (p / total).ln()).abs() < 1e-5);
        }
        assert!((download(evidence)[(0, 0)] - total.ln()).abs() < 1e-5);
    }

    /// One step of gradient ascent.
    struct Ascent<'a>(&'a Gradients, f64);

    impl ModuleMapper for Ascent<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (gradients, rate) = (self.0, self.1);
            param.map(|value| match value.grad(gradients) {
                Some(slope) => Tensor::from_inner(value.inner() + slope * rate).require_grad(),
                None => value,
            })
        }
    }

    /// A child's code that answers to its parent nearly as strongly as the parent itself changes, and often more.
    #[test]
    fn the_parent_of_a_strongly_reacting_child_is_found() {
        let mut rng = Seed(7).rng(Stream::Data);
        let n = 1200;
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for row in 0..n {
            let target = row % 3;
            let step: f64 = rng.sample(StandardNormal);
            let answer: f64 = rng.sample(StandardNormal);
            let small = 0.01 * rng.sample::<f64, _>(StandardNormal);
            let (parent, child) = match target {
                0 => (small, -small),
                1 => (step, 0.9 * step * (1.0 + 0.3 * answer)),
                _ => (small, step),
            };
            rows.extend([parent as f32, child as f32]);
            labels.push(target);
        }
        let device = cpu().autodiff();
        let mut referee = Referee::new(1, 2, &device);
        let change = upload_rows(rows, 2, &device);
        for _ in 0..600 {
            let gradients = referee.judge(change.clone()).1.mean().backward();
            referee = referee.map(&mut Ascent(&gradients, 0.1));
        }
        let log_probs = download(referee.judge(change).0.inner());
        let right = labels.iter().enumerate();
        let right =
            right.filter(|&(row, &label)| log_probs.row(row).transpose().argmax().0 == label);
        let right = right.count() as f64 / n as f64;
        assert!(right > 0.93, "{right}");
    }
}
