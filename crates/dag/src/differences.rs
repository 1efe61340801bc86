use nalgebra::{DMatrix, DVector};

use crate::PairVariables;
use crate::belief::{critical_value, edge_probability};
use crate::pair_regression::PairRegression;
use crate::sample::mean_and_inverse_std;
use crate::screening::Dependence;

/// Least error of a variable, in its standard deviations: below is the rounding of `f32`.
const LEAST_ERROR: f64 = 1e-7;

/// Mean squared change of a variable under a target, in units of that without a target, up to which
/// it counts as unmoved.
const UNMOVED: f64 = 9.0;

/// Least mean squared change that counts, in variances: the rounding of `f32` squared, and then some.
const LEAST_CHANGE: f64 = 1e-12;

/// Share of the changes of a variable that a weighted sum of its predecessors' may leave unexplained
/// for its mechanism to count as linear. Errors of the variables of a few per cent of their spread
/// stay below.
const LEAST_BEND: f64 = 0.02;

/// Rows of this size, in units of a column's norm, pull each weight towards 0: directions that no row
/// shows get none, and others lose nothing measurable.
const RIDGE: f64 = 1e-9;

/// Variables of pairs, each in units of its spread over both sides, with the rows of each target.
pub(crate) struct States {
    /// Before, `[n, d]`, mean 0 per column.
    pub(crate) before: DMatrix<f64>,
    /// After minus before in the same units, `[n, d]`.
    changes: DMatrix<f64>,
    /// Rows that target nothing, then those that target each variable.
    rows: Vec<Vec<usize>>,
}

/// The linear system of the changes and the levels in causal order, compressed.
pub(crate) struct Differences {
    /// Triangular factor of the changes in the rows of "none" and of each target, columns in order.
    changes: Vec<DMatrix<f64>>,
    /// Triangular factor of the centred levels, columns in order.
    levels: DMatrix<f64>,
    /// Rows of each target, "none" first, and of all.
    rows: Vec<usize>,
    total: usize,
    order: Vec<usize>,
}

/// The direct causes of one variable among its predecessors.
pub(crate) struct Causes {
    /// Variance that each predecessor alone brings about, in units of the variable's own; 0 where it is
    /// no cause.
    pub(crate) shares: Vec<f64>,
    /// Probability of each edge.
    pub(crate) probs: Vec<f64>,
}

/// A least-squares problem `minimise |matrix · w − response|²` of rows that all have variance 1.
struct Stacked {
    matrix: DMatrix<f64>,
    response: DVector<f64>,
}

impl States {
    /// The given columns, each row with the target that has at least this probability.
    pub(crate) fn new(
        variables: &PairVariables,
        columns: &[usize],
        least_probability: f64,
    ) -> Self {
        let (n, d) = (variables.len(), columns.len());
        let mut before = variables.before().select_columns(columns);
        let mut changes = variables.after().select_columns(columns) - &before;
        for k in 0..d {
            // A root without noise varies only where it is set.
            let moved = before.column(k) + changes.column(k);
            let both: Vec<f64> = before.column(k).iter().chain(&moved).copied().collect();
            let (_, scale) = mean_and_inverse_std(&both);
            let mean = before.column(k).mean();
            before.column_mut(k).iter_mut().for_each(|v| *v = (*v - mean) * scale);
            changes.column_mut(k).iter_mut().for_each(|v| *v *= scale);
        }
        let mut rows = vec![Vec::new(); d + 1];
        for row in 0..n {
            let probs = variables.target_probs().row(row);
            let likely = |&k: &usize| probs[columns[k] + 1] >= least_probability;
            if let Some(k) = (0..d).find(likely) {
                rows[k + 1].push(row);
            } else if probs[0] >= least_probability {
                rows[0].push(row);
            }
        }
        Self { before, changes, rows }
    }

    /// Number of variables.
    pub(crate) fn dim(&self) -> usize {
        self.before.ncols()
    }

    /// Whether interventions on a variable were seen.
    pub(crate) fn is_known(&self, k: usize) -> bool {
        !self.rows[k + 1].is_empty()
    }

    /// What interventions on each variable do to the others, as the dependence of the others on it.
    ///
    /// A variable moves with a target only if a directed path leads there, so that causes come first
    /// when the variable that the remaining ones move least is taken next. Of equals those come first
    /// whose interventions nobody saw, since nothing speaks against their being causes.
    pub(crate) fn dependences(&self) -> Vec<Dependence> {
        let d = self.dim();
        let of = |k: usize| {
            let moves: Vec<f64> = self.rows.iter().map(|rows| self.mean_square(k, rows)).collect();
            let still = UNMOVED * moves[0] + LEAST_CHANGE;
            let by = |t: usize| if t == k || moves[t + 1] <= still { 0.0 } else { moves[t + 1] };
            let linear = vec![f64::from(u8::from(self.is_known(k))); d];
            Dependence { surprise: (0..d).map(by).collect(), linear, curved: false }
        };
        (0..d).map(of).collect()
    }

    fn mean_square(&self, k: usize, rows: &[usize]) -> f64 {
        let sum: f64 = rows.iter().map(|&row| self.changes[(row, k)].powi(2)).sum();
        sum / rows.len().max(1) as f64
    }
}

impl Differences {
    pub(crate) fn new(states: &States, order: &[usize]) -> Self {
        let columns = |m: &DMatrix<f64>, rows: &[usize]| {
            DMatrix::from_fn(rows.len(), order.len(), |r, c| m[(rows[r], order[c])])
        };
        let all: Vec<usize> = (0..states.before.nrows()).collect();
        Self {
            changes: states
                .rows
                .iter()
                .map(|rows| columns(&states.changes, rows).qr().r())
                .collect(),
            levels: columns(&states.before, &all).qr().r(),
            rows: states.rows.iter().map(Vec::len).collect(),
            total: all.len(),
            order: order.to_vec(),
        }
    }

    /// Whether the changes of every variable are weighted sums of its predecessors' changes.
    pub(crate) fn are_linear(&self) -> bool {
        (0..self.order.len()).all(|place| {
            let problem = self.changes_into(place);
            let all: Vec<usize> = (0..place).collect();
            let unexplained = problem.factor(&all)[(place, place)].powi(2);
            unexplained <= LEAST_BEND * problem.response.norm_squared()
        })
    }

    /// The causes of the variable at a place of the order.
    ///
    /// The rows that do not target it say `Δz_k = Σ_j w_j Δz_j` with next to no error, those before
    /// say `z_k = Σ_j w_j z_j + e_k`. Both are weighed by their own error, and predecessors are
    /// dropped, weakest first, while their Wald statistic is below the critical value.
    pub(crate) fn causes(&self, place: usize, options: &PairRegression) -> Causes {
        let problem = self.weighed(place);
        let pairs = self.order.len() * (self.order.len() - 1) / 2;
        let critical = critical_value(self.total, pairs, options);
        let mut causes = Causes { shares: vec![0.0; place], probs: vec![0.0; place] };
        let variance = |at: usize| self.levels.column(at).norm_squared();
        let mut support: Vec<usize> = (0..place).collect();
        loop {
            let (weights, statistics) = problem.fit(&support);
            for (&j, &statistic) in support.iter().zip(&statistics) {
                let least = options.least_linear_effect;
                causes.probs[j] = edge_probability(statistic, self.total, pairs, least);
            }
            let weakest =
                (0..support.len()).min_by(|&a, &b| statistics[a].total_cmp(&statistics[b]));
            if let Some(at) = weakest.filter(|&at| statistics[at] < critical) {
                support.remove(at);
                continue;
            }
            let own = variance(place).max(f64::MIN_POSITIVE);
            for (&j, w) in support.iter().zip(&weights) {
                causes.shares[j] = w * w * variance(j) / own;
            }
            return causes;
        }
    }

    /// Changes in all rows that do not target the variable at a place.
    fn changes_into(&self, place: usize) -> Stacked {
        let own = self.order[place] + 1;
        let blocks = self.changes.iter().enumerate().filter(|&(at, _)| at != own);
        let blocks: Vec<Stacked> = blocks.map(|(_, r)| Stacked::of(r, place, 1.0)).collect();
        Stacked::joined(&blocks)
    }

    fn weighed(&self, place: usize) -> Stacked {
        let changes = self.changes_into(place);
        let own = self.order[place] + 1;
        let rows: usize =
            (0..self.rows.len()).filter(|&at| at != own).map(|at| self.rows[at]).sum();
        let error = changes.error(rows).max(LEAST_ERROR);
        let levels = Stacked::of(&self.levels, place, 1.0);
        let noise = levels.error(self.total - 1).max(LEAST_ERROR);
        Stacked::joined(&[changes.scaled(1.0 / error), levels.scaled(1.0 / noise)])
    }
}

impl Stacked {
    /// The regression of a column of a triangular factor on those before it.
    fn of(factor: &DMatrix<f64>, column: usize, scale: f64) -> Self {
        let rows = factor.nrows().min(column + 1);
        Self {
            matrix: factor.view((0, 0), (rows, column)) * scale,
            response: factor.view((0, column), (rows, 1)).column(0) * scale,
        }
    }

    fn joined(blocks: &[Self]) -> Self {
        let columns = blocks.first().map_or(0, |b| b.matrix.ncols());
        let rows = blocks.iter().map(|b| b.matrix.nrows()).sum();
        let (mut matrix, mut response) = (DMatrix::zeros(rows, columns), DVector::zeros(rows));
        let mut at = 0;
        for block in blocks {
            let height = block.matrix.nrows();
            matrix.rows_mut(at, height).copy_from(&block.matrix);
            response.rows_mut(at, height).copy_from(&block.response);
            at += height;
        }
        Self { matrix, response }
    }

    fn scaled(self, by: f64) -> Self {
        Self { matrix: self.matrix * by, response: self.response * by }
    }

    /// Triangular factor of the given columns and the response, `[p + 1, p + 1]`.
    fn factor(&self, support: &[usize]) -> DMatrix<f64> {
        let (rows, p) = (self.matrix.nrows(), support.len());
        let mut all = DMatrix::zeros(rows + p + 1, p + 1);
        for (c, &column) in support.iter().enumerate() {
            let column = self.matrix.column(column);
            all.view_mut((0, c), (rows, 1)).copy_from(&column);
            all[(rows + c, c)] = RIDGE * column.norm();
        }
        all.view_mut((0, p), (rows, 1)).copy_from(&self.response);
        all.qr().r()
    }

    /// Residual standard deviation, if `rows` rows stand behind the problem.
    fn error(&self, rows: usize) -> f64 {
        let p = self.matrix.ncols();
        let all: Vec<usize> = (0..p).collect();
        self.factor(&all)[(p, p)].abs() / (rows.saturating_sub(p).max(1) as f64).sqrt()
    }

    /// Weights of some columns and their Wald statistics.
    fn fit(&self, support: &[usize]) -> (DVector<f64>, Vec<f64>) {
        let p = support.len();
        let factor = self.factor(support);
        let triangle = factor.view((0, 0), (p, p)).into_owned();
        let identity = DMatrix::identity(p, p);
        // A column that is 0 throughout leaves a 0 on the diagonal and has no effect.
        let inverse = triangle.solve_upper_triangular(&identity).unwrap_or(identity);
        let weights = &inverse * factor.view((0, p), (p, 1)).column(0);
        let ratio = |c: usize| weights[c].powi(2) / inverse.row(c).norm_squared();
        let statistics = (0..p).map(ratio).collect();
        (weights, statistics)
    }
}
