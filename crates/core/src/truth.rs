use std::ops::Range;

use nalgebra::DMatrix;
use thiserror::Error;

use crate::{Dag, InterventionTarget};

/// What is known about the causal variables behind the pairs; any part may be missing.
///
/// Matrices are `[n, d]`, one row per pair. Training cannot name this type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroundTruth {
    /// Causal variables before the intervention.
    pub z_before: Option<DMatrix<f64>>,
    /// Causal variables after the intervention.
    pub z_after: Option<DMatrix<f64>>,
    /// Noise encodings before the intervention.
    pub e_before: Option<DMatrix<f64>>,
    /// Noise encodings after the intervention.
    pub e_after: Option<DMatrix<f64>>,
    /// What was intervened upon, per pair.
    pub targets: Option<Vec<InterventionTarget>>,
    /// The causal graph.
    pub dag: Option<Dag>,
    /// Names of the variables.
    pub names: Option<Vec<String>>,
}

/// Why parts of a truth contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TruthError {
    /// A part has the wrong number of rows.
    #[error("{part}: expected {expected} rows, one per pair, got {got}")]
    Rows {
        /// Name of the part.
        part: &'static str,
        /// Number of pairs.
        expected: usize,
        /// Rows found.
        got: usize,
    },
    /// Two parts speak of different numbers of variables.
    #[error("{part} has {got} variables, expected {expected} as in {other}")]
    Dim {
        /// Name of the part.
        part: &'static str,
        /// Variables in this part.
        got: usize,
        /// Variables in the other part.
        expected: usize,
        /// Name of the other part.
        other: &'static str,
    },
    /// A target names a variable that does not exist.
    #[error("target[{row}]: expected 0 (none) to {dim}, got {label}")]
    Target {
        /// Row of the target.
        row: usize,
        /// Number of variables.
        dim: usize,
        /// The label found.
        label: usize,
    },
    /// A value is NaN or infinite.
    #[error("{part}[{row}, {col}]: expected a finite number")]
    NotFinite {
        /// Name of the part.
        part: &'static str,
        /// Row of the value.
        row: usize,
        /// Column of the value.
        col: usize,
    },
}

impl GroundTruth {
    /// The matrices that are present, with their names.
    pub fn matrices(&self) -> impl Iterator<Item = (&'static str, &DMatrix<f64>)> {
        [
            ("z_before", &self.z_before),
            ("z_after", &self.z_after),
            ("e_before", &self.e_before),
            ("e_after", &self.e_after),
        ]
        .into_iter()
        .filter_map(|(name, m)| m.as_ref().map(|m| (name, m)))
    }

    /// Number of causal variables, where any part tells.
    pub fn dim(&self) -> Option<usize> {
        self.sized_parts().next().map(|(_, dim)| dim)
    }

    /// Whether nothing at all is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that all parts fit each other and `pairs` rows.
    ///
    /// # Errors
    /// [`TruthError`] naming the part that does not fit and what was expected.
    pub fn checked(self, pairs: usize) -> Result<Self, TruthError> {
        for (part, m) in self.matrices() {
            if m.nrows() != pairs {
                return Err(TruthError::Rows { part, expected: pairs, got: m.nrows() });
            }
            let bad = m.iter().position(|v| !v.is_finite());
            if let Some(at) = bad {
                let (row, col) = (at % pairs, at / pairs);
                return Err(TruthError::NotFinite { part, row, col });
            }
        }
        let first = self.sized_parts().next();
        for (part, got) in self.sized_parts() {
            if let Some((other, expected)) = first
                && got != expected
            {
                return Err(TruthError::Dim { part, got, expected, other });
            }
        }
        self.check_targets(pairs)?;
        Ok(self)
    }

    /// The truth of a range of rows.
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let cut = |m: &Option<DMatrix<f64>>| {
            m.as_ref().map(|m| m.rows(rows.start, rows.len()).into_owned())
        };
        Self {
            z_before: cut(&self.z_before),
            z_after: cut(&self.z_after),
            e_before: cut(&self.e_before),
            e_after: cut(&self.e_after),
            targets: self.targets.as_ref().map(|t| t[rows.clone()].to_vec()),
            dag: self.dag.clone(),
            names: self.names.clone(),
        }
    }

    fn sized_parts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.matrices()
            .map(|(name, m)| (name, m.ncols()))
            .chain(self.dag.iter().map(|dag| ("adjacency", dag.dim())))
            .chain(self.names.iter().map(|names| ("names", names.len())))
    }

    fn check_targets(&self, pairs: usize) -> Result<(), TruthError> {
        let Some(targets) = &self.targets else { return Ok(()) };
        if targets.len() != pairs {
            return Err(TruthError::Rows { part: "target", expected: pairs, got: targets.len() });
        }
        let Some(dim) = self.dim() else { return Ok(()) };
        for (row, target) in targets.iter().enumerate() {
            if let Some(&k) = target.variables().iter().find(|&&k| k >= dim) {
                return Err(TruthError::Target { row, dim, label: k + 1 });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(n: usize, d: usize) -> GroundTruth {
        GroundTruth {
            z_before: Some(DMatrix::zeros(n, d)),
            targets: Some(vec![InterventionTarget::Atomic(d - 1); n]),
            dag: Some(Dag::chain(d)),
            ..GroundTruth::default()
        }
    }

    #[test]
    fn parts_that_agree_pass() {
        assert_eq!(truth(5, 3).checked(5).unwrap().slice(1..3), truth(2, 3));
        assert_eq!(GroundTruth::default().checked(9).unwrap().dim(), None);
    }

    #[test]
    fn each_contradiction_is_named() {
        let text = |t: GroundTruth| t.checked(5).unwrap_err().to_string();
        assert_eq!(text(truth(4, 3)), "z_before: expected 5 rows, one per pair, got 4");
        let other = GroundTruth { dag: Some(Dag::chain(2)), ..truth(5, 3) };
        assert_eq!(text(other), "adjacency has 2 variables, expected 3 as in z_before");
        let stray = vec![InterventionTarget::None, InterventionTarget::Atomic(3)];
        let stray = [stray, vec![InterventionTarget::None; 3]].concat();
        let stray = GroundTruth { targets: Some(stray), ..truth(5, 3) };
        assert_eq!(text(stray), "target[1]: expected 0 (none) to 3, got 4");
        let mut nan = truth(5, 3);
        nan.z_before.as_mut().unwrap()[(2, 1)] = f64::NAN;
        assert_eq!(text(nan), "z_before[2, 1]: expected a finite number");
    }
}
