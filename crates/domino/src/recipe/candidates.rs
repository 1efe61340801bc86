use domino_metrics::{Correlation, Sample, mcc};
use domino_vae::ChangePosterior;
use domino_vae::start::target_entropy;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::variables::Codes;

/// What is known, without labels, of one of several models that were trained side by side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Share of each change that one code carries, in `(0, 1]`; 0 where the model diverged.
    pub sparsity_of_change: f64,
    /// Entropy of the inferred targets over its maximum.
    pub target_entropy: f64,
    /// Smallest |Spearman correlation| of a code with its counterpart in the kept model.
    pub agreement: f64,
}

impl Candidate {
    /// By what candidates are ranked. A model in which one code took over the interventions on
    /// another can have sparse changes, but not even targets.
    fn rank(&self) -> f64 {
        self.sparsity_of_change * self.target_entropy
    }
}

/// The place of the best of several models, from their codes of held-out pairs.
///
/// # Panics
/// If there is none.
pub(super) fn choose(codes: &[Codes]) -> usize {
    let ranks: Vec<f64> = codes.iter().map(|codes| codes.judged().rank()).collect();
    let best = (0..codes.len()).rev().max_by(|&a, &b| ranks[a].total_cmp(&ranks[b]));
    best.expect("a stack has at least one replica")
}

/// What is known of each of several models, of which one is kept, from their codes of held-out
/// pairs.
pub(super) fn judge(codes: &[Codes], kept: usize) -> Vec<Candidate> {
    let judged = codes.iter().map(|of| Candidate {
        agreement: agreement(&of.before, &codes[kept].before),
        ..of.judged()
    });
    judged.collect()
}

impl Codes {
    /// What these codes say by themselves; they agree with themselves.
    pub(super) fn judged(&self) -> Candidate {
        let sparsity = self.sparsity();
        if !sparsity.is_finite() {
            return Candidate { sparsity_of_change: 0.0, target_entropy: 0.0, agreement: 0.0 };
        }
        let changes = self.changes();
        let probs = ChangePosterior::fit(&changes).log_probs(&changes);
        let labels: Vec<usize> = probs.row_iter().map(|row| row.transpose().argmax().0).collect();
        Candidate {
            sparsity_of_change: sparsity,
            target_entropy: target_entropy(&labels, changes.ncols()),
            agreement: 1.0,
        }
    }
}

/// The smallest |Spearman correlation| of matched columns; 0 where they cannot be compared.
fn agreement(one: &DMatrix<f64>, other: &DMatrix<f64>) -> f64 {
    let matched = Sample::new(one, other).and_then(|sample| mcc(sample, Correlation::Spearman));
    matched.map_or(0.0, |found| found.smallest)
}
