//! Codes that tell two variables only together.

use nalgebra::{DMatrix, DVector};
use rand::Rng;

use super::apart::apart;
use super::slow::standardised;

/// Highest degree of the products in which two variables are sought.
const DEGREE: usize = 2;

/// Share of its variance that is added to every product: of three codes of two variables some
/// products follow from others.
const JITTER: f64 = 1e-3;

/// Codes `[n, 2]` of two variables on both sides, of mean 0 and variance 1 before, from codes `[n, m]`
/// that tell both, however mixed; nothing where none are found.
///
/// Among products of powers of the codes, two combinations are sought of which each pair that is
/// `inside` keeps one. Signs, order and scale are arbitrary.
pub fn take_apart(
    codes: [&DMatrix<f64>; 2],
    inside: &[bool],
    starts: usize,
    rng: &mut dyn Rng,
) -> Option<[DMatrix<f64>; 2]> {
    let products = standardised(codes.map(Clone::clone)).map(|side| products(&side));
    let [before, after] = uncorrelated(products)?;
    let rows: Vec<usize> = (0..inside.len()).filter(|&row| inside[row]).collect();
    let changes = (&after - &before).select_rows(&rows);
    let directions = apart(&before, &changes, starts, rng)?;
    Some(standardised([before * &directions, after * &directions]))
}

/// All products of powers of codes `[n, m]` up to the highest degree, lowest first.
fn products(codes: &DMatrix<f64>) -> DMatrix<f64> {
    let mut all: Vec<DVector<f64>> = Vec::new();
    // Each product of one degree goes on with the codes from its last one on.
    let mut last: Vec<(DVector<f64>, usize)> = vec![(DVector::from_element(codes.nrows(), 1.0), 0)];
    for _ in 0..DEGREE {
        let next = |(product, from): &(DVector<f64>, usize)| {
            let (product, from) = (product.clone(), *from);
            (from..codes.ncols()).map(move |at| (product.component_mul(&codes.column(at)), at))
        };
        last = last.iter().flat_map(next).collect();
        all.extend(last.iter().map(|(product, _)| product.clone()));
    }
    DMatrix::from_columns(&all)
}

/// Functions of mean 0 and variance 1 before, each without what those before it tell.
fn uncorrelated(mut functions: [DMatrix<f64>; 2]) -> Option<[DMatrix<f64>; 2]> {
    let mean = functions[0].row_mean();
    for side in &mut functions {
        side.row_iter_mut().for_each(|mut row| row -= &mean);
    }
    let mut covariance = functions[0].tr_mul(&functions[0]) / functions[0].nrows() as f64;
    (0..covariance.nrows()).for_each(|at| covariance[(at, at)] *= 1.0 + JITTER);
    let root = covariance.cholesky()?.l();
    let [before, after] =
        functions.map(|side| root.solve_lower_triangular(&side.transpose()).map(|m| m.transpose()));
    Some([before?, after?])
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    const PAIRS: usize = 4000;

    fn uniform(n: usize, seed: u64) -> DVector<f64> {
        let mut rng = Seed(seed).rng(Stream::Data);
        DVector::from_fn(n, |_, _| 2.0 * rng.random::<f64>() - 1.0)
    }

    #[test]
    fn a_bent_block_of_two_variables_is_taken_apart() {
        // Two causes in turn; the block shows a sum of them and a bent second cause.
        let before = DMatrix::from_columns(&[uniform(PAIRS, 1), uniform(PAIRS, 2)]);
        let mut after = before.clone();
        let drawn = uniform(PAIRS, 3);
        let inside: Vec<bool> = (0..PAIRS).map(|row| row % 4 < 2).collect();
        (0..PAIRS).filter(|row| inside[*row]).for_each(|row| after[(row, row % 2)] = drawn[row]);
        let seen = |e: &DMatrix<f64>| {
            let sum = e.column(0) + e.column(1) * 0.8;
            let bent = e.column(1).map(|b| b + 0.3 * b * b) + e.column(0) * 0.2;
            DMatrix::from_columns(&[sum, bent])
        };
        let (before_seen, after_seen) = (seen(&before), seen(&after));
        let mut rng = Seed(0).rng(Stream::Init);
        let found = take_apart([&before_seen, &after_seen], &inside, 10, &mut rng);
        let [codes, _] = found.expect("there are two variables");
        let correlation = |a: usize, b: usize| {
            let (x, y) = (codes.column(a), before.column(b));
            let (x, y) = (x.add_scalar(-x.mean()), y.add_scalar(-y.mean()));
            (x.dot(&y) / (x.norm() * y.norm())).abs()
        };
        let straight = correlation(0, 0).min(correlation(1, 1));
        let crossed = correlation(0, 1).min(correlation(1, 0));
        assert!(straight.max(crossed) > 0.97, "{straight:.3} {crossed:.3}");
    }
}
