use std::path::{Path, PathBuf};

use domino_core::ImageShape;
use hdf5_pure::{DType, Dataset, Error, File};
use nalgebra::DMatrix;

use super::error::FormatError;
use super::pictures::{PictureSink, Pictures};
use crate::npz::Limits;

/// Rows that are read at a time from a dataset that is not chunked.
const SLAB: u64 = 256;

/// HDF5's deflate packs 1032 bytes into one at most; nested filters do not gain on that for data
/// that anybody stores.
const RATIO: u128 = 1032;

/// Pictures in a uint8 dataset, `[n, height, width, channels]`.
pub(super) struct SlabPictures {
    path: PathBuf,
    name: &'static str,
    file: File,
    shape: ImageShape,
    count: usize,
    slab: u64,
}

fn malformed(path: &Path, name: &str, expected: &str, got: impl ToString) -> FormatError {
    FormatError::Malformed {
        path: path.to_owned(),
        place: name.to_owned(),
        expected: expected.to_owned(),
        got: got.to_string(),
    }
}

fn open(path: &Path) -> Result<File, FormatError> {
    File::open_streaming(path).map_err(|e| malformed(path, "the file", "an HDF5 file", e))
}

fn find(path: &Path, file: &File, name: &str) -> Result<Dataset, FormatError> {
    file.dataset(name).map_err(|e| malformed(path, name, "a dataset of that name", e))
}

/// Refuses a dataset that declares more bytes than the limit or than the file can hold.
fn check_room(
    path: &Path,
    name: &str,
    set: &Dataset,
    file: &File,
    most: u64,
) -> Result<Vec<u64>, FormatError> {
    let broken = |e: Error| malformed(path, name, "a shape and a type", e);
    let shape = set.shape().map_err(broken)?;
    let size = u128::from(set.element_size().map_err(broken)?);
    let declared = shape.iter().fold(size, |n, &length| n.saturating_mul(u128::from(length)));
    if declared > u128::from(file.file_size()) * RATIO {
        let expected =
            format!("at most {} bytes for such a file", u128::from(file.file_size()) * RATIO);
        return Err(malformed(path, name, &expected, declared));
    }
    if declared > u128::from(most) {
        let what = name.to_owned();
        return Err(FormatError::TooLarge { path: path.to_owned(), what, declared, limit: most });
    }
    Ok(shape)
}

/// A whole small matrix of doubles.
pub(super) fn matrix(
    path: &Path,
    name: &'static str,
    columns: usize,
    limits: Limits,
) -> Result<DMatrix<f64>, FormatError> {
    let expected = format!("[N, {columns}] numbers");
    let file = open(path)?;
    let set = find(path, &file, name)?;
    let shape = check_room(path, name, &set, &file, limits.max_bytes)?;
    let values = set.read_f64().map_err(|e| malformed(path, name, &expected, e))?;
    match shape[..] {
        [rows, found] if found == columns as u64 && rows > 0 => {
            let rows = values.len() / columns;
            Ok(DMatrix::from_row_iterator(rows, columns, values))
        }
        _ => Err(malformed(path, name, &expected, format!("shape {shape:?}"))),
    }
}

impl SlabPictures {
    pub(super) fn open(
        path: &Path,
        name: &'static str,
        limits: Limits,
    ) -> Result<Self, FormatError> {
        let expected = "[N, H, W, C] uint8 pictures";
        let broken = |e: Error| malformed(path, name, expected, e);
        let file = open(path)?;
        let set = find(path, &file, name)?;
        let dimensions = check_room(path, name, &set, &file, u64::MAX)?;
        let dtype = set.dtype().map_err(broken)?;
        if dtype != DType::U8 {
            return Err(malformed(path, name, expected, format!("type {dtype:?}")));
        }
        let [count, height, width, channels] = dimensions[..] else {
            return Err(malformed(path, name, expected, format!("shape {dimensions:?}")));
        };
        if dimensions.contains(&0) {
            return Err(malformed(path, name, expected, format!("shape {dimensions:?}")));
        }
        let chunk = set.chunk_shape().map_err(broken)?;
        let slab = chunk.and_then(|chunk| chunk.first().copied()).unwrap_or(SLAB).max(1);
        let bytes = u128::from(slab.min(count)) * u128::from(height * width * channels);
        if bytes > u128::from(limits.max_bytes) {
            let (what, limit) = (format!("a slab of {name}"), limits.max_bytes);
            return Err(FormatError::TooLarge {
                path: path.to_owned(),
                what,
                declared: bytes,
                limit,
            });
        }
        let shape = ImageShape {
            height: height as usize,
            width: width as usize,
            channels: channels as usize,
        };
        Ok(Self { path: path.to_owned(), name, file, shape, count: count as usize, slab })
    }
}

impl Pictures for SlabPictures {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.count
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        let set = find(&self.path, &self.file, self.name)?;
        let slab = usize::try_from(self.slab).unwrap_or(usize::MAX);
        for group in wanted.chunk_by(|a, b| a / slab == b / slab) {
            let (first, last) = (group[0], group[group.len() - 1]);
            let rows = set.read_raw_rows(first as u64, (last - first + 1) as u64);
            let place = format!("{}[{first}..={last}]", self.name);
            let rows = rows.map_err(|e| malformed(&self.path, &place, "whole pictures", e))?;
            for &number in group {
                let start = (number - first) * self.shape.len();
                let Some(picture) = rows.get(start..start + self.shape.len()) else {
                    return Err(malformed(&self.path, &place, "whole pictures", "fewer bytes"));
                };
                sink(number, picture)?;
            }
        }
        Ok(())
    }
}
