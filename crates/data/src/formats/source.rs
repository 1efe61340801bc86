use std::path::{Path, PathBuf};

use domino_core::{GroundTruth, Pairs};

use super::bif::{self, Network};
use super::causal_circuit::CausalCircuit;
use super::causal3dident::Causal3dIdent;
use super::clevr::Clevr;
use super::dcdi::{Regimes, dcdi};
use super::detect::{detect, find_file};
use super::enco::{Samples, enco};
use super::error::FormatError;
use super::factored::FactoredImages;
use super::kind::Kind;
use super::light_tunnel::LightTunnel;
use super::mnist::{LabeledImages, mnist};
use super::options::ReadOptions;
use super::video::{Video, split_file};
use super::{cars3d, citris, dsprites, mpi3d, shapes3d, small_norb, temporal_causal3dident};
use crate::npz::Limits;

/// An open data set, in the form that is its own.
#[derive(Debug)]
#[non_exhaustive]
pub enum Source {
    /// Counterfactual pairs.
    CausalCircuit(CausalCircuit),
    /// Pictures with continuous latents.
    Causal3dIdent(Causal3dIdent),
    /// Frames with interventions between them.
    Video(Video),
    /// Pictures of all combinations of factors.
    Factored(FactoredImages),
    /// Pictures of a real system with its inputs.
    LightTunnel(LightTunnel),
    /// Pictures with labels.
    Labeled(LabeledImages),
    /// Pictures of scenes.
    Clevr(Clevr),
    /// Samples without and under single interventions.
    Samples(Samples),
    /// A Bayesian network to sample from.
    Network(Network),
    /// Samples under several regimes.
    Regimes(Regimes),
}

/// Opens whatever public set lies at `path`, a file or a folder; see [`Kind::files`].
///
/// # Errors
/// [`FormatError::Unknown`] with what was looked for, if it is none of the known sets; others if it
/// is one and damaged.
pub fn open(path: &Path, limits: Limits) -> Result<Source, FormatError> {
    open_as(detect(path, limits)?, path, &ReadOptions { limits, ..ReadOptions::default() })
}

/// Opens a set of a known kind; of the options, the part and the limits count.
///
/// # Errors
/// [`FormatError`] if files are missing, damaged, or of other form.
pub fn open_as(kind: Kind, path: &Path, options: &ReadOptions) -> Result<Source, FormatError> {
    let (split, limits) = (options.split.as_deref(), options.limits);
    let file = |ending: &str| -> Result<PathBuf, FormatError> { find_file(path, kind, ending) };
    Ok(match kind {
        Kind::CausalCircuit => Source::CausalCircuit(CausalCircuit::open(path, split, limits)?),
        Kind::Causal3dIdent => Source::Causal3dIdent(Causal3dIdent::open(path, split, limits)?),
        Kind::TemporalCausal3dIdent => {
            Source::Video(temporal_causal3dident(&split_file(path, split), limits)?)
        }
        Kind::InterventionalPong | Kind::BallInBoxes | Kind::Voronoi | Kind::Pinball => {
            Source::Video(citris(&split_file(path, split), limits)?)
        }
        Kind::Dsprites => Source::Factored(dsprites(&file("npz")?, limits)?),
        Kind::Shapes3d => Source::Factored(shapes3d(&file("h5")?, limits)?),
        Kind::Mpi3d => Source::Factored(mpi3d(&file("npz")?, limits)?),
        Kind::Cars3d => Source::Factored(cars3d(path, limits)?),
        Kind::SmallNorb => Source::Factored(small_norb(path, split, limits)?),
        Kind::Mnist => Source::Labeled(mnist(path, split, limits)?),
        Kind::Clevr => Source::Clevr(Clevr::open(path, split, limits)?),
        Kind::LightTunnel => Source::LightTunnel(LightTunnel::open(path, split, limits)?),
        Kind::Enco => Source::Samples(enco(&file("npz")?, limits)?),
        Kind::Bnlearn => Source::Network(bif::read(&file("bif")?, limits)?),
        Kind::Dcdi => Source::Regimes(dcdi(path, split, limits)?),
    })
}

/// Reads pairs from a public set, whose kind is found out where it is not given.
///
/// Sets with pairs of their own, [`Kind::CausalCircuit`] and the videos, give a choice of them;
/// pictures on a grid of factors are paired by the rule; pictures with continuous latents are paired
/// with near matches, see [`Causal3dIdent`].
///
/// # Errors
/// [`FormatError::NoPairs`] for sets that have none, with what to read instead; others if the set is
/// not known, missing files, damaged, or larger than the limits.
///
/// ```no_run
/// use std::path::Path;
/// use domino_data::formats::{Kind, PairRule, ReadOptions, read_pairs};
///
/// let options = ReadOptions { pairs: 1_000, rule: PairRule::One, ..ReadOptions::default() };
/// let path = Path::new("dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz");
/// let (pairs, truth) = read_pairs(Some(Kind::Dsprites), path, &options)?;
/// assert_eq!(pairs.len(), 1_000);
/// assert_eq!(truth.dim(), Some(5));
/// # Ok::<(), domino_data::formats::FormatError>(())
/// ```
pub fn read_pairs(
    kind: Option<Kind>,
    path: &Path,
    options: &ReadOptions,
) -> Result<(Pairs, GroundTruth), FormatError> {
    let kind = kind.map_or_else(|| detect(path, options.limits), Ok)?;
    if let Some(reason) = unpaired(kind) {
        return Err(FormatError::NoPairs { kind, reason });
    }
    let (pairs, truth) = match open_as(kind, path, options)? {
        Source::CausalCircuit(set) => set.pairs(options)?,
        Source::Video(set) => set.pairs(options)?,
        Source::Factored(set) => set.pairs(options)?,
        Source::Causal3dIdent(set) => matched(set.pairs(options)?),
        Source::LightTunnel(set) => matched(set.pairs(options)?),
        _ => return Err(FormatError::NoPairs { kind, reason: "it holds none" }),
    };
    let wrong = |reason| FormatError::Truth { path: path.to_owned(), reason };
    let truth = truth.checked(pairs.len()).map_err(wrong)?;
    Ok((pairs, truth))
}

fn matched(found: super::MatchedPairs) -> (Pairs, GroundTruth) {
    (found.pairs, found.truth)
}

/// Why a kind of set has no pairs, if so.
fn unpaired(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Mnist => Some("its digits have labels only; `formats::mnist` reads them"),
        Kind::Clevr => Some("no two scenes share their objects; `formats::Clevr` reads them"),
        Kind::Enco => Some("each sample has noise of its own; `formats::enco` reads them"),
        Kind::Dcdi => Some("each sample has noise of its own; `formats::dcdi` reads them"),
        Kind::Bnlearn => Some("it is a model to sample from; `formats::bif::read` reads it"),
        _ => None,
    }
}
