use std::path::{Path, PathBuf};

use domino_core::{Dag, InterventionTarget};
use nalgebra::DMatrix;

use super::error::FormatError;
use super::factored::target_of;
use super::folder::{names, read_file};
use crate::npz::{Expected, FileError, Limits, read_npy};

const DATA: Expected = Expected { name: "data", content: "[M, n] numbers" };
const GRAPH: Expected =
    Expected { name: "adjacency", content: "[n, n] zeros and ones, [i, j] = 1 for i -> j" };

/// Samples of a causal model under several regimes of interventions. They are not pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Regimes {
    /// Samples under interventions, `[M, n]`.
    pub data: DMatrix<f64>,
    /// The regime of each sample, 0 for no intervention.
    pub regimes: Vec<usize>,
    /// What was set in each sample.
    pub targets: Vec<InterventionTarget>,
    /// Samples without interventions, where the folder has them.
    pub observational: Option<DMatrix<f64>>,
    /// The causal graph.
    pub dag: Dag,
}

/// Reads graph number `id`, 1 where it is missing, from a folder in the form of DCDI.
///
/// # Errors
/// [`FormatError`] if files are missing, disagree or hold something else, or if the graph is cyclic.
///
/// Brouillard, Lachapelle, Lacoste, Lacoste-Julien & Drouin, *Differentiable Causal Discovery from
/// Interventional Data*, `NeurIPS` 2020, arXiv 2007.01754.
pub fn dcdi(path: &Path, id: Option<&str>, limits: Limits) -> Result<Regimes, FormatError> {
    let id = id.unwrap_or("1");
    let adjacency = matrix(&path.join(format!("DAG{id}.npy")), GRAPH, limits)?;
    let graph_path = path.join(format!("DAG{id}.npy"));
    let dag = Dag::from_adjacency(&adjacency)
        .map_err(|reason| FormatError::Graph { path: graph_path, reason })?;
    let file = path.join(format!("data_interv{id}.npy"));
    let data = matrix(&file, DATA, limits)?;
    check_finite_and_wide(&file, &data, dag.dim())?;
    let file = path.join(format!("data{id}.npy"));
    let observational = file.is_file().then(|| matrix(&file, DATA, limits)).transpose()?;
    if let Some(data) = &observational {
        check_finite_and_wide(&file, data, dag.dim())?;
    }
    let n = dag.dim();
    let regimes = rows(&listing(path, "regime", id)?, data.nrows(), n, limits)?;
    let regimes = regimes.into_iter().map(|row| row.first().copied().unwrap_or(0)).collect();
    let file = listing(path, "intervention", id)?;
    let targets = rows(&file, data.nrows(), n, limits)?;
    let mut set = Vec::with_capacity(targets.len());
    for (row, mut variables) in targets.into_iter().enumerate() {
        variables.sort_unstable();
        variables.dedup();
        if let Some(k) = variables.last().filter(|&&k| k >= n) {
            return Err(malformed(&file, row, format!("variables below {n}"), k.to_string()));
        }
        set.push(target_of(variables));
    }
    Ok(Regimes { data, regimes, targets: set, observational, dag })
}

fn malformed(path: &Path, row: usize, expected: String, got: String) -> FormatError {
    FormatError::Malformed {
        path: path.to_owned(),
        place: format!("row {}", row + 1),
        expected,
        got,
    }
}

fn matrix(path: &Path, expected: Expected, limits: Limits) -> Result<DMatrix<f64>, FormatError> {
    let array = read_npy(path, expected, limits)?.into_matrix(expected.content);
    Ok(array.map_err(|reason| FileError::Array {
        path: path.to_owned(),
        array: expected.name,
        reason,
    })?)
}

fn check_finite_and_wide(path: &Path, data: &DMatrix<f64>, n: usize) -> Result<(), FormatError> {
    if data.ncols() != n {
        let expected = format!("{n} columns, one per variable of the graph");
        return Err(malformed(path, 0, expected, data.ncols().to_string()));
    }
    match data.iter().position(|v| !v.is_finite()) {
        Some(at) => {
            Err(malformed(path, at % data.nrows(), "finite numbers".into(), data[at].to_string()))
        }
        None => Ok(()),
    }
}

/// `regime{id}.csv`, or the only such file with a word between, as for unknown interventions.
fn listing(path: &Path, stem: &str, id: &str) -> Result<PathBuf, FormatError> {
    let found = names(path)?;
    let end = format!("{id}.csv");
    let between = |name: &String| {
        let middle = name.strip_prefix(stem)?.strip_suffix(&end)?;
        (!middle.ends_with(|last: char| last.is_ascii_digit())).then_some(middle.len())
    };
    let fits: Vec<&String> = found.iter().filter(|name| between(name).is_some()).collect();
    let chosen = fits.iter().find(|name| between(name) == Some(0));
    match (chosen, &fits[..]) {
        (Some(name), _) | (None, [name]) => Ok(path.join(name)),
        _ => {
            let expected = format!("{stem}{id}.csv");
            Err(FormatError::Missing { path: path.to_owned(), expected, found })
        }
    }
}

/// Numbers per row; an empty row has none. As many rows as samples, at most `n` numbers each.
fn rows(
    path: &Path,
    count: usize,
    n: usize,
    limits: Limits,
) -> Result<Vec<Vec<usize>>, FormatError> {
    let bytes = read_file(path, limits)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut rows = Vec::new();
    for (row, line) in text.lines().enumerate() {
        let entries = line.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let number =
                entry.parse::<f64>().ok().filter(|v| *v >= 0.0 && v.fract().abs() < f64::EPSILON);
            let wrong = || malformed(path, row, "whole numbers from 0 up".into(), entry.to_owned());
            number.map(|v| v as usize).ok_or_else(wrong)
        };
        let numbers: Vec<usize> = entries.map(read).collect::<Result<_, _>>()?;
        if numbers.len() > n {
            let expected = format!("at most {n} numbers");
            return Err(malformed(path, row, expected, numbers.len().to_string()));
        }
        rows.push(numbers);
    }
    if rows.len() != count {
        let expected = format!("{count} rows, one per sample");
        return Err(malformed(path, rows.len(), expected, format!("{} rows", rows.len())));
    }
    Ok(rows)
}
