use std::num::NonZeroUsize;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::distribution::{normal_cdf, normal_quantile};
use super::interval::{Interval, check_confidence, quantile, sorted};
use crate::MetricError;

/// Most blocks of rows that are left out in turn to estimate how skewed a score is.
const MOST_BLOCKS: usize = 100;

/// How an interval is read off the resampled scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Between the quantiles of the resampled scores.
    #[default]
    Percentile,
    /// The percentile interval mirrored at the estimate: right for a score whose distribution only
    /// shifts.
    Basic,
    /// Percentiles corrected for bias and for a spread that changes with the score.
    Bca,
}

/// Options of [`bootstrap`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapOptions {
    /// Number of resampled sets of rows.
    pub resamples: NonZeroUsize,
    /// Nominal coverage, above 0 and below 1.
    pub confidence: f64,
    /// How the interval is read off.
    pub method: IntervalMethod,
}

impl Default for BootstrapOptions {
    /// 1000 resamples, 95 %, percentiles.
    fn default() -> Self {
        let resamples = NonZeroUsize::MIN.saturating_add(999);
        Self { resamples, confidence: 0.95, method: IntervalMethod::Percentile }
    }
}

/// Bootstrap interval of any score of rows: the score of the `n` rows, and of as many drawn from
/// them with replacement, many times.
///
/// `score` takes the rows to score, `[n]`. The interval covers chance in the rows; it does not see
/// chance in training, for which [`mean_interval`](crate::mean_interval) over seeds is the tool. A
/// score that fits and tests needs its rows parted before they are resampled, or copies of a row
/// come into both parts.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{BootstrapOptions, bootstrap};
///
/// let hits: Vec<f64> = (0..100).map(|n| f64::from(u8::from(n < 80))).collect();
/// let accuracy = |rows: &[usize]| Ok(rows.iter().map(|&r| hits[r]).sum::<f64>() / 100.0);
/// let rng = &mut Seed(0).rng(Stream::Eval);
/// let interval = bootstrap(100, &BootstrapOptions::default(), rng, accuracy)?;
/// // The normal interval is 0.8 ± 0.078.
/// assert!((interval.low - 0.72).abs() < 0.02 && (interval.high - 0.88).abs() < 0.02);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// What `score` fails with; [`MetricError::TooFew`] without rows, [`MetricError::NotFinite`] if a
/// score is not finite, [`MetricError::Option`] for a confidence outside its range.
///
/// Efron & Tibshirani, *An introduction to the bootstrap*, 1993, chapters 13 and 14.
pub fn bootstrap(
    rows: usize,
    options: &BootstrapOptions,
    rng: &mut dyn Rng,
    mut score: impl FnMut(&[usize]) -> Result<f64, MetricError>,
) -> Result<Interval, MetricError> {
    let all = bootstrap_all(rows, options, rng, |rows| Ok(vec![score(rows)?]))?;
    Ok(all[0])
}

/// [`bootstrap`] of several scores at once, from the same resampled rows.
///
/// # Errors
/// As [`bootstrap`]; [`MetricError::Dim`] if `score` does not always return as many scores.
pub fn bootstrap_all(
    rows: usize,
    options: &BootstrapOptions,
    rng: &mut dyn Rng,
    mut score: impl FnMut(&[usize]) -> Result<Vec<f64>, MetricError>,
) -> Result<Vec<Interval>, MetricError> {
    check_confidence(options.confidence)?;
    if rows == 0 {
        return Err(MetricError::TooFew { what: "rows", least: 1, got: 0 });
    }
    let everything: Vec<usize> = (0..rows).collect();
    let estimates = score(&everything)?;
    let mut columns = vec![Vec::new(); estimates.len()];
    for _ in 0..options.resamples.get() {
        let drawn: Vec<usize> = (0..rows).map(|_| rng.random_range(0..rows)).collect();
        push(&mut columns, score(&drawn)?)?;
    }
    let mut left_out = vec![Vec::new(); estimates.len()];
    if options.method == IntervalMethod::Bca {
        let blocks = rows.min(MOST_BLOCKS);
        for block in 0..blocks {
            let (from, to) = (block * rows / blocks, (block + 1) * rows / blocks);
            let rest: Vec<usize> =
                everything.iter().copied().filter(|r| !(from..to).contains(r)).collect();
            // One row alone cannot be left out.
            if !rest.is_empty() {
                push(&mut left_out, score(&rest)?)?;
            }
        }
    }
    let parts = estimates.iter().zip(&columns).zip(&left_out);
    parts.map(|((estimate, column), left)| interval(*estimate, column, left, options)).collect()
}

fn push(columns: &mut [Vec<f64>], scores: Vec<f64>) -> Result<(), MetricError> {
    crate::sample::check_dim("scores", columns.len(), scores.len())?;
    for (column, score) in columns.iter_mut().zip(scores) {
        column.push(score);
    }
    Ok(())
}

fn interval(
    estimate: f64,
    replicates: &[f64],
    left_out: &[f64],
    options: &BootstrapOptions,
) -> Result<Interval, MetricError> {
    let sorted = sorted(replicates)?;
    let confidence = options.confidence;
    let tails = [(1.0 - confidence) / 2.0, f64::midpoint(1.0, confidence)];
    let [low, high] = match options.method {
        IntervalMethod::Percentile => tails.map(|share| quantile(&sorted, share)),
        IntervalMethod::Basic => {
            let [low, high] = tails.map(|share| quantile(&sorted, share));
            [2.0 * estimate - high, 2.0 * estimate - low]
        }
        IntervalMethod::Bca => {
            let (bias, acceleration) = (bias(estimate, &sorted), acceleration(left_out));
            tails.map(|share| {
                let shifted = bias + normal_quantile(share);
                let corrected = bias + shifted / (1.0 - acceleration * shifted);
                quantile(&sorted, normal_cdf(corrected))
            })
        }
    };
    Ok(Interval { estimate, low, high, confidence })
}

/// The normal quantile of the share of replicates below the estimate, ties counted half.
fn bias(estimate: f64, sorted: &[f64]) -> f64 {
    let below = sorted.iter().filter(|&&r| r < estimate).count() as f64;
    let above = sorted.iter().filter(|&&r| r > estimate).count() as f64;
    let n = sorted.len() as f64;
    // Half a replicate away from 0 and 1, where the quantile is infinite.
    normal_quantile(((n + below - above) / (2.0 * n)).clamp(0.5 / n, 1.0 - 0.5 / n))
}

/// A sixth of the skewness of the scores with blocks of rows left out.
fn acceleration(left_out: &[f64]) -> f64 {
    let mean = left_out.iter().sum::<f64>() / left_out.len().max(1) as f64;
    let moment = |power: i32| left_out.iter().map(|v| (mean - v).powi(power)).sum::<f64>();
    let spread = moment(2);
    if spread > 0.0 { moment(3) / (6.0 * spread.powf(1.5)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    const METHODS: [IntervalMethod; 3] =
        [IntervalMethod::Percentile, IntervalMethod::Basic, IntervalMethod::Bca];

    fn options(method: IntervalMethod) -> BootstrapOptions {
        let resamples = NonZeroUsize::new(200).unwrap();
        BootstrapOptions { resamples, confidence: 0.9, method }
    }

    fn mean_of(values: &[f64], method: IntervalMethod, seed: u64) -> Interval {
        let mean =
            |rows: &[usize]| Ok(rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64);
        bootstrap(values.len(), &options(method), &mut Seed(seed).rng(Stream::Eval), mean).unwrap()
    }

    #[test]
    fn nine_in_ten_intervals_cover_the_mean() {
        let mut rng = Seed(7).rng(Stream::Data);
        for method in METHODS {
            let covered = (0..200).filter(|&seed| {
                // Squares of uniform numbers: skewed, with mean a third.
                let values: Vec<f64> = (0..60).map(|_| rng.random::<f64>().powi(2)).collect();
                let interval = mean_of(&values, method, seed);
                interval.low <= 1.0 / 3.0 && 1.0 / 3.0 <= interval.high
            });
            let covered = covered.count();
            assert!((168..=192).contains(&covered), "{method:?}: {covered} of 200");
        }
    }

    #[test]
    fn constants_have_no_width_and_one_seed_gives_one_interval() {
        for method in METHODS {
            let interval = mean_of(&[0.25; 30], method, 0);
            assert!((interval.high - interval.low).abs() < 1e-12);
            assert!((interval.low - 0.25).abs() < 1e-12);
            let values: Vec<f64> = (0..40).map(|n| f64::from(n % 7)).collect();
            assert_eq!(mean_of(&values, method, 3), mean_of(&values, method, 3));
            let single = mean_of(&[2.0], method, 0);
            assert!((single.low - 2.0).abs() < 1e-12 && (single.high - 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn what_cannot_be_resampled_is_refused() {
        let rng = &mut Seed(0).rng(Stream::Eval);
        let options = BootstrapOptions::default();
        let error = bootstrap(0, &options, rng, |_| Ok(1.0)).unwrap_err().to_string();
        assert_eq!(error, "rows: expected at least 1, got 0");
        assert!(bootstrap(3, &options, rng, |_| Ok(f64::NAN)).is_err());
        let options = BootstrapOptions { confidence: 1.0, ..options };
        assert!(bootstrap(3, &options, rng, |_| Ok(1.0)).is_err());
    }
}
