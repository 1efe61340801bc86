//! Pictures of many states at once.

use std::fmt;
use std::num::NonZero;
use std::thread;

use domino_core::{ImageShape, Observations};
use nalgebra::DMatrix;

/// Makes a picture of its properties.
pub(crate) trait Painter: fmt::Debug + Send + Sync {
    /// Size of a picture.
    fn shape(&self) -> ImageShape;

    /// Paints over all of `into`; `chance`, from 0 to below 1, decides what no property says.
    fn paint(&self, properties: &[f64], chance: f64, into: &mut [u8]);
}

/// Pictures of the rows of `z`, `[n, d]`, each with its chance, `[n]`, by as many threads as there
/// are processors. Every picture depends on its own row alone.
pub(crate) fn paint_all(
    shape: ImageShape,
    z: &DMatrix<f64>,
    chances: &[f64],
    paint: impl Fn(&[f64], f64, &mut [u8]) + Sync,
) -> Observations {
    let mut data = vec![0; z.nrows() * shape.len()];
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let rows = z.nrows().div_ceil(threads).max(1);
    let paint = &paint;
    thread::scope(|scope| {
        for (part, pictures) in data.chunks_mut(rows * shape.len()).enumerate() {
            scope.spawn(move || {
                for (row, picture) in (part * rows..).zip(pictures.chunks_exact_mut(shape.len())) {
                    let z: Vec<f64> = z.row(row).iter().copied().collect();
                    paint(&z, chances[row], picture);
                }
            });
        }
    });
    Observations::Images { data, shape }
}
