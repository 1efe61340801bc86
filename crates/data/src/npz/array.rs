use nalgebra::DMatrix;

use super::error::ArrayError;
use super::header::{Element, Endian, Header, Kind, Order};

/// An array as it lies in a file.
pub(crate) struct Array {
    pub(super) header: Header,
    /// As many as the header declares.
    pub(super) bytes: Vec<u8>,
}

impl Array {
    pub(crate) fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// A matrix of numbers, NaN and infinity among them.
    pub(crate) fn into_matrix(self, expected: &'static str) -> Result<DMatrix<f64>, ArrayError> {
        let [rows, cols] = self.shape()[..] else { return Err(self.wrong_shape(expected)) };
        self.refuse_empty()?;
        Ok(DMatrix::from_row_iterator(rows, cols, self.into_floats(expected)?))
    }

    /// Numbers of any kind, last index fastest.
    pub(crate) fn into_floats(self, expected: &'static str) -> Result<Vec<f64>, ArrayError> {
        let Element { kind, size, .. } = self.header.element;
        let read: fn([u8; 8]) -> f64 = match (kind, size) {
            (Kind::Float, 2) => |b| half_to_double(u16::from_le_bytes([b[0], b[1]])),
            (Kind::Float, 4) => |b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            (Kind::Float, 8) => f64::from_le_bytes,
            (Kind::Bool | Kind::Uint, 1..=8) => |b| u64::from_le_bytes(b) as f64,
            (Kind::Int, 1..=8) => return Ok(widened(self.into_integers(expected)?)),
            _ => return Err(self.wrong_type(expected)),
        };
        Ok(self.into_elements(read))
    }

    /// Integers or booleans, last index fastest; those too large for `i64` become its largest.
    pub(crate) fn into_integers(self, expected: &'static str) -> Result<Vec<i64>, ArrayError> {
        let Element { kind, size, .. } = self.header.element;
        let read: fn([u8; 8]) -> i64 = match (kind, size) {
            (Kind::Bool | Kind::Uint, 1..=8) => {
                |b| i64::try_from(u64::from_le_bytes(b)).unwrap_or(i64::MAX)
            }
            (Kind::Int, 1) => |b| i64::from(i8::from_le_bytes([b[0]])),
            (Kind::Int, 2) => |b| i64::from(i16::from_le_bytes([b[0], b[1]])),
            (Kind::Int, 4) => |b| i64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            (Kind::Int, 8) => i64::from_le_bytes,
            _ => return Err(self.wrong_type(expected)),
        };
        Ok(self.into_elements(read))
    }

    /// Bytes, last index fastest.
    pub(crate) fn into_bytes(self, expected: &'static str) -> Result<Vec<u8>, ArrayError> {
        match (self.header.element.kind, self.header.element.size) {
            (Kind::Uint, 1) => Ok(last_fastest(self.bytes, &self.header)),
            _ => Err(self.wrong_type(expected)),
        }
    }

    /// Strings, padded with zeros in the file.
    pub(crate) fn into_strings(self, expected: &'static str) -> Result<Vec<String>, ArrayError> {
        let [count] = self.shape()[..] else { return Err(self.wrong_shape(expected)) };
        let Element { kind, size, endian, .. } = self.header.element;
        let read: &dyn Fn(&[u8]) -> String = match kind {
            Kind::Unicode => &|bytes| decode_unicode(bytes, endian),
            Kind::Bytes => &|bytes| String::from_utf8_lossy(bytes).into_owned(),
            _ => return Err(self.wrong_type(expected)),
        };
        let text = |bytes: &[u8]| read(bytes).trim_end_matches('\0').to_owned();
        Ok((0..count).map(|i| text(&self.bytes[i * size..(i + 1) * size])).collect())
    }

    /// The other lengths of an array with one length 0 are unchecked and may be of any size.
    pub(crate) fn refuse_empty(&self) -> Result<(), ArrayError> {
        if self.bytes.is_empty() {
            return Err(self.wrong_shape("at least one row of at least one value"));
        }
        Ok(())
    }

    pub(crate) fn wrong_shape(&self, expected: &str) -> ArrayError {
        ArrayError::Shape { expected: expected.to_owned(), got: self.header.shape.clone() }
    }

    pub(crate) fn wrong_type(&self, expected: &'static str) -> ArrayError {
        ArrayError::Type { expected, got: self.header.element.name.clone() }
    }

    /// Every element as eight bytes, the least significant first and zeros behind.
    fn into_elements<T: Copy>(self, read: fn([u8; 8]) -> T) -> Vec<T> {
        let Element { size, endian, .. } = self.header.element;
        let widen = |bytes: &[u8]| {
            let mut wide = [0; 8];
            wide[..size].copy_from_slice(bytes);
            if endian == Endian::Big {
                wide[..size].reverse();
            }
            wide
        };
        let elements = self.bytes.chunks_exact(size).map(|bytes| read(widen(bytes))).collect();
        last_fastest(elements, &self.header)
    }
}

/// Brings elements into C order.
fn last_fastest<T: Copy>(elements: Vec<T>, header: &Header) -> Vec<T> {
    if header.order == Order::C || header.shape.len() < 2 {
        return elements;
    }
    let mut sorted = Vec::with_capacity(elements.len());
    let mut index = vec![0; header.shape.len()];
    for _ in 0..elements.len() {
        let place = index.iter().zip(&header.shape).rev().fold(0, |place, (i, n)| place * n + i);
        sorted.push(elements[place]);
        for (i, n) in index.iter_mut().zip(&header.shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    sorted
}

fn widened(integers: Vec<i64>) -> Vec<f64> {
    integers.into_iter().map(|v| v as f64).collect()
}

fn decode_unicode(bytes: &[u8], endian: Endian) -> String {
    let points = bytes.chunks_exact(4).map(|b| {
        let word = [b[0], b[1], b[2], b[3]];
        match endian {
            Endian::Little => u32::from_le_bytes(word),
            Endian::Big => u32::from_be_bytes(word),
        }
    });
    points.map(|point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The value of an IEEE 754 half-precision number: 1 sign, 5 exponent and 10 fraction bits.
fn half_to_double(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match (bits >> 10) & 0x1f {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        exponent => (1024.0 + fraction) * 2.0_f64.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_have_their_ieee_values() {
        let values = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (0x7bff, 65_504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x0000, 0.0),
        ];
        for (bits, value) in values {
            assert!((half_to_double(bits) - value).abs() < 1e-20, "{bits:#x}");
        }
        assert!(half_to_double(0x7e00).is_nan() && half_to_double(0xfc00).is_infinite());
    }
}
