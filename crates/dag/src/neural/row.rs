use super::Encoded;
use super::stack::Parts;
use crate::simd::{add, axpy, exp};

/// Slope of the rectified hidden units below 0.
const SLOPE: f32 = 0.1;

/// One hidden unit in this many is linear, so that straight lines go on straight where interventions
/// put values that no observational row has.
const LINEAR_ONE_IN: usize = 8;

/// Bound of the log standard deviation: an exact relation must not have an infinite density.
const LOG_STD_BOUND: f32 = 5.0;

/// `ln(2π) / 2`.
const HALF_LOG_TAU: f32 = 0.918_938_5;

/// Outputs are computed in blocks of this many.
const BLOCK: usize = 8;

/// Logit of a state that does not exist, which fills the last block.
const IMPOSSIBLE: f32 = -1e30;

/// Buffers of one row.
pub(super) struct Row {
    pub(super) hidden: Vec<f32>,
    /// Slope of each hidden unit below 0: 1 for the linear ones.
    below: Vec<f32>,
    /// Output weights by hidden unit, `[hidden, padded outputs]`.
    transposed: Vec<f32>,
    /// Output biases, padded.
    bias: Vec<f32>,
    /// Padded, as the slopes.
    outputs: Vec<f32>,
    /// Gradients by the outputs.
    slopes: Vec<f32>,
}

impl Row {
    pub(super) fn new(parts: &Parts<'_>) -> Self {
        let (h, outputs) = (parts.hidden, parts.output_bias.len());
        let padded = outputs.next_multiple_of(BLOCK);
        let mut transposed = vec![0.0; h * padded];
        for (o, weights) in parts.output.chunks_exact(h).enumerate() {
            weights.iter().enumerate().for_each(|(u, w)| transposed[u * padded + o] = *w);
        }
        let mut bias = parts.output_bias.to_vec();
        bias.resize(padded, IMPOSSIBLE);
        let (outputs, slopes) = (vec![0.0; padded], vec![0.0; padded]);
        let linear = |unit: usize| unit.is_multiple_of(LINEAR_ONE_IN);
        let below = (0..h).map(|unit| if linear(unit) { 1.0 } else { SLOPE }).collect();
        Self { hidden: vec![0.0; h], below, transposed, bias, outputs, slopes }
    }

    /// Adds an input's contribution to sums of hidden units.
    #[inline(always)]
    pub(super) fn add_input(sums: &mut [f32], parts: &Parts<'_>, code: usize, value: f32) {
        let h = parts.hidden;
        add(sums, &parts.input[code * h..][..h]);
        if value.abs() > 0.0 {
            axpy(sums, value, &parts.input[(code + 1) * h..][..h]);
        }
    }

    /// Rectifies the hidden sums and computes the outputs.
    #[inline(always)]
    pub(super) fn forward(&mut self) {
        let padded = self.bias.len();
        self.hidden.iter_mut().zip(&self.below).for_each(|(a, s)| *a = a.max(s * *a));
        for from in (0..padded).step_by(BLOCK) {
            let block = |unit: usize| {
                let mut weights = [0.0_f32; BLOCK];
                weights.copy_from_slice(&self.transposed[unit * padded + from..][..BLOCK]);
                weights
            };
            let whole = self.hidden.len() / 4 * 4;
            // Four chains of sums, so that one need not wait for another.
            let [mut s0, mut s1, mut s2, mut s3] = [[0.0_f32; BLOCK]; 4];
            for (at, a) in self.hidden.chunks_exact(4).enumerate() {
                fma(&mut s0, a[0], block(4 * at));
                fma(&mut s1, a[1], block(4 * at + 1));
                fma(&mut s2, a[2], block(4 * at + 2));
                fma(&mut s3, a[3], block(4 * at + 3));
            }
            for unit in whole..self.hidden.len() {
                fma(&mut s0, self.hidden[unit], block(unit));
            }
            for lane in 0..BLOCK {
                let sum = (s0[lane] + s1[lane]) + (s2[lane] + s3[lane]);
                self.outputs[from + lane] = self.bias[from + lane] + sum;
            }
        }
    }

    /// Loss of the outputs at the observed state or value, and its slopes.
    #[inline(always)]
    pub(super) fn loss(&mut self, data: &Encoded, row: usize, target: usize) -> f32 {
        if data.is_categorical(target) {
            self.cross_entropy(data.state(row, target))
        } else {
            self.gaussian(data.value(row, target))
        }
    }

    #[inline(always)]
    fn cross_entropy(&mut self, state: usize) -> f32 {
        let highest = by_lanes(&self.outputs, |a, b| if a > b { a } else { b });
        self.slopes.iter_mut().zip(&self.outputs).for_each(|(s, o)| *s = exp(o - highest));
        let total = by_lanes(&self.slopes, |a, b| a + b);
        let scale = 1.0 / total;
        self.slopes.iter_mut().for_each(|s| *s *= scale);
        self.slopes[state] -= 1.0;
        highest + total.ln() - self.outputs[state]
    }

    #[inline(always)]
    fn gaussian(&mut self, value: f32) -> f32 {
        let bounded = self.outputs[1].clamp(-LOG_STD_BOUND, LOG_STD_BOUND);
        let precision = exp(-bounded);
        let residual = (value - self.outputs[0]) * precision;
        self.slopes[0] = -residual * precision;
        let inside = self.outputs[1].abs() < LOG_STD_BOUND;
        self.slopes[1] = if inside { 1.0 - residual * residual } else { 0.0 };
        0.5 * residual * residual + bounded + HALF_LOG_TAU
    }

    /// Adds the gradients of the output layer and turns `hidden` into the gradient by its sums.
    #[inline(always)]
    pub(super) fn backward(&mut self, parts: &Parts<'_>, gradient: &mut [f32], back: &mut [f32]) {
        let h = parts.hidden;
        let (output, output_bias) = gradient.split_at_mut(parts.output.len());
        back.fill(0.0);
        for (o, &slope) in self.slopes[..output_bias.len()].iter().enumerate() {
            axpy(&mut output[o * h..][..h], slope, &self.hidden);
            axpy(back, slope, &parts.output[o * h..][..h]);
            output_bias[o] += slope;
        }
        for (b, (a, below)) in back.iter_mut().zip(self.hidden.iter().zip(&self.below)) {
            *b *= if *a > 0.0 { 1.0 } else { *below };
        }
    }
}

#[inline(always)]
fn fma(sums: &mut [f32; BLOCK], factor: f32, weights: [f32; BLOCK]) {
    for lane in 0..BLOCK {
        sums[lane] += factor * weights[lane];
    }
}

/// Combines the elements of padded values, in blocks first.
#[inline(always)]
fn by_lanes(values: &[f32], combine: impl Fn(f32, f32) -> f32) -> f32 {
    let mut blocks = values.chunks_exact(BLOCK);
    let mut lanes = [0.0; BLOCK];
    if let Some(first) = blocks.next() {
        lanes.copy_from_slice(first);
    }
    for block in blocks {
        (0..BLOCK).for_each(|lane| lanes[lane] = combine(lanes[lane], block[lane]));
    }
    lanes[1..].iter().fold(lanes[0], |a, &b| combine(a, b))
}
