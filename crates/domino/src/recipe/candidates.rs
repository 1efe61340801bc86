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

/// How far two models may be apart, as 1 minus the smallest rank correlation of their matched codes, to have found the same
/// variables.
pub const APART: f64 = 0.15;

/// The best agreement of another candidate with the kept one; none where there is no other.
pub(super) fn nearest(candidates: &[Candidate], kept: usize) -> Option<f64> {
    let others = candidates.iter().enumerate().filter(|&(place, _)| place != kept);
    others.map(|(_, candidate)| candidate.agreement).max_by(f64::total_cmp)
}

/// Whether another candidate has found what the kept one has.
pub(super) fn confirmed(candidates: &[Candidate], kept: usize) -> bool {
    nearest(candidates, kept).is_some_and(|agreement| 1.0 - agreement <= APART)
}

/// The place of the best of several models, and what is known of each, from their codes of
/// held-out pairs.
///
/// # Panics
/// If there is none.
pub(super) fn choose(codes: &[Codes]) -> (usize, Vec<Candidate>) {
    let judged: Vec<Candidate> = codes.iter().map(Codes::judged).collect();
    let rank = |place: usize| judged[place].rank();
    let best = (0..codes.len()).rev().max_by(|&a, &b| rank(a).total_cmp(&rank(b)));
    let best = best.expect("a stack has at least one replica");
    (best, compared(judged, codes, best))
}

/// What is known of each of several models, of which one is kept, from their codes of held-out
/// pairs.
pub(super) fn judge(codes: &[Codes], kept: usize) -> Vec<Candidate> {
    compared(codes.iter().map(Codes::judged).collect(), codes, kept)
}

/// The same candidates with their agreement with the kept one.
fn compared(judged: Vec<Candidate>, codes: &[Codes], kept: usize) -> Vec<Candidate> {
    let agreements = codes.iter().map(|of| agreement(&of.before, &codes[kept].before));
    let pairs = judged.into_iter().zip(agreements);
    pairs.map(|(candidate, agreement)| Candidate { agreement, ..candidate }).collect()
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

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    /// Codes of 600 pairs, a third of which change each of two codes, the last third none; the
    /// share `stolen` of the changes of the first code happens to the second.
    fn codes(stolen: f64) -> Codes {
        let mut rng = Seed(2).rng(Stream::Data);
        let before = DMatrix::from_fn(600, 2, |_, _| rng.random::<f64>());
        let mut after = before.clone();
        for row in 0..600 {
            let hit = match row % 3 {
                0 if (row as f64) < stolen * 600.0 => 1,
                k => k,
            };
            if hit < 2 {
                after[(row, hit)] += 1.0 + rng.random::<f64>();
            }
        }
        Codes { before, after }
    }

    #[test]
    fn even_targets_win_where_changes_are_as_sparse() {
        let all = [codes(0.9), codes(0.0), codes(0.4)];
        assert_eq!(choose(&all).0, 1);
        let judged = judge(&all, 1);
        assert!(judged.iter().all(|c| c.sparsity_of_change > 0.999 && c.agreement > 0.999));
        assert!(judged[0].target_entropy < judged[2].target_entropy);
        assert!(judged[2].target_entropy < judged[1].target_entropy);
    }

    #[test]
    fn what_diverged_loses_and_agrees_with_nobody() {
        let mut diverged = codes(0.0);
        diverged.after[(3, 1)] = f64::NAN;
        diverged.before[(3, 1)] = f64::NAN;
        let all = [diverged, codes(0.9)];
        assert_eq!(choose(&all).0, 1);
        assert_eq!(judge(&all, 1)[0].agreement.to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn other_variables_do_not_agree() {
        let turned = |codes: &Codes| {
            let rotation = nalgebra::dmatrix![0.8, -0.6; 0.6, 0.8];
            Codes { before: &codes.before * &rotation, after: &codes.after * &rotation }
        };
        let right = codes(0.0);
        let judged = judge(&[turned(&right), right], 1);
        assert!(judged[0].agreement < 0.85 && judged[1].agreement > 0.999, "{judged:?}");
    }

    #[test]
    fn a_model_is_confirmed_by_another_and_not_by_itself() {
        let found =
            |agreement| Candidate { sparsity_of_change: 0.99, target_entropy: 1.0, agreement };
        assert!(!confirmed(&[found(1.0)], 0));
        assert!(!confirmed(&[found(0.8), found(1.0), found(0.3)], 1));
        assert!(confirmed(&[found(0.8), found(1.0), found(0.9)], 1));
    }
}
