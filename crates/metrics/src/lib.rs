//! Disentanglement, identifiability and graph metrics on host matrices.
//!
//! Representations are scored on a [`Sample`]: latents `[n, D]` and the true factors `[n, K]` of
//! the same points, in double precision. [`dci`] asks whether each latent serves one factor and
//! each factor is served by one latent. Options are structs whose `Default` holds the published
//! values, results are plain structs with named parts, and randomness is passed in.

mod concentration;
mod dci;
mod error;
mod gbt;
mod rows;
mod sample;

pub use concentration::{Concentration, completeness, disentanglement};
pub use dci::{Dci, DciOptions, SquaredError, dci};
pub use error::MetricError;
pub use gbt::{Columns, Gbt, GbtOptions};
pub use sample::Sample;
