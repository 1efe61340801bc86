use domino_metrics::{Correlation, Mcc, Sample, mcc};
use domino_vae::ChangePosterior;
use domino_vae::start::target_entropy;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::variables::{Codes, rows_by_target};

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

/// |Rank correlation| from which on a code of one model and its counterpart in another are the same variable.
const SAME: f64 = 0.95;

/// Smallest |rank correlation| of matched codes from which on two models have found the same, while more can be trained. Of
/// right ones in development worlds it is at least .94.
const CLOSE: f64 = 0.9;

/// How many times more or less often than most a code is the target where it is in doubt: it may stand for two variables, or
/// for none.
const UNUSUAL: f64 = 1.5;

/// The same of codes beside such a one, which may have what it lacks.
const UNEVEN: f64 = 1.2;

/// Targets of fewer pairs than this share of what is usual are hardly ever hit.
pub const HARDLY_EVER: f64 = 0.1;

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
        Candidate {
            sparsity_of_change: sparsity,
            target_entropy: target_entropy(&self.labels(), self.before.ncols()),
            agreement: 1.0,
        }
    }

    /// The most probable target of each pair, 0 for none.
    fn labels(&self) -> Vec<usize> {
        let changes = self.changes();
        let probs = ChangePosterior::fit(&changes).log_probs(&changes);
        probs.row_iter().map(|row| row.transpose().argmax().0).collect()
    }
}

/// What is in doubt about the codes of one of several models.
pub(super) struct Doubts {
    /// Whether no other model has found what it has.
    pub(super) alone: bool,
    /// Whether one of its codes is hardly ever the target.
    pub(super) idle: bool,
    /// Codes that may be wrong; none or at least two.
    pub(super) codes: Vec<usize>,
}

/// Which codes of the kept model may be wrong: those that are the target more or less often than most, where this is
/// much for one of them, as where one stands for two variables and one for none; and where no other model has found the same,
/// those that none has. Should others have found all of them, each some, it is those that the nearest model lacks. Nothing is
/// known of a model that diverged.
pub(super) fn doubts(codes: &[Codes], candidates: &[Candidate], kept: usize) -> Doubts {
    let one = &codes[kept];
    let alone = nearest(candidates, kept).is_none_or(|agreement| agreement < CLOSE);
    if !one.sparsity().is_finite() {
        return Doubts { alone, idle: false, codes: Vec::new() };
    }
    let d = one.before.ncols();
    let shares = shares_of_usual(&one.labels(), d);
    let is_off = |k: usize, by: f64| !(1.0 / by..by).contains(&shares[k]);
    let stolen = (0..d).any(|k| is_off(k, UNUSUAL));
    let mut doubted: Vec<usize> = (0..d).filter(|&k| stolen && is_off(k, UNEVEN)).collect();
    if alone {
        let others = (0..codes.len()).filter(|&place| place != kept);
        let found: Vec<Mcc> =
            others.filter_map(|place| matched(&one.before, &codes[place].before)).collect();
        doubted.extend((0..d).filter(|&k| found.iter().all(|found| found.matched[k] < SAME)));
        let nearest = found.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        if let (true, Some(nearest)) = (doubted.len() < 2, nearest) {
            let mut order: Vec<usize> = (0..d).collect();
            order.sort_by(|&a, &b| nearest.matched[a].total_cmp(&nearest.matched[b]));
            let lacking = order.iter().filter(|&&k| nearest.matched[k] < CLOSE).count();
            doubted.extend(&order[..lacking.max(2).min(d)]);
        }
    }
    doubted.sort_unstable();
    doubted.dedup();
    if doubted.len() < 2 {
        doubted.clear();
    }
    let idle = shares.iter().any(|&share| share < HARDLY_EVER);
    Doubts { alone, idle, codes: doubted }
}

/// How often each of `d` variables is the target, `labels [n]` and 0 for none, over how often the median one is.
pub(super) fn shares_of_usual(labels: &[usize], d: usize) -> Vec<f64> {
    let counts: Vec<usize> = rows_by_target(labels, d).iter().map(Vec::len).collect();
    let mut sorted = counts.clone();
    let (_, usual, _) = sorted.select_nth_unstable(d / 2);
    let usual = (*usual).max(1) as f64;
    counts.iter().map(|&count| count as f64 / usual).collect()
}

/// The smallest |Spearman correlation| of matched columns; 0 where they cannot be compared.
fn agreement(one: &DMatrix<f64>, other: &DMatrix<f64>) -> f64 {
    matched(one, other).map_or(0.0, |found| found.smallest)
}

/// Columns matched by their |Spearman correlation|; nothing where they cannot be compared.
fn matched(one: &DMatrix<f64>, other: &DMatrix<f64>) -> Option<Mcc> {
    Sample::new(one, other).and_then(|sample| mcc(sample, Correlation::Spearman)).ok()
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

    /// Codes of 2000 pairs: each of four codes is the target of 400, but `stolen` of those of code 0 fall to code 1; all codes but
    /// the first `same` are drawn anew for every `seed`.
    fn four_codes(stolen: usize, same: usize, seed: u64) -> Codes {
        let (mut shared, mut own) = (Seed(5).rng(Stream::Data), Seed(seed).rng(Stream::Data));
        let before = DMatrix::from_fn(2000, 4, |_, k| {
            let values = [shared.random::<f64>(), own.random::<f64>()];
            values[usize::from(k >= same)]
        });
        let mut after = before.clone();
        for row in 0..1600 {
            let hit = if row < stolen { 1 } else { row / 400 };
            after[(row, hit)] += 1.0 + own.random::<f64>();
        }
        Codes { before, after }
    }

    fn doubted(all: &[Codes]) -> (Vec<usize>, bool) {
        let Doubts { codes, idle, .. } = doubts(all, &judge(all, 0), 0);
        (codes, idle)
    }

    #[test]
    fn codes_that_no_other_has_are_in_doubt() {
        let found = |same| four_codes(0, same, 6);
        assert_eq!(doubted(&[found(4), four_codes(0, 4, 7)]), (vec![], false));
        assert_eq!(doubted(&[found(2), four_codes(0, 2, 7)]), (vec![2, 3], false));
        // One alone cannot be turned, and is taken with the one that is least like its counterpart.
        let (codes, _) = doubted(&[found(3), four_codes(0, 3, 7)]);
        assert!(codes.len() == 2 && codes.contains(&3), "{codes:?}");
    }

    #[test]
    fn codes_are_in_doubt_that_others_have_too_each_some() {
        let [one, mut first, mut second] = [6, 7, 8].map(|seed| four_codes(0, 0, seed));
        for k in 0..4 {
            let to = if k < 3 { &mut first } else { &mut second };
            to.before.set_column(k, &one.before.column(k));
        }
        let all = [one, first, second];
        assert!(doubts(&all, &judge(&all, 0), 0).alone);
        let (codes, idle) = doubted(&all);
        assert!(codes.contains(&3) && codes.len() == 2 && !idle, "{codes:?}");
    }

    #[test]
    fn codes_that_are_the_target_too_often_or_never_are_in_doubt() {
        let stolen = |count| [four_codes(count, 4, 6), four_codes(count, 4, 7)];
        assert!(!doubts(&stolen(380), &judge(&stolen(380), 0), 0).alone);
        assert_eq!(doubted(&stolen(380)), (vec![0, 1], true));
        assert_eq!(doubted(&stolen(250)), (vec![0, 1], false));
        assert_eq!(doubted(&stolen(50)), (vec![], false));
        assert_eq!(shares_of_usual(&[0, 1, 1, 2, 2, 3, 3, 3, 3], 3), [1.0, 1.0, 2.0]);
    }

    #[test]
    fn what_diverged_loses_and_agrees_with_nobody() {
        let mut diverged = codes(0.0);
        diverged.after[(3, 1)] = f64::NAN;
        diverged.before[(3, 1)] = f64::NAN;
        let all = [diverged, codes(0.9)];
        assert_eq!(choose(&all).0, 1);
        assert_eq!(judge(&all, 1)[0].agreement.to_bits(), 0.0_f64.to_bits());
        assert_eq!(doubted(&all), (vec![], false));
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
