//! One network per variable, held as one stack, that predicts it from any set of the others.
//!
//! Network `j` maps the states of a set of variables to the law of variable `j`:
//! `out = V_j φ(b_j + Σ_{i ∈ set} U_j[i, x_i]) + c_j`, with a leaky rectifier `φ`. A categorical
//! input selects a row of `U`, a continuous one adds a row and `x_i` times another, so that 0 and
//! "not in the set" differ. Outputs are logits, or mean and log standard deviation. Inputs outside
//! the set cost nothing, and the sums over states are look-ups, which is why these products are no
//! dense matrix products.

#![expect(
    clippy::inline_always,
    reason = "what a kernel calls has to become part of the code for each vector unit"
)]

mod encoded;
mod kernel;
mod row;
mod stack;

pub(crate) use encoded::Encoded;
pub(crate) use kernel::{Evaluate, Fit, ParentSets};
pub(crate) use stack::{AdamRates, Stack};
