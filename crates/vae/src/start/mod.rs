//! The start that needs no gradient: whitening, independent component analysis of the
//! differences, and the share of change that one coordinate carries.

mod ica;
mod sparsity;
mod whiten;

pub use ica::{IcaConfig, random_rotation, separate_differences};
pub use sparsity::{sparsity_of_change, target_entropy};
pub use whiten::{WhitenConfig, WhitenError, Whitening};
