use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Most rounds of expectation maximisation.
const ROUNDS: usize = 100;

/// The fit of a code has settled where the mean log-likelihood gains less than this, in nats.
const SETTLED: f64 = 1e-7;

/// Pairs on which the posterior is fitted, spread evenly over the data.
const ROWS: usize = 20_000;

/// Smallest width of a kept code over the spread of its changes: rounding of f32 observations.
const WIDTH_FLOOR: f64 = 1e-5;

/// Share of the changes that are taken for those of a kept code at first: half of the least share of
/// pairs that keep a code which can be learned from.
const LEAST_KEPT: f64 = 0.05;

/// The normal's absolute value below which [`LEAST_KEPT`] of it lies.
const LEAST_KEPT_SIZE: f64 = 0.062_7;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetPosterior {
    /// The law of each code's changes, `[d]`.
    pub codes: Vec<CodeChange>,
}

/// The law of the changes of one code.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeChange {
    /// Width `a` of a kept code's change.
    pub width: f64,
    /// Leak `b` of the other codes' changes.
    pub leak: f64,
    /// Spread `ω` of the change of a code that is set.
    pub spread: f64,
    /// Share `π` of the pairs that set it.
    pub share: f64,
}

impl SetPosterior {
    /// The posterior fitted to changes `[n, d]`.
    pub fn fit(changes: &DMatrix<f64>) -> Self {
        let n = changes.nrows();
        let take = n.min(ROWS);
        let rows: Vec<usize> = (0..take).map(|i| i * n / take).collect();
        let squares = changes.select_rows(&rows).map(|c| c * c);
        let of_all = squares.column_sum();
        let code = |j: usize| {
            let own: Vec<f64> = squares.column(j).iter().copied().collect();
            let others: Vec<f64> = of_all.iter().zip(&own).map(|(all, own)| all - own).collect();
            CodeChange::fit(&own, &others)
        };
        Self { codes: (0..changes.ncols()).map(code).collect() }
    }

    /// `q(j ∈ I | δ)` of changes `[n, d]`: `[n, d]`.
    pub fn probs(&self, changes: &DMatrix<f64>) -> DMatrix<f64> {
        let squares = changes.map(|c| c * c);
        let of_all = squares.column_sum();
        DMatrix::from_fn(changes.nrows(), changes.ncols(), |row, j| {
            let own = squares[(row, j)];
            self.codes[j].judge(own, of_all[row] - own).0
        })
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

impl CodeChange {
    /// From squared changes, and the squares of all other codes' changes beside each.
    fn fit(own: &[f64], others: &[f64]) -> Self {
        let overall = mean(own).max(f64::MIN_POSITIVE).sqrt();
        let width = lower_size(own) / LEAST_KEPT_SIZE;
        let width = width.clamp(overall * WIDTH_FLOOR, 0.5 * overall);
        let mut law = Self { width, leak: 0.0, spread: overall, share: 0.5 };
        let mut reached = f64::NEG_INFINITY;
        for _ in 0..ROUNDS {
            let judged: Vec<(f64, f64)> =
                own.iter().zip(others).map(|(own, others)| law.judge(*own, *others)).collect();
            let likelihood = judged.iter().map(|(_, l)| l).sum::<f64>() / own.len().max(1) as f64;
            if likelihood - reached < SETTLED {
                break;
            }
            reached = likelihood;
            let set: Vec<f64> = judged.into_iter().map(|(q, _)| q).collect();
            law = law.refined(own, others, &set, overall * WIDTH_FLOOR);
        }
        law
    }

    /// Variance of a kept code's change beside those of others, given their sum of squares.
    fn kept_variance(&self, others: f64) -> f64 {
        self.width * self.width + self.leak * self.leak * others
    }

    /// The probability that it was set, and `ln p(δ_j | δ_∖j)` up to a constant.
    fn judge(&self, own: f64, others: f64) -> (f64, f64) {
        let log = |variance: f64, share: f64| share.ln() - 0.5 * (own / variance + variance.ln());
        let set = log(self.spread * self.spread, self.share);
        let kept = log(self.kept_variance(others), 1.0 - self.share);
        let top = set.max(kept);
        let total = top + ((set - top).exp() + (kept - top).exp()).ln();
        ((set - total).exp(), total)
    }

    fn refined(&self, own: &[f64], others: &[f64], set: &[f64], floor: f64) -> Self {
        let (n, hits) = (own.len() as f64, set.iter().sum::<f64>());
        let squares: f64 = own.iter().zip(set).map(|(own, q)| own * q).sum();
        let [width, leak] = self.kept_law(own, others, set);
        Self {
            width: width.max(floor * floor).sqrt(),
            leak: leak.max(0.0).sqrt(),
            spread: (squares / hits.max(1.0)).sqrt().max(2.0 * floor),
            share: (hits + 1.0) / (n + 2.0),
        }
    }

    /// `a²` and `b²`: the regression of the squares of kept changes on those of the others, each weighted by
    /// its precision so far, one step of Fisher's scoring.
    fn kept_law(&self, own: &[f64], others: &[f64], set: &[f64]) -> [f64; 2] {
        let mut gram = [0.0; 3];
        let mut moment = [0.0; 2];
        for ((own, others), set) in own.iter().zip(others).zip(set) {
            let weight = (1.0 - set) / self.kept_variance(*others).powi(2);
            gram[0] += weight;
            gram[1] += weight * others;
            gram[2] += weight * others * others;
            moment[0] += weight * own;
            moment[1] += weight * own * others;
        }
        let determinant = gram[0] * gram[2] - gram[1] * gram[1];
        let alone = [moment[0] / gram[0], moment[1] / gram[2]];
        let both = [
            (moment[0] * gram[2] - moment[1] * gram[1]) / determinant,
            (moment[1] * gram[0] - moment[0] * gram[1]) / determinant,
        ];
        match both {
            [a, b] if !(a.is_finite() && b.is_finite()) => [self.width.powi(2), self.leak.powi(2)],
            [_, b] if b < 0.0 => [alone[0], 0.0],
            [a, _] if a < 0.0 => [0.0, alone[1]],
            both => both,
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The size below which [`LEAST_KEPT`] of the changes lie, from their squares.
fn lower_size(squares: &[f64]) -> f64 {
    let mut sorted = squares.to_vec();
    let at = (squares.len() as f64 * LEAST_KEPT) as usize;
    sorted.select_nth_unstable_by(at, f64::total_cmp).1.sqrt()
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
        let moved =
            DMatrix::from_fn(n, d, |row, j| if set[(row, j)] { 1.4 * draw() } else { 0.0 });
        let sizes: Vec<f64> = moved.row_iter().map(|row| row.norm()).collect();
        let changes = DMatrix::from_fn(n, d, |row, j| match set[(row, j)] {
            true => moved[(row, j)],
            false => (noise * noise + (leak * sizes[row]).powi(2)).sqrt() * draw(),
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

    #[test]
    fn single_targets_have_their_own_probabilities() {
        let probs = DMatrix::from_row_slice(2, 3, &[0.9, 0.0, 0.0, 1.0, 0.5, 0.0]);
        let targets = SetPosterior::target_probs(&probs);
        let expected = [0.1, 0.9, 0.0, 0.0, 0.0, 2.0 / 3.0, 1.0 / 3.0, 0.0];
        assert!((targets - DMatrix::from_row_slice(2, 4, &expected)).amax() < 1e-12);
    }
}
