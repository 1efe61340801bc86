use burn::module::Module;
use domino_model::{Loss, PairBatch, PairObjective};
use rand::Rng;

use crate::Ilcm;
use crate::ilcm::{gaussian_nll, replica_means};

/// Regression of an encoder and a decoder on given codes:
///
/// ```text
/// |μ(x̃) − c|² + |x̂(c) − x̃|²
/// ```
///
/// so that a model of other features of the same observations goes on where another model ended.
/// `before` holds the features `x̃ [rows, components]` and `after` the codes `c [rows, d]`.
#[derive(Module, Debug)]
pub struct Handover {
    /// The models that learn the codes.
    pub model: Ilcm,
}

impl PairObjective for Handover {
    type Weights = ();

    fn loss(&self, rows: &PairBatch, _weights: &(), _rng: &mut dyn Rng) -> Loss {
        let replicas = self.model.replicas();
        let (x, codes) = (rows.before.0.clone(), rows.after.0.clone());
        let error = |difference: burn::tensor::Tensor<2>| {
            replica_means(difference.square().sum_dim(1), replicas)
        };
        let encoder = error(self.model.encoder.mean(x.clone()) - codes.clone());
        let decoder = error(self.model.decoder.mean(codes) - x);
        let total = (encoder.clone() + decoder.clone()).sum();
        Loss { total, terms: vec![("encoder", encoder), ("decoder", decoder)] }
    }
}

/// Regression of a decoder on given codes, which leaves the encoder as it is: `−ln p(x̃ | c)`.
///
/// `before` holds the features `x̃ [rows, components]` and `after` the codes `c [rows, d]`.
#[derive(Module, Debug)]
pub struct Decoding {
    /// The models whose decoders learn.
    pub model: Ilcm,
}

impl PairObjective for Decoding {
    type Weights = ();

    fn loss(&self, rows: &PairBatch, _weights: &(), _rng: &mut dyn Rng) -> Loss {
        let (x, codes) = (rows.before.0.clone(), rows.after.0.clone());
        let (mean, std) = self.model.decoder.forward(codes);
        let decoder = replica_means(gaussian_nll(x, mean, std), self.model.replicas());
        Loss { total: decoder.clone().sum(), terms: vec![("decoder", decoder)] }
    }
}
