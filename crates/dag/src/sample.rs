use nalgebra::DMatrix;

use crate::PairCodes;

/// Standardised codes of pairs, with the rows that intervene on each variable.
pub(crate) struct Sample {
    /// Codes before, `[n, d]`, mean 0 and variance 1 per column; constant columns are 0.
    pub(crate) before: DMatrix<f64>,
    /// Codes after in the units of `before`, `[n, d]`.
    pub(crate) after: DMatrix<f64>,
    /// Rows that intervene on each variable; empty where they are too few to learn from.
    pub(crate) rows: Vec<Vec<usize>>,
}

/// Rows per regressor that a linear regression needs to be worth believing.
const ROWS_PER_VARIABLE: usize = 5;

/// Rows that it needs besides.
const FEWEST_ROWS: usize = 20;

impl Sample {
    /// Standardises codes and assigns rows to targets named with at least `least_probability`.
    pub(crate) fn new(codes: &PairCodes, least_probability: f64) -> Self {
        let (mut before, mut after) = (codes.before().clone(), codes.after().clone());
        for k in 0..codes.dim() {
            let (mean, scale) = mean_and_inverse_std(before.column(k).as_slice());
            for side in [&mut before, &mut after] {
                side.column_mut(k).iter_mut().for_each(|v| *v = (*v - mean) * scale);
            }
        }
        let mut rows = vec![Vec::new(); codes.dim()];
        for row in 0..codes.len() {
            let likely = |k: &usize| codes.target_probs()[(row, k + 1)] >= least_probability;
            if let Some(k) = (0..codes.dim()).find(likely)
                && changes_most(&before, &after, row, k)
            {
                rows[k].push(row);
            }
        }
        let fewest = FEWEST_ROWS + ROWS_PER_VARIABLE * codes.dim();
        rows.iter_mut().filter(|rows| rows.len() < fewest).for_each(Vec::clear);
        Self { before, after, rows }
    }

    /// Number of variables.
    pub(crate) fn dim(&self) -> usize {
        self.before.ncols()
    }

    /// New codes of variable `k` in the rows that intervene on it.
    pub(crate) fn response(&self, k: usize) -> Vec<f64> {
        self.rows[k].iter().map(|&row| self.after[(row, k)]).collect()
    }
}

/// Whether code `k` changes, and at least as much as every other: elsewhere the target is named
/// wrongly, and `ẽ_k = e_k` would enter the regression as an outlier.
fn changes_most(before: &DMatrix<f64>, after: &DMatrix<f64>, row: usize, k: usize) -> bool {
    let change = |j: usize| (after[(row, j)] - before[(row, j)]).abs();
    let own = change(k);
    own > 0.0 && (0..before.ncols()).all(|j| change(j) <= own)
}

/// Mean and reciprocal standard deviation; the latter is 0 for a constant.
pub(crate) fn mean_and_inverse_std(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    // Below this, relative to the mean's square, a spread is rounding.
    let floor = 1e-20 * (mean * mean + f64::MIN_POSITIVE);
    (mean, if variance > floor { variance.sqrt().recip() } else { 0.0 })
}
