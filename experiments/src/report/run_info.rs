use serde::{Deserialize, Serialize};

/// What ran where: the content of `run.json`, kept apart from the report since it differs from
/// machine to machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Revision of the source, with `-dirty` if it was changed.
    pub revision: String,
    /// Versions of what the numbers depend on, as (name, version).
    pub versions: Vec<(String, String)>,
    /// Device that the tensors lived on.
    pub device: String,
    /// Threads used.
    pub threads: usize,
    /// Name of the machine.
    pub host: String,
    /// Start of the run, RFC 3339, UTC.
    pub started: String,
    /// Elapsed time in seconds.
    pub wall_seconds: f64,
    /// Processor time in seconds, all threads together.
    pub cpu_seconds: f64,
    /// BLAKE3 checksum of the data, hexadecimal.
    pub data_checksum: String,
    /// The command line.
    pub command_line: String,
}
