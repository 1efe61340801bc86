//! What a model makes of pictures: reconstructions, counterfactuals beside the truth, and where each
//! variable acts.

mod animation;
mod edits;
mod panels;
mod strip;

pub(crate) use animation::write_gif;
pub use edits::{EditScore, PictureScores, Studio};
pub use panels::{Panel, panels, read_panels};
pub(crate) use strip::{like, picture};
