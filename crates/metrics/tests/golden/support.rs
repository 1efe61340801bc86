//! Reading the fixtures and comparing with them.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use domino_metrics::{Correlation, Sample, correlation_matrix};
use nalgebra::DMatrix;
use npyz::{Deserialize, NpyFile};
use serde_json::{Map, Value};

/// Closed forms, recorded to 12 digits.
pub(crate) const CLOSED_FORM: f64 = 1e-9;

fn folder() -> PathBuf {
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"));
    std::env::var_os("DOMINO_GOLDEN").map_or_else(own, PathBuf::from)
}

pub(crate) fn json(file: &str) -> Value {
    let path = folder().join(file);
    let text = std::fs::read_to_string(&path);
    serde_json::from_str(&text.unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

pub(crate) fn npy<T: Deserialize>(file: &str) -> (Vec<usize>, Vec<T>) {
    try_npy(file).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// Shape and entries of a file, or why its entries are of another type.
fn try_npy<T: Deserialize>(file: &str) -> std::io::Result<(Vec<usize>, Vec<T>)> {
    let path = folder().join(file);
    let reader = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let array = NpyFile::new(BufReader::new(reader)).unwrap();
    let shape = array.shape().iter().map(|&n| n as usize).collect();
    let reader = array.try_data::<T>().map_err(|_| std::io::Error::other("another type"))?;
    Ok((shape, reader.collect::<Result<_, _>>()?))
}

/// A matrix of floats or of integers.
pub(crate) fn npy_matrix(file: &str) -> DMatrix<f64> {
    let (shape, values) = try_npy(file).unwrap_or_else(|_| {
        let (shape, integers) = npy::<i64>(file);
        (shape, integers.into_iter().map(|v| v as f64).collect())
    });
    DMatrix::from_row_slice(shape[0], shape[1], &values)
}

pub(crate) fn matrix(rows: &Value) -> DMatrix<f64> {
    let numbers = |row: &Value| row.as_array().unwrap().iter().map(number).collect::<Vec<_>>();
    let rows: Vec<Vec<f64>> = rows.as_array().unwrap().iter().map(numbers).collect();
    DMatrix::from_row_iterator(rows.len(), rows[0].len(), rows.iter().flatten().copied())
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, got {value}"))
}

pub(crate) fn count(value: usize) -> f64 {
    value as f64
}

/// Collects every value that is off, so that one run shows them all.
#[derive(Default)]
pub(crate) struct Report {
    compared: usize,
    misses: Vec<String>,
}

impl Report {
    pub(crate) fn close(&mut self, what: &str, got: f64, expected: f64, tolerance: f64) {
        self.compared += 1;
        let off = (got - expected).abs();
        if off.is_nan() || off > tolerance {
            let miss = format!("{what}: expected {expected} ± {tolerance}, got {got}");
            self.misses.push(miss);
        }
    }

    /// A score that may not exist, recorded as `null`.
    pub(crate) fn close_option(
        &mut self,
        what: &str,
        got: Option<f64>,
        expected: &Value,
        tol: f64,
    ) {
        match got {
            Some(got) if !expected.is_null() => self.close(what, got, number(expected), tol),
            Some(got) => self.misses.push(format!("{what}: expected nothing, got {got}")),
            None => assert!(expected.is_null(), "{what}: expected {expected}, got nothing"),
        }
    }

    pub(crate) fn close_matrix(
        &mut self,
        what: &str,
        got: &DMatrix<f64>,
        expected: &DMatrix<f64>,
        tol: f64,
    ) {
        assert_eq!(got.shape(), expected.shape(), "{what}");
        for i in 0..got.nrows() {
            for j in 0..got.ncols() {
                self.close(&format!("{what}[{i}, {j}]"), got[(i, j)], expected[(i, j)], tol);
            }
        }
    }

    /// Fails with all misses, or if hardly anything was compared.
    pub(crate) fn finish(self, at_least: usize) {
        assert!(self.misses.is_empty(), "\n{}", self.misses.join("\n"));
        assert!(self.compared >= at_least, "only {} values compared", self.compared);
    }
}

/// A pair case: its name, expected values, and the data of both splits.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) metrics: Map<String, Value>,
    /// Latents and factors.
    pub(crate) train: [DMatrix<f64>; 2],
    pub(crate) test: [DMatrix<f64>; 2],
}

impl Case {
    pub(crate) fn samples(&self) -> [Sample<'_>; 2] {
        [&self.train, &self.test].map(|[z, y]| Sample::new(z, y).unwrap())
    }
}

pub(crate) fn continuous_cases() -> Vec<Case> {
    cases("_cont")
}

/// The pair cases whose name ends so.
pub(crate) fn cases(suffix: &str) -> Vec<Case> {
    let expected = json("expected.json");
    let pairs = expected["pairs"].as_object().unwrap();
    let read = |case: &Value, what: &str| npy_matrix(case["files"][what].as_str().unwrap());
    pairs
        .iter()
        .filter(|(name, _)| name.ends_with(suffix))
        .map(|(name, case)| Case {
            name: name.clone(),
            metrics: case["metrics"].as_object().unwrap().clone(),
            train: [read(case, "z_train"), read(case, "y_train")],
            test: [read(case, "z_test"), read(case, "y_test")],
        })
        .collect()
}

/// What other versions of scikit-learn give for a metric of a pair case, by version.
pub(crate) fn alternative(case: &str, metric: &str) -> Vec<(String, Value)> {
    let expected = json("expected.json");
    let Some(versions) = expected["pairs"][case].get("alt_sklearn") else { return Vec::new() };
    let versions = versions.as_object().unwrap().iter();
    let of_metric =
        |(version, values): (&String, &Value)| Some((version.clone(), values.get(metric)?.clone()));
    versions.filter_map(of_metric).filter(|(_, value)| !value.is_null()).collect()
}

/// Pairs of latents `(i, j)`, `i < j`, that are affine functions of each other.
fn copies(latents: &DMatrix<f64>) -> Vec<(usize, usize)> {
    let sample = Sample::new(latents, latents).unwrap();
    let correlations = correlation_matrix(sample, Correlation::Pearson);
    let pairs = (0..latents.ncols()).flat_map(|j| (0..j).map(move |i| (i, j)));
    pairs.filter(|&pair| correlations[pair].abs() > 1.0 - 1e-12).collect()
}

pub(crate) fn has_copies(latents: &DMatrix<f64>) -> bool {
    !copies(latents).is_empty()
}

/// Importances `[D, K]` with those of each copy added to its original: of exact copies, only the sum
/// is comparable.
pub(crate) fn with_copies_merged(
    mut importance: DMatrix<f64>,
    latents: &DMatrix<f64>,
) -> DMatrix<f64> {
    for (original, copy) in copies(latents) {
        let merged = importance.row(original) + importance.row(copy);
        importance.set_row(original, &merged);
        importance.row_mut(copy).fill(0.0);
    }
    importance
}
