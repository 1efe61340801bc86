//! Features of pictures that are learned: convolutions, trained as an autoencoder.

mod autoencoder;
mod form;
mod joint;
mod network;
#[cfg(test)]
mod tests;

pub use autoencoder::{AutoencoderWeights, PictureAutoencoder};
pub use form::{ConvolutionConfig, ConvolutionError, ConvolutionForm};
pub use joint::{JointThin, JointWeights};
pub use network::{ConvolutionDecoder, ConvolutionEncoder};
