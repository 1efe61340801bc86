//! Which latent groups predict which factors, as CITRIS measures it.

mod distance;
mod predictor;
mod scores;
mod triplets;

pub use distance::{FactorDistance, FactorKind, factor_distance};
pub use predictor::{Factors, group_scores};
pub use scores::{DiagonalSummary, GroupScores, PredictedFactor, score_predictions};
pub use triplets::{ReadFactors, Triplets, triplet_distance};
