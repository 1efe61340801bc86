use std::fs;
use std::path::Path;

use super::images::{DigitImages, SIDE};
use crate::config_error::ConfigError;

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// The digits of a part, `train` or `t10k`, of MNIST, from its files `…-images-idx3-ubyte` and
/// `…-labels-idx1-ubyte`.
pub(super) fn mnist(folder: &Path, part: &str) -> Result<DigitImages, ConfigError> {
    let images = idx(&folder.join(format!("{part}-images-idx3-ubyte")), IMAGES)?;
    let labels = idx(&folder.join(format!("{part}-labels-idx1-ubyte")), LABELS)?;
    let shape = [labels.shape[0], SIDE, SIDE];
    if images.shape != shape {
        return Err(fault(format!("expected pictures {shape:?}, got {:?}", images.shape)));
    }
    DigitImages::new(&images.data, &labels.data).map_err(|error| fault(error.to_string()))
}

fn fault(reason: String) -> ConfigError {
    ConfigError::Source { key: "source.mnist", reason }
}

/// An array of bytes.
struct Array {
    shape: Vec<usize>,
    data: Vec<u8>,
}

/// Reads an IDX file: a big-endian magic number, whose last byte is the number of axes, their
/// lengths, and the bytes.
fn idx(path: &Path, magic: u32) -> Result<Array, ConfigError> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| fault(format!("{name}: {error}")))?;
    let axes = (magic & 0xff) as usize;
    let Some((head, data)) = bytes.split_at_checked(4 * (1 + axes)) else {
        return Err(fault(format!(
            "{name}: expected a head of {} bytes, got {}",
            4 * (1 + axes),
            bytes.len()
        )));
    };
    let words: Vec<u32> = head.as_chunks::<4>().0.iter().map(|w| u32::from_be_bytes(*w)).collect();
    if words[0] != magic {
        return Err(fault(format!(
            "{name}: expected magic number {magic:#06x}, got {:#06x}",
            words[0]
        )));
    }
    let shape: Vec<usize> = words[1..].iter().map(|&length| length as usize).collect();
    let expected = shape.iter().fold(1_usize, |n, &length| n.saturating_mul(length));
    if data.len() != expected {
        return Err(fault(format!(
            "{name}: expected {expected} bytes for {shape:?}, got {}",
            data.len()
        )));
    }
    Ok(Array { shape, data: data.to_vec() })
}
