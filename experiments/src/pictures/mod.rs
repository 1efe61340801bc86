//! What a model makes of pictures: reconstructions, counterfactuals beside the truth, and where each
//! variable acts.

mod edits;
mod panels;
mod strip;

pub use edits::{EditScore, PictureScores, Studio};
pub use panels::{Panel, panels, read_panels};
pub(crate) use strip::{like, picture};
