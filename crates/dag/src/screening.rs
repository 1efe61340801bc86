use nalgebra::DMatrix;

use crate::least_squares::{LeastSquares, surprise};
use crate::sample::Sample;

/// Codes are clipped here, in standard deviations, so that single outliers do not rule the cubes.
const CLIP: f64 = 4.0;

/// Rows per column below which powers are left out of the regressions.
const ROWS_PER_COLUMN: usize = 10;

/// Share of the residual variance that curvature must explain for a mechanism to count as
/// nonlinear. Errors of the codes bend linear mechanisms by much less; a bend below this costs the
/// linear fit less than its own sampling error at the usual numbers of rows.
const LEAST_CURVATURE: f64 = 0.02;

/// Surprise, in nats, that curvature must have besides: `exp(−10)` is 5e-5.
const LEAST_CURVATURE_SURPRISE: f64 = 10.0;

/// What the rows that intervene on one variable say of its dependence on the codes before.
pub(crate) struct Dependence {
    /// Surprise in nats at independence of each code, `[d]`; 0 for the variable itself.
    pub(crate) surprise: Vec<f64>,
    /// Wald statistic of each code in the linear regression, `[d]`.
    pub(crate) linear: Vec<f64>,
    /// Whether the mechanism is curved or its scale varies.
    pub(crate) curved: bool,
}

impl Dependence {
    /// Regresses the new code of `k`, and the size of the residual, on all other codes at once.
    ///
    /// For each code `e_j` three hypotheses are tested: no linear effect on the location, no effect
    /// of `e_j, e_j², e_j³` on the location, and no effect of `e_j, e_j²` on the absolute residual.
    /// The codes are independent of each other, so terms that are missing from the regression, such
    /// as interactions, are noise to these tests and do not make them wrong.
    pub(crate) fn of(sample: &Sample, k: usize) -> Self {
        let d = sample.dim();
        let mut found = Self { surprise: vec![0.0; d], linear: vec![0.0; d], curved: false };
        let rows = &sample.rows[k];
        let others: Vec<usize> = (0..d).filter(|&j| j != k).collect();
        if rows.is_empty() || others.is_empty() {
            return found;
        }
        let codes =
            DMatrix::from_fn(rows.len(), others.len(), |r, c| sample.before[(rows[r], others[c])]);
        let response = sample.response(k);
        let line = LeastSquares::fit(&mut codes.clone(), &response);
        for (c, &j) in others.iter().enumerate() {
            found.linear[j] = line.wald(&[c]);
            found.surprise[j] = surprise(found.linear[j], 1);
        }
        if Bends::are_seen(rows.len(), others.len()) {
            found.add_curvature(&others, &codes, &response, &line);
        }
        found
    }

    fn add_curvature(
        &mut self,
        others: &[usize],
        codes: &DMatrix<f64>,
        response: &[f64],
        line: &LeastSquares,
    ) {
        let p = others.len();
        let bends = Bends::of(codes, response, line);
        for (c, &j) in others.iter().enumerate() {
            let location = surprise(bends.location.wald(&[c, p + c, 2 * p + c]), 3);
            let scale = surprise(bends.scale.wald(&[c, p + c]), 2);
            self.surprise[j] = self.surprise[j].max(location).max(scale);
        }
        self.curved = bends.matter();
    }
}

/// What a linear regression leaves to curves.
pub(crate) struct Bends {
    /// The residuals on powers 1 to 3 of the columns.
    location: LeastSquares,
    /// The size of what is left then on powers 1 and 2.
    scale: LeastSquares,
    /// The residuals on powers of the predictions.
    specification: LeastSquares,
}

impl Bends {
    /// Whether so many rows of so many columns are enough to look for curves.
    pub(crate) fn are_seen(rows: usize, columns: usize) -> bool {
        rows >= ROWS_PER_COLUMN * (3 * columns + 4)
    }

    pub(crate) fn of(columns: &DMatrix<f64>, response: &[f64], line: &LeastSquares) -> Self {
        // Of the line's residuals: clipping a code must not leave a part of a steep line behind.
        let location = LeastSquares::fit(&mut powers(columns, 3), line.residuals.as_slice());
        let sizes: Vec<f64> = location.residuals.iter().map(|r| r.abs()).collect();
        let scale = LeastSquares::fit(&mut powers(columns, 2), &sizes);
        Self { location, scale, specification: specification_test(line, response) }
    }

    /// Whether the mechanism is curved or its scale varies.
    pub(crate) fn matter(&self) -> bool {
        let p = self.location.coefficients.len() / 3;
        let bends: Vec<usize> = (p..3 * p).collect();
        let all: Vec<usize> = (0..2 * p).collect();
        is_effect(&self.location, &bends)
            || is_effect(&self.scale, &all)
            || is_effect(&self.specification, &[0, 1])
    }
}

/// Regression of a linear fit's residuals on the square and cube of its predictions, which finds
/// what powers of single columns miss.
///
/// Ramsey, *Tests for specification errors in classical linear least-squares regression analysis*,
/// Journal of the Royal Statistical Society B 1969.
fn specification_test(line: &LeastSquares, response: &[f64]) -> LeastSquares {
    let fitted: Vec<f64> = response.iter().zip(&line.residuals).map(|(y, r)| y - r).collect();
    let (mean, scale) = crate::sample::mean_and_inverse_std(&fitted);
    let standard = DMatrix::from_fn(fitted.len(), 1, |r, _| (fitted[r] - mean) * scale);
    let mut bent = powers(&standard, 3).columns(1, 2).into_owned();
    LeastSquares::fit(&mut bent, line.residuals.as_slice())
}

/// Whether a group of columns explains more than [`LEAST_CURVATURE`], chance deducted.
fn is_effect(fit: &LeastSquares, group: &[usize]) -> bool {
    let (statistic, n) = (fit.wald(group), fit.residuals.len() as f64);
    let share = (statistic - group.len() as f64) / n;
    share > LEAST_CURVATURE && surprise(statistic, group.len()) > LEAST_CURVATURE_SURPRISE
}

/// Columns to the powers `1..=highest`, all first powers first, each centred and clipped.
pub(crate) fn powers(columns: &DMatrix<f64>, highest: usize) -> DMatrix<f64> {
    let p = columns.ncols();
    DMatrix::from_fn(columns.nrows(), highest * p, |r, c| {
        let base = columns[(r, c % p)].clamp(-CLIP, CLIP);
        (0..c / p).fold(base, |power, _| power * base)
    })
}
