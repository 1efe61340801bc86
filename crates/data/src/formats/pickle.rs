//! Byte strings in a pickled NumPy object array, recognised and never interpreted.
//!
//! A pickle is a program that can do anything. This reads the one program that NumPy writes for an
//! array of byte strings, opcode by opcode, and refuses every other: no opcode builds an object or
//! calls anything, names are compared with those of NumPy's own array, and memory holds one byte
//! string at a time.

use std::io::{self, Read};

use thiserror::Error;

use crate::npz::RowSink;

/// Why a pickle is not an array of byte strings.
#[derive(Debug, Error)]
pub(super) enum PickleError {
    #[error("opcode {0:#04x}, which an array of byte strings does not need")]
    Opcode(u8),
    #[error("the name {0:?}, which an array of byte strings does not need")]
    Name(String),
    #[error("elements in Fortran order")]
    Fortran,
    #[error("a byte string of {0} bytes")]
    Long(u64),
    #[error("{got} byte strings where the shape has {expected}")]
    Count { expected: usize, got: usize },
    #[error("a damaged pickle: {0}")]
    Read(#[from] io::Error),
}

/// Longest string among the names of NumPy's types.
const LONGEST_NAME: u64 = 64;

/// Longest byte string, far above any picture.
const LONGEST: u64 = 1 << 28;

/// What NumPy's array of objects mentions: its constructor, its types and their parameters.
const NAMES: [&str; 11] = [
    "numpy.core.multiarray",
    "numpy._core.multiarray",
    "numpy.core.numeric",
    "numpy._core.numeric",
    "_reconstruct",
    "numpy",
    "ndarray",
    "dtype",
    "O8",
    "O4",
    "|",
];

/// Reads the byte strings of an array of `count` elements and hands each to `sink` with its number.
pub(super) fn visit<E: From<PickleError>>(
    stream: &mut dyn Read,
    count: usize,
    sink: &mut RowSink<'_, E>,
) -> Result<(), E> {
    let mut reader = Reader { stream, fortran: false };
    reader.head()?;
    let mut bytes = Vec::new();
    let mut found = 0;
    while let Some(length) = reader.next_element()? {
        if found == count {
            return Err(PickleError::Count { expected: count, got: found + 1 }.into());
        }
        reader.bytes(length, &mut bytes)?;
        sink(found, &bytes)?;
        found += 1;
    }
    if found < count {
        return Err(PickleError::Count { expected: count, got: found }.into());
    }
    Ok(())
}

struct Reader<'a> {
    stream: &'a mut dyn Read,
    /// The last truth value, which before the list of elements is their order.
    fortran: bool,
}

impl Reader<'_> {
    /// Everything before the list of elements.
    fn head(&mut self) -> Result<(), PickleError> {
        let mut room = Vec::new();
        loop {
            match self.byte()? {
                b']' => break,
                0x80 | b'K' | b'q' | b'h' => self.skip(1)?,
                b'M' => self.skip(2)?,
                b'J' | b'r' | b'j' => self.skip(4)?,
                0x95 => self.skip(8)?,
                // Tuples and marks, None, memo, and the calls that make an array.
                b'(' | b')' | b't' | 0x85..=0x87 | b'N' | 0x94 | 0x93 | b'R' | b'b' => {}
                0x88 => self.fortran = true,
                0x89 => self.fortran = false,
                // The kind of the empty array that is to be filled.
                b'C' => self.name(1, &mut room, &["b"])?,
                0x8c => self.name(1, &mut room, &NAMES)?,
                b'X' => self.name(4, &mut room, &NAMES)?,
                b'c' => {
                    self.line(&mut room)?;
                    self.line(&mut room)?;
                }
                opcode => return Err(PickleError::Opcode(opcode)),
            }
        }
        if self.fortran { Err(PickleError::Fortran) } else { Ok(()) }
    }

    /// Length of the next byte string, or nothing at the end of the pickle.
    fn next_element(&mut self) -> Result<Option<u64>, PickleError> {
        loop {
            match self.byte()? {
                b'C' => return self.length(1).map(Some),
                b'B' => return self.length(4).map(Some),
                0x8e => return self.length(8).map(Some),
                b'.' => return Ok(None),
                b'q' => self.skip(1)?,
                b'r' => self.skip(4)?,
                0x95 => self.skip(8)?,
                b'(' | b'a' | b'e' | b't' | 0x94 | b'b' => {}
                opcode => return Err(PickleError::Opcode(opcode)),
            }
        }
    }

    fn byte(&mut self) -> Result<u8, PickleError> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn length(&mut self, width: usize) -> Result<u64, PickleError> {
        let mut bytes = [0; 8];
        self.stream.read_exact(&mut bytes[..width])?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn skip(&mut self, count: usize) -> Result<(), PickleError> {
        Ok(self.stream.read_exact(&mut [0; 8][..count])?)
    }

    fn bytes(&mut self, length: u64, into: &mut Vec<u8>) -> Result<(), PickleError> {
        if length > LONGEST {
            return Err(PickleError::Long(length));
        }
        into.clear();
        (&mut *self.stream).take(length).read_to_end(into)?;
        if (into.len() as u64) < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    fn name(
        &mut self,
        width: usize,
        room: &mut Vec<u8>,
        known: &[&str],
    ) -> Result<(), PickleError> {
        let length = self.length(width)?;
        self.bytes(length.min(LONGEST_NAME), room)?;
        if length > LONGEST_NAME {
            return refuse(room);
        }
        check(room, known)
    }

    fn line(&mut self, room: &mut Vec<u8>) -> Result<(), PickleError> {
        room.clear();
        loop {
            match self.byte()? {
                b'\n' => return check(room, &NAMES),
                byte if (room.len() as u64) < LONGEST_NAME => room.push(byte),
                _ => return refuse(room),
            }
        }
    }
}

fn check(name: &[u8], known: &[&str]) -> Result<(), PickleError> {
    if known.iter().any(|known| known.as_bytes() == name) { Ok(()) } else { refuse(name) }
}

fn refuse(name: &[u8]) -> Result<(), PickleError> {
    Err(PickleError::Name(String::from_utf8_lossy(name).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocol 3, as NumPy 1 writes it, of two byte strings.
    fn pickle(name: &str, elements: &[u8]) -> Vec<u8> {
        let head = format!("\u{1}c{name}\n_reconstruct\nq\0cnumpy\nndarray\nq\u{1}K\0");
        let state = b"\x85q\x02C\x01bq\x03\x87q\x04Rq\x05(K\x01K\x02\x85q\x06cnumpy\ndtype\nq\x07";
        let kind =
            b"X\x02\0\0\0O8q\x08\x89\x88\x87q\tRq\n(K\x03X\x01\0\0\0|q\x0bNNNJ\xff\xff\xff\xff";
        let rest = b"J\xff\xff\xff\xffK?tq\x0cb\x89]q\r(";
        let head = [&[0x80, 3][..], &head.as_bytes()[1..]].concat();
        [&head, &state[..], kind, rest, elements, b"etq\x10b."].concat()
    }

    fn read(bytes: &[u8], count: usize) -> Result<Vec<Vec<u8>>, PickleError> {
        let mut found = Vec::new();
        visit::<PickleError>(&mut &*bytes, count, &mut |number, bytes| {
            assert_eq!(number, found.len());
            found.push(bytes.to_vec());
            Ok(())
        })?;
        Ok(found)
    }

    const TWO: &[u8] = b"C\x02abq\x0eB\x01\0\0\0cq\x0f";

    #[test]
    fn byte_strings_are_read() {
        let found = read(&pickle("numpy.core.multiarray", TWO), 2).unwrap();
        assert_eq!(found, [b"ab".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn everything_else_is_refused() {
        let refusal = |name: &str, elements: &[u8], count| {
            read(&pickle(name, elements), count).unwrap_err().to_string()
        };
        let core = "numpy.core.multiarray";
        assert!(refusal("os", TWO, 2).starts_with("the name \"os\""));
        assert!(refusal(core, b"K\x01", 1).starts_with("opcode 0x4b"));
        assert!(refusal(core, b"C\x01acos\nsystem\n", 2).starts_with("opcode 0x63"));
        assert_eq!(refusal(core, TWO, 3), "2 byte strings where the shape has 3");
        assert_eq!(refusal(core, TWO, 1), "2 byte strings where the shape has 1");
        let long = refusal(core, b"\x8e\0\0\0\0\0\0\0\x7f", 1);
        assert_eq!(long, "a byte string of 9151314442816847872 bytes");
        let whole = pickle(core, TWO);
        for length in 0..whole.len() {
            assert!(read(&whole[..length], 2).is_err(), "{length}");
        }
    }

    #[test]
    fn fortran_order_is_refused() {
        let mut bytes = pickle("numpy.core.multiarray", TWO);
        let list = bytes.iter().rposition(|&b| b == b']').unwrap();
        bytes[list - 1] = 0x88;
        assert_eq!(read(&bytes, 2).unwrap_err().to_string(), "elements in Fortran order");
    }
}
