//! What every generator of pairs can do.

use std::fmt;
use std::ops::Range;

use domino_core::{Dag, Form, GroundTruth, InterventionTarget, Observations, Pairs, PairsError};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// A structural causal model that is seen through observations: a source of pairs without end.
///
/// Row `r` of a split depends on the generator, the split and `r` alone, so rows may be drawn in any
/// order, by any number of threads, and again. Matrices have one row per state: `z` and `e` are
/// `[n, d]`. A discrete variable holds the number of its value, counted from 0.
///
/// ```
/// use domino_data::scaling::{ScalingConfig, World};
/// use domino_data::{Generator, Split};
///
/// let world: Box<dyn Generator> = Box::new(World::draw(&ScalingConfig::default())?);
/// let (pairs, truth) = world.sample(100, Split::Train)?;
/// let later = world.states(Split::Train, 90..100);
/// assert_eq!(later, truth.slice(90..100));
/// assert_eq!(world.observe(Split::Train, 90..100, &later)?, pairs.slice(90..100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Generator: fmt::Debug + Send + Sync {
    /// The causal graph.
    fn dag(&self) -> &Dag;

    /// Names of the variables, `[d]`.
    fn names(&self) -> Vec<String>;

    /// What one observation looks like.
    fn form(&self) -> Form;

    /// Variables from noise, `z = s(e)`.
    fn z_from_e(&self, e: &DMatrix<f64>) -> DMatrix<f64>;

    /// Noise from variables, `e = s⁻¹(z)`.
    fn e_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64>;

    /// The state after perfect interventions: in row `r` the variables of `targets[r]` take their
    /// values from row `r` of `values`, all others follow from their parents and their own noise.
    ///
    /// # Panics
    /// If there are not as many targets and rows of `values` as rows of `e`.
    fn intervene(
        &self,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        values: &DMatrix<f64>,
    ) -> Counterfactual;

    /// What states look like to a sensor without noise.
    fn observation_of(&self, z: &DMatrix<f64>) -> Observations;

    /// All that is true of rows of a split: cheap beside [`Generator::observe`].
    fn states(&self, split: Split, rows: Range<usize>) -> GroundTruth;

    /// The pairs of rows whose states are at hand.
    ///
    /// # Errors
    /// [`PairsError`] if there is no row, or if an observation is too large for `f32`.
    fn observe(
        &self,
        split: Split,
        rows: Range<usize>,
        states: &GroundTruth,
    ) -> Result<Pairs, PairsError>;

    /// The first `n` pairs of a split, with their truth.
    ///
    /// # Errors
    /// Those of [`Generator::observe`].
    fn sample(&self, n: usize, split: Split) -> Result<(Pairs, GroundTruth), PairsError> {
        let truth = self.states(split, 0..n);
        Ok((self.observe(split, 0..n, &truth)?, truth))
    }
}

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

impl Split {
    /// Stored data sets depend on these numbers.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Train => 0,
            Self::Validation => 1,
            Self::Test => 2,
            Self::DciTrain => 3,
        }
    }
}

/// The state that an intervention leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactual {
    /// Causal variables, `[n, d]`.
    pub z: DMatrix<f64>,
    /// Noise, `[n, d]`: that of the targets is what would have brought about their values.
    pub e: DMatrix<f64>,
}
