//! Random numbers by row: each row of a split has generators of its own.

use domino_core::{Seed, Stream, StreamRng};

use crate::generator::Split;

/// What a generator of a split is for, so that no use shifts another.
///
/// Stored data sets depend on these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Part {
    /// The noise before.
    States = 0,
    /// The sensor's noise before.
    SensorBefore = 1,
    /// The sensor's noise after.
    SensorAfter = 2,
    /// What the intervention does.
    Interventions = 3,
    /// Where things are that no variable moves.
    Distractors = 1 << 32,
}

/// Generators set aside for each split; later parts lie far beyond those of all splits.
pub(crate) const PARTS: u64 = 4;

/// The generator of one part of a split, at its start.
pub(crate) fn split_rng(seed: u64, split: Split, part: Part) -> StreamRng {
    Seed(seed).rng_at(Stream::Data, PARTS * split.number() + part as u64)
}

/// The generators of the rows of one part of a split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRngs {
    seed: u64,
    split: Split,
    part: Part,
}

impl RowRngs {
    pub(crate) fn new(seed: u64, split: Split, part: Part) -> Self {
        Self { seed, split, part }
    }

    /// The generator of row `row`: the key is that of the part, the nonce is the row.
    pub(crate) fn row(&self, row: usize) -> StreamRng {
        let mut rng = split_rng(self.seed, self.split, self.part);
        rng.set_stream(row as u64);
        rng
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn rows_and_parts_have_generators_of_their_own() {
        let first = |part, row| RowRngs::new(5, Split::Train, part).row(row).next_u64();
        let draws = [
            first(Part::States, 0),
            first(Part::States, 1),
            first(Part::States, 2_000_000),
            first(Part::Interventions, 0),
        ];
        for (i, a) in draws.iter().enumerate() {
            assert!(draws[i + 1..].iter().all(|b| a != b));
        }
        assert_eq!(draws[1], first(Part::States, 1));
    }
}
