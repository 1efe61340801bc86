//! What paints a picture of an object's properties.

use std::fmt;

use domino_core::ImageShape;

/// Makes a picture of its properties.
pub(crate) trait Painter: fmt::Debug + Send + Sync {
    /// Size of a picture.
    fn shape(&self) -> ImageShape;

    /// Paints over all of `into`; `chance`, from 0 to below 1, decides what no property says.
    fn paint(&self, properties: &[f64], chance: f64, into: &mut [u8]);
}
