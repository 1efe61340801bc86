use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Added to the diagonal of a correlation matrix: columns that repeat others have no effect of
/// their own instead of an arbitrary one, and other columns lose nothing measurable.
const JITTER: f64 = 1e-9;

/// An ordinary least-squares fit of centred columns, with what its tests need.
pub(crate) struct LeastSquares {
    /// Coefficients, one per column.
    pub(crate) coefficients: DVector<f64>,
    /// `(XᵀX)⁻¹` of the centred columns.
    inverse: DMatrix<f64>,
    /// Residuals, one per row.
    pub(crate) residuals: DVector<f64>,
    /// Residual variance, corrected for the coefficients.
    pub(crate) variance: f64,
}

impl LeastSquares {
    /// Fits `response` by an intercept and `columns`, which are centred in place.
    pub(crate) fn fit(columns: &mut DMatrix<f64>, response: &[f64]) -> Self {
        let n = response.len() as f64;
        centre(columns);
        let mean = response.iter().sum::<f64>() / n;
        let response = DVector::from_iterator(response.len(), response.iter().map(|y| y - mean));
        let transposed = columns.transpose();
        let moment = &transposed * &response;
        let inverse = spd_inverse(&(&transposed * &*columns));
        let coefficients = &inverse * moment;
        let residuals = response - &*columns * &coefficients;
        let freedom = (n - 1.0 - coefficients.len() as f64).max(1.0);
        let variance = (residuals.norm_squared() / freedom).max(f64::MIN_POSITIVE);
        Self { coefficients, inverse, residuals, variance }
    }

    /// Wald statistic of a group of columns, `β_gᵀ [(XᵀX)⁻¹]_gg⁻¹ β_g / σ²`: chi-squared with as many
    /// degrees of freedom as columns if none of them matters.
    pub(crate) fn wald(&self, group: &[usize]) -> f64 {
        let block =
            DMatrix::from_fn(group.len(), group.len(), |a, b| self.inverse[(group[a], group[b])]);
        let beta = DVector::from_iterator(group.len(), group.iter().map(|&g| self.coefficients[g]));
        let statistic = beta.dot(&spd_solve(&block, &beta)) / self.variance;
        if statistic.is_finite() { statistic.max(0.0) } else { 0.0 }
    }
}

/// Subtracts from each column its mean.
pub(crate) fn centre(columns: &mut DMatrix<f64>) {
    for mut column in columns.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
}

/// Inverse of a symmetric positive semidefinite matrix, its correlation form slightly regularised.
pub(crate) fn spd_inverse(gram: &DMatrix<f64>) -> DMatrix<f64> {
    let (scale, factor) = scaled_cholesky(gram);
    let mut inverse = factor.inverse();
    for (j, mut column) in inverse.column_iter_mut().enumerate() {
        column.component_mul_assign(&scale);
        column *= scale[j];
    }
    inverse
}

/// Solution of `gram · x = rhs`, regularised as [`spd_inverse`].
pub(crate) fn spd_solve(gram: &DMatrix<f64>, rhs: &DVector<f64>) -> DVector<f64> {
    let (scale, factor) = scaled_cholesky(gram);
    factor.solve(&rhs.component_mul(&scale)).component_mul(&scale)
}

/// Reciprocal roots of the diagonal (0 where it is 0) and the factor of the correlation form.
fn scaled_cholesky(gram: &DMatrix<f64>) -> (DVector<f64>, Cholesky<f64, Dyn>) {
    let scale = gram.diagonal().map(|v| if v > 0.0 { v.sqrt().recip() } else { 0.0 });
    let mut jitter = JITTER;
    loop {
        let correlation = DMatrix::from_fn(gram.nrows(), gram.ncols(), |a, b| {
            if a == b { 1.0 + jitter } else { gram[(a, b)] * scale[a] * scale[b] }
        });
        if let Some(factor) = Cholesky::new(correlation) {
            return (scale, factor);
        }
        // Diagonally dominant once the jitter reaches the size of the matrix.
        jitter *= 100.0;
    }
}

/// `−ln` of the Chernoff bound on the upper tail of a chi-squared law,
/// `P(χ²_ν > x) ≤ exp(−x/2 + ν/2) (x/ν)^{ν/2}` for `x > ν`; 0 below.
///
/// It makes statistics with different degrees of freedom comparable without underflow.
pub(crate) fn surprise(statistic: f64, freedom: usize) -> f64 {
    let nu = freedom as f64;
    if freedom == 0 || statistic <= nu {
        return 0.0;
    }
    0.5 * (statistic - nu - nu * (statistic / nu).ln())
}
