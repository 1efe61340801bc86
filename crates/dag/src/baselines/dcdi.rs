use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::belief::logistic;
use crate::distinct::on_distinct;
use crate::neural::{AdamRates, Encoded, Fit, ParentSets, Stack};
use crate::soft_graph::{GraphTerm, SoftGraph};
use crate::{DagError, LearnedGraph, Samples, StructureLearner};

/// Steps between updates of the multiplier.
const ROUND: usize = 100;

/// Violation of acyclicity at which the penalty stays as it is.
const ACYCLIC: f64 = 1e-6;

/// Growth of the penalty where a round lowers the violation by less than a tenth.
const GROWTH: f64 = 2.0;

/// First penalty, per squared unit of violation.
const START: f64 = 1e-3;

/// What an intervention does to the mechanism of its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DcdiInterventions {
    /// It cuts the target from its causes: such rows say nothing of them.
    #[default]
    Perfect,
    /// It changes the mechanism, which gets a network of its own with the same causes.
    Imperfect,
}

/// Differentiable causal discovery from interventional data, in the style of DCDI-G.
///
/// One network per variable predicts it from masked others; masks are straight-through Gumbel draws
/// with probabilities `σ(Λ)`. The loss is the likelihood of all rows plus `sparsity · Σ σ(Λ)`, under
/// the constraint `tr e^{σ(Λ)} = d` by an augmented Lagrangian. Targets have to be known. Networks
/// have one hidden layer, and the budget of steps is fixed instead of waiting for convergence.
///
/// Brouillard, Lachapelle, Lacoste, Lacoste-Julien & Drouin, *Differentiable causal discovery from
/// interventional data*, NeurIPS 2020, arXiv 2007.01754.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dcdi {
    /// What interventions do.
    pub interventions: DcdiInterventions,
    /// Hidden units of each network.
    #[schemars(range(min = 1))]
    pub hidden: usize,
    /// Steps.
    #[schemars(range(min = 1))]
    pub steps: usize,
    /// Rows per step.
    #[schemars(range(min = 1))]
    pub batch: usize,
    /// Adam's rate, for networks and masks.
    #[schemars(range(min = 0.0))]
    pub rate: f64,
    /// Price of an edge, in nats per row.
    #[schemars(range(min = 0.0))]
    pub sparsity: f64,
}

impl Default for Dcdi {
    fn default() -> Self {
        let interventions = DcdiInterventions::Perfect;
        Self { interventions, hidden: 16, steps: 6000, batch: 64, rate: 1e-2, sparsity: 0.01 }
    }
}

impl StructureLearner<Samples> for Dcdi {
    fn learn(&self, samples: &Samples, rng: &mut dyn Rng) -> Result<LearnedGraph, DagError> {
        for (key, got) in [("hidden", self.hidden), ("steps", self.steps), ("batch", self.batch)] {
            if got == 0 {
                return Err(DagError::Option { key, expected: "1 or more", got: 0.0 });
            }
        }
        for (key, got) in [("rate", self.rate), ("sparsity", self.sparsity)] {
            if !(0.0..=f64::MAX).contains(&got) {
                return Err(DagError::Option { key, expected: "a number, 0 or more", got });
            }
        }
        on_distinct(samples, |samples| {
            let mut run = Run::new(self, samples, rng);
            (0..self.steps).for_each(|step| run.step(step, rng));
            LearnedGraph::from_edge_probs(run.probs())
        })
    }
}

struct Run<'a> {
    options: &'a Dcdi,
    data: Encoded,
    /// Networks of the mechanisms, and of those under interventions.
    stacks: [Stack; 2],
    gradient: Vec<f32>,
    targets: Vec<Option<usize>>,
    /// `Λ`, `[from, to]`, with Adam's moments.
    logits: DMatrix<f64>,
    moments: [DMatrix<f64>; 2],
    /// Violation at the start, the unit of all others: the raw one grows exponentially with the number
    /// of variables, and would drop all edges before the data have a say.
    unit: f64,
    multiplier: f64,
    penalty: f64,
    violation: f64,
}

impl<'a> Run<'a> {
    fn new(options: &'a Dcdi, samples: &Samples, rng: &mut dyn Rng) -> Self {
        let d = samples.dim();
        let rows: Vec<usize> = (0..samples.len()).collect();
        let data = Encoded::new(samples, &rows);
        let stacks = [0, 1].map(|_| Stack::draw(&data, options.hidden, rng));
        let longest = (0..d).map(|j| stacks[0].weights(j).len()).max().unwrap_or(0);
        let zeros = DMatrix::zeros(d, d);
        let even = DMatrix::from_fn(d, d, |i, j| if i == j { 0.0 } else { 0.5 });
        let unit = SoftGraph::trusted(even).acyclicity().value.max(f64::MIN_POSITIVE);
        Self {
            options,
            data,
            stacks,
            gradient: vec![0.0; longest],
            targets: rows.iter().map(|&row| samples.regime(row).likeliest()).collect(),
            logits: zeros.clone(),
            moments: [zeros.clone(), zeros],
            unit,
            multiplier: 0.0,
            penalty: START,
            violation: f64::INFINITY,
        }
    }

    fn probs(&self) -> DMatrix<f64> {
        let d = self.logits.nrows();
        DMatrix::from_fn(d, d, |i, j| if i == j { 0.0 } else { logistic(self.logits[(i, j)]) })
    }

    fn step(&mut self, step: usize, rng: &mut dyn Rng) {
        let (n, d) = (self.targets.len(), self.logits.nrows());
        let batch: Vec<usize> = (0..self.options.batch).map(|_| rng.random_range(0..n)).collect();
        let mut slopes = DMatrix::zeros(d, d);
        for target in 0..d {
            let is_set = |row: &usize| self.targets[*row] == Some(target);
            let (set, free): (Vec<usize>, Vec<usize>) = batch.iter().partition(|row| is_set(row));
            self.fit(0, target, &free, &mut slopes, rng);
            if self.options.interventions == DcdiInterventions::Imperfect {
                self.fit(1, target, &set, &mut slopes, rng);
            }
        }
        self.move_logits(step, &slopes);
    }

    /// One step of a network, and the slopes of its mean loss by the logits of its masks.
    fn fit(
        &mut self,
        stack: usize,
        target: usize,
        rows: &[usize],
        slopes: &mut DMatrix<f64>,
        rng: &mut dyn Rng,
    ) {
        if rows.is_empty() {
            return;
        }
        let d = self.logits.nrows();
        let (mut sets, mut softness) = (ParentSets::default(), vec![0.0; rows.len() * d]);
        for row in 0..rows.len() {
            for i in (0..d).filter(|&i| i != target) {
                let level: f64 = rng.random_range(1e-9..1.0);
                let soft = logistic(self.logits[(i, target)] + (level / (1.0 - level)).ln());
                softness[row * d + i] = soft * (1.0 - soft);
                if soft > 0.5 {
                    sets.push(i);
                }
            }
            sets.close();
        }
        let gradient = &mut self.gradient[..self.stacks[stack].weights(target).len()];
        let fit = Fit {
            stack: &self.stacks[stack],
            data: &self.data,
            target,
            rows,
            sets: &sets,
            gradient,
        };
        let by_mask = fit.mask_slopes();
        let rates =
            AdamRates { rate: self.options.rate as f32, mean: 0.9, square: 0.999, shrinkage: 0.0 };
        self.stacks[stack].step(target, gradient, rates);
        let share = 1.0 / self.options.batch as f64;
        for (at, (slope, soft)) in by_mask.iter().zip(&softness).enumerate() {
            slopes[(at % d, target)] += share * f64::from(*slope) * soft;
        }
    }

    fn move_logits(&mut self, step: usize, slopes: &DMatrix<f64>) {
        let probs = self.probs();
        let GraphTerm { value: h, gradient } = SoftGraph::trusted(probs.clone()).acyclicity();
        let (h, gradient) = (h / self.unit, gradient / self.unit);
        let pressure = self.multiplier + self.penalty * h;
        let t = i32::try_from(step + 1).unwrap_or(i32::MAX);
        for (i, j) in (0..probs.nrows()).flat_map(|i| (0..probs.nrows()).map(move |j| (i, j))) {
            if i == j {
                continue;
            }
            let by_prob = self.options.sparsity + pressure * gradient[(i, j)];
            let slope = slopes[(i, j)] + by_prob * probs[(i, j)] * (1.0 - probs[(i, j)]);
            let [mean, square] = &mut self.moments;
            mean[(i, j)] = 0.9 * mean[(i, j)] + 0.1 * slope;
            square[(i, j)] = 0.999 * square[(i, j)] + 0.001 * slope * slope;
            let unbiased = square[(i, j)] / (1.0 - 0.999_f64.powi(t));
            let moved = mean[(i, j)] / (1.0 - 0.9_f64.powi(t)) / (unbiased.sqrt() + 1e-8);
            self.logits[(i, j)] -= self.options.rate * moved;
        }
        if (step + 1).is_multiple_of(ROUND) {
            self.multiplier += self.penalty * h;
            if h > ACYCLIC && h > 0.9 * self.violation {
                self.penalty *= GROWTH;
            }
            self.violation = h;
        }
    }
}
