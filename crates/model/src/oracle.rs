use burn::tensor::{Device, Tensor};
use domino_core::Dag;
use nalgebra::DMatrix;
use rand::Rng;

use crate::{
    Action, Causal, LatentCausalModel, ModelError, Noise, NoisePosterior, Obs, PairBatch, Scm,
    upload,
};

/// Standard deviation that the oracle gives its exact encodings: small against unit noise, and
/// well above the rounding of f32.
const ORACLE_STD: f64 = 1e-3;

/// The ground truth of a linear world: `z_j = e_j + Σ_i effects[i, j] z_i`, `x = z mixingᵀ`.
///
/// The whole pipeline is tried on it first: it must score a disentanglement of 1, a structural
/// Hamming distance of 0 and a target accuracy of 1.
#[derive(Clone, Debug)]
pub struct LinearOracle {
    dag: Dag,
    /// `(1 − W)`: `e = z (1 − W)`, with `W = effects`.
    e_from_z: Tensor<2>,
    z_from_e: Tensor<2>,
    effects: Tensor<2>,
    x_from_z: Tensor<2>,
    z_from_x: Tensor<2>,
}

impl LinearOracle {
    /// The oracle of `effects [d, d]`, `[i, j]` = effect of `i` on `j`, and `mixing [dim_x, d]`.
    ///
    /// # Errors
    /// [`ModelError`] if the effects have a cycle, or the mixing does not fit or loses a direction.
    pub fn new(
        effects: &DMatrix<f64>,
        mixing: &DMatrix<f64>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let dag = Dag::from_adjacency(&effects.map(|w| f64::from(u8::from(w.abs() > 0.0))))?;
        let d = dag.dim();
        if mixing.ncols() != d {
            return Err(ModelError::Size {
                what: "mixing columns",
                expected: d,
                got: mixing.ncols(),
            });
        }
        let svd = mixing.clone().svd(true, true);
        let rank = svd.rank(1e-9);
        let lost = || ModelError::Rank { what: "mixing", expected: d, got: rank };
        let inverse = svd.pseudo_inverse(1e-9).map_err(|_| lost())?;
        if rank < d {
            return Err(lost());
        }
        let e_from_z = DMatrix::identity(d, d) - effects;
        // A unit triangular matrix up to a permutation, so singular only past the range of f64.
        let singular = ModelError::Rank { what: "effects", expected: d, got: e_from_z.rank(0.0) };
        let z_from_e = e_from_z.clone().try_inverse().ok_or(singular)?;
        Ok(Self {
            dag,
            e_from_z: upload(&e_from_z, device),
            z_from_e: upload(&z_from_e, device),
            effects: upload(effects, device),
            x_from_z: upload(&mixing.transpose(), device),
            z_from_x: upload(&inverse.transpose(), device),
        })
    }
}

impl Scm for LinearOracle {
    fn dim(&self) -> usize {
        self.dag.dim()
    }

    fn edge_probs(&self) -> Tensor<2> {
        upload(&self.dag.adjacency(), &self.effects.device())
    }

    fn solve(&self, e: Noise) -> Causal {
        Causal(e.0.matmul(self.z_from_e.clone()))
    }

    fn abduct(&self, z: Causal) -> Noise {
        Noise(z.0.matmul(self.e_from_z.clone()))
    }

    fn intervene(&self, e: Noise, action: &Action) -> Causal {
        let mut z = e.0.zeros_like();
        for &j in self.dag.topological_order() {
            let cause = z.clone().matmul(self.effects.clone().narrow(1, j, 1));
            let free = e.0.clone().narrow(1, j, 1) + cause;
            let mask = action.mask.clone().narrow(1, j, 1);
            let value = action.value.clone().narrow(1, j, 1);
            let kept = free.clone() * (mask.clone().neg() + 1.0) + value * mask;
            z = z.slice_assign([0..free.dims()[0], j..j + 1], kept);
        }
        Causal(z)
    }
}

impl LatentCausalModel for LinearOracle {
    fn encode(&self, x: Obs) -> NoisePosterior {
        let mean = self.abduct(Causal(x.0.matmul(self.z_from_x.clone())));
        let std = mean.0.zeros_like() + ORACLE_STD;
        NoisePosterior { mean, std }
    }

    fn decode(&self, z: Causal) -> Obs {
        Obs(z.0.matmul(self.x_from_z.clone()))
    }

    fn target_log_probs(&self, pairs: &PairBatch) -> Tensor<2> {
        // One noise value changed, or none: the unchanged ones score N(0, ORACLE_STD²), and the
        // changed one a unit normal, constants left out.
        let before = self.encode(pairs.before.clone()).mean.0;
        let change = self.encode(pairs.after.clone()).mean.0 - before;
        let kept = change.clone().square() / (2.0 * ORACLE_STD.powi(2)) + ORACLE_STD.ln();
        let drawn = change.square() / 2.0;
        let none = kept.clone().sum_dim(1).neg();
        let atomic = none.clone() + kept - drawn;
        burn::tensor::activation::log_softmax(Tensor::cat(vec![none, atomic], 1), 1)
    }

    fn log_likelihood(
        &self,
        pairs: &PairBatch,
        _rng: &mut dyn Rng,
    ) -> Result<Tensor<1>, ModelError> {
        let [_, dim_x] = self.x_from_z.dims();
        let [rows, got] = pairs.before.0.dims();
        if got != dim_x {
            return Err(ModelError::Size { what: "pairs columns", expected: dim_x, got });
        }
        // ln N(e; 0, 1), with the after-state's density left to the targets.
        let e = self.encode(pairs.before.clone()).mean.0;
        let constant = self.dim() as f64 * 0.5 * std::f64::consts::TAU.ln();
        Ok((e.square().sum_dim(1) / -2.0 - constant).reshape([rows]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cpu, laws::assert_scm_laws};

    fn effects() -> DMatrix<f64> {
        DMatrix::from_row_slice(3, 3, &[0.0, 1.5, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0])
    }

    #[test]
    fn the_oracle_obeys_the_laws() {
        let oracle = LinearOracle::new(&effects(), &DMatrix::identity(3, 3), &cpu()).unwrap();
        assert_scm_laws(&oracle, 1e-4);
    }

    #[test]
    fn a_linear_counterfactual_is_exact() {
        let oracle = LinearOracle::new(&effects(), &DMatrix::identity(3, 3), &cpu()).unwrap();
        // e = (1, .5, 2): z0 = 1, z2 = 2 − 1 = 1, z1 = .5 + 1.5 + 2 = 4.
        let z = Causal::from_rows(&[[1.0, 4.0, 1.0]], &cpu());
        let after = oracle.counterfactual(z, &Action::set(1, 3, 0, 0.0, &cpu()));
        assert_eq!(after.to_rows(), [[0.0, 4.5, 2.0]]);
    }

    #[test]
    fn a_cycle_and_a_singular_mixing_are_refused() {
        let cycle = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]);
        let identity = DMatrix::identity(2, 2);
        assert!(matches!(LinearOracle::new(&cycle, &identity, &cpu()), Err(ModelError::Graph(_))));
        let flat = DMatrix::from_element(2, 2, 1.0);
        let error = LinearOracle::new(&DMatrix::zeros(2, 2), &flat, &cpu()).unwrap_err();
        assert_eq!(error.to_string(), "mixing: expected a matrix of rank 2, got rank 1");
    }

    #[test]
    fn targets_of_exact_pairs_are_certain() {
        let oracle = LinearOracle::new(&effects(), &DMatrix::identity(3, 3), &cpu()).unwrap();
        let z = Causal::from_rows(&[[1.0, 4.0, 1.0], [1.0, 4.0, 1.0]], &cpu());
        let moved = oracle.counterfactual(z.clone(), &Action::set(2, 3, 2, 0.3, &cpu()));
        let after = Tensor::cat(vec![moved.0.narrow(0, 0, 1), z.0.clone().narrow(0, 1, 1)], 0);
        let pairs = PairBatch { before: oracle.decode(z), after: Obs(after) };
        let labels =
            oracle.target_log_probs(&pairs).argmax(1).into_data().iter::<i64>().collect::<Vec<_>>();
        assert_eq!(labels, [3, 0]);
    }
}
