use burn::module::Module;
use burn::tensor::Tensor;
use domino_model::{Loss, PairBatch, PairObjective};
use nalgebra::{DMatrix, DVector};
use rand::Rng;

use crate::ilcm::replica_means;
use crate::{Monotone, SolutionFunctions};

/// Smallest residual scale of a linear start: the networks need room to shrink it.
const SCALE_FLOOR: f64 = 0.25;

/// What solution functions are fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// Codes `e'_k` of pairs that set `k`: the value `z'_k` that the function makes of them is a standard normal one.
    Interventional,
    /// Causal variables `z_k` of states in which nothing was set: the noise `e_k` that the function is the solution
    /// for is a standard normal one. Affine functions only.
    Observational,
}

/// Maximum likelihood of the solution functions, encoder frozen:
///
/// ```text
/// mean of −ln N(z'_k; 0, 1) − ln dz_k / de_k at e'_k, given c_k   over pairs with target k   (interventional)
/// mean of −ln N(e_k; 0, 1) − ln de_k / dz_k at z_k, given c_k     over states                (observational)
/// ```
///
/// Rows are grouped by function, each group drawn from the rows of its own variable, so that every
/// row is of use. `before` holds the contexts `c [rows, d]` and `after` the codes `e'` or the variables `z`, `[rows, d]`.
#[derive(Module, Debug)]
pub struct MechanismRegression {
    /// The functions being fitted.
    pub functions: SolutionFunctions,
    /// The variable of each function.
    #[module(skip)]
    pub variables: Vec<usize>,
    /// What they are fitted to.
    #[module(skip)]
    pub law: Law,
}

impl Law {
    /// The log-likelihood of a value `[rows, 1]` under the maps of as many rows, without the constant.
    pub fn log_likelihood(self, maps: &Monotone, value: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Interventional => maps.log_density(value),
            Self::Observational => maps.log_observed(value),
        }
    }
}

impl PairObjective for MechanismRegression {
    type Weights = ();

    fn loss(&self, pairs: &PairBatch, _weights: &(), _rng: &mut dyn Rng) -> Loss {
        let stack = self.variables.len();
        let [rows, d] = pairs.after.0.dims();
        let maps = self.functions.of_own(pairs.before.0.clone());
        let grouped = pairs.after.0.clone().reshape([stack, rows / stack, d]);
        let own = self.variables.iter().enumerate().map(|(s, &k)| {
            grouped.clone().narrow(0, s, 1).narrow(2, k, 1).reshape([rows / stack, 1])
        });
        let drawn = Tensor::cat(own.collect(), 0);
        let term = replica_means(self.law.log_likelihood(&maps, drawn).neg(), stack);
        Loss { total: term.clone().sum(), terms: vec![("mechanisms", term)] }
    }
}

/// A linear regression `y = c · slopes + intercept` and the spread of its residuals.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearFit {
    /// Slopes, `[d]`; zero outside the inputs.
    pub slopes: DVector<f64>,
    /// Intercept.
    pub intercept: f64,
    /// Standard deviation of the residuals, at least 0.25.
    pub scale: f64,
}

impl LinearFit {
    /// The fit of `y` turned into that of the noise which explains it: of `y = c · a + b + s u` the shift and scale of
    /// `u = y / s − c · a / s − b / s`.
    #[must_use]
    pub fn solved(self) -> Self {
        let scale = 1.0 / self.scale;
        let (slopes, intercept) = (self.slopes * -scale, self.intercept * -scale);
        Self { slopes, intercept, scale }
    }
}

/// Ridge regression of column `k` of `drawn [n, d]` on the given columns of `context [n, d]`, over
/// the given rows.
///
/// The penalty `ridge · rows` falls on slopes, not on the intercept.
pub fn ridge(
    context: &DMatrix<f64>,
    drawn: &DMatrix<f64>,
    k: usize,
    inputs: &[usize],
    rows: &[usize],
    ridge: f64,
) -> LinearFit {
    let (m, n) = (inputs.len(), rows.len().max(1) as f64);
    let mut gram = DMatrix::<f64>::zeros(m + 1, m + 1);
    let mut moment = DVector::<f64>::zeros(m + 1);
    let mut input = DVector::<f64>::from_element(m + 1, 1.0);
    for &row in rows {
        for (at, &j) in inputs.iter().enumerate() {
            input[at] = context[(row, j)];
        }
        gram.ger(1.0, &input, &input, 1.0);
        moment.axpy(drawn[(row, k)], &input, 1.0);
    }
    for at in 0..m {
        gram[(at, at)] += ridge * n;
    }
    gram[(m, m)] += f64::EPSILON * n;
    let solution = gram.cholesky().map_or_else(|| DVector::zeros(m + 1), |c| c.solve(&moment));
    let mut slopes = DVector::zeros(context.ncols());
    for (at, &j) in inputs.iter().enumerate() {
        slopes[j] = solution[at];
    }
    let squares: f64 = rows
        .iter()
        .map(|&row| {
            let fitted: f64 = inputs.iter().map(|&j| slopes[j] * context[(row, j)]).sum();
            (drawn[(row, k)] - fitted - solution[m]).powi(2)
        })
        .sum();
    LinearFit { slopes, intercept: solution[m], scale: (squares / n).sqrt().max(SCALE_FLOOR) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_line_is_recovered_from_its_rows_only() {
        let context =
            DMatrix::from_row_slice(5, 2, &[0.0, 9.0, 1.0, 3.0, 2.0, 1.0, 3.0, 4.0, 8.0, 8.0]);
        let mut drawn = context.map_with_location(|_, _, v| v);
        for row in 0..4 {
            drawn[(row, 1)] = 2.0 * context[(row, 0)] - 1.0;
        }
        let fit = ridge(&context, &drawn, 1, &[0], &[0, 1, 2, 3], 0.0);
        assert!((fit.slopes[0] - 2.0).abs() < 1e-9 && fit.slopes[1] == 0.0);
        assert!((fit.intercept + 1.0).abs() < 1e-9);
        // y = 2 c − 1 + u / 4, so that u = 4 y − 8 c + 4.
        let solved = fit.solved();
        assert!((solved.scale - 4.0).abs() < 1e-9 && (solved.slopes[0] + 8.0).abs() < 1e-9);
        assert!((solved.intercept - 4.0).abs() < 1e-9);
    }
}
