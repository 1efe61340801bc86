use std::path::Path;

use domino_core::Dag;
use nalgebra::DMatrix;

use super::error::FormatError;
use super::temporal::matrix;
use crate::npz::{Archive, Expected, Limits};

const OBSERVED: Expected = Expected { name: "data_obs", content: "[M, n] numbers" };
const INTERVENED: Expected = Expected { name: "data_int", content: "[n, K, n] numbers" };
const GRAPH: Expected =
    Expected { name: "adj_matrix", content: "[n, n] zeros and ones, [i, j] = 1 for i -> j" };

/// Samples of a causal model without and under single interventions. They are not pairs: each sample
/// has noise of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Without interventions, `[M, n]`; numbers of categories where variables are categorical.
    pub observational: DMatrix<f64>,
    /// Under an intervention on variable `i`, `[K, n]` each.
    pub interventional: Vec<DMatrix<f64>>,
    /// The causal graph.
    pub dag: Option<Dag>,
}

/// Reads a file in the form of ENCO's exports.
///
/// # Errors
/// [`FormatError`] if arrays are missing, disagree or are not finite, or if the graph is cyclic.
///
/// Lippe, Cohen & Gavves, *Efficient Neural Causal Discovery without Acyclicity Constraints*, ICLR
/// 2022, arXiv 2107.10483.
pub fn enco(path: &Path, limits: Limits) -> Result<Samples, FormatError> {
    let mut archive = Archive::open(path, limits)?;
    let malformed = |array: Expected, expected: String, got: String| FormatError::Malformed {
        path: path.to_owned(),
        place: array.name.into(),
        expected,
        got,
    };
    let observational = matrix(&mut archive, OBSERVED)?;
    let n = observational.ncols();
    if let Some(at) = observational.iter().position(|v| !v.is_finite()) {
        let got = format!("{} in row {}", observational[at], at % observational.nrows());
        return Err(malformed(OBSERVED, "finite numbers".into(), got));
    }
    let array = archive.require(INTERVENED)?;
    let shape = array.shape().to_vec();
    let [variables, rows, width] = shape[..] else {
        return Err(malformed(INTERVENED, INTERVENED.content.into(), format!("shape {shape:?}")));
    };
    if variables != n || width != n || rows == 0 {
        let expected = format!("shape [{n}, K, {n}], as {} has {n} variables", OBSERVED.name);
        return Err(malformed(INTERVENED, expected, format!("{shape:?}")));
    }
    let values = array.into_floats(INTERVENED.content);
    let values = values.map_err(|reason| archive.error(INTERVENED, reason))?;
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        return Err(malformed(
            INTERVENED,
            "finite numbers".into(),
            format!("{} at {at}", values[at]),
        ));
    }
    let of_variable = |rows_of: &[f64]| DMatrix::from_row_slice(rows, n, rows_of);
    let interventional = values.chunks_exact(rows * n).map(of_variable).collect();
    let dag = if archive.holds(GRAPH.name) {
        let adjacency = matrix(&mut archive, GRAPH)?;
        let dag = Dag::from_adjacency(&adjacency);
        Some(dag.map_err(|reason| FormatError::Graph { path: path.to_owned(), reason })?)
    } else {
        None
    };
    if let Some(got) = dag.as_ref().map(Dag::dim).filter(|d| *d != n) {
        return Err(malformed(GRAPH, format!("{n} variables"), got.to_string()));
    }
    Ok(Samples { observational, interventional, dag })
}
