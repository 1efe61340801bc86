use std::path::Path;

use domino_core::Dag;
use nalgebra::DMatrix;
use serde::Deserialize;

use super::error::FormatError;
use super::folder::read_file;
use super::stored::{Axes, StoredPictures};
use super::temporal::matrix;
use super::video::{Video, targets_of_masks};
use crate::npz::{Archive, Expected, Limits};

const IMAGES: Expected = Expected {
    name: "images",
    content: "[N, H, W, C] uint8 frames of one video (a file of triplets has five axes)",
};
const LATENTS: Expected = Expected { name: "latents", content: "[N, d] numbers" };
const TARGETS: Expected = Expected { name: "targets", content: "[N - 1, d] zeros and ones" };
const KEYS: Expected = Expected { name: "keys", content: "[d] names of the latents" };
const TARGET_KEYS: Expected = Expected { name: "keys_targets", content: "names of the targets" };

/// The file beside the videos that tells how they were made.
const SETTINGS: &str = "settings.json";

#[derive(Deserialize)]
struct Settings {
    causal_graph: Option<Vec<Vec<f64>>>,
}

/// Opens a video of the CITRIS family: Interventional Pong, Ball-in-Boxes, Voronoi or Pinball.
///
/// All channels of the frames are kept; the fourth of Pong and Pinball is a motion picture and no
/// transparency. Latents whose name ends in `proj` repeat others and are left out. A target that
/// names no latent stands for all latents that begin with its name. The graph is the instantaneous
/// one of `settings.json`, where the set has one.
///
/// # Errors
/// [`FormatError`] if arrays are missing or disagree, or if the graph is none.
///
/// Lippe et al., *CITRIS*, ICML 2022, arXiv 2202.03169; *Causal Representation Learning for
/// Instantaneous and Temporal Effects in Interactive Systems*, ICLR 2023, arXiv 2206.06169.
pub fn citris(path: &Path, limits: Limits) -> Result<Video, FormatError> {
    let frames = StoredPictures::find(path, IMAGES, Axes::HeightWidthChannels, limits)?;
    let mut archive = Archive::open(path, limits)?;
    let all_names = names(&mut archive, KEYS)?;
    let target_names = if archive.holds(TARGET_KEYS.name) {
        names(&mut archive, TARGET_KEYS)?
    } else {
        all_names.clone()
    };
    let latents = matrix(&mut archive, LATENTS)?;
    let masks = matrix(&mut archive, TARGETS)?;
    check_width(path, LATENTS, &latents, all_names.len())?;
    check_width(path, TARGETS, &masks, target_names.len())?;
    let kept: Vec<usize> =
        (0..all_names.len()).filter(|&k| !all_names[k].ends_with("proj")).collect();
    let names: Vec<String> = kept.iter().map(|&k| all_names[k].clone()).collect();
    let columns = target_names.iter().map(|target| variables_of(path, target, &names));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Video {
        path: path.to_owned(),
        frames: frames.in_one_row()?,
        latents: latents.select_columns(&kept),
        dag: graph(path, names.len(), limits)?,
        names,
        targets: targets_of_masks(masks.transpose().as_slice(), &columns),
    }
    .checked()
}

/// Names with underscores, whichever way the file separates words.
fn names(archive: &mut Archive, expected: Expected) -> Result<Vec<String>, FormatError> {
    let names = archive.require(expected)?.into_strings(expected.content);
    let names = names.map_err(|reason| archive.error(expected, reason))?;
    Ok(names.into_iter().map(|name| name.replace('-', "_")).collect())
}

fn check_width(
    path: &Path,
    array: Expected,
    found: &DMatrix<f64>,
    width: usize,
) -> Result<(), FormatError> {
    if found.ncols() == width {
        return Ok(());
    }
    Err(FormatError::Malformed {
        path: path.to_owned(),
        place: array.name.into(),
        expected: format!("{width} columns, one per name"),
        got: found.ncols().to_string(),
    })
}

fn variables_of(path: &Path, target: &str, names: &[String]) -> Result<Vec<usize>, FormatError> {
    if target.ends_with("proj") {
        return Ok(Vec::new());
    }
    if let Some(k) = names.iter().position(|name| name == target) {
        return Ok(vec![k]);
    }
    let stem = format!("{target}_");
    let group: Vec<usize> = (0..names.len()).filter(|&k| names[k].starts_with(&stem)).collect();
    if group.is_empty() {
        return Err(FormatError::Malformed {
            path: path.to_owned(),
            place: TARGET_KEYS.name.into(),
            expected: format!("names of latents, {}, or their beginnings", names.join(", ")),
            got: target.to_owned(),
        });
    }
    Ok(group)
}

fn graph(path: &Path, d: usize, limits: Limits) -> Result<Option<Dag>, FormatError> {
    let file = path.with_file_name(SETTINGS);
    if !file.is_file() {
        return Ok(None);
    }
    let malformed = |expected: &str, got: String| FormatError::Malformed {
        path: file.clone(),
        place: "causal_graph".into(),
        expected: expected.into(),
        got,
    };
    let settings: Settings = serde_json::from_slice(&read_file(&file, limits)?)
        .map_err(|e| malformed("settings as a JSON object", e.to_string()))?;
    let Some(rows) = settings.causal_graph else { return Ok(None) };
    if rows.len() != d || rows.iter().any(|row| row.len() != d) {
        let expected = format!("{d} rows of {d} entries, one per latent");
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        return Err(malformed(&expected, format!("rows of lengths {lengths:?}")));
    }
    let adjacency = DMatrix::from_fn(d, d, |i, j| rows[i][j]);
    let dag = Dag::from_adjacency(&adjacency);
    dag.map(Some).map_err(|reason| FormatError::Graph { path: file.clone(), reason })
}
