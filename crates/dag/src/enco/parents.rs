use rand::Rng;

use crate::neural::ParentSets;

/// Beliefs are drawn with a resolution of 16 bits.
const RESOLUTION: f64 = 65536.0;

/// The law of the set of causes of one variable: independent, each with its probability.
pub(crate) struct ParentLaw {
    /// Variables that are always in the set.
    always: Vec<usize>,
    /// Variables that may be, with their probabilities in units of `1 / RESOLUTION`.
    sometimes: Vec<(usize, u16)>,
}

/// Sets of causes drawn from a law, equal ones together.
pub(crate) struct DrawnSets {
    /// Variables in all sets.
    pub(crate) always: Vec<usize>,
    /// The distinct sets of the others.
    pub(crate) sets: ParentSets,
    /// How often each set was drawn.
    pub(crate) counts: Vec<usize>,
}

impl ParentLaw {
    /// The law with these probabilities per variable; the variable itself must have 0.
    pub(crate) fn new(probs: impl Iterator<Item = f64>) -> Self {
        let (mut always, mut sometimes) = (Vec::new(), Vec::new());
        for (i, p) in probs.enumerate() {
            let level = (p * RESOLUTION).round();
            if level >= RESOLUTION {
                always.push(i);
            } else if level >= 1.0 {
                sometimes.push((i, level as u16));
            }
        }
        Self { always, sometimes }
    }

    /// Draws one set for each of `rows` rows.
    pub(crate) fn draw_each(&self, rows: usize, rng: &mut dyn Rng) -> ParentSets {
        let mut sets = ParentSets::default();
        let mut bits = Bits::new(rng);
        for _ in 0..rows {
            self.always.iter().for_each(|&i| sets.push(i));
            for &(i, level) in &self.sometimes {
                if bits.next() < level {
                    sets.push(i);
                }
            }
            sets.close();
        }
        sets
    }

    /// Draws `count` sets and puts equal ones together.
    pub(crate) fn draw_distinct(&self, count: usize, rng: &mut dyn Rng) -> DrawnSets {
        let words = self.sometimes.len().div_ceil(64);
        let mut drawn = vec![vec![0_u64; words]; count];
        let mut bits = Bits::new(rng);
        for mask in &mut drawn {
            for (at, &(_, level)) in self.sometimes.iter().enumerate() {
                mask[at / 64] |= u64::from(bits.next() < level) << (at % 64);
            }
        }
        drawn.sort_unstable();
        let (mut sets, mut counts) = (ParentSets::default(), Vec::new());
        for same in drawn.chunk_by(|a, b| a == b) {
            let mask = &same[0];
            let member = |at: &usize| mask[at / 64] >> (at % 64) & 1 == 1;
            (0..self.sometimes.len()).filter(member).for_each(|at| sets.push(self.sometimes[at].0));
            sets.close();
            counts.push(same.len());
        }
        DrawnSets { always: self.always.clone(), sets, counts }
    }
}

/// Four 16-bit numbers of every 64-bit draw.
struct Bits<'a> {
    rng: &'a mut dyn Rng,
    word: u64,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(rng: &'a mut dyn Rng) -> Self {
        Self { rng, word: 0, left: 0 }
    }

    #[inline]
    fn next(&mut self) -> u16 {
        if self.left == 0 {
            (self.word, self.left) = (self.rng.next_u64(), 4);
        }
        let bits = self.word as u16;
        self.word >>= 16;
        self.left -= 1;
        bits
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    #[test]
    fn causes_come_as_often_as_their_probability() {
        let probs = [0.0, 1.0, 0.25, 0.9];
        let law = ParentLaw::new(probs.into_iter());
        let mut rng = Seed(1).rng(Stream::Noise);
        let sets = law.draw_each(8_000, &mut rng);
        for (i, p) in probs.iter().enumerate() {
            let hits = (0..sets.len()).filter(|&s| sets.get(s).contains(&(i as u32))).count();
            assert!((hits as f64 / 8_000.0 - p).abs() < 0.02, "{i}");
        }
    }

    #[test]
    fn equal_sets_are_put_together() {
        let law = ParentLaw::new([0.5, 1.0, 0.5, 0.0].into_iter());
        let drawn = law.draw_distinct(400, &mut Seed(2).rng(Stream::Noise));
        assert_eq!((drawn.always, drawn.sets.len()), (vec![1], 4));
        assert_eq!(drawn.counts.iter().sum::<usize>(), 400);
        assert!(drawn.counts.iter().all(|&c| c > 60));
        let many = ParentLaw::new((0..200).map(|_| 0.5));
        assert_eq!(many.draw_distinct(50, &mut Seed(3).rng(Stream::Noise)).counts, [1; 50]);
    }
}
