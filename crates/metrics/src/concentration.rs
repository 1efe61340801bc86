use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::sample::check_matrix;

/// How far each row of an importance matrix is concentrated on one entry, and the mean over rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concentration {
    /// `Σ_i weights_i · parts_i`, in `[0, 1]`.
    pub score: f64,
    /// One minus the entropy of each row over the entropy of the uniform distribution.
    pub parts: Vec<f64>,
    /// Share of each row in the total importance; they sum to 1.
    pub weights: Vec<f64>,
}

/// Disentanglement of an importance matrix `[D, K]` of codes for factors:
/// `D = Σ_i ρ_i (1 − H(p_i) / ln K)` with `p_ij = (R_ij + ε) / Σ_j (R_ij + ε)` and
/// `ρ_i = Σ_j R_ij / Σ R`.
///
/// It is 1 where every code that matters matters for one factor only. Conventions: where all
/// importances are 0, weights are uniform and the score is 0; with a single factor, a code that
/// matters at all counts 1 and any other 0.
///
/// ```
/// use domino_metrics::{completeness, disentanglement};
/// use nalgebra::DMatrix;
///
/// // The first code serves one factor, the second serves two.
/// let importance = DMatrix::from_row_slice(2, 3, &[1.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
/// let d = disentanglement(&importance, 0.0)?;
/// assert_eq!(d.weights, [0.5, 0.5]);
/// assert!((d.parts[1] - (1.0 - 2.0_f64.ln() / 3.0_f64.ln())).abs() < 1e-12);
/// assert_eq!(completeness(&importance, 0.0)?.score, 1.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::NotFinite`] or [`MetricError::Range`] if the matrix is
/// empty or an importance is not finite or below 0.
///
/// Eastwood & Williams, *A framework for the quantitative evaluation of disentangled
/// representations*, ICLR 2018, section 2.
pub fn disentanglement(
    importance: &DMatrix<f64>,
    smoothing: f64,
) -> Result<Concentration, MetricError> {
    check_importance(importance)?;
    Ok(concentration(importance, smoothing))
}

/// Completeness of an importance matrix `[D, K]` of codes for factors:
/// `C = Σ_j w_j (1 − H(p_j) / ln D)` with `p_ij = (R_ij + ε) / Σ_i (R_ij + ε)` and
/// `w_j = Σ_i R_ij / Σ R`: the [`disentanglement`] of the transpose, under the same conventions.
///
/// It is 1 where every factor is captured by one code only.
///
/// # Errors
/// As [`disentanglement`].
///
/// Eastwood & Williams 2018, section 2; weighted by factor as the public code of Locatello et al.
/// 2019 does.
pub fn completeness(
    importance: &DMatrix<f64>,
    smoothing: f64,
) -> Result<Concentration, MetricError> {
    check_importance(importance)?;
    Ok(concentration(&importance.transpose(), smoothing))
}

fn check_importance(importance: &DMatrix<f64>) -> Result<(), MetricError> {
    check_matrix("importance", importance)?;
    let Some(at) = importance.iter().position(|&v| v < 0.0) else { return Ok(()) };
    let (row, col) = (at % importance.nrows(), at / importance.nrows());
    let value = importance[(row, col)];
    Err(MetricError::Range { what: "importance", row, col, expected: "at least 0", value })
}

fn concentration(importance: &DMatrix<f64>, smoothing: f64) -> Concentration {
    let parts: Vec<f64> = importance
        .row_iter()
        .map(|row| row_concentration(&row.iter().copied().collect::<Vec<_>>(), smoothing))
        .collect();
    let total = importance.sum();
    let uniform = 1.0 / importance.nrows() as f64;
    let weight = |row: f64| if total > 0.0 { row / total } else { uniform };
    let weights: Vec<f64> = importance.row_iter().map(|row| weight(row.sum())).collect();
    let score = parts.iter().zip(&weights).map(|(part, weight)| part * weight).sum();
    Concentration { score, parts, weights }
}

fn row_concentration(row: &[f64], smoothing: f64) -> f64 {
    if row.iter().all(|&v| v <= 0.0) {
        return 0.0;
    }
    if row.len() == 1 {
        return 1.0;
    }
    let total: f64 = row.iter().map(|v| v + smoothing).sum();
    let shares = row.iter().map(|v| (v + smoothing) / total);
    let entropy: f64 = -shares.filter(|&p| p > 0.0).map(|p| p * p.ln()).sum::<f64>();
    1.0 - entropy / (row.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EPS: f64 = 1e-11;

    fn identity(d: usize) -> DMatrix<f64> {
        DMatrix::identity(d, d)
    }

    /// `copies` identity matrices one below the other.
    fn stacked(d: usize, copies: usize) -> DMatrix<f64> {
        DMatrix::from_fn(d * copies, d, |i, j| f64::from(u8::from(i % d == j)))
    }

    fn scores(importance: &DMatrix<f64>) -> [f64; 2] {
        [disentanglement(importance, EPS), completeness(importance, EPS)].map(|c| c.unwrap().score)
    }

    fn assert_scores(importance: &DMatrix<f64>, expected: [f64; 2]) {
        let got = scores(importance);
        for (got, expected) in got.iter().zip(expected) {
            // The smoothing moves an entropy by about its size times its logarithm.
            assert!((got - expected).abs() < 1e-8, "{got} is not {expected}");
        }
    }

    #[test]
    fn one_code_per_factor_scores_one() {
        assert_scores(&identity(10), [1.0, 1.0]);
    }

    #[test]
    fn no_importance_scores_zero_under_uniform_weights() {
        let nothing = DMatrix::zeros(10, 10);
        assert_scores(&nothing, [0.0, 0.0]);
        assert_eq!(disentanglement(&nothing, EPS).unwrap().weights, [0.1; 10]);
    }

    #[test]
    fn redundant_codes_cost_completeness_only() {
        assert_scores(&stacked(5, 2), [1.0, 1.0 - 2f64.ln() / 10f64.ln()]);
    }

    #[test]
    fn one_code_for_two_factors_costs_disentanglement_only() {
        assert_scores(&stacked(5, 2).transpose(), [1.0 - 2f64.ln() / 10f64.ln(), 1.0]);
    }

    #[test]
    fn missed_factors_and_dead_codes_cost_nothing() {
        let missed = identity(5).columns(0, 2).into_owned();
        assert_scores(&missed, [1.0, 1.0]);
        assert_scores(&missed.transpose(), [1.0, 1.0]);
    }

    #[test]
    fn a_single_factor_or_code_is_defined() {
        let one_factor = DMatrix::from_column_slice(2, 1, &[0.5, 0.5]);
        assert_scores(&one_factor, [1.0, 0.0]);
        assert_scores(&one_factor.transpose(), [0.0, 1.0]);
        assert_scores(&DMatrix::from_element(1, 1, 0.3), [1.0, 1.0]);
        assert_scores(&DMatrix::zeros(3, 1), [0.0, 0.0]);
    }

    #[test]
    fn a_negative_importance_is_refused() {
        let mut importance = identity(3);
        importance[(2, 1)] = -0.5;
        let error = disentanglement(&importance, EPS).unwrap_err().to_string();
        assert_eq!(error, "importance[2, 1]: expected at least 0, got -0.5");
    }

    proptest! {
        #[test]
        fn permuting_codes_and_factors_changes_nothing(
            entries in prop::collection::vec(0.0..1.0f64, 12),
            codes in Just([0usize, 1, 2, 3]).prop_shuffle(),
            factors in Just([0usize, 1, 2]).prop_shuffle(),
        ) {
            let importance = DMatrix::from_row_slice(4, 3, &entries);
            let permuted = DMatrix::from_fn(4, 3, |i, j| importance[(codes[i], factors[j])]);
            for (a, b) in scores(&importance).into_iter().zip(scores(&permuted)) {
                prop_assert!((a - b).abs() < 1e-12);
                prop_assert!((0.0..=1.0).contains(&a));
            }
        }
    }
}
