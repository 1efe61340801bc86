//! Pictures of a robot arm that presses buttons, and of lamps that light each other: in the style of
//! `CausalCircuit` (Brehmer et al. 2022, section 5.3).
//!
//! The variables are, in this order, the arm's place on its arc and the light of each lamp, all in
//! `[0, 1]`: `arm`, `green`, `red`, `blue`, and with more than three lamps `yellow`, `magenta`,
//! `cyan`, `orange`, `white`. Buttons lie along the arc in the lamps' order, lamp `k` has button `k`.
//!
//! ```text
//! arm    ~ U(0, 1)
//! b_k    = exp(−½ ((arm − c_k) / w)²)                   how far button k is pressed
//! v_k    = 0.2 + 0.6 clip(Σ_{i → k} lamp_i + b_k, 0, 1)  over the lamps that light lamp k
//! lamp_k ~ Beta(5 v_k, 5 (1 − v_k))
//! c_k    = m + (1 − 2m) k / (n − 1),  m = 0.6 / n,  w = 0.3 (c_1 − c_0)   for n lamps
//! ```
//!
//! With three lamps the buttons lie at 0.2, 0.5 and 0.8, `w = 0.09`, and by default green and blue
//! light red. The coefficients of the original are not public; these are our own. A picture is a
//! function of the variables alone, but for what the options add: moving distractors and the noise of
//! the sensor.

mod config;
mod distractors;
mod layout;
mod mechanisms;
mod scene;
mod world;

pub use config::{CircuitConfig, DistractorConfig, Motion, Pattern, View};
pub use mechanisms::CircuitMechanisms;
pub use world::Circuit;

#[cfg(test)]
mod tests;
