use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use npyz::npz::{NpzArchive, file_name_from_array_name};
use npyz::zip::read::ZipFile;

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    pub(crate) content: &'static str,
}

/// An open `.npz` file and what is left of its limit.
pub(crate) struct Archive {
    path: PathBuf,
    npz: NpzArchive<BufReader<File>>,
    bytes_left: u64,
}

impl Archive {
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<Self, FileError> {
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

    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Reads an array that must be there.
    pub(crate) fn require(&mut self, expected: Expected) -> Result<Array, FileError> {
        match self.find(expected)? {
            Some(array) => Ok(array),
            None => Err(self.missing(expected)),
        }
    }

    /// The error of an array that must be there and is not.
    pub(super) fn missing(&self, expected: Expected) -> FileError {
        let found = self.names();
        self.error(expected, ArrayError::Missing { expected: expected.content, found })
    }

    /// Names of the arrays, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.npz.array_names().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// The entry that holds an array.
    pub(super) fn entry(&mut self, name: &str) -> Result<ZipFile<'_>, ArrayError> {
        let entry = self.npz.zip_archive().by_name(&file_name_from_array_name(name));
        entry.map_err(|e| ArrayError::Header { got: e.to_string() })
    }

    /// Reads an array that may be there.
    pub(crate) fn find(&mut self, expected: Expected) -> Result<Option<Array>, FileError> {
        if !self.holds(expected.name) {
            return Ok(None);
        }
        self.read(expected).map(Some).map_err(|reason| self.error(expected, reason))
    }

    /// Whether there is an array of that name.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.npz.array_names().any(|other| other == name)
    }

    pub(crate) fn error(&self, array: Expected, reason: ArrayError) -> FileError {
        FileError::Array { path: self.path(), array: array.name, reason }
    }

    fn read(&mut self, expected: Expected) -> Result<Array, ArrayError> {
        let left = self.bytes_left;
        let array = read_array(&mut self.entry(expected.name)?, expected, left)?;
        self.bytes_left -= array.bytes.len() as u64;
        Ok(array)
    }
}

/// Reads an array on its own, a `.npy` file.
pub(crate) fn read_npy(
    path: &Path,
    expected: Expected,
    limits: Limits,
) -> Result<Array, FileError> {
    let file =
        File::open(path).map_err(|reason| FileError::Read { path: path.to_owned(), reason })?;
    read_array(&mut BufReader::new(file), expected, limits.max_bytes)
        .map_err(|reason| FileError::Array { path: path.to_owned(), array: expected.name, reason })
}

fn read_array(
    entry: &mut dyn Read,
    expected: Expected,
    bytes_left: u64,
) -> Result<Array, ArrayError> {
    let header = Header::read(entry)?;
    refuse_odd_types(&header, expected)?;
    let declared = header.declared_bytes();
    let length = u64::try_from(declared).ok().filter(|length| *length <= bytes_left);
    let Some(length) = length else {
        return Err(ArrayError::TooLarge { declared, left: bytes_left });
    };
    Ok(Array { header, bytes: read_exactly(entry, length)? })
}

/// Refuses pickles and records.
pub(super) fn refuse_odd_types(header: &Header, expected: Expected) -> Result<(), ArrayError> {
    match header.element.kind {
        Kind::Object => Err(pickled(expected)),
        Kind::Other => {
            let got = header.element.name.clone();
            Err(ArrayError::Type { expected: expected.content, got })
        }
        _ => Ok(()),
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
