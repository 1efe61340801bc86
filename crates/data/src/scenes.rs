//! Rendered scenes whose properties are causal variables.
//!
//! [`ScenesConfig`] makes a [`PictureWorld`](crate::factors::PictureWorld) of one of four scenes:
//!
//! - `floating`, after `Causal3DIdent` (von Kügelgen et al. 2021): one of seven figures in the air,
//!   its position, rotation and hue, a coloured spotlight and the hue of the ground;
//! - `standing`, the same figures upright on the ground;
//! - `room`, after `Shapes3D` (Kim & Mnih 2018): six discrete variables of a solid in a room;
//! - `tabletop`, after CLEVR (Johnson et al. 2017): several solids, each in a field of its own.
//!
//! The ranges of all properties are listed in `docs/datasets.md`.

mod config;
mod figure;
mod figures;
mod painter;
mod palette;
mod room;
mod single;
mod tabletop;
mod view;

pub use config::{SceneConfig, ScenesConfig, TabletopConfig};
pub use view::CameraConfig;

#[cfg(test)]
mod tests;
