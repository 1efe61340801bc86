use std::io;
use std::path::PathBuf;

use domino_core::files::WriteError;
use domino_core::{Form, GraphError, PairsError, TruthError};
use thiserror::Error;

use crate::config_error::ConfigError;

/// Why pairs could not be stored, read or loaded.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The system refuses to read a file.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Another process writes to the folder.
    #[error("{path}: another process is writing here; wait for it or end it")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds files that are no data set.
    #[error("{path}: expected an empty folder or a data set to go on with, found {found}")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// One of the files.
        found: String,
    },
    /// The folder holds a data set, but not this one.
    #[error("{path}: holds another data set: {key}: expected {expected}, got {got}")]
    Different {
        /// The manifest.
        path: PathBuf,
        /// What differs.
        key: &'static str,
        /// As asked for.
        expected: String,
        /// As found.
        got: String,
    },
    /// A manifest is not in the expected form or contradicts itself.
    #[error("{path}: {key}: expected {expected}, got {got}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The field.
        key: &'static str,
        /// What would do.
        expected: String,
        /// What was found.
        got: String,
    },
    /// Only one state of a pair is known.
    #[error("{part}: expected both states of a pair or neither, got the one {got}")]
    OneSided {
        /// `z` or `e`.
        part: &'static str,
        /// `before` or `after`.
        got: &'static str,
    },
    /// Some shards have yet to be written.
    #[error("{path}: expected {expected} pairs, got {got}; generate it again to go on")]
    Incomplete {
        /// The manifest.
        path: PathBuf,
        /// Pairs of the whole set.
        expected: usize,
        /// Pairs stored so far.
        got: usize,
    },
    /// A shard is shorter or longer than it should be.
    #[error("{path}: expected {expected} bytes, got {got}")]
    Length {
        /// The shard.
        path: PathBuf,
        /// Bytes by its header or the manifest.
        expected: u64,
        /// Bytes of the file.
        got: u64,
    },
    /// A shard is not in the expected form.
    #[error("{path}: {what}: expected {expected}, got {got}")]
    Shard {
        /// The shard.
        path: PathBuf,
        /// The part at fault.
        what: &'static str,
        /// What would do.
        expected: String,
        /// What was found.
        got: String,
    },
    /// A shard does not hold what was written.
    #[error("{path}: BLAKE3: expected {expected}, got {got}; remove it and generate the set again")]
    Checksum {
        /// The shard.
        path: PathBuf,
        /// As written.
        expected: String,
        /// Of the file.
        got: String,
    },
    /// The pairs of a set whose shards are whole are not those that were named.
    #[error("{path}: checksum: expected {expected}, got {got} from the shards")]
    Pairing {
        /// The manifest.
        path: PathBuf,
        /// As named.
        expected: String,
        /// Of the shards.
        got: String,
    },
    /// A generator finds another state than the stored one.
    #[error(
        "row {row}: {part}[{col}]: expected {expected} as stored, got {got} from the generator"
    )]
    Drift {
        /// The row.
        row: usize,
        /// `z_before` or `z_after`.
        part: &'static str,
        /// The variable.
        col: usize,
        /// As stored.
        expected: f32,
        /// As generated.
        got: f32,
    },
    /// There is no such row.
    #[error("expected a row below {len}, got {got}")]
    Row {
        /// Number of rows.
        len: usize,
        /// The row asked for.
        got: usize,
    },
    /// Bytes are asked of observations that have none.
    #[error("expected [height, width, channels] uint8 pictures, got {got}")]
    Form {
        /// What the observations look like.
        got: Form,
    },
    /// A pool of rows is empty.
    #[error("pool {pool}: expected at least one row, got none")]
    EmptyPool {
        /// Number of the pool.
        pool: usize,
    },
    /// Batches would be empty.
    #[error("batch: expected at least 1 pair, got 0")]
    EmptyBatch,
    /// The generator cannot work so.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Observations are no pairs.
    #[error("{0}")]
    Pairs(#[from] PairsError),
    /// The truth contradicts itself or the pairs.
    #[error("{0}")]
    Truth(#[from] TruthError),
    /// The adjacency matrix is no directed acyclic graph.
    #[error("{path}: adjacency: {reason}")]
    Graph {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: GraphError,
    },
    /// Writing was stopped from outside, between two shards or within one.
    #[error("stopped after {done} of {pairs} pairs; the same command goes on")]
    Stopped {
        /// Pairs written to whole shards.
        done: usize,
        /// Pairs of the whole set.
        pairs: usize,
    },
}

impl StoreError {
    /// The error that travelled inside one of writing, if any did.
    pub(super) fn from_write(error: WriteError) -> Self {
        let WriteError { path, reason } = error;
        match reason.downcast() {
            Ok(inner) => inner,
            Err(reason) => Self::Write(WriteError { path, reason }),
        }
    }
}
