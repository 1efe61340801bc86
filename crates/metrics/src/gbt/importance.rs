use serde::{Deserialize, Serialize};

/// How the gains of the splits of many trees become importances.
///
/// The choice moves disentanglement scores by several tenths: late trees split hardly any variance,
/// but count as much as the first under [`TreeImportance::PerTree`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeImportance {
    /// Share in the decrease of squared error over all splits of all trees: scikit-learn from
    /// version 0.20.
    #[default]
    Pooled,
    /// Mean over the trees of the share in the decrease within each tree: scikit-learn to
    /// version 0.19, and random forests in every version.
    PerTree,
}

/// Gains of the features in the trees of an ensemble.
#[derive(Clone, Debug)]
pub(crate) struct GainLedger {
    /// Sum of the gains over all trees, `[D]`.
    pooled: Vec<f64>,
    /// Sum over all trees of each tree's shares, `[D]`.
    shares: Vec<f64>,
}

impl GainLedger {
    pub(crate) fn new(dim: usize) -> Self {
        Self { pooled: vec![0.0; dim], shares: vec![0.0; dim] }
    }

    pub(crate) fn dim(&self) -> usize {
        self.pooled.len()
    }

    /// Adds the gains of one tree, `[D]`.
    pub(crate) fn add(&mut self, gains: &[f64]) {
        for (sum, gain) in self.pooled.iter_mut().zip(gains) {
            *sum += gain;
        }
        for (sum, share) in self.shares.iter_mut().zip(normalised(gains)) {
            *sum += share;
        }
    }

    /// Importances `[D]` that sum to 1, or are all 0 where nothing was gained.
    pub(crate) fn importances(&self, convention: TreeImportance) -> Vec<f64> {
        match convention {
            TreeImportance::Pooled => normalised(&self.pooled),
            TreeImportance::PerTree => normalised(&self.shares),
        }
    }
}

fn normalised(gains: &[f64]) -> Vec<f64> {
    let total: f64 = gains.iter().sum();
    let scale = if total > 0.0 { 1.0 / total } else { 0.0 };
    gains.iter().map(|gain| gain * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_tree_counts_only_where_trees_are_normalised() {
        let mut ledger = GainLedger::new(2);
        ledger.add(&[8.0, 0.0]);
        ledger.add(&[0.0, 2.0]);
        ledger.add(&[0.0, 0.0]);
        assert_eq!(ledger.importances(TreeImportance::Pooled), [0.8, 0.2]);
        assert_eq!(ledger.importances(TreeImportance::PerTree), [0.5, 0.5]);
    }
}
