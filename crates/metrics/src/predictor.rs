use nalgebra::DMatrix;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::gbt::{Columns, GbtClassifier, GbtOptions};
use crate::logistic::{Logistic, LogisticCvOptions, fit_cross_validated};

/// What learns a factor from latents.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predictor {
    /// Logistic regression with cross-validated strength on latents as they are.
    LogisticCv(LogisticCvOptions),
    /// Gradient-boosted trees.
    Gbt(GbtOptions),
}

impl Default for Predictor {
    fn default() -> Self {
        Self::LogisticCv(LogisticCvOptions::default())
    }
}

impl Predictor {
    pub(crate) fn check(&self) -> Result<(), MetricError> {
        match self {
            Self::LogisticCv(options) => options.check(),
            Self::Gbt(options) => options.check(),
        }
    }

    /// Fits classes below `classes`, `[n]`, on latents `[n, D]`.
    pub(crate) fn fit(
        &self,
        latents: &DMatrix<f64>,
        labels: &[usize],
        classes: usize,
        rng: &mut dyn Rng,
    ) -> Result<FittedPredictor, MetricError> {
        Ok(match self {
            Self::LogisticCv(options) => {
                FittedPredictor::Logistic(fit_cross_validated(latents, labels, classes, options))
            }
            Self::Gbt(options) => {
                let columns = Columns::new(latents)?;
                FittedPredictor::Gbt(GbtClassifier::fit(&columns, labels, options, rng)?)
            }
        })
    }
}

pub(crate) enum FittedPredictor {
    Logistic(Logistic),
    Gbt(GbtClassifier),
}

impl FittedPredictor {
    /// The class of every point, `[n]`.
    pub(crate) fn predict(&self, latents: &DMatrix<f64>) -> Result<Vec<usize>, MetricError> {
        match self {
            Self::Logistic(fit) => Ok(fit.predict(latents)),
            Self::Gbt(fit) => fit.predict(&Columns::new(latents)?),
        }
    }
}
