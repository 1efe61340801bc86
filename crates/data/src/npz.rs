//! Pairs and embeddings as NumPy `.npz` archives, which other tools read and write.
//!
//! A pairs file holds `before` and `after`, `[N, dim]` numbers or `[N, H, W, C]` uint8 pictures, and
//! where the truth is known any of `z_before`, `z_after`, `e_before`, `e_after` (`[N, d]`), `target`
//! (`[N]` integers, 0 for none and `k` for variable `k − 1`, or `[N, d]` masks), `adjacency`
//! (`[d, d]`, `[i, j]` for `i -> j`) and `names` (`[d]` strings). An embedding file holds `z`, `e`,
//! `z_after`, `e_after` (`[N, d]`), `target_probs` (`[N, d + 1]`, column 0 for none) and
//! `edge_probs` (`[d, d]`), and where several variables may have been set at once `set_probs` (`[N, d]`).
//! Arrays of other names are ignored.
//!
//! Files may be compressed; numbers may be of any width and byte order and lie in C or Fortran
//! order. Pickled objects are refused, never unpickled: a pickle can run any program.
//!
//! ```
//! use domino_data::npz::{Limits, read_pairs, write_pairs};
//! use domino_data::scaling::{ScalingConfig, World};
//! use domino_data::{Generator, Split};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("pairs.npz");
//! let (pairs, truth) = World::draw(&ScalingConfig::default())?.sample(100, Split::Train)?;
//! write_pairs(&path, &pairs, &truth)?;
//! assert_eq!(read_pairs(&path, Limits::default())?, (pairs, truth));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod array;
mod arrays;
mod embedding;
mod error;
mod header;
mod npy;
mod pairs;
mod parts;
mod rows;
mod writer;

pub use archive::Limits;
pub use arrays::{Array, write_arrays};
pub use embedding::{read_embedding, write_embedding};
pub use error::{ArrayError, FileError};
pub use npy::{read_npy_matrix, write_npy_matrix};
pub use pairs::{read_pairs, write_pairs};
pub use parts::{read_matrices, read_truth};

pub(crate) use archive::{Archive, Expected, read_npy};
pub(crate) use rows::{RowSink, Rows};

#[cfg(test)]
mod tests;
