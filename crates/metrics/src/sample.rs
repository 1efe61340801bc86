use nalgebra::DMatrix;

use crate::MetricError;

/// Latents and true factors of the same points: what a representation is scored on.
///
/// A `Sample` in hand has at least one point, one latent and one factor, and finite values only.
///
/// ```
/// use domino_metrics::{MetricError, Sample};
/// use nalgebra::DMatrix;
///
/// let (latents, mut factors) = (DMatrix::zeros(4, 3), DMatrix::zeros(4, 2));
/// assert!(Sample::new(&latents, &factors).is_ok());
///
/// factors[(1, 0)] = f64::NAN;
/// let error = Sample::new(&latents, &factors).unwrap_err();
/// assert_eq!(error.to_string(), "factors[1, 0]: expected a finite number, got NaN");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    latents: &'a DMatrix<f64>,
    factors: &'a DMatrix<f64>,
}

impl<'a> Sample<'a> {
    /// The sample of latents `[n, D]` and factors `[n, K]`.
    ///
    /// # Errors
    /// [`MetricError::Empty`] if either is empty, [`MetricError::Rows`] if they differ in length,
    /// [`MetricError::NotFinite`] for the first NaN or infinity.
    pub fn new(latents: &'a DMatrix<f64>, factors: &'a DMatrix<f64>) -> Result<Self, MetricError> {
        check_matrix("latents", latents)?;
        check_matrix("factors", factors)?;
        if factors.nrows() != latents.nrows() {
            let (expected, got) = (latents.nrows(), factors.nrows());
            return Err(MetricError::Rows { what: "factors", expected, got });
        }
        Ok(Self { latents, factors })
    }

    /// The latents, `[n, D]`.
    pub fn latents(&self) -> &'a DMatrix<f64> {
        self.latents
    }

    /// The factors, `[n, K]`.
    pub fn factors(&self) -> &'a DMatrix<f64> {
        self.factors
    }

    /// Fails unless `other` has as many latents and factors as this sample.
    pub(crate) fn check_same_columns(&self, other: &Self) -> Result<(), MetricError> {
        check_dim("latents", self.latents.ncols(), other.latents.ncols())?;
        check_dim("factors", self.factors.ncols(), other.factors.ncols())
    }
}

/// Fails unless a matrix has an entry and all its entries are finite.
pub(crate) fn check_matrix(what: &'static str, m: &DMatrix<f64>) -> Result<(), MetricError> {
    if m.is_empty() {
        return Err(MetricError::Empty { what, rows: m.nrows(), cols: m.ncols() });
    }
    let Some(at) = m.iter().position(|v| !v.is_finite()) else { return Ok(()) };
    // nalgebra iterates column by column.
    let (row, col) = (at % m.nrows(), at / m.nrows());
    Err(MetricError::NotFinite { what, row, col, value: m[(row, col)] })
}

/// Fails unless two numbers of variables agree.
pub(crate) fn check_dim(
    what: &'static str,
    expected: usize,
    got: usize,
) -> Result<(), MetricError> {
    if expected == got { Ok(()) } else { Err(MetricError::Dim { what, expected, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_misfit_is_named_with_its_numbers() {
        let text = |z: &DMatrix<f64>, y: &DMatrix<f64>| Sample::new(z, y).unwrap_err().to_string();
        let z = DMatrix::zeros(4, 3);
        assert_eq!(
            text(&z, &DMatrix::zeros(5, 2)),
            "factors: expected 4 rows, one per point, got 5"
        );
        assert_eq!(
            text(&DMatrix::zeros(4, 0), &z),
            "latents: expected at least one row and one column, got 4 x 0"
        );
        let mut infinite = z.clone();
        infinite[(2, 1)] = f64::NEG_INFINITY;
        assert_eq!(text(&infinite, &z), "latents[2, 1]: expected a finite number, got -inf");
    }
}
