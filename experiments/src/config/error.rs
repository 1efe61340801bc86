use std::path::PathBuf;

use thiserror::Error;

/// Why a configuration cannot be resolved, rendered or described.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no TOML; the message shows the line.
    #[error("{source_name}: {message}")]
    Syntax {
        /// The file.
        source_name: String,
        /// What the parser says, with line and column.
        message: String,
    },
    /// `base` is something other than a path.
    #[error("{source_name}: base: expected the path of a TOML file, got {got}")]
    Base {
        /// The file that names a base.
        source_name: String,
        /// The TOML type found.
        got: &'static str,
    },
    /// A chain of `base` files leads back to its start.
    #[error(
        "{}: the chain of base files is a cycle: expected it to end",
        chain.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" -> ")
    )]
    BaseCycle {
        /// The files in the order in which they name each other, the repeated one last.
        chain: Vec<PathBuf>,
    },
    /// An override is not of the form `key.sub=value`.
    #[error("override `{0}`: expected key.sub=value")]
    Override(String),
    /// An override leads through something that has no such part.
    #[error("override `{text}`: {at} is {got}: expected {expected}")]
    Path {
        /// The override.
        text: String,
        /// The key at which the path ends too early.
        at: String,
        /// The TOML type found there, or the length of the array.
        got: String,
        /// What would have been followed.
        expected: &'static str,
    },
    /// An integer does not fit TOML's 64 bits with sign.
    #[error(
        "{source_name}: {what} is out of range: integers, seeds included, must stay below 2^63 = \
         9223372036854775808"
    )]
    IntegerRange {
        /// The file or override.
        source_name: String,
        /// The number, or the parser's account of where it is.
        what: String,
    },
    /// A value does not fit the configuration's type.
    #[error("{source_name}: {key}: {message}")]
    Field {
        /// The file or override that set the value.
        source_name: String,
        /// The dotted key.
        key: String,
        /// What was found and what was expected.
        message: String,
    },
    /// A configuration cannot be written as TOML.
    #[error("configuration as TOML: {0}")]
    Render(#[from] toml::ser::Error),
    /// A JSON schema cannot be written as text.
    #[error("JSON schema: {0}")]
    Schema(#[from] serde_json::Error),
}
