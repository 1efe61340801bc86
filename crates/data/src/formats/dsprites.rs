use std::path::Path;

use super::error::FormatError;
use super::factored::FactoredImages;
use super::grid::grid_from_labels;
use super::stored::{Axes, StoredPictures};
use crate::npz::{Archive, Expected, Limits};

const IMAGES: Expected =
    Expected { name: "imgs", content: "[N, H, W] uint8 pictures of zeros and ones" };
const CLASSES: Expected =
    Expected { name: "latents_classes", content: "[N, 6] numbers of the factors' values" };
const FACTORS: [&str; 6] = ["color", "shape", "scale", "orientation", "x", "y"];

/// Opens dSprites: white sprites on black by shape (3), scale (6), orientation (40), x (32) and y
/// (32). The sixth factor, colour, has one value and is left out.
///
/// Pixels are 0 and 1 in the file and 0 and 255 here. The pickled metadata is not looked at.
///
/// # Errors
/// [`FormatError`] if the arrays are missing, disagree, or are no grid of factors.
///
/// Matthey, Higgins, Hassabis & Lerchner, *dSprites*, 2017.
pub fn dsprites(path: &Path, limits: Limits) -> Result<FactoredImages, FormatError> {
    let mut archive = Archive::open(path, limits)?;
    let classes = archive.require(CLASSES)?;
    let classes =
        classes.into_matrix(CLASSES.content).map_err(|reason| archive.error(CLASSES, reason))?;
    if classes.ncols() != FACTORS.len() {
        return Err(FormatError::Malformed {
            path: path.to_owned(),
            place: CLASSES.name.into(),
            expected: CLASSES.content.into(),
            got: format!("{} columns", classes.ncols()),
        });
    }
    let grid = grid_from_labels(path, &FACTORS, &classes)?;
    let pictures = StoredPictures::find(path, IMAGES, Axes::HeightWidth, limits)?;
    FactoredImages::new(path, grid, Box::new(pictures.in_one_row()?.bilevel()))
}
