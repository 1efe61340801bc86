//! Batches of pairs, read ahead by several threads.
//!
//! A [`Loader`] reads batches from anything that is [`PairRows`]: [`Shards`](crate::store::Shards)
//! on disk, [`Pairs`](domino_core::Pairs) in memory, or a generator whose pairs are [`Drawn`] when
//! they are needed. Which rows make which batch follows from the seed alone: neither the number of
//! threads nor their speed changes it, and a loader may start at any batch. At most `ahead` batches
//! are in memory besides the one that was handed out.
//!
//! ```
//! use std::sync::Arc;
//!
//! use domino_core::Seed;
//! use domino_data::loader::{Loader, LoaderConfig};
//! use domino_data::scaling::{ScalingConfig, World};
//! use domino_data::{Generator, Split};
//!
//! let (pairs, _) = World::draw(&ScalingConfig::default())?.sample(100, Split::Train)?;
//! let config = LoaderConfig { batch: 25, ..LoaderConfig::new(Seed(7)) };
//! let loader = Loader::<f32>::new(Arc::new(pairs), config)?;
//! let mut epoch = Vec::new();
//! for batch in loader.take(4) {
//!     epoch.extend(batch?.rows);
//! }
//! epoch.sort();
//! assert_eq!(epoch, (0..100).collect::<Vec<_>>());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::num::NonZeroUsize;
use std::panic;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use domino_core::Seed;

mod batch;
mod order;
mod queue;
mod rows;

pub use batch::{Batch, Element};
pub use order::{Draws, Order};
pub(crate) use rows::check_rows;
pub use rows::{Drawn, PairRows, PairView, gather};

use crate::store::StoreError;
use order::Dealer;
use queue::Queue;

/// How a [`Loader`] goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Pairs per batch and pool, at least 1.
    pub batch: usize,
    /// How rows follow each other.
    pub order: Order,
    /// Where the random numbers come from.
    pub draws: Draws,
    /// Number of the first batch: a run that goes on after `n` batches starts at `n`.
    pub start: u64,
    /// Threads that read.
    pub threads: NonZeroUsize,
    /// Batches read ahead, at least 1.
    pub ahead: usize,
}

impl LoaderConfig {
    /// Batches of 128 in epochs from the first on, by two threads, up to four ahead.
    pub fn new(seed: Seed) -> Self {
        Self {
            batch: 128,
            order: Order::Epochs,
            draws: Draws { seed, first_part: 0 },
            start: 0,
            threads: NonZeroUsize::MIN.saturating_add(1),
            ahead: 4,
        }
    }
}

/// An endless iterator over batches, which ends after an error.
pub struct Loader<T> {
    queue: Arc<Queue<Result<Batch<T>, StoreError>>>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: Element> Loader<T> {
    /// Batches of all rows of a source.
    ///
    /// # Errors
    /// As [`Loader::with_pools`].
    pub fn new(source: Arc<dyn PairRows>, config: LoaderConfig) -> Result<Self, StoreError> {
        let all = (0..source.len() as u32).collect();
        Self::with_pools(source, vec![all], config)
    }

    /// Batches for several models that are trained side by side, each on a pool of rows of its own:
    /// `[pools · batch]` rows, grouped by pool.
    ///
    /// With replacement, batch `k` holds the rows that one generator, `rng_at(Stream::Batch,
    /// first_part + k)`, draws uniformly pool after pool.
    ///
    /// # Errors
    /// [`StoreError::Form`] if pictures are asked of a source of vectors, [`StoreError::Row`] if a
    /// pool names a row that does not exist, [`StoreError::EmptyPool`] if a pool has no row, and
    /// [`StoreError::EmptyBatch`] if a batch shall have none.
    pub fn with_pools(
        source: Arc<dyn PairRows>,
        pools: Vec<Vec<u32>>,
        config: LoaderConfig,
    ) -> Result<Self, StoreError> {
        if !T::reads(source.form()) {
            return Err(StoreError::Form { got: source.form() });
        }
        if config.batch == 0 {
            return Err(StoreError::EmptyBatch);
        }
        for (pool, rows) in pools.iter().enumerate() {
            let Some(&last) = rows.iter().max() else {
                return Err(StoreError::EmptyPool { pool });
            };
            check_rows(&[last as usize], source.len())?;
        }
        Ok(Self::start(source, pools, config))
    }

    fn start(source: Arc<dyn PairRows>, pools: Vec<Vec<u32>>, config: LoaderConfig) -> Self {
        let LoaderConfig { batch, order, draws, start, threads, ahead } = config;
        let pools = pools.into_iter().map(Arc::from).collect();
        let dealer = Dealer::new(order, draws, batch, pools, start);
        let queue = Arc::new(Queue::new(dealer, start, ahead));
        let thread = |_| {
            let (queue, source) = (Arc::clone(&queue), Arc::clone(&source));
            thread::spawn(move || queue.work(|index, rows| Batch::read(&*source, index, rows)))
        };
        let threads = (0..threads.get()).map(thread).collect();
        Self { queue, threads }
    }
}

impl<T> Loader<T> {
    /// Ends all threads; the fault of one that panicked.
    fn finish(&mut self) -> thread::Result<()> {
        self.queue.close();
        let ended: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        ended.into_iter().collect()
    }
}

impl<T: Element> Iterator for Loader<T> {
    type Item = Result<Batch<T>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.threads.is_empty() {
            return None;
        }
        let item = self.queue.take();
        if !matches!(item, Some(Ok(_)))
            && let Err(fault) = self.finish()
        {
            panic::resume_unwind(fault);
        }
        item
    }
}

impl<T> Drop for Loader<T> {
    fn drop(&mut self) {
        // Whoever drops a loader does not want its batches, nor the fault of a thread.
        let _ = self.finish();
    }
}

#[cfg(test)]
mod tests;
