use std::path::{Path, PathBuf};

use domino_core::{Dag, GroundTruth, ImageShape, InterventionTarget, Pairs};
use nalgebra::DMatrix;

use super::encoded::EncodedPictures;
use super::error::FormatError;
use super::options::ReadOptions;
use super::pictures::{Gather, Pictures};
use crate::npz::{Archive, Expected, Limits};

const LATENTS: Expected = Expected { name: "original_latents", content: "[N, 2, 4] numbers" };
const NOISE: Expected = Expected { name: "epsilon", content: "[N, 2, 4] numbers" };
const MASKS: Expected = Expected { name: "intervention_masks", content: "[N, 4] zeros and ones" };
const VARIABLES: [&str; 4] = ["red", "green", "blue", "arm"];
const D: usize = VARIABLES.len();
/// The arm presses the buttons; green and blue light the red lamp.
const EDGES: [(usize, usize); 5] = [(3, 0), (3, 1), (3, 2), (1, 0), (2, 0)];
/// The part for training comes in as many files at most.
const PARTS: usize = 100;

/// `CausalCircuit`: a robot arm that presses the buttons of three lamps, in counterfactual pairs.
///
/// The variables are the intensities of the red, green and blue light and the position of the arm;
/// `arm -> red, green, blue`, `green -> red`, `blue -> red`. The state of the buttons, `pressed`, is
/// not read.
///
/// Brehmer, de Haan, Lippe & Cohen, *Weakly supervised causal representation learning*, NeurIPS
/// 2022, arXiv 2203.16437.
#[derive(Debug)]
pub struct CausalCircuit {
    path: PathBuf,
    /// Before and after in turn.
    pictures: EncodedPictures,
    truth: GroundTruth,
}

impl CausalCircuit {
    /// Opens a file of the set, or in the folder `path` the files of a part of it.
    ///
    /// The columns of the masks may come in the order of the latents or in the reverse one: of the
    /// two, that one is taken under which more of the interventions changed the noise of their
    /// target alone.
    ///
    /// # Errors
    /// [`FormatError`] if files or arrays are missing, disagree, or hold no pictures.
    pub fn open(path: &Path, split: Option<&str>, limits: Limits) -> Result<Self, FormatError> {
        let files = files(path, split)?;
        let pictures = EncodedPictures::open(&files, limits)?;
        let mut parts = [Vec::new(), Vec::new(), Vec::new()];
        for (file, &count) in files.iter().zip(pictures.counts()) {
            let mut archive = Archive::open(file, limits)?;
            let arrays: [(Expected, &[usize]); 3] =
                [(LATENTS, &[2, D]), (NOISE, &[2, D]), (MASKS, &[D])];
            for (values, (array, inner)) in parts.iter_mut().zip(arrays) {
                let shape = [&[count / 2], inner].concat();
                values.extend(numbers(&mut archive, file, array, &shape)?);
            }
        }
        let [z, e, masks] = parts;
        let [z, e] =
            [z, e].map(|values| DMatrix::from_row_slice(values.len() / (2 * D), 2 * D, &values));
        let side = |m: &DMatrix<f64>, from| Some(m.columns(from, D).into_owned());
        let truth = GroundTruth {
            targets: Some(targets(&masks, &e)),
            z_before: side(&z, 0),
            z_after: side(&z, D),
            e_before: side(&e, 0),
            e_after: side(&e, D),
            dag: Some(graph(path)?),
            names: Some(VARIABLES.map(str::to_owned).to_vec()),
        };
        let wrong = |reason| FormatError::Truth { path: path.to_owned(), reason };
        let truth = truth.checked(pictures.len() / 2).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), pictures, truth })
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pictures.len() / 2
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of a stored picture.
    pub fn shape(&self) -> ImageShape {
        self.pictures.shape()
    }

    /// What is known of all pairs.
    pub fn truth(&self) -> &GroundTruth {
        &self.truth
    }

    /// The chosen pairs, in the order of the files.
    ///
    /// # Errors
    /// [`FormatError`] if no pair was asked for, or if a picture cannot be decoded or has not the
    /// size of the first one.
    pub fn pairs(&self, options: &ReadOptions) -> Result<(Pairs, GroundTruth), FormatError> {
        let chosen = options.choose(self.len());
        if chosen.is_empty() {
            let (path, available) = (self.path.clone(), self.len());
            return Err(FormatError::TooFew { path, asked: options.pairs, available });
        }
        let before: Vec<usize> = chosen.iter().map(|pair| 2 * pair).collect();
        let after: Vec<usize> = chosen.iter().map(|pair| 2 * pair + 1).collect();
        let pairs = Gather::new(&self.path, options).pairs(&self.pictures, &before, &after)?;
        Ok((pairs, select(&self.truth, &chosen)))
    }
}

fn files(path: &Path, split: Option<&str>) -> Result<Vec<PathBuf>, FormatError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let split = split.unwrap_or("train");
    let numbered = (0..PARTS).map(|part| path.join(format!("{split}-{part}.npz")));
    let numbered: Vec<PathBuf> = numbered.take_while(|file| file.is_file()).collect();
    let single = path.join(format!("{split}.npz"));
    if numbered.is_empty() && !single.is_file() {
        return Err(FormatError::Missing {
            path: path.to_owned(),
            expected: format!("{split}.npz or {split}-0.npz and so on"),
            found: super::folder::names(path)?,
        });
    }
    Ok(if numbered.is_empty() { vec![single] } else { numbered })
}

/// The values of an array of the given shape, last index fastest.
fn numbers(
    archive: &mut Archive,
    file: &Path,
    expected: Expected,
    shape: &[usize],
) -> Result<Vec<f64>, FormatError> {
    let array = archive.require(expected)?;
    if array.shape() != shape {
        return Err(FormatError::Malformed {
            path: file.to_owned(),
            place: expected.name.into(),
            expected: format!("{}, N = {}, one per row of imgs", expected.content, shape[0]),
            got: format!("shape {:?}", array.shape()),
        });
    }
    Ok(array.into_floats(expected.content).map_err(|reason| archive.error(expected, reason))?)
}

fn graph(path: &Path) -> Result<Dag, FormatError> {
    Dag::from_edges(D, &EDGES)
        .map_err(|reason| FormatError::Graph { path: path.to_owned(), reason })
}

fn targets(masks: &[f64], noise: &DMatrix<f64>) -> Vec<InterventionTarget> {
    let rows = masks.as_chunks::<D>().0;
    let in_order = |mask: &[f64; D], reversed: Columns| {
        mask.map(|entry| entry > 0.0).into_iter().enumerate().filter(|(_, set)| *set).map(
            move |(k, _)| match reversed {
                Columns::AsLatents => k,
                Columns::Reversed => D - 1 - k,
            },
        )
    };
    let fits = |columns: Columns| {
        let moved = |row: usize, k: usize| noise[(row, k)].total_cmp(&noise[(row, D + k)]).is_ne();
        let fits = |(row, mask): &(usize, &[f64; D])| {
            let set: Vec<usize> = in_order(mask, columns).collect();
            (0..D).all(|k| moved(*row, k) == set.contains(&k))
        };
        rows.iter().enumerate().filter(fits).count()
    };
    let columns = if fits(Columns::Reversed) > fits(Columns::AsLatents) {
        Columns::Reversed
    } else {
        Columns::AsLatents
    };
    let target = |mask: &[f64; D]| {
        let mut variables: Vec<usize> = in_order(mask, columns).collect();
        variables.sort_unstable();
        super::factored::target_of(variables)
    };
    rows.iter().map(target).collect()
}

/// Order of the columns of the masks.
#[derive(Clone, Copy)]
enum Columns {
    AsLatents,
    Reversed,
}

fn select(truth: &GroundTruth, rows: &[usize]) -> GroundTruth {
    let pick = |m: &Option<DMatrix<f64>>| m.as_ref().map(|m| m.select_rows(rows));
    GroundTruth {
        z_before: pick(&truth.z_before),
        z_after: pick(&truth.z_after),
        e_before: pick(&truth.e_before),
        e_after: pick(&truth.e_after),
        targets: truth.targets.as_ref().map(|t| rows.iter().map(|&row| t[row].clone()).collect()),
        dag: truth.dag.clone(),
        names: truth.names.clone(),
    }
}
