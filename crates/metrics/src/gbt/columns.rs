use nalgebra::DMatrix;

use crate::MetricError;
use crate::sample::check_matrix;

/// Two neighbouring values of a feature are told apart only if they differ by more than this; the
/// value is scikit-learn's, and like there the comparison is made in single precision.
pub(crate) const SMALLEST_GAP: f32 = 1e-7;

/// The features of a tree ensemble: columns in single precision, each with its points in ascending
/// order.
///
/// The sort is the costly part and depends on the features only, so that one `Columns` serves all
/// regressions on the same latents.
#[derive(Clone, Debug)]
pub struct Columns {
    values: Vec<Vec<f32>>,
    /// Point indices of every column in ascending order of its values; ties by index.
    orders: Vec<Vec<u32>>,
    /// Columns that are not constant.
    splittable: Vec<usize>,
}

impl Columns {
    /// The columns of a matrix of features `[n, D]`.
    ///
    /// # Errors
    /// [`MetricError::Empty`] if there is no entry, [`MetricError::NotFinite`] for the first value
    /// that is not finite in single precision.
    pub fn new(features: &DMatrix<f64>) -> Result<Self, MetricError> {
        check_matrix("latents", features)?;
        let values: Vec<Vec<f32>> =
            features.column_iter().map(|c| c.iter().map(|&v| v as f32).collect()).collect();
        for (col, column) in values.iter().enumerate() {
            if let Some(row) = column.iter().position(|v| !v.is_finite()) {
                let value = features[(row, col)];
                return Err(MetricError::NotFinite { what: "latents", row, col, value });
            }
        }
        let orders: Vec<Vec<u32>> = values.iter().map(|column| ascending(column)).collect();
        let splittable = (0..values.len()).filter(|&j| varies(&values[j], &orders[j])).collect();
        Ok(Self { values, orders, splittable })
    }

    /// Number of points `n`.
    pub fn len(&self) -> usize {
        self.values[0].len()
    }

    /// Whether there is no point; never so for a value in hand.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of features `D`.
    pub fn dim(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn values(&self, feature: usize) -> &[f32] {
        &self.values[feature]
    }

    pub(crate) fn orders(&self) -> &[Vec<u32>] {
        &self.orders
    }

    pub(crate) fn splittable(&self) -> &[usize] {
        &self.splittable
    }
}

fn ascending(column: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..column.len() as u32).collect();
    order.sort_by(|&a, &b| column[a as usize].total_cmp(&column[b as usize]));
    order
}

fn varies(column: &[f32], order: &[u32]) -> bool {
    let ends = order.first().zip(order.last());
    ends.is_some_and(|(&low, &high)| column[high as usize] > column[low as usize] + SMALLEST_GAP)
}
