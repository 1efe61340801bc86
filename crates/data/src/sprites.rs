//! White shapes on black after dSprites (Matthey et al. 2017), with the numbers of values, the order
//! and the meaning of its factors.
//!
//! [`SpritesConfig`] makes a [`PictureWorld`](crate::factors::PictureWorld); its
//! [`grid`](crate::factors::PictureWorld::grid) holds all 737,280 combinations, in the order of
//! dSprites. The drawings are our own: they do not match the pixels of the published pictures.

mod config;
mod painter;
mod raster;

pub use config::{SpriteValues, SpritesConfig};
pub use painter::latent_values;
pub use raster::Edges;

#[cfg(test)]
mod tests;
