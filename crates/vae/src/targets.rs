use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Rounds of expectation maximisation; the fit settles within a handful.
const ROUNDS: usize = 30;

/// Smallest width of an unchanged code over its spread: rounding of f32 observations.
const WIDTH_FLOOR: f64 = 1e-5;

/// The normal's median absolute deviation.
const NORMAL_MAD: f64 = 0.674_489_750_196_081_7;

/// A posterior over targets, calibrated on the changes `δ = e' − e` of many pairs.
///
/// Under target `I` every other code keeps its noise up to a width, and the target's code is
/// redrawn:
///
/// ```text
/// p(δ | I) = Π_{j ∉ I} N(δ_j; 0, τ_j²) · Π_{k ∈ I} N(δ_k; 0, ω_k²),   q(I | δ) ∝ π_I p(δ | I)
/// ```
///
/// Widths `τ`, spreads `ω` and shares `π` are fitted by expectation maximisation, so that "none"
/// needs no threshold and observation noise is allowed for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangePosterior {
    /// Width `τ_j` of an unchanged code, `[d]`.
    pub width: Vec<f64>,
    /// Spread `ω_k` of an intervened code's change, `[d]`.
    pub spread: Vec<f64>,
    /// Share `π` of each target, `[d + 1]`, "none" first.
    pub share: Vec<f64>,
}

impl ChangePosterior {
    /// The posterior fitted to changes `[n, d]`.
    pub fn fit(changes: &DMatrix<f64>) -> Self {
        let d = changes.ncols();
        let spread: Vec<f64> = changes
            .column_iter()
            .map(|c| (c.norm_squared() / c.len() as f64).sqrt().max(f64::MIN_POSITIVE))
            .collect();
        // A code changes in few pairs only, so that its median change is that of a kept one.
        let width = changes.column_iter().zip(&spread).map(|(c, s)| {
            let mut size: Vec<f64> = c.iter().map(|v| v.abs()).collect();
            let middle = size.len() / 2;
            let (_, median, _) = size.select_nth_unstable_by(middle, f64::total_cmp);
            (*median / NORMAL_MAD).clamp(s * WIDTH_FLOOR, s * 0.5)
        });
        let share = vec![1.0 / (d + 1) as f64; d + 1];
        let mut posterior = Self { width: width.collect(), spread: spread.clone(), share };
        for _ in 0..ROUNDS {
            posterior = posterior.refined(changes, &spread);
        }
        posterior
    }

    /// `log q(I | δ)` of changes `[n, d]`: `[n, d + 1]`.
    pub fn log_probs(&self, changes: &DMatrix<f64>) -> DMatrix<f64> {
        let d = self.width.len();
        let mut log_probs = DMatrix::zeros(changes.nrows(), d + 1);
        for (row, mut out) in changes.row_iter().zip(log_probs.row_iter_mut()) {
            out[0] = self.share[0].ln();
            for k in 0..d {
                out[k + 1] = self.share[k + 1].ln() + self.evidence(k, row[k]);
            }
            let top = out.max();
            let total = top + out.iter().map(|v| (v - top).exp()).sum::<f64>().ln();
            out.add_scalar_mut(-total);
        }
        log_probs
    }

    /// `ln N(δ; 0, ω_k²) − ln N(δ; 0, τ_k²)`.
    fn evidence(&self, k: usize, change: f64) -> f64 {
        let (kept, drawn) = (change / self.width[k], change / self.spread[k]);
        0.5 * (kept * kept - drawn * drawn) + (self.width[k] / self.spread[k]).ln()
    }

    fn refined(&self, changes: &DMatrix<f64>, overall: &[f64]) -> Self {
        let (n, d) = changes.shape();
        let probs = self.log_probs(changes).map(f64::exp);
        let share: Vec<f64> = probs
            .column_iter()
            .map(|c| (c.sum() + 1.0) / (n + d + 1) as f64)
            .collect();
        let (mut width, mut spread) = (Vec::with_capacity(d), Vec::with_capacity(d));
        for k in 0..d {
            let (mut kept, mut kept_weight, mut drawn, mut drawn_weight) = (0.0, 0.0, 0.0, 0.0);
            for (change, hit) in changes.column(k).iter().zip(probs.column(k + 1).iter()) {
                kept += (1.0 - hit) * change * change;
                kept_weight += 1.0 - hit;
                drawn += hit * change * change;
                drawn_weight += hit;
            }
            let floor = overall[k] * WIDTH_FLOOR;
            let ratio = |sum: f64, weight: f64| (sum / weight.max(1.0)).sqrt();
            width.push(ratio(kept, kept_weight).max(floor));
            spread.push(ratio(drawn, drawn_weight).max(2.0 * floor));
        }
        Self { width, spread, share }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::*;

    /// Changes of `n` pairs, with their labels; kept codes move by `noise`.
    fn changes(n: usize, d: usize, noise: f64) -> (DMatrix<f64>, Vec<usize>) {
        let mut rng = Seed(4).rng(Stream::Data);
        let labels: Vec<usize> = (0..n).map(|_| rng.random_range(0..=d)).collect();
        let mut draw = || rng.sample::<f64, _>(StandardNormal);
        let changes = DMatrix::from_fn(n, d, |row, k| {
            if labels[row] == k + 1 { 1.4 * draw() } else { noise * draw() }
        });
        (changes, labels)
    }

    fn accuracy(posterior: &ChangePosterior, changes: &DMatrix<f64>, labels: &[usize]) -> f64 {
        let probs = posterior.log_probs(changes);
        let right = labels
            .iter()
            .zip(probs.row_iter())
            .filter(|(label, row)| row.transpose().argmax().0 == **label)
            .count();
        right as f64 / labels.len() as f64
    }

    #[test]
    fn exact_pairs_are_told_apart_without_a_threshold() {
        let (changes, labels) = changes(3000, 4, 0.0);
        let posterior = ChangePosterior::fit(&changes);
        assert!(accuracy(&posterior, &changes, &labels) > 0.999);
    }

    #[test]
    fn widths_follow_the_noise() {
        let (changes, labels) = changes(5000, 3, 0.05);
        let posterior = ChangePosterior::fit(&changes);
        assert!(posterior.width.iter().all(|w| (w - 0.05).abs() < 0.003), "{posterior:?}");
        assert!(posterior.spread.iter().all(|s| (s - 1.4).abs() < 0.1), "{posterior:?}");
        assert!(accuracy(&posterior, &changes, &labels) > 0.93);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let (changes, _) = changes(50, 2, 0.1);
        let probs = ChangePosterior::fit(&changes).log_probs(&changes).map(f64::exp);
        assert!(probs.row_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    }
}
