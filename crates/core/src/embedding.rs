use nalgebra::DMatrix;

use crate::InterventionTarget;

/// What a fitted model says of pairs: everything downstream of training reads this.
///
/// Rows are as in the data; columns are the model's variables, whose order is arbitrary.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Causal variables of `before`, `[n, d]`.
    pub z_before: DMatrix<f64>,
    /// Causal variables of `after`, `[n, d]`.
    pub z_after: DMatrix<f64>,
    /// Noise encodings of `before`, `[n, d]`.
    pub e_before: DMatrix<f64>,
    /// Noise encodings of `after`, `[n, d]`.
    pub e_after: DMatrix<f64>,
    /// Posterior over targets, `[n, d + 1]`; column 0 is "none". Where several variables may have been set at
    /// once, the rest is divided among the variables in proportion to `set_probs`.
    pub target_probs: DMatrix<f64>,
    /// Probability that each variable was set, `[n, d]`, where several may have been at once.
    pub set_probs: Option<DMatrix<f64>>,
    /// Edge probabilities, `[d, d]`; `[i, j]` is the belief in `i -> j`.
    pub edge_probs: DMatrix<f64>,
}

impl Embedding {
    /// Number of variables `d`.
    pub fn dim(&self) -> usize {
        self.z_before.ncols()
    }

    /// Number of pairs `n`.
    pub fn len(&self) -> usize {
        self.z_before.nrows()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most probable target label of each pair, `[n]`: 0 for none, `k + 1` for variable `k`.
    pub fn target_labels(&self) -> Vec<usize> {
        self.target_probs.row_iter().map(|row| row.transpose().argmax().0).collect()
    }

    /// What was most probably set in each pair, `[n]`: as many variables as there may have been at once.
    pub fn targets(&self) -> Vec<InterventionTarget> {
        match &self.set_probs {
            Some(probs) => InterventionTarget::most_probable(probs),
            None => self.target_labels().into_iter().map(InterventionTarget::from_label).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_most_probable_targets() {
        let probs = DMatrix::from_row_slice(2, 3, &[0.1, 0.2, 0.7, 0.6, 0.4, 0.0]);
        let blank = DMatrix::zeros(2, 2);
        let embedding = Embedding {
            z_before: blank.clone(),
            z_after: blank.clone(),
            e_before: blank.clone(),
            e_after: blank.clone(),
            target_probs: probs,
            set_probs: None,
            edge_probs: blank,
        };
        assert_eq!(embedding.target_labels(), [2, 0]);
        let expected = [InterventionTarget::Atomic(1), InterventionTarget::None];
        assert_eq!(embedding.targets(), expected);
        let sets = DMatrix::from_row_slice(2, 2, &[0.9, 0.8, 0.4, 0.6]);
        let expected = [InterventionTarget::Several(vec![0, 1]), InterventionTarget::Atomic(1)];
        assert_eq!(Embedding { set_probs: Some(sets), ..embedding }.targets(), expected);
    }
}
