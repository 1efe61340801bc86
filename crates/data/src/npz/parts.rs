use std::path::Path;

use domino_core::GroundTruth;
use nalgebra::DMatrix;

use super::archive::{Archive, Expected, Limits};
use super::array::Array;
use super::error::{ArrayError, FileError};
use super::pairs::truth_of;

const NUMBERS: &str = "[N, d] or [N] numbers";

/// Reads those of the named matrices that a file holds, in the order of the names; an array `[N]`
/// is a column.
///
/// ```
/// use domino_data::npz::{Array, Limits, read_matrices, write_arrays};
/// use nalgebra::DMatrix;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("codes.npz");
/// write_arrays(&path, &[("latents", Array::Matrix(&DMatrix::identity(2, 2)))])?;
/// let found = read_matrices(&path, &["z", "latents"], Limits::default())?;
/// assert_eq!(found, [None, Some(DMatrix::identity(2, 2))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FileError`] naming the file, the array and what was expected: if the file is no whole `.npz`, or
/// if one of the arrays is not of numbers, has another shape or would exceed the limits.
pub fn read_matrices(
    path: &Path,
    names: &[&'static str],
    limits: Limits,
) -> Result<Vec<Option<DMatrix<f64>>>, FileError> {
    let mut archive = Archive::open(path, limits)?;
    let mut read = |&name: &&'static str| {
        let expected = Expected { name, content: NUMBERS };
        let Some(array) = archive.find(expected)? else { return Ok(None) };
        into_columns(array).map(Some).map_err(|reason| archive.error(expected, reason))
    };
    names.iter().map(&mut read).collect()
}

fn into_columns(array: Array) -> Result<DMatrix<f64>, ArrayError> {
    let [rows] = array.shape()[..] else { return array.into_matrix(NUMBERS) };
    array.refuse_empty()?;
    Ok(DMatrix::from_vec(rows, 1, array.into_floats(NUMBERS)?))
}

/// Reads what a file says of the truth, whether or not it holds observations; see the
/// [module](super) for its arrays.
///
/// # Errors
/// As [`read_pairs`](super::read_pairs), which finds the same truth, but for `before` and `after`.
pub fn read_truth(path: &Path, limits: Limits) -> Result<GroundTruth, FileError> {
    let truth = truth_of(&mut Archive::open(path, limits)?)?;
    let matrix = truth.matrices().map(|(_, m)| m.nrows()).next();
    let rows = matrix.or_else(|| truth.targets.as_ref().map(Vec::len)).unwrap_or(0);
    let contradictory = |reason| FileError::Truth { path: path.to_owned(), reason };
    truth.checked(rows).map_err(contradictory)
}
