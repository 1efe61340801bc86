use burn::module::Module;
use burn::tensor::{Device, Tensor};
use domino_model::{Loss, PairBatch, PairObjective, standard_normal};
use rand::Rng;

use super::{ConvolutionDecoder, ConvolutionEncoder, ConvolutionForm};

/// An autoencoder of pictures whose latents go through a channel of unit noise.
///
/// ```text
/// loss = |x − D(μ + ε)|² / (side² · 3) + β |μ|² / 2,  μ = E(x),  ε ~ N(0, 1)
/// ```
///
/// on standardised pictures. This is a variational autoencoder with a posterior of unit variance. Plain
/// autoencoders leave the scale of their latents open; here noise costs most where pictures depend
/// most on a latent, and `β` is what strength costs. For a linear pair, a direction of standard
/// deviation `s` comes out with one in proportion to `√s`: the scale that
/// [`WhitenConfig::power`](crate::start::WhitenConfig::power) ½ gives to principal directions.
///
/// Both sides of each pair are pictures like any other: nothing here knows what belongs together.
#[derive(Module, Debug)]
pub struct PictureAutoencoder {
    /// From pictures to latents.
    pub encoder: ConvolutionEncoder,
    /// From latents to pictures.
    pub decoder: ConvolutionDecoder,
}

/// Weights of [`PictureAutoencoder`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutoencoderWeights {
    /// Weight `β` of the strength of the latents.
    pub beta: f64,
}

impl PictureAutoencoder {
    /// An autoencoder of random weights.
    pub fn new(form: ConvolutionForm, rng: &mut dyn Rng, device: &Device) -> Self {
        let decoder = ConvolutionDecoder::new(&form, rng, device);
        Self { encoder: ConvolutionEncoder::new(form, rng, device), decoder }
    }

    /// Standardised pictures `[2 batch, side, side, 3]` of both sides, and their latents.
    pub(super) fn encode(&self, pairs: &PairBatch) -> (Tensor<4>, Tensor<2>) {
        let both = Tensor::cat(vec![pairs.before.0.clone(), pairs.after.0.clone()], 0);
        let pictures = self.encoder.form().standardised(both);
        (pictures.clone(), self.encoder.latents(pictures))
    }

    /// Error of the pictures drawn from noisy latents, and half the squared length of the latents,
    /// `[1]` each.
    pub(super) fn terms(
        &self,
        pictures: Tensor<4>,
        latents: Tensor<2>,
        rng: &mut dyn Rng,
    ) -> [Tensor<1>; 2] {
        let noise = standard_normal(latents.dims(), rng, &latents.device());
        let drawn = self.decoder.forward(latents.clone() + noise);
        [(drawn - pictures).square().mean(), latents.square().sum_dim(1).mean() * 0.5]
    }
}

impl PairObjective for PictureAutoencoder {
    type Weights = AutoencoderWeights;

    fn loss(&self, pairs: &PairBatch, weights: &AutoencoderWeights, rng: &mut dyn Rng) -> Loss {
        let (pictures, latents) = self.encode(pairs);
        let [error, strength] = self.terms(pictures, latents, rng);
        let total = error.clone() + strength.clone() * weights.beta;
        Loss { total, terms: vec![("picture", error), ("strength", strength)] }
    }
}
