use domino_dag::PairRegression;
use domino_model::{Activation, GaussianMlpConfig};
use domino_train::{AdamConfig, BasisConfig, LearningRate, PhaseConfig, Schedule};
use domino_vae::start::{SlowConfig, SmoothingConfig, WhitenConfig};
use domino_vae::{
    Averaging, ElboWeights, IlcmConfig, MechanismMode, PictureConfig, SolutionConfig, TargetMode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConvolutionStage, FitError};

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
    /// How the drawing of pictures is learned, where there are any.
    pub picture: PictureStage,
}

/// Sizes and networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Number of causal variables.
    pub d: usize,
    /// How many variables an intervention may set at once: `one`, or `several` where one linear map separates
    /// the variables.
    #[serde(skip_serializing_if = "AtOnce::is_one")]
    pub targets: AtOnce,
    /// Models trained side by side, of which the best is kept: that with the sparsest changes and
    /// the most even targets, or of pictures that which reconstructs best.
    pub replicas: usize,
    /// Encoder, decoder and solution functions.
    pub networks: IlcmConfig,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { d: 4, targets: AtOnce::One, replicas: 4, networks: IlcmConfig::default() }
    }
}

/// How many variables an intervention may set at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtOnce {
    /// One.
    #[default]
    One,
    /// Any number, as long as each rests in some of the pairs that set another.
    Several,
}

impl AtOnce {
    /// Whether it is one; this is what is not written.
    pub fn is_one(&self) -> bool {
        *self == Self::One
    }
}

/// The start that needs no gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartConfig {
    /// Which directions of the observations are kept.
    pub whiten: WhitenConfig,
    /// Replicas that start from the independent components of the differences; the others start
    /// from random rotations.
    pub from_components: usize,
}

impl Default for StartConfig {
    fn default() -> Self {
        Self { whiten: WhitenConfig::default(), from_components: 2 }
    }
}

/// How the variables are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableStage {
    /// Sparsity of change: `domino_vae::ThinManifold`.
    Thin(ThinStage),
    /// The evidence lower bound in phases, as the reference does: `domino_vae::Elbo`.
    Elbo(Vec<ElboPhase>),
    /// Sparsity of change in pictures, blurred ones first.
    CoarseToFine(CoarseToFine),
    /// Autoencoders of pairs without a causal model, as baselines: `domino_vae::GroupVae`.
    Group(GroupStage),
    /// An explicit latent causal model whose graph is learned along, as a baseline:
    /// `domino_vae::Elcm`.
    Explicit(ExplicitStage),
    /// Regression on the true noise, which [`fit_supervised`](super::fit_supervised) takes: a ceiling
    /// for what can be learned without it.
    Supervised(PhaseConfig),
}

impl Default for VariableStage {
    fn default() -> Self {
        Self::Thin(ThinStage::default())
    }
}

/// Learning from sparsity of change in pictures, on one scale after another.
///
/// The first scale's pictures are so coarse that everything moves along nearly straight lines; its
/// replicas start from random rotations, and the one that reconstructs best is kept. Each finer
/// scale takes over the codes of the one before and sharpens them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CoarseToFine {
    /// The scales, coarsest first.
    pub scales: Vec<Scale>,
    /// How a scale takes over the codes of the one before.
    pub handover: PhaseConfig,
    /// Codes for the first scale to take over, from slow functions of its features; where absent,
    /// it starts from random rotations.
    pub slow: Option<SlowConfig>,
    /// What follows where slow functions took a code of two variables apart.
    pub apart: ApartStage,
    /// How often codes whose values are in pieces, in an order in which what is drawn of them jumps, are put
    /// in order and trained on.
    pub mendings: usize,
}

/// Learning from codes that slow functions took apart: a model learns the codes, and then the
/// observations with the targets that the codes name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApartStage {
    /// Regression on the codes.
    pub handover: PhaseConfig,
    /// Width of the manifold over the progress of training.
    pub tau: Schedule,
    /// Training with the targets that the codes name.
    pub phase: PhaseConfig,
}

/// Learning by variational autoencoders of pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupStage {
    /// What happens to codes that both sides share.
    pub averaging: Averaging,
    /// The phase.
    pub phase: PhaseConfig,
    /// Weight of the divergence.
    pub beta: Schedule,
    /// Standard deviation of the observations around their reconstruction.
    pub noise: Schedule,
}

impl Default for GroupStage {
    fn default() -> Self {
        Self {
            averaging: Averaging::default(),
            phase: adam(6000, 128, 3e-3),
            beta: Schedule::Constant(1.0),
            noise: Schedule::Constant(0.1),
        }
    }
}

/// Learning by explicit latent causal models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExplicitStage {
    /// The phase.
    pub phase: PhaseConfig,
    /// Width of the manifold on which unchanged noise lies.
    pub tau: Schedule,
    /// Weight of everything about the variables but the reconstruction.
    pub beta: Schedule,
    /// Standard deviation of the observations around their reconstruction.
    pub noise: Schedule,
    /// Weight of the expected number of edges.
    pub sparsity: Schedule,
    /// Weight of the distance from a graph without cycles.
    pub acyclicity: Schedule,
}

impl Default for ExplicitStage {
    fn default() -> Self {
        Self {
            phase: adam(6000, 128, 3e-3),
            tau: Schedule::ramp(0.5, 0.05).until(0.7).exponential(),
            beta: Schedule::Constant(1.0),
            noise: Schedule::Constant(0.1),
            sparsity: Schedule::Constant(5e-4),
            acyclicity: Schedule::ramp(1e-3, 10.0).until(0.7).exponential(),
        }
    }
}

/// One scale of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scale {
    /// How pictures are smoothed, where their features are not learned.
    pub smoothing: SmoothingConfig,
    /// Convolutions whose latents take the place of smoothed pictures, where they are learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub convolution: Option<ConvolutionStage>,
    /// Principal directions that are kept beyond the number of variables.
    pub extra: usize,
    /// Power of its standard deviation by which each direction is divided.
    pub power: f64,
    /// The phase.
    pub phase: PhaseConfig,
    /// Width of the manifold on which unchanged codes lie.
    pub tau: Schedule,
    /// Standard deviation of the features around their reconstruction.
    pub noise: Schedule,
    /// Whether a model of the changes names the targets, as in [`ThinStage`].
    pub referee: bool,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            smoothing: SmoothingConfig::default(),
            convolution: None,
            extra: 28,
            power: 0.5,
            phase: adam(6000, 128, 3e-3),
            tau: Schedule::ramp(0.1, 0.02).until(0.7).exponential(),
            noise: Schedule::Constant(0.1),
            referee: false,
        }
    }
}

impl Default for CoarseToFine {
    fn default() -> Self {
        let coarse = Scale {
            smoothing: SmoothingConfig { cells: 8, blur: 1.0 },
            extra: 3,
            phase: adam(800, 128, 2e-3),
            tau: Schedule::ramp(0.5, 0.05).until(0.7).exponential(),
            noise: Schedule::ramp(0.14, 0.06).until(0.7).exponential(),
            ..Scale::default()
        };
        Self {
            scales: vec![coarse, Scale::default()],
            handover: adam(600, 256, 3e-3),
            slow: None,
            apart: ApartStage::default(),
            mendings: 2,
        }
    }
}

pub(super) fn adam(steps: u64, batch: usize, peak: f64) -> PhaseConfig {
    let learning_rate = LearningRate { peak, ..LearningRate::default() };
    PhaseConfig { steps, batch, optimizer: AdamConfig { learning_rate, ..AdamConfig::default() } }
}

/// How the drawing of pictures is learned, on frozen codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PictureStage {
    /// The network.
    pub network: PictureConfig,
    /// Most pictures that are learned from.
    pub pairs: usize,
    /// The phase.
    pub phase: PhaseConfig,
}

impl Default for PictureStage {
    fn default() -> Self {
        let network = PictureConfig::default();
        Self { network, pairs: 20_000, phase: adam(4000, 256, 3e-3) }
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
    /// Standard deviation of the observations around their reconstruction; the decoder's own where
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<Schedule>,
    /// Nothing is trained where the start's sparsity of change, without observation noise, reaches
    /// this: the data is linear.
    pub skip_above: f64,
    /// Whether a model of the changes, trained along, names the targets: `domino_vae::Referee`.
    /// Otherwise the code that changes most is the target.
    pub referee: bool,
    /// Whether, where there are as many features as variables and no observation noise, their exact likelihood is learned by:
    /// `domino_vae::Flow`.
    pub exact: bool,
    /// How, if so.
    pub flow: FlowStage,
}

/// Learning by the exact likelihood of pairs.
///
/// Models are trained `replicas` at a time, in place of as many as `model.replicas` says, and at most `rounds` times,
/// until the best of them all has found the variables that another has, and none of them is the target much more or less often than
/// most. From the third time on they start from the best, with those of its codes that are in doubt turned among themselves, if these are
/// fewer than half. Where no two agree in the end, models with a decoder are trained as well, and one of them is kept if another of them agrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FlowStage {
    /// Models trained side by side.
    pub replicas: usize,
    /// Most times that so many are trained.
    pub rounds: usize,
    /// The phase.
    pub phase: PhaseConfig,
    /// Width of the manifold on which unchanged codes lie.
    pub tau: Schedule,
    /// The encoder, which is a change of variables.
    pub encoder: GaussianMlpConfig,
    /// The decoder, which undoes it.
    pub decoder: GaussianMlpConfig,
    /// Regression of the decoder on the codes that were kept.
    pub decoding: PhaseConfig,
}

impl Default for FlowStage {
    fn default() -> Self {
        let IlcmConfig { encoder, decoder, .. } = IlcmConfig::default();
        let smooth = |network| GaussianMlpConfig {
            layers: 3,
            activation: Activation::RoundedLeaky,
            ..network
        };
        let [mut phase, mut decoding] = [adam(3000, 128, 3e-2), adam(2000, 256, 3e-2)];
        for phase in [&mut phase, &mut decoding] {
            phase.optimizer.basis = Some(BasisConfig::default());
        }
        Self {
            replicas: 2,
            rounds: 8,
            phase,
            decoding,
            tau: Schedule::ramp(0.5, 0.03).until(0.7).exponential(),
            encoder: smooth(encoder),
            decoder: smooth(decoder),
        }
    }
}

impl Default for ApartStage {
    fn default() -> Self {
        Self {
            handover: adam(6000, 256, 3e-3),
            tau: Schedule::ramp(0.1, 0.02).until(0.7).exponential(),
            phase: adam(4000, 256, 3e-3),
        }
    }
}

impl Default for ThinStage {
    fn default() -> Self {
        Self {
            phase: PhaseConfig { steps: 8000, batch: 128, optimizer: AdamConfig::default() },
            tau: Schedule::ramp(0.5, 0.03).until(0.7).exponential(),
            beta: Schedule::Constant(1.0),
            noise: None,
            skip_above: 0.99,
            referee: true,
            exact: true,
            flow: FlowStage::default(),
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
    /// It is the prior that an explicit model trained along.
    Prior,
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
    /// They are the solution functions that the bound or the explicit model trained along; the graph
    /// only masks them.
    Joint,
    /// There are none: the codes are the variables, and none answers to another.
    Identity,
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

/// Refuses 0.
fn positive(key: &'static str, value: usize) -> Result<(), FitError> {
    match value {
        0 => Err(FitError::Config { key, expected: "at least 1", got: "0".to_owned() }),
        _ => Ok(()),
    }
}

impl ThinStage {
    fn validate(&self, networks: &IlcmConfig) -> Result<(), FitError> {
        let flow = &self.flow;
        positive("variables.thin.phase.batch", self.phase.batch)?;
        positive("variables.thin.flow.replicas", flow.replicas)?;
        positive("variables.thin.flow.rounds", flow.rounds)?;
        positive("variables.thin.flow.phase.batch", flow.phase.batch)?;
        positive("variables.thin.flow.decoding.batch", flow.decoding.batch)?;
        positive("variables.thin.flow.encoder.layers", flow.encoder.layers)?;
        let all = [
            ("model.networks", [&networks.encoder, &networks.decoder]),
            ("variables.thin.flow", [&flow.encoder, &flow.decoder]),
        ];
        match all.into_iter().find(|(_, pair)| pair.iter().any(|network| !network.skip)) {
            None => Ok(()),
            Some((key, _)) => Err(FitError::Config {
                key,
                expected: "a linear skip in encoder and decoder, which carries the start",
                got: "skip = false".to_owned(),
            }),
        }
    }
}

impl RecipeConfig {
    /// Checks what no type can.
    ///
    /// # Errors
    /// [`FitError::Config`] naming the key and what was expected.
    pub fn validate(&self) -> Result<(), FitError> {
        positive("model.d", self.model.d)?;
        positive("model.replicas", self.model.replicas)?;
        if let VariableStage::Thin(thin) = &self.variables {
            thin.validate(&self.model.networks)?;
        }
        let separable = matches!(self.variables, VariableStage::Thin(_));
        if self.model.targets == AtOnce::Several && !separable {
            return Err(FitError::Config {
                key: "model.targets",
                expected: "`one`, or `several` with `variables.thin`",
                got: "`several` with other variables".to_owned(),
            });
        }
        if let VariableStage::CoarseToFine(stage) = &self.variables {
            let mut learned = stage.scales.iter().filter_map(|scale| scale.convolution.as_ref());
            learned.try_for_each(|convolution| convolution.validate(self.model.d))?;
        }
        let joint = self.mechanisms == MechanismStage::Joint;
        let explicit = matches!(self.variables, VariableStage::Explicit(_));
        if joint && !explicit && !matches!(self.variables, VariableStage::Elbo(_)) {
            return Err(FitError::Config {
                key: "mechanisms",
                expected: "`regression`, or `joint` after `variables.elbo` or `variables.explicit`",
                got: "`joint` without solution functions to keep".to_owned(),
            });
        }
        let prior = self.graph == GraphStage::Prior;
        if explicit != prior || explicit && !joint {
            return Err(FitError::Config {
                key: "variables.explicit",
                expected: "`graph = \"prior\"` and `mechanisms = \"joint\"` with it, and no such graph without",
                got: "one of them without the others".to_owned(),
            });
        }
        let components = self.model.networks.solution.components;
        if explicit && components != 1 {
            return Err(FitError::Config {
                key: "model.networks.solution.components",
                expected: "1 in an explicit model",
                got: components.to_string(),
            });
        }
        Ok(())
    }
}
