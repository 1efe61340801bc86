use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use super::notears::{Constraint, Notears, constrained};

/// Hidden units per variable.
const HIDDEN: usize = 10;

/// Rows at most, drawn at random: the cost of a step is linear in them.
const MOST_ROWS: usize = 2_000;

/// Range of the first weights.
const START: f64 = 0.1;

/// Places of the parameters of all networks in one vector.
#[derive(Clone, Copy)]
struct Layout {
    d: usize,
}

impl Layout {
    /// First weights of network `j` from variable `i` to unit `u`.
    fn first(self, j: usize, i: usize, u: usize) -> usize {
        (j * self.d + i) * HIDDEN + u
    }

    /// Biases, then output weights, of unit `u` of network `j`, and last its output bias.
    fn rest(self, j: usize, part: usize, u: usize) -> usize {
        self.d * self.d * HIDDEN + j * (2 * HIDDEN + 1) + part * HIDDEN + u
    }

    fn len(self) -> usize {
        self.d * self.d * HIDDEN + self.d * (2 * HIDDEN + 1)
    }
}

/// `‖A_j[·, i]‖`, `[from, to]`, of `f_j(z) = c_j + v_j · σ(A_j z + b_j)`.
pub(super) fn weights(z: &DMatrix<f64>, options: &Notears, rng: &mut dyn Rng) -> DMatrix<f64> {
    let z = some_rows(z, rng);
    let d = z.ncols();
    let layout = Layout { d };
    let own = |at: usize| at < d * d * HIDDEN && at / HIDDEN / d == at / HIDDEN % d;
    let mut x: Vec<f64> = (0..layout.len())
        .map(|at| if own(at) { 0.0 } else { rng.random_range(-START..START) })
        .collect();
    let price = |at: usize| match at {
        at if own(at) => f64::MAX.sqrt(),
        at if at < d * d * HIDDEN => options.l1,
        _ => 0.0,
    };
    let prices: Vec<f64> = (0..layout.len()).map(price).collect();
    let squares = |x: &[f64]| {
        DMatrix::from_fn(d, d, |i, j| (0..HIDDEN).map(|u| x[layout.first(j, i, u)].powi(2)).sum())
    };
    let spread = |x: &[f64], slope: &DMatrix<f64>, gradient: &mut [f64]| {
        for at in 0..d * d * HIDDEN {
            let (j, i) = (at / HIDDEN / d, at / HIDDEN % d);
            gradient[at] += 2.0 * x[at] * slope[(i, j)];
        }
    };
    let mut fit = |x: &[f64], gradient: &mut [f64]| {
        let value = loss(&z, layout, x, gradient);
        let ridge: f64 = x.iter().map(|x| x * x).sum();
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g += options.l2 * x);
        value + 0.5 * options.l2 * ridge
    };
    constrained(&mut x, &prices, &mut fit, &Constraint { squares: &squares, spread: &spread });
    squares(&x).map(f64::sqrt)
}

fn some_rows(z: &DMatrix<f64>, rng: &mut dyn Rng) -> DMatrix<f64> {
    if z.nrows() <= MOST_ROWS {
        return z.clone();
    }
    let rows: Vec<usize> = (0..MOST_ROWS).map(|_| rng.random_range(0..z.nrows())).collect();
    z.select_rows(&rows)
}

/// `Σ_j |z_j − f_j(z)|² / 2n` and its gradient, which overwrites the slice.
fn loss(z: &DMatrix<f64>, layout: Layout, x: &[f64], gradient: &mut [f64]) -> f64 {
    let (n, d) = z.shape();
    let mut total = 0.0;
    for j in 0..d {
        let first = DMatrix::from_fn(d, HIDDEN, |i, u| x[layout.first(j, i, u)]);
        let mut hidden = z * first;
        for (u, mut column) in hidden.column_iter_mut().enumerate() {
            let bias = x[layout.rest(j, 0, u)];
            column.apply(|h| *h = 1.0 / (1.0 + (-*h - bias).exp()));
        }
        let output = nalgebra::DVector::from_fn(HIDDEN, |u, _| x[layout.rest(j, 1, u)]);
        let fitted = (&hidden * &output).add_scalar(x[layout.rest(j, 2, 0)]);
        let residual = (fitted - z.column(j)) / n as f64;
        total += 0.5 * n as f64 * residual.norm_squared();
        gradient[layout.rest(j, 2, 0)] = residual.sum();
        for (u, mut column) in hidden.column_iter_mut().enumerate() {
            gradient[layout.rest(j, 1, u)] = residual.dot(&column);
            let weight = output[u];
            column.zip_apply(&residual, |h, r| *h = r * weight * *h * (1.0 - *h));
            gradient[layout.rest(j, 0, u)] = column.sum();
        }
        let by_first = z.transpose() * hidden;
        for (i, u) in (0..d).flat_map(|i| (0..HIDDEN).map(move |u| (i, u))) {
            gradient[layout.first(j, i, u)] = by_first[(i, u)];
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    #[test]
    fn the_gradient_agrees_with_finite_differences() {
        let mut rng = Seed(1).rng(Stream::Init);
        let z = DMatrix::from_fn(20, 3, |_, _| rng.random_range(-1.0..1.0));
        let layout = Layout { d: 3 };
        let mut x: Vec<f64> = (0..layout.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
        let (mut gradient, mut scratch) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        loss(&z, layout, &x, &mut gradient);
        for at in 0..x.len() {
            let kept = x[at];
            x[at] = kept + 1e-6;
            let above = loss(&z, layout, &x, &mut scratch);
            x[at] = kept - 1e-6;
            let below = loss(&z, layout, &x, &mut scratch);
            x[at] = kept;
            assert!(((above - below) / 2e-6 - gradient[at]).abs() < 1e-6, "{at}");
        }
    }
}
