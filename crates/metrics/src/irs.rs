use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::information::{Binned, check_bins};
use crate::{MetricError, Sample};

/// Options of [`irs`]; the defaults are those of `disentanglement_lib`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrsOptions {
    /// Bins of equal width that the values of a factor are sorted into, at least 1. Points of one
    /// bin have one value of the factor.
    pub bins: usize,
    /// Quantile of the deviations within a bin, in `[0, 1]`; the paper takes the largest, 1.
    pub quantile: f64,
}

impl Default for IrsOptions {
    fn default() -> Self {
        Self { bins: 20, quantile: 0.99 }
    }
}

/// Interventional robustness of latents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Irs {
    /// Mean over latents of their largest robustness, weighted by `max_deviations`; in `[0, 1]`.
    pub score: f64,
    /// Largest robustness of each latent, 0 for a constant one, `[D]`.
    pub per_latent: Vec<f64>,
    /// The factor that explains each latent best, none for a constant latent, `[D]`.
    pub parents: Vec<Option<usize>>,
    /// One minus the share of latent `i`'s deviation that remains when factor `j` is fixed,
    /// `[D, K]`; 0 for a constant latent.
    #[serde(with = "crate::rows")]
    pub matrix: DMatrix<f64>,
    /// Largest distance of each latent from its mean, `[D]`.
    pub max_deviations: Vec<f64>,
}

/// Interventional robustness score: `IRS = Σ_i m_i max_j IRS_ij / Σ_i m_i` with
/// `IRS_ij = 1 − mean_v Q(|z_i − E[z_i | y_j = v]|) / m_i` and `m_i = max |z_i − E z_i|`, where `Q`
/// is a quantile over the points with `y_j = v`.
///
/// In `[0, 1]`, higher is better: how little a latent moves through other factors once its own is
/// fixed. Latents `[n, D]`; factors `[n, K]`, binned; the published sample is 10,000 points.
/// Constant latents are left out; the score is 0 if all are constant.
///
/// Blind to factors that no latent holds and to several latents with one parent. A bin with a
/// single point has deviation 0, so that few points for many values flatter the score.
///
/// ```
/// use domino_metrics::{IrsOptions, Sample, irs};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(60, 2, |i, j| if j == 0 { i % 3 } else { i / 3 % 4 } as f64);
/// let latents = DMatrix::from_fn(60, 2, |i, j| -2.0 * factors[(i, 1 - j)]);
/// let scores = irs(Sample::new(&latents, &factors)?, &IrsOptions::default())?;
/// assert!((scores.score - 1.0).abs() < 1e-9);
/// assert_eq!(scores.parents, [Some(1), Some(0)]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Option`] for no bins or a quantile outside its range.
///
/// Suter et al., *Robustly disentangled causal mechanisms*, ICML 2019; constants of
/// `disentanglement_lib`.
pub fn irs(sample: Sample<'_>, options: &IrsOptions) -> Result<Irs, MetricError> {
    check_bins(options.bins)?;
    let (name, value) = ("quantile", options.quantile);
    if !(0.0..=1.0).contains(&value) {
        return Err(MetricError::Option { name, expected: "0 to 1", value });
    }
    let latents = sample.latents();
    let factors = Binned::columns(sample.factors(), options.bins);
    let max_deviations: Vec<f64> =
        latents.column_iter().map(|z| max_deviation(z.as_slice())).collect();
    let matrix = DMatrix::from_fn(latents.ncols(), factors.len(), |i, j| {
        if max_deviations[i] <= 0.0 {
            return 0.0;
        }
        let remaining = deviation(latents.column(i).as_slice(), &factors[j], value);
        1.0 - remaining / max_deviations[i]
    });
    let parents: Vec<Option<usize>> = (0..matrix.nrows())
        .map(|i| (max_deviations[i] > 0.0).then(|| matrix.row(i).transpose().imax()))
        .collect();
    let per_latent: Vec<f64> =
        parents.iter().enumerate().map(|(i, p)| p.map_or(0.0, |j| matrix[(i, j)])).collect();
    let total: f64 = max_deviations.iter().sum();
    let sum: f64 = per_latent.iter().zip(&max_deviations).map(|(s, m)| s * m).sum();
    let score = if total > 0.0 { sum / total } else { 0.0 };
    Ok(Irs { score, per_latent, parents, matrix, max_deviations })
}

/// Largest distance from the mean, exactly 0 for a constant.
fn max_deviation(z: &[f64]) -> f64 {
    let (low, high) = z.iter().fold((z[0], z[0]), |(l, h), &v| (l.min(v), h.max(v)));
    let mean = crate::accuracy::mean(z);
    if low < high { (high - mean).max(mean - low) } else { 0.0 }
}

/// Mean over the values of a factor of the quantile of `|z − mean|` among the points with that
/// value.
fn deviation(z: &[f64], factor: &Binned, quantile: f64) -> f64 {
    let counts = factor.counts();
    let mut groups: Vec<Vec<f64>> = counts.iter().map(|&c| Vec::with_capacity(c)).collect();
    for (&value, &bin) in z.iter().zip(factor.bins()) {
        groups[bin].push(value);
    }
    groups.retain(|group| !group.is_empty());
    let of_group = |mut group: Vec<f64>| {
        let mean = crate::accuracy::mean(&group);
        for value in &mut group {
            *value = (*value - mean).abs();
        }
        quantile_of(&mut group, quantile)
    };
    crate::accuracy::mean(&groups.into_iter().map(of_group).collect::<Vec<_>>())
}

/// The quantile of a list that is not empty, interpolated between neighbours.
fn quantile_of(values: &mut [f64], quantile: f64) -> f64 {
    let position = (values.len() - 1) as f64 * quantile;
    let (_, &mut low, above) = values.select_nth_unstable_by(position as usize, f64::total_cmp);
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    if high.is_finite() { low + position.fract() * (high - low) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let mut values = [5.0, 1.0, 2.0, 4.0, 3.0];
        assert!((quantile_of(&mut values, 0.6) - 3.4).abs() < 1e-12);
        assert!((quantile_of(&mut values, 1.0) - 5.0).abs() < 1e-12);
        assert!((quantile_of(&mut [7.0], 0.99) - 7.0).abs() < 1e-12);
    }

    #[test]
    fn constant_latents_are_left_out() {
        let y = DMatrix::from_fn(64, 2, |i, j| (i >> (3 * j) & 7) as f64);
        let z = DMatrix::from_fn(64, 3, |i, j| if j < 2 { y[(i, j)] } else { 0.1 });
        let scores = irs(Sample::new(&z, &y).unwrap(), &IrsOptions::default()).unwrap();
        assert!((scores.score - 1.0).abs() < 1e-12);
        assert_eq!(scores.parents, [Some(0), Some(1), None]);
        let dead = DMatrix::from_element(64, 1, 0.1);
        let scores = irs(Sample::new(&dead, &y).unwrap(), &IrsOptions::default()).unwrap();
        assert!(scores.score <= 0.0);
    }

    #[test]
    fn a_latent_of_two_equal_parents_keeps_half_its_deviation() {
        let y = DMatrix::from_fn(4, 2, |i, j| (i >> j & 1) as f64);
        let z = DMatrix::from_fn(4, 1, |i, _| y[(i, 0)] + y[(i, 1)]);
        let scores = irs(Sample::new(&z, &y).unwrap(), &IrsOptions::default()).unwrap();
        assert!((scores.score - 0.5).abs() < 1e-12);
    }
}
