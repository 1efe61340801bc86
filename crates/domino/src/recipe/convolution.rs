//! Features of pictures from convolutions.

use burn::module::Module;
use domino_core::{Observations, Pairs, Stream};
use domino_train::{PairSource, TrainContext, train};
use domino_vae::{
    AutoencoderWeights, ConvolutionEncoder, ConvolutionForm, Ilcm, JointThin, JointWeights,
    PictureAutoencoder, Referee, ThinManifold,
};

use super::scales::{Features, thin_weights};
use super::{ConvolutionStage, FitError, JointStage, Scale};

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
