use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Rounds of expectation maximisation; the fit settles within a handful.
const ROUNDS: usize = 15;

/// Pairs on which the posterior is fitted, spread evenly over the data.
const ROWS: usize = 10_000;

/// Smallest width of an unchanged code over its spread: rounding of f32 observations.
const WIDTH_FLOOR: f64 = 1e-5;

/// Smallest leak of a change into the other codes: no learned encoder is better than this.
const LEAK_FLOOR: f64 = 1e-4;

/// Changes below this share of the spread do not inform the leak.
const SMALL: f64 = 0.1;

/// The normal's median absolute deviation.
const NORMAL_MAD: f64 = 0.674_489_750_196_081_7;

/// A posterior over targets, calibrated on the changes `δ = e' − e` of many pairs.
///
/// Without an intervention every code keeps its value up to observation noise; under an
/// intervention on `k` the target's code is redrawn, and an imperfect encoder lets a share of its
/// change leak into the others:
///
/// ```text
/// p(δ | ∅) = Π_j N(δ_j; 0, a_j²)
/// p(δ | k) = N(δ_k; 0, ω_k²) · Π_{j ≠ k} N(δ_j; 0, a_j² + b_j² δ_k²)
/// q(I | δ) ∝ π_I p(δ | I)
/// ```
///
/// Widths `a`, leaks `b`, spreads `ω` and shares `π` are fitted by expectation maximisation, so
/// that "none" needs no threshold and observation noise is allowed for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangePosterior {
    /// Width `a_j` of a code that nothing touched, `[d]`.
    pub width: Vec<f64>,
    /// Leak `b_j` of another code's change, relative to it, `[d]`.
    pub leak: Vec<f64>,
    /// Spread `ω_k` of an intervened code's change, `[d]`.
    pub spread: Vec<f64>,
    /// Share `π` of each target, `[d + 1]`, "none" first.
    pub share: Vec<f64>,
}

impl ChangePosterior {
    /// The posterior fitted to changes `[n, d]`.
    pub fn fit(changes: &DMatrix<f64>) -> Self {
        let n = changes.nrows();
        let take = n.min(ROWS);
        let rows: Vec<usize> = (0..take).map(|i| i * n / take).collect();
        let changes = changes.select_rows(&rows);
        let d = changes.ncols();
        let spread: Vec<f64> = changes
            .column_iter()
            .map(|c| (c.norm_squared() / c.len() as f64).sqrt().max(f64::MIN_POSITIVE))
            .collect();
        // A code changes in few pairs only, so that its median change is that of a kept one.
        let width: Vec<f64> = changes
            .column_iter()
            .zip(&spread)
            .map(|(c, s)| (median_size(c.iter()) / NORMAL_MAD).clamp(s * WIDTH_FLOOR, s * 0.5))
            .collect();
        let leak = width.iter().zip(&spread).map(|(w, s)| (w / s).max(LEAK_FLOOR)).collect();
        let share = vec![1.0 / (d + 1) as f64; d + 1];
        let mut posterior = Self { width, leak, spread: spread.clone(), share };
        for _ in 0..ROUNDS {
            posterior = posterior.refined(&changes, &spread);
        }
        posterior
    }

    /// `log q(I | δ)` of changes `[n, d]`: `[n, d + 1]`.
    pub fn log_probs(&self, changes: &DMatrix<f64>) -> DMatrix<f64> {
        let d = self.width.len();
        let mut log_probs = DMatrix::zeros(changes.nrows(), d + 1);
        let mut change = vec![0.0; d];
        for (row, mut out) in changes.row_iter().zip(log_probs.row_iter_mut()) {
            change.iter_mut().zip(row.iter()).for_each(|(to, from)| *to = *from);
            for (target, value) in out.iter_mut().enumerate() {
                *value = self.share[target].ln() + self.log_density(&change, target);
            }
            let top = out.max();
            let total = top + out.iter().map(|v| (v - top).exp()).sum::<f64>().ln();
            out.add_scalar_mut(-total);
        }
        log_probs
    }

    /// `ln p(δ | I)` up to a constant.
    fn log_density(&self, change: &[f64], target: usize) -> f64 {
        let hit = target.checked_sub(1);
        let cause = hit.map_or(0.0, |k| change[k] * change[k]);
        let (mut volume, mut squares) = (1.0, 0.0);
        let mut log_volume = 0.0;
        for (j, c) in change.iter().enumerate() {
            let variance = if hit == Some(j) {
                self.spread[j] * self.spread[j]
            } else {
                self.width[j] * self.width[j] + self.leak[j] * self.leak[j] * cause
            };
            squares += c * c / variance;
            volume *= variance;
            // One logarithm for several factors, before their product leaves the range of f64.
            if !(1e-200..1e200).contains(&volume) {
                log_volume += volume.ln();
                volume = 1.0;
            }
        }
        -0.5 * (squares + log_volume + volume.ln())
    }

    fn refined(&self, changes: &DMatrix<f64>, overall: &[f64]) -> Self {
        let (n, d) = changes.shape();
        let probs = self.log_probs(changes).map(f64::exp);
        let share: Vec<f64> =
            probs.column_iter().map(|c| (c.sum() + 1.0) / (n + d + 1) as f64).collect();
        let none = probs.column(0);
        let width = (0..d).map(|j| {
            let squares: f64 =
                changes.column(j).iter().zip(none.iter()).map(|(c, p)| p * c * c).sum();
            (squares / none.sum().max(1.0)).sqrt().max(overall[j] * WIDTH_FLOOR)
        });
        let spread = (0..d).map(|k| {
            let hit = probs.column(k + 1);
            let squares: f64 =
                changes.column(k).iter().zip(hit.iter()).map(|(c, p)| p * c * c).sum();
            (squares / hit.sum().max(1.0)).sqrt().max(2.0 * overall[k] * WIDTH_FLOOR)
        });
        let leak = (0..d).map(|j| self.leak_into(j, changes, &probs));
        Self { width: width.collect(), leak: leak.collect(), spread: spread.collect(), share }
    }

    /// The root mean square of `δ_j / δ_k` over pairs whose target is another variable `k`.
    fn leak_into(&self, j: usize, changes: &DMatrix<f64>, probs: &DMatrix<f64>) -> f64 {
        let (mut squares, mut weight) = (0.0, 0.0);
        for k in (0..changes.ncols()).filter(|&k| k != j) {
            let small = (SMALL * self.spread[k]).powi(2);
            let cause = changes.column(k);
            for ((c, leaked), p) in
                cause.iter().zip(changes.column(j).iter()).zip(probs.column(k + 1).iter())
            {
                if c * c > small {
                    squares += p * leaked * leaked / (c * c);
                    weight += p;
                }
            }
        }
        (squares / weight.max(1.0)).sqrt().max(LEAK_FLOOR)
    }
}

fn median_size<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    let mut sizes: Vec<f64> = values.map(|v| v.abs()).collect();
    let middle = sizes.len() / 2;
    *sizes.select_nth_unstable_by(middle, f64::total_cmp).1
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
