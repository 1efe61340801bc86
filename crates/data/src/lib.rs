//! Synthetic generators of before/after pairs, and the files that hold them.
pub mod scaling;
