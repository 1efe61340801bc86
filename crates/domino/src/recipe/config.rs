use domino_dag::PairRegression;
use domino_train::{AdamConfig, LearningRate, PhaseConfig, Schedule};
use domino_vae::start::WhitenConfig;
use domino_vae::{ElboWeights, IlcmConfig, MechanismMode, SolutionConfig, TargetMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FitError;

/// Everything that decides how a model is fitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecipeConfig {
    /// Sizes and networks.
    pub model: ModelConfig,
    /// The start that needs no gradient.
    pub start: StartConfig,
    /// How the variables are learned.
    pub variables: VariableStage,
    /// How the graph is learned.
    pub graph: GraphStage,
    /// How the mechanisms are learned.
    pub mechanisms: MechanismStage,
}

/// Sizes and networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Number of causal variables.
    pub d: usize,
    /// Models trained side by side, of which the one with the sparsest changes is kept. The first
    /// starts from the independent components, the others from random rotations.
    pub replicas: usize,
    /// Encoder, decoder and solution functions.
    pub networks: IlcmConfig,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { d: 4, replicas: 2, networks: IlcmConfig::default() }
    }
}

/// The start that needs no gradient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartConfig {
    /// Which directions of the observations are kept.
    pub whiten: WhitenConfig,
    /// The first replica's linear part.
    pub rotation: Rotation,
}

/// Where a linear part starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Independent components of the differences.
    #[default]
    Ica,
    /// A random rotation.
    Random,
}

/// How the variables are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableStage {
    /// Sparsity of change: `domino_vae::ThinManifold`.
    Thin(ThinStage),
    /// The evidence lower bound in phases, as the reference does: `domino_vae::Elbo`.
    Elbo(Vec<ElboPhase>),
}

impl Default for VariableStage {
    fn default() -> Self {
        Self::Thin(ThinStage::default())
    }
}

/// Learning from sparsity of change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThinStage {
    /// The phase.
    pub phase: PhaseConfig,
    /// Width of the manifold on which unchanged codes lie.
    pub tau: Schedule,
    /// Weight of everything but the reconstruction.
    pub beta: Schedule,
    /// Nothing is trained where the start's sparsity of change reaches this: the data is linear.
    pub skip_above: f64,
}

impl Default for ThinStage {
    fn default() -> Self {
        Self {
            phase: PhaseConfig { steps: 4000, batch: 128, optimizer: AdamConfig::default() },
            tau: Schedule::ramp(0.5, 0.03).until(0.7).exponential(),
            beta: Schedule::Constant(1.0),
            skip_above: 0.99,
        }
    }
}

/// One phase of the evidence lower bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ElboPhase {
    /// What logs call it.
    pub name: String,
    /// The phase.
    pub phase: PhaseConfig,
    /// Weight of the divergences.
    pub beta: Schedule,
    /// Weight of `|e|²` of the unprojected codes.
    pub z_regularization: Schedule,
    /// Weight of the squared error of the unprojected reconstructions.
    pub consistency: Schedule,
    /// Weight of the entropy of the mean target posterior.
    pub entropy: Schedule,
    /// Floor of the target posterior.
    pub offset: Schedule,
    /// How the targets enter.
    pub targets: Targets,
    /// Whether the solution functions are trained along.
    pub mechanisms: bool,
}

/// How the targets enter a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// Not at all: two autoencoders.
    Absent,
    /// All of them, weighted by their posterior.
    #[default]
    Soft,
    /// The most probable one.
    Hard,
}

impl Default for ElboPhase {
    fn default() -> Self {
        Self {
            name: "elbo".to_owned(),
            phase: PhaseConfig::default(),
            beta: Schedule::Constant(1.0),
            z_regularization: Schedule::Constant(0.0),
            consistency: Schedule::Constant(0.0),
            entropy: Schedule::Constant(1.0),
            offset: Schedule::Constant(1e-4),
            targets: Targets::default(),
            mechanisms: true,
        }
    }
}

impl ElboPhase {
    /// The weights at a progress in `[0, 1]`.
    pub fn weights(&self, progress: f64) -> ElboWeights {
        ElboWeights {
            beta: self.beta.at(progress),
            z_regularization: self.z_regularization.at(progress),
            consistency: self.consistency.at(progress),
            entropy: self.entropy.at(progress),
            offset: self.offset.at(progress),
            targets: match self.targets {
                Targets::Absent => TargetMode::Absent,
                Targets::Soft => TargetMode::Soft,
                Targets::Hard => TargetMode::Hard,
            },
            mechanisms: if self.mechanisms {
                MechanismMode::Learned
            } else {
                MechanismMode::Absent
            },
        }
    }
}

/// How the graph is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraphStage {
    /// Regressions on the pairs of each target.
    Pairs(PairRegression),
}

impl Default for GraphStage {
    fn default() -> Self {
        Self::Pairs(PairRegression::default())
    }
}

/// How the mechanisms are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MechanismStage {
    /// By regression on frozen codes, along the graph.
    Regression(RegressionStage),
    /// They are the solution functions that the bound trained along; the graph only masks them.
    Joint,
}

impl Default for MechanismStage {
    fn default() -> Self {
        Self::Regression(RegressionStage::default())
    }
}

/// Regression of the mechanisms on frozen codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegressionStage {
    /// The phase, once per level of the graph.
    pub phase: PhaseConfig,
    /// The networks.
    pub networks: SolutionConfig,
    /// Penalty on the slopes of the linear start, per row.
    pub ridge: f64,
    /// A network replaces the linear fit of a variable where it lowers the held-out negative
    /// log-likelihood by this many nats per pair, and by more than chance explains.
    pub worth: f64,
}

impl Default for RegressionStage {
    fn default() -> Self {
        let learning_rate = LearningRate { peak: 3e-3, ..LearningRate::default() };
        let optimizer = AdamConfig { learning_rate, weight_decay: 1e-4, ..AdamConfig::default() };
        Self {
            phase: PhaseConfig { steps: 800, batch: 256, optimizer },
            networks: SolutionConfig::default(),
            ridge: 1e-6,
            worth: 2e-3,
        }
    }
}

impl RecipeConfig {
    /// Checks what no type can.
    ///
    /// # Errors
    /// [`FitError::Config`] naming the key and what was expected.
    pub fn validate(&self) -> Result<(), FitError> {
        let positive = |key, value: usize| match value {
            0 => Err(FitError::Config { key, expected: "at least 1", got: "0".to_owned() }),
            _ => Ok(()),
        };
        positive("model.d", self.model.d)?;
        positive("model.replicas", self.model.replicas)?;
        if let VariableStage::Thin(thin) = &self.variables {
            positive("variables.thin.phase.batch", thin.phase.batch)?;
            if self.model.networks.encoder.skip != self.model.networks.decoder.skip
                || !self.model.networks.encoder.skip
            {
                return Err(FitError::Config {
                    key: "model.networks",
                    expected: "a linear skip in encoder and decoder, which carries the start",
                    got: "skip = false".to_owned(),
                });
            }
        }
        let joint = self.mechanisms == MechanismStage::Joint;
        if joint && !matches!(self.variables, VariableStage::Elbo(_)) {
            return Err(FitError::Config {
                key: "mechanisms",
                expected: "`regression`, or `joint` after `variables.elbo`",
                got: "`joint` without solution functions to keep".to_owned(),
            });
        }
        Ok(())
    }
}
