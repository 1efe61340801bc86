use std::ops::Range;

use crate::sample::mean_and_inverse_std;
use crate::{Column, Samples};

/// Samples in the form that networks read: standardised in f32, states as rows of the weights.
pub(crate) struct Encoded {
    dim: usize,
    /// First input row of each variable, `[dim]`, and the number of all.
    offsets: Vec<usize>,
    /// Outputs of each variable's network: its states, or mean and log standard deviation.
    outputs: Vec<usize>,
    /// Whether each variable is categorical.
    categorical: Vec<bool>,
    /// Input row by sample and variable, `[n, dim]` row-major.
    codes: Vec<u32>,
    /// Value of continuous variables, else 0, as `codes`.
    values: Vec<f32>,
}

impl Encoded {
    /// Continuous columns are standardised on the given rows, constants are 0.
    pub(crate) fn new(samples: &Samples, scale_on: &[usize]) -> Self {
        let (n, dim) = (samples.len(), samples.dim());
        let (mut offsets, mut outputs, mut categorical) = (vec![0], Vec::new(), Vec::new());
        let (mut codes, mut values) = (vec![0; n * dim], vec![0.0; n * dim]);
        for (k, column) in samples.columns().iter().enumerate() {
            let offset = offsets[k];
            let width = match column {
                Column::Categorical { values: states_of, states } => {
                    (0..n).for_each(|row| codes[row * dim + k] = offset as u32 + states_of[row]);
                    outputs.push(*states);
                    *states
                }
                Column::Continuous(numbers) => {
                    let base: Vec<f64> = scale_on.iter().map(|&row| numbers[row]).collect();
                    let (mean, scale) = mean_and_inverse_std(&base);
                    for row in 0..n {
                        codes[row * dim + k] = offset as u32;
                        values[row * dim + k] = ((numbers[row] - mean) * scale) as f32;
                    }
                    outputs.push(2);
                    2
                }
            };
            categorical.push(matches!(column, Column::Categorical { .. }));
            offsets.push(offset + width);
        }
        Self { dim, offsets, outputs, categorical, codes, values }
    }

    /// Number of variables.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Rows of input weights of each network.
    pub(crate) fn inputs(&self) -> usize {
        self.offsets[self.dim]
    }

    /// Input rows of a variable.
    pub(super) fn rows_of(&self, variable: usize) -> Range<usize> {
        self.offsets[variable]..self.offsets[variable + 1]
    }

    /// Outputs of the network of a variable.
    pub(crate) fn outputs(&self, variable: usize) -> usize {
        self.outputs[variable]
    }

    #[inline(always)]
    pub(super) fn is_categorical(&self, variable: usize) -> bool {
        self.categorical[variable]
    }

    #[inline(always)]
    pub(super) fn code(&self, row: usize, variable: usize) -> usize {
        self.codes[row * self.dim + variable] as usize
    }

    #[inline(always)]
    pub(super) fn value(&self, row: usize, variable: usize) -> f32 {
        self.values[row * self.dim + variable]
    }

    /// State of a categorical variable.
    #[inline(always)]
    pub(super) fn state(&self, row: usize, variable: usize) -> usize {
        self.code(row, variable) - self.offsets[variable]
    }
}
