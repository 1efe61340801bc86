mod code;

pub use code::CodeChange;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::rows::spread_rows;

/// Pairs on which the posterior is fitted, spread evenly over the data.
const ROWS: usize = 20_000;

/// Times that the correlation of the noise is estimated, and the sets anew with it.
const NOISE_ROUNDS: usize = 3;

/// Smallest eigenvalue of the correlation of the noise: it is estimated entry by entry, from the pairs that keep
/// both codes, and need not be definite.
const LEAST_EIGENVALUE: f64 = 0.02;

/// Widths beyond which a change is not taken for noise.
const CLIP: f64 = 4.0;

/// Pairs without correlation that speak beside those which keep both codes.
const UNCORRELATED: f64 = 20.0;

/// Share of the pairs that set one variable in which every other must rest: a code that never rests beside
/// another is a mixture of both. Among normal changes in sight of noise as many pass for none.
pub const LEAST_RESTING: f64 = 0.05;

/// A posterior over the sets of variables that were set at once, calibrated on the changes
/// `δ = e' − e` of many pairs.
///
/// Each code has a mixture of its own, given the changes of the others:
///
/// ```text
/// p(δ_j | j kept, δ_∖j) = N(δ_j; 0, a_j² + b_j² |δ_∖j|²)
/// p(δ_j | j set)        = N(δ_j; 0, ω_j²)
/// q(j ∈ I | δ)          ∝ π_j p(δ_j | j set)
/// ```
///
/// with the width `a` that observation noise makes, the leak `b` of the other codes' changes, the
/// spread `ω` and the share `π` fitted by expectation maximisation. There are `d` probabilities of a
/// pair and not one for each of `2^d` sets.
///
/// An encoder makes independent noise of the observations correlated, so that what other codes at rest show of the
/// noise says what to expect of one. With the correlation `R` of the noise, the law of a kept code is taken given all
/// others that are held to be kept, by the covariance `a_i R_ij a_j` with `b_j² |δ_∖j|²` on the diagonal; the set of a
/// pair is changed by one variable at a time while that makes it more probable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetPosterior {
    /// The law of each code's changes, `[d]`.
    pub codes: Vec<CodeChange>,
    /// Correlation `R` of the noise of kept codes, `[d, d]`.
    pub correlation: DMatrix<f64>,
}

impl SetPosterior {
    /// The posterior fitted to changes `[n, d]`.
    pub fn fit(changes: &DMatrix<f64>) -> Self {
        let changes = spread_rows(changes, ROWS);
        let squares = changes.map(|c| c * c);
        let of_all = squares.column_sum();
        let code = |j: usize| {
            let own: Vec<f64> = squares.column(j).iter().copied().collect();
            let others: Vec<f64> = of_all.iter().zip(&own).map(|(all, own)| all - own).collect();
            CodeChange::fit(&own, &others)
        };
        let d = changes.ncols();
        let codes = (0..d).map(code).collect();
        let mut posterior = Self { codes, correlation: DMatrix::identity(d, d) };
        for _ in 0..NOISE_ROUNDS {
            posterior.correlation = posterior.noise_of(&changes);
        }
        posterior
    }

    /// `q(j ∈ I | δ)` of changes `[n, d]`: `[n, d]`.
    pub fn probs(&self, changes: &DMatrix<f64>) -> DMatrix<f64> {
        let mut probs = DMatrix::zeros(changes.nrows(), changes.ncols());
        for (mut probs, change) in probs.row_iter_mut().zip(changes.row_iter()) {
            probs.copy_from_slice(self.probs_of(&change.transpose()).as_slice());
        }
        probs
    }

    /// The probabilities of one pair.
    fn probs_of(&self, change: &DVector<f64>) -> DVector<f64> {
        let all = change.norm_squared();
        let alone = change.zip_map(&DVector::from_vec(self.codes.clone()), |own, code| {
            code.judge(own * own, all - own * own).0
        });
        let mut set: Vec<bool> = alone.iter().map(|q| *q > 0.5).collect();
        for _ in 0..set.len() {
            let odds = self.log_odds(change, &set);
            let gain = |j: &usize| if set[*j] { -odds[*j] } else { odds[*j] };
            let best = (0..set.len()).max_by(|a, b| gain(a).total_cmp(&gain(b)));
            match best {
                Some(j) if gain(&j) > 0.0 => set[j] = !set[j],
                _ => break,
            }
        }
        self.log_odds(change, &set).map(|odds| 1.0 / (1.0 + (-odds).exp()))
    }

    /// `ln q(j ∈ I | δ, the rest of I) − ln q(j ∉ I | …)` for each code, given which are set, by
    /// covariances in units of the widths.
    fn log_odds(&self, change: &DVector<f64>, set: &[bool]) -> DVector<f64> {
        let d = set.len();
        let all = change.norm_squared();
        let standard = |j: usize| change[j] / self.codes[j].width;
        let covariance = |i: usize, j: usize| {
            let leak = if i == j { self.codes[j].leaked(all - change[j] * change[j]) } else { 0.0 };
            self.correlation[(i, j)] + leak
        };
        let kept: Vec<usize> = (0..d).filter(|&j| !set[j]).collect();
        let among = DMatrix::from_fn(kept.len(), kept.len(), |a, b| covariance(kept[a], kept[b]));
        let precision = among.try_inverse().expect("the correlation is definite");
        let weighed = &precision * DVector::from_fn(kept.len(), |a, _| standard(kept[a]));
        DVector::from_fn(d, |j, _| {
            let (mean, variance) = if let Some(a) = kept.iter().position(|&k| k == j) {
                // Given all other kept ones, by the inverse of the whole covariance.
                (standard(j) - weighed[a] / precision[(a, a)], 1.0 / precision[(a, a)])
            } else {
                let with = DVector::from_fn(kept.len(), |a, _| covariance(j, kept[a]));
                (with.dot(&weighed), covariance(j, j) - with.dot(&(&precision * &with)))
            };
            self.codes[j].log_odds(change[j], mean, variance)
        })
    }

    /// The correlation of the changes of kept codes.
    fn noise_of(&self, changes: &DMatrix<f64>) -> DMatrix<f64> {
        let d = changes.ncols();
        let kept = self.probs(changes).map(|q| 1.0 - q);
        let standard = DMatrix::from_fn(changes.nrows(), d, |row, j| {
            // A change beyond its noise is leak, or was not kept.
            let change = (changes[(row, j)] / self.codes[j].width).clamp(-CLIP, CLIP);
            kept[(row, j)] * change
        });
        let (products, weights) = (standard.tr_mul(&standard), kept.tr_mul(&kept));
        let squares = standard.component_mul(&standard);
        let sizes = squares.tr_mul(&kept.component_mul(&kept));
        let correlation = DMatrix::from_fn(d, d, |i, j| {
            if i == j {
                return 1.0;
            }
            let size = (sizes[(i, j)] * sizes[(j, i)]).sqrt().max(f64::MIN_POSITIVE);
            products[(i, j)] / size * weights[(i, j)] / (weights[(i, j)] + UNCORRELATED)
        });
        definite(correlation)
    }

    /// Share of the squared changes `[n, d]` that is not the leak of other codes' changes, noise included; in
    /// `(0, 1]`, 1 where every code that was not set keeps its value up to noise.
    pub fn sparsity(&self, changes: &DMatrix<f64>) -> f64 {
        let probs = self.probs(changes);
        let squares = changes.map(|c| c * c);
        let of_all = squares.column_sum();
        let mut leaked = 0.0;
        for (j, code) in self.codes.iter().enumerate() {
            for (row, q) in probs.column(j).iter().enumerate() {
                leaked += (1.0 - q) * code.leak * code.leak * (of_all[row] - squares[(row, j)]);
            }
        }
        let all = of_all.sum();
        if all > 0.0 { 1.0 - leaked / all } else { 1.0 }
    }

    /// Of probabilities `[n, d]` that each variable was set: the smallest share of the pairs that set one
    /// variable in which another rests; 1 of a single variable.
    ///
    /// A code that never rests beside another is set by everything that sets the other, as a mixture of
    /// both is.
    pub fn least_resting(probs: &DMatrix<f64>) -> f64 {
        let together = probs.tr_mul(probs);
        let hits = probs.row_sum();
        let d = probs.ncols();
        let of_pair = |i: usize, j: usize| 1.0 - together[(i, j)] / hits[i].max(f64::MIN_POSITIVE);
        let pairs = (0..d).flat_map(|i| (0..d).filter(move |&j| j != i).map(move |j| (i, j)));
        pairs.map(|(i, j)| of_pair(i, j)).fold(1.0, f64::min)
    }

    /// What the probabilities of each variable `[n, d]` say of single targets, `[n, d + 1]`: that none
    /// was set, and the rest in proportion to the probabilities.
    pub fn target_probs(probs: &DMatrix<f64>) -> DMatrix<f64> {
        let d = probs.ncols();
        let none = |row: usize| probs.row(row).iter().map(|p| 1.0 - p).product::<f64>();
        let sums = probs.column_sum();
        DMatrix::from_fn(probs.nrows(), d + 1, |row, column| match column.checked_sub(1) {
            None => none(row),
            Some(j) => (1.0 - none(row)) * probs[(row, j)] / sums[row].max(f64::MIN_POSITIVE),
        })
    }
}

/// The correlation with as much of the identity as makes it definite.
fn definite(correlation: DMatrix<f64>) -> DMatrix<f64> {
    let d = correlation.nrows();
    let least = correlation.symmetric_eigenvalues().min();
    if least >= LEAST_EIGENVALUE {
        return correlation;
    }
    let share = (LEAST_EIGENVALUE - least) / (1.0 - least);
    correlation * (1.0 - share) + DMatrix::identity(d, d) * share
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::*;

    /// Changes of `n` pairs that set each code with probability `rate`, and which were set; kept codes
    /// move by `noise`, and by `leak` of what the others move.
    fn changes(n: usize, rate: f64, noise: f64, leak: f64) -> (DMatrix<f64>, DMatrix<bool>) {
        let d = 5;
        let mut rng = Seed(8).rng(Stream::Data);
        let set = DMatrix::from_fn(n, d, |_, _| rng.random_bool(rate));
        let mut draw = || rng.sample::<f64, _>(StandardNormal);
        let moved = DMatrix::from_fn(n, d, |row, j| if set[(row, j)] { 1.4 * draw() } else { 0.0 });
        let sizes: Vec<f64> = moved.row_iter().map(|row| row.norm()).collect();
        let width = |row: usize| (noise * noise + (leak * sizes[row]).powi(2)).sqrt();
        let changes = DMatrix::from_fn(n, d, |row, j| {
            if set[(row, j)] { moved[(row, j)] } else { width(row) * draw() }
        });
        (changes, set)
    }

    fn accuracy(changes: &DMatrix<f64>, set: &DMatrix<bool>) -> f64 {
        let probs = SetPosterior::fit(changes).probs(changes);
        let right = probs.iter().zip(set.iter()).filter(|(p, set)| (**p > 0.5) == **set).count();
        right as f64 / set.len() as f64
    }

    #[test]
    fn exact_pairs_are_told_apart_however_many_were_set() {
        for rate in [0.1, 0.5, 0.8] {
            let (changes, set) = changes(3000, rate, 0.0, 0.0);
            let changes = changes.map(|c| f64::from(c as f32));
            assert!(accuracy(&changes, &set) > 0.999, "rate {rate}");
        }
    }

    #[test]
    fn noise_and_leak_are_told_apart() {
        let (changes, set) = changes(20_000, 0.4, 0.02, 0.03);
        for law in SetPosterior::fit(&changes).codes {
            assert!((law.width - 0.02).abs() < 0.002 && (law.leak - 0.03).abs() < 0.003, "{law:?}");
            assert!((law.spread - 1.4).abs() < 0.05 && (law.share - 0.4).abs() < 0.02, "{law:?}");
        }
        assert!(accuracy(&changes, &set) > 0.96);
    }

    /// Noise that is nearly the same in all codes hides small changes only where codes are looked at alone.
    #[test]
    fn correlated_noise_is_seen_through() {
        let mut rng = Seed(5).rng(Stream::Data);
        let (n, d) = (20_000, 5);
        let set = DMatrix::from_fn(n, d, |_, _| rng.random_bool(0.3));
        let mut changes = DMatrix::zeros(n, d);
        for row in 0..n {
            let common = 0.1 * rng.sample::<f64, _>(StandardNormal);
            for j in 0..d {
                let [own, fresh] = [(); 2].map(|()| rng.sample::<f64, _>(StandardNormal));
                changes[(row, j)] = if set[(row, j)] { 1.4 * fresh } else { common + 0.01 * own };
            }
        }
        let posterior = SetPosterior::fit(&changes);
        assert!(posterior.correlation.iter().all(|r| *r > 0.9), "{}", posterior.correlation);
        let right = |posterior: &SetPosterior| {
            let probs = posterior.probs(&changes);
            probs.iter().zip(set.iter()).filter(|(p, set)| (**p > 0.5) == **set).count()
        };
        let alone = SetPosterior { correlation: DMatrix::identity(d, d), ..posterior.clone() };
        let wrong = [&posterior, &alone].map(|p| n * d - right(p));
        assert!(wrong[0] * 2 < wrong[1], "{wrong:?}");
    }

    #[test]
    fn single_targets_have_their_own_probabilities() {
        let probs = DMatrix::from_row_slice(2, 3, &[0.9, 0.0, 0.0, 1.0, 0.5, 0.0]);
        let targets = SetPosterior::target_probs(&probs);
        let expected = [0.1, 0.9, 0.0, 0.0, 0.0, 2.0 / 3.0, 1.0 / 3.0, 0.0];
        assert!((targets - DMatrix::from_row_slice(2, 4, &expected)).amax() < 1e-12);
    }
}
