use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// Which variables an intervention set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InterventionTarget {
    /// Nothing was done: before and after show the same state.
    None,
    /// One variable was set.
    Atomic(usize),
    /// Several variables were set at once; ascending, at least two.
    Several(Vec<usize>),
}

impl InterventionTarget {
    /// The target of a label: 0 is none, `k` is variable `k − 1`.
    pub fn from_label(label: usize) -> Self {
        label.checked_sub(1).map_or(Self::None, Self::Atomic)
    }

    /// The target of a mask `[d]`: the variables marked `true`.
    pub fn from_mask(mask: &[bool]) -> Self {
        let set: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
        match set[..] {
            [] => Self::None,
            [one] => Self::Atomic(one),
            _ => Self::Several(set),
        }
    }

    /// The most probable set of each pair, from probabilities `[n, d]` that each variable was set.
    pub fn most_probable(probs: &DMatrix<f64>) -> Vec<Self> {
        let mask = |row: usize| probs.row(row).iter().map(|p| *p > 0.5).collect::<Vec<_>>();
        (0..probs.nrows()).map(|row| Self::from_mask(&mask(row))).collect()
    }

    /// The labels of all that was set, `k + 1` for variable `k`; 0 alone where nothing was.
    pub fn labels(&self) -> Vec<usize> {
        match self.variables() {
            [] => vec![0],
            set => set.iter().map(|k| k + 1).collect(),
        }
    }

    /// The label, 0 for none and `k + 1` for variable `k`; nothing where several were set.
    pub fn label(&self) -> Option<usize> {
        match self {
            Self::None => Some(0),
            Self::Atomic(k) => Some(k + 1),
            Self::Several(_) => None,
        }
    }

    /// The variables that were set, ascending.
    pub fn variables(&self) -> &[usize] {
        match self {
            Self::None => &[],
            Self::Atomic(k) => std::slice::from_ref(k),
            Self::Several(set) => set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_masks_agree() {
        for label in 0..4 {
            let target = InterventionTarget::from_label(label);
            let mask: Vec<bool> = (0..3).map(|i| target.variables().contains(&i)).collect();
            assert_eq!(InterventionTarget::from_mask(&mask), target);
            assert_eq!(target.label(), Some(label));
        }
    }

    #[test]
    fn more_likely_than_not_is_set() {
        let probs = DMatrix::from_row_slice(3, 2, &[0.9, 0.6, 0.1, 0.5, 0.2, 0.7]);
        let expected = [
            InterventionTarget::Several(vec![0, 1]),
            InterventionTarget::None,
            InterventionTarget::Atomic(1),
        ];
        assert_eq!(InterventionTarget::most_probable(&probs), expected);
    }

    #[test]
    fn every_variable_that_was_set_has_a_label() {
        assert_eq!(InterventionTarget::None.labels(), [0]);
        assert_eq!(InterventionTarget::from_mask(&[true, false, true]).labels(), [1, 3]);
    }

    #[test]
    fn several_targets_have_no_label() {
        let target = InterventionTarget::from_mask(&[true, false, true]);
        assert_eq!(target.variables(), [0, 2]);
        assert_eq!(target.label(), None);
    }
}
