use std::path::{Path, PathBuf};

use domino_core::{ImageShape, Observations};
use flate2::read::MultiGzDecoder;

use super::error::FormatError;
use super::folder::{names, read_file, read_limited};
use crate::npz::Limits;

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;

/// Grey pictures and what each shows.
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledImages {
    /// Pictures, `[n, height, width, 1]`.
    pub images: Observations,
    /// Labels, `[n]`.
    pub labels: Vec<u8>,
}

/// Reads MNIST, or a set in the same form, from the folder `path`: `split` is `train` or `t10k` (or
/// `test`).
///
/// Files end in `-images-idx3-ubyte` and `-labels-idx1-ubyte`, or with a point for the hyphen after
/// the word, and may be packed as `.gz`.
///
/// # Errors
/// [`FormatError`] if a file is missing, damaged or too large, or if the counts differ.
///
/// `LeCun`, Bottou, Bengio & Haffner, *Gradient-Based Learning Applied to Document Recognition*, 1998.
pub fn mnist(
    path: &Path,
    split: Option<&str>,
    limits: Limits,
) -> Result<LabeledImages, FormatError> {
    let split = match split {
        None => "train",
        Some("test") => "t10k",
        Some(split) => split,
    };
    let images = find(path, split, "images", "idx3")?;
    let labels = find(path, split, "labels", "idx1")?;
    let (lengths, data) = idx::<3>(&images, IMAGES, limits)?;
    let ([count], values) = idx::<1>(&labels, LABELS, limits)?;
    if count != lengths[0] || count == 0 {
        return Err(FormatError::Malformed {
            path: labels,
            place: "labels".into(),
            expected: format!("{} labels, at least 1, one per picture", lengths[0]),
            got: count.to_string(),
        });
    }
    let shape = ImageShape { height: lengths[1], width: lengths[2], channels: 1 };
    Ok(LabeledImages { images: Observations::Images { data, shape }, labels: values })
}

fn find(path: &Path, split: &str, content: &str, idx: &str) -> Result<PathBuf, FormatError> {
    let found = names(path)?;
    let stem = format!("{split}-{content}");
    // The unpacked file where there are both.
    let mut candidates = ["", ".gz"]
        .into_iter()
        .flat_map(|packed| ["-", "."].map(|mark| format!("{stem}{mark}{idx}-ubyte{packed}")));
    let chosen = candidates.find(|name| found.contains(name));
    chosen.map(|name| path.join(name)).ok_or_else(|| FormatError::Missing {
        path: path.to_owned(),
        expected: format!("{stem}-{idx}-ubyte, or the same as .gz"),
        found,
    })
}

/// Lengths of the axes and the bytes of an IDX file, big-endian.
fn idx<const AXES: usize>(
    path: &Path,
    magic: u32,
    limits: Limits,
) -> Result<([usize; AXES], Vec<u8>), FormatError> {
    let malformed = |place: &str, expected: String, got: String| FormatError::Malformed {
        path: path.to_owned(),
        place: place.into(),
        expected,
        got,
    };
    let mut bytes = read_file(path, limits)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = read_limited(MultiGzDecoder::new(&*bytes), path, limits)?;
    }
    let head = 4 * (1 + AXES);
    let Some((words, data)) = bytes.split_at_checked(head) else {
        return Err(malformed("the head", format!("{head} bytes"), bytes.len().to_string()));
    };
    let mut words = words.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word));
    let got = words.next().unwrap_or_default();
    if got != magic {
        return Err(malformed(
            "the head",
            format!("magic number {magic:#010x}"),
            format!("{got:#010x}"),
        ));
    }
    let lengths: [usize; AXES] = std::array::from_fn(|_| words.next().unwrap_or_default() as usize);
    let declared = lengths.iter().fold(1, |n: u128, &length| n.saturating_mul(length as u128));
    if declared != data.len() as u128 {
        let expected = format!("{declared} bytes for shape {lengths:?}");
        return Err(malformed("the data", expected, data.len().to_string()));
    }
    Ok((lengths, data.to_vec()))
}
