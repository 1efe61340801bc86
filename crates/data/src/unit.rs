//! Structural causal models over variables in `[0, 1]`.
//!
//! Each variable is a quantile of its noise, `z_j = F_j⁻¹(Φ(e_j); z_pa)` with `e_j ~ N(0, 1)` and
//! `Φ` the standard normal distribution function: uniform, Beta, or one of some levels. The noise is
//! stored on the normal scale, where models of latent noise have their prior and where both tails
//! keep their precision; `u = Φ(e)` is the uniform noise behind the same variable.
//!
//! Everything is computed with `+ − × ÷ √` and `libm`, so the same seed gives the same bits on every
//! platform.

mod beta;
mod law;
mod scm;

pub(crate) use law::another_level;
pub use law::{LEAST, MOST, UnitLaw};
pub use scm::{UnitMechanisms, UnitScm};

#[cfg(test)]
mod tests;
