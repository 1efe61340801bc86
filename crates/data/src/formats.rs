//! Readers of the public data sets of the field, from the files in which they are published.
//!
//! Nothing is fetched: [`open`] reads what lies on the disk and finds out what it is, and
//! [`read_pairs`] makes pairs and their truth of it, for the sets that have pairs or allow some.
//!
//! | set | what is read | pairs |
//! |---|---|---|
//! | [`CausalCircuit`] | `.npz` of JPEG pictures | its own, counterfactual |
//! | [`Causal3dIdent`] | `.npy` latents, PNG pictures | near matches in the kept latents |
//! | [`temporal_causal3dident`], [`citris`] (Interventional Pong, Ball-in-Boxes, Voronoi, Pinball) | `.npz` videos | consecutive frames |
//! | [`dsprites`], [`shapes3d`], [`mpi3d`], [`cars3d`], [`small_norb`] | `.npz`, HDF5, `.mat`, binary matrices | pictures that differ in the drawn factors |
//! | [`LightTunnel`] | CSV, PNG or JPEG pictures | near matches in the kept inputs |
//! | [`mnist`], [`Clevr`] | IDX; JSON and PNG | none |
//! | [`enco`], [`dcdi`], [`bif`] | `.npz`; `.npy` and CSV; `.bif` | none: samples and models |
//!
//! Large sets are not read whole: from archives, slabs and folders only the wanted pictures are taken,
//! and of a packed archive nothing stays in memory that was only passed over. [`Limits`](crate::npz::Limits)
//! bound the memory, and no declared size is believed that the file could not hold. Pickled objects are
//! never unpickled, and no name in a file leads out of the folder of the set.
//!
//! ```
//! use domino_data::formats::{Kind, ReadOptions, bif, open};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("coin.bif");
//! let text = "network coin {} variable side { type discrete [ 2 ] { heads, tails }; } \
//!             probability ( side ) { table 0.5, 0.5; }";
//! std::fs::write(&path, text)?;
//! let network = bif::read(&path, ReadOptions::default().limits)?;
//! assert_eq!(network.variables()[0].states, ["heads", "tails"]);
//! assert_eq!("dsprites".parse::<Kind>()?.pairing(), "pictures that differ in the chosen factors");
//! assert!(open(folder.path(), ReadOptions::default().limits).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bif;
mod cars3d;
mod causal3dident;
mod causal_circuit;
mod citris;
mod clevr;
mod dcdi;
mod detect;
mod dsprites;
mod enco;
mod encoded;
mod error;
mod factored;
mod files;
mod folder;
mod grid;
mod hdf5;
mod image;
mod kind;
mod light_tunnel;
mod mat;
mod matched;
mod mnist;
mod mpi3d;
mod options;
mod pickle;
mod pictures;
mod resize;
mod shapes3d;
mod small_norb;
mod source;
mod stored;
mod temporal;
mod video;

pub use cars3d::cars3d;
pub use causal_circuit::CausalCircuit;
pub use causal3dident::Causal3dIdent;
pub use citris::citris;
pub use clevr::{Clevr, Scene, SceneObject};
pub use dcdi::{Regimes, dcdi};
pub use dsprites::dsprites;
pub use enco::{Samples, enco};
pub use error::{FormatError, PictureError};
pub use factored::{FactoredImages, PairRule};
pub use grid::FactorGrid;
pub use image::Picture;
pub use kind::{Kind, UnknownKind};
pub use light_tunnel::LightTunnel;
pub use matched::MatchedPairs;
pub use mnist::{LabeledImages, mnist};
pub use mpi3d::mpi3d;
pub use options::ReadOptions;
pub use pictures::{PictureSink, Pictures, Size};
pub use resize::{Filter, resize};
pub use shapes3d::shapes3d;
pub use small_norb::small_norb;
pub use source::{Source, open, open_as, read_pairs};
pub use temporal::temporal_causal3dident;
pub use video::Video;
