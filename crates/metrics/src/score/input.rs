use domino_core::{Dag, Embedding, GroundTruth, InterventionTarget};
use nalgebra::DMatrix;

use crate::MetricError;

/// What a model says of points; any part may be missing. Rows are points, as in the truth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prediction<'a> {
    /// Latents, of the observation before the intervention where there are pairs, `[n, D]`.
    pub latents: Option<&'a DMatrix<f64>>,
    /// Latents of the observation after it, `[n, D]`.
    pub latents_after: Option<&'a DMatrix<f64>>,
    /// Noise encodings, `[n, D]`.
    pub noise: Option<&'a DMatrix<f64>>,
    /// Posterior over intervention targets, `[n, D + 1]`; column 0 is none.
    pub target_probs: Option<&'a DMatrix<f64>>,
    /// Probability that each latent was set, where several may have been at once, `[n, D]`.
    pub set_probs: Option<&'a DMatrix<f64>>,
    /// Edge probabilities, `[D, D]`; `[i, j]` is the belief in `i -> j`.
    pub edge_probs: Option<&'a DMatrix<f64>>,
}

impl<'a> From<&'a Embedding> for Prediction<'a> {
    fn from(embedding: &'a Embedding) -> Self {
        Self {
            latents: Some(&embedding.z_before),
            latents_after: Some(&embedding.z_after),
            noise: Some(&embedding.e_before),
            target_probs: Some(&embedding.target_probs),
            set_probs: embedding.set_probs.as_ref(),
            edge_probs: Some(&embedding.edge_probs),
        }
    }
}

/// What is known of the same points; any part may be missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Truth<'a> {
    /// Factors, of the observation before the intervention where there are pairs, `[n, K]`.
    pub factors: Option<&'a DMatrix<f64>>,
    /// Factors of the observation after it, `[n, K]`.
    pub factors_after: Option<&'a DMatrix<f64>>,
    /// Noise encodings, `[n, K]`.
    pub noise: Option<&'a DMatrix<f64>>,
    /// What was intervened upon, `[n]`.
    pub targets: Option<&'a [InterventionTarget]>,
    /// The causal graph over the factors.
    pub dag: Option<&'a Dag>,
}

impl<'a> From<&'a GroundTruth> for Truth<'a> {
    fn from(truth: &'a GroundTruth) -> Self {
        Self {
            factors: truth.z_before.as_ref(),
            factors_after: truth.z_after.as_ref(),
            noise: truth.e_before.as_ref(),
            targets: truth.targets.as_deref(),
            dag: truth.dag.as_ref(),
        }
    }
}

/// The number of points that all parts agree on; 0 where no part has points.
pub(super) fn points(said: &Prediction<'_>, known: &Truth<'_>) -> Result<usize, MetricError> {
    let rows = |m: Option<&DMatrix<f64>>| m.map(DMatrix::nrows);
    let parts = [
        ("latents", rows(said.latents)),
        ("latents after", rows(said.latents_after)),
        ("noise", rows(said.noise)),
        ("target_probs", rows(said.target_probs)),
        ("set_probs", rows(said.set_probs)),
        ("true factors", rows(known.factors)),
        ("true factors after", rows(known.factors_after)),
        ("true noise", rows(known.noise)),
        ("true targets", known.targets.map(<[_]>::len)),
    ];
    let mut present = parts.iter().filter_map(|&(what, rows)| rows.map(|rows| (what, rows)));
    let Some((_, expected)) = present.next() else { return Ok(0) };
    match present.find(|&(_, got)| got != expected) {
        Some((what, got)) => Err(MetricError::Rows { what, expected, got }),
        None => Ok(expected),
    }
}
