use std::ops::Range;

use rand::{Rng, RngExt};

use super::Encoded;
use crate::simd::{Kernel, vectorised};

/// Rates of Adam.
#[derive(Clone, Copy)]
pub(crate) struct AdamRates {
    pub(crate) rate: f32,
    /// Decay of the mean of the gradients.
    pub(crate) mean: f32,
    /// Decay of the mean of their squares.
    pub(crate) square: f32,
    /// Shrinkage of the weights of categorical inputs per step, in units of `rate`.
    pub(crate) shrinkage: f32,
}

/// Added to the root of the squared gradients, as is usual.
const EPSILON: f32 = 1e-8;

/// The networks of all variables with the state of their optimiser.
///
/// A network is one slice: input weights `[inputs, hidden]`, hidden biases `[hidden]`, output weights
/// `[outputs, hidden]`, output biases `[outputs]`.
pub(crate) struct Stack {
    hidden: usize,
    inputs: usize,
    /// Input rows of each categorical variable.
    states: Vec<Range<usize>>,
    weights: Vec<Vec<f32>>,
    means: Vec<Vec<f32>>,
    squares: Vec<Vec<f32>>,
    steps: Vec<i32>,
}

/// The parts of a network's slice.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) hidden: usize,
    pub(super) input: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) output: &'a [f32],
    pub(super) output_bias: &'a [f32],
}

impl Parts<'_> {
    /// What an input adds to the hidden sums, times their slopes.
    #[inline(always)]
    pub(super) fn slope(&self, code: usize, value: f32, back: &[f32]) -> f32 {
        let row = |code: usize| &self.input[code * self.hidden..][..self.hidden];
        let product = |weights: &[f32]| weights.iter().zip(back).map(|(w, b)| w * b).sum::<f32>();
        let base = product(row(code));
        if value.abs() > 0.0 { base + value * product(row(code + 1)) } else { base }
    }
}

impl Stack {
    /// Random networks: weights uniform with the variance of Kaiming's rule for the inputs of one
    /// network, zero biases, small outputs.
    ///
    /// He, Zhang, Ren & Sun, *Delving deep into rectifiers*, ICCV 2015. The number of inputs is that
    /// of the variables: of a categorical variable's rows one is added.
    pub(crate) fn draw(data: &Encoded, hidden: usize, rng: &mut dyn Rng) -> Self {
        let inputs = data.inputs();
        let bound = (6.0 / data.dim() as f32).sqrt();
        let small = 0.1 * (6.0 / hidden as f32).sqrt();
        let network = |j: usize, rng: &mut dyn Rng| {
            let mut all = Vec::with_capacity((inputs + 1 + data.outputs(j)) * hidden);
            all.extend((0..inputs * hidden).map(|_| rng.random_range(-bound..bound)));
            all.extend(std::iter::repeat_n(0.0, hidden));
            all.extend((0..data.outputs(j) * hidden).map(|_| rng.random_range(-small..small)));
            all.extend(std::iter::repeat_n(0.0, data.outputs(j)));
            all
        };
        let weights: Vec<Vec<f32>> = (0..data.dim()).map(|j| network(j, rng)).collect();
        let zeros: Vec<Vec<f32>> = weights.iter().map(|w| vec![0.0; w.len()]).collect();
        let steps = vec![0; weights.len()];
        let states = (0..data.dim()).filter(|&k| data.is_categorical(k)).map(|k| data.rows_of(k));
        let states = states.collect();
        Self { hidden, inputs, states, weights, means: zeros.clone(), squares: zeros, steps }
    }

    /// Weights of a network.
    pub(crate) fn weights(&self, variable: usize) -> &[f32] {
        &self.weights[variable]
    }

    /// Puts a network back to earlier weights; its optimiser keeps its state.
    pub(crate) fn restore(&mut self, variable: usize, weights: &[f32]) {
        self.weights[variable].copy_from_slice(weights);
    }

    #[cfg(test)]
    pub(crate) fn weights_mut(&mut self, variable: usize) -> &mut [f32] {
        &mut self.weights[variable]
    }

    pub(super) fn parts(&self, variable: usize) -> Parts<'_> {
        let all = &self.weights[variable];
        let (input, rest) = all.split_at(self.inputs * self.hidden);
        let (bias, rest) = rest.split_at(self.hidden);
        let outputs = rest.len() / (self.hidden + 1);
        let (output, output_bias) = rest.split_at(outputs * self.hidden);
        Parts { hidden: self.hidden, input, bias, output, output_bias }
    }

    /// One step of Adam for the network of a variable, whose weights of states shrink beside it.
    ///
    /// Kingma & Ba, *Adam: a method for stochastic optimization*, ICLR 2015; Loshchilov & Hutter,
    /// *Decoupled weight decay regularization*, ICLR 2019.
    pub(crate) fn step(&mut self, variable: usize, gradient: &[f32], rates: AdamRates) {
        if rates.shrinkage > 0.0 {
            let kept = (1.0 - rates.rate * rates.shrinkage).max(0.0);
            for Range { start, end } in &self.states {
                let weights = start * self.hidden..end * self.hidden;
                self.weights[variable][weights].iter_mut().for_each(|w| *w *= kept);
            }
        }
        self.steps[variable] += 1;
        let step = self.steps[variable];
        vectorised(Update {
            weights: &mut self.weights[variable],
            means: &mut self.means[variable],
            squares: &mut self.squares[variable],
            gradient,
            rates,
            length: rates.rate / (1.0 - rates.mean.powi(step)),
            unbiased: 1.0 / (1.0 - rates.square.powi(step)),
        });
    }
}

struct Update<'a> {
    weights: &'a mut [f32],
    means: &'a mut [f32],
    squares: &'a mut [f32],
    gradient: &'a [f32],
    rates: AdamRates,
    length: f32,
    unbiased: f32,
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let AdamRates { mean, square, .. } = self.rates;
        let states = self.means.iter_mut().zip(self.squares);
        for ((w, g), (m, v)) in self.weights.iter_mut().zip(self.gradient).zip(states) {
            *m = mean * *m + (1.0 - mean) * g;
            *v = square * *v + (1.0 - square) * g * g;
            *w -= self.length * *m / ((*v * self.unbiased).sqrt() + EPSILON);
        }
    }
}
