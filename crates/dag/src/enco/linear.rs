//! The last word of regressions on the edges between linear mechanisms.

use nalgebra::DMatrix;

use super::EncoFit;
use crate::belief::{log_odds, logistic};
use crate::least_squares::LeastSquares;
use crate::sample::mean_and_inverse_std;
use crate::screening::Bends;
use crate::{Column, DagError, Mechanisms, Samples};

/// Belief from which on an edge is a candidate.
const CANDIDATE: f64 = 0.05;

/// A direction whose belief is this near to 1/2 is open.
const OPEN: f64 = 0.1;

/// Rows per column of a regression below which nothing is concluded.
const ROWS_PER_COLUMN: usize = 10;

/// One variable with its candidate causes, over the rows that do not target it.
struct Regression {
    causes: Vec<usize>,
    columns: DMatrix<f64>,
    response: Vec<f64>,
}

/// Beliefs that edges exist, from regressions; none where columns are states, mechanisms curved or
/// directions open.
pub(super) fn existence(
    fit: &EncoFit,
    samples: &Samples,
    mechanisms: Mechanisms,
) -> Result<Option<DMatrix<f64>>, DagError> {
    let continuous = samples.columns().iter().all(|c| matches!(c, Column::Continuous(_)));
    if mechanisms == Mechanisms::Any || !continuous || has_open_direction(fit) {
        return Ok(None);
    }
    let d = samples.dim();
    let states = samples.standardised()?;
    let regressions: Vec<Regression> =
        (0..d).map(|k| Regression::new(fit, &states, &samples.rows_sparing(k), k)).collect();
    let unfit = |r: &Regression| !r.is_determined();
    let curved = |r: &Regression| mechanisms == Mechanisms::Detect && r.is_curved();
    if regressions.iter().any(|r| unfit(r) || curved(r)) {
        return Ok(None);
    }
    let mut existence = fit.existence.clone();
    for (k, regression) in regressions.iter().enumerate() {
        for (cause, belief) in regression.beliefs(d * (d - 1) / 2) {
            existence[(cause, k)] = belief;
        }
    }
    Ok(Some(existence))
}

fn has_open_direction(fit: &EncoFit) -> bool {
    let d = fit.existence.nrows();
    let open = |i: usize, j: usize| {
        fit.existence[(i, j)] > 0.5 && (fit.orientation[(i, j)] - 0.5).abs() < OPEN
    };
    (0..d).any(|i| (0..i).any(|j| open(i, j) || open(j, i)))
}

impl Regression {
    fn new(fit: &EncoFit, states: &DMatrix<f64>, rows: &[usize], k: usize) -> Self {
        let candidate = |&i: &usize| {
            i != k && fit.existence[(i, k)] > CANDIDATE && fit.orientation[(i, k)] > 0.5
        };
        let causes: Vec<usize> = (0..states.ncols()).filter(candidate).collect();
        let mut columns =
            DMatrix::from_fn(rows.len(), causes.len(), |r, c| states[(rows[r], causes[c])]);
        for mut column in columns.column_iter_mut() {
            let (mean, scale) = mean_and_inverse_std(column.as_slice());
            column.iter_mut().for_each(|v| *v = (*v - mean) * scale);
        }
        let response = rows.iter().map(|&row| states[(row, k)]).collect();
        Self { causes, columns, response }
    }

    fn is_determined(&self) -> bool {
        self.response.len() >= ROWS_PER_COLUMN * (3 * self.causes.len() + 4)
    }

    fn is_curved(&self) -> bool {
        if self.causes.is_empty() {
            return false;
        }
        let line = LeastSquares::fit(&mut self.columns.clone(), &self.response);
        Bends::of(&self.columns, &self.response, &line).matter()
    }

    /// The probability of each cause; those with odds against them are dropped, weakest first, before
    /// the others are judged.
    fn beliefs(&self, candidates: usize) -> Vec<(usize, f64)> {
        let (mut kept, mut dropped): (Vec<usize>, _) =
            ((0..self.causes.len()).collect(), Vec::new());
        loop {
            let fit = LeastSquares::fit(&mut self.columns.select_columns(&kept), &self.response);
            let odds = |at: usize| log_odds(fit.wald(&[at]), self.response.len(), candidates);
            let weakest = (0..kept.len()).min_by(|&a, &b| odds(a).total_cmp(&odds(b)));
            let Some(at) = weakest.filter(|&at| odds(at) < 0.0) else {
                let judged = kept.iter().enumerate();
                dropped.extend(judged.map(|(at, &c)| (self.causes[c], logistic(odds(at)))));
                return dropped;
            };
            dropped.push((self.causes[kept[at]], logistic(odds(at))));
            kept.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Dag, Seed, Stream};

    use super::*;
    use crate::LearnedGraph;
    use crate::networks::{GaussianScm, Intervention, Plan, Scale, draw_samples};

    /// Networks that believe in every edge along 0, 1, 2.
    fn believed(direction: f64) -> EncoFit {
        let forward = |i: usize, j: usize, yes: f64, no: f64| match i.cmp(&j) {
            std::cmp::Ordering::Less => yes,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => no,
        };
        let existence = DMatrix::from_fn(3, 3, |i, j| forward(i, j, 0.9, 0.01));
        let orientation = DMatrix::from_fn(3, 3, |i, j| forward(i, j, direction, 1.0 - direction));
        let graph = LearnedGraph::from_edge_probs(existence.component_mul(&orientation));
        let confounders = DMatrix::zeros(3, 3);
        EncoFit { graph: graph.unwrap(), existence, orientation, confounders, epochs: 1 }
    }

    fn chain(nonlinear: bool) -> Samples {
        let mut rng = Seed(1).rng(Stream::World);
        let dag = Dag::chain(3);
        let scm = if nonlinear {
            GaussianScm::nonlinear(dag, &mut rng)
        } else {
            GaussianScm::linear(dag, Scale::Unit, &mut rng)
        };
        let plan =
            Plan { observational: 1000, per_target: 100, intervention: Intervention::Perfect };
        draw_samples(&scm, &plan, &mut rng).unwrap()
    }

    #[test]
    fn an_indirect_cause_goes_and_direct_ones_stay() {
        let found = existence(&believed(0.9), &chain(false), Mechanisms::Detect).unwrap().unwrap();
        assert!(found[(0, 1)] > 0.99 && found[(1, 2)] > 0.99 && found[(0, 2)] < 0.2, "{found}");
        assert_eq!(found[(2, 0)].to_bits(), 0.01_f64.to_bits(), "no candidate, so as it was");
    }

    #[test]
    fn networks_keep_the_last_word_on_curves_open_directions_and_request() {
        let verdict = |fit: &EncoFit, samples: &Samples, mechanisms| {
            existence(fit, samples, mechanisms).unwrap().is_some()
        };
        let (lines, curves) = (chain(false), chain(true));
        assert!(!verdict(&believed(0.9), &curves, Mechanisms::Detect));
        assert!(verdict(&believed(0.9), &curves, Mechanisms::Linear));
        assert!(!verdict(&believed(0.55), &lines, Mechanisms::Detect));
        assert!(!verdict(&believed(0.9), &lines, Mechanisms::Any));
    }
}
