use std::f64::consts::TAU;

use crate::belief::logistic;

/// Edges that are taken as seen before any other: half of one, as in Jeffreys' prior.
const EDGES_SEEN: f64 = 0.5;

/// Absent edges that are taken as seen before any other: few candidates tell little of their share, and
/// a chance edge among them is worse than a weak edge missed.
const ABSENT_SEEN: f64 = 8.0;

/// Variance of the weight of one edge that is taken as seen before any other, about what keeps a
/// single edge's law from being as narrow as its error.
const VARIANCE_SEEN: f64 = 0.25;

/// Rounds of estimating the law and the probabilities from each other.
const ROUNDS: usize = 50;

/// An estimated weight with its standard error.
#[derive(Clone, Copy)]
pub(crate) struct Estimate {
    pub(crate) weight: f64,
    pub(crate) error: f64,
}

/// What the weights of a system have in common: each candidate is an edge with probability `share`,
/// whose weight is `± (size + spread · N(0, 1))`, in units of the noise.
///
/// All weights of a system tell of the law of each. Where edges are many and their weights keep away
/// from 0, smaller effects are believed in, and those that are near 0 are not.
///
/// Efron, *Microarrays, empirical Bayes and the two-groups model*, Statistical Science 2008.
#[derive(Clone, Copy)]
pub(crate) struct WeightLaw {
    share: f64,
    size: f64,
    spread: f64,
}

impl WeightLaw {
    /// The likeliest law of the candidates' estimates, `chosen` being what is thought of them at first.
    pub(crate) fn of(estimates: &[Estimate], chosen: impl Iterator<Item = bool>) -> Self {
        let mut probs: Vec<f64> = chosen.map(|edge| f64::from(u8::from(edge))).collect();
        let mut law = Self::given(estimates, &probs);
        for _ in 0..ROUNDS {
            probs = estimates.iter().map(|at| logistic(law.log_odds(*at))).collect();
            law = Self::given(estimates, &probs);
        }
        law
    }

    fn given(estimates: &[Estimate], probs: &[f64]) -> Self {
        let edges: f64 = probs.iter().sum();
        let sum = |f: &dyn Fn(&Estimate) -> f64| -> f64 {
            estimates.iter().zip(probs).map(|(at, p)| p * f(at)).sum()
        };
        let size = sum(&|at| at.weight.abs()) / edges.max(f64::MIN_POSITIVE);
        let square = sum(&|at| (at.weight.abs() - size).powi(2) - at.error.powi(2));
        Self {
            share: (edges + EDGES_SEEN) / (probs.len() as f64 + EDGES_SEEN + ABSENT_SEEN),
            size,
            spread: ((square.max(0.0) + VARIANCE_SEEN) / (edges + 1.0)).sqrt(),
        }
    }

    /// Logarithm of the posterior odds of an edge.
    pub(crate) fn log_odds(&self, at: Estimate) -> f64 {
        let Estimate { weight, error } = at;
        if !error.is_finite() {
            return f64::NEG_INFINITY;
        }
        let spread = self.spread.hypot(error);
        let sides = [weight - self.size, weight + self.size].map(|gap| log_normal(gap, spread));
        let highest = sides[0].max(sides[1]);
        let edge = highest + (0.5 * ((sides[0] - highest).exp() + (sides[1] - highest).exp())).ln();
        (self.share / (1.0 - self.share)).ln() + edge - log_normal(weight, error)
    }
}

/// Logarithm of the normal density.
fn log_normal(x: f64, spread: f64) -> f64 {
    -0.5 * ((x / spread).powi(2) + TAU.ln()) - spread.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimates(weights: &[f64], error: f64) -> Vec<Estimate> {
        weights.iter().map(|&weight| Estimate { weight, error }).collect()
    }

    #[test]
    fn weights_that_keep_away_from_zero_make_middling_ones_unlikely() {
        let error = 0.1;
        let two_groups: Vec<f64> = (0..40)
            .map(|i| match i % 4 {
                0 => 1.0 + 0.005 * f64::from(i),
                1 => -1.1 - 0.005 * f64::from(i),
                _ => 0.1 * (f64::from(i) - 20.0).signum(),
            })
            .collect();
        let far = estimates(&two_groups, error);
        let law = WeightLaw::of(&far, far.iter().map(|at| at.weight.abs() > 0.5));
        // 20 of 40 beside what is taken as seen; the mean of 1 to 1.18 and 1.1 to 1.29.
        assert!((law.share - 20.5 / 48.5).abs() < 0.01 && (law.size - 1.1425).abs() < 0.01);
        let odds = |weight| law.log_odds(Estimate { weight, error });
        assert!(odds(0.2) < 0.0 && odds(0.5) > 0.0 && odds(-1.0) > 5.0);
    }

    #[test]
    fn no_edges_make_edges_unlikely() {
        let none = estimates(&[0.1, -0.05, 0.02, -0.12, 0.0, 0.07], 0.08);
        let law = WeightLaw::of(&none, none.iter().map(|_| false));
        assert!(none.iter().all(|at| law.log_odds(*at) < -2.0));
        assert!(law.log_odds(Estimate { weight: 1.0, error: f64::INFINITY }) < -1e3);
    }
}
