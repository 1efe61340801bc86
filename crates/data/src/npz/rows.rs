use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use npyz::zip::CompressionMethod;

use super::archive::{Archive, Expected, Limits, refuse_odd_types};
use super::error::{ArrayError, FileError};
use super::header::{Header, Kind, Order};

/// Deflate unpacks to 1032 times its size at most: a longer code than two bits for 258 bytes exists
/// for nothing.
const DEFLATE_RATIO: u64 = 1032;

/// Takes a row and its bytes, last index fastest.
pub(crate) type RowSink<'a, E> = dyn FnMut(usize, &[u8]) -> Result<(), E> + 'a;

/// A large array of an archive, whose rows are read one by one and only where they are wanted.
///
/// Stored entries are read at the place of the row; packed ones are unpacked up to the last wanted
/// row. The archive's checksum covers whole entries and is not compared.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    path: PathBuf,
    expected: Expected,
    limits: Limits,
    header: Header,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Bytes from the start of the file to the first element.
    Stored(u64),
    /// Bytes from the start of the unpacked entry to the first element.
    Packed(u64),
}

enum Stream<'a> {
    Stored(BufReader<File>),
    Packed(Box<dyn Read + 'a>),
}

impl Rows {
    /// Finds an array that must be there; nothing but its head is read.
    pub(crate) fn find(path: &Path, expected: Expected, limits: Limits) -> Result<Self, FileError> {
        let mut archive = Archive::open(path, limits)?;
        if !archive.holds(expected.name) {
            return Err(archive.missing(expected));
        }
        let length = fs::metadata(path)
            .map_err(|reason| FileError::Read { path: path.to_owned(), reason })?
            .len();
        let located = locate(&mut archive, expected, length);
        let (header, place) = located.map_err(|reason| archive.error(expected, reason))?;
        Ok(Self { path: path.to_owned(), expected, limits, header, place })
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// Whether the elements are single unsigned bytes.
    pub(crate) fn holds_bytes(&self) -> bool {
        self.header.element.kind == Kind::Uint && self.header.element.size == 1
    }

    /// Whether the elements are byte strings, and their length.
    pub(crate) fn string_length(&self) -> Option<usize> {
        (self.header.element.kind == Kind::Bytes).then_some(self.header.element.size)
    }

    /// Whether the elements are pickled Python objects.
    pub(crate) fn is_pickled(&self) -> bool {
        self.header.element.kind == Kind::Object
    }

    pub(crate) fn error(&self, reason: ArrayError) -> FileError {
        FileError::Array { path: self.path.clone(), array: self.expected.name, reason }
    }

    pub(crate) fn wrong_shape(&self) -> FileError {
        let expected = self.expected.content.to_owned();
        self.error(ArrayError::Shape { expected, got: self.header.shape.clone() })
    }

    pub(crate) fn wrong_type(&self) -> FileError {
        let got = self.header.element.name.clone();
        self.error(ArrayError::Type { expected: self.expected.content, got })
    }

    /// Hands the wanted rows, which ascend and are all there, to `sink`.
    pub(crate) fn visit<E: From<FileError>>(
        &self,
        wanted: &[usize],
        sink: &mut RowSink<'_, E>,
    ) -> Result<(), E> {
        refuse_odd_types(&self.header, self.expected).map_err(|reason| self.error(reason))?;
        let mut archive = Archive::open(&self.path, self.limits)?;
        let mut stream = self.stream(&mut archive).map_err(|reason| self.error(reason))?;
        if self.header.order == Order::Fortran && self.header.shape.len() > 1 {
            return self.visit_columns(&mut stream, wanted, sink);
        }
        let mut bytes = vec![0; self.row_bytes()];
        let mut next = 0;
        for &row in wanted {
            let skipped = (row - next) as u64 * bytes.len() as u64;
            let read = stream.skip(skipped).and_then(|()| stream.read_exact(&mut bytes));
            read.map_err(|e| self.damaged(row as u64 * bytes.len() as u64, &e))?;
            sink(row, &bytes)?;
            next = row + 1;
        }
        Ok(())
    }

    /// The entry from its first element on, of a length that the caller has to bound.
    pub(crate) fn raw<T, E: From<FileError>>(
        &self,
        read: impl FnOnce(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut archive = Archive::open(&self.path, self.limits)?;
        let mut stream = self.stream(&mut archive).map_err(|reason| self.error(reason))?;
        read(&mut stream)
    }

    fn row_bytes(&self) -> usize {
        self.header.shape[1..].iter().product::<usize>() * self.header.element.size
    }

    fn check_limit(&self, declared: u128) -> Result<(), FileError> {
        let left = self.limits.max_bytes;
        if declared > u128::from(left) {
            return Err(self.error(ArrayError::TooLarge { declared, left }));
        }
        Ok(())
    }

    /// In Fortran order the same element of all rows lies together, so all wanted rows fill up at
    /// once.
    fn visit_columns<E: From<FileError>>(
        &self,
        stream: &mut Stream<'_>,
        wanted: &[usize],
        sink: &mut RowSink<'_, E>,
    ) -> Result<(), E> {
        let (rows, size) = (self.header.shape[0], self.header.element.size);
        let inner = &self.header.shape[1..];
        let row_bytes = self.row_bytes();
        self.check_limit(wanted.len() as u128 * row_bytes as u128 + (rows * size) as u128)?;
        let mut picked = vec![0; wanted.len() * row_bytes];
        let mut column = vec![0; rows * size];
        let mut index = vec![0; inner.len()];
        for done in 0..row_bytes / size {
            let read = stream.read_exact(&mut column);
            read.map_err(|e| self.damaged((done * column.len()) as u64, &e))?;
            let place = index.iter().zip(inner).fold(0, |place, (i, n)| place * n + i) * size;
            for (k, &row) in wanted.iter().enumerate() {
                let from = &column[row * size..(row + 1) * size];
                picked[k * row_bytes + place..][..size].copy_from_slice(from);
            }
            step_first_fastest(&mut index, inner);
        }
        wanted.iter().zip(picked.chunks_exact(row_bytes)).try_for_each(|(&row, x)| sink(row, x))
    }

    fn stream<'a>(&self, archive: &'a mut Archive) -> Result<Stream<'a>, ArrayError> {
        let unreadable = |e: io::Error| ArrayError::Header { got: e.to_string() };
        match self.place {
            Place::Stored(start) => {
                let mut file = BufReader::new(File::open(&self.path).map_err(unreadable)?);
                file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
                Ok(Stream::Stored(file))
            }
            Place::Packed(start) => {
                let mut stream = Stream::Packed(Box::new(archive.entry(self.expected.name)?));
                stream.skip(start).map_err(unreadable)?;
                Ok(stream)
            }
        }
    }

    fn damaged(&self, got: u64, reason: &io::Error) -> FileError {
        let expected = u64::try_from(self.header.declared_bytes()).unwrap_or(u64::MAX);
        self.error(ArrayError::Damaged { expected, got, reason: reason.to_string() })
    }
}

impl Stream<'_> {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Self::Stored(file) => {
                let step = i64::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
                file.seek_relative(step)
            }
            Self::Packed(entry) => {
                let skipped = io::copy(&mut entry.take(bytes), &mut io::sink())?;
                if skipped < bytes {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(())
            }
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(file) => file.read(into),
            Self::Packed(entry) => entry.read(into),
        }
    }
}

/// Reads the head of an array and checks that the file can hold what it declares, so that no more
/// memory is taken than a bounded multiple of the file.
fn locate(
    archive: &mut Archive,
    expected: Expected,
    file_length: u64,
) -> Result<(Header, Place), ArrayError> {
    let mut entry = archive.entry(expected.name)?;
    let mut counted = Counted { inner: &mut entry, count: 0 };
    let header = Header::read(&mut counted)?;
    let head = counted.count;
    let (place, room) = match entry.compression() {
        CompressionMethod::Stored => {
            let start = entry.data_start().saturating_add(head);
            (Place::Stored(start), file_length.saturating_sub(start))
        }
        CompressionMethod::Deflated => {
            let packed = entry.compressed_size().min(file_length);
            (Place::Packed(head), packed.saturating_mul(DEFLATE_RATIO))
        }
        other => {
            let got = format!("an entry packed by {other}, where NumPy stores or deflates");
            return Err(ArrayError::Header { got });
        }
    };
    let declared = header.declared_bytes();
    if declared > u128::from(room.min(entry.size())) && header.element.kind != Kind::Object {
        let reason = "the file is too short for that".to_owned();
        let declared = u64::try_from(declared).unwrap_or(u64::MAX);
        return Err(ArrayError::Damaged {
            expected: declared,
            got: entry.size().min(room),
            reason,
        });
    }
    if header.shape.is_empty() || header.shape.contains(&0) {
        let content = "at least one row of at least one value".to_owned();
        return Err(ArrayError::Shape { expected: content, got: header.shape });
    }
    Ok((header, place))
}

/// The next index, the first place fastest.
fn step_first_fastest(index: &mut [usize], lengths: &[usize]) {
    for (i, n) in index.iter_mut().zip(lengths) {
        *i += 1;
        if *i < *n {
            return;
        }
        *i = 0;
    }
}

struct Counted<'a> {
    inner: &'a mut dyn Read,
    count: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count += read as u64;
        Ok(read)
    }
}
