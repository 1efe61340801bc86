mod convolution;
mod gaussian;
mod mlp;
mod replica;
mod stacked;
mod windows;

pub use convolution::{DoublingConvolution, HalvingConvolution};
pub use gaussian::{GaussianMlp, GaussianMlpConfig};
pub use mlp::{Activation, Mlp};
pub use replica::{repeat_replica, select_replica};
pub use stacked::{StackedLinear, take_stack};
