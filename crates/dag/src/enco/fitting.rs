use rand::{Rng, RngExt};

use super::Enco;
use super::parents::ParentLaw;
use crate::Samples;
use crate::neural::{AdamRates, Encoded, Fit, ParentSets, Stack};

/// One row in this many is held out.
const HELD_OUT: usize = 10;

/// Rows from which on some are held out.
const ENOUGH_TO_HOLD_OUT: usize = 200;

/// Steps between looks at the held-out loss.
const CHECK: usize = 50;

/// Looks without a better loss that end the fit of a network.
const PATIENCE: usize = 3;

/// Each such look puts the network back to its best and lowers its rate by this: a rate that travels
/// far leaves a jitter that is larger than what an edge is worth.
const DECAY: f32 = 0.3;

/// Distribution fitting: the networks and the rows they learn from.
pub(super) struct Fitting {
    pub(super) stack: Stack,
    gradient: Vec<f32>,
    learned: Vec<usize>,
    held_out: Vec<usize>,
    /// Factor of the rate of each network.
    rates: Vec<f32>,
    /// Likeliest target of each row.
    targets: Vec<Option<usize>>,
}

/// A network at its best held-out loss.
struct Best {
    variable: usize,
    rows: Vec<usize>,
    sets: ParentSets,
    loss: f32,
    weights: Vec<f32>,
    misses: usize,
}

impl Fitting {
    pub(super) fn new(stack: Stack, samples: &Samples, rows: Vec<usize>) -> Self {
        let dim = samples.dim();
        let longest = (0..dim).map(|j| stack.weights(j).len()).max().unwrap_or(0);
        let targets = (0..samples.len()).map(|r| samples.regime(r).likeliest()).collect();
        let spare = rows.len() >= ENOUGH_TO_HOLD_OUT;
        let (held_out, learned): (Vec<_>, Vec<_>) =
            rows.into_iter().enumerate().partition(|(at, _)| spare && at % HELD_OUT == 0);
        let places = |rows: Vec<(usize, usize)>| rows.into_iter().map(|(_, row)| row).collect();
        let (learned, held_out) = (places(learned), places(held_out));
        let (gradient, rates) = (vec![0.0; longest], vec![1.0; dim]);
        Self { stack, gradient, learned, held_out, rates, targets }
    }

    /// One step of the networks of some variables on one batch; their mean loss in nats.
    pub(super) fn step(
        &mut self,
        variables: &[usize],
        data: &Encoded,
        laws: &[ParentLaw],
        options: &Enco,
        rng: &mut dyn Rng,
    ) -> f64 {
        let size = options.distribution_batch.min(self.learned.len());
        let batch: Vec<usize> =
            (0..size).map(|_| self.learned[rng.random_range(0..self.learned.len())]).collect();
        let mut total = 0.0;
        for &target in variables {
            let rows = self.valid(&batch, target);
            if rows.is_empty() {
                continue;
            }
            let sets = laws[target].draw_each(rows.len(), rng);
            let gradient = &mut self.gradient[..self.stack.weights(target).len()];
            let rate = options.distribution_rate as f32 * self.rates[target];
            let shrinkage = options.shrinkage as f32;
            let rates = AdamRates { rate, mean: 0.9, square: 0.999, shrinkage };
            let stack = &self.stack;
            let fit = Fit { stack, data, target, rows: &rows, sets: &sets, gradient };
            total += f64::from(fit.loss());
            self.stack.step(target, gradient, rates);
        }
        total / variables.len().max(1) as f64
    }

    /// Steps until the held-out loss of every network has stopped falling; each ends at its best.
    pub(super) fn epoch(
        &mut self,
        data: &Encoded,
        laws: &[ParentLaw],
        options: &Enco,
        rng: &mut dyn Rng,
    ) {
        let mut best: Vec<Best> =
            (0..data.dim()).map(|j| self.mark(j, data, &laws[j], rng)).collect();
        let mut active: Vec<usize> = (0..data.dim()).collect();
        for step in 1..=options.distribution_steps {
            self.step(&active, data, laws, options, rng);
            if self.held_out.is_empty() || step % CHECK != 0 {
                continue;
            }
            active.retain(|&j| self.improves(&mut best[j], data));
            if active.is_empty() {
                break;
            }
        }
        if !self.held_out.is_empty() {
            self.rates.fill(DECAY);
            for network in best {
                if self.held_out_loss(&network, data) > network.loss {
                    self.stack.restore(network.variable, &network.weights);
                }
            }
        }
    }

    fn mark(
        &mut self,
        variable: usize,
        data: &Encoded,
        law: &ParentLaw,
        rng: &mut dyn Rng,
    ) -> Best {
        let rows = self.valid(&self.held_out, variable);
        let sets = law.draw_each(rows.len(), rng);
        let weights = self.stack.weights(variable).to_vec();
        let mut best = Best { variable, rows, sets, loss: 0.0, weights, misses: 0 };
        best.loss = self.held_out_loss(&best, data);
        best
    }

    /// Whether a network is still worth its steps.
    fn improves(&mut self, best: &mut Best, data: &Encoded) -> bool {
        let loss = self.held_out_loss(best, data);
        if loss < best.loss {
            best.loss = loss;
            best.weights.copy_from_slice(self.stack.weights(best.variable));
            best.misses = 0;
        } else {
            best.misses += 1;
            self.rates[best.variable] *= DECAY;
            self.stack.restore(best.variable, &best.weights);
        }
        best.misses < PATIENCE
    }

    fn held_out_loss(&mut self, best: &Best, data: &Encoded) -> f32 {
        let Best { variable: target, rows, sets, .. } = best;
        let gradient = &mut self.gradient[..self.stack.weights(*target).len()];
        Fit { stack: &self.stack, data, target: *target, rows, sets, gradient }.loss()
    }

    /// Rows that do not target a variable.
    fn valid(&self, rows: &[usize], variable: usize) -> Vec<usize> {
        rows.iter().copied().filter(|&row| self.targets[row] != Some(variable)).collect()
    }
}
