use std::io::{self, Seek, Write};
use std::path::Path;

use domino_core::{Dag, GroundTruth, ImageShape, InterventionTarget, Observations, Pairs};
use nalgebra::DMatrix;

use super::archive::{Archive, Expected, Limits};
use super::array::Array;
use super::error::{ArrayError, FileError};
use super::writer::ArrayWriter;
use domino_core::files::{WriteError, write_atomically};

const OBSERVATIONS: &str = "[N, dim] numbers or [N, H, W, C] uint8 pictures";
const PICTURES: &str = "[N, H, W, C] uint8 pictures with values from 0 to 255";
const VECTORS: &str = "[N, dim] numbers";
const VARIABLES: &str = "[N, d] numbers";
const TARGET: &str = "[N] integers, 0 for none and k for variable k - 1, or [N, d] masks";
const ADJACENCY: &str = "[d, d] zeros and ones, [i, j] = 1 for i -> j";
const NAMES: &str = "[d] strings";

/// Bytes handed to the archive at a time.
const CHUNK: usize = 1 << 16;

/// Reads a pairs file, with as much truth as it holds; see the [module](super) for its arrays.
///
/// # Errors
/// [`FileError`] naming the file, the array and what was expected: if the file is no whole `.npz`,
/// if `before` or `after` is missing, if an array has the wrong type or shape, is pickled or would
/// exceed the limits, if counts differ, or if a value is NaN, out of range or closes a cycle.
pub fn read_pairs(path: &Path, limits: Limits) -> Result<(Pairs, GroundTruth), FileError> {
    let mut archive = Archive::open(path, limits)?;
    let before = read_observations(&mut archive, "before")?;
    let after = read_observations(&mut archive, "after")?;
    let unpaired = |reason| FileError::Pairs { path: path.to_owned(), reason };
    let pairs = Pairs::new(before, after).map_err(unpaired)?;
    let truth = truth_of(&mut archive)?;
    let contradictory = |reason| FileError::Truth { path: path.to_owned(), reason };
    let truth = truth.checked(pairs.len()).map_err(contradictory)?;
    Ok((pairs, truth))
}

/// The truth that an archive holds, unchecked.
pub(super) fn truth_of(archive: &mut Archive) -> Result<GroundTruth, FileError> {
    Ok(GroundTruth {
        z_before: read_variables(archive, "z_before")?,
        z_after: read_variables(archive, "z_after")?,
        e_before: read_variables(archive, "e_before")?,
        e_after: read_variables(archive, "e_after")?,
        targets: read_part(archive, "target", TARGET, read_targets)?,
        dag: read_dag(archive)?,
        names: read_part(archive, "names", NAMES, |names| names.into_strings(NAMES))?,
    })
}

/// Writes a pairs file, which appears whole or not at all; see the [module](super) for its arrays.
///
/// Equal data make equal bytes. Targets are written as labels, or as masks where a pair has several.
///
/// # Errors
/// [`FileError::Truth`] if the truth does not fit the pairs, [`FileError::Write`] if the file
/// cannot be written.
pub fn write_pairs(path: &Path, pairs: &Pairs, truth: &GroundTruth) -> Result<(), FileError> {
    let contradictory = |reason| FileError::Truth { path: path.to_owned(), reason };
    let truth = truth.clone().checked(pairs.len()).map_err(contradictory)?;
    let written: Result<(), WriteError> = write_atomically(path, |file| {
        let mut writer = ArrayWriter::new(file);
        write_observations(&mut writer, "before", pairs.before())?;
        write_observations(&mut writer, "after", pairs.after())?;
        write_truth(&mut writer, &truth)?;
        writer.finish()
    });
    Ok(written?)
}

fn read_part<T>(
    archive: &mut Archive,
    name: &'static str,
    content: &'static str,
    convert: impl FnOnce(Array) -> Result<T, ArrayError>,
) -> Result<Option<T>, FileError> {
    let expected = Expected { name, content };
    let Some(array) = archive.find(expected)? else { return Ok(None) };
    convert(array).map(Some).map_err(|reason| archive.error(expected, reason))
}

fn read_variables(
    archive: &mut Archive,
    name: &'static str,
) -> Result<Option<DMatrix<f64>>, FileError> {
    read_part(archive, name, VARIABLES, |array| array.into_matrix(VARIABLES))
}

fn read_dag(archive: &mut Archive) -> Result<Option<Dag>, FileError> {
    let adjacency = read_part(archive, "adjacency", ADJACENCY, |a| a.into_matrix(ADJACENCY))?;
    let dag = adjacency.as_ref().map(Dag::from_adjacency).transpose();
    dag.map_err(|reason| FileError::Graph { path: archive.path(), reason })
}

fn read_observations(archive: &mut Archive, name: &'static str) -> Result<Observations, FileError> {
    let expected = Expected { name, content: OBSERVATIONS };
    let array = archive.require(expected)?;
    into_observations(array).map_err(|reason| archive.error(expected, reason))
}

fn into_observations(array: Array) -> Result<Observations, ArrayError> {
    array.refuse_empty()?;
    match array.shape()[..] {
        [_, dim] => {
            let data = array.into_floats(VECTORS)?.into_iter().map(|v| v as f32).collect();
            Ok(Observations::Vectors { data, dim })
        }
        [_, height, width, channels] => {
            let shape = ImageShape { height, width, channels };
            Ok(Observations::Images { data: array.into_bytes(PICTURES)?, shape })
        }
        _ => Err(array.wrong_shape(OBSERVATIONS)),
    }
}

fn read_targets(array: Array) -> Result<Vec<InterventionTarget>, ArrayError> {
    match array.shape()[..] {
        [_] => array.into_integers(TARGET)?.into_iter().enumerate().map(read_label).collect(),
        [_, d] if d > 0 => {
            array.into_integers(TARGET)?.chunks_exact(d).enumerate().map(read_mask).collect()
        }
        _ => Err(array.wrong_shape(TARGET)),
    }
}

fn read_label((row, label): (usize, i64)) -> Result<InterventionTarget, ArrayError> {
    let expected = "0 for none or k for variable k - 1";
    let wrong = |_| ArrayError::Value { row, col: 0, expected, got: label.to_string() };
    usize::try_from(label).map(InterventionTarget::from_label).map_err(wrong)
}

fn read_mask((row, mask): (usize, &[i64])) -> Result<InterventionTarget, ArrayError> {
    let expected = "a mask of zeros and ones";
    if let Some(col) = mask.iter().position(|entry| !matches!(entry, 0 | 1)) {
        return Err(ArrayError::Value { row, col, expected, got: mask[col].to_string() });
    }
    let mask: Vec<bool> = mask.iter().map(|&entry| entry == 1).collect();
    Ok(InterventionTarget::from_mask(&mask))
}

pub(super) fn write_observations<W: Write + Seek>(
    writer: &mut ArrayWriter<W>,
    name: &str,
    x: &Observations,
) -> io::Result<()> {
    match x {
        Observations::Vectors { data, dim } => {
            let bytes = |chunk: &[f32]| chunk.iter().flat_map(|v| v.to_le_bytes()).collect();
            writer.array(name, "<f4", &[x.len(), *dim], data.chunks(CHUNK).map(bytes))
        }
        Observations::Images { data, shape } => {
            let shape = [x.len(), shape.height, shape.width, shape.channels];
            writer.array(name, "|u1", &shape, data.chunks(CHUNK).map(<[u8]>::to_vec))
        }
    }
}

fn write_truth<W: Write + Seek>(
    writer: &mut ArrayWriter<W>,
    truth: &GroundTruth,
) -> io::Result<()> {
    for (name, matrix) in truth.matrices() {
        writer.matrix(name, matrix)?;
    }
    if let Some(targets) = &truth.targets {
        write_targets(writer, targets, truth.dim())?;
    }
    if let Some(dag) = &truth.dag {
        let d = dag.dim();
        let edges = |i| (0..d).map(|j| u8::from(dag.has_edge(i, j))).collect();
        writer.array("adjacency", "|u1", &[d, d], (0..d).map(edges))?;
    }
    if let Some(names) = &truth.names {
        writer.strings("names", names)?;
    }
    Ok(())
}

fn write_targets<W: Write + Seek>(
    writer: &mut ArrayWriter<W>,
    targets: &[InterventionTarget],
    dim: Option<usize>,
) -> io::Result<()> {
    // Far below 2^63, where signed and unsigned bytes agree; NumPy's own integers are signed.
    let label = |t: &InterventionTarget| t.label().map(|label| label as u64);
    let labels: Option<Vec<u64>> = targets.iter().map(label).collect();
    if let Some(labels) = labels {
        let bytes = |chunk: &[u64]| chunk.iter().flat_map(|l| l.to_le_bytes()).collect();
        return writer.array("target", "<i8", &[targets.len()], labels.chunks(CHUNK).map(bytes));
    }
    let largest = || targets.iter().filter_map(|t| t.variables().last()).max();
    let d = dim.or_else(|| largest().map(|k| k + 1)).unwrap_or(0);
    let mask =
        |t: &InterventionTarget| (0..d).map(|k| u8::from(t.variables().contains(&k))).collect();
    writer.array("target", "|b1", &[targets.len(), d], targets.iter().map(mask))
}
