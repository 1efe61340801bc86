use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::kernel_ridge::{KernelRidgeChoice, KernelRidgeOptions, predict_with_kernel};
use super::linear::predict_linearly;
use crate::{MetricError, Sample};

/// What predicts factors from latents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regressor {
    /// Least squares with intercept.
    #[default]
    Linear,
    /// Ridge regression with the kernel `exp(−γ |a − b|²)` on standardised latents and factors,
    /// without intercept, its penalty and width chosen by cross-validation.
    Kernel(KernelRidgeOptions),
}

/// Share of the variance of factors that a regression from the latents explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct R2 {
    /// Mean of `per_factor`.
    pub score: f64,
    /// `1 − Σ (y − ŷ)² / Σ (y − mean y)²` on the test points, 0 for a factor that is constant there,
    /// `[K]`.
    pub per_factor: Vec<f64>,
    /// What cross-validation chose, for a kernel.
    pub choice: Option<KernelRidgeChoice>,
}

/// R² of predicting the factors from all latents, fitted on `train` and scored on `test`.
///
/// At most 1, and below 0 where the mean would predict better; higher is better. It does not see
/// whether latents are disentangled, only whether the information is there. The published sizes are
/// 4096 points for each sample; the time of the kernel grows with their third power.
///
/// ```
/// use domino_metrics::{KernelRidgeOptions, Regressor, Sample, r2};
/// use nalgebra::DMatrix;
///
/// let latents = DMatrix::from_fn(60, 1, |i, _| (i * 7 % 60) as f64 / 30.0 - 1.0);
/// let factors = latents.map(|z| (3.0 * z).cos());
/// let sample = Sample::new(&latents, &factors)?;
/// assert!(r2(sample, sample, &Regressor::Linear)?.score < 0.1);
/// let kernel = Regressor::Kernel(KernelRidgeOptions::default());
/// assert!(r2(sample, sample, &kernel)?.score > 0.99);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors; for a kernel
/// [`MetricError::Option`] for an option outside its range and [`MetricError::TooFew`] if there are
/// fewer points than folds.
///
/// Von Kügelgen et al., *Self-supervised learning with data augmentations provably isolates content
/// from style*, NeurIPS 2021.
pub fn r2(train: Sample<'_>, test: Sample<'_>, regressor: &Regressor) -> Result<R2, MetricError> {
    train.check_same_columns(&test)?;
    let (per_factor, choice) = match regressor {
        Regressor::Linear => (explained(test.factors(), &predict_linearly(train, test)), None),
        Regressor::Kernel(options) => {
            let ([truth, predicted], choice) = predict_with_kernel(train, test, options)?;
            (explained(&truth, &predicted), Some(choice))
        }
    };
    let score = per_factor.iter().sum::<f64>() / per_factor.len() as f64;
    Ok(R2 { score, per_factor, choice })
}

/// [`r2`] of blocks of factors, each predicted by a regression of its own: latents identify a block
/// of content if its R² is near 1 and that of the style near 0.
///
/// `blocks` holds the columns of each block; the result is in their order. Style that depends on
/// content is predicted from it as far as it depends, so its R² need not be 0.
///
/// ```
/// use domino_metrics::{Regressor, Sample, block_r2};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(64, 2, |i, j| ((i >> j) & 1) as f64); // content, style
/// let latents = factors.columns(0, 1).into_owned();
/// let sample = Sample::new(&latents, &factors)?;
/// let r2 = block_r2(sample, sample, &[&[0], &[1]], &Regressor::Linear)?;
/// assert!(r2[0].score > 0.999 && r2[1].score.abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`r2`]; [`MetricError::Empty`] for a block without columns, [`MetricError::Dim`] for one that
/// names a column that does not exist.
pub fn block_r2(
    train: Sample<'_>,
    test: Sample<'_>,
    blocks: &[&[usize]],
    regressor: &Regressor,
) -> Result<Vec<R2>, MetricError> {
    let factors = train.factors().ncols();
    let of_block = |block: &&[usize]| {
        if let Some(&column) = block.iter().find(|&&column| column >= factors) {
            return Err(MetricError::Dim { what: "block", expected: column + 1, got: factors });
        }
        let [seen, unseen] = [train, test].map(|s| s.factors().select_columns(*block));
        r2(Sample::new(train.latents(), &seen)?, Sample::new(test.latents(), &unseen)?, regressor)
    };
    train.check_same_columns(&test)?;
    blocks.iter().map(of_block).collect()
}

/// Share of the variance of each column that predictions explain, 0 for a constant column.
pub(super) fn explained(truth: &DMatrix<f64>, predicted: &DMatrix<f64>) -> Vec<f64> {
    let share = |j: usize| {
        let column = truth.column(j);
        let mean = column.mean();
        let total: f64 = column.iter().map(|y| (y - mean) * (y - mean)).sum();
        // What remains of a constant is rounding.
        let rounding = f64::EPSILON * mean * mean * column.len() as f64;
        if total <= rounding {
            return 0.0;
        }
        let left: f64 =
            column.iter().zip(predicted.column(j).iter()).map(|(y, p)| (y - p) * (y - p)).sum();
        1.0 - left / total
    };
    (0..truth.ncols()).map(share).collect()
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;

    fn noise(n: usize, d: usize, seed: u64) -> DMatrix<f64> {
        let mut rng = Seed(seed).rng(Stream::Data);
        DMatrix::from_fn(n, d, |_, _| rng.random::<f64>())
    }

    const LINEAR: Regressor = Regressor::Linear;

    fn kernel() -> Regressor {
        Regressor::Kernel(KernelRidgeOptions::default())
    }

    #[test]
    fn constant_latents_and_factors_are_defined() {
        let z = noise(60, 2, 0);
        let latents = DMatrix::from_fn(60, 3, |i, j| if j == 2 { 0.1 } else { z[(i, j)] });
        let factors = DMatrix::from_fn(60, 2, |i, j| if j == 1 { -3.3 } else { z[(i, 0)] });
        let sample = Sample::new(&latents, &factors).unwrap();
        for regressor in [LINEAR, kernel()] {
            let scores = r2(sample, sample, &regressor).unwrap();
            assert!(scores.per_factor[0] > 0.98 && scores.per_factor[1].abs() <= 0.0);
        }
        let dead = DMatrix::from_element(60, 1, 2.0);
        let scores = r2(
            Sample::new(&dead, &factors).unwrap(),
            Sample::new(&dead, &factors).unwrap(),
            &LINEAR,
        );
        assert!(scores.unwrap().score.abs() < 1e-12);
    }

    #[test]
    fn fewer_points_than_folds_are_refused() {
        let z = noise(2, 1, 0);
        let sample = Sample::new(&z, &z).unwrap();
        let error = r2(sample, sample, &kernel()).unwrap_err().to_string();
        assert_eq!(error, "points to cross-validate on: expected at least 3, got 2");
        let options = KernelRidgeOptions { alphas: vec![0.0], ..KernelRidgeOptions::default() };
        let error = r2(sample, sample, &Regressor::Kernel(options)).unwrap_err().to_string();
        assert_eq!(error, "option alphas: expected at least one value, all above 0, got 0");
    }

    #[test]
    fn blocks_name_columns_that_exist() {
        let z = noise(10, 2, 0);
        let sample = Sample::new(&z, &z).unwrap();
        assert!(block_r2(sample, sample, &[&[0], &[2]], &LINEAR).is_err());
        assert!(block_r2(sample, sample, &[&[]], &LINEAR).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn affine_maps_of_latents_do_not_change_the_linear_score(seed in 0u64..1000) {
            let (z, map) = (noise(60, 3, seed), noise(3, 3, seed + 1));
            let y = DMatrix::from_fn(60, 2, |i, j| z[(i, j)] * z[(i, j + 1)]);
            let mapped = (&z * (map + DMatrix::identity(3, 3) * 3.0)).add_scalar(5.0);
            let score = |latents: &DMatrix<f64>| {
                let [seen, unseen] =
                    [0, 30].map(|from| [latents.rows(from, 30).into_owned(), y.rows(from, 30).into_owned()]);
                let [seen, unseen] = [&seen, &unseen].map(|[z, y]| Sample::new(z, y).unwrap());
                r2(seen, unseen, &LINEAR).unwrap().score
            };
            prop_assert!((score(&z) - score(&mapped)).abs() < 1e-9);
            prop_assert!(score(&z) <= 1.0);
        }
    }
}
