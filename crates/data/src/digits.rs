//! Coloured digits: pictures of handwritten digits, such as those of MNIST, in a colour on another,
//! turned and scaled.
//!
//! [`DigitsConfig`] makes a [`PictureWorld`](crate::factors::PictureWorld). Which picture of its
//! digit is shown is noise that no variable holds: both sides of a pair share it, so that an
//! intervention on the colour leaves the handwriting as it is. An intervention on the digit takes
//! the picture at the same place among those of the new digit.

mod config;
mod drawn;
mod images;
mod painter;

pub use config::{DigitSource, DigitsConfig, DrawnConfig, MnistConfig};
pub use images::{DigitImages, DigitsError};

#[cfg(test)]
mod tests;
