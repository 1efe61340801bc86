use nalgebra::{DMatrix, DVector};

/// A column whose deviations from its mean are below this share of the mean is constant: what
/// remains is rounding.
const ROUNDING: f64 = 1e-13;

/// Moves columns to mean 0 and standard deviation 1, as they are on the points it was fitted on;
/// a column that is constant there becomes 0 there and is not scaled.
#[derive(Clone, Debug)]
pub(super) struct Standardiser {
    mean: DVector<f64>,
    scale: DVector<f64>,
    is_constant: Vec<bool>,
}

impl Standardiser {
    pub(super) fn fit(m: &DMatrix<f64>) -> Self {
        let mean = m.row_mean().transpose();
        let deviations = m.column_iter().zip(mean.iter()).map(|(column, mean)| {
            (column.map(|v| (v - mean) * (v - mean)).sum() / column.len() as f64).sqrt()
        });
        let deviations: Vec<f64> = deviations.collect();
        let rounds_to_zero = |(s, mean): (&f64, &f64)| *s <= ROUNDING * mean.abs();
        let is_constant: Vec<bool> = deviations.iter().zip(&mean).map(rounds_to_zero).collect();
        let scale = deviations.iter().zip(&is_constant).map(|(s, c)| if *c { 1.0 } else { *s });
        Self { scale: DVector::from_iterator(mean.len(), scale), mean, is_constant }
    }

    /// Standardised columns.
    pub(super) fn apply(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        DMatrix::from_fn(m.nrows(), m.ncols(), |i, j| (m[(i, j)] - self.mean[j]) / self.scale[j])
    }

    /// What [`Self::apply`] took these columns from.
    pub(super) fn undo(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        DMatrix::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] * self.scale[j] + self.mean[j])
    }

    /// Standardised columns, those that were constant left out as 0.
    pub(super) fn apply_live(&self, m: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out = self.apply(m);
        for (mut column, _) in out.column_iter_mut().zip(&self.is_constant).filter(|(_, c)| **c) {
            column.fill(0.0);
        }
        out
    }
}
