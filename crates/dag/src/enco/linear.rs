//! The last word of a Gaussian score on the edges between linear mechanisms.

use domino_core::Dag;
use nalgebra::DMatrix;

use super::EncoFit;
use crate::belief::logistic;
use crate::gaussian_score::{GaussianScore, LEAST_GAIN};
use crate::least_squares::LeastSquares;
use crate::sample::mean_and_inverse_std;
use crate::screening::Bends;
use crate::{Column, DagError, Mechanisms, Samples};

/// Belief from which on a cause is in the regression that asks for curves.
const CANDIDATE: f64 = 0.05;

/// A direction whose belief is this near to 1/2 is open: no intervention tells it.
const OPEN: f64 = 0.01;

/// Variables up to which the score is used: it holds a covariance of all for each.
const MOST_VARIABLES: usize = 200;

/// One variable with its candidate causes, over the rows that do not target it.
struct Regression {
    causes: Vec<usize>,
    columns: DMatrix<f64>,
    response: Vec<f64>,
}

/// Beliefs that edges exist and beliefs in their directions, from the score around the likeliest graph
/// that single changes reach, from that of the networks or from none; nothing where columns are states,
/// mechanisms curved or directions open.
pub(super) fn beliefs(
    fit: &EncoFit,
    samples: &Samples,
    mechanisms: Mechanisms,
) -> Result<Option<[DMatrix<f64>; 2]>, DagError> {
    let continuous = samples.columns().iter().all(|c| matches!(c, Column::Continuous(_)));
    let d = samples.dim();
    let scored = continuous && d <= MOST_VARIABLES && mechanisms != Mechanisms::Any;
    if !scored || has_open_direction(fit) {
        return Ok(None);
    }
    let states = samples.standardised()?;
    let regressions: Vec<Regression> =
        (0..d).map(|k| Regression::new(fit, &states, &samples.rows_sparing(k), k)).collect();
    let unfit = |r: &Regression| !r.is_determined();
    let curved = |r: &Regression| mechanisms == Mechanisms::Detect && r.is_curved();
    if regressions.iter().any(|r| unfit(r) || curved(r)) {
        return Ok(None);
    }
    let candidates = (d * d.saturating_sub(1) / 2).max(1);
    let score = GaussianScore::new(samples, (candidates as f64).ln())?;
    let mut climb = Climb { score, dag: Dag::empty(d) };
    climb.climb();
    let (from_none, reached) = (climb.dag.clone(), climb.score.of(&climb.dag));
    climb.dag = fit.graph.dag.clone();
    climb.climb();
    if climb.score.of(&climb.dag) < reached {
        climb.dag = from_none;
    }
    Ok(Some(climb.beliefs(fit)))
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
        Bends::are_seen(self.response.len(), self.causes.len())
    }

    fn is_curved(&self) -> bool {
        if self.causes.is_empty() {
            return false;
        }
        let line = LeastSquares::fit(&mut self.columns.clone(), &self.response);
        Bends::of(&self.columns, &self.response, &line).matter()
    }
}

/// A graph and the score that single changes of its edges are to raise.
struct Climb {
    score: GaussianScore,
    dag: Dag,
}

/// A change of one edge.
#[derive(Clone, Copy)]
enum Change {
    Add(usize, usize),
    Drop(usize, usize),
    Turn(usize, usize),
}

impl Climb {
    /// Takes the best change while one gains.
    fn climb(&mut self) {
        let d = self.dag.dim();
        let pairs = || (0..d).flat_map(|i| (0..d).map(move |j| (i, j))).filter(|(i, j)| i != j);
        loop {
            let mut changes = Vec::new();
            for (i, j) in pairs() {
                if self.dag.has_edge(i, j) {
                    changes.extend([Change::Drop(i, j), Change::Turn(i, j)]);
                } else if !self.dag.has_edge(j, i) {
                    changes.push(Change::Add(i, j));
                }
            }
            let mut gains: Vec<(f64, Change)> =
                changes.into_iter().map(|change| (self.gain(change), change)).collect();
            gains.retain(|(gain, _)| *gain > LEAST_GAIN);
            gains.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            let Some(next) = gains.into_iter().find_map(|(_, change)| self.after(change)) else {
                return;
            };
            self.dag = next;
        }
    }

    /// The graph after a change, unless that has a cycle.
    fn after(&self, change: Change) -> Option<Dag> {
        let (Change::Add(i, j) | Change::Drop(i, j) | Change::Turn(i, j)) = change;
        let mut edges: Vec<(usize, usize)> = self.dag.edges().filter(|&e| e != (i, j)).collect();
        match change {
            Change::Add(..) => edges.push((i, j)),
            Change::Turn(..) => edges.push((j, i)),
            Change::Drop(..) => {}
        }
        Dag::from_edges(self.dag.dim(), &edges).ok()
    }

    /// By how many nats a change raises the score.
    fn gain(&mut self, change: Change) -> f64 {
        match change {
            Change::Add(i, j) => self.worth(i, j),
            Change::Drop(i, j) => -self.worth(i, j),
            Change::Turn(i, j) => self.worth(j, i) - self.worth(i, j),
        }
    }

    /// What `i` is worth as a cause of `j` beside its other causes.
    fn worth(&mut self, i: usize, j: usize) -> f64 {
        let others: Vec<usize> = self.dag.parents(j).filter(|&k| k != i).collect();
        let mut all = others.clone();
        all.push(i);
        all.sort_unstable();
        self.score.local(j, &all) - self.score.local(j, &others)
    }

    /// Existence and direction of each edge by what the score loses without it and if it is turned; the
    /// direction of an edge that closes a cycle when it is turned is certain. Pairs without an edge keep the
    /// direction that the networks believe in.
    fn beliefs(mut self, fit: &EncoFit) -> [DMatrix<f64>; 2] {
        let (mut existence, mut orientation) = (fit.existence.clone(), fit.orientation.clone());
        let place = |k: usize| self.dag.topological_order().iter().position(|&at| at == k);
        let places: Vec<_> = (0..self.dag.dim()).map(place).collect();
        for j in 0..places.len() {
            for i in (0..places.len()).filter(|&i| places[i] < places[j]) {
                if self.dag.has_edge(i, j) {
                    let turn = Change::Turn(i, j);
                    let open = self.after(turn).is_some();
                    let sure = if open { logistic(-self.gain(turn)) } else { 1.0 };
                    (orientation[(i, j)], orientation[(j, i)]) = (sure, 1.0 - sure);
                }
                existence[(i, j)] = logistic(self.worth(i, j));
                existence[(j, i)] = existence[(i, j)];
            }
        }
        [existence, orientation]
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Dag, Seed, Stream};

    use super::*;
    use crate::LearnedGraph;
    use crate::networks::{GaussianScm, Intervention, Plan, Scale, draw_samples};

    /// Networks that believe in an edge between each two of 0, 1, 2, along them to this degree.
    fn believed(direction: f64) -> EncoFit {
        let forward = |i: usize, j: usize, yes: f64, no: f64| match i.cmp(&j) {
            std::cmp::Ordering::Less => yes,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => no,
        };
        let existence = DMatrix::from_fn(3, 3, |i, j| forward(i, j, 0.9, 0.9));
        let orientation = DMatrix::from_fn(3, 3, |i, j| forward(i, j, direction, 1.0 - direction));
        let graph = LearnedGraph::from_edge_probs(existence.component_mul(&orientation));
        let confounders = DMatrix::zeros(3, 3);
        EncoFit { graph: graph.unwrap(), existence, orientation, confounders, epochs: 1 }
    }

    fn samples(scm: &GaussianScm) -> Samples {
        let plan =
            Plan { observational: 1000, per_target: 100, intervention: Intervention::Perfect };
        draw_samples(scm, &plan, &mut Seed(1).rng(Stream::Data)).unwrap()
    }

    fn linear_chain() -> Samples {
        let mut rng = Seed(1).rng(Stream::World);
        samples(&GaussianScm::linear(Dag::chain(3), Scale::Unit, &mut rng))
    }

    #[test]
    fn an_indirect_cause_goes_and_direct_ones_stay() {
        let [existence, orientation] =
            beliefs(&believed(0.9), &linear_chain(), Mechanisms::Detect).unwrap().unwrap();
        for direct in [(0, 1), (1, 2)] {
            assert!(existence[direct] > 0.99 && orientation[direct] > 0.99, "{existence}");
        }
        assert!(existence[(0, 2)] < 0.2, "{existence}");
    }

    #[test]
    fn an_edge_that_networks_directed_wrongly_is_turned() {
        let [existence, orientation] =
            beliefs(&believed(0.1), &linear_chain(), Mechanisms::Linear).unwrap().unwrap();
        let probs = existence.component_mul(&orientation);
        assert!(probs[(0, 2)] < 0.2 && probs[(2, 0)] < 0.2, "{probs}");
        assert!(probs[(0, 1)] > 0.99 && probs[(1, 2)] > 0.99 && probs[(1, 0)] < 0.01, "{probs}");
    }

    #[test]
    fn networks_keep_the_last_word_on_curves_open_directions_and_request() {
        let verdict = |fit: &EncoFit, samples: &Samples, mechanisms| {
            beliefs(fit, samples, mechanisms).unwrap().is_some()
        };
        let mut rng = Seed(1).rng(Stream::World);
        let curves = samples(&GaussianScm::nonlinear(Dag::chain(3), &mut rng));
        let lines = linear_chain();
        assert!(!verdict(&believed(0.9), &curves, Mechanisms::Detect));
        assert!(verdict(&believed(0.9), &curves, Mechanisms::Linear));
        assert!(!verdict(&believed(0.5), &lines, Mechanisms::Detect));
        assert!(!verdict(&believed(0.9), &lines, Mechanisms::Any));
    }
}
