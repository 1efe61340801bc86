//! Two codes, of which every pair changes one.

use nalgebra::{DMatrix, DVector, RowDVector};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::kept::posterior;
use super::whiten::sorted_eigen;

/// Rounds of one search, and reweighted eigenproblems of one code in each.
const ROUNDS: usize = 30;
const REWEIGHTED: usize = 2;

/// First guesses of the mean absolute change of a code that is kept and of one that is set.
const KEPT: f64 = 0.3;
const SET: f64 = 1.2;

/// Least mean absolute change of a kept code, and least ratio of that of a set one to it.
const LEAST: f64 = 0.03;
const RATIO: f64 = 2.0;

/// Ratio from which on they are far apart.
const CLEAR: f64 = 3.0;

/// Correlation from which on two codes are one.
const SAME: f64 = 0.5;

/// Fewest functions among which two codes are sought.
const FEWEST: usize = 4;

/// Least share of the variance of the first function that two codes explain together, and that the
/// lesser of them adds to it; rows on which they are judged.
const PART: f64 = 0.03;
const WHOLE: f64 = 0.9;
const JUDGED: usize = 5000;

/// Variance that is added to what a regression sees.
const JITTER: f64 = 1e-6;

/// Absolute changes below this share of the median weigh no more.
const SOFTENED: f64 = 0.05;

/// Two directions, the mean absolute changes of each where it is kept and where it is set, and the
/// log density of the changes.
struct Found {
    directions: [DVector<f64>; 2],
    levels: [[f64; 2]; 2],
    evidence: f64,
}

/// Two combinations `[functions, 2]` of uncorrelated functions `[n, functions]` of mean 0 and
/// variance 1, so that each of the pairs with the changes `[m, functions]` keeps one of the two.
/// What one keeps must be far below what is set, or the two must tell the first function together
/// and neither of them alone: an effect beside a noisy function is no such pair.
///
/// Both what is kept and what is set follow a Laplace law, so that a few wild changes of a noisy
/// function are no reason to see two kinds of pairs in it:
///
/// ```text
/// p(δ) = ½ L(a·δ; s_a) L(b·δ; k_b) + ½ L(a·δ; k_a) L(b·δ; s_b)
/// ```
pub(super) fn apart(
    values: &DMatrix<f64>,
    changes: &DMatrix<f64>,
    starts: usize,
    rng: &mut dyn Rng,
) -> Option<DMatrix<f64>> {
    let every = values.nrows().div_ceil(JUDGED);
    let rows: Vec<usize> = (0..values.nrows()).step_by(every).collect();
    let values = values.select_rows(&rows);
    let mut best: Option<(f64, DMatrix<f64>)> = None;
    for count in FEWEST.min(changes.ncols())..=changes.ncols() {
        let few = changes.columns(0, count).into_owned();
        let mut direction =
            || DVector::from_fn(count, |_, _| StandardNormal.sample(rng)).normalize();
        let mut found: Vec<Found> =
            (0..starts).map(|_| search(&few, [direction(), direction()])).collect();
        found.sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
        let seen = values.columns(0, count).into_owned();
        let quality = |found: &Found| match found {
            found if !found.different() => None,
            found if found.clear() => Some(1.0),
            found => told(&seen, &found.directions),
        };
        let first = found.iter().find_map(|found| Some((quality(found)?, found)));
        if let Some((share, found)) = first
            && best.as_ref().is_none_or(|(most, _)| share > *most)
        {
            let directions = DMatrix::from_columns(&found.directions);
            best = Some((share, directions.resize_vertically(changes.ncols(), 0.0)));
        }
    }
    best.map(|(_, directions)| directions)
}

impl Found {
    fn different(&self) -> bool {
        self.directions[0].dot(&self.directions[1]).abs() < SAME
    }

    /// Whether what is kept of each code is far below what is set.
    fn clear(&self) -> bool {
        self.levels.iter().all(|[kept, set]| CLEAR * kept < *set)
    }
}

/// The share of the variance of the first function that two codes tell together, where each has a
/// part in it.
fn told(values: &DMatrix<f64>, directions: &[DVector<f64>; 2]) -> Option<f64> {
    let [a, b] = directions.each_ref().map(|direction| ranks(&(values * direction)));
    let truth = ranks(&values.column(0).into_owned());
    let powers = |x: f64| [x, x * x, x * x * x];
    let alone = [&a, &b].map(|code| {
        let rows: Vec<_> = code.iter().map(|&x| RowDVector::from_row_slice(&powers(x))).collect();
        explained(&DMatrix::from_rows(&rows), &truth)
    });
    let both: Vec<_> = a
        .iter()
        .zip(b.iter())
        .map(|(&a, &b)| {
            let products = [a * b, a * a * b, a * b * b];
            RowDVector::from_row_slice(&[powers(a), powers(b), products].concat())
        })
        .collect();
    let together = explained(&DMatrix::from_rows(&both), &truth);
    (alone[0].max(alone[1]) < together - PART && together > WHOLE).then_some(together)
}

/// Ranks, of mean 0 and variance 1.
fn ranks(values: &DVector<f64>) -> DVector<f64> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = DVector::zeros(n);
    for (rank, at) in order.into_iter().enumerate() {
        ranks[at] = 12.0_f64.sqrt() * ((rank as f64 + 0.5) / n as f64 - 0.5);
    }
    ranks
}

/// The share of the variance of `truth` that a linear regression on columns explains.
fn explained(columns: &DMatrix<f64>, truth: &DVector<f64>) -> f64 {
    let mut x = columns.clone();
    for mut column in x.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let mut gram = x.tr_mul(&x);
    (0..gram.nrows()).for_each(|at| gram[(at, at)] += JITTER * columns.nrows() as f64);
    let Some(root) = gram.cholesky() else { return 0.0 };
    let left = truth - &x * root.solve(&x.tr_mul(truth));
    1.0 - left.norm_squared() / truth.norm_squared()
}

/// Expectation maximisation from two directions.
fn search(changes: &DMatrix<f64>, mut directions: [DVector<f64>; 2]) -> Found {
    let mut levels = [[KEPT, SET]; 2];
    let mut evidence = f64::NEG_INFINITY;
    for _ in 0..ROUNDS {
        let sets = directions.each_ref().map(|direction| changes * direction);
        let mut hit = Vec::with_capacity(changes.nrows());
        evidence = 0.0;
        for (&a, &b) in sets[0].iter().zip(sets[1].iter()) {
            let [kept, set] = [0, 1]
                .map(|which| [log_laplace(a, levels[0][which]), log_laplace(b, levels[1][which])]);
            let (q, log_sum) = posterior(set[0] + kept[1], kept[0] + set[1]);
            hit.push(q);
            evidence += log_sum;
        }
        evidence /= changes.nrows() as f64;
        let other: Vec<f64> = hit.iter().map(|q| 1.0 - q).collect();
        for (at, [set, kept]) in [[&hit, &other], [&other, &hit]].into_iter().enumerate() {
            directions[at] = least(changes, kept, &directions[at]);
            let along = changes * &directions[at];
            let small = mean_absolute(&along, kept).max(LEAST);
            levels[at] = [small, mean_absolute(&along, set).max(RATIO * small)];
        }
    }
    Found { directions, levels, evidence }
}

/// The direction of least weighted absolute change.
fn least(changes: &DMatrix<f64>, weights: &[f64], start: &DVector<f64>) -> DVector<f64> {
    let mut direction = start.clone();
    for _ in 0..REWEIGHTED {
        let along = (changes * &direction).abs();
        let floor = SOFTENED * median(&along) + f64::MIN_POSITIVE;
        let mut weighted = changes.clone();
        for ((mut row, &weight), &size) in weighted.row_iter_mut().zip(weights).zip(along.iter()) {
            row *= weight / (size + floor);
        }
        let (_, vectors) = sorted_eigen(-(weighted.tr_mul(changes)));
        direction = vectors.column(0).into_owned();
    }
    direction
}

fn log_laplace(change: f64, scale: f64) -> f64 {
    -change.abs() / scale - scale.ln()
}

fn mean_absolute(changes: &DVector<f64>, weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let sum: f64 = changes.iter().zip(weights).map(|(change, weight)| change.abs() * weight).sum();
    sum / total.max(f64::MIN_POSITIVE)
}

fn median(values: &DVector<f64>) -> f64 {
    let mut values: Vec<f64> = values.iter().copied().collect();
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;

    const PAIRS: usize = 3000;

    /// Two causes that pairs change in turn, `[n, 2]` on each side.
    fn causes() -> [DMatrix<f64>; 2] {
        let mut rng = Seed(5).rng(Stream::Data);
        let mut draw = || StandardNormal.sample(&mut rng);
        let before = DMatrix::from_fn(PAIRS, 2, |_, _| draw());
        let mut after = before.clone();
        (0..PAIRS).for_each(|row| after[(row, row % 2)] = draw());
        [before, after]
    }

    /// The sum of two causes, their difference, and a function of neither that a few pairs change
    /// wildly.
    fn functions([before, after]: &[DMatrix<f64>; 2]) -> [DMatrix<f64>; 2] {
        let mut rng = Seed(6).rng(Stream::Data);
        let noise: Vec<f64> = (0..PAIRS).map(|_| StandardNormal.sample(&mut rng)).collect();
        let side = |e: &DMatrix<f64>, wild: f64| {
            DMatrix::from_fn(PAIRS, 4, |row, at| match at {
                0 => (e[(row, 0)] + e[(row, 1)]) / 2.0_f64.sqrt(),
                1 => (e[(row, 0)] - e[(row, 1)]) / 2.0_f64.sqrt(),
                2 => noise[row] + if row % 17 == 0 { wild } else { 0.0 },
                _ => noise[(row + 1) % PAIRS] + 0.1 * wild * noise[row],
            })
        };
        [side(before, 0.0), side(after, 9.0)]
    }

    #[test]
    fn the_causes_of_a_sum_are_taken_apart() {
        let [before, after] = functions(&causes());
        let mut rng = Seed(0).rng(Stream::Init);
        let found = apart(&before, &(after - &before), 10, &mut rng).expect("there are two causes");
        for column in found.column_iter() {
            let along = (column[0].abs(), column[1].abs());
            assert!((along.0 - 0.707).abs() < 0.05 && (along.1 - 0.707).abs() < 0.05, "{found:.2}");
        }
        assert!(found.column(0).dot(&found.column(1)).abs() < 0.1, "{found:.2}");
    }
}
