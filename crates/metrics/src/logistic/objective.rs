use nalgebra::{DMatrix, DVector};

use super::Penalty;
use super::newton::Objective;

/// Rows of a design that are handled at a time: what is made of them stays in the cache.
const BLOCK: usize = 256;

/// Features with a last column of ones.
pub(super) struct Design {
    /// `[n, D + 1]`.
    rows: DMatrix<f64>,
    /// Its transpose.
    columns: DMatrix<f64>,
}

impl Design {
    pub(super) fn new(features: &DMatrix<f64>) -> Self {
        let rows = features.clone().insert_column(features.ncols(), 1.0);
        Self { columns: rows.transpose(), rows }
    }

    /// `D + 1`.
    pub(super) fn width(&self) -> usize {
        self.rows.ncols()
    }

    fn len(&self) -> usize {
        self.rows.nrows()
    }

    /// `Xᵀ diag(w) X` for every column `w` of `weights(first, rows)`, `[rows, columns]`, as columns
    /// of the entries `(a, b)` with `a <= b`, ordered by `b`.
    fn weighted_squares(
        &self,
        columns: usize,
        weights: impl Fn(usize, usize) -> DMatrix<f64>,
    ) -> DMatrix<f64> {
        let width = self.width();
        let mut sums = DMatrix::zeros(width * (width + 1) / 2, columns);
        for first in (0..self.len()).step_by(BLOCK) {
            let rows = BLOCK.min(self.len() - first);
            let block = self.columns.columns(first, rows);
            let mut products = DMatrix::zeros(sums.nrows(), rows);
            for (x, mut product) in block.column_iter().zip(products.column_iter_mut()) {
                let pairs = (0..width).flat_map(|b| (0..=b).map(move |a| (a, b)));
                for (p, (a, b)) in product.iter_mut().zip(pairs) {
                    *p = x[a] * x[b];
                }
            }
            sums.gemm(1.0, &products, &weights(first, rows), 1.0);
        }
        sums
    }
}

/// Copies one column of [`Design::weighted_squares`] into the block of a Hessian at `(row, col)`.
fn unpack(squares: &[f64], width: usize, hessian: &mut DMatrix<f64>, (row, col): (usize, usize)) {
    let pairs = (0..width).flat_map(|b| (0..=b).map(move |a| (a, b)));
    for (&value, (a, b)) in squares.iter().zip(pairs) {
        hessian[(row + a, col + b)] = value;
        hessian[(row + b, col + a)] = value;
    }
}

/// Penalised log-loss of one class against all others.
pub(super) struct Binary<'a> {
    design: &'a Design,
    belongs: Vec<bool>,
    penalty: Penalty,
}

impl<'a> Binary<'a> {
    pub(super) fn new(
        design: &'a Design,
        labels: &[usize],
        class: usize,
        penalty: Penalty,
    ) -> Self {
        Self { design, belongs: labels.iter().map(|&l| l == class).collect(), penalty }
    }
}

impl Objective for Binary<'_> {
    fn evaluate(&self, w: &DVector<f64>) -> (f64, DMatrix<f64>) {
        let mut scores = &self.design.rows * w;
        let mut loss = penalty_value(w, self.penalty, w.len());
        for (score, &belongs) in scores.iter_mut().zip(&self.belongs) {
            let margin = if belongs { *score } else { -*score };
            // ln(1 + exp(-m)) without overflow.
            let odds = (-margin.abs()).exp();
            loss += odds.ln_1p() + (-margin).max(0.0);
            let p = odds / (1.0 + odds);
            *score = if *score > 0.0 { 1.0 - p } else { p };
        }
        (loss, DMatrix::from_columns(&[scores]))
    }

    fn derivatives(&self, w: &DVector<f64>, p: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let width = self.design.width();
        let truth = self.belongs.iter().map(|&b| f64::from(u8::from(b)));
        let excess = DVector::from_iterator(p.nrows(), p.iter().zip(truth).map(|(p, t)| p - t));
        let mut gradient = &self.design.columns * excess;
        let squares = self
            .design
            .weighted_squares(1, |first, rows| p.rows(first, rows).map(|p| p * (1.0 - p)));
        let mut hessian = DMatrix::zeros(width, width);
        unpack(squares.as_slice(), width, &mut hessian, (0, 0));
        add_penalty(w, self.penalty, width, &mut gradient, &mut hessian);
        (gradient, hessian)
    }

    fn points(&self) -> usize {
        self.design.len()
    }
}

/// Penalised log-loss of a softmax over classes; weights `[D + 1, classes]` as one vector.
pub(super) struct Softmax<'a> {
    design: &'a Design,
    /// Position of each point's class among those present.
    labels: Vec<usize>,
    classes: usize,
    penalty: Penalty,
}

impl<'a> Softmax<'a> {
    pub(super) fn new(
        design: &'a Design,
        labels: &[usize],
        present: &[usize],
        penalty: Penalty,
    ) -> Self {
        let labels = labels.iter().map(|l| present.partition_point(|k| k < l)).collect();
        Self { design, labels, classes: present.len(), penalty }
    }

    /// Pairs `(k, l)` of classes with `k <= l`.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let classes = self.classes;
        (0..classes).flat_map(move |l| (0..=l).map(move |k| (k, l)))
    }

    fn hessian(&self, p: &DMatrix<f64>) -> DMatrix<f64> {
        let (width, pairs) = (self.design.width(), self.classes * (self.classes + 1) / 2);
        let squares = self.design.weighted_squares(pairs, |first, rows| {
            let p = p.rows(first, rows);
            let mut weights = DMatrix::zeros(rows, pairs);
            for (mut weight, (k, l)) in weights.column_iter_mut().zip(self.pairs()) {
                for (i, w) in weight.iter_mut().enumerate() {
                    let same = f64::from(u8::from(k == l));
                    *w = p[(i, k)] * (same - p[(i, l)]);
                }
            }
            weights
        });
        let mut hessian = DMatrix::zeros(width * self.classes, width * self.classes);
        for (square, (k, l)) in squares.column_iter().zip(self.pairs()) {
            unpack(square.as_slice(), width, &mut hessian, (width * k, width * l));
            unpack(square.as_slice(), width, &mut hessian, (width * l, width * k));
        }
        hessian
    }
}

impl Objective for Softmax<'_> {
    fn evaluate(&self, w: &DVector<f64>) -> (f64, DMatrix<f64>) {
        let width = self.design.width();
        let weights = DMatrix::from_column_slice(width, self.classes, w.as_slice());
        let mut p = &self.design.rows * weights;
        let own: f64 = self.labels.iter().enumerate().map(|(i, &k)| p[(i, k)]).sum();
        let normalisers = softmax(&mut p);
        (normalisers - own + penalty_value(w, self.penalty, width), p)
    }

    fn derivatives(&self, w: &DVector<f64>, p: &DMatrix<f64>) -> (DVector<f64>, DMatrix<f64>) {
        let width = self.design.width();
        let mut excess = p.clone();
        for (i, &k) in self.labels.iter().enumerate() {
            excess[(i, k)] -= 1.0;
        }
        let gradient = &self.design.columns * excess;
        let mut gradient = DVector::from_column_slice(gradient.as_slice());
        let mut hessian = self.hessian(p);
        add_penalty(w, self.penalty, width, &mut gradient, &mut hessian);
        // The loss ignores a shift of all intercepts, and so does its gradient: any curvature along
        // that direction makes the system regular and leaves its solution.
        for k in 0..self.classes {
            for l in 0..self.classes {
                hessian[((k + 1) * width - 1, (l + 1) * width - 1)] += 1.0;
            }
        }
        (gradient, hessian)
    }

    fn points(&self) -> usize {
        self.design.len()
    }
}

fn penalty_value(w: &DVector<f64>, penalty: Penalty, width: usize) -> f64 {
    w.iter().enumerate().map(|(at, w)| 0.5 * penalty.at(at, width) * w * w).sum()
}

fn add_penalty(
    w: &DVector<f64>,
    penalty: Penalty,
    width: usize,
    gradient: &mut DVector<f64>,
    hessian: &mut DMatrix<f64>,
) {
    for at in 0..w.len() {
        let strength = penalty.at(at, width);
        gradient[at] += strength * w[at];
        hessian[(at, at)] += strength;
    }
}

/// `1 / (1 + exp(-score))`.
pub(super) fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Turns rows of scores into probabilities; hands back the sum of the rows' `ln Σ exp`.
pub(super) fn softmax(scores: &mut DMatrix<f64>) -> f64 {
    let n = scores.nrows();
    let mut largest = scores.column(0).into_owned();
    for column in scores.column_iter().skip(1) {
        largest.zip_apply(&column, |l, s| *l = l.max(s));
    }
    let mut totals = DVector::<f64>::zeros(n);
    for mut column in scores.column_iter_mut() {
        for ((s, l), t) in column.iter_mut().zip(largest.iter()).zip(totals.iter_mut()) {
            *s = (*s - l).exp();
            *t += *s;
        }
    }
    for mut column in scores.column_iter_mut() {
        column.component_div_assign(&totals);
    }
    totals.iter().zip(largest.iter()).map(|(t, l)| t.ln() + l).sum()
}

#[cfg(test)]
mod tests {
    use super::super::Intercept;
    use super::*;

    fn design() -> (Design, Vec<usize>) {
        let x = DMatrix::from_fn(300, 2, |i, j| ((i * (3 + 4 * j)) % 17) as f64 / 17.0);
        (Design::new(&x), (0..300).map(|i| i * i % 3).collect())
    }

    fn assert_derivatives(objective: &impl Objective, size: usize) {
        let w = DVector::from_fn(size, |i, _| (i as f64 * 0.7).sin());
        let (gradient, hessian) = objective.derivatives(&w, &objective.evaluate(&w).1);
        for i in 0..size {
            let h = 1e-5;
            let moved = |by: f64| {
                let mut w = w.clone();
                w[i] += by;
                w
            };
            let [up, down] = [moved(h), moved(-h)];
            let slope = (objective.evaluate(&up).0 - objective.evaluate(&down).0) / (2.0 * h);
            assert!((slope - gradient[i]).abs() < 1e-5, "gradient {i}");
            let at = |w: &DVector<f64>| objective.derivatives(w, &objective.evaluate(w).1).0;
            let curvature = (at(&up) - at(&down)) / (2.0 * h);
            for j in 0..size {
                // The curvature that is added along the shift of all intercepts.
                let shift = f64::from(u8::from(size > 3 && i % 3 == 2 && j % 3 == 2));
                assert!((curvature[j] + shift - hessian[(j, i)]).abs() < 1e-4, "{i}, {j}");
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let (design, labels) = design();
        let penalty = Penalty { strength: 0.5, intercept: Intercept::Free };
        assert_derivatives(&Binary::new(&design, &labels, 1, penalty), 3);
        assert_derivatives(&Softmax::new(&design, &labels, &[0, 1, 2], penalty), 9);
    }
}
