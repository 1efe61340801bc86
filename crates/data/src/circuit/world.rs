use std::ops::Range;

use domino_core::{
    Dag, Form, GroundTruth, ImageShape, InterventionTarget, Observations, Pairs, PairsError, Seed,
    Stream,
};
use domino_render::{RenderOptions, Scene};
use nalgebra::DMatrix;

use super::config::CircuitConfig;
use super::distractors::{self, Places};
use super::layout::Layout;
use super::mechanisms::CircuitMechanisms;
use super::scene;
use crate::config_error::ConfigError;
use crate::generator::{Counterfactual, Generator, Split};
use crate::pictures;
use crate::rows::{Part, RowRngs};
use crate::unit::{UnitMechanisms, UnitScm};

/// A robot arm, buttons and lamps, seen in pictures; the equations are in [the module](crate::circuit).
///
/// Rows are drawn by all processors, and do not depend on how many there are. The noise is stored on
/// the normal scale, as in [`UnitScm`].
///
/// ```
/// use domino_core::InterventionTarget::Atomic;
/// use domino_data::circuit::{Circuit, CircuitConfig};
/// use domino_data::{Generator, Split};
/// use nalgebra::dmatrix;
///
/// let circuit = Circuit::new(&CircuitConfig { size: 16, ..CircuitConfig::default() })?;
/// assert_eq!(circuit.names(), ["arm", "green", "red", "blue"]);
/// let (pairs, truth) = circuit.sample(4, Split::Train)?;
/// assert_eq!(pairs.before().describe(), "[4, 16, 16, 3] uint8");
///
/// // Pressing the green button lights green, and green lights red.
/// let away = dmatrix![0.5, 0.0, 0.0, 0.0];
/// let pressed = circuit.intervene(&away, &[Atomic(0)], &dmatrix![0.2, 0.0, 0.0, 0.0]);
/// assert!(pressed.z[(0, 1)] > circuit.z_from_e(&away)[(0, 1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Circuit {
    config: CircuitConfig,
    scm: UnitScm<CircuitMechanisms>,
    layout: Layout,
    /// What is the same in all pictures.
    stage: Scene,
    options: RenderOptions,
    threads: usize,
}

/// Which picture of a pair.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Circuit {
    /// The circuit of these options; only a random wiring draws, from the world's stream of the seed.
    ///
    /// # Errors
    /// [`ConfigError`] if an option is out of range or the wiring has a cycle.
    pub fn new(config: &CircuitConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let wiring = config.wiring.draw(config.lamps, &mut Seed(config.seed).rng(Stream::World))?;
        let mechanisms = CircuitMechanisms::new(&wiring);
        let layout = Layout::new(&mechanisms, config.view);
        Ok(Self {
            config: config.clone(),
            stage: scene::stage(&layout, config.table, config.wall),
            scm: UnitScm::new(mechanisms, config.interventions.law(config.lamps + 1)?),
            layout,
            options: RenderOptions::new(config.size, config.size, config.samples),
            threads: pictures::threads(),
        })
    }

    /// The same, drawn by this many threads instead of one per processor; 0 counts as 1.
    pub fn by_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// What the circuit was made from.
    pub fn config(&self) -> &CircuitConfig {
        &self.config
    }

    /// The structural causal model over arm and lamps.
    pub fn scm(&self) -> &UnitScm<CircuitMechanisms> {
        &self.scm
    }

    /// The scene that a state `[d]` looks like, without distractors; values outside of `[0, 1]` count
    /// as the closest inside.
    pub fn scene(&self, z: &[f64]) -> Scene {
        self.scene_with(z, &Places::new())
    }

    fn scene_with(&self, z: &[f64], distractors: &Places) -> Scene {
        // A model may yield anything, NaN too.
        let drawable = |v: &f64| if v.is_nan() { 0.0 } else { v.clamp(0.0, 1.0) };
        let z: Vec<f64> = z.iter().map(drawable).collect();
        let mut scene = self.stage.clone();
        let arm = self.layout.arm(z[0], &self.scm.mechanisms().pressed(z[0]));
        scene::furnish(&mut scene, &self.layout, &arm, &z[1..]);
        scene.objects.extend(distractors::objects(distractors));
        scene
    }

    #[cfg(test)]
    pub(super) fn with_instructions(mut self, instructions: domino_render::InstructionSet) -> Self {
        self.options.instructions = instructions;
        self
    }

    /// Pictures of one side of rows of a split, with the noise of the sensor.
    fn pictures(&self, split: Split, first: usize, side: Side, z: &DMatrix<f64>) -> Observations {
        let part = match side {
            Side::Before => Part::SensorBefore,
            Side::After => Part::SensorAfter,
        };
        let moved = RowRngs::new(self.config.seed, split, Part::Distractors);
        let sensor = RowRngs::new(self.config.seed, split, part);
        let scene_of = |at: usize| {
            let both = distractors::draw(&self.config.distractors, &mut moved.row(first + at));
            self.scene_with(&state(z, at), &both[side as usize])
        };
        let noise = |at: usize, picture: &mut [u8]| {
            pictures::add_noise(picture, self.config.sensor_noise, &mut sensor.row(first + at));
        };
        pictures::draw(z.nrows(), &self.options, self.threads, scene_of, noise)
    }
}

fn state(z: &DMatrix<f64>, row: usize) -> Vec<f64> {
    z.row(row).iter().copied().collect()
}

impl Generator for Circuit {
    fn dag(&self) -> &Dag {
        self.scm.mechanisms().dag()
    }

    fn names(&self) -> Vec<String> {
        self.scm.mechanisms().names()
    }

    fn form(&self) -> Form {
        let RenderOptions { height, width, .. } = self.options;
        Form::Image(ImageShape { height, width, channels: 3 })
    }

    fn z_from_e(&self, e: &DMatrix<f64>) -> DMatrix<f64> {
        self.scm.z_from_e(e)
    }

    fn e_from_z(&self, z: &DMatrix<f64>) -> DMatrix<f64> {
        self.scm.e_from_z(z)
    }

    fn intervene(
        &self,
        e: &DMatrix<f64>,
        targets: &[InterventionTarget],
        values: &DMatrix<f64>,
    ) -> Counterfactual {
        self.scm.intervene(e, targets, values)
    }

    /// Distractors stand in the middle of their regions.
    fn observation_of(&self, z: &DMatrix<f64>) -> Observations {
        let rest = distractors::at_rest(&self.config.distractors);
        let scene_of = |at: usize| self.scene_with(&state(z, at), &rest);
        pictures::draw(z.nrows(), &self.options, self.threads, scene_of, |_, _| ())
    }

    fn states(&self, split: Split, rows: Range<usize>) -> GroundTruth {
        self.scm.states(self.config.seed, split, rows)
    }

    fn observe(
        &self,
        split: Split,
        rows: Range<usize>,
        states: &GroundTruth,
    ) -> Result<Pairs, PairsError> {
        let side = |side: Side, z: &Option<DMatrix<f64>>| {
            let z = z.as_ref().expect("the states of a circuit are complete");
            self.pictures(split, rows.start, side, z)
        };
        let before = side(Side::Before, &states.z_before);
        Pairs::new(before, side(Side::After, &states.z_after))
    }
}
