use serde::{Deserialize, Serialize};

use super::distribution::student_two_sided;
use crate::MetricError;

/// An estimate and an interval around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The score on the rows themselves, or the mean of several values.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Nominal probability that an interval made in this way covers the true value.
    pub confidence: f64,
}

/// The interval between the `(1 − c) / 2` and `(1 + c) / 2` quantiles of replicates of a score.
///
/// Quantiles are interpolated linearly. The order of the replicates does not matter.
///
/// ```
/// use domino_metrics::interval_of_replicates;
///
/// let replicates: Vec<f64> = (0..=100).map(f64::from).collect();
/// let interval = interval_of_replicates(40.0, &replicates, 0.9)?;
/// assert!((interval.low - 5.0).abs() < 1e-9 && (interval.high - 95.0).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::TooFew`] without replicates, [`MetricError::NotFinite`] if one is not finite,
/// [`MetricError::Option`] for a confidence outside `(0, 1)`.
pub fn interval_of_replicates(
    estimate: f64,
    replicates: &[f64],
    confidence: f64,
) -> Result<Interval, MetricError> {
    check_confidence(confidence)?;
    let sorted = sorted(replicates)?;
    let tail = (1.0 - confidence) / 2.0;
    let [low, high] = [tail, 1.0 - tail].map(|share| quantile(&sorted, share));
    Ok(Interval { estimate, low, high, confidence })
}

/// Mean of values, such as a score over seeds, with Student's interval
/// `mean ± t s / √m` for `m` values of standard deviation `s`.
///
/// It rests on values that are independent and roughly normal. One value has no interval: its ends
/// are infinite.
///
/// ```
/// use domino_metrics::mean_interval;
///
/// let interval = mean_interval(&[1.0, 2.0, 3.0], 0.95)?;
/// assert!((interval.estimate - 2.0).abs() < 1e-12 && (interval.high - 4.484_137_7).abs() < 1e-6);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`interval_of_replicates`].
///
/// Student, *The probable error of a mean*, Biometrika 1908.
pub fn mean_interval(values: &[f64], confidence: f64) -> Result<Interval, MetricError> {
    check_confidence(confidence)?;
    let values = sorted(values)?;
    let n = values.len() as f64;
    let estimate = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        return Ok(Interval { estimate, low, high, confidence });
    }
    let variance = values.iter().map(|v| (v - estimate).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = student_two_sided(confidence, values.len() - 1) * (variance / n).sqrt();
    Ok(Interval { estimate, low: estimate - reach, high: estimate + reach, confidence })
}

pub(super) fn check_confidence(value: f64) -> Result<(), MetricError> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(MetricError::Option { name: "confidence", expected: "above 0, below 1", value })
}

/// The values in ascending order.
pub(super) fn sorted(values: &[f64]) -> Result<Vec<f64>, MetricError> {
    if values.is_empty() {
        return Err(MetricError::TooFew { what: "values of a score", least: 1, got: 0 });
    }
    if let Some(row) = values.iter().position(|v| !v.is_finite()) {
        let what = "values of a score";
        return Err(MetricError::NotFinite { what, row, col: 0, value: values[row] });
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(sorted)
}

/// The value below which a share of the sorted values lies, interpolated linearly.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}
