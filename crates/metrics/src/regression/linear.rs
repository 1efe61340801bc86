use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::standard::Standardiser;
use crate::{Correlation, MetricError, Sample, correlation_matrix};

/// An orthonormal basis of the columns of a standardised matrix, as far as they are independent.
pub(super) struct Basis {
    pub(super) standardiser: Standardiser,
    /// `[n, rank]`.
    pub(super) u: DMatrix<f64>,
    /// Columns of the standardised matrix to the basis, `[D, rank]`: `u = z · weights`.
    pub(super) weights: DMatrix<f64>,
}

impl Basis {
    pub(super) fn new(m: &DMatrix<f64>) -> Self {
        let standardiser = Standardiser::fit(m);
        let (u, singular, vt) = thin_svd(standardiser.apply_live(m));
        // Rounding of the largest singular value, as in `numpy.linalg.matrix_rank`.
        let least = singular.max() * f64::EPSILON * m.nrows().max(m.ncols()) as f64;
        let kept: Vec<usize> = (0..singular.len()).filter(|&k| singular[k] > least).collect();
        let mut weights = vt.transpose().select_columns(&kept);
        for (mut column, &k) in weights.column_iter_mut().zip(&kept) {
            column /= singular[k];
        }
        Self { standardiser, u: u.select_columns(&kept), weights }
    }

    /// Points in the basis, `[n, rank]`.
    pub(super) fn project(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        self.standardiser.apply_live(m) * &self.weights
    }
}

/// `U`, the singular values in descending order, and `Vᵀ`.
pub(super) fn thin_svd(m: DMatrix<f64>) -> (DMatrix<f64>, DVector<f64>, DMatrix<f64>) {
    let svd = m.svd(true, true);
    let (u, vt) = svd.u.zip(svd.v_t).expect("both factors were asked for");
    (u, svd.singular_values, vt)
}

/// Factors of `test` as predicted by least squares with intercept on `train`, `[n, K]`; the solution
/// of least norm where latents depend on each other.
pub(super) fn predict_linearly(train: Sample<'_>, test: Sample<'_>) -> DMatrix<f64> {
    let basis = Basis::new(train.latents());
    let mean = train.factors().row_mean();
    let centred = DMatrix::from_fn(train.factors().nrows(), mean.len(), |i, j| {
        train.factors()[(i, j)] - mean[j]
    });
    let mut predicted = basis.project(test.latents()) * basis.u.tr_mul(&centred);
    for mut row in predicted.row_iter_mut() {
        row += &mean;
    }
    predicted
}

/// How well factors are determined by latents up to an affine map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffineMcc {
    /// Mean of `per_factor`.
    pub score: f64,
    /// Absolute Pearson correlation of each factor with its prediction, 0 for a constant one, `[K]`.
    pub per_factor: Vec<f64>,
}

/// Mean correlation of factors with their best affine predictions,
/// `(1 / K) Σ_j |corr(y_j, a_jᵀ z + b_j)|`, least squares fitted on `train` and scored on `test`.
///
/// From 0 to 1, higher is better. It does not see whether latents are disentangled: any invertible
/// affine mixture of the factors scores 1. There may be more latents than factors or fewer.
///
/// ```
/// use domino_metrics::{Sample, affine_mcc};
/// use nalgebra::{DMatrix, DVector};
///
/// let factors = DMatrix::from_fn(20, 2, |i, j| if j == 0 { i as f64 } else { (i * i) as f64 });
/// let latents = &factors * DMatrix::from_row_slice(2, 2, &[1.0, 2.0, -1.0, 1.0]);
/// let sample = Sample::new(&latents, &factors)?;
/// assert!((affine_mcc(sample, sample)?.score - 1.0).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors.
///
/// Zimmermann et al., *Contrastive learning inverts the data generating process*, ICML 2021, with
/// Pearson correlation.
pub fn affine_mcc(train: Sample<'_>, test: Sample<'_>) -> Result<AffineMcc, MetricError> {
    train.check_same_columns(&test)?;
    let predicted = predict_linearly(train, test);
    let sample = Sample::new(&predicted, test.factors())?;
    let correlations = correlation_matrix(sample, Correlation::Pearson);
    let per_factor: Vec<f64> = correlations.diagonal().iter().map(|c| c.abs()).collect();
    let score = per_factor.iter().sum::<f64>() / per_factor.len() as f64;
    Ok(AffineMcc { score, per_factor })
}
