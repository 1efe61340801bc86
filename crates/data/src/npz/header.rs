use std::io::Read;

use super::error::ArrayError;

/// Longest header that is read; that of a plain array has about a hundred bytes.
const LONGEST: usize = 10_000;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The head of a `.npy` array (NumPy enhancement proposal 1, versions 1.0 to 3.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
    pub(super) order: Order,
}

/// How the elements follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The last index varies fastest.
    C,
    /// The first index varies fastest.
    Fortran,
}

/// The type of the elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) kind: Kind,
    /// Bytes.
    pub(super) size: usize,
    pub(super) endian: Endian,
    /// As NumPy writes it.
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Uint,
    Float,
    Unicode,
    Bytes,
    /// Pickled.
    Object,
    /// Complex numbers, dates, records: nothing that pairs hold.
    Other,
}

impl Header {
    pub(super) fn read(entry: &mut dyn Read) -> Result<Self, ArrayError> {
        let got = |got: &str| ArrayError::Header { got: got.to_owned() };
        let mut start = [0; 8];
        entry.read_exact(&mut start).map_err(|e| got(&e.to_string()))?;
        if start[..6] != *MAGIC {
            return Err(got("other bytes"));
        }
        let width = match start[6] {
            1 => 2,
            2 | 3 => 4,
            version => return Err(got(&format!("version {version}"))),
        };
        let mut length = [0; 4];
        entry.read_exact(&mut length[..width]).map_err(|e| got(&e.to_string()))?;
        let length = u32::from_le_bytes(length) as usize;
        if length > LONGEST {
            return Err(got(&format!("one of {length} bytes where {LONGEST} is the most")));
        }
        let mut text = vec![0; length];
        entry.read_exact(&mut text).map_err(|e| got(&e.to_string()))?;
        let text = String::from_utf8_lossy(&text).replace('"', "'");
        Self::parse(&text).ok_or_else(|| got(text.trim()))
    }

    /// Bytes of data that the header declares, which may be more than any machine holds.
    pub(super) fn declared_bytes(&self) -> u128 {
        let factors = self.shape.iter().map(|&n| n as u128);
        factors.fold(self.element.size as u128, u128::saturating_mul)
    }

    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}'"))?;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let order = match value("fortran_order")? {
            rest if rest.starts_with("False") => Order::C,
            rest if rest.starts_with("True") => Order::Fortran,
            _ => return None,
        };
        let (shape, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        let shape = lengths.map(|length| length.parse().ok()).collect::<Option<_>>()?;
        Some(Self { element: Element::parse(value("descr")?)?, shape, order })
    }
}

impl Element {
    /// Reads `'<f4'`; a list is a record type.
    fn parse(descr: &str) -> Option<Self> {
        let Some(quoted) = descr.strip_prefix('\'') else {
            let name = descr.split_once(']').map_or(descr, |(record, _)| record);
            return Some(Self::other(&format!("{name}]")));
        };
        let (name, _) = quoted.split_once('\'')?;
        let mut letters = name.chars();
        let (endian, letter) = match letters.next()? {
            '<' | '|' | '=' => (Endian::Little, letters.next()?),
            '>' => (Endian::Big, letters.next()?),
            letter => (Endian::Little, letter),
        };
        let kind = match letter {
            'b' => Kind::Bool,
            'i' => Kind::Int,
            'u' => Kind::Uint,
            'f' => Kind::Float,
            'U' => Kind::Unicode,
            'S' | 'a' => Kind::Bytes,
            'O' => Kind::Object,
            _ => return Some(Self::other(name)),
        };
        let count: usize = letters.as_str().parse().unwrap_or(0);
        let size = if kind == Kind::Unicode { count.checked_mul(4)? } else { count };
        // Elements without bytes would let a file declare any number of them for free.
        if size == 0 && kind != Kind::Object {
            return Some(Self::other(name));
        }
        Some(Self { kind, size, endian, name: name.to_owned() })
    }

    fn other(name: &str) -> Self {
        Self { kind: Kind::Other, size: 0, endian: Endian::Little, name: name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_headers_are_read() {
        let header = Header::parse("{'descr': '>f8', 'fortran_order': True, 'shape': (3, 4), }");
        let header = header.unwrap();
        assert_eq!((header.shape.as_slice(), header.order), (&[3, 4][..], Order::Fortran));
        assert_eq!((header.element.kind, header.element.size), (Kind::Float, 8));
        assert_eq!(header.element.endian, Endian::Big);
        assert_eq!(header.declared_bytes(), 96);
        let one = Header::parse("{'shape': (7,), 'descr': '<U3', 'fortran_order': False}").unwrap();
        assert_eq!((one.shape.as_slice(), one.element.size), (&[7][..], 12));
    }

    #[test]
    fn absurd_shapes_are_measured_without_overflow() {
        let shape = format!("({0}, {0}, {0})", u64::MAX);
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}");
        assert_eq!(Header::parse(&text).unwrap().declared_bytes(), u128::MAX);
    }

    #[test]
    fn anything_else_is_no_header() {
        for text in ["", "{}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"] {
            assert_eq!(Header::parse(text), None, "{text}");
        }
        let long = [MAGIC.as_slice(), &[2, 0, 255, 255, 255, 255]].concat();
        let error = Header::read(&mut long.as_slice()).unwrap_err().to_string();
        assert!(error.contains("one of 4294967295 bytes where 10000 is the most"), "{error}");
    }

    #[test]
    fn records_and_objects_are_told_apart() {
        let kind = |descr| Element::parse(descr).unwrap().kind;
        assert_eq!(kind("'|O'"), Kind::Object);
        assert_eq!(kind("[('a', '<f4')]"), Kind::Other);
        assert_eq!(kind("'<c16'"), Kind::Other);
    }
}
