use thiserror::Error;

use crate::MetricError;

/// Why a metric, or a part of one, has no value.
#[derive(Clone, Debug, PartialEq, Error)]
pub(super) enum Reason {
    #[error("needs {part}, which {holder} lacks")]
    Needs { part: &'static str, holder: &'static str },
    #[error("undefined where {0}")]
    Undefined(&'static str),
    #[error("needs an acyclic graph of the edges believed in: {0}")]
    Cyclic(MetricError),
    #[error(transparent)]
    Metric(#[from] MetricError),
}

impl Reason {
    pub(super) fn prediction_lacks(part: &'static str) -> Self {
        Self::Needs { part, holder: "the prediction" }
    }

    pub(super) fn truth_lacks(part: &'static str) -> Self {
        Self::Needs { part, holder: "the truth" }
    }
}
