//! Properties of pictures as causal variables: what [scenes](crate::scenes),
//! [sprites](crate::sprites) and [digits](crate::digits) have in common.
//!
//! A picture has properties, some of which vary: numbers between 0 and 1, or one of some values. A
//! [`PictureWorld`] is a structural causal model over those that do, seen in pictures.

mod cast;
mod causes;
mod error;
mod grid;
mod painting;
mod states;
mod variable;
mod world;

pub use causes::BetaConfig;
pub use error::VariableError;
pub use grid::Grid;
pub use variable::{Domain, Variable};
pub use world::PictureWorld;

pub(crate) use painting::Painter;
pub(crate) use world::Plan;

#[cfg(test)]
mod tests;
