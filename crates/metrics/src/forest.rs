use rand::{Rng, RngExt};

use crate::gbt::{Columns, GainLedger, Grower, LeafRule, Tree, TreeImportance};

/// A regression forest: the mean of trees that are each grown on `n` points drawn with replacement.
///
/// Every split is the best over all features, as in [`Gbt`](crate::Gbt), and every leaf holds the
/// mean of its points: scikit-learn's `RandomForestRegressor` with its defaults.
///
/// Breiman, *Random forests*, Machine Learning 2001.
#[derive(Clone, Debug)]
pub(crate) struct Forest {
    trees: Vec<Tree>,
    gains: GainLedger,
}

impl Forest {
    /// Fits targets `[n]` by `trees` trees of at most `max_depth` splits from root to leaf.
    pub(crate) fn fit(
        columns: &Columns,
        y: &[f64],
        (trees, max_depth): (usize, usize),
        rng: &mut dyn Rng,
    ) -> Self {
        let n = y.len();
        let mut gains = GainLedger::new(columns.dim());
        let mut grow = || {
            let mut copies = vec![0; n];
            for _ in 0..n {
                copies[rng.random_range(0..n)] += 1;
            }
            let mut grower = Grower::on_bag(columns, &copies, max_depth);
            let tree = grower.grow(y, LeafRule::Mean, &mut vec![0.0; n], 1.0, rng);
            gains.add(grower.gains());
            tree
        };
        let trees = (0..trees).map(|_| grow()).collect();
        Self { trees, gains }
    }

    /// Mean over the trees of each feature's share in the decrease of squared error, `[D]`.
    pub(crate) fn importances(&self) -> Vec<f64> {
        self.gains.importances(TreeImportance::PerTree)
    }

    /// The prediction at each point, `[n]`.
    pub(crate) fn predict(&self, columns: &Columns) -> Vec<f64> {
        let sum = |i: usize| self.trees.iter().map(|tree| tree.value(columns, i)).sum::<f64>();
        (0..columns.len()).map(|i| sum(i) / self.trees.len() as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use nalgebra::DMatrix;

    use super::*;

    fn fit(x: &DMatrix<f64>, y: &[f64], size: (usize, usize)) -> (Forest, Columns) {
        let columns = Columns::new(x).unwrap();
        (Forest::fit(&columns, y, size, &mut Seed(0).rng(Stream::Eval)), columns)
    }

    #[test]
    fn a_root_predicts_the_mean_of_its_bag() {
        let x = DMatrix::from_fn(2000, 1, |i, _| i as f64);
        let y: Vec<f64> = (0..2000).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        let (forest, columns) = fit(&x, &y, (3, 0));
        let prediction = forest.predict(&columns)[0];
        // The mean of three bags of 2000 coin flips; exactly 0.5 would be no bag.
        assert!((prediction - 0.5).abs() < 0.03 && (prediction - 0.5).abs() > 1e-9);
    }

    #[test]
    fn deep_trees_hold_their_points_and_name_their_feature() {
        let x = DMatrix::from_fn(300, 2, |i, j| if j == 0 { i as f64 } else { (i * 7 % 5) as f64 });
        let y: Vec<f64> = (0..300).map(|i| (f64::from(i) / 20.0).sin()).collect();
        let (forest, columns) = fit(&x, &y, (10, 12));
        for (p, y) in forest.predict(&columns).iter().zip(&y) {
            assert!((p - y).abs() < 0.1);
        }
        let importances = forest.importances();
        assert!((importances.iter().sum::<f64>() - 1.0).abs() < 1e-12 && importances[0] > 0.9);
    }
}
