use nalgebra::DMatrix;
use rand::Rng;

use super::config::{LeakyReluConfig, MixingConfig};
use super::linalg::{map_rows, mean_and_std, orthonormal, random_rotation};

/// An injective map from variables `[n, d]` to observations `[n, dim_x]`.
#[derive(Clone, Debug)]
pub(super) enum Mixing {
    /// `x = R z`, `R` of shape `[dim_x, d]` with orthonormal columns.
    Linear(DMatrix<f64>),
    LeakyRelu(LeakyRelu),
}

impl Mixing {
    /// Draws a mixing to `dim_x` values; `z` `[n, d]` are states to standardise by.
    pub(super) fn draw(
        config: &MixingConfig,
        dim_x: usize,
        z: &DMatrix<f64>,
        rng: &mut dyn Rng,
    ) -> Self {
        let d = z.ncols();
        match config {
            MixingConfig::Identity => Self::Linear(DMatrix::identity(dim_x, d)),
            MixingConfig::Rotation => {
                Self::Linear(random_rotation(dim_x, rng).columns(0, d).into_owned())
            }
            MixingConfig::LeakyRelu(config) => {
                Self::LeakyRelu(LeakyRelu::draw(config, dim_x, z, rng))
            }
        }
    }

    pub(super) fn x_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        match self {
            Self::Linear(map) => map_rows(z, map),
            Self::LeakyRelu(relu) => relu.x_from_z(z),
        }
    }

    pub(super) fn z_from_x(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        match self {
            Self::Linear(map) => map_rows(x, &map.transpose()),
            Self::LeakyRelu(relu) => relu.z_from_x(x),
        }
    }
}

/// Rotations of the standardised variables with leaky rectifiers between them.
#[derive(Clone, Debug)]
pub(super) struct LeakyRelu {
    /// Mean and standard deviation of each variable.
    standard: Vec<(f64, f64)>,
    /// Orthogonal `[d, d]`, before everything else.
    first: DMatrix<f64>,
    /// Orthonormal columns, after each rectifier; the last is `[dim_x, d]`.
    rotations: Vec<DMatrix<f64>>,
    slope: f64,
    shift: f64,
}

impl LeakyRelu {
    fn draw(config: &LeakyReluConfig, dim_x: usize, z: &DMatrix<f64>, rng: &mut dyn Rng) -> Self {
        let d = z.ncols();
        let rows = |layer| if layer + 1 == config.layers { dim_x } else { d };
        let spread = |(mean, std)| (mean, if std > 0.0 { std } else { 1.0 });
        Self {
            standard: z.column_iter().map(|z| spread(mean_and_std(z.as_slice()))).collect(),
            first: orthonormal(d, d, rng),
            rotations: (0..config.layers).map(|l| orthonormal(rows(l), d, rng)).collect(),
            slope: config.slope,
            shift: config.shift,
        }
    }

    fn x_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        let mut h = z.clone();
        for (mut column, (mean, std)) in h.column_iter_mut().zip(&self.standard) {
            column.apply(|z| *z = (*z - mean) / std);
        }
        h = map_rows(&h, &self.first);
        for (layer, rotation) in self.rotations.iter().enumerate() {
            let shift = self.shift_before(layer);
            h.apply(|v| *v = leaky(*v + shift, self.slope));
            h = map_rows(&h, rotation);
        }
        h
    }

    fn z_from_x(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let mut h = x.clone();
        for (layer, rotation) in self.rotations.iter().enumerate().rev() {
            let shift = self.shift_before(layer);
            h = map_rows(&h, &rotation.transpose());
            h.apply(|v| *v = leaky(*v, self.slope.recip()) - shift);
        }
        h = map_rows(&h, &self.first.transpose());
        for (mut column, (mean, std)) in h.column_iter_mut().zip(&self.standard) {
            column.apply(|z| *z = *z * std + mean);
        }
        h
    }

    fn shift_before(&self, layer: usize) -> f64 {
        if layer == 0 { 0.0 } else { self.shift }
    }
}

/// The leaky rectifier; its inverse has the reciprocal slope.
fn leaky(v: f64, slope: f64) -> f64 {
    if v < 0.0 { slope * v } else { v }
}
