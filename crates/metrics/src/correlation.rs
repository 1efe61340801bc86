use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::Sample;

/// A column whose deviations from its mean are below this share of the mean is constant: what
/// remains is rounding. `SciPy` warns at the same value.
const ROUNDING: f64 = 1e-13;

/// Which correlation of two variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correlation {
    /// Of the values: 1 for affine relations.
    #[default]
    Pearson,
    /// Of the ranks, ties averaged: 1 for monotone relations.
    Spearman,
}

/// Correlation of every factor with every latent, `[K, D]`, with sign; 0 where either is constant.
///
/// ```
/// use domino_metrics::{Correlation, Sample, correlation_matrix};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_column_slice(4, 1, &[1.0, 2.0, 3.0, 4.0]);
/// let latents = DMatrix::from_fn(4, 2, |i, j| if j == 0 { -f64::exp(factors[i]) } else { 0.1 });
/// let sample = Sample::new(&latents, &factors)?;
/// let correlations = correlation_matrix(sample, Correlation::Spearman);
/// assert!((correlations[(0, 0)] + 1.0).abs() < 1e-12);
/// assert_eq!(correlations[(0, 1)], 0.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
pub fn correlation_matrix(sample: Sample<'_>, correlation: Correlation) -> DMatrix<f64> {
    let unit = |m: &DMatrix<f64>| match correlation {
        Correlation::Pearson => {
            let columns: Vec<_> = m.column_iter().map(|c| unit_column(c.into_owned())).collect();
            DMatrix::from_columns(&columns)
        }
        Correlation::Spearman => unit_ranks(m),
    };
    unit(sample.factors()).tr_mul(&unit(sample.latents())).map(|c| c.clamp(-1.0, 1.0))
}

/// The ranks of every column, ties averaged, moved to mean 0 and scaled to length 1; zeros for a
/// constant column.
pub(crate) fn unit_ranks(m: &DMatrix<f64>) -> DMatrix<f64> {
    let columns: Vec<_> =
        m.column_iter().map(|column| unit_column(ranks(&column.into_owned()))).collect();
    DMatrix::from_columns(&columns)
}

/// The column moved to mean 0 and scaled to length 1; zeros if it is constant.
fn unit_column(mut column: DVector<f64>) -> DVector<f64> {
    let n = column.len() as f64;
    // Dividing first keeps the sum of large values finite.
    let scale = column.amax();
    if scale <= 0.0 {
        return column;
    }
    column /= scale;
    let mean = column.sum() / n;
    column.add_scalar_mut(-mean);
    let length = column.norm();
    if length <= ROUNDING * mean.abs() * n.sqrt() { column * 0.0 } else { column / length }
}

/// Ranks from 1, ties averaged.
pub(crate) fn ranks(values: &DVector<f64>) -> DVector<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = DVector::zeros(values.len());
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a] >= values[b]) {
        // Ranks start + 1 to start + len, of which this is the mean.
        let rank = start as f64 + (tied.len() + 1) as f64 / 2.0;
        for &i in tied {
            ranks[i] = rank;
        }
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these scores are exact by definition")]
mod tests {
    use super::*;

    #[test]
    fn tied_ranks_are_averaged() {
        let values = DVector::from_column_slice(&[3.0, 1.0, 3.0, -0.0, 0.0, 3.0]);
        assert_eq!(ranks(&values).as_slice(), [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]);
    }

    #[test]
    fn the_correlation_of_a_known_example() {
        // Means 2 and 3, deviations (-1, 0, 1) and (-2, 1, 1): 3 / sqrt(2 · 6).
        let factors = DMatrix::from_column_slice(3, 1, &[1.0, 2.0, 3.0]);
        let latents = DMatrix::from_column_slice(3, 1, &[1.0, 4.0, 4.0]);
        let sample = Sample::new(&latents, &factors).unwrap();
        let pearson = correlation_matrix(sample, Correlation::Pearson)[0];
        assert!((pearson - 3.0 / 12f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn constants_correlate_with_nothing_however_they_round() {
        let factors = DMatrix::from_fn(7, 1, |i, _| i as f64);
        for constant in [0.0, 0.1, -1e300, 1e-300] {
            let latents = DMatrix::from_element(7, 1, constant);
            let sample = Sample::new(&latents, &factors).unwrap();
            assert_eq!(correlation_matrix(sample, Correlation::Pearson)[0], 0.0);
        }
    }
}
