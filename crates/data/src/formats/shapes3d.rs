use std::path::Path;

use super::error::FormatError;
use super::factored::FactoredImages;
use super::grid::grid_from_labels;
use super::hdf5;
use crate::npz::Limits;

const FACTORS: [&str; 6] = ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"];

/// Opens `Shapes3D`: an object in a room, by hue of floor (10), wall (10) and object (10), scale (8),
/// shape (4) and orientation (15).
///
/// Pictures are read in slabs as the file's chunks lie, and only those with wanted pictures.
///
/// # Errors
/// [`FormatError`] if the file is no such HDF5 file.
///
/// Burgess & Kim, *3D Shapes Dataset*, 2018.
pub fn shapes3d(path: &Path, limits: Limits) -> Result<FactoredImages, FormatError> {
    let labels = hdf5::matrix(path, "labels", FACTORS.len(), limits)?;
    let grid = grid_from_labels(path, &FACTORS, &labels)?;
    let pictures = hdf5::SlabPictures::open(path, "images", limits)?;
    FactoredImages::new(path, grid, Box::new(pictures))
}
