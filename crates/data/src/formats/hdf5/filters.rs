use std::io::Read;

use flate2::read::ZlibDecoder;

use super::bytes::{Cursor, Hdf5Error, wrong};

/// What was done to the bytes of a chunk when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Deflate,
    /// All first bytes of the numbers, then all second ones and so on.
    Shuffle,
}

/// The filters in the order in which they were applied.
pub(super) fn parse_filters(message: &[u8]) -> Result<Vec<Filter>, Hdf5Error> {
    let mut message = Cursor::new(message, "the filters");
    let (version, count) = (message.byte()?, message.byte()?);
    match version {
        1 => message.take(6)?,
        2 => message.take(0)?,
        _ => return Err(message.refuse("version 1 or 2", version)),
    };
    let mut filters = Vec::new();
    for _ in 0..count {
        let filter = match message.uint(2)? {
            1 => Filter::Deflate,
            2 => Filter::Shuffle,
            other => return Err(message.refuse("gzip (1) or shuffle (2)", other)),
        };
        filters.push(filter);
        let name = if version == 1 { message.uint(2)?.next_multiple_of(8) } else { 0 };
        message.take(2)?;
        let settings = message.uint(2)?;
        let padding = if version == 1 { settings % 2 } else { 0 };
        message.take(name + 4 * (settings + padding))?;
    }
    Ok(filters)
}

/// Undoes the filters, but not those whose bit in `mask` is set, of a chunk of `len` bytes.
pub(super) fn undo(
    filters: &[Filter],
    mask: u64,
    mut bytes: Vec<u8>,
    len: u64,
    size: u64,
) -> Result<Vec<u8>, Hdf5Error> {
    for (number, filter) in filters.iter().enumerate().rev() {
        if mask >> number & 1 == 1 {
            continue;
        }
        bytes = match filter {
            Filter::Deflate => {
                let mut unpacked = Vec::new();
                let unpack = ZlibDecoder::new(&*bytes).take(len + 1).read_to_end(&mut unpacked);
                unpack.map_err(|e| wrong("a chunk", "whole gzip data", e))?;
                unpacked
            }
            Filter::Shuffle => {
                let count = bytes.len() / size as usize;
                let at = |i: usize| bytes[i % size as usize * count + i / size as usize];
                (0..count * size as usize).map(at).collect()
            }
        };
    }
    if bytes.len() as u64 == len {
        Ok(bytes)
    } else {
        Err(wrong("a chunk", &format!("{len} bytes"), bytes.len()))
    }
}
