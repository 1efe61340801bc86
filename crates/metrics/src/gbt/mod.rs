//! Gradient-boosted trees, as scikit-learn's `GradientBoostingRegressor` and
//! `GradientBoostingClassifier` fit them.

mod classifier;
mod columns;
mod cut;
mod importance;
mod tree;

use rand::Rng;
use serde::{Deserialize, Serialize};

pub use self::classifier::GbtClassifier;
pub use self::columns::Columns;
pub(crate) use self::importance::GainLedger;
pub use self::importance::TreeImportance;
pub(crate) use self::tree::{Grower, LeafRule, Tree};
use crate::MetricError;

/// Options of [`Gbt`]; the defaults are scikit-learn's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GbtOptions {
    /// Number of trees.
    pub stages: usize,
    /// Share of each tree's value that is added to the prediction, above 0 and at most 1.
    pub learning_rate: f64,
    /// Number of splits from a tree's root to its deepest leaves.
    pub max_depth: usize,
}

impl Default for GbtOptions {
    fn default() -> Self {
        Self { stages: 100, learning_rate: 0.1, max_depth: 3 }
    }
}

impl GbtOptions {
    pub(crate) fn check(&self) -> Result<(), MetricError> {
        let value = self.learning_rate;
        if value > 0.0 && value <= 1.0 {
            return Ok(());
        }
        Err(MetricError::Option { name: "learning_rate", expected: "above 0, at most 1", value })
    }
}

/// A fitted ensemble `F(x) = mean(y) + rate · Σ_t tree_t(x)` of least-squares regression trees.
///
/// Each tree is grown on the residuals `y − F` by exact greedy splits: every midpoint between two
/// neighbouring values of every feature is tried and the one with the largest decrease of squared
/// error taken. Features are visited in an order that is random at every node and the first best
/// wins, so that tied features share their importance. Features are rounded to single precision;
/// values closer than 1e-7 are not parted; a node of variance at most 2.2e-16 is a leaf.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{Columns, Gbt, GbtOptions, TreeImportance};
/// use nalgebra::DMatrix;
///
/// let x = DMatrix::from_fn(100, 2, |i, j| if j == 0 { i as f64 } else { 1.0 });
/// let y: Vec<f64> = (0..100).map(|i| if i < 50 { -1.0 } else { 1.0 }).collect();
///
/// let columns = Columns::new(&x)?;
/// let gbt = Gbt::fit(&columns, &y, &GbtOptions::default(), &mut Seed(0).rng(Stream::Eval))?;
/// assert_eq!(gbt.importances(TreeImportance::default()), [1.0, 0.0]);
/// assert!((gbt.predict(&columns)?[99] - 1.0).abs() < 1e-4);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// Friedman, *Greedy function approximation: a gradient boosting machine*, Annals of Statistics
/// 2001, algorithm 2; details as in scikit-learn 0.20 and later.
#[derive(Clone, Debug)]
pub struct Gbt {
    init: f64,
    rate: f64,
    trees: Vec<Tree>,
    gains: GainLedger,
    fitted: Vec<f64>,
}

impl Gbt {
    /// Fits targets `y`, `[n]`, on features `[n, D]`.
    ///
    /// # Errors
    /// [`MetricError::Rows`] if there are more or fewer targets than points,
    /// [`MetricError::NotFinite`] for the first target that is not finite,
    /// [`MetricError::Option`] for a learning rate outside its range.
    pub fn fit(
        columns: &Columns,
        y: &[f64],
        options: &GbtOptions,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetricError> {
        options.check()?;
        check_targets(columns, y)?;
        let init = y.iter().sum::<f64>() / y.len() as f64;
        let mut fitted = vec![init; y.len()];
        let mut residuals = vec![0.0; y.len()];
        let mut grower = Grower::new(columns, options.max_depth);
        let mut trees = Vec::with_capacity(options.stages);
        let mut gains = GainLedger::new(columns.dim());
        for _ in 0..options.stages {
            for ((r, y), f) in residuals.iter_mut().zip(y).zip(&fitted) {
                *r = y - f;
            }
            let rate = options.learning_rate;
            trees.push(grower.grow(&residuals, LeafRule::Mean, &mut fitted, rate, rng));
            gains.add(grower.gains());
        }
        Ok(Self { init, rate: options.learning_rate, trees, gains, fitted })
    }

    /// The prediction at each point it was fitted on, `[n]`.
    pub fn fitted(&self) -> &[f64] {
        &self.fitted
    }

    /// Importance of each feature, `[D]`: they sum to 1, or are all 0 where no tree has a split.
    pub fn importances(&self, convention: TreeImportance) -> Vec<f64> {
        self.gains.importances(convention)
    }

    /// The prediction at each point, `[n]`.
    ///
    /// # Errors
    /// [`MetricError::Dim`] if there are more or fewer features than it was fitted on.
    pub fn predict(&self, columns: &Columns) -> Result<Vec<f64>, MetricError> {
        crate::sample::check_dim("latents", self.gains.dim(), columns.dim())?;
        let predict = |point| {
            let sum: f64 = self.trees.iter().map(|tree| tree.value(columns, point)).sum();
            self.init + self.rate * sum
        };
        Ok((0..columns.len()).map(predict).collect())
    }
}

fn check_targets(columns: &Columns, y: &[f64]) -> Result<(), MetricError> {
    if y.len() != columns.len() {
        return Err(MetricError::Rows { what: "targets", expected: columns.len(), got: y.len() });
    }
    let Some(row) = y.iter().position(|v| !v.is_finite()) else { return Ok(()) };
    Err(MetricError::NotFinite { what: "targets", row, col: 0, value: y[row] })
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use nalgebra::DMatrix;
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;

    fn noise(n: usize, d: usize, seed: u64) -> DMatrix<f64> {
        let mut rng = Seed(seed).rng(Stream::Data);
        DMatrix::from_fn(n, d, |_, _| rng.random::<f64>())
    }

    fn fit(x: &DMatrix<f64>, y: &[f64], seed: u64) -> Gbt {
        let columns = Columns::new(x).unwrap();
        let mut rng = Seed(seed).rng(Stream::Eval);
        Gbt::fit(&columns, y, &GbtOptions::default(), &mut rng).unwrap()
    }

    #[test]
    fn one_stump_predicts_the_two_means() {
        let x = DMatrix::from_column_slice(4, 1, &[1.0, 2.0, 3.0, 4.0]);
        let options = GbtOptions { stages: 1, learning_rate: 1.0, max_depth: 1 };
        let columns = Columns::new(&x).unwrap();
        let mut rng = Seed(0).rng(Stream::Eval);
        let gbt = Gbt::fit(&columns, &[0.0, 2.0, 10.0, 12.0], &options, &mut rng).unwrap();
        assert_eq!(gbt.fitted(), [1.0, 1.0, 11.0, 11.0]);

        let between = Columns::new(&DMatrix::from_column_slice(2, 1, &[2.49, 2.51])).unwrap();
        assert_eq!(gbt.predict(&between).unwrap(), [1.0, 11.0]);
    }

    #[test]
    fn constant_targets_and_constant_features_give_no_importance() {
        let x = noise(50, 3, 1);
        assert_eq!(fit(&x, &[2.5; 50], 0).importances(TreeImportance::default()), [0.0; 3]);
        let y: Vec<f64> = x.column(0).iter().copied().collect();
        let flat = fit(&DMatrix::from_element(50, 3, 7.0), &y, 0);
        assert_eq!(flat.importances(TreeImportance::default()), [0.0; 3]);
        let mean = y.iter().sum::<f64>() / 50.0;
        assert!(flat.fitted().iter().all(|f| (f - mean).abs() < 1e-12));
    }

    #[test]
    fn an_exact_copy_shares_the_importance() {
        let z = noise(200, 1, 2);
        let x = DMatrix::from_fn(200, 2, |i, _| z[i]);
        let y: Vec<f64> = z.iter().map(|v| (6.0 * v).sin()).collect();
        let mut shares: Vec<f64> = (0..8)
            .map(|seed| fit(&x, &y, seed).importances(TreeImportance::default())[0])
            .collect();
        shares.sort_by(f64::total_cmp);
        assert!(shares[0] < 0.5 && shares[7] > 0.5, "{shares:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn predictions_at_the_fitted_points_are_the_fitted_values(seed in 0u64..1000) {
            let x = noise(60, 3, seed);
            let y: Vec<f64> = (0..60).map(|i| x[(i, 0)] * x[(i, 1)] - x[(i, 2)]).collect();
            let gbt = fit(&x, &y, seed);
            for (p, f) in gbt.predict(&Columns::new(&x).unwrap()).unwrap().iter().zip(gbt.fitted()) {
                prop_assert!((p - f).abs() < 1e-12);
            }
            prop_assert!((gbt.importances(TreeImportance::default()).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }

        #[test]
        fn only_the_order_of_a_feature_matters_to_the_fit(seed in 0u64..1000) {
            let x = noise(60, 2, seed);
            let y: Vec<f64> = (0..60).map(|i| (3.0 * x[(i, 0)]).sin() + x[(i, 1)]).collect();
            let warped = x.map(|v| (4.0 * v).exp());
            let fits = [fit(&x, &y, 0), fit(&warped, &y, 0)];
            prop_assert_eq!(fits[0].fitted(), fits[1].fitted());
        }
    }
}
