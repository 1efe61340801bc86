//! Large sets of pairs: a folder of shards that are mapped into memory.
//!
//! `shard-00000.safetensors`, `shard-00001.safetensors`, … hold the rows one after the other, in
//! tensors `x` (`[n, 2, H, W, C]` uint8 or `[n, 2, dim]` float32, before and after), `z` and `e`
//! (`[n, 2, d]` float32) and `target` (`[n]` int64, 0 for none and `k` for variable `k − 1`, or
//! `[n, d]` uint8 masks where any row of the set has several targets). `dataset.json`, a
//! [`Manifest`], says what they are and how long, with the BLAKE3 of each. [`write_shards`] writes
//! such a folder, or finishes one; [`Shards`] reads it.
//!
//! Pictures of more than 128 × 128 pixels from a generator are not stored: the shards hold the
//! states, and the generator, which is deterministic, makes the pictures when they are read.

mod blocks;
mod checksum;
mod error;
mod layout;
mod lock;
mod manifest;
mod plan;
mod shard;
mod shards;
mod table;
mod write;

pub use error::StoreError;
pub use layout::{Tensor, Tensors};
pub use manifest::{Generated, Imported, Kept, MANIFEST, Manifest, Origin, ShardEntry};
pub use shards::Shards;
pub use table::Table;
pub use write::{Progress, WriteOptions, write_shards};

#[cfg(test)]
mod tests;
