//! Rows of a split: the states of a world and what they look like.

use std::ops::Range;

use domino_core::{
    GroundTruth, InterventionTarget, Observations, Pairs, PairsError, Seed, Stream, StreamRng,
};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::world::World;
use crate::generator::{Generator, Split};

/// Generators of one split, so that observation noise does not shift the states.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Part {
    States = 0,
    NoiseBefore = 1,
    NoiseAfter = 2,
}

/// Generators set aside for each split.
const PARTS: u64 = 4;

/// The random numbers behind some rows.
struct Draws {
    /// Noise, `[n, d]`.
    e: DMatrix<f64>,
    targets: Vec<InterventionTarget>,
    /// New values of the targets, `[n, d]`.
    values: DMatrix<f64>,
}

/// `e ~ N(0, 1)`, the target uniform over none and the `d` variables, its new value `~ N(0, 1)`,
/// the noise of all others kept.
///
/// Non-descendants of the target come out with the same bits before and after.
pub(super) fn states(world: &World, split: Split, rows: Range<usize>) -> GroundTruth {
    let Draws { e, targets, values } =
        Draws::draw(rows, world.dag().dim(), &mut data_rng(world, split, Part::States));
    let z = world.z_from_e(&e);
    let after = world.intervene(&e, &targets, &values);
    GroundTruth {
        z_before: Some(z),
        z_after: Some(after.z),
        e_before: Some(e),
        e_after: Some(after.e),
        targets: Some(targets),
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
        let rng = &mut data_rng(world, split, part);
        add_noise(&mut data, world.config().observation_noise, rows.start * world.dim_x(), rng);
        Observations::Vectors { data, dim: world.dim_x() }
    };
    let before = side(&states.z_before, Part::NoiseBefore);
    Pairs::new(before, side(&states.z_after, Part::NoiseAfter))
}

/// The entries of a matrix, row after row.
pub(super) fn row_major(x: &DMatrix<f64>) -> Vec<f32> {
    let mut data = Vec::with_capacity(x.len());
    for row in 0..x.nrows() {
        data.extend((0..x.ncols()).map(|col| x[(row, col)] as f32));
    }
    data
}

fn data_rng(world: &World, split: Split, part: Part) -> StreamRng {
    Seed(world.config().seed).rng_at(Stream::Data, PARTS * split.number() + part as u64)
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
    /// One generator draws all rows in turn, those before the range to be forgotten.
    fn draw(rows: Range<usize>, d: usize, rng: &mut dyn Rng) -> Self {
        let n = rows.len();
        let (mut e, mut values) = (DMatrix::zeros(n, d), DMatrix::zeros(n, d));
        let mut targets = Vec::with_capacity(n);
        let mut row_e = vec![0.0; d];
        for row in 0..rows.end {
            row_e.iter_mut().for_each(|e| *e = StandardNormal.sample(rng));
            let target = InterventionTarget::from_label(rng.random_range(0..=d));
            let value: f64 = StandardNormal.sample(rng);
            let Some(row) = row.checked_sub(rows.start) else { continue };
            row_e.iter().enumerate().for_each(|(j, &v)| e[(row, j)] = v);
            target.variables().iter().for_each(|&k| values[(row, k)] = value);
            targets.push(target);
        }
        Self { e, targets, values }
    }
}
