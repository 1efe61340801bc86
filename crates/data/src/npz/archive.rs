use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use npyz::npz::{NpzArchive, file_name_from_array_name};

use super::array::Array;
use super::error::{ArrayError, FileError};
use super::header::{Header, Kind};

/// How much a file may unpack to, so that a small malicious one cannot exhaust the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all arrays that are read together.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 8 GiB.
    fn default() -> Self {
        Self { max_bytes: 8 << 30 }
    }
}

/// What an array should hold, for messages.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) name: &'static str,
    pub(super) content: &'static str,
}

/// An open `.npz` file and what is left of its limit.
pub(super) struct Archive {
    path: PathBuf,
    npz: NpzArchive<BufReader<File>>,
    bytes_left: u64,
}

impl Archive {
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Self, FileError> {
        let unreadable = |reason| FileError::Read { path: path.to_owned(), reason };
        let file = File::open(path).map_err(unreadable)?;
        let npz = NpzArchive::new(BufReader::new(file)).map_err(|reason| match reason.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                FileError::NotNpz { path: path.to_owned(), reason: reason.to_string() }
            }
            _ => unreadable(reason),
        })?;
        Ok(Self { path: path.to_owned(), npz, bytes_left: limits.max_bytes })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Reads an array that must be there.
    pub(super) fn require(&mut self, expected: Expected) -> Result<Array, FileError> {
        if let Some(array) = self.find(expected)? {
            return Ok(array);
        }
        let mut found: Vec<String> = self.npz.array_names().map(str::to_owned).collect();
        found.sort();
        Err(self.error(expected, ArrayError::Missing { expected: expected.content, found }))
    }

    /// Reads an array that may be there.
    pub(super) fn find(&mut self, expected: Expected) -> Result<Option<Array>, FileError> {
        if !self.npz.array_names().any(|name| name == expected.name) {
            return Ok(None);
        }
        self.read(expected).map(Some).map_err(|reason| self.error(expected, reason))
    }

    pub(super) fn error(&self, array: Expected, reason: ArrayError) -> FileError {
        FileError::Array { path: self.path(), array: array.name, reason }
    }

    fn read(&mut self, expected: Expected) -> Result<Array, ArrayError> {
        let file_name = file_name_from_array_name(expected.name);
        let entry = self.npz.zip_archive().by_name(&file_name);
        let mut entry = entry.map_err(|e| ArrayError::Header { got: e.to_string() })?;
        let header = Header::read(&mut entry)?;
        match header.element.kind {
            Kind::Object => return Err(pickled(expected)),
            Kind::Other => {
                let got = header.element.name;
                return Err(ArrayError::Type { expected: expected.content, got });
            }
            _ => {}
        }
        let declared = header.declared_bytes();
        let length = u64::try_from(declared).ok().filter(|length| *length <= self.bytes_left);
        let Some(length) = length else {
            return Err(ArrayError::TooLarge { declared, left: self.bytes_left });
        };
        self.bytes_left -= length;
        Ok(Array { header, bytes: read_exactly(&mut entry, length)? })
    }
}

fn pickled(expected: Expected) -> ArrayError {
    let Expected { name, content } = expected;
    let value = if name == "names" {
        "np.array(list_of_names, dtype=str)"
    } else {
        "np.stack(list_of_arrays)"
    };
    ArrayError::Pickled { expected: content, example: format!("np.savez(..., {name}={value})") }
}

/// Reads `length` bytes and the end after them, where the archive's checksum is compared. Memory
/// grows with what is there, not with what is declared.
fn read_exactly(entry: &mut dyn Read, length: u64) -> Result<Vec<u8>, ArrayError> {
    let mut bytes = Vec::new();
    let damaged = |got: &[u8], reason: String| {
        Err(ArrayError::Damaged { expected: length, got: got.len() as u64, reason })
    };
    // One byte more than declared, to meet the end.
    match entry.take(length.saturating_add(1)).read_to_end(&mut bytes) {
        Err(e) => damaged(&bytes, e.to_string()),
        Ok(_) if bytes.len() as u64 > length => damaged(&bytes, "there is more than that".into()),
        Ok(_) if (bytes.len() as u64) < length => damaged(&bytes, "the data ends there".into()),
        Ok(_) => Ok(bytes),
    }
}
