use nalgebra::DVector;

use crate::pair_regression::PairRegression;

/// Log posterior odds of an effect from its likelihood-ratio or Wald statistic on one degree of
/// freedom, `(χ² − ln n) / 2 − ln m`.
///
/// `n` rows give the Schwarz approximation of the Bayes factor (Kass & Raftery, *Bayes factors*,
/// JASA 1995); `m` candidates have prior odds `1 / m` each, so that the expected number of chance
/// edges does not grow with the number of candidates (Chen & Chen, *Extended Bayesian information
/// criteria for model selection with large model spaces*, Biometrika 2008, γ = 1).
pub(crate) fn log_odds(statistic: f64, rows: usize, candidates: usize) -> f64 {
    0.5 * (statistic - (rows.max(1) as f64).ln()) - (candidates.max(1) as f64).ln()
}

/// Probability that an effect exists and exceeds the least strength that counts.
///
/// The first is that of [`log_odds`]. The second takes the root of the partial effect size
/// `f² = χ² / n` as normal with standard deviation `1 / √n`. The smaller of the two is returned.
pub(crate) fn edge_probability(
    statistic: f64,
    rows: usize,
    candidates: usize,
    least_effect: f64,
) -> f64 {
    let exists = logistic(log_odds(statistic, rows, candidates));
    exists.min(at_least(statistic, rows, least_effect))
}

/// Probability that the partial effect size `f² = χ² / n` exceeds the least one that counts.
pub(crate) fn at_least(statistic: f64, rows: usize, least_effect: f64) -> f64 {
    normal_cdf(statistic.max(0.0).sqrt() - (least_effect * rows.max(1) as f64).sqrt())
}

/// The statistic at which [`edge_probability`] reaches one half.
pub(crate) fn critical_value(rows: usize, candidates: usize, options: &PairRegression) -> f64 {
    let n = rows.max(1) as f64;
    let existence = n.ln() + 2.0 * (candidates.max(1) as f64).ln();
    existence.max(options.least_linear_effect * n)
}

/// Probability that an input is a cause, from the held-out log-likelihoods per row that are lost without it, twice
/// each: `[rows]`.
///
/// Their mean estimates `ln(1 + f²)`. By the central limit theorem it exceeds the least effect with probability
/// `Φ((mean − least) / se)`, under a flat prior and with the standard error of the paired differences. An input
/// without effect costs held-out likelihood, so its gain is below 0 on average; more caution would only lose edges.
pub(crate) fn cause_probability(gains: &DVector<f64>, least_effect: f64) -> f64 {
    let error = (gains.variance() / gains.len() as f64).sqrt().max(f64::MIN_POSITIVE);
    normal_cdf((gains.mean() - least_effect) / error)
}

/// `1 / (1 + e^{−x})`.
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The standard normal distribution function, to 1e-4 in absolute terms, exactly 1/2 at 0.
///
/// Page, *Approximations to the cumulative normal function and its inverse for use on a pocket
/// calculator*, Applied Statistics 1977.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    logistic(2.0 * (2.0 / std::f64::consts::PI).sqrt() * x * (1.0 + 0.044_715 * x * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_law_is_close_to_its_table() {
        for (x, p) in [(0.0, 0.5), (1.0, 0.841_345), (-1.96, 0.024_998), (3.0, 0.998_65)] {
            assert!((normal_cdf(x) - p).abs() < 3e-4, "{x}");
        }
    }

    #[test]
    fn probability_crosses_one_half_at_the_critical_value() {
        let options = PairRegression::default();
        for (rows, candidates) in [(100, 1), (5_000, 15), (100_000, 3)] {
            let at = critical_value(rows, candidates, &options);
            let p = |x| edge_probability(x, rows, candidates, options.least_linear_effect);
            assert!((p(at) - 0.5).abs() < 1e-9);
            assert!(p(at * 0.9) < 0.5 && p(at * 1.1) > 0.5);
        }
    }
}
