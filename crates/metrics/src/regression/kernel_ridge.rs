use std::ops::Range;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::cholesky::Cholesky;
use super::r2::explained;
use super::standard::Standardiser;
use crate::{MetricError, Sample};

/// Options of the kernel ridge regression in [`r2`](crate::r2); the defaults are the published grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KernelRidgeOptions {
    /// Ridge penalties to choose from, above 0.
    pub alphas: Vec<f64>,
    /// Inverse squared widths of the kernel to choose from, above 0.
    pub gammas: Vec<f64>,
    /// Contiguous parts of the points for cross-validation, at least 2.
    pub folds: usize,
}

impl Default for KernelRidgeOptions {
    fn default() -> Self {
        let gammas = (0..4).map(|k| 10f64.powf(-2.0 + 4.0 * f64::from(k) / 3.0)).collect();
        Self { alphas: vec![1.0, 0.1, 0.01, 0.001], gammas, folds: 3 }
    }
}

impl KernelRidgeOptions {
    fn check(&self, points: usize) -> Result<(), MetricError> {
        for (name, values) in [("alphas", &self.alphas), ("gammas", &self.gammas)] {
            let bad = values.iter().copied().find(|v| !(*v > 0.0 && v.is_finite()));
            if let Some(value) = bad.or_else(|| values.is_empty().then_some(f64::NAN)) {
                let expected = "at least one value, all above 0";
                return Err(MetricError::Option { name, expected, value });
            }
        }
        if self.folds < 2 {
            let (name, expected, value) = ("folds", "at least 2", self.folds as f64);
            return Err(MetricError::Option { name, expected, value });
        }
        if points < self.folds {
            let (what, least) = ("points to cross-validate on", self.folds);
            return Err(MetricError::TooFew { what, least, got: points });
        }
        Ok(())
    }
}

/// What cross-validation chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelRidgeChoice {
    /// The ridge penalty.
    pub alpha: f64,
    /// The inverse squared width of the kernel.
    pub gamma: f64,
    /// Mean R² over outputs and folds, `[alphas, gammas]`.
    #[serde(with = "crate::rows")]
    pub validation: DMatrix<f64>,
}

/// Ridge regression of factors from latents with the kernel `exp(−γ |a − b|²)`, both standardised, without
/// intercept; its penalty and width are chosen by cross-validation.
///
/// ```
/// use domino_metrics::{KernelRidge, KernelRidgeOptions, Sample};
/// use nalgebra::DMatrix;
///
/// let latents = DMatrix::from_fn(60, 1, |i, _| (i * 7 % 60) as f64 / 30.0 - 1.0);
/// let factors = latents.map(|z| 5.0 + (3.0 * z).cos());
/// let fitted = KernelRidge::fit(Sample::new(&latents, &factors)?, &KernelRidgeOptions::default())?;
/// let read = fitted.predict(&DMatrix::from_element(1, 1, 0.5));
/// assert!((read[(0, 0)] - 5.0 - 1.5_f64.cos()).abs() < 0.01);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
#[derive(Clone, Debug)]
pub struct KernelRidge {
    latents: Standardiser,
    factors: Standardiser,
    points: DMatrix<f64>,
    weights: DMatrix<f64>,
    choice: KernelRidgeChoice,
}

impl KernelRidge {
    /// Fits to a sample. The time grows with the third power of its points.
    ///
    /// # Errors
    /// [`MetricError::Option`] for an option outside its range, [`MetricError::TooFew`] if there are fewer
    /// points than folds.
    pub fn fit(sample: Sample<'_>, options: &KernelRidgeOptions) -> Result<Self, MetricError> {
        options.check(sample.latents().nrows())?;
        let [latents, factors] = [sample.latents(), sample.factors()].map(Standardiser::fit);
        let points = latents.apply(sample.latents());
        let targets = factors.apply(sample.factors());
        let distances = squared_distances(&points, &points);
        let choice = choose(&distances, &targets, options)?;
        let weights = ridge(kernel(&distances, choice.gamma), choice.alpha, targets)?;
        Ok(Self { latents, factors, points, weights, choice })
    }

    /// The factors `[n, K]` of latents `[n, D]`.
    ///
    /// # Panics
    /// If there are more or fewer latents than it was fitted to.
    #[must_use]
    pub fn predict(&self, latents: &DMatrix<f64>) -> DMatrix<f64> {
        self.factors.undo(&self.standardised(latents))
    }

    fn standardised(&self, latents: &DMatrix<f64>) -> DMatrix<f64> {
        let distances = squared_distances(&self.latents.apply(latents), &self.points);
        kernel(&distances, self.choice.gamma) * &self.weights
    }
}

/// Standardised factors of `test` and the same as predicted by kernel ridge regression on `train`.
pub(super) fn predict_with_kernel(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &KernelRidgeOptions,
) -> Result<([DMatrix<f64>; 2], KernelRidgeChoice), MetricError> {
    let fitted = KernelRidge::fit(train, options)?;
    let predicted = fitted.standardised(test.latents());
    Ok(([fitted.factors.apply(test.factors()), predicted], fitted.choice))
}

/// Cross-validates the grid. The kernel depends on `gamma` only, and is computed once for all folds.
fn choose(
    distances: &DMatrix<f64>,
    targets: &DMatrix<f64>,
    options: &KernelRidgeOptions,
) -> Result<KernelRidgeChoice, MetricError> {
    let KernelRidgeOptions { alphas, gammas, folds } = options;
    let mut validation = DMatrix::zeros(alphas.len(), gammas.len());
    for (col, &gamma) in gammas.iter().enumerate() {
        let gram = kernel(distances, gamma);
        for held_out in contiguous(targets.nrows(), *folds) {
            for (row, r2) in held_out_r2(&gram, targets, &held_out, alphas)?.iter().enumerate() {
                validation[(row, col)] += r2 / *folds as f64;
            }
        }
    }
    let mut best = (0, 0);
    for row in 0..alphas.len() {
        for col in 0..gammas.len() {
            if validation[(row, col)] > validation[best] {
                best = (row, col);
            }
        }
    }
    Ok(KernelRidgeChoice { alpha: alphas[best.0], gamma: gammas[best.1], validation })
}

/// Mean R² over outputs on the points held out, for each penalty.
fn held_out_r2(
    gram: &DMatrix<f64>,
    targets: &DMatrix<f64>,
    held_out: &Range<usize>,
    alphas: &[f64],
) -> Result<Vec<f64>, MetricError> {
    let kept: Vec<usize> = (0..gram.nrows()).filter(|i| !held_out.contains(i)).collect();
    let among = gram.select_columns(&kept).select_rows(&kept);
    let across = gram.rows_range(held_out.clone()).into_owned().select_columns(&kept);
    let [known, unknown] =
        [targets.select_rows(&kept), targets.rows_range(held_out.clone()).into_owned()];
    alphas
        .iter()
        .map(|&alpha| {
            let weights = ridge(among.clone(), alpha, known.clone())?;
            let r2 = explained(&unknown, &(&across * weights));
            Ok(r2.iter().sum::<f64>() / r2.len() as f64)
        })
        .collect()
}

/// `(K + alpha I)⁻¹ y`.
fn ridge(
    mut gram: DMatrix<f64>,
    alpha: f64,
    targets: DMatrix<f64>,
) -> Result<DMatrix<f64>, MetricError> {
    for k in 0..gram.nrows() {
        gram[(k, k)] += alpha;
    }
    let indefinite = MetricError::Option {
        name: "alphas",
        expected: "above the rounding of the kernel matrix",
        value: alpha,
    };
    Ok(Cholesky::new(gram).ok_or(indefinite)?.solve(targets))
}

/// `|a_i − b_j|²`, `[n, m]`.
fn squared_distances(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    let norms = |m: &DMatrix<f64>| m.row_iter().map(|r| r.norm_squared()).collect::<Vec<_>>();
    let (of_a, of_b) = (norms(a), norms(b));
    let mut out = a * b.transpose();
    for (mut column, b) in out.column_iter_mut().zip(of_b) {
        for (v, a) in column.iter_mut().zip(&of_a) {
            *v = (a + b - 2.0 * *v).max(0.0);
        }
    }
    out
}

fn kernel(distances: &DMatrix<f64>, gamma: f64) -> DMatrix<f64> {
    distances.map(|d| (-gamma * d).exp())
}

/// Parts of `0..n` whose lengths differ by at most one, the longer ones first.
fn contiguous(n: usize, folds: usize) -> Vec<Range<usize>> {
    let start = |k: usize| k * (n / folds) + k.min(n % folds);
    (0..folds).map(|k| start(k)..start(k + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_those_of_scikit_learn() {
        assert_eq!(contiguous(11, 3), [0..4, 4..8, 8..11]);
        assert_eq!(contiguous(3, 3), [0..1, 1..2, 2..3]);
    }

    #[test]
    fn the_grid_is_the_published_one() {
        let options = KernelRidgeOptions::default();
        let published = [0.01, 0.215_443_469, 4.641_588_834, 100.0];
        for (gamma, expected) in options.gammas.iter().zip(published) {
            assert!((gamma / expected - 1.0).abs() < 1e-9);
        }
    }
}
