use std::path::Path;

use nalgebra::DMatrix;

use super::error::FormatError;
use super::stored::{Axes, StoredPictures};
use super::video::{Video, targets_of_masks};
use crate::npz::{Archive, Expected, Limits};

const IMAGES: Expected =
    Expected { name: "imgs", content: "[N, H, W, C] uint8 pictures of at least 3 channels" };
const RAW: Expected = Expected { name: "raw_latents", content: "[N, 10] numbers" };
const SHAPE: Expected = Expected { name: "shape_latents", content: "[N, 2] numbers" };
const TARGETS: Expected = Expected { name: "interventions", content: "[N - 1, 12] zeros and ones" };
const VARIABLES: [&str; 12] = [
    "pos_x",
    "pos_y",
    "pos_z",
    "rot_alpha",
    "rot_beta",
    "rot_gamma",
    "rot_spot",
    "hue_object",
    "hue_spot",
    "hue_back",
    "shape",
    "material",
];

/// Opens a file of Temporal `Causal3DIdent`: an object under a spotlight that moves, twelve variables.
///
/// The first three channels of the pictures count, the others are left out. Variables that a version
/// of the set keeps constant stay in the truth as constant columns.
///
/// # Errors
/// [`FormatError`] if arrays are missing or disagree.
///
/// Lippe, Magliacane, Löwe, Asano, Cohen & Gavves, *CITRIS: Causal Identifiability from Temporal
/// Intervened Sequences*, ICML 2022, arXiv 2202.03169.
pub fn temporal_causal3dident(path: &Path, limits: Limits) -> Result<Video, FormatError> {
    let frames = StoredPictures::find(path, IMAGES, Axes::HeightWidthChannels, limits)?;
    let frames = frames.in_one_row()?.with_channels(3)?;
    let mut archive = Archive::open(path, limits)?;
    let raw = matrix(&mut archive, RAW)?;
    let shape = matrix(&mut archive, SHAPE)?;
    let masks = matrix(&mut archive, TARGETS)?;
    let malformed = |place: Expected, got: &DMatrix<f64>| FormatError::Malformed {
        path: path.to_owned(),
        place: place.name.into(),
        expected: format!("{}, N = {}", place.content, raw.nrows()),
        got: format!("shape {:?}", got.shape()),
    };
    if shape.nrows() != raw.nrows() || raw.ncols() + shape.ncols() != VARIABLES.len() {
        return Err(malformed(SHAPE, &shape));
    }
    if masks.ncols() != VARIABLES.len() {
        return Err(malformed(TARGETS, &masks));
    }
    let latents = DMatrix::from_fn(raw.nrows(), VARIABLES.len(), |row, k| {
        if k < raw.ncols() { raw[(row, k)] } else { shape[(row, k - raw.ncols())] }
    });
    let columns: Vec<Vec<usize>> = (0..VARIABLES.len()).map(|k| vec![k]).collect();
    Video {
        path: path.to_owned(),
        frames,
        latents,
        names: VARIABLES.map(str::to_owned).to_vec(),
        targets: targets_of_masks(masks.transpose().as_slice(), &columns),
        dag: None,
    }
    .checked()
}

pub(super) fn matrix(
    archive: &mut Archive,
    expected: Expected,
) -> Result<DMatrix<f64>, FormatError> {
    let array = archive.require(expected)?;
    Ok(array.into_matrix(expected.content).map_err(|reason| archive.error(expected, reason))?)
}
