use domino_core::{
    GroundTruth, InterventionTarget, Observations, Pairs, PairsError, Seed, Stream, StreamRng,
};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::world::World;

/// What a sample is for; samples for different ends are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Fitting.
    Train,
    /// Choosing.
    Validation,
    /// Scoring.
    Test,
    /// Fitting the regressions inside the DCI scores.
    DciTrain,
}

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

/// The random numbers behind a sample.
struct Draws {
    /// Noise, `[n, d]`.
    e: DMatrix<f64>,
    targets: Vec<InterventionTarget>,
    /// New values of the targets, `[n, d]`.
    values: DMatrix<f64>,
}

impl World {
    /// `n` pairs and their truth: `e ~ N(0, 1)`, the target uniform over none and the `d` variables,
    /// its new value `~ N(0, 1)`, the noise of all others kept.
    ///
    /// Non-descendants of the target and "none" pairs come out with the same bits before and after,
    /// short of observation noise. A larger sample begins with the rows of a smaller one.
    ///
    /// # Errors
    /// [`PairsError`] if `n` is 0 or an observation is too large for `f32`.
    ///
    /// ```
    /// use domino_data::scaling::{ScalingConfig, Split, World};
    ///
    /// let world = World::draw(&ScalingConfig { d: 4, ..ScalingConfig::default() })?;
    /// let (pairs, truth) = world.sample(100, Split::Train)?;
    /// assert_eq!((pairs.len(), pairs.dim(), truth.dim()), (100, 4, Some(4)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sample(&self, n: usize, split: Split) -> Result<(Pairs, GroundTruth), PairsError> {
        let rng = |part| self.data_rng(split, part);
        let Draws { e, targets, values } = Draws::draw(n, self.dim(), &mut rng(Part::States));
        let z = self.z_from_e(&e);
        let after = self.intervene(&e, &targets, &values);
        let before_x = self.observe(&z, &mut rng(Part::NoiseBefore));
        let after_x = self.observe(&after.z, &mut rng(Part::NoiseAfter));
        let truth = GroundTruth {
            z_before: Some(z),
            z_after: Some(after.z),
            e_before: Some(e),
            e_after: Some(after.e),
            targets: Some(targets),
            dag: Some(self.dag().clone()),
            names: Some((1..=self.dim()).map(|k| format!("z{k}")).collect()),
        };
        Ok((Pairs::new(before_x, after_x)?, truth))
    }

    fn data_rng(&self, split: Split, part: Part) -> StreamRng {
        Seed(self.config().seed).rng_at(Stream::Data, PARTS * split.number() + part as u64)
    }

    fn observe(&self, z: &DMatrix<f64>, rng: &mut dyn Rng) -> Observations {
        let (x, std) = (self.x_from_z(z), self.config().observation_noise);
        let mut data: Vec<f32> = Vec::with_capacity(x.len());
        for row in 0..x.nrows() {
            data.extend((0..x.ncols()).map(|col| x[(row, col)] as f32));
        }
        if std > 0.0 {
            for x in &mut data {
                let noise: f64 = StandardNormal.sample(rng);
                *x += (std * noise) as f32;
            }
        }
        Observations::Vectors { data, dim: x.ncols() }
    }
}

impl Split {
    /// Stored data sets depend on these numbers.
    fn number(self) -> u64 {
        match self {
            Self::Train => 0,
            Self::Validation => 1,
            Self::Test => 2,
            Self::DciTrain => 3,
        }
    }
}

impl Draws {
    fn draw(n: usize, d: usize, rng: &mut dyn Rng) -> Self {
        let (mut e, mut values) = (DMatrix::zeros(n, d), DMatrix::zeros(n, d));
        let mut targets = Vec::with_capacity(n);
        for row in 0..n {
            for j in 0..d {
                e[(row, j)] = StandardNormal.sample(rng);
            }
            let target = InterventionTarget::from_label(rng.random_range(0..=d));
            let value: f64 = StandardNormal.sample(rng);
            target.variables().iter().for_each(|&k| values[(row, k)] = value);
            targets.push(target);
        }
        Self { e, targets, values }
    }
}
