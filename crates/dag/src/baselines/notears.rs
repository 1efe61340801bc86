use nalgebra::DMatrix;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lbfgs::{Limits, minimise};
use super::notears_mlp;
use crate::distinct::on_distinct;
use crate::soft_graph::{GraphTerm, SoftGraph};
use crate::{DagError, LearnedGraph, Samples, StructureLearner};

/// Acyclicity `h` at which the search ends.
const ACYCLIC: f64 = 1e-8;

/// Penalty at which it ends in any case.
const MOST_PENALTY: f64 = 1e16;

/// Rounds of the augmented Lagrangian, at most.
const ROUNDS: usize = 100;

/// Steps per round and precision of each minimum.
const LIMITS: Limits = Limits { steps: 1000, decrease: 1e-9 };

/// The form of the mechanisms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotearsModel {
    /// Weighted sums.
    #[default]
    Linear,
    /// One hidden layer of ten logistic units per variable.
    Mlp,
}

/// NOTEARS: least squares under the smooth acyclicity constraint `tr e^{W∘W} = d`.
///
/// All rows are pooled, interventional or not: the method knows of no targets. Columns are centred
/// and keep their scale, on which its answer depends (Reisach, Seiler & Weichwald, *Beware of the
/// simulated DAG!*, NeurIPS 2021). The "probabilities" are `|w| / (|w| + threshold)`, a score that
/// crosses 1/2 at the threshold. Minima are found by OWL-QN instead of L-BFGS-B.
///
/// Zheng, Aragam, Ravikumar & Xing, *DAGs with NO TEARS*, NeurIPS 2018, arXiv 1803.01422; with hidden
/// layers Zheng, Dan, Aragam, Ravikumar & Xing, AISTATS 2020, arXiv 1909.13189.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notears {
    /// The form of the mechanisms.
    pub model: NotearsModel,
    /// Weight of the absolute values.
    #[schemars(range(min = 0.0))]
    pub l1: f64,
    /// Weight of half the squares; networks only.
    #[schemars(range(min = 0.0))]
    pub l2: f64,
    /// Weights up to this are dropped.
    #[schemars(range(min = 0.0))]
    pub threshold: f64,
}

impl Default for Notears {
    fn default() -> Self {
        Self { model: NotearsModel::Linear, l1: 0.1, l2: 0.01, threshold: 0.3 }
    }
}

impl Notears {
    /// Networks, with the authors' weights for them.
    pub fn mlp() -> Self {
        Self { model: NotearsModel::Mlp, l1: 0.01, l2: 0.01, threshold: 0.3 }
    }

    fn validate(&self) -> Result<(), DagError> {
        for (key, got) in [("l1", self.l1), ("l2", self.l2), ("threshold", self.threshold)] {
            if !(0.0..=f64::MAX).contains(&got) {
                return Err(DagError::Option { key, expected: "a number, 0 or more", got });
            }
        }
        Ok(())
    }
}

impl StructureLearner<Samples> for Notears {
    fn learn(&self, samples: &Samples, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        self.validate()?;
        on_distinct(samples, |samples| {
            let z = samples.centred()?;
            let weights = match self.model {
                NotearsModel::Linear => linear(&z, self.l1),
                NotearsModel::Mlp => notears_mlp::weights(&z, self, rng),
            };
            let floor = self.threshold.max(f64::MIN_POSITIVE);
            LearnedGraph::from_edge_probs(weights.map(|w| w.abs() / (w.abs() + floor)))
        })
    }
}

/// Weights `[from, to]` of the linear model.
fn linear(z: &DMatrix<f64>, l1: f64) -> DMatrix<f64> {
    let d = z.ncols();
    let covariance = z.transpose() * z / z.nrows() as f64;
    let mut x = vec![0.0; d * d];
    let mut fit = |x: &[f64], gradient: &mut [f64]| {
        let rest = DMatrix::identity(d, d) - DMatrix::from_column_slice(d, d, x);
        let weighted = &covariance * &rest;
        gradient.copy_from_slice((-&weighted).as_slice());
        0.5 * rest.dot(&weighted)
    };
    let free = |at: usize| at / d != at % d;
    let squares = |x: &[f64]| DMatrix::from_fn(d, d, |i, j| x[j * d + i].powi(2));
    let spread = |x: &[f64], slope: &DMatrix<f64>, gradient: &mut [f64]| {
        (0..d * d).for_each(|at| gradient[at] += 2.0 * x[at] * slope[(at % d, at / d)]);
    };
    // The diagonal is held at 0 by a price that no gain reaches.
    let prices: Vec<f64> =
        (0..d * d).map(|at| if free(at) { l1 } else { f64::MAX.sqrt() }).collect();
    let constraint = Constraint { squares: &squares, spread: &spread };
    constrained(&mut x, &prices, &mut fit, &constraint);
    DMatrix::from_column_slice(d, d, &x)
}

/// How parameters make up the squared weights `[from, to]` of the graph.
pub(super) struct Constraint<'a> {
    /// The squared weights of parameters.
    pub(super) squares: &'a dyn Fn(&[f64]) -> DMatrix<f64>,
    /// Adds to a gradient by parameters what a slope by the squared weights means.
    #[expect(clippy::type_complexity, reason = "a name would say less than the arguments")]
    pub(super) spread: &'a dyn Fn(&[f64], &DMatrix<f64>, &mut [f64]),
}

/// Minimises a smooth loss and absolute values under acyclicity, by an augmented Lagrangian.
pub(super) fn constrained(
    x: &mut Vec<f64>,
    l1: &[f64],
    fit: super::lbfgs::Smooth<'_>,
    constraint: &Constraint<'_>,
) {
    let (mut penalty, mut multiplier, mut violation) = (1.0, 0.0, f64::INFINITY);
    for _ in 0..ROUNDS {
        loop {
            let mut next = x.clone();
            minimise(&mut next, l1, LIMITS, &mut |x, gradient| {
                let value = fit(x, gradient);
                let (h, slope) = acyclicity((constraint.squares)(x));
                (constraint.spread)(x, &(slope * (multiplier + penalty * h)), gradient);
                value + multiplier * h + 0.5 * penalty * h * h
            });
            let (h, _) = acyclicity((constraint.squares)(&next));
            if h <= 0.25 * violation || penalty >= MOST_PENALTY {
                (*x, violation) = (next, h);
                break;
            }
            penalty *= 10.0;
        }
        multiplier += penalty * violation;
        if violation <= ACYCLIC || penalty >= MOST_PENALTY {
            return;
        }
    }
}

/// `tr e^M − d` of squared weights and its gradient.
fn acyclicity(squares: DMatrix<f64>) -> (f64, DMatrix<f64>) {
    let GraphTerm { value, gradient } = SoftGraph::trusted(squares).acyclicity();
    (value, gradient)
}
