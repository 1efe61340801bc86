//! Logistic regression with an L2 penalty, fitted to its optimum.

mod cross_validated;
mod newton;
mod objective;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

pub use self::cross_validated::LogisticCvOptions;
pub(crate) use self::cross_validated::fit_cross_validated;
use self::newton::minimise;
use self::objective::{Binary, Design, Softmax, softmax};
use crate::MetricError;
use crate::classes::class_counts;

/// How more than two classes are told apart. Two classes need one logistic function either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Multiclass {
    /// One softmax over all classes: scikit-learn from version 0.22.
    #[default]
    Multinomial,
    /// One logistic function per class against all others, normalised to sum 1: scikit-learn to
    /// version 0.21. Middle classes of an ordered factor are not separable this way.
    OneVsRest,
}

/// Whether the penalty covers the intercept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intercept {
    /// No penalty on the intercept.
    #[default]
    Free,
    /// The intercept is the weight of one more feature that is always 1, as in liblinear, the solver
    /// of scikit-learn's `LogisticRegression` to version 0.21.
    Penalised,
}

/// Options of logistic regression; the defaults are scikit-learn's from version 0.22.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticOptions {
    /// Weight of the log-losses, summed over points, against half the squared norm of the weights;
    /// above 0.
    pub c: f64,
    /// How more than two classes are told apart.
    pub multiclass: Multiclass,
    /// Whether the penalty covers the intercept.
    pub intercept: Intercept,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        Self { c: 1.0, multiclass: Multiclass::Multinomial, intercept: Intercept::Free }
    }
}

impl LogisticOptions {
    /// scikit-learn's `LogisticRegression()` to version 0.21, which published scores of 2018 and
    /// 2019 are likely made with.
    pub fn liblinear() -> Self {
        let (multiclass, intercept) = (Multiclass::OneVsRest, Intercept::Penalised);
        Self { multiclass, intercept, ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<(), MetricError> {
        if self.c > 0.0 && self.c.is_finite() {
            return Ok(());
        }
        Err(MetricError::Option { name: "c", expected: "above 0", value: self.c })
    }
}

/// A fitted logistic regression.
#[derive(Clone, Debug)]
pub(crate) struct Logistic {
    /// Classes that occurred, ascending; others have probability 0.
    present: Vec<usize>,
    /// Number of all classes.
    classes: usize,
    form: Form,
}

/// Weights `[D + 1, scores]`, the intercept last, by what their scores mean.
#[derive(Clone, Debug)]
enum Form {
    /// One class: nothing to tell apart.
    Constant,
    /// One score: the log-odds of the second class.
    Binary(DMatrix<f64>),
    /// Scores before the softmax.
    Softmax(DMatrix<f64>),
    /// The log-odds of each class against the others.
    OneVsRest(DMatrix<f64>),
}

impl Logistic {
    /// Fits classes below `classes`, `[n]`, on features `[n, D]`.
    pub(crate) fn fit(
        features: &DMatrix<f64>,
        labels: &[usize],
        classes: usize,
        options: &LogisticOptions,
    ) -> Self {
        let design = Design::new(features);
        let penalty = Penalty { strength: 1.0 / options.c, intercept: options.intercept };
        Self::fit_from(&design, labels, classes, (options.multiclass, penalty), None)
    }

    /// Fits starting from the weights of a fit with another penalty on the same points.
    fn fit_from(
        design: &Design,
        labels: &[usize],
        classes: usize,
        (multiclass, penalty): (Multiclass, Penalty),
        start: Option<&Self>,
    ) -> Self {
        let counts = class_counts(labels, classes);
        let present: Vec<usize> = (0..classes).filter(|&k| counts[k] > 0).collect();
        let start = start.and_then(Self::weights);
        let form = match (present.len(), multiclass) {
            (0 | 1, _) => Form::Constant,
            (2, _) => {
                let start = start.map(|w| w.column(0).into_owned());
                let weights = against_rest(design, labels, present[1], penalty, start);
                Form::Binary(DMatrix::from_columns(&[weights]))
            }
            (_, Multiclass::OneVsRest) => {
                let weights = present.iter().enumerate().map(|(at, &class)| {
                    let start = start.map(|w| w.column(at).into_owned());
                    against_rest(design, labels, class, penalty, start)
                });
                Form::OneVsRest(DMatrix::from_columns(&weights.collect::<Vec<_>>()))
            }
            (_, Multiclass::Multinomial) => {
                let objective = Softmax::new(design, labels, &present, penalty);
                let size = design.width() * present.len();
                let start = start
                    .map_or(DVector::zeros(size), |w| DVector::from_column_slice(w.as_slice()));
                let weights = minimise(&objective, start);
                let shape = (design.width(), present.len());
                Form::Softmax(DMatrix::from_column_slice(shape.0, shape.1, weights.as_slice()))
            }
        };
        Self { present, classes, form }
    }

    fn weights(&self) -> Option<&DMatrix<f64>> {
        match &self.form {
            Form::Constant => None,
            Form::Binary(w) | Form::Softmax(w) | Form::OneVsRest(w) => Some(w),
        }
    }

    /// Probability of every class at each point, `[n, classes]`.
    pub(crate) fn probabilities(&self, features: &DMatrix<f64>) -> DMatrix<f64> {
        let scores = self.weights().map(|w| scores(features, w));
        let of_present = match (&self.form, scores) {
            (Form::Binary(_), Some(scores)) => {
                let second = scores.map(objective::logistic);
                DMatrix::from_fn(second.nrows(), 2, |i, k| {
                    if k == 0 { 1.0 - second[i] } else { second[i] }
                })
            }
            (Form::Softmax(_), Some(mut scores)) => {
                softmax(&mut scores);
                scores
            }
            (Form::OneVsRest(_), Some(scores)) => {
                let mut p = scores.map(objective::logistic);
                for mut row in p.row_iter_mut() {
                    let total = row.sum();
                    // All probabilities underflow only where no class is any likelier.
                    if total > 0.0 { row /= total } else { row.fill(1.0 / row.len() as f64) }
                }
                p
            }
            _ => DMatrix::from_element(features.nrows(), 1, 1.0),
        };
        let mut all = DMatrix::zeros(features.nrows(), self.classes);
        for (column, &class) in of_present.column_iter().zip(&self.present) {
            all.set_column(class, &column);
        }
        all
    }

    /// The likeliest class at each point, `[n]`; the smaller one where two are as likely.
    pub(crate) fn predict(&self, features: &DMatrix<f64>) -> Vec<usize> {
        let Some(weights) = self.weights() else { return vec![self.present[0]; features.nrows()] };
        let scores = scores(features, weights);
        let best = |i: usize| match self.form {
            Form::Binary(_) => usize::from(scores[(i, 0)] > 0.0),
            _ => first_largest(scores.row(i).iter().copied()),
        };
        (0..features.nrows()).map(|i| self.present[best(i)]).collect()
    }
}

/// Position of the largest value, the first of several.
pub(crate) fn first_largest(values: impl Iterator<Item = f64>) -> usize {
    let better = |best: (usize, f64), (k, v): (usize, f64)| if v > best.1 { (k, v) } else { best };
    values.enumerate().fold((0, f64::NEG_INFINITY), better).0
}

fn scores(features: &DMatrix<f64>, weights: &DMatrix<f64>) -> DMatrix<f64> {
    let d = features.ncols();
    let mut scores = features * weights.rows(0, d);
    for (mut column, &intercept) in scores.column_iter_mut().zip(weights.row(d).iter()) {
        column.add_scalar_mut(intercept);
    }
    scores
}

/// The weights of one class against all others.
fn against_rest(
    design: &Design,
    labels: &[usize],
    class: usize,
    penalty: Penalty,
    start: Option<DVector<f64>>,
) -> DVector<f64> {
    let objective = Binary::new(design, labels, class, penalty);
    minimise(&objective, start.unwrap_or_else(|| DVector::zeros(design.width())))
}

/// Half of `strength` times the squared norm of the weights.
#[derive(Clone, Copy, Debug)]
struct Penalty {
    strength: f64,
    intercept: Intercept,
}

impl Penalty {
    /// The strength for entry `at` of weights of which every `width`-th is an intercept.
    fn at(&self, at: usize, width: usize) -> f64 {
        let free = self.intercept == Intercept::Free && at % width == width - 1;
        if free { 0.0 } else { self.strength }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(n: usize, classes: usize) -> (DMatrix<f64>, Vec<usize>) {
        let labels: Vec<usize> = (0..n).map(|i| i * classes / n).collect();
        (DMatrix::from_fn(n, 1, |i, _| i as f64 / n as f64), labels)
    }

    fn accuracy(multiclass: Multiclass) -> f64 {
        let (x, labels) = steps(300, 6);
        let options = LogisticOptions { c: 1e6, multiclass, ..Default::default() };
        let predicted = Logistic::fit(&x, &labels, 6, &options).predict(&x);
        crate::accuracy::share_right(&predicted, labels.into_iter().map(Some))
    }

    #[test]
    fn middle_classes_are_lost_one_against_the_rest() {
        assert!(accuracy(Multiclass::Multinomial) > 0.99);
        let one_vs_rest = accuracy(Multiclass::OneVsRest);
        assert!(one_vs_rest < 0.97, "{one_vs_rest}");
    }

    #[test]
    fn probabilities_average_to_the_shares_of_the_classes() {
        // With free intercepts the gradient of the loss along them vanishes at the optimum.
        let (x, mut labels) = steps(90, 3);
        labels[3] = 2;
        let p = Logistic::fit(&x, &labels, 4, &LogisticOptions::default()).probabilities(&x);
        for (k, count) in [30.0, 30.0, 30.0, 0.0].into_iter().enumerate() {
            let expected = count + if k == 2 { 1.0 } else { 0.0 } - if k == 0 { 1.0 } else { 0.0 };
            assert!((p.column(k).sum() - expected).abs() < 1e-3, "{k}: {}", p.column(k).sum());
        }
        for row in p.row_iter() {
            assert!((row.sum() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_single_class_is_always_predicted() {
        let (x, _) = steps(5, 2);
        let fit = Logistic::fit(&x, &[2; 5], 3, &LogisticOptions::liblinear());
        assert_eq!(fit.predict(&x), [2; 5]);
        assert!((fit.probabilities(&x)[(4, 2)] - 1.0).abs() < 1e-15);
    }
}
