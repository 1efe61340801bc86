//! Features of pictures from convolutions.

use burn::module::Module;
use domino_core::{Observations, Pairs, Stream};
use domino_train::{PairSource, PhaseConfig, TrainContext, train};
use domino_vae::{
    AutoencoderWeights, ConvolutionConfig, ConvolutionEncoder, ConvolutionForm, Ilcm, JointThin,
    JointWeights, PictureAutoencoder, Referee, ThinManifold,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::adam;
use super::scales::{Features, thin_weights};
use super::{FitError, Scale};

/// Learning the features of pictures: convolutions, trained as an autoencoder of all pictures of both
/// sides, of which principal directions are then kept as of smoothed pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConvolutionStage {
    /// The network and its mirror.
    pub network: ConvolutionConfig,
    /// Most pictures that are learned from.
    pub pictures: usize,
    /// The phase; a batch of pairs is twice as many pictures.
    pub phase: PhaseConfig,
    /// What the strength of the latents costs over the noise that pictures are drawn through, in
    /// units of the pictures' variance.
    pub beta: f64,
    /// Training of the convolutions together with the variables, after both; where absent,
    /// variables are learned on convolutions that stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joint: Option<JointStage>,
}

impl Default for ConvolutionStage {
    fn default() -> Self {
        Self {
            network: ConvolutionConfig::default(),
            pictures: 20_000,
            phase: adam(1500, 32, 2e-3),
            beta: 1e-5,
            joint: None,
        }
    }
}

impl ConvolutionStage {
    /// Checks the sizes, for `d` variables.
    pub(super) fn validate(&self, d: usize) -> Result<(), FitError> {
        self.network.validate()?;
        let latents = self.network.latents;
        if latents < d {
            return Err(FitError::Config {
                key: "convolution.network.latents",
                expected: "at least model.d of them",
                got: format!("{latents} for {d}"),
            });
        }
        let joint = self.joint.as_ref().map(|joint| joint.phase.batch);
        if self.phase.batch == 0 || joint == Some(0) || self.pictures == 0 {
            return Err(FitError::Config {
                key: "convolution",
                expected: "at least 1 picture in all and 1 pair per batch",
                got: "0".to_owned(),
            });
        }
        Ok(())
    }
}

/// Learning convolutions and variables together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JointStage {
    /// The phase.
    pub phase: PhaseConfig,
    /// Weight of the pictures against the variables: it keeps features from shrinking to what never
    /// changes.
    pub pictures: f64,
}

impl Default for JointStage {
    fn default() -> Self {
        Self { phase: adam(500, 64, 3e-4), pictures: 1e3 }
    }
}

/// Convolutions that were trained, and the pictures that they learned from.
pub(super) struct Convolutions {
    autoencoder: PictureAutoencoder,
    pictures: [Observations; 2],
}

impl Convolutions {
    /// Trains convolutions as an autoencoder of the pictures of both sides.
    pub(super) fn learned(
        pairs: &Pairs,
        stage: &ConvolutionStage,
        place: &mut u64,
        context: &mut TrainContext<'_>,
    ) -> Result<Self, FitError> {
        let plain = context.device.clone().inner();
        let (form, pictures) = ConvolutionForm::fit(pairs, stage.pictures, &stage.network, &plain)?;
        let mut rng = context.seed.rng_at(Stream::Init, (1 << 35) + *place);
        let autoencoder = PictureAutoencoder::new(form, &mut rng, &context.device);
        let weights = |_| AutoencoderWeights { beta: stage.beta };
        let source = source(&pictures);
        let name = (*place, "convolution");
        let autoencoder = train(autoencoder, &source, name, &stage.phase, weights, context)?;
        *place += 1;
        Ok(Self { autoencoder, pictures })
    }

    /// What turns pictures into features.
    pub(super) fn encoder(&self) -> ConvolutionEncoder {
        self.autoencoder.encoder.clone().valid()
    }

    /// The convolutions and a model on their features, trained together.
    pub(super) fn fine_tuned(
        self,
        model: Ilcm,
        features: &Features,
        (scale, stage, joint): (&Scale, &ConvolutionStage, &JointStage),
        place: &mut u64,
        context: &mut TrainContext<'_>,
    ) -> Result<(Self, Ilcm), FitError> {
        let Self { autoencoder, pictures } = self;
        let referee = scale.referee.then(|| Referee::new(1, model.dim(), &context.device));
        let thin = ThinManifold { model, referee };
        let objective = JointThin::new(autoencoder, thin, &features.whitening, &context.device);
        // The scale's own schedules have run their course.
        let weights = |_| JointWeights {
            thin: thin_weights(scale, 1.0),
            pictures: joint.pictures,
            autoencoder: AutoencoderWeights { beta: stage.beta },
        };
        let name = (*place, "joint");
        let trained = train(objective, &source(&pictures), name, &joint.phase, weights, context)?;
        *place += 1;
        Ok((Self { autoencoder: trained.autoencoder, pictures }, trained.thin.model))
    }
}

/// Pairs of the pictures that are learned from.
fn source(pictures: &[Observations; 2]) -> PairSource {
    let rows = 0..pictures[0].len() as u32;
    PairSource::with_pools(pictures.clone(), vec![rows.collect()])
}
