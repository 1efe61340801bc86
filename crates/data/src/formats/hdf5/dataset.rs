use super::bytes::{Bytes, Cursor, Hdf5Error, wrong};
use super::chunks::Chunks;
use super::filters::parse_filters;
use super::header::{DATASPACE, DATATYPE, FILTERS, LAYOUT, find, message, messages};

/// Deflate packs 1032 bytes into one at most, and what anybody stores is not packed twice.
const RATIO: u64 = 1032;

/// The numbers that datasets hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    U8,
    F64,
}

impl Element {
    pub(super) fn size(self) -> u64 {
        match self {
            Self::U8 => 1,
            Self::F64 => 8,
        }
    }

    /// What the datatype message says after its first byte, the version and class.
    fn parse(message: &[u8]) -> Result<Self, Hdf5Error> {
        const U8: [u8; 11] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];
        const F64: [u8; 19] = [0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0];
        match message.split_first() {
            Some((class, rest)) if class % 16 == 0 && rest.starts_with(&U8) => Ok(Self::U8),
            Some((class, rest)) if class % 16 == 1 && rest.starts_with(&F64) => Ok(Self::F64),
            _ => {
                let got = format!("the type message {:02x?}", &message[..message.len().min(24)]);
                Err(wrong("the type", "uint8 or little-endian float64", got))
            }
        }
    }
}

enum Place {
    Contiguous { address: u64 },
    Chunked(Chunks),
}

/// Where the numbers of a dataset lie.
pub(super) struct Dataset {
    /// Lengths of the axes, at least one, none of them 0.
    pub(super) shape: Vec<u64>,
    pub(super) element: Element,
    place: Place,
}

impl Dataset {
    /// Finds a dataset in the root group; one that declares more bytes than the file can hold is refused.
    pub(super) fn find(file: &Bytes, name: &str) -> Result<Self, Hdf5Error> {
        let messages = messages(file, find(file, name)?)?;
        let part = |kind, what: &str| {
            message(&messages, kind)
                .ok_or_else(|| wrong(name, &format!("a dataset with {what}"), "none"))
        };
        let shape = parse_shape(part(DATASPACE, "a shape")?)?;
        let element = Element::parse(part(DATATYPE, "a type")?)?;
        let declared = shape.iter().fold(element.size(), |n, &length| n.saturating_mul(length));
        let room = file.len().saturating_mul(RATIO);
        if declared > room {
            let expected = format!("at most {room} bytes for a file of {} bytes", file.len());
            return Err(wrong(name, &expected, declared));
        }
        let mut layout = Cursor::new(part(LAYOUT, "a layout")?, "the layout");
        let (version, class) = (layout.byte()?, layout.byte()?);
        let place = match (version, class) {
            (3..=5, 1) => Place::Contiguous { address: layout.uint(8)? },
            (3..=5, 2) => {
                let filters = message(&messages, FILTERS).map_or(Ok(Vec::new()), parse_filters)?;
                Place::Chunked(Chunks::parse(file, version, layout, (&shape, element), filters)?)
            }
            _ => {
                let got = format!("class {class} of version {version}");
                return Err(layout.refuse("a contiguous or chunked layout of version 3 to 5", got));
            }
        };
        Ok(Self { shape, element, place })
    }

    /// Rows per chunk, where there are chunks.
    pub(super) fn chunk_rows(&self) -> Option<u64> {
        match &self.place {
            Place::Contiguous { .. } => None,
            Place::Chunked(chunks) => Some(chunks.rows()),
        }
    }

    /// Bytes of a row, which is all of the axes but the first.
    pub(super) fn row_bytes(&self) -> u64 {
        self.shape[1..].iter().product::<u64>() * self.element.size()
    }

    /// The bytes of `count` rows from `first` on, which lie inside the shape.
    pub(super) fn rows(&self, file: &Bytes, first: u64, count: u64) -> Result<Vec<u8>, Hdf5Error> {
        match &self.place {
            Place::Contiguous { address } => {
                let start = address.saturating_add(first * self.row_bytes());
                file.data(start, count * self.row_bytes(), "the rows")
            }
            Place::Chunked(chunks) => {
                let mut rows = vec![0; (count * self.row_bytes()) as usize];
                chunks.copy_rows(file, &self.shape, first, &mut rows)?;
                Ok(rows)
            }
        }
    }
}

fn parse_shape(message: &[u8]) -> Result<Vec<u64>, Hdf5Error> {
    let mut message = Cursor::new(message, "the shape");
    let (version, rank) = (message.byte()?, message.byte()?);
    match version {
        1 => message.take(6)?,
        2 => message.take(2)?,
        _ => return Err(message.refuse("version 1 or 2", version)),
    };
    let shape = (0..rank).map(|_| message.uint(8)).collect::<Result<Vec<_>, _>>()?;
    if shape.is_empty() || shape.contains(&0) {
        return Err(message.refuse("at least one axis and none of length 0", format!("{shape:?}")));
    }
    Ok(shape)
}
