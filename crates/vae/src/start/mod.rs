//! The start that needs no gradient: smoothing of pictures, whitening, independent component analysis
//! of the differences, slow functions of the observations, and the share of change that one
//! coordinate carries.

mod apart;
mod ica;
mod kept;
mod ordered;
mod plane;
mod ranks;
mod resting;
mod slow;
mod smoothing;
mod sparsity;
mod whiten;

pub use ica::{IcaConfig, along_targets, random_rotation, separate_differences};
pub(crate) use kept::posterior;
pub use ordered::along_order;
pub use plane::take_apart;
pub use resting::separate_resting;
pub use slow::{Doubled, SlowConfig, SlowFunctions};
pub use smoothing::{Smoothing, SmoothingConfig, SmoothingTensors};
pub use sparsity::{sparsity_of_change, target_entropy};
pub(crate) use whiten::sorted_eigen;
pub use whiten::{WhitenConfig, WhitenError, Whitening};
