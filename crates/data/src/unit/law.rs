use super::beta::Beta;
use crate::normal;

/// The least value of a continuous variable: what comes out smaller is set to it.
pub const LEAST: f64 = 1e-4;

/// The largest value of a continuous variable: what comes out larger is set to it.
pub const MOST: f64 = 1.0 - 1e-4;

/// The law of a variable given its parents, as a monotone function of noise `e ~ N(0, 1)`.
///
/// ```
/// use domino_data::unit::UnitLaw;
///
/// let law = UnitLaw::Beta { a: 2.5, b: 2.5 };
/// assert!((law.z_from_e(0.0) - 0.5).abs() < 1e-15); // the median
/// assert!((law.e_from_z(law.z_from_e(-1.7)) + 1.7).abs() < 1e-12);
/// assert_eq!(UnitLaw::Levels(4).z_from_e(3.0), 3.0); // the last of 0, 1, 2, 3
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UnitLaw {
    /// Uniform on `[0, 1]`.
    Uniform,
    /// Density `∝ z^(a − 1) (1 − z)^(b − 1)`, `a, b > 0`.
    Beta {
        /// Weight towards 1.
        a: f64,
        /// Weight towards 0.
        b: f64,
    },
    /// The numbers `0, 1, …, n − 1`, equally likely; `n >= 1`.
    Levels(usize),
}

impl UnitLaw {
    /// The Beta law with this mean in `(0, 1)` and `a + b = concentration`.
    pub fn beta(mean: f64, concentration: f64) -> Self {
        Self::Beta { a: concentration * mean, b: concentration * (1.0 - mean) }
    }

    /// `F⁻¹(Φ(e))`; continuous values are kept within [`LEAST`] and [`MOST`].
    pub fn z_from_e(&self, e: f64) -> f64 {
        // The smaller tail is the one that is known to full precision.
        let tail = normal::cdf(-e.abs());
        let z = match *self {
            Self::Uniform if e < 0.0 => tail,
            Self::Uniform => 1.0 - tail,
            Self::Beta { a, b } if e < 0.0 => Beta::new(a, b).lower_quantile(tail).0,
            Self::Beta { a, b } => Beta::new(a, b).upper_quantile(tail).0,
            Self::Levels(n) => return level(if e < 0.0 { tail } else { 1.0 - tail }, n),
        };
        z.clamp(LEAST, MOST)
    }

    /// `Φ⁻¹(F(z))`, the inverse of [`UnitLaw::z_from_e`]; of a level the noise in its middle.
    ///
    /// Finite for every `z` from [`LEAST`] to [`MOST`].
    pub fn e_from_z(&self, z: f64) -> f64 {
        let (lower, upper) = match *self {
            Self::Uniform => (z, 1.0 - z),
            Self::Beta { a, b } => Beta::new(a, b).tails(z, 1.0 - z),
            Self::Levels(n) => {
                let n = n as f64;
                ((z + 0.5) / n, (n - z - 0.5) / n)
            }
        };
        if lower < upper { normal::quantile(lower) } else { -normal::quantile(upper) }
    }

    /// The value that an intervention draws: uniform over all values, whatever the parents.
    pub fn fresh(&self) -> Self {
        match self {
            Self::Uniform | Self::Beta { .. } => Self::Uniform,
            Self::Levels(n) => Self::Levels(*n),
        }
    }

    /// The law of `1 − z`, of levels the same: what takes its place in a soft intervention.
    pub fn mirrored(&self) -> Self {
        match *self {
            Self::Beta { a, b } => Self::Beta { a: b, b: a },
            same => same,
        }
    }

    /// `v` as a value that the variable can have: in range, of levels the closest.
    pub fn valid(&self, v: f64) -> f64 {
        match *self {
            Self::Uniform | Self::Beta { .. } => v.clamp(LEAST, MOST),
            Self::Levels(n) => (v + 0.5).floor().clamp(0.0, (n - 1) as f64),
        }
    }
}

fn level(u: f64, n: usize) -> f64 {
    (u * n as f64).floor().min((n - 1) as f64)
}

/// Another of the numbers `0, …, count − 1` than `old`, each equally likely; `old` where there is no other.
/// `fresh` is a draw from `N(0, 1)`.
pub(crate) fn another_level(old: f64, count: usize, fresh: f64) -> f64 {
    if count < 2 {
        return old;
    }
    let step = 1.0 + UnitLaw::Levels(count - 1).z_from_e(fresh);
    (old + step) % count as f64
}
