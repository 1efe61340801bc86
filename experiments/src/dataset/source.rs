use std::path::Path;

use domino::core::{Form, GroundTruth, Pairs};
use domino::data::checksum;
use domino::data::loader::{PairRows, gather};
use domino::data::npz::{FileError, Limits, read_pairs};
use domino::data::store::{Kept, Shards, StoreError};
use nalgebra::DMatrix;
use thiserror::Error;

/// Pairs with what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What training may see.
    pub pairs: Pairs,
    /// What only metrics may see.
    pub truth: GroundTruth,
}

/// Stored pairs, in a file or in a folder.
#[derive(Debug)]
pub enum Source {
    /// A file of pairs, all in memory.
    File(Box<Sample>),
    /// A folder of shards, read when needed.
    Folder(Box<Shards>),
}

/// Why stored pairs cannot be read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder cannot be read.
    #[error(transparent)]
    Folder(#[from] StoreError),
}

impl Sample {
    /// Reads all pairs of a file or a folder of shards.
    ///
    /// # Errors
    /// [`SourceError`] naming the file, its part and what was expected.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        match Source::open(path)? {
            Source::File(sample) => Ok(*sample),
            folder @ Source::Folder(_) => folder.sample(&(0..folder.len()).collect::<Vec<_>>()),
        }
    }

    /// The rows `rows` in that order.
    ///
    /// # Panics
    /// If there is no row among them, or one that does not exist.
    #[must_use]
    pub fn rows(&self, rows: &[usize]) -> Self {
        let pairs = gather(&self.pairs, rows).expect("rows of pairs are pairs");
        Self { pairs, truth: truth_of(&self.truth, rows) }
    }
}

impl Source {
    /// Opens a folder of shards or reads a file of pairs.
    ///
    /// # Errors
    /// [`SourceError`] naming the file, its part and what was expected.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        if path.is_dir() {
            return Ok(Self::Folder(Box::new(Shards::open(path)?)));
        }
        let (pairs, truth) = read_pairs(path, Limits::default())?;
        Ok(Self::File(Box::new(Sample { pairs, truth })))
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.rows().len()
    }

    /// Always false: pairs hold at least one row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What one observation looks like.
    pub fn form(&self) -> Form {
        self.rows().form()
    }

    /// Whether observations are stored, and not made when they are read.
    pub fn is_stored(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Folder(shards) => shards.manifest().observations == Kept::Stored,
        }
    }

    /// Some rows with their truth, in that order.
    ///
    /// # Errors
    /// [`SourceError`] if a row does not exist or its shard is damaged.
    pub fn sample(&self, rows: &[usize]) -> Result<Sample, SourceError> {
        Ok(Sample { pairs: self.pairs(rows)?, truth: self.truth(rows)? })
    }

    /// The pairs of some rows, in that order.
    ///
    /// # Errors
    /// As [`Source::sample`].
    pub fn pairs(&self, rows: &[usize]) -> Result<Pairs, SourceError> {
        Ok(gather(self.rows(), rows)?)
    }

    /// What is known of some rows, in that order.
    ///
    /// # Errors
    /// As [`Source::sample`].
    pub fn truth(&self, rows: &[usize]) -> Result<GroundTruth, SourceError> {
        match self {
            Self::File(sample) => Ok(truth_of(&sample.truth, rows)),
            Self::Folder(shards) => Ok(shards.truth(rows.iter().copied())?),
        }
    }

    /// The fingerprint of all pairs and their truth; that of the manifest where observations are
    /// not stored.
    ///
    /// # Errors
    /// [`SourceError`] if a shard is damaged.
    pub fn checksum(&self) -> Result<String, SourceError> {
        match self {
            Self::File(sample) => Ok(checksum(&sample.pairs, &sample.truth)),
            Self::Folder(shards) => match &shards.manifest().checksum {
                Some(known) => Ok(known.clone()),
                None if self.is_stored() => Ok(shards.checksum()?),
                None => Ok(shards.manifest().fingerprint()),
            },
        }
    }

    fn rows(&self) -> &dyn PairRows {
        match self {
            Self::File(sample) => &sample.pairs,
            Self::Folder(shards) => &**shards,
        }
    }
}

fn truth_of(truth: &GroundTruth, rows: &[usize]) -> GroundTruth {
    let pick = |m: &Option<DMatrix<f64>>| m.as_ref().map(|m| m.select_rows(rows));
    let GroundTruth { z_before, z_after, e_before, e_after, targets, dag, names } = truth;
    GroundTruth {
        z_before: pick(z_before),
        z_after: pick(z_after),
        e_before: pick(e_before),
        e_after: pick(e_after),
        targets: targets.as_ref().map(|all| rows.iter().map(|&r| all[r].clone()).collect()),
        dag: dag.clone(),
        names: names.clone(),
    }
}
