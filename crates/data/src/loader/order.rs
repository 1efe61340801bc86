use std::sync::Arc;

use domino_core::{Seed, Stream};
use rand::{Rng, RngExt};

/// How rows follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Epoch after epoch, each a fresh shuffle of all rows; a batch may end one and begin the next.
    #[default]
    Epochs,
    /// Every row of every batch is drawn from all rows.
    WithReplacement,
}

/// Where the random numbers of a [`Loader`](super::Loader) come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// The run's seed, of which [`Stream::Batch`] is used.
    pub seed: Seed,
    /// The first part of the stream. Batch `k` uses part `first_part + k` with replacement; epoch
    /// `k` of pool `p` of `P` uses `first_part + k P + p`.
    pub first_part: u64,
}

/// Tells which rows make which batch, one batch after the other.
#[derive(Debug)]
pub(super) struct Dealer {
    order: Order,
    draws: Draws,
    /// Rows per batch and pool.
    batch: usize,
    pools: Vec<Pool>,
    next: u64,
}

/// The rows of one model, and their order in the epoch that was last asked for.
#[derive(Debug)]
struct Pool {
    rows: Arc<[u32]>,
    epoch: Option<u64>,
    shuffled: Vec<u32>,
}

impl Dealer {
    /// No pool may be empty.
    pub(super) fn new(
        order: Order,
        draws: Draws,
        batch: usize,
        pools: Vec<Arc<[u32]>>,
        next: u64,
    ) -> Self {
        let pool = |rows| Pool { rows, epoch: None, shuffled: Vec::new() };
        Self { order, draws, batch, pools: pools.into_iter().map(pool).collect(), next }
    }

    /// The number of the next batch and its rows, grouped by pool.
    pub(super) fn deal(&mut self) -> (u64, Vec<usize>) {
        let index = self.next;
        self.next += 1;
        let rows = match self.order {
            Order::Epochs => self.in_epochs(index),
            Order::WithReplacement => self.with_replacement(index),
        };
        (index, rows)
    }

    fn with_replacement(&self, index: u64) -> Vec<usize> {
        let Draws { seed, first_part } = self.draws;
        let mut rng = seed.rng_at(Stream::Batch, first_part.wrapping_add(index));
        let mut rows = Vec::with_capacity(self.pools.len() * self.batch);
        for Pool { rows: pool, .. } in &self.pools {
            let mut draw = || pool[rng.random_range(0..pool.len())] as usize;
            rows.extend((0..self.batch).map(|_| draw()));
        }
        rows
    }

    fn in_epochs(&mut self, index: u64) -> Vec<usize> {
        let Draws { seed, first_part } = self.draws;
        let pools = self.pools.len() as u64;
        let mut rows = Vec::with_capacity(self.pools.len() * self.batch);
        for (number, pool) in (0..).zip(&mut self.pools) {
            let rng = |epoch: u64| {
                let part = epoch.wrapping_mul(pools).wrapping_add(number);
                seed.rng_at(Stream::Batch, first_part.wrapping_add(part))
            };
            let start = index * self.batch as u64;
            rows.extend((start..start + self.batch as u64).map(|place| pool.row(place, &rng)));
        }
        rows
    }
}

impl Pool {
    /// The row at `place` of all epochs one after the other.
    fn row<R: Rng>(&mut self, place: u64, rng: &dyn Fn(u64) -> R) -> usize {
        let n = self.rows.len() as u64;
        let epoch = place / n;
        if self.epoch != Some(epoch) {
            self.shuffled.clear();
            self.shuffled.extend_from_slice(&self.rows);
            shuffle(&mut self.shuffled, &mut rng(epoch));
            self.epoch = Some(epoch);
        }
        self.shuffled[(place % n) as usize] as usize
    }
}

/// Fisher and Yates: every order is equally likely.
fn shuffle(rows: &mut [u32], rng: &mut dyn Rng) {
    for last in (1..rows.len()).rev() {
        rows.swap(last, rng.random_range(0..=last));
    }
}
