//! The vocabulary of latent causal models, free of tensors.
//!
//! A *pair* shows a system before and after an unknown intervention that changed one of its causal
//! variables while the noise of all others was kept. [`Pairs`] holds the two observations of every
//! pair and nothing else, so that no label can leak into training; [`GroundTruth`] holds what a
//! generator knows besides, and goes straight to the metrics. [`Embedding`] is what a fitted model
//! says of the same pairs. [`Dag`] is a graph that is acyclic by construction, and [`Seed`] is the
//! only source of randomness.
//!
//! ```
//! use domino_core::{Dag, InterventionTarget, Seed, Stream};
//! use rand::RngExt;
//!
//! let dag = Dag::from_edges(3, &[(0, 1), (1, 2)])?;
//! assert_eq!(dag.topological_order(), [0, 1, 2]);
//! assert_eq!(InterventionTarget::from_label(0), InterventionTarget::None);
//!
//! let (a, b): (f64, f64) = (Seed(7).rng(Stream::Data).random(), Seed(7).rng(Stream::Init).random());
//! assert_ne!(a, b); // streams of one seed are independent
//! # Ok::<(), domino_core::GraphError>(())
//! ```
//!
//! The setting is that of Brehmer, de Haan, Lippe & Cohen, *Weakly supervised causal representation
//! learning*, NeurIPS 2022, arXiv 2203.16437.

mod dag;
mod embedding;
pub mod files;
mod lock;
mod observations;
mod seed;
mod target;
mod truth;

pub use dag::{Dag, GraphError};
pub use embedding::Embedding;
pub use observations::{Form, ImageShape, Observations, Pairs, PairsError};
pub use seed::{Seed, Stream, StreamRng};
pub use target::InterventionTarget;
pub use truth::{GroundTruth, TruthError};
