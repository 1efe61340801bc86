use std::io;
use std::path::PathBuf;

use domino_core::{GraphError, PairsError, TruthError};
use thiserror::Error;

use super::kind::Kind;
use crate::npz::FileError;

/// Why a public data set could not be read.
#[derive(Debug, Error)]
pub enum FormatError {
    /// A NumPy file is missing an array, damaged, or holds something else.
    #[error(transparent)]
    Npz(#[from] FileError),
    /// The system refuses to read a file or a folder.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A file holds something else than its format says.
    #[error("{path}: {place}: expected {expected}, got {got}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Files or arrays that a set consists of are not there.
    #[error("{path}: expected {expected}, found {}", list(.found))]
    Missing {
        /// The folder or file that was looked through.
        path: PathBuf,
        /// What was looked for.
        expected: String,
        /// What is there.
        found: Vec<String>,
    },
    /// The path holds no set that is known.
    #[error("{path}: expected a known data set, found {}; looked for:{}", list(.found), lines(.looked_for))]
    Unknown {
        /// The file or folder.
        path: PathBuf,
        /// What is there.
        found: Vec<String>,
        /// What each kind of set is recognised by.
        looked_for: Vec<(Kind, &'static str)>,
    },
    /// A file names another one outside the folder of the set.
    #[error("{path}: {entry:?}: expected a file inside {folder}, got a path that leads out of it")]
    Outside {
        /// The file that names it.
        path: PathBuf,
        /// The name, as written there.
        entry: String,
        /// The folder that must not be left.
        folder: PathBuf,
    },
    /// A picture cannot be decoded or has the wrong size.
    #[error("{path}: {picture}: {reason}")]
    Picture {
        /// The file.
        path: PathBuf,
        /// Which picture of the file.
        picture: String,
        /// What is wrong with it.
        reason: PictureError,
    },
    /// More bytes than the limit allows.
    #[error(
        "{path}: {what}: {declared} bytes exceed the limit of {limit} bytes; \
         ask for fewer pairs or smaller pictures, or raise the limit if the file is to be trusted"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large.
        what: String,
        /// Bytes asked for.
        declared: u128,
        /// Bytes allowed.
        limit: u64,
    },
    /// The set has no pairs and none can be formed from it.
    #[error("{kind} has no pairs: {reason}")]
    NoPairs {
        /// The kind of set.
        kind: Kind,
        /// Why not, and what to read instead.
        reason: &'static str,
    },
    /// A rule asks for more changes than the set allows.
    #[error("the rule changes {asked} factors at once: expected 1 to {factors}")]
    Rule {
        /// Factors that are to change.
        asked: usize,
        /// Factors that can change.
        factors: usize,
    },
    /// No pairs were asked for, or the set is too small for any.
    #[error("{path}: expected at least 1 pair, got {asked} asked for and {available} available")]
    TooFew {
        /// The file or folder.
        path: PathBuf,
        /// Pairs asked for.
        asked: usize,
        /// Pairs that the set holds.
        available: usize,
    },
    /// A combination of factor values that the set does not hold.
    #[error("factors {got:?}: expected values below {sizes:?}")]
    Factors {
        /// The combination.
        got: Vec<usize>,
        /// Number of values of each factor.
        sizes: Vec<usize>,
    },
    /// The observations are no pairs.
    #[error("{path}: {reason}")]
    Pairs {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with them.
        reason: PairsError,
    },
    /// The truth contradicts itself or the pairs.
    #[error("{path}: {reason}")]
    Truth {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: TruthError,
    },
    /// The graph is not directed and acyclic.
    #[error("{path}: {reason}")]
    Graph {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: GraphError,
    },
}

/// Why the bytes of a picture cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PictureError {
    /// Neither of the known formats.
    #[error("expected a PNG or JPEG picture, got bytes that begin with {got:02x?}")]
    Format {
        /// The first bytes.
        got: Vec<u8>,
    },
    /// The picture is damaged.
    #[error("expected a whole {format} picture, got a damaged one: {reason}")]
    Damaged {
        /// `PNG` or `JPEG`.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The picture declares more pixels than its bytes can hold or the limit allows.
    #[error(
        "{width} x {height} pixels exceed what {bytes} bytes of file can hold within the limit"
    )]
    TooLarge {
        /// Columns declared.
        width: usize,
        /// Rows declared.
        height: usize,
        /// Length of the encoded picture.
        bytes: usize,
    },
    /// The picture has not the size of the others.
    #[error(
        "expected {} x {} pixels like the others, got {} x {}",
        .expected[0], .expected[1], .got[0], .got[1]
    )]
    Size {
        /// Height and width expected.
        expected: [usize; 2],
        /// Height and width found.
        got: [usize; 2],
    },
}

fn list(names: &[String]) -> String {
    const MOST: usize = 12;
    match names.len() {
        0 => "nothing".into(),
        n if n > MOST => format!("{} and {} more", names[..MOST].join(", "), n - MOST),
        _ => names.join(", "),
    }
}

fn lines(kinds: &[(Kind, &'static str)]) -> String {
    let lines: Vec<String> =
        kinds.iter().map(|(kind, files)| format!("\n  {kind}: {files}")).collect();
    lines.concat()
}
