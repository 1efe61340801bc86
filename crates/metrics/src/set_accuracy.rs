use domino_core::InterventionTarget;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::sample::check_matrix;
use crate::{Matching, MetricError};

/// How well the sets of intervened variables are inferred, up to the order of the latents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAccuracy {
    /// Share of pairs whose whole set is named rightly.
    pub exact: f64,
    /// Share of pairs in which a variable is rightly said to be set or not, mean over the factors.
    pub per_variable: f64,
    /// Which latent stands for which factor.
    pub matching: Matching,
}

/// Accuracy of the sets of variables that interventions set, several at once, under the matching of the
/// `K` factors with the `D` latents that names most of their states rightly.
///
/// `probs` is `[n, D]`, the probability that each latent was set, and more than one half says that it was;
/// `targets` is `[n]`, over `factors` factors. A factor without a latent is said never to be set, and a
/// set that holds a latent without a factor is wrong.
///
/// ```
/// use domino_core::InterventionTarget;
/// use domino_metrics::set_accuracy;
/// use nalgebra::DMatrix;
///
/// // The model calls the first variable 2 and the second 1, and misses one in the last pair.
/// let probs = DMatrix::from_row_slice(3, 2, &[0.9, 0.2, 0.1, 1.0, 0.8, 0.3]);
/// let masks = [[false, true], [true, false], [true, true]];
/// let targets = masks.map(|mask| InterventionTarget::from_mask(&mask));
/// let scores = set_accuracy(&probs, &targets, 2)?;
/// assert_eq!(scores.matching.latents(), [Some(1), Some(0)]);
/// assert!((scores.exact - 2.0 / 3.0).abs() < 1e-12);
/// assert!((scores.per_variable - 5.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::NotFinite`] or [`MetricError::Range`] if `probs` is empty or
/// holds something that is no probability, [`MetricError::Rows`] if there are more or fewer
/// targets than rows, [`MetricError::Label`] for a target that is no factor.
pub fn set_accuracy(
    probs: &DMatrix<f64>,
    targets: &[InterventionTarget],
    factors: usize,
) -> Result<SetAccuracy, MetricError> {
    let (said, truth) = states(probs, targets, factors)?;
    let agreement = |k: usize, i: usize| {
        let pairs = truth.column(k).into_iter().zip(said.column(i));
        pairs.filter(|(true_state, state)| true_state == state).count() as f64
    };
    // Without a latent a factor is right where it is not set.
    let alone = |k: usize| truth.column(k).iter().filter(|set| !**set).count() as f64;
    let gain = DMatrix::from_fn(factors, said.ncols(), |k, i| agreement(k, i) - alone(k));
    let matching = if factors == 0 { Matching::identity(0) } else { Matching::best(&gain)? };
    Ok(scores(&said, &truth, matching))
}

/// Whether each latent is said to be set and each factor was, `[n, D]` and `[n, K]`.
fn states(
    probs: &DMatrix<f64>,
    targets: &[InterventionTarget],
    factors: usize,
) -> Result<(DMatrix<bool>, DMatrix<bool>), MetricError> {
    const WHAT: &str = "set probabilities";
    check_matrix(WHAT, probs)?;
    let rows = probs.nrows();
    if let Some(at) = probs.iter().position(|p| !(0.0..=1.0).contains(p)) {
        let (row, col) = (at % rows, at / rows);
        let (expected, value) = ("a probability", probs[(row, col)]);
        return Err(MetricError::Range { what: WHAT, row, col, expected, value });
    }
    if targets.len() != rows {
        return Err(MetricError::Rows { what: "targets", expected: rows, got: targets.len() });
    }
    let mut truth = DMatrix::from_element(rows, factors, false);
    for (row, target) in targets.iter().enumerate() {
        for &k in target.variables() {
            if k >= factors {
                return Err(MetricError::Label { row, dim: factors, label: k + 1 });
            }
            truth[(row, k)] = true;
        }
    }
    Ok((probs.map(|p| p > 0.5), truth))
}

fn scores(said: &DMatrix<bool>, truth: &DMatrix<bool>, matching: Matching) -> SetAccuracy {
    let (rows, factors) = truth.shape();
    let unmatched: Vec<usize> =
        (0..said.ncols()).filter(|i| !matching.latents().contains(&Some(*i))).collect();
    let (mut exact, mut right) = (0_usize, 0_usize);
    for row in 0..rows {
        let state = |k: usize| matching.latent_of(k).is_some_and(|i| said[(row, i)]);
        let of_row = (0..factors).filter(|&k| state(k) == truth[(row, k)]).count();
        right += of_row;
        let made_up = unmatched.iter().any(|&i| said[(row, i)]);
        exact += usize::from(of_row == factors && !made_up);
    }
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let per_variable = share(right, rows * factors);
    SetAccuracy { exact: share(exact, rows), per_variable, matching }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;
    use rand::seq::SliceRandom;

    use super::*;

    /// Random sets of `d` variables, and the probabilities of a model that calls factor `k` `order[k]`
    /// and is wrong of each with probability `wrong`.
    fn example(
        order: &[usize],
        wrong: f64,
        rng: &mut dyn rand::Rng,
    ) -> (DMatrix<f64>, Vec<InterventionTarget>, Vec<bool>) {
        let (n, d) = (400, order.len());
        let mut probs = DMatrix::zeros(n, d);
        let (mut targets, mut errors) = (Vec::new(), Vec::new());
        for row in 0..n {
            let mask: Vec<bool> = (0..d).map(|_| rng.random_bool(0.4)).collect();
            for k in 0..d {
                let error = rng.random_bool(wrong);
                errors.push(error);
                probs[(row, order[k])] = if mask[k] == error { 0.1 } else { 0.9 };
            }
            targets.push(InterventionTarget::from_mask(&mask));
        }
        (probs, targets, errors)
    }

    #[test]
    fn names_do_not_matter_and_errors_count() {
        let mut rng = Seed(4).rng(Stream::Data);
        for wrong in [0.0, 0.05] {
            let mut order: Vec<usize> = (0..5).collect();
            order.shuffle(&mut rng);
            let (probs, targets, errors) = example(&order, wrong, &mut rng);
            let scores = set_accuracy(&probs, &targets, 5).unwrap();
            assert_eq!(
                scores.matching.latents(),
                order.iter().map(|&i| Some(i)).collect::<Vec<_>>()
            );
            let right = errors.iter().filter(|error| !**error).count() as f64;
            assert!((scores.per_variable - right / errors.len() as f64).abs() < 1e-12);
            let exact = errors.chunks(5).filter(|row| row.iter().all(|error| !error)).count();
            assert!((scores.exact - exact as f64 / 400.0).abs() < 1e-12);
        }
    }

    #[test]
    fn what_has_no_partner_is_wrong_where_it_is_set() {
        let masks = [[true, false], [true, true], [false, false], [false, true]];
        let targets = masks.map(|mask| InterventionTarget::from_mask(&mask));
        let first = DMatrix::from_fn(4, 1, |row, _| f64::from(u8::from(masks[row][0])));
        let few = set_accuracy(&first, &targets, 2).unwrap();
        assert_eq!(few.matching.latents(), [Some(0), None]);
        assert!((few.exact - 0.5).abs() < 1e-12 && (few.per_variable - 0.75).abs() < 1e-12);
        let many = DMatrix::from_fn(4, 3, |row, i| match i {
            2 => f64::from(u8::from(row == 2)),
            i => f64::from(u8::from(masks[row][i])),
        });
        let many = set_accuracy(&many, &targets, 2).unwrap();
        assert!((many.exact - 0.75).abs() < 1e-12 && (many.per_variable - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        let targets = [InterventionTarget::Atomic(1)];
        let error = |probs, targets: &[_], factors| {
            set_accuracy(&probs, targets, factors).unwrap_err().to_string()
        };
        let high = DMatrix::from_row_slice(1, 2, &[0.5, 1.5]);
        assert!(error(high, &targets, 2).contains("a probability, got 1.5"));
        let half = DMatrix::from_element(2, 2, 0.5);
        assert!(error(half, &targets, 2).contains("targets: expected 2"));
        assert!(matches!(
            set_accuracy(&DMatrix::from_element(1, 2, 0.5), &targets, 1),
            Err(MetricError::Label { row: 0, dim: 1, label: 2 })
        ));
    }
}
