use std::path::Path;

use domino_core::Observations;
use domino_core::files::{WriteError, write_atomically};
use nalgebra::DMatrix;

use super::error::FileError;
use super::pairs::write_observations;
use super::writer::ArrayWriter;

/// Something to write under a name.
#[derive(Clone, Copy, Debug)]
pub enum Array<'a> {
    /// Numbers in double precision, `[rows, cols]`.
    Matrix(&'a DMatrix<f64>),
    /// Vectors in single precision, `[n, dim]`, or uint8 pictures, `[n, H, W, C]`.
    Observations(&'a Observations),
    /// Strings, `[n]`.
    Strings(&'a [String]),
}

/// Writes arrays of any names, which appear whole or not at all; equal arrays make equal bytes.
///
/// ```
/// use domino_data::npz::{Array, write_arrays};
/// use nalgebra::DMatrix;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("answer.npz");
/// write_arrays(&path, &[("z", Array::Matrix(&DMatrix::identity(2, 2)))])?;
/// assert!(std::fs::read(&path)?.starts_with(b"PK"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FileError::Write`] if the file cannot be written.
pub fn write_arrays(path: &Path, arrays: &[(&str, Array<'_>)]) -> Result<(), FileError> {
    let written: Result<(), WriteError> = write_atomically(path, |file| {
        let mut writer = ArrayWriter::new(file);
        for &(name, array) in arrays {
            match array {
                Array::Matrix(matrix) => writer.matrix(name, matrix)?,
                Array::Observations(x) => write_observations(&mut writer, name, x)?,
                Array::Strings(strings) => writer.strings(name, strings)?,
            }
        }
        writer.finish()
    });
    Ok(written?)
}
