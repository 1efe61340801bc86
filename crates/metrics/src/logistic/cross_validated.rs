use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::objective::Design;
use super::{Form, Intercept, Logistic, Multiclass, Penalty, against_rest, first_largest};
use crate::MetricError;
use crate::accuracy::share_right;

/// Smallest and largest logarithm to base 10 of the strengths that are tried: scikit-learn's.
const LOG_RANGE: [f64; 2] = [-4.0, 4.0];

/// Options of logistic regression whose strength is picked by cross-validation; the defaults are
/// those of scikit-learn's `LogisticRegressionCV` as `disentanglement_lib` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticCvOptions {
    /// Number of strengths `C`, spaced evenly in logarithm from 1e-4 to 1e4, at least 1.
    pub strengths: usize,
    /// Number of folds of consecutive points, at least 2.
    pub folds: usize,
    /// How more than two classes are told apart.
    pub multiclass: Multiclass,
}

impl Default for LogisticCvOptions {
    fn default() -> Self {
        Self { strengths: 10, folds: 5, multiclass: Multiclass::Multinomial }
    }
}

impl LogisticCvOptions {
    pub(crate) fn check(&self) -> Result<(), MetricError> {
        let low = |name, least: usize, expected, value: usize| {
            let error = MetricError::Option { name, expected, value: value as f64 };
            if value < least { Err(error) } else { Ok(()) }
        };
        low("strengths", 1, "at least 1", self.strengths)?;
        low("folds", 2, "at least 2", self.folds)
    }

    fn penalties(&self) -> Vec<Penalty> {
        let [low, high] = LOG_RANGE;
        let step = (high - low) / (self.strengths.max(2) - 1) as f64;
        let penalty = |i: usize| Penalty {
            strength: 10_f64.powf(-(low + step * i as f64)),
            intercept: Intercept::Free,
        };
        (0..self.strengths).map(penalty).collect()
    }
}

/// Fits with the strength of largest mean accuracy over the folds, the smallest of several, on all
/// points. One against the rest, each class has a strength of its own, by the accuracy of its own
/// decision. There are at most as many folds as points; a fold without some class cannot predict
/// it.
pub(crate) fn fit_cross_validated(
    features: &DMatrix<f64>,
    labels: &[usize],
    classes: usize,
    options: &LogisticCvOptions,
) -> Logistic {
    let penalties = options.penalties();
    let folds = folds(labels.len(), options.folds);
    let occurring = (0..classes).filter(|k| labels.contains(k)).count();
    let design = Design::new(features);
    if options.multiclass == Multiclass::Multinomial || occurring < 3 {
        let fit = |design: &Design, labels: &[usize], penalty, start: Option<&Logistic>| {
            Logistic::fit_from(design, labels, classes, (Multiclass::Multinomial, penalty), start)
        };
        let best = best_penalty(features, labels, &folds, &penalties, fit);
        return fit(&design, labels, best, None);
    }
    let present: Vec<usize> = (0..classes).filter(|k| labels.contains(k)).collect();
    let weights = present.iter().map(|&class| {
        let belongs: Vec<usize> = labels.iter().map(|&l| usize::from(l == class)).collect();
        let fit = |design: &Design, labels: &[usize], penalty, start: Option<&Logistic>| {
            Logistic::fit_from(design, labels, 2, (Multiclass::OneVsRest, penalty), start)
        };
        let best = best_penalty(features, &belongs, &folds, &penalties, fit);
        against_rest(&design, labels, class, best, None)
    });
    let form = Form::OneVsRest(DMatrix::from_columns(&weights.collect::<Vec<_>>()));
    Logistic { present, classes, form }
}

/// The penalty of largest mean accuracy over the folds, the first of several.
fn best_penalty(
    features: &DMatrix<f64>,
    labels: &[usize],
    folds: &[[usize; 2]],
    penalties: &[Penalty],
    fit: impl Fn(&Design, &[usize], Penalty, Option<&Logistic>) -> Logistic,
) -> Penalty {
    let mut accuracy = vec![0.0; penalties.len()];
    for &[start, end] in folds {
        let seen = features.clone().remove_rows(start, end - start);
        let seen_labels: Vec<usize> = [&labels[..start], &labels[end..]].concat();
        let unseen = features.rows(start, end - start).into_owned();
        let design = Design::new(&seen);
        let mut last: Option<Logistic> = None;
        for (sum, &penalty) in accuracy.iter_mut().zip(penalties) {
            let fitted = fit(&design, &seen_labels, penalty, last.as_ref());
            let truth = labels[start..end].iter().copied().map(Some);
            *sum += share_right(&fitted.predict(&unseen), truth);
            last = Some(fitted);
        }
    }
    penalties[first_largest(accuracy.into_iter())]
}

/// Consecutive stretches `[start, end)` of `n` points, the first ones longer by one; a single point
/// has no folds.
fn folds(n: usize, folds: usize) -> Vec<[usize; 2]> {
    let folds = if n < 2 { 0 } else { folds.min(n) };
    let end = |fold: usize| n / folds * fold + fold.min(n % folds);
    (0..folds).map(|fold| [end(fold), end(fold + 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_cover_all_points_in_order() {
        assert_eq!(folds(12, 5), [[0, 3], [3, 6], [6, 8], [8, 10], [10, 12]]);
        assert_eq!(folds(3, 5), [[0, 1], [1, 2], [2, 3]]);
        assert!(folds(1, 5).is_empty());
    }

    #[test]
    fn the_best_strength_separates_what_can_be_separated() {
        let labels: Vec<usize> = (0..120).map(|i| i % 6).collect();
        let x = DMatrix::from_fn(120, 2, |i, j| if j == 0 { labels[i] as f64 } else { i as f64 });
        let fit = |multiclass, strengths| {
            let options = LogisticCvOptions { strengths, multiclass, ..Default::default() };
            let fit = fit_cross_validated(&x, &labels, 6, &options);
            share_right(&fit.predict(&x), labels.iter().copied().map(Some))
        };
        assert!(fit(Multiclass::Multinomial, 10) > 0.999);
        assert!(fit(Multiclass::OneVsRest, 10) < 0.9);
        // The smallest strength alone hardly moves from the prior.
        assert!(fit(Multiclass::Multinomial, 1) < 0.9);
    }

    #[test]
    fn a_single_point_or_class_is_fitted() {
        let x = DMatrix::from_element(1, 2, 0.5);
        let one = fit_cross_validated(&x, &[1], 2, &LogisticCvOptions::default());
        assert_eq!(one.predict(&x), [1]);
    }
}
