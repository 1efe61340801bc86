//! What happens between before and after: the family of interventions that every generator draws
//! from.
//!
//! The default is that of Brehmer et al. 2022: uniform over "nothing" and the single variables; the
//! target takes a new value that depends on nothing, and the noise of all others is kept. Every
//! other member of the family breaks one of these assumptions by a measured amount. With `e` the
//! noise on the normal scale, `z` the variables before and `T` the targets, a pair comes about so:
//!
//! ```text
//! e'_j = drift(e_j)                  for every j; and once more with `spill` if T is not empty
//! z'_j = s_j(z'_pa, e'_j)            for j not in T
//! z'_k = λ z_k + (1 − λ) v_k         for k in T, λ = `leak`
//! e'_k = what explains z'_k          by the mechanism that was in force before
//!
//! drift(e) = √(1 − ε²) e + ε N(0, 1)
//! v_k      ~ the generator's law of new values            (perfect)
//!          ~ a second mechanism with the same parents z'  (soft)
//! ```
//!
//! The truth names what was attempted, `T`, and holds `z` and `e` of both sides; how it came about
//! is in the generator's options.

mod config;
mod law;

pub use config::{Effect, InterventionConfig, TargetLaw};
pub use law::{Attempt, InterventionLaw};

#[cfg(test)]
mod tests;
