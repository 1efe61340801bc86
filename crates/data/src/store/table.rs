use std::ops::Range;

use domino_core::{Form, GroundTruth, Pairs};

use super::error::StoreError;
use crate::loader::{Drawn, PairRows};

/// Pairs with their truth, to be stored: ranges of rows in any order, by any number of threads.
pub trait Table: Sync {
    /// Number of pairs.
    fn len(&self) -> usize;

    /// Whether there is no pair.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What one observation looks like.
    fn form(&self) -> Form;

    /// What is known of some rows.
    fn truth(&self, rows: Range<usize>) -> GroundTruth;

    /// The pairs of some rows, whose truth is at hand.
    ///
    /// # Errors
    /// [`StoreError::Pairs`] if a generator's output is no pairs.
    fn pairs(&self, rows: Range<usize>, truth: &GroundTruth) -> Result<Pairs, StoreError>;
}

impl Table for Drawn {
    fn len(&self) -> usize {
        PairRows::len(self)
    }

    fn form(&self) -> Form {
        PairRows::form(self)
    }

    fn truth(&self, rows: Range<usize>) -> GroundTruth {
        self.states(rows)
    }

    fn pairs(&self, rows: Range<usize>, truth: &GroundTruth) -> Result<Pairs, StoreError> {
        self.observe(rows, truth)
    }
}

/// Pairs in memory.
impl Table for (Pairs, GroundTruth) {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn form(&self) -> Form {
        self.0.before().form()
    }

    fn truth(&self, rows: Range<usize>) -> GroundTruth {
        self.1.slice(rows)
    }

    fn pairs(&self, rows: Range<usize>, _: &GroundTruth) -> Result<Pairs, StoreError> {
        Ok(self.0.slice(rows))
    }
}
