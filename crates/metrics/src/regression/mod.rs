//! Predicting factors from latents, and how much of their variance that explains.

mod cca;
mod cholesky;
mod kernel_ridge;
mod linear;
mod r2;
mod standard;

pub use cca::{WeakMcc, weak_mcc};
pub use kernel_ridge::{KernelRidge, KernelRidgeChoice, KernelRidgeOptions};
pub use linear::{AffineMcc, affine_mcc};
pub use r2::{R2, Regressor, block_r2, r2};
