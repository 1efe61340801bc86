//! Rows of a split: the states of a world and what they look like.

use std::ops::Range;

use domino_core::{GroundTruth, InterventionTarget, Observations, Pairs, PairsError};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::world::World;
use crate::generator::{Generator, Split};
use crate::rows::{Part, RowRngs, split_rng};

/// The random numbers behind some rows.
struct Draws {
    /// Noise before, `[n, d]`.
    e: DMatrix<f64>,
    targets: Vec<InterventionTarget>,
    /// Draws behind the new values of the targets, `[n, d]`.
    fresh: DMatrix<f64>,
    /// Noise after of what is not hit, `[n, d]`.
    e_after: DMatrix<f64>,
}

/// `e ~ N(0, 1)`, and what the law of interventions does to it.
///
/// Non-descendants of the target come out with the same bits before and after, unless the options
/// move their noise.
pub(super) fn states(world: &World, split: Split, rows: Range<usize>) -> GroundTruth {
    let draws = Draws::draw(world, split, rows);
    let z = world.z_from_e(&draws.e);
    let after = world.after(&z, &draws.e_after, &draws.targets, &draws.fresh);
    GroundTruth {
        z_before: Some(z),
        z_after: Some(after.z),
        e_before: Some(draws.e),
        e_after: Some(after.e),
        targets: Some(draws.targets),
        dag: Some(world.dag().clone()),
        names: Some(world.names()),
    }
}

/// The observations of states, with the noise of the sensor.
pub(super) fn observe(
    world: &World,
    split: Split,
    rows: Range<usize>,
    states: &GroundTruth,
) -> Result<Pairs, PairsError> {
    let side = |z: &Option<DMatrix<f64>>, part| {
        let z = z.as_ref().expect("the states of a world are complete");
        let mut data = row_major(&world.x_from_z(z));
        let rng = &mut split_rng(world.config().seed, split, part);
        add_noise(&mut data, world.config().observation_noise, rows.start * world.dim_x(), rng);
        Observations::Vectors { data, dim: world.dim_x() }
    };
    let before = side(&states.z_before, Part::SensorBefore);
    Pairs::new(before, side(&states.z_after, Part::SensorAfter))
}

/// The entries of a matrix, row after row.
pub(super) fn row_major(x: &DMatrix<f64>) -> Vec<f32> {
    let mut data = Vec::with_capacity(x.len());
    for row in 0..x.nrows() {
        data.extend((0..x.ncols()).map(|col| x[(row, col)] as f32));
    }
    data
}

/// Adds normal noise whose first `skipped` values belong to rows before these.
fn add_noise(data: &mut [f32], std: f64, skipped: usize, rng: &mut dyn Rng) {
    if std <= 0.0 {
        return;
    }
    let normal = |rng: &mut dyn Rng| -> f64 { StandardNormal.sample(rng) };
    for _ in 0..skipped {
        normal(rng);
    }
    for x in data {
        *x += (std * normal(rng)) as f32;
    }
}

impl Draws {
    fn draw(world: &World, split: Split, rows: Range<usize>) -> Self {
        let seed = world.config().seed;
        let d = world.dag().dim();
        let mut draws = Self::published(rows.clone(), d, &mut split_rng(seed, split, Part::States));
        if !world.config().interventions.is_default() {
            let rngs = RowRngs::new(seed, split, Part::Interventions);
            rows.enumerate().for_each(|(at, row)| draws.attempt(world, at, &mut rngs.row(row)));
        }
        draws
    }

    /// The setting of the paper: the target uniform over none and the `d` variables, its new value
    /// `~ N(0, 1)`, the noise of all others kept.
    ///
    /// One generator draws all rows in turn, those before the range to be forgotten.
    fn published(rows: Range<usize>, d: usize, rng: &mut dyn Rng) -> Self {
        let n = rows.len();
        let (mut e, mut fresh) = (DMatrix::zeros(n, d), DMatrix::zeros(n, d));
        let mut targets = Vec::with_capacity(n);
        let mut row_e = vec![0.0; d];
        for row in 0..rows.end {
            for e in &mut row_e {
                *e = StandardNormal.sample(rng);
            }
            let target = InterventionTarget::from_label(rng.random_range(0..=d));
            let value: f64 = StandardNormal.sample(rng);
            let Some(row) = row.checked_sub(rows.start) else { continue };
            row_e.iter().enumerate().for_each(|(j, &v)| e[(row, j)] = v);
            target.variables().iter().for_each(|&k| fresh[(row, k)] = value);
            targets.push(target);
        }
        Self { e_after: e.clone(), e, targets, fresh }
    }

    /// Puts what the world's law of interventions says in place of the published setting.
    fn attempt(&mut self, world: &World, at: usize, rng: &mut dyn Rng) {
        let e: Vec<f64> = self.e.row(at).iter().copied().collect();
        let attempt = world.interventions().draw(&e, rng);
        for j in 0..e.len() {
            self.fresh[(at, j)] = attempt.fresh[j];
            self.e_after[(at, j)] = attempt.e[j];
        }
        self.targets[at] = attempt.target;
    }
}
