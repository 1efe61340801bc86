use serde::{Deserialize, Serialize};

/// Share of points whose class is predicted rightly, in `[0, 1]`; higher is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Mean over the factors.
    pub mean: f64,
    /// Smallest over the factors.
    pub min: f64,
    /// Accuracy for each factor, `[K]`.
    pub per_factor: Vec<f64>,
}

impl Accuracy {
    pub(crate) fn new(per_factor: Vec<f64>) -> Self {
        let min = per_factor.iter().copied().fold(1.0, f64::min);
        Self { mean: mean(&per_factor), min, per_factor }
    }
}

/// Share of predictions that hit their label; a point without a known class is missed.
pub(crate) fn share_right(
    predicted: &[usize],
    labels: impl IntoIterator<Item = Option<usize>>,
) -> f64 {
    let right = predicted.iter().zip(labels).filter(|&(&p, l)| l == Some(p)).count();
    right as f64 / predicted.len() as f64
}

/// Mean of a list that is not empty.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
