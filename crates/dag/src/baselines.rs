//! Learners from the literature, to compare with.
//!
//! | learner | data | answer |
//! |---|---|---|
//! | [`Pc`] | observational; continuous (Fisher's z) or categorical (G²) | an equivalence class |
//! | [`Gies`] | continuous, linear Gaussian; perfect interventions; GES without | an equivalence class |
//! | [`Notears`] | continuous, pooled; linear or one hidden layer | a graph |
//! | [`Dcdi`] | any columns; perfect or imperfect interventions | a graph with probabilities |

mod dcdi;
mod gies;
mod lbfgs;
mod notears;
mod notears_mlp;
mod pc;

pub use dcdi::{Dcdi, DcdiInterventions};
pub use gies::Gies;
pub use notears::{Notears, NotearsModel};
pub use pc::Pc;
