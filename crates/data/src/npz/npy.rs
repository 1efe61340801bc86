use std::io::Write;
use std::path::Path;

use domino_core::files::{WriteError, write_atomically};
use nalgebra::DMatrix;

use super::archive::{Expected, Limits, read_npy};
use super::error::FileError;

const MATRIX: Expected = Expected { name: "matrix", content: "[rows, cols] numbers" };

/// Reads a matrix of numbers of any width from a `.npy` file.
///
/// # Errors
/// [`FileError`] if the file cannot be read, exceeds the limits or holds something else.
///
/// ```
/// use domino_data::npz::{Limits, read_npy_matrix, write_npy_matrix};
/// use nalgebra::dmatrix;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("adjacency.npy");
/// write_npy_matrix(&path, &dmatrix![0.0, 1.0; 0.0, 0.0])?;
/// assert_eq!(read_npy_matrix(&path, Limits::default())?, dmatrix![0.0, 1.0; 0.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_npy_matrix(path: &Path, limits: Limits) -> Result<DMatrix<f64>, FileError> {
    let matrix = read_npy(path, MATRIX, limits)?.into_matrix(MATRIX.content);
    let of_file = |reason| FileError::Array { path: path.to_owned(), array: MATRIX.name, reason };
    matrix.map_err(of_file)
}

/// Writes a matrix as a `.npy` file of doubles, which appears whole or not at all.
///
/// # Errors
/// [`FileError::Write`] if the file cannot be written.
pub fn write_npy_matrix(path: &Path, m: &DMatrix<f64>) -> Result<(), FileError> {
    let written: Result<(), WriteError> = write_atomically(path, |file| {
        let (rows, cols) = m.shape();
        let head =
            format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
        // Magic, version and length take ten bytes; the data begin at a multiple of 64.
        let length = (10 + head.len() + 1).next_multiple_of(64) - 10;
        file.write_all(b"\x93NUMPY\x01\0")?;
        file.write_all(&(length as u16).to_le_bytes())?;
        file.write_all(format!("{head:<width$}\n", width = length - 1).as_bytes())?;
        m.transpose().iter().try_for_each(|v| file.write_all(&v.to_le_bytes()))
    });
    Ok(written?)
}
