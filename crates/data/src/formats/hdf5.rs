//! The part of HDF5 that `Shapes3D` needs: uint8 and float64 datasets in the root group, contiguous
//! or chunked, packed by gzip or not, as h5py writes them.
//!
//! No structure is read beyond the file, none more than a few times, and no dataset or chunk takes
//! more memory than the file can hold and the limit allows; so a damaged file is refused and does
//! not run in circles.
//!
//! The HDF Group, *HDF5 File Format Specification*, version 3.0 and 4.0.

mod bytes;
mod chunks;
mod dataset;
mod filters;
mod header;

use std::path::{Path, PathBuf};

use domino_core::ImageShape;
use nalgebra::DMatrix;

use self::bytes::{Bytes, Hdf5Error, wrong};
use self::dataset::{Dataset, Element};
use super::error::FormatError;
use super::pictures::{PictureSink, Pictures};
use crate::npz::Limits;

/// Rows that are read at a time from a dataset that is not chunked.
const SLAB: u64 = 256;

/// Pictures in a uint8 dataset, `[n, height, width, channels]`.
pub(super) struct SlabPictures {
    path: PathBuf,
    set: Dataset,
    shape: ImageShape,
    /// Rows that are read at a time.
    slab: u64,
}

fn at(path: &Path) -> impl Fn(Hdf5Error) -> FormatError {
    |Hdf5Error { place, expected, got }| FormatError::Malformed {
        path: path.to_owned(),
        place,
        expected,
        got,
    }
}

fn check_room(path: &Path, what: &str, declared: u64, limits: Limits) -> Result<(), FormatError> {
    if declared <= limits.max_bytes {
        return Ok(());
    }
    Err(FormatError::TooLarge {
        path: path.to_owned(),
        what: what.to_owned(),
        declared: u128::from(declared),
        limit: limits.max_bytes,
    })
}

/// A whole small matrix of doubles.
pub(super) fn matrix(
    path: &Path,
    name: &'static str,
    columns: usize,
    limits: Limits,
) -> Result<DMatrix<f64>, FormatError> {
    let file = Bytes::open(path).map_err(at(path))?;
    let set = Dataset::find(&file, name).map_err(at(path))?;
    let [rows, found] = set.shape[..] else { return Err(unlike(path, name, columns, &set)) };
    if found != columns as u64 || set.element != Element::F64 {
        return Err(unlike(path, name, columns, &set));
    }
    check_room(path, name, rows * set.row_bytes(), limits)?;
    let bytes = set.rows(&file, 0, rows).map_err(at(path))?;
    let (words, _) = bytes.as_chunks();
    let values = words.iter().map(|word| f64::from_le_bytes(*word));
    Ok(DMatrix::from_row_iterator(rows as usize, columns, values))
}

fn unlike(path: &Path, name: &str, columns: usize, set: &Dataset) -> FormatError {
    let expected = format!("[N, {columns}] float64 numbers");
    at(path)(wrong(name, &expected, format!("{:?} of shape {:?}", set.element, set.shape)))
}

impl SlabPictures {
    pub(super) fn open(
        path: &Path,
        name: &'static str,
        limits: Limits,
    ) -> Result<Self, FormatError> {
        let file = Bytes::open(path).map_err(at(path))?;
        let set = Dataset::find(&file, name).map_err(at(path))?;
        let (&[count, height, width, channels], Element::U8) = (&set.shape[..], set.element) else {
            let got = format!("{:?} of shape {:?}", set.element, set.shape);
            return Err(at(path)(wrong(name, "[N, H, W, C] uint8 pictures", got)));
        };
        let slab = set.chunk_rows().unwrap_or(SLAB).min(count);
        check_room(path, &format!("a slab of {name}"), slab * set.row_bytes(), limits)?;
        let shape = ImageShape {
            height: height as usize,
            width: width as usize,
            channels: channels as usize,
        };
        Ok(Self { path: path.to_owned(), set, shape, slab })
    }

    fn visit_slab(
        &self,
        file: &Bytes,
        group: &[usize],
        sink: &mut PictureSink<'_>,
    ) -> Result<(), FormatError> {
        let (first, last) = (group[0], group[group.len() - 1]);
        let rows = self.set.rows(file, first as u64, (last - first + 1) as u64);
        let rows = rows.map_err(at(&self.path))?;
        for &number in group {
            sink(number, &rows[(number - first) * self.shape.len()..][..self.shape.len()])?;
        }
        Ok(())
    }
}

impl Pictures for SlabPictures {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.set.shape[0] as usize
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        let file = Bytes::open(&self.path).map_err(at(&self.path))?;
        let slab = self.slab as usize;
        for group in wanted.chunk_by(|a, b| a / slab == b / slab) {
            self.visit_slab(&file, group, sink)?;
        }
        Ok(())
    }
}
