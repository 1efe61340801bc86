use std::num::NonZeroUsize;

use domino::core::{Seed, Stream};
use domino::metrics::{BootstrapOptions, Interval, bootstrap};

/// Resamples of a bootstrap interval.
const RESAMPLES: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Pairs above which the signed-rank distribution is taken as normal.
const EXACT_PAIRS: usize = 60;

/// Mean of finite values with its 95 % percentile bootstrap interval, from 10,000 resamples of a
/// fixed seed: equal values give equal intervals. Nothing where there is no value.
///
/// ```
/// use domino_experiments::sweep::mean_interval;
///
/// let interval = mean_interval(&[0.9, 1.0, 0.8, 1.0]).unwrap();
/// assert!((interval.estimate - 0.925).abs() < 1e-12);
/// assert!(0.8 <= interval.low && interval.low < 0.925 && interval.high <= 1.0);
/// ```
pub fn mean_interval(values: &[f64]) -> Option<Interval> {
    let options = BootstrapOptions { resamples: RESAMPLES, ..BootstrapOptions::default() };
    let mean =
        |rows: &[usize]| Ok(rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64);
    bootstrap(values.len(), &options, &mut Seed(0).rng(Stream::Eval), mean).ok()
}

/// Two-sided p-value of Wilcoxon's signed-rank test that differences are symmetric around 0.
///
/// Differences of 0 are left out; ties share their mean rank, and up to 60 differences the
/// distribution is exact with ties as they are, beyond that normal. 1 where no difference is left.
///
/// ```
/// use domino_experiments::sweep::signed_rank;
///
/// // All five of one sign: 2 of the 32 equally likely patterns of signs are as extreme.
/// assert!((signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]) - 2.0 / 32.0).abs() < 1e-12);
/// ```
///
/// Wilcoxon, *Individual comparisons by ranking methods*, Biometrics Bulletin 1, 1945.
pub fn signed_rank(differences: &[f64]) -> f64 {
    let mut differences: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    differences.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = doubled_ranks(&differences);
    let total: usize = ranks.iter().sum();
    let positive: usize =
        ranks.iter().zip(&differences).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let extreme = positive.max(total - positive);
    if ranks.len() > EXACT_PAIRS {
        return normal_tail(&ranks, total, extreme);
    }
    // Number of sign patterns by the sum of their positive ranks, as a share of all patterns.
    let mut shares = vec![0.0; total + 1];
    shares[0] = 1.0;
    for &rank in &ranks {
        for sum in (0..=total).rev() {
            let with = if sum >= rank { shares[sum - rank] } else { 0.0 };
            shares[sum] = 0.5 * (shares[sum] + with);
        }
    }
    (2.0 * shares[extreme..].iter().sum::<f64>()).min(1.0)
}

/// Twice the mean rank of every absolute value; they are sorted.
fn doubled_ranks(sorted: &[f64]) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(sorted.len());
    while ranks.len() < sorted.len() {
        let first = ranks.len();
        let size = sorted[first].abs();
        let ties = sorted[first..].iter().take_while(|d| d.abs() <= size).count();
        ranks.extend(std::iter::repeat_n(2 * first + ties + 1, ties));
    }
    ranks
}

fn normal_tail(ranks: &[usize], total: usize, extreme: usize) -> f64 {
    let variance = ranks.iter().map(|&rank| (rank as f64).powi(2)).sum::<f64>() / 4.0;
    let distance = (extreme as f64 - total as f64 / 2.0 - 0.5).max(0.0) / variance.sqrt();
    libm::erfc(distance / std::f64::consts::SQRT_2).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_distribution_matches_published_values() {
        // Ranks 1 to 8 with a positive sum of 4: 7 patterns of 256 reach at most 4.
        let differences = [-1.0, -2.0, -3.0, 4.0, -5.0, -6.0, -7.0, -8.0];
        assert!((signed_rank(&differences) - 2.0 * 7.0 / 256.0).abs() < 1e-12);
        assert!((signed_rank(&[]) - 1.0).abs() < 1e-12);
        assert!((signed_rank(&[0.0, 0.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn ties_are_exact_and_signs_do_not_matter() {
        // Four equal differences: ranks 2.5 each; all of one sign is 2 patterns of 16.
        assert!((signed_rank(&[1.0; 4]) - 0.125).abs() < 1e-12);
        let differences = [0.3, -0.1, 0.1, 0.5, 0.5, -0.2];
        let turned = differences.map(|d: f64| -d);
        assert!((signed_rank(&differences) - signed_rank(&turned)).abs() < 1e-12);
    }

    #[test]
    fn many_pairs_follow_the_normal_law() {
        let differences = |n: usize| -> Vec<f64> {
            (1..=n).map(|k| if k % 3 == 0 { -(k as f64) } else { k as f64 }).collect()
        };
        let exact = signed_rank(&differences(EXACT_PAIRS));
        let close = signed_rank(&differences(EXACT_PAIRS + 1));
        assert!(exact < 0.1 && close < exact && close > exact / 3.0, "{exact} {close}");
    }

    #[test]
    fn intervals_cover_and_shrink() {
        let values = |n: usize| -> Vec<f64> { (0..n).map(|k| (k % 7) as f64).collect() };
        let width = |n: usize| {
            let interval = mean_interval(&values(n)).unwrap();
            assert!(interval.low <= interval.estimate && interval.estimate <= interval.high);
            interval.high - interval.low
        };
        // 16 times the values: a quarter of the width.
        assert!((width(70) / width(1120) / 4.0 - 1.0).abs() < 0.1);
        assert!(mean_interval(&[]).is_none());
        let one = mean_interval(&[2.0]).unwrap();
        assert!((one.low - 2.0).abs() < 1e-12 && (one.high - 2.0).abs() < 1e-12);
    }
}
