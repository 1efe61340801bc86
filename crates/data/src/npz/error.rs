use std::io;
use std::path::PathBuf;

use domino_core::{GraphError, PairsError, TruthError};
use thiserror::Error;

use domino_core::files::WriteError;

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system refuses to read the file.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file is no zip archive, or a damaged one.
    #[error(
        "{path}: expected an .npz file as written by np.savez, got no whole zip archive: {reason}"
    )]
    NotNpz {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// One array is missing or unfit.
    #[error("{path}: {array}: {reason}")]
    Array {
        /// The file.
        path: PathBuf,
        /// Name of the array.
        array: &'static str,
        /// What is wrong with it.
        reason: ArrayError,
    },
    /// The observations are no pairs.
    #[error("{path}: {reason}")]
    Pairs {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        reason: PairsError,
    },
    /// The truth contradicts itself or the pairs.
    #[error("{path}: {reason}")]
    Truth {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: TruthError,
    },
    /// The adjacency matrix is no directed acyclic graph.
    #[error("{path}: adjacency: {reason}")]
    Graph {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: GraphError,
    },
}

/// Why an array of an archive cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArrayError {
    /// There is no such array.
    #[error("no such array: expected {expected}; the file holds {}", list(.found))]
    Missing {
        /// What it should hold.
        expected: &'static str,
        /// The arrays that are there.
        found: Vec<String>,
    },
    /// The array is a Python pickle.
    #[error(
        "expected {expected}, got pickled Python objects, which are never unpickled; \
         save a plain array, e.g. {example}"
    )]
    Pickled {
        /// What it should hold.
        expected: &'static str,
        /// How to save it.
        example: String,
    },
    /// The entry does not begin with a `.npy` header.
    #[error("expected a .npy header, got {got}")]
    Header {
        /// What is there instead.
        got: String,
    },
    /// The elements are of the wrong type.
    #[error("expected {expected}, got type {got}")]
    Type {
        /// What would do.
        expected: &'static str,
        /// The NumPy type found.
        got: String,
    },
    /// The shape is wrong.
    #[error("expected {expected}, got shape {got:?}")]
    Shape {
        /// What would do.
        expected: String,
        /// The shape found.
        got: Vec<usize>,
    },
    /// The entry ends before its declared length, or its checksum is wrong.
    #[error("expected {expected} bytes of data, got {got}: {reason}")]
    Damaged {
        /// Bytes that the header declares.
        expected: u64,
        /// Bytes that could be read.
        got: u64,
        /// What is wrong.
        reason: String,
    },
    /// The array would not fit into the declared limit.
    #[error(
        "its {declared} bytes exceed what the limit leaves, {left} bytes; \
         raise the limit if the file is to be trusted"
    )]
    TooLarge {
        /// Bytes that the header declares.
        declared: u128,
        /// Bytes that may still be read.
        left: u64,
    },
    /// An element is out of range.
    #[error("[{row}, {col}]: expected {expected}, got {got}")]
    Value {
        /// Row of the element.
        row: usize,
        /// Column of the element.
        col: usize,
        /// What would do.
        expected: &'static str,
        /// The element found.
        got: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no arrays".into() } else { names.join(", ") }
}
