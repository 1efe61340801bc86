//! Data sets by name or file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use domino::data::DatasetSpec;

use crate::config::resolve_file;
use crate::settings::Settings;

/// Where data sets have their specifications, from the working directory.
const DATASETS: &str = "datasets";

/// Pairs of a configuration that does not say how many.
const PAIRS: usize = 100_000;

/// The specification that an argument names: a `spec.toml`, the configuration of a run, or the
/// name of a folder in `datasets`.
pub(super) fn read(argument: &str) -> Result<DatasetSpec> {
    let path = find(argument)?;
    if !is_configuration(&path) {
        return Ok(resolve_file(&path, &[] as &[&str])?);
    }
    let settings: Settings = resolve_file(&path, &[] as &[&str])?;
    let pairs = settings.data.train.unwrap_or(PAIRS);
    Ok(settings.data.spec(pairs))
}

/// The data sets of a folder with their specifications, sorted by name.
pub(super) fn all(datasets: &Path) -> Result<Vec<(String, DatasetSpec)>> {
    let mut found = Vec::new();
    for name in names(datasets) {
        let spec = resolve_file(&datasets.join(&name).join("spec.toml"), &[] as &[&str])?;
        found.push((name, spec));
    }
    Ok(found)
}

fn find(argument: &str) -> Result<PathBuf> {
    let path = PathBuf::from(argument);
    if path.is_file() {
        return Ok(path);
    }
    let named = Path::new(DATASETS).join(argument).join("spec.toml");
    if named.is_file() {
        return Ok(named);
    }
    let names = names(Path::new(DATASETS)).join(", ");
    let names = if names.is_empty() { "none in this directory".to_owned() } else { names };
    bail!("{argument}: expected a file, or the name of a data set: {names}");
}

/// Names of the folders with a `spec.toml`, sorted; none where there is no such folder.
fn names(datasets: &Path) -> Vec<String> {
    let entries = fs::read_dir(datasets).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("spec.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether a file is the configuration of a run: only those have a table `data`.
fn is_configuration(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    ["data", "base"].iter().any(|key| table.contains_key(*key))
}
