use nalgebra::{DMatrix, DVector};

/// Sweeps end when the largest change of a weight is this share of the largest weight and the
/// duality gap this share of the target's mean square: scikit-learn's rule, by which published
/// scores are made. Weights of nearly equal features are settled to about 0.002 by then.
const TOLERANCE: f64 = 1e-4;
/// Dozens of sweeps are usual; the limit is scikit-learn's.
const MOST_SWEEPS: usize = 1000;

/// The Lasso `|y − X w|² / 2n + α |w|₁` of centred features and a centred target.
pub(crate) struct Lasso<'a> {
    /// `Xᵀ X / n`, `[D, D]`.
    pub(crate) gram: &'a DMatrix<f64>,
    /// `Xᵀ y / n`, `[D]`.
    pub(crate) cross: DVector<f64>,
    /// `yᵀ y / n`.
    pub(crate) square: f64,
    /// Weight of the absolute values.
    pub(crate) alpha: f64,
}

impl Lasso<'_> {
    /// The weights, by coordinate descent from 0. Features without variance get weight 0; of exact
    /// copies the first gets all.
    pub(crate) fn solve(&self) -> DVector<f64> {
        let mut weights = DVector::zeros(self.cross.len());
        for _ in 0..MOST_SWEEPS {
            let change = self.sweep(&mut weights);
            let largest = weights.amax();
            let settled = largest <= 0.0 || change <= TOLERANCE * largest;
            if settled && self.gap(&weights) <= TOLERANCE * self.square {
                break;
            }
        }
        weights
    }

    /// Minimises along each weight in turn; hands back the largest change.
    fn sweep(&self, weights: &mut DVector<f64>) -> f64 {
        let mut change: f64 = 0.0;
        for j in 0..weights.len() {
            let curvature = self.gram[(j, j)];
            if curvature <= 0.0 {
                continue;
            }
            let others = self.gram.column(j).dot(weights) - curvature * weights[j];
            let pull = self.cross[j] - others;
            let updated = pull.signum() * (pull.abs() - self.alpha).max(0.0) / curvature;
            change = change.max((updated - weights[j]).abs());
            weights[j] = updated;
        }
        change
    }

    /// Bound on how far the loss at `weights` is above its minimum.
    fn gap(&self, weights: &DVector<f64>) -> f64 {
        let slopes = &self.cross - self.gram * weights;
        let explained = weights.dot(&self.cross);
        let residual = self.square - explained - weights.dot(&slopes);
        let steepest = slopes.amax();
        let scale = if steepest > self.alpha { self.alpha / steepest } else { 1.0 };
        let absolute: f64 = weights.iter().map(|w| w.abs()).sum();
        0.5 * residual * (1.0 + scale * scale) + self.alpha * absolute
            - scale * (self.square - explained)
    }
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
        let gram = DMatrix::identity(3, 3);
        let weights = Lasso { gram: &gram, cross, square: 1.0, alpha: 0.1 }.solve();
        let expected = DVector::from_column_slice(&[0.4, -0.2, 0.0]);
        assert!((weights - expected).amax() < 1e-12);
    }

    #[test]
    fn the_optimum_nearly_satisfies_its_conditions() {
        let x = DMatrix::from_fn(50, 4, |i, j| ((i * (3 + 2 * j)) % 13) as f64);
        let x = standardised(&x, &x);
        let y = DVector::from_fn(50, |i, _| x[(i, 0)] - 0.5 * x[(i, 1)] + x[(i, 2)].sin());
        let (gram, cross) = (x.tr_mul(&x) / 50.0, x.tr_mul(&y) / 50.0);
        let square = y.norm_squared() / 50.0;
        let lasso = Lasso { gram: &gram, cross, square, alpha: 0.1 };
        let weights = lasso.solve();
        assert!((0.0..1e-4 * square).contains(&lasso.gap(&weights)));
        let slopes = &gram * &weights - &lasso.cross;
        for (slope, weight) in slopes.iter().zip(&weights) {
            if weight.abs() > 0.0 {
                assert!((slope + 0.1 * weight.signum()).abs() < 1e-3);
            } else {
                assert!(slope.abs() <= 0.1 + 1e-3);
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
