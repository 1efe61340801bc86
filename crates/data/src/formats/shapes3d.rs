use std::path::Path;

use super::error::FormatError;
use super::factored::FactoredImages;
use crate::npz::Limits;

/// Opens `Shapes3D`: an object in a room, by hue of floor (10), wall (10) and object (10), scale (8),
/// shape (4) and orientation (15).
///
/// Needs the cargo feature `hdf5`. Pictures are read in slabs as the file's chunks lie, and only
/// those with wanted pictures.
///
/// # Errors
/// [`FormatError`] if the file is no such HDF5 file, or if the feature is off.
///
/// Burgess & Kim, *3D Shapes Dataset*, 2018.
#[cfg(feature = "hdf5")]
pub fn shapes3d(path: &Path, limits: Limits) -> Result<FactoredImages, FormatError> {
    use super::grid::grid_from_labels;
    use super::hdf5;

    const FACTORS: [&str; 6] =
        ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"];
    let labels = hdf5::matrix(path, "labels", FACTORS.len(), limits)?;
    let grid = grid_from_labels(path, &FACTORS, &labels)?;
    let pictures = hdf5::SlabPictures::open(path, "images", limits)?;
    FactoredImages::new(path, grid, Box::new(pictures))
}

/// Refuses to open `Shapes3D`: the program was built without the cargo feature `hdf5`.
///
/// # Errors
/// [`FormatError::Feature`], always.
#[cfg(not(feature = "hdf5"))]
pub fn shapes3d(path: &Path, _: Limits) -> Result<FactoredImages, FormatError> {
    let kind = super::kind::Kind::Shapes3d;
    Err(FormatError::Feature { path: path.to_owned(), kind, feature: "hdf5" })
}
