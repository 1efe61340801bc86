use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Height, width and channels of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Values per pixel.
    pub channels: usize,
}

impl ImageShape {
    /// Values in one picture.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether a picture holds nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What one observation looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Values in single precision, `[dim]`.
    Vector {
        /// Number of values.
        dim: usize,
    },
    /// A uint8 picture, `[height, width, channels]`.
    Image(ImageShape),
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector { dim } => write!(f, "[{dim}] float"),
            Self::Image(s) => write!(f, "[{}, {}, {}] uint8", s.height, s.width, s.channels),
        }
    }
}

/// Observations `x`, one row each, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Observations {
    /// Float vectors, `[n, dim]`.
    Vectors {
        /// Row-major values.
        data: Vec<f32>,
        /// Values per row.
        dim: usize,
    },
    /// Pictures, `[n, height, width, channels]`.
    Images {
        /// Row-major values.
        data: Vec<u8>,
        /// Shape of one picture.
        shape: ImageShape,
    },
}

impl Observations {
    /// Number of observations.
    pub fn len(&self) -> usize {
        match self {
            Self::Vectors { data, dim } => data.len().checked_div(*dim).unwrap_or(0),
            Self::Images { data, shape } => data.len().checked_div(shape.len()).unwrap_or(0),
        }
    }

    /// Whether there is no observation.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values per observation, pictures flattened.
    pub fn dim(&self) -> usize {
        match self {
            Self::Vectors { dim, .. } => *dim,
            Self::Images { shape, .. } => shape.len(),
        }
    }

    /// Appends row `row` to `into`; pictures are scaled to `[0, 1]`.
    pub fn push_row(&self, row: usize, into: &mut Vec<f32>) {
        let span = row * self.dim()..(row + 1) * self.dim();
        match self {
            Self::Vectors { data, .. } => into.extend_from_slice(&data[span]),
            Self::Images { data, .. } => {
                into.extend(data[span].iter().map(|&v| f32::from(v) / 255.0));
            }
        }
    }

    /// The rows of a range.
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let span = rows.start * self.dim()..rows.end * self.dim();
        match self {
            Self::Vectors { data, dim } => Self::Vectors { data: data[span].to_vec(), dim: *dim },
            Self::Images { data, shape } => {
                Self::Images { data: data[span].to_vec(), shape: *shape }
            }
        }
    }

    /// What one of them looks like.
    pub fn form(&self) -> Form {
        match self {
            Self::Vectors { dim, .. } => Form::Vector { dim: *dim },
            Self::Images { shape, .. } => Form::Image(*shape),
        }
    }

    /// Shape and type of all of them, as in `[100, 4] float`.
    pub fn describe(&self) -> String {
        self.form().to_string().replacen('[', &format!("[{}, ", self.len()), 1)
    }
}

/// Before/after pairs: all that training may see.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    before: Observations,
    after: Observations,
}

/// Why two sets of observations are not pairs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PairsError {
    /// The two sides differ in count, width or kind.
    #[error("before is {before} and after is {after}: expected the same shape and type")]
    Mismatch {
        /// Form of the first side.
        before: String,
        /// Form of the second side.
        after: String,
    },
    /// There is nothing to learn from.
    #[error("pairs: expected at least one row of at least one value, got {0}")]
    Empty(String),
    /// A value is NaN or infinite.
    #[error("{side}[{row}, {col}]: expected a finite number, got {value}")]
    NotFinite {
        /// `before` or `after`.
        side: &'static str,
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
        /// The value, as text.
        value: String,
    },
}

impl Pairs {
    /// Pairs of equally many observations of one form.
    ///
    /// # Errors
    /// [`PairsError`] if the sides differ in shape or type, are empty, or hold a NaN or infinity.
    pub fn new(before: Observations, after: Observations) -> Result<Self, PairsError> {
        if before.form() != after.form() || before.len() != after.len() {
            return Err(PairsError::Mismatch {
                before: before.describe(),
                after: after.describe(),
            });
        }
        if before.is_empty() {
            return Err(PairsError::Empty(before.describe()));
        }
        for (side, x) in [("before", &before), ("after", &after)] {
            check_finite(side, x)?;
        }
        Ok(Self { before, after })
    }

    /// Observations before the intervention.
    pub fn before(&self) -> &Observations {
        &self.before
    }

    /// Observations after the intervention.
    pub fn after(&self) -> &Observations {
        &self.after
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.before.len()
    }

    /// Always false: pairs hold at least one row.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// Values per observation.
    pub fn dim(&self) -> usize {
        self.before.dim()
    }

    /// The pairs of a range of rows, which must not be empty.
    pub fn slice(&self, rows: Range<usize>) -> Self {
        debug_assert!(!rows.is_empty(), "pairs hold at least one row");
        Self { before: self.before.slice(rows.clone()), after: self.after.slice(rows) }
    }
}

fn check_finite(side: &'static str, x: &Observations) -> Result<(), PairsError> {
    let Observations::Vectors { data, dim } = x else { return Ok(()) };
    data.iter().position(|v| !v.is_finite()).map_or(Ok(()), |at| {
        let value = data[at].to_string();
        Err(PairsError::NotFinite { side, row: at / dim, col: at % dim, value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(data: &[f32], dim: usize) -> Observations {
        Observations::Vectors { data: data.to_vec(), dim }
    }

    #[test]
    fn sides_must_match() {
        let error = Pairs::new(vectors(&[0.0; 4], 2), vectors(&[0.0; 6], 2)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "before is [2, 2] float and after is [3, 2] float: expected the same shape and type"
        );
    }

    #[test]
    fn a_nan_is_named_by_place() {
        let error = Pairs::new(vectors(&[0.0; 4], 2), vectors(&[0.0, 0.0, 0.0, f32::NAN], 2));
        assert_eq!(
            error.unwrap_err().to_string(),
            "after[1, 1]: expected a finite number, got NaN"
        );
    }

    #[test]
    fn nothing_is_not_pairs() {
        assert!(matches!(Pairs::new(vectors(&[], 2), vectors(&[], 2)), Err(PairsError::Empty(_))));
        assert!(matches!(Pairs::new(vectors(&[], 0), vectors(&[], 0)), Err(PairsError::Empty(_))));
    }

    #[test]
    fn pictures_scale_to_one_and_slice_by_row() {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let x = Observations::Images { data: vec![0, 51, 255, 0], shape };
        let mut row = Vec::new();
        x.slice(1..2).push_row(0, &mut row);
        assert_eq!(row, [1.0, 0.0]);
    }
}
