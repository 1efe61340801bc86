use std::path::{Path, PathBuf};

use domino_core::ImageShape;

use super::error::FormatError;
use super::factored::FactoredImages;
use super::folder::{names, read_file};
use super::grid::FactorGrid;
use super::mat::{MatArray, find_uint8};
use super::pictures::{PictureSink, Pictures};
use crate::npz::Limits;

/// Opens a folder of `Cars3D`: one `.mat` file per type of car, `im [height, width, 3, azimuth,
/// elevation]`; factors elevation (4), azimuth (24) and type (183), the last in the order of the
/// files' names.
///
/// The usual form has 64 × 64 pixels; here they are averaged over areas.
///
/// # Errors
/// [`FormatError`] if a file cannot be read, is damaged, or differs from the first in shape.
///
/// Reed, Zhang, Zhang & Lee, *Deep Visual Analogy-Making*, `NeurIPS` 2015.
pub fn cars3d(path: &Path, limits: Limits) -> Result<FactoredImages, FormatError> {
    let found = names(path)?;
    let is_mat = |name: &&String| Path::new(name).extension().is_some_and(|ending| ending == "mat");
    let files: Vec<PathBuf> = found.iter().filter(is_mat).map(|name| path.join(name)).collect();
    let Some(first) = files.first() else {
        let expected = "one .mat file per car".into();
        return Err(FormatError::Missing { path: path.to_owned(), expected, found });
    };
    let views = read(first, limits)?.shape;
    let (azimuths, elevations, types) = (views[3], views[4], files.len());
    let grid =
        FactorGrid::new(&[("elevation", elevations), ("azimuth", azimuths), ("type", types)]);
    let mut order = Vec::with_capacity(elevations * azimuths * types);
    for elevation in 0..elevations {
        for azimuth in 0..azimuths {
            let view = elevation * azimuths + azimuth;
            order.extend((0..types).map(|car| car * azimuths * elevations + view));
        }
    }
    let shape = ImageShape { height: views[0], width: views[1], channels: views[2] };
    let pictures = CarPictures { files, shape, views, limits };
    Ok(FactoredImages::new(path, grid, Box::new(pictures))?.ordered(order))
}

struct CarPictures {
    files: Vec<PathBuf>,
    shape: ImageShape,
    /// `[height, width, 3, azimuth, elevation]` of every file.
    views: Vec<usize>,
    limits: Limits,
}

/// `im` of one car.
fn read(path: &Path, limits: Limits) -> Result<MatArray, FormatError> {
    let bytes = read_file(path, limits)?;
    let array = find_uint8(&bytes, "im", limits.max_bytes);
    let array = array.map_err(|e| FormatError::Malformed {
        path: path.to_owned(),
        place: e.place,
        expected: e.expected,
        got: e.got,
    })?;
    let fits = array.shape.len() == 5 && array.shape[2] == 3 && !array.shape.contains(&0);
    if fits {
        Ok(array)
    } else {
        Err(wrong_shape(path, "[height, width, 3, azimuth, elevation]", &array))
    }
}

fn wrong_shape(path: &Path, expected: &str, array: &MatArray) -> FormatError {
    FormatError::Malformed {
        path: path.to_owned(),
        place: "im".into(),
        expected: format!("shape {expected}"),
        got: format!("{:?}", array.shape),
    }
}

impl Pictures for CarPictures {
    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn len(&self) -> usize {
        self.files.len() * self.views[3] * self.views[4]
    }

    fn visit(&self, wanted: &[usize], sink: &mut PictureSink<'_>) -> Result<(), FormatError> {
        let per_car = self.views[3] * self.views[4];
        for group in wanted.chunk_by(|a, b| a / per_car == b / per_car) {
            let path = &self.files[group[0] / per_car];
            let array = read(path, self.limits)?;
            if array.shape != self.views {
                let expected = format!("{:?}, as in the first file", self.views);
                return Err(wrong_shape(path, &expected, &array));
            }
            for &number in group {
                let start = number % per_car * self.shape.len();
                sink(number, &row_major(&array.data[start..][..self.shape.len()], self.shape))?;
            }
        }
        Ok(())
    }
}

/// A picture whose first index varies fastest, with the last one fastest instead.
fn row_major(picture: &[u8], shape: ImageShape) -> Vec<u8> {
    let ImageShape { height, width, channels } = shape;
    let at = |row, column, channel| picture[row + height * (column + width * channel)];
    let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    pixels.flat_map(|(row, column)| (0..channels).map(move |c| at(row, column, c))).collect()
}
