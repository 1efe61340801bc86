use thiserror::Error;

use crate::render::InstructionSet;

/// Why a picture cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum RenderError {
    /// The picture has no pixels or too many.
    #[error("picture size: expected 1 to 8192 pixels each way, got {width} x {height}")]
    Size {
        /// Columns asked for.
        width: usize,
        /// Rows asked for.
        height: usize,
    },
    /// A pixel has no samples or too many.
    #[error("samples along a side of a pixel: expected 1 to 8, got {0}")]
    Samples(usize),
    /// The memory for the picture has the wrong size.
    #[error("picture buffer: expected {expected} numbers (width x height x 3), got {got}")]
    Buffer {
        /// Numbers that the picture has.
        expected: usize,
        /// Numbers there is room for.
        got: usize,
    },
    /// A number of the scene lies outside its range.
    #[error("{part} {index}: expected {name} to be {expected}, got {got}")]
    Scene {
        /// Kind of the part: object, light, camera, …
        part: &'static str,
        /// Which of its kind.
        index: usize,
        /// Which number of it.
        name: &'static str,
        /// Its range, in words.
        expected: &'static str,
        /// The number found.
        got: f32,
    },
    /// This machine lacks the instruction set.
    #[error("instruction set {0:?}: expected one that this machine has")]
    InstructionSet(InstructionSet),
}
