use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use domino_model::{Loss, Obs, PairBatch, PairObjective, upload};
use nalgebra::DMatrix;
use rand::Rng;

use super::{AutoencoderWeights, PictureAutoencoder};
use crate::start::Whitening;
use crate::{ThinManifold, ThinWeights};

/// Convolutions and the encoder of variables on top of them, trained together.
///
/// ```text
/// loss = thin(x̃, x̃') + w [picture error + β strength],  x̃ = (E(x) − mean) V
/// ```
///
/// with [`ThinManifold`] on the features `x̃` and the terms of [`PictureAutoencoder`] on the pictures. The
/// former alone would be least for features that are all the same, which cost nothing to reconstruct and
/// never change; the latter hold them at what pictures can be drawn from through unit noise, so that
/// neither their content nor their scale can shrink. The whitening stays what it was.
#[derive(Module, Debug)]
pub struct JointThin {
    /// The convolutions.
    pub autoencoder: PictureAutoencoder,
    /// The variables on their features.
    pub thin: ThinManifold,
    /// Mean of the latents, `[1, latents]`. Constant.
    mean: Param<Tensor<2>>,
    /// From centred latents to features, `[latents, components]`. Constant.
    forward: Param<Tensor<2>>,
}

/// Weights of [`JointThin`] at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointWeights {
    /// Weights of the variables' objective.
    pub thin: ThinWeights,
    /// Weight `w` of the pictures.
    pub pictures: f64,
    /// Weights of the pictures' objective.
    pub autoencoder: AutoencoderWeights,
}

impl JointThin {
    /// Both, with the whitening of the latents between them.
    pub fn new(
        autoencoder: PictureAutoencoder,
        thin: ThinManifold,
        whitening: &Whitening,
        device: &Device,
    ) -> Self {
        let constant = |tensor| Param::from_tensor(tensor).set_require_grad(false);
        let mean = DMatrix::from_row_slice(1, whitening.mean.len(), whitening.mean.as_slice());
        Self {
            autoencoder,
            thin,
            mean: constant(upload(&mean, device)),
            forward: constant(upload(&whitening.forward, device)),
        }
    }
}

impl PairObjective for JointThin {
    type Weights = JointWeights;

    fn loss(&self, pairs: &PairBatch, weights: &JointWeights, rng: &mut dyn Rng) -> Loss {
        let (pictures, latents) = self.autoencoder.encode(pairs);
        let features = (latents.clone() - self.mean.val()).matmul(self.forward.val());
        let [before, after] = [0, 1].map(|side| {
            let [rows, _] = pairs.before.0.dims();
            Obs(features.clone().narrow(0, side * rows, rows))
        });
        let thin = self.thin.loss(&PairBatch { before, after }, &weights.thin, rng);
        let [error, strength] = self.autoencoder.terms(pictures, latents, rng);
        let both = error.clone() + strength.clone() * weights.autoencoder.beta;
        let mut terms = thin.terms;
        terms.extend([("picture", error), ("strength", strength)]);
        Loss { total: thin.total + both * weights.pictures, terms }
    }
}
