use nalgebra::{Cholesky, DMatrix, DVector};

/// Added to the diagonal of a correlation matrix: columns that repeat others have no effect of
/// their own instead of an arbitrary one, and other columns lose nothing measurable.
const JITTER: f64 = 1e-9;

/// Least residual variance in units of the response's: without a floor an exact relation would have
/// infinite precision.
const LEAST_VARIANCE: f64 = 1e-10;

/// Rows up to which matrices are factored and inverted as a whole, not by halves.
const SUBSTITUTED: usize = 64;

/// An ordinary least-squares fit of centred columns, with what its tests need.
pub(crate) struct LeastSquares {
    /// Coefficients, one per column.
    pub(crate) coefficients: DVector<f64>,
    /// `(XᵀX)⁻¹` of the centred columns.
    inverse: DMatrix<f64>,
    /// Residuals, one per row.
    pub(crate) residuals: DVector<f64>,
    /// Residual variance, corrected for the coefficients; above 0, 1 for a constant response.
    pub(crate) variance: f64,
}

impl LeastSquares {
    /// Fits `response` by an intercept and `columns`, which are centred in place.
    pub(crate) fn fit(columns: &mut DMatrix<f64>, response: &[f64]) -> Self {
        let n = response.len() as f64;
        centre(columns);
        let mean = response.iter().sum::<f64>() / n;
        let response = DVector::from_iterator(response.len(), response.iter().map(|y| y - mean));
        let spread = response.norm_squared() / n;
        let transposed = columns.transpose();
        let moment = &transposed * &response;
        let inverse = spd_inverse(&(&transposed * &*columns));
        let coefficients = &inverse * moment;
        let residuals = response - &*columns * &coefficients;
        let freedom = (n - 1.0 - coefficients.len() as f64).max(1.0);
        let floor = LEAST_VARIANCE * spread;
        let variance = (residuals.norm_squared() / freedom).max(floor);
        let variance = if variance > 0.0 { variance } else { 1.0 };
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
    let (scale, root) = scaled_cholesky(gram);
    let root = lower_inverse(&root);
    let mut inverse = root.transpose() * root;
    for (j, mut column) in inverse.column_iter_mut().enumerate() {
        column.component_mul_assign(&scale);
        column *= scale[j];
    }
    inverse
}

/// Solution of `gram · x = rhs`, regularised as [`spd_inverse`].
pub(crate) fn spd_solve(gram: &DMatrix<f64>, rhs: &DVector<f64>) -> DVector<f64> {
    let (scale, root) = scaled_cholesky(gram);
    let mut solution = rhs.component_mul(&scale);
    root.solve_lower_triangular_unchecked_mut(&mut solution);
    root.tr_solve_lower_triangular_mut(&mut solution);
    solution.component_mul(&scale)
}

/// Lower triangular root of a symmetric positive definite matrix, halved until the library's own
/// factorisation is as fast as multiplication.
fn lower_root(gram: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let n = gram.nrows();
    if n <= SUBSTITUTED {
        return Cholesky::new(gram).map(Cholesky::unpack);
    }
    let (half, rest) = (n / 2, n - n / 2);
    let first = lower_root(gram.view((0, 0), (half, half)).into_owned())?;
    let below = gram.view((half, 0), (rest, half)) * lower_inverse(&first).transpose();
    let left = gram.view((half, half), (rest, rest)) - &below * below.transpose();
    let mut root = DMatrix::zeros(n, n);
    root.view_mut((0, 0), (half, half)).copy_from(&first);
    root.view_mut((half, 0), (rest, half)).copy_from(&below);
    root.view_mut((half, half), (rest, rest)).copy_from(&lower_root(left)?);
    Some(root)
}

/// Inverse of a lower triangular matrix, halved until substitution is as fast as multiplication.
fn lower_inverse(lower: &DMatrix<f64>) -> DMatrix<f64> {
    let n = lower.nrows();
    let mut inverse = DMatrix::identity(n, n);
    if n <= SUBSTITUTED {
        lower.solve_lower_triangular_unchecked_mut(&mut inverse);
        return inverse;
    }
    let (half, rest) = (n / 2, n - n / 2);
    let first = lower_inverse(&lower.view((0, 0), (half, half)).into_owned());
    let last = lower_inverse(&lower.view((half, half), (rest, rest)).into_owned());
    let below = -&last * (lower.view((half, 0), (rest, half)) * &first);
    inverse.view_mut((0, 0), (half, half)).copy_from(&first);
    inverse.view_mut((half, half), (rest, rest)).copy_from(&last);
    inverse.view_mut((half, 0), (rest, half)).copy_from(&below);
    inverse
}

/// Reciprocal roots of the diagonal (0 where it is 0) and the lower root of the correlation form.
fn scaled_cholesky(gram: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>) {
    let scale = gram.diagonal().map(|v| if v > 0.0 { v.sqrt().recip() } else { 0.0 });
    let mut jitter = JITTER;
    loop {
        let correlation = DMatrix::from_fn(gram.nrows(), gram.ncols(), |a, b| {
            let r = gram[(a, b)] * scale[a] * scale[b];
            match (a == b, r.is_finite()) {
                (true, _) => 1.0 + jitter,
                (false, true) => r.clamp(-1.0, 1.0),
                (false, false) => 0.0,
            }
        });
        if let Some(root) = lower_root(correlation) {
            return (scale, root);
        }
        // Entries are correlations: the matrix is diagonally dominant once the jitter reaches its
        // size, so this ends.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_fitted_and_its_statistic_is_the_squared_t() {
        // y = 1 + 2 x plus residuals ±1 that are orthogonal to x: s² = 4 / 2, Sxx = 20.
        let mut x = DMatrix::from_column_slice(4, 1, &[-3.0, -1.0, 1.0, 3.0]);
        let fit = LeastSquares::fit(&mut x, &[-4.0, -2.0, 2.0, 8.0]);
        assert!((fit.coefficients[0] - 2.0).abs() < 1e-7);
        assert!((fit.variance - 2.0).abs() < 1e-7);
        assert!((fit.wald(&[0]) / (4.0 * 20.0 / 2.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn repeated_columns_share_an_effect_and_are_not_significant() {
        let x = [-3.0, -1.0, 1.0, 3.0, 0.5, -0.5];
        let mut twice = DMatrix::from_fn(6, 2, |r, _| x[r]);
        let fit = LeastSquares::fit(&mut twice, &[-6.1, -2.0, 2.1, 6.0, 0.9, -0.9]);
        assert!((fit.coefficients.sum() - 2.0).abs() < 0.05);
        assert!(fit.wald(&[0]) < 1e-3 && fit.wald(&[0, 1]) > 100.0);
    }

    #[test]
    fn exact_and_empty_relations_stay_finite() {
        let mut x = DMatrix::from_column_slice(3, 1, &[1.0, 2.0, 3.0]);
        assert!(LeastSquares::fit(&mut x.clone(), &[2.0, 4.0, 6.0]).wald(&[0]).is_finite());
        assert!(LeastSquares::fit(&mut x, &[5.0; 3]).wald(&[0]) < 1e-12);
        let nan = DMatrix::from_element(2, 2, f64::NAN);
        assert!(spd_inverse(&nan).iter().all(|v| v.is_finite()));
    }

    #[test]
    fn large_inverses_are_inverses() {
        for n in [1, 64, 65, 200] {
            let gram = DMatrix::from_fn(n, n, |a, b| 0.9_f64.powf(a.abs_diff(b) as f64));
            assert!((spd_inverse(&gram) * gram - DMatrix::identity(n, n)).amax() < 1e-6);
        }
    }

    /// Chernoff bounds lie above the tail: P(χ²₁ > 10.83) = 0.001, P(χ²₃ > 16.27) = 0.001.
    #[test]
    fn surprise_is_below_the_logarithm_of_the_tail() {
        for (statistic, freedom) in [(10.83, 1), (13.82, 2), (16.27, 3)] {
            let nats = surprise(statistic, freedom);
            assert!(nats < 1000_f64.ln() && nats > 1000_f64.ln() - 3.5, "{nats}");
        }
        assert!(surprise(0.5, 1) < 1e-12);
    }
}
