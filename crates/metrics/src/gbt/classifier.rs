use rand::Rng;

use super::{Columns, GainLedger, GbtOptions, Grower, LeafRule, Tree, TreeImportance};
use crate::MetricError;
use crate::classes::class_counts;

/// Gradient-boosted trees for classes `0..c`: raw scores `F_k(x) = ln prior_k + rate · Σ_t
/// tree_tk(x)` and class probabilities `softmax(F)`; for two classes one score and the logistic
/// function.
///
/// Each stage grows one tree per class (one in all for two classes) on the residuals
/// `1[y = k] − p_k` as [`Gbt`](crate::Gbt) does; all trees of a stage see the probabilities from
/// before it. The value of a leaf is a Newton step, `(c − 1) / c · Σ r / Σ p (1 − p)`, without the
/// factor for two classes. Classes without a point are never predicted.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{Columns, GbtClassifier, GbtOptions, TreeImportance};
/// use nalgebra::DMatrix;
///
/// let x = DMatrix::from_fn(90, 2, |i, j| if j == 0 { i as f64 } else { 1.0 });
/// let labels: Vec<usize> = (0..90).map(|i| i / 30).collect();
///
/// let columns = Columns::new(&x)?;
/// let mut rng = Seed(0).rng(Stream::Eval);
/// let trees = GbtClassifier::fit(&columns, &labels, &GbtOptions::default(), &mut rng)?;
/// assert_eq!(trees.predict(&columns)?, labels);
/// assert_eq!(trees.importances(TreeImportance::default()), [1.0, 0.0]);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// Friedman 2001, algorithms 5 and 6; details as in scikit-learn's `GradientBoostingClassifier`.
#[derive(Clone, Debug)]
pub struct GbtClassifier {
    rate: f64,
    /// Classes that occur, ascending.
    present: Vec<usize>,
    /// Initial value of each score.
    init: Vec<f64>,
    /// Trees of each score, in stages.
    trees: Vec<Vec<Tree>>,
    gains: GainLedger,
    fitted: Vec<usize>,
}

impl GbtClassifier {
    /// Fits class labels, `[n]`, on features `[n, D]`.
    ///
    /// # Errors
    /// [`MetricError::Rows`] if there are more or fewer labels than points,
    /// [`MetricError::Option`] for a learning rate outside its range.
    pub fn fit(
        columns: &Columns,
        labels: &[usize],
        options: &GbtOptions,
        rng: &mut dyn Rng,
    ) -> Result<Self, MetricError> {
        options.check()?;
        let (expected, got) = (columns.len(), labels.len());
        if expected != got {
            return Err(MetricError::Rows { what: "labels", expected, got });
        }
        let counts = class_counts(labels, labels.iter().max().map_or(0, |&k| k + 1));
        let present: Vec<usize> = (0..counts.len()).filter(|&k| counts[k] > 0).collect();
        let mut boosting = Boosting::new(columns, labels, &present, options);
        for _ in 0..options.stages {
            boosting.stage(rng);
        }
        let Boosting { init, scores, trees, gains, .. } = boosting;
        let fitted = (0..got).map(|i| present[argmax(scores.iter().map(|f| f[i]))]).collect();
        Ok(Self { rate: options.learning_rate, present, init, trees, gains, fitted })
    }

    /// The class predicted at each point it was fitted on, `[n]`.
    pub fn fitted(&self) -> &[usize] {
        &self.fitted
    }

    /// Importance of each feature, `[D]`, over the trees of all classes: they sum to 1, or are all
    /// 0 where no tree has a split.
    pub fn importances(&self, convention: TreeImportance) -> Vec<f64> {
        self.gains.importances(convention)
    }

    /// The class of largest score at each point, `[n]`; the smaller class where scores tie.
    ///
    /// # Errors
    /// [`MetricError::Dim`] if there are more or fewer features than it was fitted on.
    pub fn predict(&self, columns: &Columns) -> Result<Vec<usize>, MetricError> {
        crate::sample::check_dim("latents", self.gains.dim(), columns.dim())?;
        let score = |k: usize, i: usize| {
            let sum: f64 = self.trees[k].iter().map(|tree| tree.value(columns, i)).sum();
            self.init[k] + self.rate * sum
        };
        let class = |i| self.present[argmax((0..self.init.len()).map(|k| score(k, i)))];
        Ok((0..columns.len()).map(class).collect())
    }
}

/// The position of the largest of several scores. A single score stands for two classes, of which
/// the first has score 0.
fn argmax(scores: impl ExactSizeIterator<Item = f64>) -> usize {
    let single = scores.len() == 1;
    let mut best = (0, if single { 0.0 } else { f64::NEG_INFINITY });
    for (k, score) in scores.enumerate() {
        if score > best.1 {
            best = (k + usize::from(single), score);
        }
    }
    best.0
}

/// An ensemble as it grows.
struct Boosting<'a> {
    grower: Grower<'a>,
    labels: &'a [usize],
    /// The class whose membership each score is about.
    classes: Vec<usize>,
    rate: f64,
    /// The factor of a leaf's Newton step.
    scale: f64,
    init: Vec<f64>,
    /// Raw scores, then probabilities, of every point: `[score][n]`.
    scores: Vec<Vec<f64>>,
    probabilities: Vec<Vec<f64>>,
    residuals: Vec<f64>,
    curvature: Vec<f64>,
    trees: Vec<Vec<Tree>>,
    gains: GainLedger,
}

impl<'a> Boosting<'a> {
    fn new(
        columns: &'a Columns,
        labels: &'a [usize],
        present: &[usize],
        options: &GbtOptions,
    ) -> Self {
        let n = labels.len();
        let count = |k: &usize| labels.iter().filter(|&l| l == k).count() as f64;
        let priors: Vec<f64> = present.iter().map(|k| count(k) / n as f64).collect();
        // One class needs no score, two need one, more need one each.
        let (classes, init) = match present.len() {
            0 | 1 => (Vec::new(), Vec::new()),
            2 => (vec![present[1]], vec![(priors[1] / priors[0]).ln()]),
            _ => (present.to_vec(), priors.iter().map(|p| p.ln()).collect()),
        };
        let c = present.len() as f64;
        Self {
            grower: Grower::new(columns, options.max_depth),
            labels,
            rate: options.learning_rate,
            scale: if classes.len() > 1 { (c - 1.0) / c } else { 1.0 },
            scores: init.iter().map(|&f| vec![f; n]).collect(),
            probabilities: vec![vec![0.0; n]; classes.len()],
            residuals: vec![0.0; n],
            curvature: vec![0.0; n],
            trees: vec![Vec::with_capacity(options.stages); classes.len()],
            gains: GainLedger::new(columns.dim()),
            classes,
            init,
        }
    }

    /// Adds one tree to every score.
    fn stage(&mut self, rng: &mut dyn Rng) {
        probabilities(&self.scores, &mut self.probabilities);
        for (k, &class) in self.classes.iter().enumerate() {
            let points = self.labels.iter().zip(&self.probabilities[k]);
            let targets = self.residuals.iter_mut().zip(&mut self.curvature);
            for ((&label, &p), (residual, curvature)) in points.zip(targets) {
                *residual = f64::from(u8::from(label == class)) - p;
                *curvature = p * (1.0 - p);
            }
            let rule = LeafRule::Newton { curvature: &self.curvature, scale: self.scale };
            let scores = &mut self.scores[k];
            let tree = self.grower.grow(&self.residuals, rule, scores, self.rate, rng);
            self.trees[k].push(tree);
            self.gains.add(self.grower.gains());
        }
    }
}

/// The logistic function of a single score, the softmax of several.
fn probabilities(scores: &[Vec<f64>], probabilities: &mut [Vec<f64>]) {
    if let ([scores], [probabilities]) = (scores, &mut *probabilities) {
        for (p, f) in probabilities.iter_mut().zip(scores) {
            *p = 1.0 / (1.0 + (-f).exp());
        }
        return;
    }
    let Some((first, rest)) = scores.split_first() else { return };
    let mut largest = first.clone();
    for scores in rest {
        largest.iter_mut().zip(scores).for_each(|(l, &f)| *l = l.max(f));
    }
    let mut total = vec![0.0; first.len()];
    for (scores, exps) in scores.iter().zip(&mut *probabilities) {
        for (((e, f), l), t) in exps.iter_mut().zip(scores).zip(&largest).zip(&mut total) {
            *e = (f - l).exp();
            *t += *e;
        }
    }
    for exps in probabilities {
        exps.iter_mut().zip(&total).for_each(|(e, t)| *e /= t);
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use nalgebra::DMatrix;

    use super::*;

    fn fit(x: &DMatrix<f64>, labels: &[usize], options: &GbtOptions) -> GbtClassifier {
        let columns = Columns::new(x).unwrap();
        GbtClassifier::fit(&columns, labels, options, &mut Seed(0).rng(Stream::Eval)).unwrap()
    }

    #[test]
    fn one_stage_on_two_classes_is_one_newton_step() {
        let x = DMatrix::from_column_slice(4, 1, &[1.0, 2.0, 3.0, 4.0]);
        let options = GbtOptions { stages: 1, learning_rate: 1.0, max_depth: 1 };
        let trees = fit(&x, &[0, 0, 0, 1], &options);
        // Prior 1/4; the right leaf has r = 3/4 and p (1 - p) = 3/16, the left r = -3/4 in all.
        let step = trees.trees[0][0].value(&Columns::new(&x).unwrap(), 3);
        assert!((step - 4.0).abs() < 1e-12, "{step}");
        let step = trees.trees[0][0].value(&Columns::new(&x).unwrap(), 0);
        assert!((step + 4.0 / 3.0).abs() < 1e-12, "{step}");
        assert_eq!(trees.fitted(), [0, 0, 0, 1]);
    }

    #[test]
    fn classes_without_a_point_are_never_predicted() {
        let x = DMatrix::from_fn(60, 1, |i, _| i as f64);
        let labels: Vec<usize> = (0..60).map(|i| [1, 4, 5][i / 20]).collect();
        assert_eq!(fit(&x, &labels, &GbtOptions::default()).fitted(), labels);
        let single = fit(&x, &[3; 60], &GbtOptions::default());
        assert_eq!(single.fitted(), [3; 60]);
        assert_eq!(single.importances(TreeImportance::PerTree), [0.0]);
    }

    #[test]
    fn predictions_at_the_fitted_points_are_the_fitted_classes() {
        let x = DMatrix::from_fn(200, 3, |i, j| ((i * (7 + 4 * j)) % 41) as f64);
        let labels: Vec<usize> = (0..200).map(|i| (x[(i, 0)] * x[(i, 1)]) as usize % 4).collect();
        for classes in [2, 4] {
            let labels: Vec<usize> = labels.iter().map(|l| l % classes).collect();
            let trees = fit(&x, &labels, &GbtOptions::default());
            assert_eq!(trees.predict(&Columns::new(&x).unwrap()).unwrap(), trees.fitted());
        }
    }
}
