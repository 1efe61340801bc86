use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The generator behind every stream.
pub type StreamRng = ChaCha8Rng;

/// A run's seed, from which every random number of the run derives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What a random number is for. Streams of one seed are independent: a draw more in one never
/// shifts another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Stream {
    /// The world: graph, mechanisms, mixing.
    World = 1,
    /// The samples drawn from a world.
    Data = 2,
    /// The assignment of rows to splits.
    Split = 3,
    /// Initial weights.
    Init = 4,
    /// Which rows make a minibatch.
    Batch = 5,
    /// Reparameterisation noise.
    Noise = 6,
    /// Sampling inside metrics and evaluation.
    Eval = 7,
}

impl Seed {
    /// The generator of a stream, at its start.
    pub fn rng(self, stream: Stream) -> StreamRng {
        self.rng_at(stream, 0)
    }

    /// The generator of one part of a stream, such as the training split or step 512.
    ///
    /// Parts are independent of each other, so that a resumed run needs to know only its step.
    pub fn rng_at(self, stream: Stream, part: u64) -> StreamRng {
        // ChaCha is a pseudo-random function of its key: distinct keys give unrelated streams.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
        key[16..24].copy_from_slice(&part.to_le_bytes());
        key[24..].copy_from_slice(b"domino/1");
        StreamRng::from_seed(key)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn seeds_streams_and_parts_differ_and_repeat() {
        let first = |seed, stream, part| Seed(seed).rng_at(stream, part).next_u64();
        let draws = [
            first(0, Stream::Data, 0),
            first(1, Stream::Data, 0),
            first(0, Stream::Init, 0),
            first(0, Stream::Data, 1),
        ];
        for (i, a) in draws.iter().enumerate() {
            assert!(draws[i + 1..].iter().all(|b| a != b));
        }
        assert_eq!(draws[0], Seed(0).rng(Stream::Data).next_u64());
    }

    /// Stored data sets depend on these bytes: a change here is a new data format.
    #[test]
    fn the_first_draws_are_fixed_for_ever() {
        let mut rng = Seed(1000).rng(Stream::World);
        assert_eq!([rng.next_u64(), rng.next_u64()], FIRST_DRAWS);
    }

    const FIRST_DRAWS: [u64; 2] = [2_188_301_678_762_640_309, 14_699_761_649_624_204_636];
}
