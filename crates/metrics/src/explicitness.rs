use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::accuracy::mean;
use crate::classes::Classes;
use crate::correlation::ranks;
use crate::lasso::standardised;
use crate::logistic::{Logistic, LogisticOptions};
use crate::{MetricError, Sample};

/// How well a linear classifier tells the values of each factor apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explicitness {
    /// At the points the classifiers were fitted on.
    pub train: AreaUnderCurve,
    /// At other points.
    pub test: AreaUnderCurve,
}

/// Area under the receiver operating characteristic, one class against the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AreaUnderCurve {
    /// Mean over the factors that have an area, in `[0, 1]`; 0.5 is chance.
    pub score: f64,
    /// Mean over the classes of each factor, none where no class can be told from another, `[K]`.
    pub per_factor: Vec<Option<f64>>,
}

impl AreaUnderCurve {
    fn new(per_factor: Vec<Option<f64>>) -> Self {
        let areas: Vec<f64> = per_factor.iter().copied().flatten().collect();
        let score = if areas.is_empty() { CHANCE } else { mean(&areas) };
        Self { score, per_factor }
    }
}

/// Area under the curve of a classifier that knows nothing.
const CHANCE: f64 = 0.5;

/// Explicitness: mean over factors and their classes of the area under the curve of the class
/// probabilities of a logistic regression on standardised latents.
///
/// In `[0, 1]`, higher is better; 0.5 is chance and 1 says that a linear function of the latents
/// ranks every class first. Latents `[n, D]`, discrete factors `[n, K]`; published on 10,000 points
/// to fit and 5,000 to test on. Constant latents carry no weight. A class that occurs nowhere or
/// everywhere in a sample has no area there; a factor without any is left out, and if none is left
/// the score is 0.5.
///
/// Blind to entanglement: an invertible linear mixture of the factors scores as the factors do. Not
/// rescaled, as some do, to `2 · area − 1`. [`LogisticOptions::liblinear`] gives the scores of
/// scikit-learn up to version 0.21.
///
/// ```
/// use domino_metrics::{LogisticOptions, Sample, explicitness};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(60, 2, |i, j| if j == 0 { i % 2 } else { i / 2 % 3 } as f64);
/// let latents = DMatrix::from_fn(60, 2, |i, j| factors[(i, 0)] - j as f64 * factors[(i, 1)]);
/// let sample = Sample::new(&latents, &factors)?;
/// let scores = explicitness(sample, sample, &LogisticOptions::default())?;
/// assert!(scores.test.score > 0.999);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::Classes`] for a
/// factor that is not discrete, [`MetricError::Option`] for an option outside its range.
///
/// Ridgeway & Mozer 2018, as computed by Locatello et al. 2019.
pub fn explicitness(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &LogisticOptions,
) -> Result<Explicitness, MetricError> {
    options.check()?;
    train.check_same_columns(&test)?;
    let [seen, unseen] = [train, test].map(|s| standardised(s.latents(), train.latents()));
    let (mut on_train, mut on_test) = (Vec::new(), Vec::new());
    for (j, classes) in Classes::of_all(train)?.iter().enumerate() {
        let fit = Logistic::fit(&seen, classes.labels(), classes.count(), options);
        let labels: Vec<_> = classes.labels().iter().copied().map(Some).collect();
        on_train.push(mean_area(&fit.probabilities(&seen), &labels));
        let labels = classes.find(test.factors(), j);
        on_test.push(mean_area(&fit.probabilities(&unseen), &labels));
    }
    Ok(Explicitness { train: AreaUnderCurve::new(on_train), test: AreaUnderCurve::new(on_test) })
}

/// Mean area over the classes that have one.
fn mean_area(probabilities: &DMatrix<f64>, labels: &[Option<usize>]) -> Option<f64> {
    let columns = probabilities.column_iter().enumerate();
    let areas: Vec<f64> = columns.filter_map(|(k, p)| area(&p.into_owned(), labels, k)).collect();
    (!areas.is_empty()).then(|| mean(&areas))
}

/// The share of pairs of a member and a non-member that `scores` ranks rightly, ties half; none
/// without such pairs.
fn area(scores: &DVector<f64>, labels: &[Option<usize>], class: usize) -> Option<f64> {
    let members = labels.iter().filter(|&&l| l == Some(class)).count() as f64;
    let others = labels.len() as f64 - members;
    if members * others <= 0.0 {
        return None;
    }
    let ranks = ranks(scores);
    let own = ranks.iter().zip(labels).filter(|&(_, &l)| l == Some(class));
    let sum: f64 = own.map(|(rank, _)| rank).sum();
    Some((sum - members * (members + 1.0) / 2.0) / (members * others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_in_order() {
        let labels = [Some(1), None, Some(1), Some(0)];
        let scores = DVector::from_column_slice(&[0.9, 0.5, 0.5, 0.1]);
        // Members 0.9 and 0.5 against 0.5 and 0.1: three pairs in order, one tied.
        assert_eq!(area(&scores, &labels, 1), Some(3.5 / 4.0));
        assert_eq!(area(&scores, &labels, 2), None);
    }

    #[test]
    fn rotations_dead_latents_and_constant_factors_cost_nothing() {
        let y = DMatrix::from_fn(60, 3, |i, j| [i % 2, i / 2 % 3, 7][j] as f64);
        let z = DMatrix::from_fn(60, 3, |i, j| match j {
            0 => y[(i, 0)] + y[(i, 1)],
            1 => y[(i, 0)] - y[(i, 1)],
            _ => 0.1,
        });
        let sample = Sample::new(&z, &y).unwrap();
        for options in [LogisticOptions::default(), LogisticOptions::liblinear()] {
            let scores = explicitness(sample, sample, &options).unwrap();
            assert_eq!(scores.train, scores.test);
            assert_eq!(scores.test.per_factor[2], None);
            assert!(scores.test.per_factor[0].unwrap() > 0.999);
        }
        let alone = y.columns(2, 1).into_owned();
        let sample = Sample::new(&z, &alone).unwrap();
        let scores = explicitness(sample, sample, &LogisticOptions::default()).unwrap();
        assert!((scores.test.score - 0.5).abs() < 1e-15);
    }
}
