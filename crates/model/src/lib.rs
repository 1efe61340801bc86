//! The shared traits of latent causal models and the tensor types they speak.
//!
//! [`Scm`] is a structural causal model in solution form and [`LatentCausalModel`] one behind
//! observations; both are object-safe, so that evaluation and reports take `&dyn
//! LatentCausalModel`. [`PairObjective`] is what the training loop needs, and nothing else. The
//! newtypes [`Causal`], [`Noise`] and [`Obs`] keep apart what has the same shape. [`LinearOracle`]
//! is the ground truth of a linear world as an implementer, and [`laws`] states what every
//! implementer must obey.
//!
//! ```
//! use domino_model::{Action, Causal, LinearOracle, Scm, cpu, laws};
//! use nalgebra::DMatrix;
//!
//! // z2 = e2 + 2 z1
//! let effects = DMatrix::from_row_slice(2, 2, &[0.0, 2.0, 0.0, 0.0]);
//! let scm = LinearOracle::new(&effects, &DMatrix::identity(2, 2), &cpu())?;
//! let z = Causal::from_rows(&[[1.0, 5.0]], &cpu());
//! let action = Action::set(1, 2, 0, 3.0, &cpu()); // one row, two variables: z1 := 3
//! assert_eq!(scm.counterfactual(z, &action).to_rows(), [[3.0, 9.0]]); // z2 keeps its noise 3
//! laws::assert_scm_laws(&scm, 1e-5);
//! # Ok::<(), domino_model::ModelError>(())
//! ```

mod device;
mod error;
mod host;
pub mod laws;
mod nn;
mod oracle;
mod random;
mod traits;
mod types;

pub use device::{DeviceError, cpu, device};
pub use error::ModelError;
pub use host::{download, upload, upload_rows};
pub use nn::{
    Activation, DoublingConvolution, GaussianMlp, GaussianMlpConfig, HalvingConvolution, Mlp,
    StackedLinear, repeat_replica, select_replica, take_stack,
};
pub use oracle::LinearOracle;
pub use random::{standard_normal, uniform};
pub use traits::{LatentCausalModel, Loss, PairObjective, Scm};
pub use types::{Action, Causal, Noise, NoisePosterior, Obs, PairBatch};
