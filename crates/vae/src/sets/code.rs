use serde::{Deserialize, Serialize};

use crate::start::posterior;

/// Most rounds of expectation maximisation.
const ROUNDS: usize = 100;

/// The fit of a code has settled where the mean log-likelihood gains less than this, in nats.
const SETTLED: f64 = 1e-7;

/// Smallest width of a kept code over the spread of its changes: rounding of f32 observations.
const WIDTH_FLOOR: f64 = 1e-5;

/// Share of the changes that are taken for those of a kept code at first: half of the least share of
/// pairs that keep a code which can be learned from.
const LEAST_KEPT: f64 = 0.05;

/// The normal's absolute value below which [`LEAST_KEPT`] of it lies.
const LEAST_KEPT_SIZE: f64 = 0.062_7;

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

impl CodeChange {
    /// From squared changes, and the squares of all other codes' changes beside each.
    pub(super) fn fit(own: &[f64], others: &[f64]) -> Self {
        let overall = mean(own).sqrt();
        if overall <= 0.0 {
            return Self::of_what_never_changes(own.len());
        }
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

    /// The law of a code that changed in no pair, and is held to be kept in others.
    fn of_what_never_changes(pairs: usize) -> Self {
        Self { width: 1.0, leak: 0.0, spread: 1.0, share: 1.0 / (pairs + 2) as f64 }
    }

    /// Variance that leaks from other codes' changes of the given sum of squares, over that of the noise.
    pub(super) fn leaked(&self, others: f64) -> f64 {
        (self.leak / self.width).powi(2) * others
    }

    /// Variance of a kept code's change beside those of others, given their sum of squares.
    fn kept_variance(&self, others: f64) -> f64 {
        self.width * self.width + self.leak * self.leak * others
    }

    /// The log odds of being set, where a kept code's change over its width is normal with the given mean
    /// and variance.
    pub(super) fn log_odds(&self, change: f64, mean: f64, variance: f64) -> f64 {
        let log = |from: f64, variance: f64| -0.5 * (from * from / variance + variance.ln());
        let prior = (self.share / (1.0 - self.share)).ln();
        let kept = log(change / self.width - mean, variance) - self.width.ln();
        prior + log(change, self.spread * self.spread) - kept
    }

    /// The probability that it was set, and `ln p(δ_j | δ_∖j)` up to a constant.
    pub(super) fn judge(&self, own: f64, others: f64) -> (f64, f64) {
        let log = |variance: f64, share: f64| share.ln() - 0.5 * (own / variance + variance.ln());
        let set = log(self.spread * self.spread, self.share);
        let kept = log(self.kept_variance(others), 1.0 - self.share);
        posterior(set, kept)
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
