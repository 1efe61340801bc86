//! Structure learning over before/after pairs.
//!
//! A pair shows the noise codes `e` of a system before and after a perfect intervention on one
//! variable `k`, which alone changes its code. The new value is independent of everything, so the
//! new code `ẽ_k = (z̃_k − m_k(z_pa)) / g_k(z_pa)` carries the mechanism of `k`: given the state
//! before, its law depends on the direct causes of `k` and on nothing else. A [`StructureLearner`]
//! turns [`PairCodes`] into a [`LearnedGraph`]; [`PairRegression`] does so by regressions alone, in
//! closed form or nearly so.
//!
//! ```
//! use domino_core::{Dag, Seed, Stream};
//! use domino_dag::{PairCodes, PairRegression, StructureLearner};
//! use nalgebra::DMatrix;
//! use rand::RngExt;
//!
//! // z₂ = 2 z₁ + e₂; every third pair intervenes on the first variable, every third on the second.
//! let (n, mut rng) = (3_000, Seed(1).rng(Stream::Data));
//! let before = DMatrix::from_fn(n, 2, |_, _| rng.random_range(-1.7..1.7));
//! let (mut after, mut target_probs) = (before.clone(), DMatrix::zeros(n, 3));
//! for row in 0..n {
//!     target_probs[(row, row % 3)] = 1.0; // column 0: no intervention
//!     let value = rng.random_range(-1.7..1.7);
//!     match row % 3 {
//!         1 => after[(row, 0)] = value,
//!         2 => after[(row, 1)] = value - 2.0 * before[(row, 0)],
//!         _ => {}
//!     }
//! }
//! let codes = PairCodes::new(before, after, target_probs)?;
//! let learned = PairRegression::default().learn(&codes, &mut rng)?;
//! assert_eq!(learned.dag, Dag::from_edges(2, &[(0, 1)])?);
//! assert!(learned.edge_probs[(0, 1)] > 0.99 && learned.edge_probs[(1, 0)] < 0.05);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The setting is that of Brehmer, de Haan, Lippe & Cohen, *Weakly supervised causal representation
//! learning*, NeurIPS 2022, arXiv 2203.16437.

mod acyclic;
pub mod baselines;
mod belief;
mod bootstrap;
mod chains;
mod codes;
mod differences;
mod distinct;
mod draw;
mod enco;
mod equivalence;
mod error;
mod features;
mod gaussian_score;
mod in_order;
mod joint;
mod learner;
mod least_squares;
mod linear;
mod mechanism;
pub mod networks;
mod neural;
mod nonlinear;
mod nonlinear_variables;
mod order;
mod pair_regression;
mod sample;
mod samples;
mod screening;
mod simd;
mod soft_graph;
mod variable_regression;
mod variables;
mod weight_law;

pub use bootstrap::{Bootstrap, Resample};
pub use chains::Chains;
pub use codes::PairCodes;
pub use enco::{Enco, EncoFit, EncoRun};
pub use equivalence::EquivalenceClass;
pub use error::DagError;
pub use learner::{LearnedGraph, StructureLearner};
pub use pair_regression::{Mechanisms, PairFit, PairRegression};
pub use sample::rightly_named;
pub use samples::{Column, Regime, Samples};
pub use soft_graph::{GraphTerm, SoftGraph};
pub use variables::PairVariables;
