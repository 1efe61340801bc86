//! From pairs to a fitted model: variables first, mechanisms second.
//!
//! 1. whiten the observations;
//! 2. start from independent component analysis of the differences;
//! 3. unless that already makes every change 1-sparse, train models by the exact likelihood of pairs until two agree,
//!    or where there are more features than variables, encoders with decoders, several replicas side by side; and
//!    keep the one whose changes are sparsest on held-out pairs;
//! 4. calibrate the target posterior on the changes;
//! 5. learn the graph from the codes of the pairs;
//! 6. fit the mechanisms by regression along the graph, on frozen codes;
//! 7. where networks were trained, learn more from the causal variables that follow: if a linear map of the
//!    observations gives them too, an explicit model takes over, else the graph is learned once more.
//!
//! Where several variables may be set at once, the codes of step 2 rest in as many pairs as they can, and
//! pairs are taken apart into chains of single targets before step 5.
//!
//! Each stage is a function of one input and one output. None sees a label.

mod candidates;
mod causal;
mod config;
mod convolution;
mod error;
mod fit;
mod flows;
mod levels;
mod picture;
mod saved;
mod scales;
mod seen;
mod several;
mod straight;
mod tears;
mod variables;

pub use candidates::{APART, Candidate, HARDLY_EVER};
pub use config::{
    ApartStage, AtOnce, CoarseToFine, ElboPhase, ExplicitStage, FlowStage, GraphStage, GroupStage,
    MechanismStage, ModelConfig, PictureStage, RecipeConfig, RegressionStage, Scale, StartConfig,
    ThinStage, VariableStage,
};
pub use convolution::{ConvolutionStage, JointStage};
pub use error::FitError;
pub use fit::{Diagnosis, Explained, Fit, embed, fit, fit_supervised};
pub use saved::{load, save};
pub use tears::TORN;
