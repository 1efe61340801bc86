use nalgebra::DMatrix;

use crate::belief::logistic;

/// Added to the root of the squared gradients, as is usual with Adam.
const EPSILON: f64 = 1e-8;

/// Parameters `γ` and `θ` with their optimisers; matrices are `[from, to]`.
pub(super) struct Belief {
    /// `γ = γᵒ + γⁱ`: moved by rows that do not target the cause, and by rows that do.
    gamma: Adam<2>,
    theta: Adam<1>,
}

/// Matrices moved by Adam, each entry with its own count of steps.
///
/// A value is a sum of `P` parts with gradients from different rows. Each part has its own mean of
/// gradients, and all share the mean of squares, so that they move in the same units.
struct Adam<const P: usize> {
    parts: [DMatrix<f64>; P],
    means: [DMatrix<f64>; P],
    steps: [DMatrix<i32>; P],
    square: DMatrix<f64>,
    rate: f64,
    decays: [f64; 2],
}

/// What an edge changes in the loss of its effect, `E[L | edge] − E[L | no edge]`; nothing where all
/// graphs drawn agree on the edge.
pub(super) struct Gain {
    pub(super) cause: usize,
    pub(super) effect: usize,
    /// Weighted for existence, and for orientation.
    pub(super) change: Option<[f64; 2]>,
}

impl Belief {
    pub(super) fn new(dim: usize, gamma_rate: f64, theta_rate: f64) -> Self {
        Self {
            gamma: Adam::new(dim, gamma_rate, [0.9, 0.9]),
            theta: Adam::new(dim, theta_rate, [0.9, 0.999]),
        }
    }

    /// `σ(γ) σ(θ)` of an edge, 0 from a variable to itself.
    pub(super) fn edge(&self, i: usize, j: usize) -> f64 {
        if i == j { 0.0 } else { self.existence(i, j) * self.orientation(i, j) }
    }

    /// `σ(γ)`.
    pub(super) fn existence(&self, i: usize, j: usize) -> f64 {
        logistic(self.gamma.value((i, j)))
    }

    /// `σ(θ)`.
    pub(super) fn orientation(&self, i: usize, j: usize) -> f64 {
        logistic(self.theta.value((i, j)))
    }

    /// `σ(γᵒ) (1 − σ(γⁱ))`.
    pub(super) fn unexplained(&self, i: usize, j: usize) -> f64 {
        let [others, by_cause] = &self.gamma.parts;
        logistic(others[(i, j)]) * (1.0 - logistic(by_cause[(i, j)]))
    }

    /// Moves the beliefs by one gain, measured on rows that target `target`.
    pub(super) fn update(&mut self, gain: &Gain, target: Option<usize>, sparsity: f64) {
        let at = (gain.cause, gain.effect);
        let [exists, runs] = [self.existence(at.0, at.1), self.orientation(at.0, at.1)];
        let slope = |p: f64| p * (1.0 - p);
        let gamma = gain.change.map_or(0.0, |c| runs * slope(exists) * (c[0] + sparsity));
        let by_cause = target == Some(gain.cause);
        self.gamma.step(at, usize::from(by_cause), gamma);
        if by_cause {
            let theta = gain.change.map_or(0.0, |c| exists * slope(runs) * c[1]);
            self.theta.step(at, 0, theta);
            self.theta.mirror(at);
        }
    }
}

impl<const P: usize> Adam<P> {
    fn new(dim: usize, rate: f64, decays: [f64; 2]) -> Self {
        let zeros = || DMatrix::zeros(dim, dim);
        let parts = std::array::from_fn(|_| zeros());
        let steps = std::array::from_fn(|_| DMatrix::zeros(dim, dim));
        Self { means: parts.clone(), parts, steps, square: zeros(), rate, decays }
    }

    fn value(&self, at: (usize, usize)) -> f64 {
        self.parts.iter().map(|part| part[at]).sum()
    }

    /// Moves one part of one entry.
    fn step(&mut self, at: (usize, usize), part: usize, gradient: f64) {
        let [mean, square] = self.decays;
        self.steps[part][at] += 1;
        let moment = &mut self.means[part][at];
        *moment = mean * *moment + (1.0 - mean) * gradient;
        self.square[at] = square * self.square[at] + (1.0 - square) * gradient * gradient;
        let all_steps: i32 = self.steps.iter().map(|steps| steps[at]).sum();
        let unbiased_mean = *moment / (1.0 - mean.powi(self.steps[part][at]));
        let unbiased_square = self.square[at] / (1.0 - square.powi(all_steps));
        self.parts[part][at] -= self.rate * unbiased_mean / (unbiased_square.sqrt() + EPSILON);
    }

    /// Keeps the opposite entry antisymmetric, its moments included.
    fn mirror(&mut self, (i, j): (usize, usize)) {
        for part in 0..P {
            self.parts[part][(j, i)] = -self.parts[part][(i, j)];
            self.means[part][(j, i)] = -self.means[part][(i, j)];
            self.steps[part][(j, i)] = self.steps[part][(i, j)];
        }
        self.square[(j, i)] = self.square[(i, j)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_that_lowers_the_loss_under_its_cause_is_believed_in_and_directed() {
        let mut belief = Belief::new(2, 0.02, 0.1);
        for _ in 0..300 {
            let gain = Gain { cause: 0, effect: 1, change: Some([-0.5, -0.5]) };
            belief.update(&gain, Some(0), 0.004);
        }
        assert!(belief.edge(0, 1) > 0.9 && belief.edge(1, 0) < 0.05);
        assert!(belief.unexplained(0, 1) < 0.1, "the interventions on the cause explain it");
    }

    #[test]
    fn an_edge_that_only_rows_without_its_cause_support_is_unexplained() {
        let mut belief = Belief::new(3, 0.02, 0.1);
        for _ in 0..400 {
            let gain = |change| Gain { cause: 0, effect: 1, change: Some([change, change]) };
            belief.update(&gain(-0.5), Some(2), 0.004);
            belief.update(&gain(0.5), Some(0), 0.004);
        }
        assert!(belief.unexplained(0, 1) > 0.8, "{}", belief.unexplained(0, 1));
    }

    #[test]
    fn sparsity_removes_edges_without_use_and_agreement_moves_nothing() {
        let mut belief = Belief::new(2, 0.02, 0.1);
        for _ in 0..300 {
            belief.update(&Gain { cause: 0, effect: 1, change: Some([0.0, 0.0]) }, None, 0.004);
            belief.update(&Gain { cause: 1, effect: 0, change: None }, None, 0.004);
        }
        assert!(belief.existence(0, 1) < 0.1);
        assert!((belief.existence(1, 0) - 0.5).abs() < 1e-9);
    }
}
