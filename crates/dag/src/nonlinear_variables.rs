//! The edges between variables that can be seen, with any mechanisms.

use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::belief::cause_probability;
use crate::mechanism::{CrossFit, Mechanism, Problem};
use crate::nonlinear::STRENGTH_ROWS;
use crate::pair_regression::PairRegression;

/// Rows that are read: with them networks find what edges are there.
const MOST_ROWS: usize = 8192;

/// An input that is worth this much is one for certain.
const CLEAR: f64 = 0.3;

/// Probabilities and strengths of the edges between variables that can be seen, `[n, d]`, with mechanisms
/// `z_k = b_k(z_pa) + s_k(z_pa) e_k`.
///
/// In causal order, each variable is regressed on its predecessors by networks. Predecessors that a network does as
/// well without, by held-out log-likelihood, are dropped all at once, until none is; then each that is left and not
/// clearly needed is held to a fit without it.
pub(crate) fn learn(
    z: &DMatrix<f64>,
    order: &[usize],
    options: &PairRegression,
    rng: &mut dyn Rng,
) -> (DMatrix<f64>, DMatrix<f64>) {
    let (n, d) = z.shape();
    let rows: Vec<usize> = (0..n.min(MOST_ROWS)).collect();
    let (mut probs, mut strengths) = (DMatrix::zeros(d, d), DMatrix::zeros(d, d));
    for (place, &k) in order.iter().enumerate() {
        let response: Vec<f64> = rows.iter().map(|&row| z[(row, k)]).collect();
        let problem = Problem { z, rows: &rows, response: &response, effort: 1 };
        let fit = causes(&problem, k, &order[..place], options, &mut probs, rng);
        add_strengths(&fit, z, k, &mut strengths, rng);
    }
    (probs, strengths)
}

/// Finds the causes of `k` among its predecessors, notes the beliefs and returns the mechanism.
fn causes(
    problem: &Problem<'_>,
    k: usize,
    predecessors: &[usize],
    options: &PairRegression,
    probs: &mut DMatrix<f64>,
    rng: &mut dyn Rng,
) -> Mechanism {
    let mut causes = predecessors.to_vec();
    let effort = Mechanism::best_effort(problem, &causes, rng);
    let problem = Problem { effort, ..*problem };
    let (mut with, mut tested): (_, Vec<(f64, usize)>);
    loop {
        with = CrossFit::of(&problem, &causes, rng);
        let worths = with.worths(rng);
        for (&j, worth) in causes.iter().zip(&worths) {
            probs[(j, k)] = cause_probability(worth, options.least_effect);
        }
        let judged = worths.iter().map(DVector::mean).zip(causes.iter().copied());
        tested = judged.filter(|&(gain, _)| gain < CLEAR).collect();
        let before = causes.len();
        causes.retain(|&j| probs[(j, k)] > 0.5);
        if causes.len() == before {
            break;
        }
    }
    // The weakest are held to a fit without them first.
    tested.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (_, j) in tested {
        let fewer: Vec<usize> = causes.iter().copied().filter(|&c| c != j).collect();
        let without = CrossFit::of(&problem, &fewer, rng);
        probs[(j, k)] = cause_probability(&with.worth_over(&without), options.least_effect);
        if probs[(j, k)] <= 0.5 {
            (causes, with) = (fewer, without);
        }
    }
    with.mechanism
}

/// Permutation dependence of the location on each cause; see [`crate::LearnedGraph::strengths`].
fn add_strengths(
    fit: &Mechanism,
    z: &DMatrix<f64>,
    k: usize,
    strengths: &mut DMatrix<f64>,
    rng: &mut dyn Rng,
) {
    let n = z.nrows().min(STRENGTH_ROWS);
    let rows: Vec<usize> = (0..n).collect();
    let mut z = z.rows(0, n).into_owned();
    let value = z.column(k).into_owned();
    let noise = fit.noise(value.as_slice(), &z, &rows);
    let variance = value.variance().max(f64::MIN_POSITIVE);
    for &j in &fit.inputs {
        let kept = z.column(j).into_owned();
        z.column_mut(j).as_mut_slice().shuffle(rng);
        let permuted = fit.value(noise.as_slice(), &z, &rows);
        strengths[(j, k)] = (permuted - &value).norm_squared() / (n as f64 * variance);
        z.set_column(j, &kept);
    }
}
