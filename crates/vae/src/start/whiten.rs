use domino_core::{ImageShape, Observations, Pairs};
use nalgebra::{DMatrix, DVector};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Smoothing, SmoothingConfig};

/// Rows from which mean and covariance are estimated, spread evenly over the data.
const ROWS: usize = 20_000;

/// Above this width the Gram matrix of fewer rows replaces the covariance.
const WIDE: usize = 1024;

/// Rows of the Gram matrix.
const GRAM_ROWS: usize = 1500;

/// Directions with less than this share of the largest variance are rounding of f32, not signal:
/// a number is off by at most 2⁻²⁴ of itself, a third of that squared in the mean.
const RELATIVE_FLOOR: f64 = 1e-14;

/// Which directions of the observations are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WhitenConfig {
    /// Share of the total variance that the kept directions must hold; at least `d` are kept.
    pub variance: f64,
    /// Most directions that are kept.
    pub max_components: usize,
    /// Each direction is divided by this power of its standard deviation: 1 gives all of them unit
    /// variance, ½ leaves the strong ones stronger, 0 leaves them as they are.
    pub power: f64,
    /// How pictures are smoothed beforehand, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothing: Option<SmoothingConfig>,
}

impl Default for WhitenConfig {
    fn default() -> Self {
        Self { variance: 0.9999, max_components: 32, power: 0.5, smoothing: None }
    }
}

/// Why observations cannot be whitened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WhitenError {
    /// The observations vary in too few directions.
    #[error("x varies in {got} directions: expected at least {needed}, one per causal variable")]
    TooFlat {
        /// Directions that vary.
        got: usize,
        /// Directions needed.
        needed: usize,
    },
}

/// Principal component whitening: `x̃ = c (x − mean) V diag(λ)^(−p/2)`, with inverse
/// `x = mean + x̃ diag(λ)^(p/2) Vᵀ / c`.
///
/// With the power `p = 1` the factor `c` is 1 and all directions have unit variance. With less, `c`
/// makes the variances sum to `d`. Pictures may be smoothed first; `x` is then what smoothing leaves.
///
/// Fixed before training: it puts all networks on one scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whitening {
    /// What is done to pictures first.
    pub smoothing: Option<Smoothing>,
    /// Mean of `x`, `[dim_x]`.
    pub mean: DVector<f64>,
    /// Maps centred `x` to `x̃`, `[dim_x, components]`.
    pub forward: DMatrix<f64>,
    /// Maps `x̃` to centred `x`, `[components, dim_x]`.
    pub backward: DMatrix<f64>,
}

impl Whitening {
    /// The whitening of both sides of the pairs, keeping at least `d` directions.
    ///
    /// # Errors
    /// [`WhitenError::TooFlat`] if the observations vary in fewer than `d` directions.
    pub fn fit(pairs: &Pairs, d: usize, config: &WhitenConfig) -> Result<Self, WhitenError> {
        let smoothing = config.smoothing.as_ref().zip(picture_shape(pairs));
        let smoothing = smoothing.map(|(config, shape)| Smoothing::new(shape, config));
        let width = smoothing.as_ref().map_or(pairs.dim(), Smoothing::len);
        let limit = if width > WIDE { GRAM_ROWS } else { ROWS };
        let rows = sample_rows(pairs, smoothing.as_ref(), limit);
        let mean = rows.row_mean().transpose();
        let mut centred = rows;
        for mut row in centred.row_iter_mut() {
            row -= mean.transpose();
        }
        let (variances, directions) = principal_directions(&centred);
        let largest = variances.first().copied().unwrap_or(0.0);
        let usable = variances.iter().filter(|&&v| v > largest * RELATIVE_FLOOR).count();
        if usable < d || largest <= 0.0 {
            return Err(WhitenError::TooFlat {
                got: if largest > 0.0 { usable } else { 0 },
                needed: d,
            });
        }
        let keep = components(&variances, config).clamp(d, usable.max(d));
        let directions = directions.columns(0, keep).into_owned();
        let scale = scales(&variances[..keep], d, config.power);
        let forward = &directions * DMatrix::from_diagonal(&scale.map(|s| 1.0 / s));
        let backward = DMatrix::from_diagonal(&scale) * directions.transpose();
        Ok(Self { smoothing, mean, forward, backward })
    }

    /// Number of directions kept.
    pub fn components(&self) -> usize {
        self.forward.ncols()
    }

    /// Observations to `x̃`, row-major `[n, components]`.
    pub fn apply(&self, x: &Observations) -> Vec<f32> {
        let keep = self.components();
        let mut out = Vec::with_capacity(x.len() * keep);
        let offset = self.forward.tr_mul(&self.mean);
        for n in 0..x.len() {
            let row = values(x, n, self.smoothing.as_ref());
            for k in 0..keep {
                let column = self.forward.column(k);
                let dot: f64 = row.iter().zip(column.iter()).map(|(&v, w)| f64::from(v) * w).sum();
                out.push((dot - offset[k]) as f32);
            }
        }
        out
    }
}

/// What each kept direction is divided by.
fn scales(variances: &[f64], d: usize, power: f64) -> DVector<f64> {
    let scale =
        DVector::from_iterator(variances.len(), variances.iter().map(|v| v.sqrt().powf(power)));
    if power >= 1.0 {
        return scale;
    }
    let total: f64 = variances.iter().zip(&scale).map(|(v, s)| v / (s * s)).sum();
    scale * (total / d as f64).sqrt()
}

fn picture_shape(pairs: &Pairs) -> Option<ImageShape> {
    match pairs.before() {
        Observations::Images { shape, .. } => Some(*shape),
        Observations::Vectors { .. } => None,
    }
}

/// One observation, smoothed if that is asked for.
fn values(x: &Observations, row: usize, smoothing: Option<&Smoothing>) -> Vec<f32> {
    let mut values = Vec::with_capacity(x.dim());
    x.push_row(row, &mut values);
    match smoothing {
        Some(smoothing) => smoothing.apply(&values),
        None => values,
    }
}

/// Evenly spaced rows of both sides, `[n, dim]`.
fn sample_rows(pairs: &Pairs, smoothing: Option<&Smoothing>, limit: usize) -> DMatrix<f64> {
    let n = 2 * pairs.len();
    let take = n.min(limit);
    let mut data = Vec::new();
    for at in (0..take).map(|i| i * n / take) {
        let side = if at % 2 == 0 { pairs.before() } else { pairs.after() };
        data.extend(values(side, at / 2, smoothing).into_iter().map(f64::from));
    }
    DMatrix::from_row_slice(take, data.len() / take.max(1), &data)
}

/// Variances, descending, and their unit directions as columns.
fn principal_directions(centred: &DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let (n, dim) = centred.shape();
    if dim <= WIDE {
        return sorted_eigen(centred.tr_mul(centred) / n as f64);
    }
    // The covariance's non-zero spectrum is that of the Gram matrix, and directions follow.
    let (variances, coordinates) = sorted_eigen(centred * centred.transpose() / n as f64);
    let mut directions = centred.tr_mul(&coordinates);
    for mut column in directions.column_iter_mut() {
        let norm = column.norm().max(f64::MIN_POSITIVE);
        column /= norm;
    }
    (variances, directions)
}

/// Eigenvalues, descending, and eigenvectors; each vector's largest entry is positive, so that
/// the result does not depend on the solver's choice of sign.
pub(crate) fn sorted_eigen(symmetric: DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let eigen = symmetric.symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let values = order.iter().map(|&i| eigen.eigenvalues[i]).collect();
    let mut vectors = eigen.eigenvectors.select_columns(&order);
    for mut column in vectors.column_iter_mut() {
        if column[column.icamax()] < 0.0 {
            column.neg_mut();
        }
    }
    (values, vectors)
}

/// How many directions hold the asked-for share of the variance.
fn components(variances: &[f64], config: &WhitenConfig) -> usize {
    let total: f64 = variances.iter().sum();
    let mut held = 0.0;
    let enough = variances.iter().position(|v| {
        held += v;
        held >= config.variance * total
    });
    enough.map_or(variances.len(), |last| last + 1).min(config.max_components)
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    fn pairs(mixing: &DMatrix<f64>, n: usize) -> Pairs {
        let mut rng = Seed(1).rng(Stream::Data);
        let mut side = || {
            let z = DMatrix::from_fn(n, mixing.ncols(), |_, _| rng.random::<f64>() * 2.0 - 1.0);
            let x = z * mixing.transpose();
            let data = x.transpose().iter().map(|&v| v as f32 + 3.0).collect();
            Observations::Vectors { data, dim: mixing.nrows() }
        };
        Pairs::new(side(), side()).unwrap()
    }

    #[test]
    fn whitened_observations_have_unit_covariance() {
        let mixing = DMatrix::from_row_slice(3, 2, &[2.0, 1.0, 0.0, 0.3, 1.0, -1.0]);
        let pairs = pairs(&mixing, 4000);
        let config = WhitenConfig { power: 1.0, ..WhitenConfig::default() };
        let whitening = Whitening::fit(&pairs, 2, &config).unwrap();
        assert_eq!(whitening.components(), 2);
        let x = whitening.apply(pairs.before());
        let x = DMatrix::from_row_iterator(4000, 2, x.into_iter().map(f64::from));
        let covariance = x.tr_mul(&x) / 4000.0;
        assert!((covariance - DMatrix::identity(2, 2)).amax() < 0.05);
        let round_trip = &whitening.forward * &whitening.backward;
        let plane = mixing.clone() - &round_trip.transpose() * &mixing;
        assert!(plane.amax() < 1e-6, "the plane of the data is kept");
    }

    #[test]
    fn flat_observations_are_refused() {
        let mixing = DMatrix::from_row_slice(3, 1, &[1.0, 2.0, 3.0]);
        let error = Whitening::fit(&pairs(&mixing, 100), 2, &WhitenConfig::default()).unwrap_err();
        assert_eq!(error, WhitenError::TooFlat { got: 1, needed: 2 });
    }

    #[test]
    fn the_gram_form_gives_the_same_directions() {
        let mut rng = Seed(2).rng(Stream::Data);
        let mut x = DMatrix::from_fn(200, WIDE + 1, |_, _| 0.0);
        for mut row in x.row_iter_mut() {
            row[3] = 4.0 * (rng.random::<f64>() - 0.5);
            row[900] = rng.random::<f64>() - 0.5;
        }
        let (variances, directions) = principal_directions(&x);
        assert!(variances[0] > variances[1] && variances[2] < 1e-9);
        assert!(directions[(3, 0)].abs() > 0.99 && directions[(900, 1)].abs() > 0.99);
    }
}
