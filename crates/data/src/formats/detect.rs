use std::path::{Path, PathBuf};

use super::error::FormatError;
use super::folder::names;
use super::kind::Kind;
use crate::npz::{Archive, Expected, Limits};

const KEYS: Expected = Expected { name: "keys", content: "names of the latents" };

/// Names of files by which an archive with parts is found in a folder.
const PARTS: [&str; 5] = ["train.npz", "train-0.npz", "val.npz", "test.npz", "test-0.npz"];

/// The kind of set that lies at a path.
pub(super) fn detect(path: &Path, limits: Limits) -> Result<Kind, FormatError> {
    let (kind, found) = if path.is_dir() {
        let found = names(path)?;
        (by_names(path, &found, limits)?, found)
    } else {
        by_file(path, limits)?
    };
    let looked_for = || Kind::ALL.map(|kind| (kind, kind.files())).to_vec();
    kind.ok_or_else(|| FormatError::Unknown {
        path: path.to_owned(),
        found,
        looked_for: looked_for(),
    })
}

/// The file of a set that is one file: `path` itself, or in a folder the only one of that ending
/// whose content fits.
pub(super) fn find_file(path: &Path, kind: Kind, ending: &str) -> Result<PathBuf, FormatError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let found = names(path)?;
    let files: Vec<&String> = found.iter().filter(|name| has_ending(name, ending)).collect();
    if let [name] = files[..] {
        return Ok(path.join(name));
    }
    let expected = format!("one .{ending} file, {}", kind.files());
    Err(FormatError::Missing { path: path.to_owned(), expected, found })
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

fn by_file(path: &Path, limits: Limits) -> Result<(Option<Kind>, Vec<String>), FormatError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if has_ending(&name, "npz") {
        let keys = Archive::open(path, limits)?.names();
        return Ok((by_keys(path, &keys, limits)?, keys));
    }
    let kind = if has_ending(&name, "bif") {
        Some(Kind::Bnlearn)
    } else if has_ending(&name, "h5") || has_ending(&name, "hdf5") {
        Some(Kind::Shapes3d)
    } else {
        None
    };
    Ok((kind, vec![name]))
}

fn by_names(path: &Path, found: &[String], limits: Limits) -> Result<Option<Kind>, FormatError> {
    let any = |test: &dyn Fn(&str) -> bool| found.iter().any(|name| test(name));
    let is = |name: &str| any(&|other| other == name);
    if let Some(part) = PARTS.into_iter().find(|part| is(part)) {
        return Ok(by_file(&path.join(part), limits)?.0);
    }
    let latents = |folder: &Path| folder.join("raw_latents_0.npy").is_file();
    if latents(path) || latents(&path.join("train")) || latents(&path.join("test")) {
        return Ok(Some(Kind::Causal3dIdent));
    }
    if any(&|name| name.starts_with("smallnorb-")) {
        return Ok(Some(Kind::SmallNorb));
    }
    if any(&|name| name.contains("-images") && name.contains("idx3-ubyte")) {
        return Ok(Some(Kind::Mnist));
    }
    if is("scenes") && is("images") {
        return Ok(Some(Kind::Clevr));
    }
    if is("images_64") && any(&|name| has_ending(name, "csv")) {
        return Ok(Some(Kind::LightTunnel));
    }
    if any(&|name| name.starts_with("DAG") && has_ending(name, "npy")) {
        return Ok(Some(Kind::Dcdi));
    }
    if any(&|name| has_ending(name, "mat")) {
        return Ok(Some(Kind::Cars3d));
    }
    let single = |name: &&String| ["npz", "bif", "h5"].iter().any(|end| has_ending(name, end));
    match found.iter().filter(single).collect::<Vec<_>>()[..] {
        [name] => Ok(by_file(&path.join(name), limits)?.0),
        _ => Ok(None),
    }
}

fn by_keys(path: &Path, keys: &[String], limits: Limits) -> Result<Option<Kind>, FormatError> {
    let all = |wanted: &[&str]| wanted.iter().all(|name| keys.iter().any(|key| key == name));
    Ok(if all(&["imgs", "latents_classes"]) {
        Some(Kind::Dsprites)
    } else if all(&["imgs", "original_latents"]) {
        Some(Kind::CausalCircuit)
    } else if all(&["imgs", "interventions", "raw_latents"]) {
        Some(Kind::TemporalCausal3dIdent)
    } else if all(&["images", "latents", "targets", "keys"]) {
        Some(by_latents(path, limits)?)
    } else if all(&["data_obs", "data_int"]) {
        Some(Kind::Enco)
    } else if all(&["images"]) {
        Some(Kind::Mpi3d)
    } else {
        None
    })
}

/// Members of the CITRIS family differ in the names of their latents.
fn by_latents(path: &Path, limits: Limits) -> Result<Kind, FormatError> {
    let mut archive = Archive::open(path, limits)?;
    let names = archive.require(KEYS)?.into_strings(KEYS.content);
    let names = names.map_err(|reason| archive.error(KEYS, reason))?;
    let any = |stem: &str| names.iter().any(|name| name.starts_with(stem));
    Ok(if any("cyl") {
        Kind::Pinball
    } else if any("paddle") {
        Kind::InterventionalPong
    } else if any("ball") {
        Kind::BallInBoxes
    } else {
        Kind::Voronoi
    })
}
