//! Synthetic generators of before/after pairs, and the files that hold them.
//!
//! A [`Generator`] is a structural causal model that is seen through observations, and yields any
//! number of pairs with their truth. [`scaling::World`] is a random one whose variables are mixed into
//! vectors; [`circuit::Circuit`] shows pictures of a robot arm, buttons and lamps, [`scenes`] of solids,
//! [`sprites`] of white shapes, [`digits`] of coloured digits. What happens between before and after is
//! one family for all, [`interventions`]. [`store`] keeps any number of pairs in shards, [`loader`] feeds
//! training from them, [`formats`] reads the public data sets of others. [`npz`] reads and writes pairs and embeddings as
//! NumPy archives, so that anybody's data can be trained on and any tool can score a run. A
//! [`DatasetSpec`] names a data set by how it is made, with a [`checksum`] to tell that it came out
//! the same. Nothing here knows of tensors.
//!
//! ```
//! use domino_data::scaling::{ScalingConfig, World};
//! use domino_data::{Generator, Split};
//!
//! let world = World::draw(&ScalingConfig { seed: 1, d: 3, ..ScalingConfig::default() })?;
//! let (pairs, truth) = world.sample(1_000, Split::Train)?;
//! assert_eq!(pairs.len(), 1_000);
//! assert_eq!(truth.dag.as_ref(), Some(world.dag()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The pairs are those of Brehmer, de Haan, Lippe & Cohen, *Weakly supervised causal representation
//! learning*, NeurIPS 2022, arXiv 2203.16437.

mod checksum;
pub mod circuit;
mod config_error;
pub mod digits;
pub mod factors;
pub mod formats;
mod generator;
pub mod interventions;
pub mod loader;
mod normal;
pub mod npz;
mod pictures;
mod rows;
pub mod scaling;
pub mod scenes;
mod spec;
pub mod sprites;
pub mod store;
pub mod unit;

pub use checksum::checksum;
pub use config_error::ConfigError;
pub use generator::{Counterfactual, Generator, Split};
pub use spec::{DatasetSpec, GeneratorConfig, SpecError};
