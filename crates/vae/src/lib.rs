//! Variational autoencoders whose prior is a structural causal model, learned from before/after
//! pairs.
//!
//! [`Ilcm`] holds encoder, decoder and solution functions. It is trained by [`Flow`] (the exact likelihood of pairs), by
//! [`ThinManifold`] (sparsity of change, from the gradient-free [`start`], with a [`Referee`] that names the targets) or by
//! [`Elbo`] (Brehmer et al. 2022);
//! [`MechanismRegression`] then fits the mechanisms on frozen codes, and [`FittedIlcm`] is the
//! result: a [`domino_model::LatentCausalModel`].
//!
//! ```
//! use domino_core::{Seed, Stream};
//! use domino_vae::start::{IcaConfig, random_rotation, separate_differences, sparsity_of_change};
//! use nalgebra::DMatrix;
//! use rand::RngExt;
//!
//! // Changes along one axis at a time, seen through a rotation: the axes are found again.
//! let mut rng = Seed(0).rng(Stream::Data);
//! let axes = DMatrix::from_fn(900, 3, |n, k| if n % 3 == k { rng.random::<f64>() } else { 0.0 });
//! let seen = axes * random_rotation(3, &mut rng);
//! let unmixing = separate_differences(&seen, &IcaConfig::default(), &mut rng);
//! let before = DMatrix::from_fn(900, 3, |_, _| rng.random::<f64>());
//! let after = &before + seen * unmixing;
//! assert!(sparsity_of_change(&before, &after) > 0.999);
//! ```

mod convolution;
mod elbo;
mod elcm;
mod fitted;
mod flow;
#[cfg(test)]
mod gradient_tests;
mod group;
mod handover;
mod ilcm;
mod monotone;
mod picture;
mod referee;
mod regression;
mod rows;
mod sets;
mod solution;
pub mod start;
mod targets;
mod thin;

pub use convolution::{
    AutoencoderWeights, ConvolutionConfig, ConvolutionDecoder, ConvolutionEncoder,
    ConvolutionError, ConvolutionForm, JointThin, JointWeights, PictureAutoencoder,
};
pub use elbo::{Elbo, ElboWeights, MechanismMode, TargetMode};
pub use elcm::{Acyclicity, Elcm, ElcmWeights};
pub use fitted::{FittedIlcm, Latents, TargetInference};
pub use flow::{Flow, FlowWeights};
pub use group::{Averaging, GroupVae, GroupWeights};
pub use handover::{Decoding, Handover};
pub use ilcm::{Ilcm, IlcmConfig, Sizes};
pub use monotone::Monotone;
pub use picture::{PictureBasis, PictureConfig, PictureDecoder, PictureRegression};
pub use referee::Referee;
pub use regression::{Law, LinearFit, MechanismRegression, ridge};
pub use sets::{CodeChange, LEAST_RESTING, SetPosterior};
pub use solution::{Context, Mechanisms, SolutionConfig, SolutionFunctions};
pub use targets::ChangePosterior;
pub use thin::{GivenTargets, ThinManifold, ThinWeights};
