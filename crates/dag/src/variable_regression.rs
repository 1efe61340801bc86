use domino_core::Dag;
use nalgebra::DMatrix;
use rand::Rng;

use crate::differences::{Differences, States};
use crate::distinct::expanded;
use crate::nonlinear_variables;
use crate::order::causal_order;
use crate::pair_regression::forward_pairs;
use crate::{DagError, LearnedGraph, Mechanisms, PairRegression, PairVariables, StructureLearner};

impl StructureLearner<PairVariables> for PairRegression {
    fn learn(
        &self,
        variables: &PairVariables,
        rng: &mut dyn Rng,
    ) -> Result<LearnedGraph, DagError> {
        self.validate()?;
        let (d, kept) = (variables.dim(), variables.distinct());
        if kept.len() < 2 {
            return LearnedGraph::from_edge_probs(DMatrix::zeros(d, d));
        }
        let states = States::new(variables, &kept, self.least_target_probability);
        let order = causal_order(&states.dependences());
        let differences = Differences::new(&states, &order);
        let mechanisms = match self.mechanisms {
            Mechanisms::Detect if differences.are_linear() => Mechanisms::Linear,
            Mechanisms::Detect => Mechanisms::Any,
            given => given,
        };
        let (probs, strengths) = match mechanisms {
            Mechanisms::Any => nonlinear_variables::learn(&states.before, &order, self, rng),
            _ => linear(&differences, &order, self),
        };
        let edge_probs = halved_where_open(probs, &order, &states);
        whole(&edge_probs, &strengths, &order, &kept, d)
    }
}

impl PairRegression {
    /// A causal order of variables that can be seen, by what interventions move; those that equal another come last.
    ///
    /// # Errors
    /// [`DagError::Option`] if an option is out of its range.
    pub fn variable_order(&self, variables: &PairVariables) -> Result<Vec<usize>, DagError> {
        self.validate()?;
        let kept = variables.distinct();
        if kept.len() < 2 {
            return Ok(named(&[], &[], variables.dim()));
        }
        let states = States::new(variables, &kept, self.least_target_probability);
        Ok(named(&causal_order(&states.dependences()), &kept, variables.dim()))
    }
}

/// Probabilities and strengths of the edges between linear mechanisms.
fn linear(
    differences: &Differences,
    order: &[usize],
    options: &PairRegression,
) -> (DMatrix<f64>, DMatrix<f64>) {
    let zeros = DMatrix::zeros(order.len(), order.len());
    let (mut probs, mut strengths) = (zeros.clone(), zeros);
    for (place, &k) in order.iter().enumerate() {
        let causes = differences.causes(place, options);
        for (at, &j) in order[..place].iter().enumerate() {
            probs[(j, k)] = causes.probs[at];
            strengths[(j, k)] = 2.0 * causes.shares[at];
        }
    }
    (probs, strengths)
}

/// Shares the belief in an edge between its directions where neither variable's interventions were
/// seen.
fn halved_where_open(mut probs: DMatrix<f64>, order: &[usize], states: &States) -> DMatrix<f64> {
    for (j, k) in forward_pairs(order) {
        if !states.is_known(j) && !states.is_known(k) {
            let half = 0.5 * probs[(j, k)];
            (probs[(j, k)], probs[(k, j)]) = (half, half);
        }
    }
    probs
}

/// The graph over all `d` variables from what was learned of those that were kept.
fn whole(
    probs: &DMatrix<f64>,
    strengths: &DMatrix<f64>,
    order: &[usize],
    kept: &[usize],
    d: usize,
) -> Result<LearnedGraph, DagError> {
    let edges = forward_pairs(order).filter(|&at| probs[at] > 0.5);
    let edges: Vec<_> = edges.map(|(i, j)| (kept[i], kept[j])).collect();
    let dag = Dag::from_edges(d, &edges)?;
    let strengths = expanded(strengths, kept, d).component_mul(&dag.adjacency());
    let order = named(order, kept, d);
    Ok(LearnedGraph { dag, order, edge_probs: expanded(probs, kept, d), strengths })
}

/// An order of those of `d` variables that were kept, by their own names, and the others after them.
fn named(order: &[usize], kept: &[usize], d: usize) -> Vec<usize> {
    let rest = (0..d).filter(|k| !kept.contains(k));
    order.iter().map(|&k| kept[k]).chain(rest).collect()
}
