use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// What is not as it should be: place, expected, got.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hdf5Error {
    pub(super) place: String,
    pub(super) expected: String,
    pub(super) got: String,
}

pub(super) fn wrong(place: &str, expected: &str, got: impl ToString) -> Hdf5Error {
    Hdf5Error { place: place.into(), expected: expected.into(), got: got.to_string() }
}

/// How often, on average, a byte of the file may be read as part of its structure. A whole file
/// needs one look per dataset; addresses that run in circles need many.
const LOOKS: u64 = 4;

/// A file that hands out no more bytes than it has.
pub(super) struct Bytes {
    file: File,
    len: u64,
    /// Bytes of structure that may still be read.
    left: Cell<u64>,
}

impl Bytes {
    pub(super) fn open(path: &Path) -> Result<Self, Hdf5Error> {
        let file = File::open(path).map_err(unreadable)?;
        let len = file.metadata().map_err(unreadable)?.len();
        Ok(Self { file, len, left: Cell::new(len.saturating_mul(LOOKS)) })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes of data from `start` on.
    pub(super) fn data(&self, start: u64, len: u64, place: &str) -> Result<Vec<u8>, Hdf5Error> {
        if start.checked_add(len).is_none_or(|end| end > self.len) {
            let expected = format!("{len} bytes from byte {start} on");
            return Err(wrong(place, &expected, format!("a file of {} bytes", self.len)));
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let mut bytes = vec![0; len as usize];
        file.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// `len` bytes of structure from `start` on.
    pub(super) fn structure(
        &self,
        start: u64,
        len: u64,
        place: &'static str,
    ) -> Result<Cursor<Vec<u8>>, Hdf5Error> {
        let bytes = self.data(start, len, place)?;
        let Some(left) = self.left.get().checked_sub(len) else {
            return Err(wrong(place, "addresses that lead somewhere", "addresses in circles"));
        };
        self.left.set(left);
        Ok(Cursor { bytes, at: 0, place })
    }
}

fn unreadable(e: std::io::Error) -> Hdf5Error {
    wrong("the file", "a readable file", e)
}

/// Takes numbers off the front of bytes.
pub(super) struct Cursor<B> {
    bytes: B,
    at: usize,
    place: &'static str,
}

impl<B: AsRef<[u8]>> Cursor<B> {
    pub(super) fn new(bytes: B, place: &'static str) -> Self {
        Self { bytes, at: 0, place }
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.as_ref().get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&[u8], Hdf5Error> {
        let all = self.bytes.as_ref();
        let rest = all.get(self.at..).unwrap_or_default();
        let Some(taken) = usize::try_from(len).ok().and_then(|len| rest.get(..len)) else {
            let expected = format!("{len} bytes from byte {} of it on", self.at);
            return Err(wrong(self.place, &expected, format!("{} bytes", all.len())));
        };
        self.at += taken.len();
        Ok(taken)
    }

    /// A number of `width` bytes, at most eight, the lowest first.
    pub(super) fn uint(&mut self, width: u8) -> Result<u64, Hdf5Error> {
        let mut word = [0; 8];
        let Some(room) = word.get_mut(..usize::from(width)) else {
            return Err(wrong(self.place, "a number of at most 8 bytes", width));
        };
        room.copy_from_slice(self.take(u64::from(width))?);
        Ok(u64::from_le_bytes(word))
    }

    pub(super) fn byte(&mut self) -> Result<u8, Hdf5Error> {
        Ok(self.take(1)?[0])
    }

    /// Takes exactly these bytes.
    pub(super) fn expect(&mut self, expected: &[u8]) -> Result<(), Hdf5Error> {
        let place = self.place;
        let got = self.take(expected.len() as u64)?;
        if got != expected {
            let (expected, got) = (expected.escape_ascii(), got.escape_ascii());
            return Err(wrong(place, &format!("the bytes {expected}"), got));
        }
        Ok(())
    }

    /// A refusal of what stands here.
    pub(super) fn refuse(&self, expected: &str, got: impl ToString) -> Hdf5Error {
        wrong(self.place, expected, got)
    }
}
