use nalgebra::{DMatrix, DVector};

/// The largest change of a weight in the last sweep; features are standardised, so that this is far
/// below any difference that a score shows.
const TOLERANCE: f64 = 1e-12;
/// Dozens of sweeps are usual; nearly equal features take more.
const MOST_SWEEPS: usize = 20_000;

/// Minimises `½ wᵀ G w − cᵀ w + α |w|₁` by coordinate descent: the Lasso
/// `|y − X w|² / 2n + α |w|₁` for `G = Xᵀ X / n`, `[D, D]`, and `c = Xᵀ y / n`, `[D]`, of centred
/// features and target. Features without variance get weight 0; of exact copies the first gets all.
pub(crate) fn lasso(gram: &DMatrix<f64>, cross: &DVector<f64>, alpha: f64) -> DVector<f64> {
    let mut weights = DVector::zeros(cross.len());
    for _ in 0..MOST_SWEEPS {
        let mut change: f64 = 0.0;
        for j in 0..weights.len() {
            let curvature = gram[(j, j)];
            if curvature <= 0.0 {
                continue;
            }
            let pull = cross[j] - gram.column(j).dot(&weights) + curvature * weights[j];
            let updated = pull.signum() * (pull.abs() - alpha).max(0.0) / curvature;
            change = change.max((updated - weights[j]).abs());
            weights[j] = updated;
        }
        if change < TOLERANCE {
            break;
        }
    }
    weights
}

/// Columns moved to mean 0 and scaled to variance 1, `[n, D]`, by the mean and standard deviation of
/// columns `reference`; columns that are constant there are 0.
pub(crate) fn standardised(columns: &DMatrix<f64>, reference: &DMatrix<f64>) -> DMatrix<f64> {
    let mut result = columns.clone();
    for (mut column, reference) in result.column_iter_mut().zip(reference.column_iter()) {
        let (mean, std) = (reference.mean(), reference.variance().sqrt());
        let constant = reference.min() >= reference.max() || std <= 0.0;
        column.apply(|v| *v = if constant { 0.0 } else { (*v - mean) / std });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncorrelated_features_are_shrunk_by_alpha() {
        let cross = DVector::from_column_slice(&[0.5, -0.3, 0.05]);
        let weights = lasso(&DMatrix::identity(3, 3), &cross, 0.1);
        let expected = DVector::from_column_slice(&[0.4, -0.2, 0.0]);
        assert!((weights - expected).amax() < 1e-12);
    }

    #[test]
    fn the_optimum_satisfies_its_conditions() {
        let x = DMatrix::from_fn(50, 4, |i, j| ((i * (3 + 2 * j)) % 13) as f64);
        let x = standardised(&x, &x);
        let y = DVector::from_fn(50, |i, _| x[(i, 0)] - 0.5 * x[(i, 1)] + x[(i, 2)].sin());
        let (gram, cross) = (x.tr_mul(&x) / 50.0, x.tr_mul(&y) / 50.0);
        let weights = lasso(&gram, &cross, 0.1);
        let slopes = &gram * &weights - cross;
        for (slope, weight) in slopes.iter().zip(&weights) {
            if weight.abs() > 0.0 {
                assert!((slope + 0.1 * weight.signum()).abs() < 1e-10);
            } else {
                assert!(slope.abs() <= 0.1 + 1e-10);
            }
        }
    }

    #[test]
    fn a_constant_column_becomes_zero() {
        let x = DMatrix::from_fn(7, 2, |i, j| if j == 0 { 0.1 } else { i as f64 });
        let z = standardised(&x, &x);
        assert!(z.column(0).amax() <= 0.0 && (z.column(1).variance() - 1.0).abs() < 1e-12);
    }
}
