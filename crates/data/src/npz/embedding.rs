use std::path::Path;

use domino_core::Embedding;
use nalgebra::DMatrix;

use super::archive::{Archive, Expected, Limits};
use super::error::{ArrayError, FileError};
use super::writer::ArrayWriter;
use domino_core::files::{WriteError, write_atomically};

const VARIABLES: &str = "[N, d] finite numbers";
const TARGETS: &str = "[N, d + 1] probabilities, column 0 for none";
const SETS: &str = "[N, d] probabilities";
const EDGES: &str = "[d, d] probabilities, [i, j] for i -> j";

/// Reads an embedding file; see the [module](super) for its arrays, all of which but `set_probs` must be
/// there.
///
/// # Errors
/// [`FileError`] naming the file, the array and what was expected, as for
/// [`read_pairs`](super::read_pairs).
pub fn read_embedding(path: &Path, limits: Limits) -> Result<Embedding, FileError> {
    let mut archive = Archive::open(path, limits)?;
    let z_before = read_matrix(&mut archive, Expected { name: "z", content: VARIABLES }, None)?;
    let (n, d) = z_before.shape();
    let mut read = |name, content, rows, cols| {
        read_matrix(&mut archive, Expected { name, content }, Some((rows, cols)))
    };
    let mut found = Embedding {
        e_before: read("e", VARIABLES, n, d)?,
        z_after: read("z_after", VARIABLES, n, d)?,
        e_after: read("e_after", VARIABLES, n, d)?,
        target_probs: read("target_probs", TARGETS, n, d + 1)?,
        edge_probs: read("edge_probs", EDGES, d, d)?,
        set_probs: None,
        z_before,
    };
    let expected = Expected { name: "set_probs", content: SETS };
    if archive.holds(expected.name) {
        found.set_probs = Some(read_matrix(&mut archive, expected, Some((n, d)))?);
    }
    Ok(found)
}

/// Writes an embedding file, which appears whole or not at all; see the [module](super) for its
/// arrays.
///
/// # Errors
/// [`FileError::Write`] if the file cannot be written.
pub fn write_embedding(path: &Path, embedding: &Embedding) -> Result<(), FileError> {
    let arrays = [
        ("z", &embedding.z_before),
        ("e", &embedding.e_before),
        ("z_after", &embedding.z_after),
        ("e_after", &embedding.e_after),
        ("target_probs", &embedding.target_probs),
        ("edge_probs", &embedding.edge_probs),
    ];
    let written: Result<(), WriteError> = write_atomically(path, |file| {
        let mut writer = ArrayWriter::new(file);
        let sets = embedding.set_probs.as_ref().map(|probs| ("set_probs", probs));
        arrays
            .into_iter()
            .chain(sets)
            .try_for_each(|(name, matrix)| writer.matrix(name, matrix))?;
        writer.finish()
    });
    Ok(written?)
}

fn read_matrix(
    archive: &mut Archive,
    expected: Expected,
    shape: Option<(usize, usize)>,
) -> Result<DMatrix<f64>, FileError> {
    let array = archive.require(expected)?;
    let checked = array.into_matrix(expected.content).and_then(|matrix| check(matrix, shape));
    checked.map_err(|reason| archive.error(expected, reason))
}

fn check(matrix: DMatrix<f64>, shape: Option<(usize, usize)>) -> Result<DMatrix<f64>, ArrayError> {
    let (rows, cols) = shape.unwrap_or(matrix.shape());
    if matrix.shape() != (rows, cols) {
        let expected = format!("shape [{rows}, {cols}] to fit z");
        let got = vec![matrix.nrows(), matrix.ncols()];
        return Err(ArrayError::Shape { expected, got });
    }
    if let Some(at) = matrix.iter().position(|v| !v.is_finite()) {
        let (row, col) = (at % rows, at / rows);
        let got = matrix[(row, col)].to_string();
        return Err(ArrayError::Value { row, col, expected: "a finite number", got });
    }
    Ok(matrix)
}
