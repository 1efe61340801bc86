use nalgebra::DMatrix;

use crate::PairCodes;
use crate::least_squares::LeastSquares;

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

/// A code that changes by less than this, in standard deviations, hardly does.
const STILL: f64 = 0.5;

/// Standard deviations from its prediction beyond which a code is far from it.
const FAR: f64 = 8.0;

/// Times that wrongly named rows are looked for; without one the look is the last.
const CULLS: usize = 10;

/// Standard deviation of a normal law over the median of the sizes.
const MEDIAN_TO_DEVIATION: f64 = 1.4826;

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
        for (k, rows) in rows.iter_mut().enumerate() {
            *rows = rightly_named([&before, &after], k, rows);
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

/// The rows, out of some that are said to intervene on variable `k`, without those that do not look
/// like it: the code `k` hardly changes, and is far from what the codes before predict in the others.
///
/// Codes `[n, d]` before and after. An intervention on another variable that changed nearly nothing is
/// easily named wrongly. Where causes of `k` are strong, its own interventions change its code by the
/// more, and one such row rules a regression of a thousand.
///
/// # Panics
/// If `k` or a row does not exist.
pub fn rightly_named([before, after]: [&DMatrix<f64>; 2], k: usize, rows: &[usize]) -> Vec<usize> {
    let mut kept = rows.to_vec();
    let spread = before.column(k).variance().sqrt();
    let is_still = |row: usize| (after[(row, k)] - before[(row, k)]).abs() < STILL * spread;
    let others: Vec<usize> = (0..before.ncols()).filter(|&j| j != k).collect();
    if others.is_empty() || !kept.iter().any(|&row| is_still(row)) {
        return kept;
    }
    for _ in 0..CULLS {
        if kept.len() < FEWEST_ROWS + ROWS_PER_VARIABLE * before.ncols() {
            break;
        }
        let mut codes =
            DMatrix::from_fn(kept.len(), others.len(), |r, c| before[(kept[r], others[c])]);
        let response: Vec<f64> = kept.iter().map(|&row| after[(row, k)]).collect();
        let residuals = LeastSquares::fit(&mut codes, &response).residuals;
        let limit = FAR * typical_size(residuals.as_slice());
        let is_right = |at: usize| residuals[at].abs() <= limit || !is_still(kept[at]);
        let right: Vec<usize> = (0..kept.len()).filter(|&at| is_right(at)).collect();
        if right.len() == kept.len() {
            break;
        }
        kept = right.into_iter().map(|at| kept[at]).collect();
    }
    kept
}

/// The standard deviation of normal numbers, from the median of their sizes.
fn typical_size(values: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    *median * MEDIAN_TO_DEVIATION
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

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    /// `z₂ = 10⁴ e₁ + e₂` under interventions on the second variable, in `n` rows.
    fn steep(n: usize) -> [DMatrix<f64>; 2] {
        let mut rng = Seed(5).rng(Stream::Data);
        let before = DMatrix::from_fn(n, 2, |_, _| rng.random_range(-1.7..1.7));
        let mut after = before.clone();
        for row in 0..n {
            after[(row, 1)] = rng.random_range(-1.7..1.7) - 1e4 * before[(row, 0)];
        }
        [before, after]
    }

    #[test]
    fn rows_that_changed_nothing_are_left_out() {
        let [before, mut after] = steep(200);
        let rows: Vec<usize> = (0..200).collect();
        assert_eq!(rightly_named([&before, &after], 1, &rows), rows);
        for wrong in [3, 70, 71] {
            after[(wrong, 1)] = before[(wrong, 1)] + 0.01;
        }
        let kept = rightly_named([&before, &after], 1, &rows);
        assert!([3, 70, 71].iter().all(|wrong| !kept.contains(wrong)), "{kept:?}");
        assert_eq!(kept.len(), 197);
    }

    #[test]
    fn outliers_that_did_change_stay() {
        let [before, mut after] = steep(200);
        after[(9, 1)] += 1e6;
        let rows: Vec<usize> = (0..200).collect();
        assert_eq!(rightly_named([&before, &after], 1, &rows), rows);
    }
}
