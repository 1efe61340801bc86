use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::sample::{check_dim, check_matrix};
use crate::{Matching, MetricError};

/// Added to a probability before its logarithm is taken; the published value.
const LOG_FLOOR: f64 = 1e-9;

/// How far a posterior probability may exceed 1 by rounding in single precision.
const ABOVE_ONE: f64 = 1e-5;

/// How well intervention targets are inferred, up to the order of the latents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetAccuracy {
    /// Share of pairs whose most probable target is the true one.
    pub accuracy: UnderMatching,
    /// Mean posterior probability of the true target.
    pub posterior: UnderMatching,
    /// Mean of `ln(q + 1e-9)` with `q` the posterior probability of the true target.
    pub log_posterior: UnderMatching,
    /// Number of pairs by true label and most probable target, `[K + 1, D + 1]`; 0 is none. Rows
    /// are labels of factors, columns are targets in the order of the latents.
    #[serde(with = "crate::rows")]
    pub confusion: DMatrix<usize>,
    /// Posterior probability of each target averaged over all pairs, `[D + 1]`.
    pub mean_posterior: Vec<f64>,
}

/// A score and the matching of factors with latents that it is taken under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnderMatching {
    /// The score.
    pub score: f64,
    /// Which latent stands for which factor.
    pub matching: Matching,
}

/// Intervention-target accuracy: the share of pairs with `argmax_k q[n, k] = label[n]`, maximised
/// over the matchings of the `K` factors with the `D` latents; the label 0, no intervention, stays what
/// it is.
///
/// `posterior` is `[n, D + 1]` and `labels` is `[n]`, 0 for none and `k + 1` for factor `k` of
/// `factors`. The mean posterior and mean log posterior of the true target are maximised likewise, each
/// under a matching of its own, as published for `K = D`. The matchings are optimal assignments, of
/// any size. Where there are fewer latents than factors, pairs whose factor has none count as wrong;
/// a latent without a factor names no true target. Among equal probabilities the first target is the
/// most probable one.
///
/// ```
/// use domino_metrics::target_accuracy;
/// use nalgebra::DMatrix;
///
/// // The model calls the first variable 2 and the second 1.
/// let posterior = DMatrix::from_row_slice(3, 3, &[0.8, 0.1, 0.1, 0.1, 0.2, 0.7, 0.2, 0.6, 0.2]);
/// let scores = target_accuracy(&posterior, &[0, 1, 2], 2)?;
/// assert_eq!(scores.accuracy.score, 1.0);
/// assert_eq!(scores.accuracy.matching.latents(), [Some(1), Some(0)]);
/// assert!((scores.posterior.score - 0.7).abs() < 1e-12);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::NotFinite`] or [`MetricError::Range`] if the posterior is
/// empty or holds something that is no probability, [`MetricError::Rows`] if there are more or
/// fewer labels than rows, [`MetricError::Label`] for a label above `factors`.
///
/// Brehmer et al. 2022, section 5.
pub fn target_accuracy(
    posterior: &DMatrix<f64>,
    labels: &[usize],
    factors: usize,
) -> Result<TargetAccuracy, MetricError> {
    let counts = Counts::new(posterior, labels, factors)?;
    let best = |gain: &DMatrix<f64>| {
        if gain.is_empty() {
            return Matching::new(vec![None; factors]);
        }
        Matching::best(gain)
    };
    counts.scores(best)
}

/// [`target_accuracy`] under a given matching, such as that of the latents with the factors.
///
/// Labels name the `K` factors of the matching, columns of `posterior` the `D` latents. A pair whose
/// factor has no latent counts as wrong, with posterior probability 0.
///
/// # Errors
/// As [`target_accuracy`], with labels up to `K`; [`MetricError::Dim`] if the matching names a
/// latent that the posterior does not have.
pub fn target_accuracy_under(
    matching: &Matching,
    posterior: &DMatrix<f64>,
    labels: &[usize],
) -> Result<TargetAccuracy, MetricError> {
    let counts = Counts::new(posterior, labels, matching.factors())?;
    let needed = matching.pairs().map(|(_, latent)| latent + 1).max().unwrap_or(0);
    let latents = posterior.ncols() - 1;
    check_dim("posterior", needed.max(latents), latents)?;
    counts.scores(|_| Ok(matching.clone()))
}

/// Sums over pairs by true label and target, `[K + 1, D + 1]`.
struct Counts {
    pairs: usize,
    confusion: DMatrix<usize>,
    posterior: DMatrix<f64>,
    log_posterior: DMatrix<f64>,
    /// Pairs of each label.
    labels: Vec<usize>,
}

impl Counts {
    fn new(
        posterior: &DMatrix<f64>,
        labels: &[usize],
        factors: usize,
    ) -> Result<Self, MetricError> {
        check_posterior(posterior, labels, factors)?;
        let shape = (factors + 1, posterior.ncols());
        let mut counts = Self {
            pairs: labels.len(),
            confusion: DMatrix::zeros(shape.0, shape.1),
            posterior: DMatrix::zeros(shape.0, shape.1),
            log_posterior: DMatrix::zeros(shape.0, shape.1),
            labels: vec![0; shape.0],
        };
        for (row, &label) in posterior.row_iter().zip(labels) {
            let mut most_probable = 0;
            for (target, &q) in row.iter().enumerate() {
                counts.posterior[(label, target)] += q;
                counts.log_posterior[(label, target)] += (q + LOG_FLOOR).ln();
                if q > row[most_probable] {
                    most_probable = target;
                }
            }
            counts.confusion[(label, most_probable)] += 1;
            counts.labels[label] += 1;
        }
        Ok(counts)
    }

    /// `matching` is given what each factor gains by having a latent, `[K, D]`.
    fn scores(
        self,
        matching: impl Fn(&DMatrix<f64>) -> Result<Matching, MetricError>,
    ) -> Result<TargetAccuracy, MetricError> {
        let score = |sums: &DMatrix<f64>, without_latent: f64| {
            let alone = |label: usize| without_latent * self.labels[label] as f64;
            let gain = |k: usize, i: usize| sums[(k + 1, i + 1)] - alone(k + 1);
            let (factors, latents) = (sums.nrows() - 1, sums.ncols() - 1);
            let matching = matching(&DMatrix::from_fn(factors, latents, gain))?;
            let of_label = |label: usize| match label.checked_sub(1) {
                None => sums[(0, 0)],
                Some(k) => matching.latent_of(k).map_or(alone(label), |i| sums[(label, i + 1)]),
            };
            let total: f64 = (0..sums.nrows()).map(of_label).sum();
            Ok::<_, MetricError>(UnderMatching { score: total / self.pairs as f64, matching })
        };
        let mean_posterior = self.posterior.row_sum() / self.pairs as f64;
        Ok(TargetAccuracy {
            accuracy: score(&self.confusion.map(|count| count as f64), 0.0)?,
            posterior: score(&self.posterior, 0.0)?,
            log_posterior: score(&self.log_posterior, LOG_FLOOR.ln())?,
            mean_posterior: mean_posterior.iter().copied().collect(),
            confusion: self.confusion,
        })
    }
}

fn check_posterior(
    posterior: &DMatrix<f64>,
    labels: &[usize],
    factors: usize,
) -> Result<(), MetricError> {
    const WHAT: &str = "posterior";
    check_matrix(WHAT, posterior)?;
    let rows = posterior.nrows();
    if let Some(at) = posterior.iter().position(|q| !(0.0..=1.0 + ABOVE_ONE).contains(q)) {
        let (row, col) = (at % rows, at / rows);
        let (expected, value) = ("a probability", posterior[(row, col)]);
        return Err(MetricError::Range { what: WHAT, row, col, expected, value });
    }
    if labels.len() != rows {
        return Err(MetricError::Rows { what: "labels", expected: rows, got: labels.len() });
    }
    let Some(row) = labels.iter().position(|&label| label > factors) else { return Ok(()) };
    Err(MetricError::Label { row, dim: factors, label: labels[row] })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these scores are exact by definition")]
mod tests {
    use domino_core::{Seed, Stream};
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;

    /// Random rows of probabilities over `d` latents and none, and random labels of `factors`.
    fn example(n: usize, d: usize, factors: usize, seed: u64) -> (DMatrix<f64>, Vec<usize>) {
        let mut rng = Seed(seed).rng(Stream::Data);
        let mut posterior = DMatrix::from_fn(n, d + 1, |_, _| rng.random::<f64>());
        for mut row in posterior.row_iter_mut() {
            let total = row.sum();
            row /= total;
        }
        (posterior, (0..n).map(|_| rng.random_range(0..=factors)).collect())
    }

    /// All ways to give factors distinct latents, or none.
    fn matchings(factors: usize, latents: usize) -> Vec<Vec<Option<usize>>> {
        let mut all = vec![vec![]];
        for _ in 0..factors {
            all = all
                .into_iter()
                .flat_map(|p: Vec<_>| {
                    let free = (0..latents).map(Some).filter(|i| !p.contains(i)).chain([None]);
                    let free = free.collect::<Vec<_>>();
                    free.into_iter().map(move |i| [p.clone(), vec![i]].concat())
                })
                .collect();
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn assignment_finds_what_trying_all_matchings_finds(
            seed in 0u64..1000, d in 0usize..5, factors in 0usize..5,
        ) {
            let (posterior, labels) = example(40, d, factors, seed);
            let best = target_accuracy(&posterior, &labels, factors).unwrap();
            let all: Vec<_> = matchings(factors, d)
                .into_iter()
                .map(|p| target_accuracy_under(&Matching::new(p).unwrap(), &posterior, &labels).unwrap())
                .collect();
            for part in [
                |s: &TargetAccuracy| s.accuracy.score,
                |s: &TargetAccuracy| s.posterior.score,
                |s: &TargetAccuracy| s.log_posterior.score,
            ] {
                let largest = all.iter().map(part).fold(f64::NEG_INFINITY, f64::max);
                prop_assert!((part(&best) - largest).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn no_intervention_is_not_permuted() {
        // The model always says "variable 0" where nothing was done, and the reverse.
        let posterior = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]);
        let scores = target_accuracy(&posterior, &[0, 1], 1).unwrap();
        assert_eq!(scores.accuracy.score, 0.0);
        assert_eq!(scores.confusion, DMatrix::from_row_slice(2, 2, &[0, 1, 1, 0]));
        assert_eq!(scores.mean_posterior, [0.5, 0.5]);
    }

    #[test]
    fn a_factor_without_latent_is_always_wrong() {
        let posterior = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 1.0]);
        let matching = Matching::new(vec![None, Some(0)]).unwrap();
        let scores = target_accuracy_under(&matching, &posterior, &[1, 2]).unwrap();
        assert_eq!([scores.accuracy.score, scores.posterior.score], [0.5, 0.5]);
        assert!((scores.log_posterior.score - 0.5 * 1e-9f64.ln()).abs() < 1e-8);
    }

    #[test]
    fn more_latents_than_factors_and_fewer_name_what_they_can() {
        // Latent 1 stands for factor 0 and latent 0 for no factor.
        let posterior = DMatrix::from_row_slice(
            4,
            3,
            &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        );
        let more = target_accuracy(&posterior, &[0, 1, 1, 1], 1).unwrap();
        assert_eq!(more.accuracy.matching.latents(), [Some(1)]);
        assert_eq!(more.accuracy.score, 0.75);
        let fewer = target_accuracy(&posterior, &[0, 2, 2, 3], 3).unwrap();
        assert_eq!(fewer.accuracy.matching.latents(), [None, Some(1), Some(0)]);
        assert_eq!(fewer.accuracy.score, 1.0);
        assert_eq!(fewer.confusion.shape(), (4, 3));
    }

    #[test]
    fn each_misfit_is_named() {
        let (posterior, labels) = example(5, 2, 2, 0);
        let text =
            |q: &DMatrix<f64>, l: &[usize]| target_accuracy(q, l, 2).unwrap_err().to_string();
        assert_eq!(text(&posterior, &labels[..4]), "labels: expected 5 rows, one per point, got 4");
        assert_eq!(text(&posterior, &[0, 0, 0, 3, 0]), "label[3]: expected 0 (none) to 2, got 3");
        let mut odd = posterior.clone();
        odd[(1, 2)] = -0.5;
        assert_eq!(text(&odd, &labels), "posterior[1, 2]: expected a probability, got -0.5");
        odd[(1, 2)] = f64::NAN;
        assert_eq!(text(&odd, &labels), "posterior[1, 2]: expected a finite number, got NaN");
        let beyond = Matching::new(vec![Some(2)]).unwrap();
        let error = target_accuracy_under(&beyond, &posterior, &[0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "posterior: expected 3 variables, got 2");
    }
}
