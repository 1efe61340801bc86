use std::path::{Path, PathBuf};

use domino::core::{Dag, InterventionTarget};
use domino::dag::{Column, DagError, PairCodes, Regime, Samples};
use domino::data::formats::{FormatError, Regimes, Samples as Rows, Source, open};
use domino::data::npz::{FileError, Limits, read_embedding, read_matrices, read_truth};
use nalgebra::DMatrix;
use thiserror::Error;

use super::columns::{Columns, Kind, continuous, kinds, typed};
use super::numbered;
use crate::run::{FolderError, RunFolder};

/// Least probability at which an intervention counts as seen.
const SEEN: f64 = 0.5;

/// What a graph can be learned from.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Codes before and after interventions, and perhaps the variables that they belong to.
    Codes {
        /// The codes, from which `pairs` learns.
        codes: PairCodes,
        /// The variables before and after, `[2 n, d]`, from which the other methods learn.
        variables: Option<Samples>,
    },
    /// Rows of the variables.
    Rows(Samples),
}

/// The form in which data is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// A file of pairs with their true codes.
    Pairs,
    /// What a model sees in pairs.
    Embedding,
    /// Rows and targets.
    Rows,
    /// ENCO's arrays.
    Enco,
    /// DCDI's folder.
    Dcdi,
}

/// Data with names.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Names of the variables, `[d]`.
    pub names: Vec<String>,
    /// The form in which it is stored.
    pub kind: DataKind,
    /// The data.
    pub data: Data,
    /// The true graph, where the data comes with one; no learner sees it.
    pub truth: Option<Dag>,
}

/// Why there is nothing to learn from.
#[derive(Debug, Error)]
pub enum DataError {
    /// It is none of the known forms.
    #[error(
        "{path}: expected pairs with e_before, e_after and target; an embedding with z, e, z_after, \
         e_after and target_probs; rows `x` with `targets`; ENCO's data_obs and data_int; a folder of \
         DCDI or of a finished run; found {found}"
    )]
    Unknown {
        /// The file or folder.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A network is no data.
    #[error("{path}: expected data, got a network; draw rows from it with `domino graph sample`")]
    Network {
        /// The file.
        path: PathBuf,
    },
    /// Arrays disagree, or a value is out of range.
    #[error("{path}: {array}: expected {expected}, got {got}")]
    Array {
        /// The file.
        path: PathBuf,
        /// The array.
        array: &'static str,
        /// What would do.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The values are no data for a learner.
    #[error("{path}: {reason}")]
    Values {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with them.
        reason: DagError,
    },
    /// A NumPy file is damaged or holds something else.
    #[error(transparent)]
    File(#[from] FileError),
    /// A public format is damaged.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The folder holds no finished run.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl DataKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Embedding => "embedding",
            Self::Rows => "rows",
            Self::Enco => "enco",
            Self::Dcdi => "dcdi",
        }
    }
}

impl Data {
    /// Pairs or rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Codes { codes, .. } => codes.len(),
            Self::Rows(rows) => rows.len(),
        }
    }

    /// Always false: there is at least one pair or row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        match self {
            Self::Codes { codes, .. } => codes.dim(),
            Self::Rows(rows) => rows.dim(),
        }
    }

    /// The variables that an intervention hit, ascending, each in a row in which that is likelier than
    /// not.
    pub fn intervened(&self) -> Vec<usize> {
        let is_hit = |k: usize| match self {
            Self::Codes { codes, .. } => {
                codes.target_probs().column(k + 1).iter().any(|p| *p > SEEN)
            }
            Self::Rows(rows) => (0..rows.len()).any(|row| rows.target_probability(row, k) > SEEN),
        };
        (0..self.dim()).filter(|&k| is_hit(k)).collect()
    }
}

/// Reads whatever lies at a path.
///
/// A folder is that of a finished run, whose model's view of its test pairs is taken, or of DCDI.
///
/// # Errors
/// [`DataError`] if it is no data or damaged.
pub fn load(path: &Path, columns: Columns) -> Result<Loaded, DataError> {
    if path.is_dir()
        && let Ok(folder) = RunFolder::finished(path)
    {
        return embedding(&folder.embedding());
    }
    match open(path, Limits::default()) {
        Ok(Source::Samples(rows)) => enco(path, rows, columns),
        Ok(Source::Regimes(rows)) => dcdi(path, rows, columns),
        Ok(Source::Network(_)) => Err(DataError::Network { path: path.to_owned() }),
        Ok(_) => Err(unknown(path, "a public data set of pictures")),
        Err(FormatError::Unknown { found, .. }) if path.is_file() && !found.is_empty() => {
            own(path, &found, columns)
        }
        Err(FormatError::Unknown { found, .. }) => Err(unknown(path, &found.join(", "))),
        Err(e) => Err(e.into()),
    }
}

fn unknown(path: &Path, found: &str) -> DataError {
    let found = if found.is_empty() { "nothing" } else { found };
    DataError::Unknown { path: path.to_owned(), found: found.to_owned() }
}

/// The project's own arrays.
fn own(path: &Path, found: &[String], columns: Columns) -> Result<Loaded, DataError> {
    let holds = |name: &str| found.iter().any(|key| key == name);
    if holds("e_before") && holds("e_after") && holds("target") {
        pairs(path)
    } else if holds("target_probs") && holds("e") {
        embedding(path)
    } else if holds("x") {
        rows(path, columns)
    } else {
        Err(unknown(path, &found.join(", ")))
    }
}

fn values(path: &Path) -> impl Fn(DagError) -> DataError {
    |reason| DataError::Values { path: path.to_owned(), reason }
}

fn pairs(path: &Path) -> Result<Loaded, DataError> {
    let truth = read_truth(path, Limits::default())?;
    let (Some(before), Some(after), Some(targets)) = (truth.e_before, truth.e_after, truth.targets)
    else {
        return Err(unknown(path, "some of them"));
    };
    let (n, d) = before.shape();
    let mut probs = DMatrix::zeros(n, d + 1);
    for (row, target) in targets.iter().enumerate() {
        // A pair with several targets is shared among them, so that it tells of none for sure.
        let hit = target.variables();
        match hit {
            [] => probs[(row, 0)] = 1.0,
            _ => hit.iter().for_each(|&k| probs[(row, k + 1)] = 1.0 / hit.len() as f64),
        }
    }
    let codes = PairCodes::new(before, after, probs).map_err(values(path))?;
    let variables = match (&truth.z_before, &truth.z_after) {
        (Some(before), Some(after)) => Some(both_sides(path, before, after, &targets)?),
        _ => None,
    };
    let names = truth.names.unwrap_or_else(|| numbered("z", d));
    let data = Data::Codes { codes, variables };
    Ok(Loaded { names, kind: DataKind::Pairs, data, truth: truth.dag })
}

/// The variables before as rows without and after as rows with intervention.
fn both_sides(
    path: &Path,
    before: &DMatrix<f64>,
    after: &DMatrix<f64>,
    targets: &[InterventionTarget],
) -> Result<Samples, DataError> {
    let regimes: Vec<Regime> = targets.iter().map(Regime::from).collect();
    let n = before.nrows();
    let first = Samples::observational(continuous(before)).map_err(values(path))?;
    let second =
        Samples::new(continuous(after), regimes, (0..n).collect()).map_err(values(path))?;
    Samples::stacked(&[first, second]).map_err(values(path))
}

fn embedding(path: &Path) -> Result<Loaded, DataError> {
    let found = read_embedding(path, Limits::default())?;
    let codes = PairCodes::from_embedding(&found).map_err(values(path))?;
    let before = Samples::observational(continuous(&found.z_before)).map_err(values(path))?;
    let after =
        Samples::with_target_probs(&found.z_after, &found.target_probs).map_err(values(path))?;
    let variables = Some(Samples::stacked(&[before, after]).map_err(values(path))?);
    let names = numbered("z", found.dim());
    let data = Data::Codes { codes, variables };
    Ok(Loaded { names, kind: DataKind::Embedding, data, truth: None })
}

fn rows(path: &Path, columns: Columns) -> Result<Loaded, DataError> {
    const ARRAYS: [&str; 4] = ["x", "targets", "regimes", "states"];
    let mut found = read_matrices(path, &ARRAYS, Limits::default())?.into_iter();
    let mut take = || found.next().flatten();
    let (Some(x), targets, regimes, states) = (take(), take(), take(), take()) else {
        return Err(unknown(path, "no x"));
    };
    let known = read_truth(path, Limits::default())?;
    let (n, d) = x.shape();
    let wrong = |array, expected: String, got: String| DataError::Array {
        path: path.to_owned(),
        array,
        expected,
        got,
    };
    if let Some(names) = known.names.as_ref().filter(|names| names.len() != d) {
        return Err(wrong("names", format!("{d}, one per column of x"), names.len().to_string()));
    }
    let regime = regimes_of(&x, targets.as_ref(), regimes.as_ref())
        .map_err(|(array, expected, got)| wrong(array, expected, got))?;
    let kinds = match (&states, columns) {
        (Some(states), Columns::Auto) if states.len() == d => {
            let kind = |count: &f64| if *count > 0.0 { Kind::States(*count) } else { Kind::Real };
            states.iter().map(kind).collect()
        }
        (Some(states), Columns::Auto) => {
            let got = format!("{} numbers", states.len());
            return Err(wrong("states", format!("{d} numbers, 0 for real columns"), got));
        }
        _ => kinds(&x, columns),
    };
    let columns = typed(&x, &kinds).map_err(|(expected, got)| wrong("x", expected, got))?;
    let data = Samples::new(columns, regime, (0..n).collect()).map_err(values(path))?;
    let names = known.names.unwrap_or_else(|| numbered("x", d));
    Ok(Loaded { names, kind: DataKind::Rows, data: Data::Rows(data), truth: known.dag })
}

/// What was done in each row, or which array is wrong, what was expected and what is there.
fn regimes_of(
    x: &DMatrix<f64>,
    targets: Option<&DMatrix<f64>>,
    regimes: Option<&DMatrix<f64>>,
) -> Result<Vec<Regime>, (&'static str, String, String)> {
    let (n, d) = x.shape();
    let array = if targets.is_some() { "targets" } else { "regimes" };
    let Some(said) = targets.or(regimes) else { return Ok(vec![Regime::OBSERVATIONAL; n]) };
    let wrong = |got: String| {
        let expected = format!(
            "[{n}] whole numbers, 0 for none and k for column k - 1 of {d}, or [{n}, {d}] masks"
        );
        (array, expected, got)
    };
    if said.shape() == (n, d) && d > 1 {
        return Ok((0..n).map(|row| masked(said, row)).collect());
    }
    if said.shape() != (n, 1) {
        return Err(wrong(format!("shape {:?}", said.shape())));
    }
    let regime = |&label: &f64| match label {
        l if l.fract().abs() > 0.0 || !(0.0..=d as f64).contains(&l) => Err(wrong(l.to_string())),
        l if l < 1.0 => Ok(Regime::OBSERVATIONAL),
        l => Ok(Regime::known(&[l as usize - 1])),
    };
    said.iter().map(regime).collect()
}

fn masked(masks: &DMatrix<f64>, row: usize) -> Regime {
    let hit = (0..masks.ncols()).map(|k| (k, masks[(row, k)]));
    Regime { targets: hit.filter(|(_, p)| p.abs() > 0.0 || p.is_nan()).collect() }
}

fn enco(path: &Path, found: Rows, columns: Columns) -> Result<Loaded, DataError> {
    let d = found.observational.ncols();
    let mut parts = vec![(found.observational, vec![])];
    let hit = found.interventional.into_iter().enumerate();
    parts.extend(hit.map(|(k, rows)| (rows, vec![k])));
    let total: usize = parts.iter().map(|(rows, _)| rows.nrows()).sum();
    let (mut all, mut regime_of) = (DMatrix::zeros(total, d), Vec::new());
    let mut at = 0;
    for (number, (rows, _)) in parts.iter().enumerate() {
        all.rows_mut(at, rows.nrows()).copy_from(rows);
        at += rows.nrows();
        regime_of.extend(std::iter::repeat_n(number, rows.nrows()));
    }
    let regimes = parts.iter().map(|(_, targets)| Regime::known(targets)).collect();
    let columns = typed_of(path, "data_obs", &all, columns)?;
    let data = Samples::new(columns, regimes, regime_of).map_err(values(path))?;
    let names = numbered("x", d);
    Ok(Loaded { names, kind: DataKind::Enco, data: Data::Rows(data), truth: found.dag })
}

fn dcdi(path: &Path, found: Regimes, columns: Columns) -> Result<Loaded, DataError> {
    let d = found.data.ncols();
    let mut regimes: Vec<Regime> = found.targets.iter().map(Regime::from).collect();
    let mut all = found.data;
    if let Some(more) = found.observational {
        let rows = all.nrows();
        all = all.resize_vertically(rows + more.nrows(), 0.0);
        all.rows_mut(rows, more.nrows()).copy_from(&more);
        regimes.extend(vec![Regime::OBSERVATIONAL; more.nrows()]);
    }
    let regime_of = (0..regimes.len()).collect();
    let columns = typed_of(path, "data", &all, columns)?;
    let data = Samples::new(columns, regimes, regime_of).map_err(values(path))?;
    let names = numbered("x", d);
    Ok(Loaded { names, kind: DataKind::Dcdi, data: Data::Rows(data), truth: Some(found.dag) })
}

fn typed_of(
    path: &Path,
    array: &'static str,
    x: &DMatrix<f64>,
    columns: Columns,
) -> Result<Vec<Column>, DataError> {
    typed(x, &kinds(x, columns)).map_err(|(expected, got)| DataError::Array {
        path: path.to_owned(),
        array,
        expected,
        got,
    })
}
