use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::distance::{FactorKind, distances, factor_distance, most_likely};
use crate::sample::{check_dim, check_matrix};
use crate::{Correlation, MetricError, Sample, correlation_matrix};

/// A factor and what each latent group predicts of it on the same points.
#[derive(Clone, Copy, Debug)]
pub struct PredictedFactor<'a> {
    /// What values it takes.
    pub kind: FactorKind,
    /// True values, `[n]`.
    pub truth: &'a [f64],
    /// Predictions of each group, `[n, width]`.
    pub by_group: &'a [DMatrix<f64>],
}

/// How well each latent group predicts each factor; rows are groups, columns factors, `[G, K]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupScores {
    /// `1 − Σ d² / Σ d₀²` with the normalised distance `d` of the prediction and `d₀` of the best
    /// constant: mean, circular mean or most frequent class. At most 1; 0 for a constant factor.
    #[serde(with = "crate::rows")]
    pub r2: DMatrix<f64>,
    /// Spearman correlation of prediction and truth, the mean of those of sine and cosine for an
    /// angle, of class indices for classes; 0 where either is constant. From −1 to 1.
    #[serde(with = "crate::rows")]
    pub spearman: DMatrix<f64>,
    /// Mean distance in the factor's units.
    #[serde(with = "crate::rows")]
    pub distance: DMatrix<f64>,
    /// Mean normalised distance.
    #[serde(with = "crate::rows")]
    pub normalised_distance: DMatrix<f64>,
    /// Diagonal and off-diagonal of `r2`.
    pub r2_summary: Option<DiagonalSummary>,
    /// Diagonal and off-diagonal of `spearman`.
    pub spearman_summary: Option<DiagonalSummary>,
}

/// How far a matrix of groups by factors is diagonal; a further row, of the latents that belong to no
/// factor, is left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiagonalSummary {
    /// Mean of the diagonal; higher is better.
    pub diag: f64,
    /// Mean over rows of the largest other entry, with sign; lower is better. Nothing for one
    /// factor.
    pub sep: Option<f64>,
}

impl DiagonalSummary {
    /// Nothing unless there are as many groups as factors, or one more.
    fn new(matrix: &DMatrix<f64>) -> Option<Self> {
        let (groups, factors) = matrix.shape();
        if groups != factors && groups != factors + 1 {
            return None;
        }
        let all = 0..factors;
        let largest_other = |i: usize| {
            let others = all.clone().filter(|&j| j != i).map(|j| matrix[(i, j)]);
            others.fold(f64::NEG_INFINITY, f64::max)
        };
        let mean = |sum: f64| sum / factors as f64;
        let sep = (factors > 1).then(|| mean(all.clone().map(largest_other).sum()));
        Some(Self { diag: mean(all.clone().map(|i| matrix[(i, i)]).sum()), sep })
    }
}

/// R² and Spearman matrices of given predictions, on points that no predictor was fitted on.
///
/// It does not see more than the predictors can extract. A group is identified with the factor of
/// its row, so that groups are to be given in the order of the factors.
///
/// ```
/// use domino_metrics::{FactorKind, PredictedFactor, score_predictions};
/// use nalgebra::DMatrix;
///
/// let truth = [0.0, 1.0, 2.0];
/// let exact = DMatrix::from_column_slice(3, 1, &truth);
/// let kind = FactorKind::Continuous { range: 2.0 };
/// let factor = PredictedFactor { kind, truth: &truth, by_group: &[exact] };
/// assert_eq!(score_predictions(&[factor])?.r2[0], 1.0);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// As [`factor_distance`](crate::factor_distance); [`MetricError::Empty`] without factor or group,
/// [`MetricError::Dim`] if factors have predictions of different numbers of groups.
///
/// Lippe et al., *CITRIS*, ICML 2022, appendix C; *iCITRIS*, ICLR 2023.
pub fn score_predictions(factors: &[PredictedFactor<'_>]) -> Result<GroupScores, MetricError> {
    let groups = factors.first().map_or(0, |f| f.by_group.len());
    if groups == 0 {
        return Err(MetricError::Empty { what: "predictions", rows: groups, cols: factors.len() });
    }
    let blank = DMatrix::zeros(groups, factors.len());
    let [mut r2, mut spearman, mut distance, mut normalised_distance] =
        [blank.clone(), blank.clone(), blank.clone(), blank];
    for (j, factor) in factors.iter().enumerate() {
        check_dim("groups", groups, factor.by_group.len())?;
        for (g, predicted) in factor.by_group.iter().enumerate() {
            let mean = factor_distance(factor.kind, factor.truth, predicted)?;
            distance[(g, j)] = mean.mean;
            normalised_distance[(g, j)] = mean.normalised;
            r2[(g, j)] = r_squared(factor.kind, factor.truth, predicted);
            spearman[(g, j)] = rank_correlation(factor.kind, factor.truth, predicted)?;
        }
    }
    Ok(GroupScores {
        r2_summary: DiagonalSummary::new(&r2),
        spearman_summary: DiagonalSummary::new(&spearman),
        r2,
        spearman,
        distance,
        normalised_distance,
    })
}

fn r_squared(kind: FactorKind, truth: &[f64], predicted: &DMatrix<f64>) -> f64 {
    let best = best_constant(kind, truth);
    let constant = DMatrix::from_fn(truth.len(), best.len(), |_, j| best[j]);
    let squares = |predicted| distances(kind, truth, predicted).iter().map(|d| d * d).sum::<f64>();
    let unexplained = squares(&constant);
    // What remains of a constant factor is rounding.
    if unexplained <= f64::EPSILON * truth.len() as f64 {
        return 0.0;
    }
    1.0 - squares(predicted) / unexplained
}

/// The mean of the encoded values, whose direction is the circular mean and whose largest entry the
/// most frequent class.
fn best_constant(kind: FactorKind, truth: &[f64]) -> Vec<f64> {
    let mut mean = vec![0.0; kind.width()];
    for &value in truth {
        for (sum, part) in mean.iter_mut().zip(kind.encode(value)) {
            *sum += part / truth.len() as f64;
        }
    }
    mean
}

fn rank_correlation(
    kind: FactorKind,
    truth: &[f64],
    predicted: &DMatrix<f64>,
) -> Result<f64, MetricError> {
    let n = truth.len();
    let row = |i: usize| predicted.row(i).iter().copied().collect::<Vec<f64>>();
    let (known, said) = match kind {
        FactorKind::Continuous { .. } => {
            (DMatrix::from_column_slice(n, 1, truth), predicted.clone())
        }
        FactorKind::Categorical { .. } => {
            let classes = (0..n).map(|i| most_likely(&row(i)) as f64);
            let classes = DVector::from_iterator(n, classes);
            (DMatrix::from_column_slice(n, 1, truth), DMatrix::from_columns(&[classes]))
        }
        FactorKind::Angle => {
            let known = DMatrix::from_fn(n, 2, |i, j| kind.encode(truth[i])[j]);
            let length = |i: usize| predicted.row(i).norm();
            let unit =
                |i: usize, j| if length(i) > 0.0 { predicted[(i, j)] / length(i) } else { 0.0 };
            (known, DMatrix::from_fn(n, 2, unit))
        }
    };
    check_matrix("prediction", &said)?;
    let correlations = correlation_matrix(Sample::new(&said, &known)?, Correlation::Spearman);
    Ok(correlations.diagonal().mean())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_predictions_and_factors_score_zero() {
        let kind = FactorKind::Continuous { range: 1.0 };
        let flat = [DMatrix::from_element(4, 1, 0.25)];
        let live = [0.0, 0.5, 0.25, 0.25];
        let dead = [0.3; 4];
        let score = |truth| {
            let scores =
                score_predictions(&[PredictedFactor { kind, truth, by_group: &flat }]).unwrap();
            [scores.r2[0], scores.spearman[0]]
        };
        assert!(score(&live).iter().chain(&score(&dead)).all(|s| s.abs() < 1e-12));
    }

    #[test]
    fn the_summary_leaves_out_the_row_of_no_variable() {
        let matrix = DMatrix::from_row_slice(3, 2, &[1.0, 0.25, -0.5, 0.5, 9.0, 9.0]);
        let summary = DiagonalSummary::new(&matrix).unwrap();
        assert!((summary.diag - 0.75).abs() < 1e-12);
        assert!((summary.sep.unwrap() + 0.125).abs() < 1e-12);
        assert_eq!(DiagonalSummary::new(&matrix.transpose()), None);
        assert_eq!(DiagonalSummary::new(&DMatrix::identity(1, 1)).unwrap().sep, None);
    }
}
