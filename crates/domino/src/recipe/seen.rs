//! Causal variables taken for seen ones.

use domino_core::Stream;
use domino_dag::{LearnedGraph, PairRegression, PairVariables, StructureLearner};
use domino_train::TrainContext;
use nalgebra::DMatrix;

use super::FitError;
use super::variables::{Codes, rows_by_target};

/// How far variables may move under interventions on what comes after them, as the mean of half the squared changes in
/// variances, for a graph to be learned from them: errors in variables make up edges. On development worlds of eight
/// and sixteen variables it is at most .0022 where the variables are right, and .007 to .1 where they are not.
pub(super) const STEADY: f64 = 0.003;

impl Codes {
    /// By how much these variables move under interventions on those that come later in an order: the mean over pairs
    /// of variables of `E[(z'_j − z_j)²] / 2 Var z_j`, 0 where causes come first and nothing is wrong.
    pub(super) fn unsteadiness(&self, labels: &[usize], order: &[usize]) -> f64 {
        let (changes, variance) = (self.changes(), self.before.row_variance());
        let rows = rows_by_target(labels, order.len());
        let (mut sum, mut count) = (0.0, 0);
        for (place, &j) in order.iter().enumerate() {
            let later = order[place + 1..].iter().map(|&k| &rows[k]);
            for rows in later.filter(|rows| !rows.is_empty()) {
                let squares: f64 = rows.iter().map(|&row| changes[(row, j)].powi(2)).sum();
                sum += squares / (2.0 * rows.len() as f64 * variance[j].max(f64::MIN_POSITIVE));
                count += 1;
            }
        }
        sum / f64::from(count.max(1))
    }

    /// The graph over these variables, `labels [n]` the targets, 0 for none.
    pub(super) fn graph(
        &self,
        labels: &[usize],
        learner: &PairRegression,
        context: &TrainContext<'_>,
    ) -> Result<LearnedGraph, FitError> {
        let mut rng = context.seed.rng_at(Stream::Eval, 2);
        Ok(learner.learn(&self.seen(labels)?, &mut rng)?)
    }

    /// A causal order of these variables, by what interventions move.
    pub(super) fn order(
        &self,
        labels: &[usize],
        learner: &PairRegression,
    ) -> Result<Vec<usize>, FitError> {
        Ok(learner.variable_order(&self.seen(labels)?)?)
    }

    fn seen(&self, labels: &[usize]) -> Result<PairVariables, FitError> {
        let (n, d) = self.before.shape();
        let is_named = |row: usize, k: usize| f64::from(u8::from(labels[row] == k));
        let probs = DMatrix::from_fn(n, d + 1, is_named);
        Ok(PairVariables::new(self.before.clone(), self.after.clone(), probs)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_steady_where_only_what_follows_moves() {
        // Variable 1 is set in the first two rows, of which one moves variable 0 too; 0 is set in the last.
        let before = DMatrix::from_row_slice(4, 2, &[1.0, 0.0, -1.0, 0.0, 1.0, 1.0, -1.0, 1.0]);
        let mut after = before.clone();
        after[(0, 1)] = 5.0;
        after[(1, 1)] = 7.0;
        after[(3, 0)] = 3.0;
        let steady = Codes { before: before.clone(), after: after.clone() };
        let labels = [2, 2, 0, 1];
        assert!(steady.unsteadiness(&labels, &[0, 1]).abs() < 1e-12);
        after[(1, 0)] = -0.8;
        let moved = Codes { before, after };
        let expected = 0.04 / 2.0 / (2.0 * moved.before.column(0).variance());
        assert!((moved.unsteadiness(&labels, &[0, 1]) - expected).abs() < 1e-12);
        // The other way round variable 1 rests while 0 is set.
        assert!(moved.unsteadiness(&labels, &[1, 0]).abs() < 1e-12);
    }
}
