use domino_core::Embedding;
use nalgebra::DMatrix;

use crate::DagError;

/// Noise codes of pairs and the beliefs about what was intervened upon.
///
/// All values are finite, there is at least one pair and one variable, and the shapes agree.
#[derive(Clone, Debug, PartialEq)]
pub struct PairCodes {
    before: DMatrix<f64>,
    after: DMatrix<f64>,
    target_probs: DMatrix<f64>,
}

impl PairCodes {
    /// Codes `before` and `after`, `[n, d]`, with target probabilities `[n, d + 1]`, column 0 for
    /// "none" and column `k + 1` for variable `k`.
    ///
    /// The codes need no particular mean or scale.
    ///
    /// # Errors
    /// [`DagError::Empty`] without pairs or variables, [`DagError::Shape`] if the shapes disagree,
    /// [`DagError::NotFinite`] for a NaN or infinity, [`DagError::NotProbability`] for a target
    /// probability outside 0 to 1.
    pub fn new(
        before: DMatrix<f64>,
        after: DMatrix<f64>,
        target_probs: DMatrix<f64>,
    ) -> Result<Self, DagError> {
        let (n, d) = before.shape();
        if n == 0 || d == 0 {
            return Err(DagError::Empty { pairs: n, dim: d });
        }
        check_shape("after", &after, [n, d])?;
        check_shape("target_probs", &target_probs, [n, d + 1])?;
        for (what, m) in [("before", &before), ("after", &after), ("target_probs", &target_probs)] {
            if let Some((row, col, value)) = find(m, |v| !v.is_finite()) {
                return Err(DagError::NotFinite { what, row, col, value });
            }
        }
        if let Some((row, col, value)) = find(&target_probs, |p| !(0.0..=1.0).contains(&p)) {
            return Err(DagError::NotProbability { row, col, value });
        }
        Ok(Self { before, after, target_probs })
    }

    /// The codes of a fitted model.
    ///
    /// # Errors
    /// As [`PairCodes::new`].
    pub fn from_embedding(embedding: &Embedding) -> Result<Self, DagError> {
        let Embedding { e_before, e_after, target_probs, .. } = embedding;
        Self::new(e_before.clone(), e_after.clone(), target_probs.clone())
    }

    /// The given pairs, repeats included, as a bootstrap draws them.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let part = |m: &DMatrix<f64>| m.select_rows(rows);
        let [before, after] = [&self.before, &self.after].map(part);
        Self { before, after, target_probs: part(&self.target_probs) }
    }

    /// Codes before the intervention, `[n, d]`.
    pub fn before(&self) -> &DMatrix<f64> {
        &self.before
    }

    /// Codes after the intervention, `[n, d]`.
    pub fn after(&self) -> &DMatrix<f64> {
        &self.after
    }

    /// Posterior over targets, `[n, d + 1]`; column 0 is "none".
    pub fn target_probs(&self) -> &DMatrix<f64> {
        &self.target_probs
    }

    /// Number of pairs `n`.
    pub fn len(&self) -> usize {
        self.before.nrows()
    }

    /// Always false: there is at least one pair.
    pub fn is_empty(&self) -> bool {
        self.before.nrows() == 0
    }

    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.before.ncols()
    }
}

pub(crate) fn check_shape(
    what: &'static str,
    m: &DMatrix<f64>,
    expected: [usize; 2],
) -> Result<(), DagError> {
    let got = [m.nrows(), m.ncols()];
    if got == expected { Ok(()) } else { Err(DagError::Shape { what, expected, got }) }
}

/// Place and value of the first entry, column by column, that is `bad`.
fn find(m: &DMatrix<f64>, bad: impl Fn(f64) -> bool) -> Option<(usize, usize, f64)> {
    let at = m.iter().position(|&v| bad(v))?;
    let (row, col) = (at % m.nrows(), at / m.nrows());
    Some((row, col, m[(row, col)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(before: [usize; 2], after: [usize; 2], probs: [usize; 2], value: f64) -> String {
        let filled = |[n, d]: [usize; 2]| DMatrix::from_element(n, d, value);
        PairCodes::new(filled(before), filled(after), filled(probs)).unwrap_err().to_string()
    }

    #[test]
    fn shapes_must_agree() {
        assert_eq!(
            refusal([5, 2], [5, 3], [5, 3], 0.0),
            "after: expected shape [5, 2], got [5, 3]"
        );
        assert_eq!(
            refusal([5, 2], [5, 2], [5, 2], 0.0),
            "target_probs: expected shape [5, 3], got [5, 2]"
        );
        assert_eq!(
            refusal([0, 2], [0, 2], [0, 3], 0.0),
            "expected at least one pair and one variable, got 0 pairs of 2 variables"
        );
    }

    #[test]
    fn values_out_of_range_are_named_by_place() {
        let nan = refusal([5, 2], [5, 2], [5, 3], f64::NAN);
        assert_eq!(nan, "before[0, 0]: expected a finite number, got NaN");
        let mut probs = DMatrix::zeros(5, 3);
        probs[(4, 1)] = 1.5;
        let codes = DMatrix::zeros(5, 2);
        assert_eq!(
            PairCodes::new(codes.clone(), codes, probs).unwrap_err().to_string(),
            "target_probs[4, 1]: expected a probability from 0 to 1, got 1.5"
        );
    }
}
