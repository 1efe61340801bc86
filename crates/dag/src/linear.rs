use nalgebra::{DMatrix, DVector};

use crate::belief::{at_least, log_odds, logistic};
use crate::joint::{JointFit, TotalEffects, total_effects, weights_of};
use crate::least_squares::LeastSquares;
use crate::pair_regression::{Findings, PairRegression};
use crate::sample::Sample;
use crate::weight_law::{Estimate, WeightLaw};

/// Of the weights that could be dropped, one in this many is dropped before all are fitted anew.
const DROP_ONE_IN: usize = 4;

/// Edges added or dropped after the first elimination, at most; more would be going in circles.
const LAST_CHANGES: usize = 32;

/// Possible edges up to which the search also starts from no edge, one edge at a time: it fits all
/// weights anew as often as there are edges.
const BOTH_WAYS: usize = 200;

/// Possible edges up to which all weights are fitted at once; systems of more are fitted in causal
/// order.
const AT_ONCE: usize = 1000;

/// Times that the law of the weights is estimated and the edges are chosen by it.
const LAWS: usize = 3;

/// A linear system in causal order, read off the pairs.
struct LinearSystem {
    effects: TotalEffects,
    /// Rows behind each variable.
    rows: Vec<usize>,
    /// Least effect of an edge.
    least_effect: f64,
    /// What the weights have in common, once something is known of it.
    law: Option<WeightLaw>,
}

/// The graph, beliefs and causal variables under linear mechanisms, `z_k = Σ_j W_jk z_j + σ_k e_k`.
///
/// One least-squares fit per variable gives its total effects with their precision; all weights are
/// then fitted to these at once, and edges are dropped, weakest first, while the odds are against
/// them; last, single edges are added or dropped while that changes anything. The same changes from
/// no edge at all are tried beside it. Large systems are fitted one variable after the other. The odds
/// are those of [`log_odds`] at first, and then those of the law that the chosen weights follow.
pub(crate) fn learn(sample: &Sample, order: &[usize], options: &PairRegression) -> Findings {
    let mut system = LinearSystem::read(sample, order, options);
    let in_order = system.candidates().count() > AT_ONCE;
    let mut chosen = if in_order { system.in_order() } else { system.select() };
    for _ in 0..LAWS {
        system.law = system.law_of(&chosen);
        chosen = if in_order {
            system.in_order()
        } else {
            let (fit, support) = chosen;
            system.change(&fit.weights, support)
        };
    }
    let fit = chosen.0;
    let d = order.len();
    let mut found = Findings::unknown(sample.before.nrows(), d);
    let total = total_effects(&fit.weights);
    for k in 0..d {
        let mut z = DVector::zeros(sample.before.nrows());
        (0..=k).for_each(|a| z.axpy(total[(a, k)], &sample.before.column(order[a]), 1.0));
        let variance = z.variance();
        found.z_before.set_column(order[k], &z);
        for j in 0..k {
            let at = (order[j], order[k]);
            found.probs[at] = system.probability(&fit, (j, k));
            let share = fit.weights[(j, k)].powi(2) * found.z_before.column(order[j]).variance();
            found.strengths[at] = if variance > 0.0 { 2.0 * share / variance } else { 0.0 };
        }
    }
    found
}

/// Cause and effect, as places in the order.
type Edge = (usize, usize);

impl LinearSystem {
    fn read(sample: &Sample, order: &[usize], options: &PairRegression) -> Self {
        let (mut estimates, mut precisions) = (Vec::new(), Vec::new());
        let rows: Vec<usize> = order.iter().map(|&k| sample.rows[k].len()).collect();
        for (k, &of) in order.iter().enumerate() {
            let (estimate, precision) = regress(sample, of, &order[..k]);
            estimates.push(estimate);
            precisions.push(precision);
        }
        let (effects, least_effect) =
            (TotalEffects { estimates, precisions }, options.least_linear_effect);
        Self { effects, rows, least_effect, law: None }
    }

    /// Chooses the support and fits it.
    ///
    /// Dropping from all edges and adding from none end in different places where a chain of small
    /// wrong effects imitates a missing one; the lower penalised misfit wins. Large systems are
    /// only searched from all edges.
    fn select(&self) -> (JointFit, Vec<Edge>) {
        let start = weights_of(&self.effects.estimates);
        let (weights, kept) = self.drop_from(&start, self.candidates().collect());
        let dropped = self.change(&weights, kept);
        if self.candidates().count() > BOTH_WAYS {
            return dropped;
        }
        let added = self.change(&start, Vec::new());
        if self.cost(&added) < self.cost(&dropped) { added } else { dropped }
    }

    /// The same of one variable after the other.
    fn in_order(&self) -> (JointFit, Vec<Edge>) {
        self.effects.in_order(|fit, at| self.excess(fit, at))
    }

    /// The law of the weights, as far as a chosen support tells.
    fn law_of(&self, (fit, support): &(JointFit, Vec<Edge>)) -> Option<WeightLaw> {
        let seen: Vec<Edge> = self.candidates().filter(|&at| fit.errors[at].is_finite()).collect();
        let estimates: Vec<Estimate> = seen.iter().map(|&at| fit.estimate(at)).collect();
        let chosen = seen.iter().map(|at| support.contains(at));
        (!seen.is_empty()).then(|| WeightLaw::of(&estimates, chosen))
    }

    /// Edges along the order into variables whose interventions were seen.
    fn candidates(&self) -> impl Iterator<Item = Edge> + Clone + '_ {
        let learnable = |k: &usize| self.rows[*k] > 0;
        (0..self.rows.len()).filter(learnable).flat_map(|k| (0..k).map(move |j| (j, k)))
    }

    /// Drops the weakest edges while there are weak ones.
    fn drop_from(&self, start: &DMatrix<f64>, mut support: Vec<Edge>) -> (DMatrix<f64>, Vec<Edge>) {
        let mut fit = self.effects.fit(start, &support);
        loop {
            let mut weak: Vec<_> =
                support.iter().copied().filter(|&at| self.excess(&fit, at) < 0.0).collect();
            if weak.is_empty() {
                return (fit.weights, support);
            }
            weak.sort_by(|&a, &b| self.excess(&fit, a).total_cmp(&self.excess(&fit, b)));
            weak.truncate(weak.len().div_ceil(DROP_ONE_IN));
            support.retain(|at| !weak.contains(at));
            fit = self.effects.fit(&fit.weights, &support);
        }
    }

    /// Adds or drops single edges, the best first, while that gains.
    fn change(&self, start: &DMatrix<f64>, mut support: Vec<Edge>) -> (JointFit, Vec<Edge>) {
        let mut fit = self.effects.fit(start, &support);
        for _ in 0..LAST_CHANGES + self.candidates().count() {
            let gain = |at: Edge| {
                let excess = self.excess(&fit, at);
                if support.contains(&at) { -excess } else { excess }
            };
            let gaining = self.candidates().map(|at| (gain(at), at));
            let best = gaining.max_by(|(a, _), (b, _)| a.total_cmp(b));
            let Some((_, at)) = best.filter(|(gain, _)| *gain > 0.0) else { break };
            match support.iter().position(|&s| s == at) {
                Some(place) => drop(support.remove(place)),
                None => support.push(at),
            }
            fit = self.effects.fit(&fit.weights, &support);
        }
        (fit, support)
    }

    /// The misfit of a support plus what its edges have to be worth.
    fn cost(&self, (fit, support): &(JointFit, Vec<Edge>)) -> f64 {
        let price = |&at: &Edge| fit.statistics[at] - self.excess(fit, at);
        self.effects.misfit(&total_effects(&fit.weights)) + support.iter().map(price).sum::<f64>()
    }

    /// By how much a weight's statistic exceeds what it takes to be an edge.
    fn excess(&self, fit: &JointFit, at: Edge) -> f64 {
        let least = self.least_effect * self.rows[at.1] as f64;
        (2.0 * self.log_odds(fit, at)).min(fit.statistics[at] - least)
    }

    /// Probability that an edge exists and exceeds the least effect.
    fn probability(&self, fit: &JointFit, at: Edge) -> f64 {
        let large = at_least(fit.statistics[at], self.rows[at.1], self.least_effect);
        logistic(self.log_odds(fit, at)).min(large)
    }

    fn log_odds(&self, fit: &JointFit, at: Edge) -> f64 {
        let plain = || log_odds(fit.statistics[at], self.rows[at.1], pairs_of(self.rows.len()));
        self.law.map_or_else(plain, |law| law.log_odds(fit.estimate(at)))
    }
}

/// Total effects on variable `of` of its predecessors and their precision.
fn regress(sample: &Sample, of: usize, predecessors: &[usize]) -> (DVector<f64>, DMatrix<f64>) {
    let p = predecessors.len();
    let rows = &sample.rows[of];
    if rows.is_empty() || p == 0 {
        return (DVector::zeros(p), DMatrix::zeros(p, p));
    }
    let mut codes =
        DMatrix::from_fn(rows.len(), p, |r, c| sample.before[(rows[r], predecessors[c])]);
    let fit = LeastSquares::fit(&mut codes, &sample.response(of));
    let gram = codes.transpose() * &codes;
    (-fit.coefficients, gram / fit.variance)
}

/// Edges that an order of `d` variables allows: the candidates among which chance finds its own.
fn pairs_of(d: usize) -> usize {
    d * d.saturating_sub(1) / 2
}
