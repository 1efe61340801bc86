use std::f64::consts::PI;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::sample::{check_dim, check_matrix};

/// Below this length a predicted angle points nowhere; PyTorch's cosine similarity has the same.
const SHORTEST: f64 = 1e-8;

/// Cosines nearer to 1 than this, angles below 0.03 degrees, count as exact; the published value.
const EXACT: f64 = 1e-7;

/// What values a factor takes, and so how a prediction of it looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// A number; predictions are `[n, 1]`.
    Continuous {
        /// Length of the interval of its values, above 0.
        range: f64,
    },
    /// An angle in radians; predictions are `[n, 2]`, sine and cosine of any common length.
    Angle,
    /// A class from `0` to `values − 1`; predictions are `[n, values]`, the largest entry wins.
    Categorical {
        /// Number of classes, at least 1.
        values: usize,
    },
}

impl FactorKind {
    /// Columns of a prediction.
    pub fn width(self) -> usize {
        match self {
            Self::Continuous { .. } => 1,
            Self::Angle => 2,
            Self::Categorical { values } => values,
        }
    }

    /// One prediction as a row of regression targets: the value, sine and cosine, or one-hot.
    pub(super) fn encode(self, value: f64) -> Vec<f64> {
        match self {
            Self::Continuous { .. } => vec![value],
            Self::Angle => vec![value.sin(), value.cos()],
            Self::Categorical { values } => {
                (0..values).map(|k| f64::from(u8::from(k == value as usize))).collect()
            }
        }
    }

    /// Normalised distance of a prediction from the truth, from 0; at most 1 for angles and classes.
    pub(super) fn distance(self, predicted: &[f64], truth: f64) -> f64 {
        match self {
            Self::Continuous { range } => (predicted[0] - truth).abs() / range,
            Self::Angle => {
                let length = predicted[0].hypot(predicted[1]).max(SHORTEST);
                let cosine = (predicted[0] * truth.sin() + predicted[1] * truth.cos()) / length;
                if cosine > 1.0 - EXACT { 0.0 } else { cosine.max(EXACT - 1.0).acos() / PI }
            }
            Self::Categorical { .. } => {
                f64::from(u8::from(most_likely(predicted) != truth as usize))
            }
        }
    }

    /// The normalised distance's unit: the range, 180 degrees, or one class.
    fn unit(self) -> f64 {
        match self {
            Self::Continuous { range } => range,
            Self::Angle => 180.0,
            Self::Categorical { .. } => 1.0,
        }
    }

    pub(super) fn check(self, truth: &[f64]) -> Result<(), MetricError> {
        const WHAT: &str = "factor";
        if let Self::Continuous { range } = self
            && !(range > 0.0 && range.is_finite())
        {
            let expected = "a finite length above 0";
            return Err(MetricError::Option { name: "range", expected, value: range });
        }
        for (row, &value) in truth.iter().enumerate() {
            if !value.is_finite() {
                return Err(MetricError::NotFinite { what: WHAT, row, col: 0, value });
            }
            if let Self::Categorical { values } = self
                && !(value >= 0.0 && value < values as f64 && value.fract().abs() <= 0.0)
            {
                let expected = "a class from 0 to values - 1";
                return Err(MetricError::Range { what: WHAT, row, col: 0, expected, value });
            }
        }
        Ok(())
    }

    pub(super) fn check_prediction(
        self,
        truth: &[f64],
        predicted: &DMatrix<f64>,
    ) -> Result<(), MetricError> {
        const WHAT: &str = "prediction";
        check_matrix(WHAT, predicted)?;
        check_dim(WHAT, self.width(), predicted.ncols())?;
        let (expected, got) = (truth.len(), predicted.nrows());
        if expected == got { Ok(()) } else { Err(MetricError::Rows { what: WHAT, expected, got }) }
    }
}

/// The first of the largest entries.
pub(super) fn most_likely(predicted: &[f64]) -> usize {
    (1..predicted.len()).fold(0, |best, k| if predicted[k] > predicted[best] { k } else { best })
}

/// Mean distance of predictions from the truth; lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorDistance {
    /// In the factor's units: degrees for an angle, share of wrong classes.
    pub mean: f64,
    /// Divided by the range, by 180 degrees or by 1.
    pub normalised: f64,
}

/// Mean distance of predictions, `[n, width]`, from a factor's true values, `[n]`.
///
/// Continuous: `|ŷ − y| / range`; angle: the angle between the predicted and the true direction over
/// π, 0 if below 0.03 degrees, 0.5 for a prediction of length 0; categorical: share of predictions whose largest entry is not
/// the true class. Angles wrap around: it does not see full turns.
///
/// ```
/// use domino_metrics::{FactorKind, factor_distance};
/// use nalgebra::DMatrix;
///
/// let north = DMatrix::from_row_slice(1, 2, &[0.0, 3.0]);
/// let east = factor_distance(FactorKind::Angle, &[std::f64::consts::FRAC_PI_2], &north)?;
/// assert!((east.mean - 90.0).abs() < 1e-9 && (east.normalised - 0.5).abs() < 1e-12);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Rows`] or [`MetricError::Dim`] if the prediction has another shape,
/// [`MetricError::NotFinite`] or [`MetricError::Range`] for a value that is not of the kind,
/// [`MetricError::Option`] for a range that is not above 0.
///
/// Lippe et al., *CITRIS: causal identifiability from temporal intervened sequences*, ICML 2022.
pub fn factor_distance(
    kind: FactorKind,
    truth: &[f64],
    predicted: &DMatrix<f64>,
) -> Result<FactorDistance, MetricError> {
    kind.check(truth)?;
    kind.check_prediction(truth, predicted)?;
    let distances = distances(kind, truth, predicted);
    let normalised = distances.iter().sum::<f64>() / distances.len() as f64;
    Ok(FactorDistance { mean: normalised * kind.unit(), normalised })
}

/// Normalised distance at each point.
pub(super) fn distances(kind: FactorKind, truth: &[f64], predicted: &DMatrix<f64>) -> Vec<f64> {
    let row = |i: usize| predicted.row(i).iter().copied().collect::<Vec<f64>>();
    truth.iter().enumerate().map(|(i, &y)| kind.distance(&row(i), y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let classes = FactorKind::Categorical { values: 3 };
        let two = DMatrix::zeros(2, 3);
        let text = |kind, truth: &[f64], predicted: &DMatrix<f64>| {
            factor_distance(kind, truth, predicted).unwrap_err().to_string()
        };
        assert_eq!(
            text(classes, &[0.0, 3.0], &two),
            "factor[1, 0]: expected a class from 0 to values - 1, got 3"
        );
        assert_eq!(
            text(FactorKind::Angle, &[0.0, 1.0], &two),
            "prediction: expected 2 variables, got 3"
        );
        let range = FactorKind::Continuous { range: 0.0 };
        assert!(text(range, &[0.0], &DMatrix::zeros(1, 1)).starts_with("option range"));
    }

    #[test]
    fn an_angle_without_direction_is_half_way_off() {
        let nowhere = DMatrix::zeros(1, 2);
        let distance = factor_distance(FactorKind::Angle, &[1.0], &nowhere).unwrap();
        assert!((distance.normalised - 0.5).abs() < 1e-12);
    }
}
