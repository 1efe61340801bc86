use nalgebra::{DMatrix, DVector, SymmetricEigen};
use serde::{Deserialize, Serialize};

use crate::rows::spread_rows;

/// Most rounds of expectation maximisation.
const ROUNDS: usize = 30;

/// The fit has settled where the mean log-likelihood gains less than this, in nats.
const SETTLED: f64 = 1e-5;

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
/// Without an intervention every code keeps its value up to observation noise, which an encoder
/// makes correlated; under an intervention on `k` the target's code is redrawn, and an imperfect
/// encoder lets a share of its change leak into the others:
///
/// ```text
/// p(δ | ∅) = N(δ; 0, Σ)
/// p(δ | k) = N(δ_k; 0, ω_k²) · N(δ_r; μ_k δ_k, Σ_k + diag(b_j²) δ_k²),  r = all but k
/// q(I | δ) ∝ π_I p(δ | I)
/// ```
///
/// where `μ_k = Σ_rk / ω_k²` and `Σ_k = Σ_rr − Σ_rk Σ_kr / ω_k²` are what the noise in `δ_k` says of
/// the noise in the others. The covariance `Σ`, leaks `b`, spreads `ω` and shares `π` are fitted by
/// expectation maximisation, so that "none" needs no threshold and observation noise is allowed
/// for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangePosterior {
    /// Covariance `Σ` of the changes that nothing caused, `[d, d]`.
    pub noise: DMatrix<f64>,
    /// Leak `b_j` of another code's change, relative to it, `[d]`.
    pub leak: Vec<f64>,
    /// Spread `ω_k` of an intervened code's change, `[d]`.
    pub spread: Vec<f64>,
    /// Share `π` of each target, `[d + 1]`, "none" first.
    pub share: Vec<f64>,
}

/// The density of the changes of all codes but the target, in coordinates in which it factorises:
/// `y = (δ_r − μ δ_k) W` has independent components of variance `λ_i + δ_k²`.
struct Others {
    /// `[d, d − 1]`, applied to the whole of `δ`.
    factors: DMatrix<f64>,
    /// `λ`, `[d − 1]`.
    widths: Vec<f64>,
    /// `Σ_j ln b_j²` over the others.
    log_volume: f64,
}

impl ChangePosterior {
    /// The posterior fitted to changes `[n, d]`.
    pub fn fit(changes: &DMatrix<f64>) -> Self {
        let changes = spread_rows(changes, ROWS);
        let d = changes.ncols();
        let spread: Vec<f64> = changes
            .column_iter()
            .map(|c| (c.norm_squared() / c.len() as f64).sqrt().max(f64::MIN_POSITIVE))
            .collect();
        // A code changes in few pairs only, so that its median change is that of a kept one.
        let width: Vec<f64> = changes
            .column_iter()
            .zip(&spread)
            .map(|(c, s)| typical_size(c.iter()).clamp(s * WIDTH_FLOOR, s * 0.5))
            .collect();
        let leak = width.iter().zip(&spread).map(|(w, s)| (w / s).max(LEAK_FLOOR)).collect();
        let share = vec![1.0 / (d + 1) as f64; d + 1];
        let noise = DMatrix::from_diagonal(&smallest_changes(&changes, &spread));
        let mut posterior = Self { noise, leak, spread: spread.clone(), share };
        let mut reached = f64::NEG_INFINITY;
        for _ in 0..ROUNDS {
            let (probs, likelihood) = posterior.responsibilities(&changes);
            if likelihood - reached < SETTLED {
                break;
            }
            reached = likelihood;
            posterior = posterior.refined(&changes, &spread, &probs.map(f64::exp));
        }
        posterior
    }

    /// `log q(I | δ)` of changes `[n, d]`: `[n, d + 1]`.
    pub fn log_probs(&self, changes: &DMatrix<f64>) -> DMatrix<f64> {
        self.responsibilities(changes).0
    }

    /// `log q(I | δ)`, and the mean of `ln p(δ)` up to a constant.
    fn responsibilities(&self, changes: &DMatrix<f64>) -> (DMatrix<f64>, f64) {
        let (n, d) = changes.shape();
        let mut log_probs = DMatrix::zeros(n, d + 1);
        log_probs.set_column(0, &self.log_density_none(changes).add_scalar(self.share[0].ln()));
        for k in 0..d {
            let density = self.log_density_hit(changes, k).add_scalar(self.share[k + 1].ln());
            log_probs.set_column(k + 1, &density);
        }
        let mut likelihood = 0.0;
        for mut row in log_probs.row_iter_mut() {
            let top = row.max();
            let total = top + row.iter().map(|v| (v - top).exp()).sum::<f64>().ln();
            row.add_scalar_mut(-total);
            likelihood += total;
        }
        (log_probs, likelihood / n.max(1) as f64)
    }

    /// `ln p(δ | ∅)` of every row, up to a constant.
    fn log_density_none(&self, changes: &DMatrix<f64>) -> DVector<f64> {
        let eigen = SymmetricEigen::new(self.noise.clone());
        let variances = eigen.eigenvalues.map(|v: f64| v.max(f64::MIN_POSITIVE));
        let log_volume = variances.iter().map(|v| v.ln()).sum::<f64>();
        let mut squares = DVector::<f64>::zeros(changes.nrows());
        let turned = changes * eigen.eigenvectors;
        for (column, variance) in turned.column_iter().zip(variances.iter()) {
            squares.zip_apply(&column, |sum, y| *sum += y * y / variance);
        }
        squares.map(|s| -0.5 * (s + log_volume))
    }

    /// `ln p(δ | k)` of every row, up to the same constant.
    fn log_density_hit(&self, changes: &DMatrix<f64>, k: usize) -> DVector<f64> {
        let own = self.spread[k] * self.spread[k];
        let others = self.others(k);
        let turned = changes * &others.factors;
        let rows = changes.nrows();
        let mut squares = DVector::<f64>::zeros(rows);
        let mut volume = DVector::<f64>::from_element(rows, 1.0);
        let mut log_volume = DVector::<f64>::from_element(rows, own.ln() + others.log_volume);
        let cause = changes.column(k).map(|c| c * c);
        for (column, width) in turned.column_iter().zip(&others.widths) {
            for row in 0..rows {
                let variance = width + cause[row];
                squares[row] += column[row] * column[row] / variance;
                volume[row] *= variance;
                // One logarithm for several factors, before their product leaves the range of f64.
                if !(1e-200..1e200).contains(&volume[row]) {
                    log_volume[row] += volume[row].ln();
                    volume[row] = 1.0;
                }
            }
        }
        DVector::from_fn(rows, |row, _| {
            -0.5 * (cause[row] / own + squares[row] + log_volume[row] + volume[row].ln())
        })
    }

    fn others(&self, k: usize) -> Others {
        let d = self.leak.len();
        let own = self.spread[k] * self.spread[k];
        let rest: Vec<usize> = (0..d).filter(|&j| j != k).collect();
        if rest.is_empty() {
            return Others { factors: DMatrix::zeros(d, 0), widths: Vec::new(), log_volume: 0.0 };
        }
        let slopes: Vec<f64> = rest.iter().map(|&j| self.noise[(j, k)] / own).collect();
        let scaled = DMatrix::from_fn(rest.len(), rest.len(), |a, b| {
            let (i, j) = (rest[a], rest[b]);
            let given = self.noise[(i, j)] - slopes[a] * self.noise[(j, k)];
            given / (self.leak[i] * self.leak[j])
        });
        let eigen = SymmetricEigen::new(scaled);
        let mut factors = DMatrix::zeros(d, rest.len());
        for (at, &j) in rest.iter().enumerate() {
            factors.set_row(j, &(eigen.eigenvectors.row(at) / self.leak[j]));
        }
        let mean =
            rest.iter().zip(&slopes).fold(DVector::<f64>::zeros(rest.len()), |sum, (&j, slope)| {
                sum + factors.row(j).transpose() * *slope
            });
        factors.set_row(k, &-mean.transpose());
        let widths = eigen.eigenvalues.iter().map(|v| v.max(0.0)).collect();
        let log_volume = rest.iter().map(|&j| 2.0 * self.leak[j].ln()).sum();
        Others { factors, widths, log_volume }
    }

    fn refined(&self, changes: &DMatrix<f64>, overall: &[f64], probs: &DMatrix<f64>) -> Self {
        let (n, d) = changes.shape();
        let share: Vec<f64> =
            probs.column_iter().map(|c| (c.sum() + 1.0) / (n + d + 1) as f64).collect();
        let noise = self.noise_of(changes, probs.column(0).iter(), overall);
        let spread = (0..d).map(|k| {
            let hit = probs.column(k + 1);
            let squares: f64 =
                changes.column(k).iter().zip(hit.iter()).map(|(c, p)| p * c * c).sum();
            (squares / hit.sum().max(1.0)).sqrt().max(2.0 * overall[k] * WIDTH_FLOOR)
        });
        let leak = (0..d).map(|j| self.leak_into(j, changes, probs));
        Self { leak: leak.collect(), spread: spread.collect(), noise, share }
    }

    /// The covariance of the changes under "none". As many pairs as there are codes speak for the
    /// widths so far without correlation: few pairs do not tell a whole covariance.
    fn noise_of<'a>(
        &self,
        changes: &DMatrix<f64>,
        none: impl Iterator<Item = &'a f64> + Clone,
        overall: &[f64],
    ) -> DMatrix<f64> {
        let d = changes.ncols();
        let mut weighted = changes.clone();
        for (mut row, p) in weighted.row_iter_mut().zip(none.clone()) {
            row *= *p;
        }
        let mut noise = weighted.tr_mul(changes);
        let weight = none.sum::<f64>() + d as f64;
        for j in 0..d {
            noise[(j, j)] += d as f64 * self.noise[(j, j)];
        }
        noise /= weight;
        for j in 0..d {
            noise[(j, j)] += (overall[j] * WIDTH_FLOOR).powi(2);
        }
        noise
    }

    /// The root mean square of `δ_j / δ_k` beyond the noise, over pairs whose target is another
    /// variable `k`.
    fn leak_into(&self, j: usize, changes: &DMatrix<f64>, probs: &DMatrix<f64>) -> f64 {
        let (mut squares, mut weight) = (0.0, 0.0);
        let noise = self.noise[(j, j)];
        for k in (0..changes.ncols()).filter(|&k| k != j) {
            let small = (SMALL * self.spread[k]).powi(2);
            let cause = changes.column(k);
            for ((c, leaked), p) in
                cause.iter().zip(changes.column(j).iter()).zip(probs.column(k + 1).iter())
            {
                if c * c > small {
                    squares += p * (leaked * leaked - noise) / (c * c);
                    weight += p;
                }
            }
        }
        (squares.max(0.0) / weight.max(1.0)).sqrt().max(LEAK_FLOOR)
    }
}

/// Mean squares `[d]` of the changes of the pairs that change least, half as many as "none" has
/// where targets are uniform.
fn smallest_changes(changes: &DMatrix<f64>, spread: &[f64]) -> DVector<f64> {
    let (n, d) = changes.shape();
    let size = |row: usize| {
        let codes = changes.row(row).into_iter().zip(spread);
        codes.map(|(c, s)| (c / s).powi(2)).sum::<f64>()
    };
    let sizes: Vec<f64> = (0..n).map(size).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    let take = (n / (2 * (d + 1))).max(1).min(n);
    let least = changes.select_rows(&order[..take]);
    DVector::from_fn(d, |j, _| {
        let floor = (spread[j] * WIDTH_FLOOR).powi(2);
        least.column(j).norm_squared() / take.max(1) as f64 + floor
    })
}

/// The standard deviation of normal numbers, from the median of their sizes.
///
/// # Panics
/// If there is none.
pub(crate) fn typical_size<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    let mut sizes: Vec<f64> = values.map(|v| v.abs()).collect();
    let middle = sizes.len() / 2;
    *sizes.select_nth_unstable_by(middle, f64::total_cmp).1 / NORMAL_MAD
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
    fn a_single_variable_was_set_or_was_not() {
        let (changes, labels) = changes(3000, 1, 0.0);
        let posterior = ChangePosterior::fit(&changes);
        assert!(accuracy(&posterior, &changes, &labels) > 0.999);
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
        let width = posterior.noise.diagonal().map(f64::sqrt);
        assert!(width.iter().all(|w| (w - 0.05).abs() < 0.003), "{posterior:?}");
        assert!(posterior.spread.iter().all(|s| (s - 1.4).abs() < 0.1), "{posterior:?}");
        assert!(accuracy(&posterior, &changes, &labels) > 0.93);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let (changes, _) = changes(50, 2, 0.1);
        let probs = ChangePosterior::fit(&changes).log_probs(&changes).map(f64::exp);
        assert!(probs.row_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    }

    /// Noise that is the same in all codes hides a change only where it is looked at code by code.
    #[test]
    fn correlated_noise_is_seen_through() {
        let (d, n) = (4, 20_000);
        let mut rng = Seed(5).rng(Stream::Data);
        let (mut rows, mut labels) = (DMatrix::zeros(n, d), Vec::new());
        for mut row in rows.row_iter_mut() {
            let common = 0.5 * rng.sample::<f64, _>(StandardNormal);
            row.iter_mut().for_each(|c| *c = common + 0.02 * rng.sample::<f64, _>(StandardNormal));
            let target = rng.random_range(0..=d);
            if let Some(k) = target.checked_sub(1) {
                row[k] += 1.4 * rng.sample::<f64, _>(StandardNormal);
            }
            labels.push(target);
        }
        let posterior = ChangePosterior::fit(&rows);
        let right = accuracy(&posterior, &rows, &labels);
        assert!(right > 0.95, "{right}");
        let uncorrelated = ChangePosterior {
            noise: DMatrix::from_diagonal(&posterior.noise.diagonal()),
            ..posterior
        };
        assert!(accuracy(&uncorrelated, &rows, &labels) < 0.8);
    }

    /// The density in turned coordinates is that of the covariance as it stands.
    #[test]
    fn the_density_is_a_normal_one() {
        let factor = DMatrix::from_row_slice(3, 3, &[0.3, 0.1, 0.0, 0.0, 0.2, -0.1, 0.1, 0.0, 0.4]);
        let posterior = ChangePosterior {
            noise: factor.tr_mul(&factor),
            leak: vec![0.1, 0.2, 0.3],
            spread: vec![1.0, 1.2, 0.8],
            share: vec![0.25; 4],
        };
        let change = DMatrix::from_row_slice(1, 3, &[0.4, -0.2, 0.7]);
        let (k, rest) = (1, [0, 2]);
        let own = 1.2_f64 * 1.2;
        let mean = |i: usize| posterior.noise[(i, k)] / own * change[k];
        let covariance = DMatrix::from_fn(2, 2, |a, b| {
            let (i, j) = (rest[a], rest[b]);
            let leak = if i == j { (posterior.leak[i] * change[k]).powi(2) } else { 0.0 };
            posterior.noise[(i, j)] - posterior.noise[(i, k)] * posterior.noise[(k, j)] / own + leak
        });
        let from = DVector::from_fn(2, |a, _| change[rest[a]] - mean(rest[a]));
        let squares = from.dot(&(covariance.clone().try_inverse().expect("definite") * &from));
        let expected = -0.5
            * (change[k] * change[k] / own + own.ln() + squares + covariance.determinant().ln());
        let got = posterior.log_density_hit(&change, k)[0];
        assert!((got - expected).abs() < 1e-10, "{got} against {expected}");
    }
}
