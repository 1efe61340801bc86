//! The one thing that is needed of MATLAB's version 5 files: a uint8 array by its name.

use std::io::Read;

use flate2::read::ZlibDecoder;

/// A uint8 array, first index fastest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MatArray {
    pub(super) shape: Vec<usize>,
    pub(super) data: Vec<u8>,
}

/// What is not as it should be: place, expected, got.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MatError {
    pub(super) place: String,
    pub(super) expected: String,
    pub(super) got: String,
}

fn wrong(place: &str, expected: &str, got: impl ToString) -> MatError {
    MatError { place: place.into(), expected: expected.into(), got: got.to_string() }
}

const HEAD: usize = 128;
const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const UINT8_CLASS: u8 = 9;

/// Finds the uint8 array `name`; compressed elements may unpack to `limit` bytes together.
pub(super) fn find_uint8(bytes: &[u8], name: &str, limit: u64) -> Result<MatArray, MatError> {
    let version = "a MATLAB 5.0 MAT-file, as save -v7 or scipy.io.savemat write it";
    let Some((head, mut rest)) = bytes.split_at_checked(HEAD) else {
        return Err(wrong("the head", version, format!("{} bytes", bytes.len())));
    };
    let endian = match &head[126..] {
        b"IM" => Endian::Little,
        b"MI" => Endian::Big,
        _ => return Err(wrong("the head", version, format!("{:?}", text(&head[..19])))),
    };
    if head.starts_with(b"MATLAB 7.3") {
        return Err(wrong("the head", version, "MATLAB 7.3, which is HDF5"));
    }
    let (mut found, mut left) = (Vec::new(), limit);
    while !rest.is_empty() {
        let element = take_element(&mut rest, endian, "an array")?;
        let unpacked;
        let mut body = element.body;
        if element.kind == COMPRESSED {
            unpacked = unpack(body, left)?;
            left -= unpacked.len() as u64;
            let mut inner = &*unpacked;
            body = take_element(&mut inner, endian, "a compressed array")?.body;
        } else if element.kind != MATRIX {
            continue;
        }
        let (found_name, array) = parse_array(body, endian, name)?;
        match array {
            Some(array) => return Ok(array),
            None => found.push(found_name),
        }
    }
    Err(wrong("the arrays", &format!("one of the name {name}"), format!("{found:?}")))
}

#[derive(Clone, Copy)]
enum Endian {
    Little,
    Big,
}

struct Element<'a> {
    kind: u32,
    body: &'a [u8],
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn word(bytes: &[u8], endian: Endian) -> u32 {
    let word = [bytes[0], bytes[1], bytes[2], bytes[3]];
    match endian {
        Endian::Little => u32::from_le_bytes(word),
        Endian::Big => u32::from_be_bytes(word),
    }
}

/// Cuts the next element off `rest`: a tag of type and length and as many bytes, padded to eight;
/// or all in eight bytes, where the length stands in the upper half of the first word.
fn take_element<'a>(
    rest: &mut &'a [u8],
    endian: Endian,
    place: &str,
) -> Result<Element<'a>, MatError> {
    let short = |got: &[u8]| wrong(place, "a whole data element", format!("{} bytes", got.len()));
    let (tag, after) = rest.split_at_checked(8).ok_or_else(|| short(rest))?;
    let first = word(tag, endian);
    if first >> 16 != 0 {
        let length = (first >> 16) as usize;
        let body = tag.get(4..4 + length).ok_or_else(|| short(rest))?;
        *rest = after;
        return Ok(Element { kind: first & 0xffff, body });
    }
    let length = word(&tag[4..], endian) as usize;
    let (body, after) = after.split_at_checked(length).ok_or_else(|| short(rest))?;
    let padding = if first == COMPRESSED { 0 } else { length.wrapping_neg() % 8 };
    *rest = after.get(padding..).unwrap_or_default();
    Ok(Element { kind: first, body })
}

fn unpack(body: &[u8], left: u64) -> Result<Vec<u8>, MatError> {
    let mut unpacked = Vec::new();
    let damaged = |e| wrong("a compressed array", "whole zlib data", e);
    ZlibDecoder::new(body)
        .take(left.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(damaged)?;
    if unpacked.len() as u64 > left {
        let expected = format!("at most {left} bytes, the limit");
        return Err(wrong("a compressed array", &expected, "more"));
    }
    Ok(unpacked)
}

/// The name of an array, and the array if it is the wanted one.
fn parse_array(
    mut body: &[u8],
    endian: Endian,
    name: &str,
) -> Result<(String, Option<MatArray>), MatError> {
    let flags = take_element(&mut body, endian, "array flags")?;
    let dims = take_element(&mut body, endian, "dimensions")?;
    let label = take_element(&mut body, endian, "the name")?;
    if flags.kind != UINT32 || flags.body.len() != 8 {
        return Err(wrong("array flags", "two words", format!("{} bytes", flags.body.len())));
    }
    if dims.kind != INT32 || dims.body.len() % 4 != 0 || label.kind != INT8 {
        return Err(wrong("an array", "int32 dimensions and a name", "other elements"));
    }
    let found = text(label.body);
    if found != name {
        return Ok((found, None));
    }
    let class = word(flags.body, endian) as u8;
    let real = take_element(&mut body, endian, name)?;
    if class != UINT8_CLASS || real.kind != UINT8 {
        let got = format!("class {class} of type {}", real.kind);
        return Err(wrong(name, "a uint8 array (class 9 of type 2)", got));
    }
    let lengths = dims.body.chunks_exact(4).map(|bytes| word(bytes, endian));
    let shape: Vec<usize> = lengths.map(|length| length as usize).collect();
    let declared = shape.iter().fold(1_u128, |n, &length| n.saturating_mul(length as u128));
    if declared != real.body.len() as u128 {
        let expected = format!("{declared} bytes for shape {shape:?}");
        return Err(wrong(name, &expected, real.body.len()));
    }
    Ok((found, Some(MatArray { shape, data: real.body.to_vec() })))
}
