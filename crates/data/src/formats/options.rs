use domino_core::Seed;
use rand::seq::index;

use super::factored::PairRule;
use super::pictures::Size;
use super::resize::Filter;
use crate::npz::Limits;

/// How pairs are taken from a public set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Number of pairs. Sets that have pairs of their own give at most as many as they have,
    /// chosen by the seed and in the order of the file.
    pub pairs: usize,
    /// Decides which pairs.
    pub seed: Seed,
    /// What changes in a pair, where the pairs are formed here.
    pub rule: PairRule,
    /// Part of the set, such as `train`, `val` or `test`, where it has parts; the experiment of a
    /// light tunnel, the number of a DCDI graph. `None` is the usual part for training.
    pub split: Option<String>,
    /// Size that pictures are brought to.
    pub size: Size,
    /// How they are brought to it.
    pub filter: Filter,
    /// Bytes that may be taken.
    pub limits: Limits,
}

impl Default for ReadOptions {
    /// 10 000 pairs that differ in one factor, from the part for training, in the usual size.
    fn default() -> Self {
        Self {
            pairs: 10_000,
            seed: Seed(0),
            rule: PairRule::default(),
            split: None,
            size: Size::default(),
            filter: Filter::default(),
            limits: Limits::default(),
        }
    }
}

impl ReadOptions {
    /// At most [`pairs`](Self::pairs) of `available` numbers, without repetition, ascending.
    pub(super) fn choose(&self, available: usize) -> Vec<usize> {
        if self.pairs >= available {
            return (0..available).collect();
        }
        let mut rng = self.seed.rng(domino_core::Stream::Data);
        let mut chosen = index::sample(&mut rng, available, self.pairs).into_vec();
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_numbers_ascend_and_depend_on_the_seed() {
        let choose = |seed, pairs, available| {
            ReadOptions { seed: Seed(seed), pairs, ..ReadOptions::default() }.choose(available)
        };
        assert_eq!(choose(1, 9, 4), [0, 1, 2, 3]);
        let some = choose(1, 5, 1000);
        assert_eq!(some.len(), 5);
        assert!(some.is_sorted_by(|a, b| a < b) && some[4] < 1000);
        assert_eq!(some, choose(1, 5, 1000));
        assert_ne!(some, choose(2, 5, 1000));
    }
}
