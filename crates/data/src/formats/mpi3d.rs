use std::path::Path;

use super::error::FormatError;
use super::factored::FactoredImages;
use super::grid::FactorGrid;
use super::stored::{Axes, StoredPictures};
use crate::npz::{Expected, Limits};

const IMAGES: Expected = Expected {
    name: "images",
    content: "[N, H, W, 3] uint8 pictures, N = 460800 or 1036800, \
              or the seven factors in place of N",
};
const FACTORS: [&str; 7] = [
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
];
/// The simulated sets, toy and realistic.
const SIMULATED: [usize; 7] = [4, 4, 2, 3, 3, 40, 40];
const REAL: [usize; 7] = [6, 6, 2, 3, 3, 40, 40];

/// Opens MPI3D: a robot arm that holds an object, by seven factors.
///
/// The number of pictures tells the simulated sets (4 colours and shapes) from the real one (6);
/// an array with one axis per factor tells itself.
///
/// # Errors
/// [`FormatError`] if there is no such array.
///
/// Gondal et al., *On the Transfer of Inductive Bias from Simulation to the Real World: a New
/// Disentanglement Dataset*, `NeurIPS` 2019, arXiv 1906.03292.
pub fn mpi3d(path: &Path, limits: Limits) -> Result<FactoredImages, FormatError> {
    let pictures = StoredPictures::find(path, IMAGES, Axes::HeightWidthChannels, limits)?;
    let sizes = match *pictures.outer() {
        [n] if n == SIMULATED.iter().product::<usize>() => SIMULATED,
        [n] if n == REAL.iter().product::<usize>() => REAL,
        [a, b, c, d, e, f, g] => [a, b, c, d, e, f, g],
        _ => {
            return Err(FormatError::Malformed {
                path: path.to_owned(),
                place: IMAGES.name.into(),
                expected: IMAGES.content.into(),
                got: format!("{:?} pictures", pictures.outer()),
            });
        }
    };
    let factors: Vec<(&str, usize)> = FACTORS.into_iter().zip(sizes).collect();
    FactoredImages::new(path, FactorGrid::new(&factors), Box::new(pictures))
}
