use nalgebra::{Cholesky, DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::information::{Binned, check_bins};
use crate::sample::check_matrix;

/// A pivot of a correlation matrix below this is 0 up to the rounding of its entries: some latent
/// is an affine function of the others.
const SINGULAR: f64 = 1e-13;

/// How far latents depend on each other, by measures that need no factors; lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsupervised {
    /// Total correlation of a Gaussian with the latents' covariance, in nats, at least 0; none where
    /// it is infinite, as one latent is an affine function of others.
    pub total_correlation: Option<f64>,
    /// Squared 2-Wasserstein distance of that Gaussian from the one with independent parts, in
    /// squared units of the latents, at least 0.
    pub wasserstein_correlation: f64,
    /// The same over the sum of the latents' variances.
    pub wasserstein_correlation_normalised: f64,
    /// Mean over pairs of different latents of their mutual information in bins, in nats.
    pub mutual_information: f64,
}

/// Dependence among latents `[n, D]` with covariance `S` (divided by `n − 1`):
///
/// - total correlation `½ (Σ ln S_ii − ln det S)`;
/// - Wasserstein correlation `2 tr S − 2 tr (S^½ diag(S) S^½)^½`, and the same over `tr S`;
/// - mean of `I(bin z_i; bin z_j)` over `i ≠ j`, in `bins` bins (20 published).
///
/// All are at least 0, and 0 is best. The first is unchanged by scaling latents, the second is not;
/// constant latents contribute nothing to any. The published sample is 10,000 points. They are
/// blind to the factors: independent noise is perfect; the first two also to any dependence that
/// covariance does not see.
///
/// ```
/// use domino_metrics::unsupervised;
/// use nalgebra::DMatrix;
///
/// let independent = DMatrix::from_fn(4, 2, |i, j| (i >> j & 1) as f64);
/// let scores = unsupervised(&independent, 20)?;
/// assert!(scores.total_correlation.is_some_and(|tc| tc.abs() < 1e-12));
/// assert!(scores.wasserstein_correlation.abs() < 1e-12);
/// assert!(scores.mutual_information.abs() < 1e-12);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Empty`] or [`MetricError::NotFinite`] for latents without entries or with NaN,
/// [`MetricError::Option`] for no bins.
///
/// Watanabe, *Information theoretical analysis of multivariate correlation*, IBM Journal 1960;
/// Xiao et al., *The Wasserstein-autoencoder total correlation*, 2019; measured as in Locatello et
/// al. 2019.
pub fn unsupervised(latents: &DMatrix<f64>, bins: usize) -> Result<Unsupervised, MetricError> {
    check_matrix("latents", latents)?;
    check_bins(bins)?;
    let live = live_columns(latents);
    let covariance = covariance(&live);
    let wasserstein_correlation = wasserstein(&covariance);
    let trace = covariance.trace();
    let share = if trace > 0.0 { wasserstein_correlation / trace } else { 0.0 };
    Ok(Unsupervised {
        total_correlation: total_correlation(&covariance),
        wasserstein_correlation,
        wasserstein_correlation_normalised: share,
        mutual_information: pairwise_information(latents, bins),
    })
}

/// The columns that are not constant.
fn live_columns(latents: &DMatrix<f64>) -> DMatrix<f64> {
    let varies = |c: &nalgebra::DVectorView<'_, f64>| c.min() < c.max();
    let live: Vec<DVector<f64>> =
        latents.column_iter().filter(varies).map(nalgebra::DVectorView::into_owned).collect();
    if live.is_empty() { DMatrix::zeros(latents.nrows(), 0) } else { DMatrix::from_columns(&live) }
}

/// Covariance of columns, divided by `n − 1`.
fn covariance(latents: &DMatrix<f64>) -> DMatrix<f64> {
    let mut centred = latents.clone();
    for mut column in centred.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    centred.tr_mul(&centred) / latents.nrows().saturating_sub(1).max(1) as f64
}

/// `−½ ln det` of the correlation matrix.
fn total_correlation(covariance: &DMatrix<f64>) -> Option<f64> {
    let (d, std) = (covariance.nrows(), covariance.diagonal().map(f64::sqrt));
    let correlation = DMatrix::from_fn(d, d, |i, j| covariance[(i, j)] / (std[i] * std[j]));
    let pivots = Cholesky::new(correlation)?.l_dirty().diagonal().map(|l| l * l);
    let regular = pivots.iter().all(|&p| p > SINGULAR);
    regular.then(|| -0.5 * pivots.iter().map(|p| p.ln()).sum::<f64>())
}

fn wasserstein(covariance: &DMatrix<f64>) -> f64 {
    let (d, std) = (covariance.nrows(), covariance.diagonal().map(f64::sqrt));
    if d == 0 {
        return 0.0;
    }
    // Similar to diag(S) S, and symmetric: the same eigenvalues, all of them real.
    let similar = DMatrix::from_fn(d, d, |i, j| std[i] * covariance[(i, j)] * std[j]);
    let roots = similar.symmetric_eigenvalues().map(|v| v.max(0.0).sqrt());
    (2.0 * covariance.trace() - 2.0 * roots.sum()).max(0.0)
}

fn pairwise_information(latents: &DMatrix<f64>, bins: usize) -> f64 {
    let binned = Binned::columns(latents, bins);
    let pairs = (0..binned.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    let information: Vec<f64> = pairs.map(|(i, j)| binned[i].information(&binned[j])).collect();
    if information.is_empty() { 0.0 } else { crate::accuracy::mean(&information) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variances 1 and covariance `c`, whatever the scale.
    fn correlated(c: f64) -> DMatrix<f64> {
        let s = (1.0 - c * c).sqrt();
        let signs = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
        DMatrix::from_fn(4, 2, |i, j| {
            let (a, b) = signs[i];
            0.75_f64.sqrt() * if j == 0 { a } else { c * a + s * b }
        })
    }

    #[test]
    fn two_correlated_latents_in_closed_form() {
        let c: f64 = 0.6;
        let scores = unsupervised(&correlated(c), 20).unwrap();
        let total = -0.5 * (1.0 - c * c).ln();
        assert!((scores.total_correlation.unwrap() - total).abs() < 1e-12);
        let wasserstein = 4.0 - 2.0 * ((1.0 + c).sqrt() + (1.0 - c).sqrt());
        assert!((scores.wasserstein_correlation - wasserstein).abs() < 1e-12);
        assert!((scores.wasserstein_correlation_normalised - wasserstein / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_copy_has_infinite_total_correlation_and_a_constant_adds_nothing() {
        let z = correlated(0.6);
        let with = |extra: DVector<f64>| {
            let columns = [z.column(0).into_owned(), z.column(1).into_owned(), extra];
            unsupervised(&DMatrix::from_columns(&columns), 20).unwrap()
        };
        assert_eq!(with(z.column(0) * 2.0).total_correlation, None);
        let constant = with(DVector::from_element(4, 0.1));
        let without = unsupervised(&z, 20).unwrap();
        assert_eq!(constant.total_correlation, without.total_correlation);
        assert!(constant.mutual_information < without.mutual_information);
    }

    #[test]
    fn a_single_or_a_constant_latent_depends_on_nothing() {
        for z in [correlated(0.0).columns(0, 1).into_owned(), DMatrix::from_element(4, 2, 3.0)] {
            let scores = unsupervised(&z, 20).unwrap();
            assert_eq!(scores.total_correlation, Some(0.0));
            assert!(scores.wasserstein_correlation < 1e-12 && scores.mutual_information <= 0.0);
        }
    }
}
