use std::ops::Range;

use domino_core::{
    Dag, Form, GroundTruth, InterventionTarget, Observations, Pairs, PairsError, Seed, Stream,
    StreamRng,
};
use nalgebra::DMatrix;

use super::config::ScalingConfig;
use super::linalg::standard_normal;
use super::mechanisms::{LocationScale, Mechanisms};
use super::mixing::Mixing;
use super::sample;
use crate::config_error::ConfigError;
use crate::generator::{Counterfactual, Generator, Split};
use crate::interventions::{Effect, InterventionLaw};

/// States drawn to standardise networks and variables by.
const CALIBRATION_ROWS: usize = 8192;

/// A structural causal model with a mixing of its variables into observations.
///
/// `z_j = f_j(z_pa) + g_j(z_pa) e_j` with independent noise `e_j ~ N(0, 1)`, and `x = mix(z)`. All
/// functions take and return matrices with one row per state: `z` and `e` are `[n, d]`, `x` is
/// `[n, dim_x]`.
///
/// A variable of `L` [levels](ScalingConfig::levels) is the number of the interval that this falls into, from 0,
/// between thresholds that make all numbers equally frequent while nothing is done. An intervention sets it
/// to another number, each equally likely. Different noise leads to the same number, and may part again when
/// causes change: [`World::e_from_z`](Generator::e_from_z) gives the median of what does.
///
/// ```
/// use domino_core::InterventionTarget::Atomic;
/// use domino_data::Generator;
/// use domino_data::scaling::{GraphConfig, ScalingConfig, World};
/// use nalgebra::dmatrix;
///
/// let config = ScalingConfig { d: 3, graph: GraphConfig::Chain, ..ScalingConfig::default() };
/// let world = World::draw(&config)?;
/// let e = dmatrix![0.5, -1.0, 2.0];
/// let before = world.z_from_e(&e);
/// let after = world.intervene(&e, &[Atomic(1)], &dmatrix![0.0, 4.0, 0.0]).z;
/// assert_eq!(after[(0, 0)], before[(0, 0)]); // the cause stays,
/// assert_eq!(after[(0, 1)], 4.0); // the target takes its value,
/// let weight = world.weights().expect("the default world is linear")[(1, 2)];
/// assert_eq!(after[(0, 2)], weight * 4.0 + 2.0); // the effect follows, with its noise kept.
/// # Ok::<(), domino_data::scaling::ConfigError>(())
/// ```
///
/// Brehmer et al. 2022 (arXiv 2203.16437), section 5.4.
#[derive(Clone, Debug)]
pub struct World {
    config: ScalingConfig,
    dag: Dag,
    mechanisms: Mechanisms,
    mixing: Mixing,
    interventions: InterventionLaw,
    /// What follows its parents in place of `mechanisms` under soft interventions.
    soft: Option<Mechanisms>,
}

/// Parts of [`Stream::World`], one per ingredient, so that none shifts another.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Part {
    Graph = 0,
    Mechanisms = 1,
    Mixing = 2,
    Calibration = 3,
    Soft = 4,
}

impl World {
    /// Draws a world from its seed.
    ///
    /// Graph, mechanisms, mixing and soft mechanisms have generators of their own: changing the options of one leaves
    /// the random numbers of the others as they are.
    ///
    /// # Errors
    /// [`ConfigError`] if an option is out of range or the given edges have a cycle.
    pub fn draw(config: &ScalingConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let rng =
            |part: Part| -> StreamRng { Seed(config.seed).rng_at(Stream::World, part as u64) };
        let dag = config.graph.draw(config.d, &mut rng(Part::Graph))?;
        let e = standard_normal(CALIBRATION_ROWS, config.d, &mut rng(Part::Calibration));
        let mechanisms =
            |part| Mechanisms::draw(&config.mechanisms, &config.levels, &dag, &e, &mut rng(part));
        let soft = (config.interventions.effect == Effect::Soft).then(|| mechanisms(Part::Soft));
        let mechanisms = mechanisms(Part::Mechanisms);
        let z = mechanisms.z_from_e(&dag, &e);
        let mixing = Mixing::draw(&config.mixing, config.dim_x(), &z, &mut rng(Part::Mixing));
        let interventions = config.interventions.law(config.d)?;
        Ok(Self { config: config.clone(), dag, mechanisms, mixing, interventions, soft })
    }

    /// What the world was drawn from.
    pub fn config(&self) -> &ScalingConfig {
        &self.config
    }

    /// Number of observed values.
    pub fn dim_x(&self) -> usize {
        self.config.dim_x()
    }

    /// Weights `W` `[from, to]` of a linear world: `z_j = e_j + Σ_i W_ij z_i`; zero without an edge.
    pub fn weights(&self) -> Option<&DMatrix<f64>> {
        self.mechanisms.weights()
    }

    /// The matrix `R` `[dim_x, d]` of a linear mixing, `x = R z`; its columns are orthonormal.
    pub fn mixing_matrix(&self) -> Option<&DMatrix<f64>> {
        match &self.mixing {
            Mixing::Linear(matrix) => Some(matrix),
            Mixing::LeakyRelu(_) => None,
        }
    }

    /// The law of what happens between before and after.
    pub fn interventions(&self) -> &InterventionLaw {
        &self.interventions
    }

    /// The state that follows from `z` when `targets` are hit and the noise of the others is `e`;
    /// `fresh` holds draws from `N(0, 1)` behind the new values.
    pub(super) fn after(
        &self,
        z: &DMatrix<f64>,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        fresh: &DMatrix<f64>,
    ) -> Counterfactual {
        self.follow(e, targets, |j, law, z_after| {
            let soft = self.soft.as_ref().map(|soft| soft.location_scale(j, z_after));
            let new = |row: usize| {
                let (old, fresh) = (z[(row, j)], fresh[(row, j)]);
                match (&soft, law.levels) {
                    (None, Some(levels)) => levels.another(old, fresh),
                    (Some(soft), Some(_)) => soft.predict(row, fresh),
                    (Some(soft), None) => self.interventions.leaked(old, soft.predict(row, fresh)),
                    (None, None) => self.interventions.leaked(old, fresh),
                }
            };
            (0..e.nrows()).map(new).collect()
        })
    }

    /// Causes before effects: targets take their new values, of which `values_of` yields those of
    /// one variable from what comes before it; all others follow from their parents and noise.
    fn follow(
        &self,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        values_of: impl Fn(usize, &LocationScale<'_>, &DMatrix<f64>) -> Vec<f64>,
    ) -> Counterfactual {
        let (mut z, mut e) = (e.clone(), e.clone());
        for &j in self.dag.topological_order() {
            let law = self.mechanisms.location_scale(j, &z);
            let values = values_of(j, &law, &z);
            for (row, target) in targets.iter().enumerate() {
                let (z, e) = (&mut z[(row, j)], &mut e[(row, j)]);
                if target.variables().contains(&j) {
                    *z = values[row];
                    *e = law.abduct(row, *z);
                } else {
                    *z = law.predict(row, *e);
                }
            }
        }
        Counterfactual { z, e }
    }

    /// Noiseless observations of variables.
    pub fn x_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        self.mixing.x_from_z(z)
    }

    /// Variables from noiseless observations: the inverse of [`World::x_from_z`].
    pub fn z_from_x(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        self.mixing.z_from_x(x)
    }
}

impl Generator for World {
    fn dag(&self) -> &Dag {
        &self.dag
    }

    fn z_from_e(&self, e: &DMatrix<f64>) -> DMatrix<f64> {
        self.mechanisms.z_from_e(&self.dag, e)
    }

    fn e_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        let mut e = z.clone();
        for j in 0..self.dag.dim() {
            let law = self.mechanisms.location_scale(j, z);
            for (row, e) in e.column_mut(j).iter_mut().enumerate() {
                *e = law.abduct(row, *e);
            }
        }
        e
    }

    fn intervene(
        &self,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        values: &DMatrix<f64>,
    ) -> Counterfactual {
        assert_eq!(targets.len(), e.nrows(), "one target per row of e");
        assert_eq!(values.shape(), e.shape(), "values of the same shape as e");
        self.follow(e, targets, |j, law, _| {
            let valid = |&v: &f64| law.levels.map_or(v, |levels| levels.nearest(v));
            values.column(j).iter().map(valid).collect()
        })
    }

    fn names(&self) -> Vec<String> {
        (1..=self.dag.dim()).map(|k| format!("z{k}")).collect()
    }

    fn form(&self) -> Form {
        Form::Vector { dim: self.dim_x() }
    }

    fn observation_of(&self, z: &DMatrix<f64>) -> Observations {
        Observations::Vectors { data: sample::row_major(&self.x_from_z(z)), dim: self.dim_x() }
    }

    fn states(&self, split: Split, rows: Range<usize>) -> GroundTruth {
        sample::states(self, split, rows)
    }

    fn observe(
        &self,
        split: Split,
        rows: Range<usize>,
        states: &GroundTruth,
    ) -> Result<Pairs, PairsError> {
        sample::observe(self, split, rows, states)
    }
}
