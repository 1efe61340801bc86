use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};

use crate::draw::{normal, orthogonal};

/// Numbers that stand for one state of a parent.
const EMBEDDING: usize = 4;

/// Hidden units.
const HIDDEN: usize = 48;

/// Gain of the orthogonal weights: large enough that the conditionals differ clearly.
const GAIN: f64 = 2.5;

/// Range of the hidden biases.
const BIAS: f64 = 0.5;

/// Slope of the hidden units below 0.
const SLOPE: f64 = 0.1;

/// A random law of a categorical variable given its parents.
///
/// `softmax(V φ(U s + b))`, where `s` stacks a standard normal embedding of 4 numbers for the state
/// of each parent, `φ` is a leaky rectifier, `b` is uniform on ±0.5, and `U` (48 hidden units) and
/// `V` are orthogonal with gain 2.5. Without parents the logits are standard normal.
///
/// Lippe, Cohen & Gavves, *Efficient neural causal discovery without acyclicity constraints*, ICLR
/// 2022, arXiv 2107.10483, appendix, after Ke et al., arXiv 1910.01075.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RandomConditional {
    /// `[HIDDEN, states]` per parent: `U` times the embedding, by state.
    inputs: Vec<DMatrix<f64>>,
    bias: Vec<f64>,
    /// `[states, HIDDEN]`.
    output: DMatrix<f64>,
    /// Logits where there is no parent.
    root: Vec<f64>,
}

impl RandomConditional {
    pub(super) fn draw(states: usize, parent_states: &[usize], rng: &mut dyn Rng) -> Self {
        if parent_states.is_empty() {
            let root = (0..states).map(|_| normal(rng)).collect();
            return Self { inputs: vec![], bias: vec![], output: DMatrix::zeros(0, 0), root };
        }
        let first = orthogonal(HIDDEN, EMBEDDING * parent_states.len(), GAIN, rng);
        let of_parent = |(p, &k): (usize, &usize)| {
            let embedding = DMatrix::from_fn(EMBEDDING, k, |_, _| normal(rng));
            first.columns(p * EMBEDDING, EMBEDDING) * embedding
        };
        let inputs = parent_states.iter().enumerate().map(of_parent).collect();
        let bias = (0..HIDDEN).map(|_| rng.random_range(-BIAS..BIAS)).collect();
        let output = orthogonal(states, HIDDEN, GAIN, rng);
        Self { inputs, bias, output, root: vec![] }
    }

    /// Probabilities of the states for given states of the parents.
    pub(super) fn probabilities(&self, parents: &[u32]) -> Vec<f64> {
        let mut logits = self.root.clone();
        if !parents.is_empty() {
            let mut hidden = self.bias.clone();
            for (input, &state) in self.inputs.iter().zip(parents) {
                hidden
                    .iter_mut()
                    .zip(input.column(state as usize).iter())
                    .for_each(|(h, u)| *h += u);
            }
            hidden.iter_mut().filter(|h| **h < 0.0).for_each(|h| *h *= SLOPE);
            let hidden = DVector::from_vec(hidden);
            logits = (&self.output * hidden).data.into();
        }
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logits.iter().map(|l| (l - highest).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }
}
