use nalgebra::{DMatrix, DVector};

use crate::targets::typical_size;

/// Most pairs of each target whose differences are used.
const MOST_ROWS: usize = 2000;

/// Rounds in which the size of what should rest is learned again.
const ROUNDS: usize = 5;

/// How many typical sizes a pair may move what should rest by, before it counts as named wrongly.
const FAR: f64 = 8.0;

/// Least size of what rests, in spreads of the variable.
const LEAST: f64 = 1e-4;

/// The unmixing `[d, d]` of causal variables, `z = u A`, from a linear mixture `u [n, d]` of them on both sides, by
/// which pairs set which variable and a causal order; `u` must be near the variables itself.
///
/// ```text
/// Σ_{k after j} Σ_{pairs that set k} (a_j·(u' − u))² / 2σ_k²  +  Σ_{pairs that set j} (a_j·(u' − ū'))² / 2v
/// ```
///
/// is made as small as it gets by adding multiples of the other columns to each column `a_j`, in causal order. A variable
/// rests while one that comes after it is set, exactly, which leaves only causes to be mixed into it; and the value that an
/// intervention sets does not depend on them, so that a regression on them takes them out. `v` is the variance of set
/// values and `σ_k` the size of what rests, learned along, so that an order that is wrong in a weak effect does little
/// harm; a pair that moves the variable by far more than others is left out, its target being named wrongly. Mechanisms do
/// not enter, and may bend. Variables come out with set values of variance 1.
///
/// `pools[k]` are the rows of pairs that set `k`; a variable without such rows stays as it is.
///
/// # Panics
/// If `order` and `pools` are not of `d` variables, or a row does not exist.
pub fn along_order(
    [before, after]: [&DMatrix<f64>; 2],
    pools: &[Vec<usize>],
    order: &[usize],
) -> DMatrix<f64> {
    let d = before.ncols();
    assert_eq!([pools.len(), order.len()], [d, d], "an order and pools of d variables");
    let differences: Vec<DMatrix<f64>> = pools
        .iter()
        .map(|rows| {
            let rows = &rows[..rows.len().min(MOST_ROWS)];
            after.select_rows(rows) - before.select_rows(rows)
        })
        .collect();
    let mut unmixing = DMatrix::identity(d, d);
    for (place, &j) in order.iter().enumerate().filter(|&(_, &j)| !pools[j].is_empty()) {
        let later: Vec<&DMatrix<f64>> =
            order[place + 1..].iter().map(|&k| &differences[k]).collect();
        let mut set = after.select_rows(&pools[j]);
        let mean = set.row_mean();
        set.row_iter_mut().for_each(|mut row| row -= &mean);
        let found = direction(j, &later, &set, &unmixing);
        unmixing.set_column(j, &found);
    }
    unmixing
}

/// The direction `a` of one variable, of differences `[rows, d]` under which it rests and centred values `[rows, d]`
/// where it was set. It is sought among the columns of the unmixing so far, of which those of earlier variables have
/// nothing of this one in them.
fn direction(
    j: usize,
    resting: &[&DMatrix<f64>],
    set: &DMatrix<f64>,
    unmixing: &DMatrix<f64>,
) -> DVector<f64> {
    let mut a = unmixing.column(j).into_owned();
    let drawn = set.tr_mul(set);
    for _ in 0..ROUNDS {
        let spread = (drawn.dot(&(&a * a.transpose())) / set.nrows() as f64).sqrt();
        let mut moments = &drawn / spread.powi(2).max(f64::MIN_POSITIVE);
        for differences in resting.iter().filter(|rows| !rows.is_empty()) {
            let (moment, size) = at_rest(differences, &a);
            moments += moment / size.max(LEAST * spread).powi(2).max(f64::MIN_POSITIVE);
        }
        let Some(next) = least(&(unmixing.tr_mul(&moments) * unmixing), j) else { break };
        a = unmixing * next;
    }
    let spread = (set * &a).variance().sqrt();
    if spread > 0.0 { a / spread } else { a }
}

/// The second moments of differences along which `a` rests, and the root mean square of what it makes of them; without
/// those that it makes far more of than is typical.
fn at_rest(differences: &DMatrix<f64>, a: &DVector<f64>) -> (DMatrix<f64>, f64) {
    let moved = differences * a;
    let limit = FAR * typical_size(moved.iter());
    let kept: Vec<usize> = (0..moved.len()).filter(|&at| moved[at].abs() <= limit).collect();
    let squares: f64 = kept.iter().map(|&at| moved[at].powi(2)).sum();
    let rows = differences.select_rows(&kept);
    (rows.tr_mul(&rows), (squares / kept.len() as f64).sqrt())
}

/// The minimum of `aᵀ M a` with `a_j = 1`.
fn least(moments: &DMatrix<f64>, j: usize) -> Option<DVector<f64>> {
    let others = moments.clone().remove_row(j);
    let towards = -others.column(j);
    let others = others.remove_column(j);
    let ridge = others.trace() * f64::EPSILON;
    let others = &others + DMatrix::identity(others.nrows(), others.nrows()) * ridge;
    Some(others.cholesky()?.solve(&towards).insert_row(j, 1.0))
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::*;

    /// Three variables along a chain that bends, `4000` pairs that set one of them each, in turn.
    fn chain() -> ([DMatrix<f64>; 2], Vec<Vec<usize>>) {
        let mut rng = Seed(5).rng(Stream::Data);
        let n = 12_000;
        let solve = |e: [f64; 3], set: Option<(usize, f64)>| {
            let value = |k: usize, free: f64| match set {
                Some((at, value)) if at == k => value,
                _ => free,
            };
            let first = value(0, e[0]);
            let second = value(1, (2.0 * first).tanh() + 0.3 * e[1]);
            [first, second, value(2, second * second - first + 0.2 * e[2])]
        };
        let mut sides = [DMatrix::zeros(n, 3), DMatrix::zeros(n, 3)];
        let mut pools = vec![Vec::new(); 3];
        for row in 0..n {
            let e = [(); 3].map(|()| rng.sample::<f64, _>(StandardNormal));
            let set = (row % 3, rng.sample(StandardNormal));
            pools[set.0].push(row);
            for (side, set) in sides.iter_mut().zip([None, Some(set)]) {
                solve(e, set).into_iter().enumerate().for_each(|(k, z)| side[(row, k)] = z);
            }
        }
        (sides, pools)
    }

    fn nearly() -> DMatrix<f64> {
        nalgebra::dmatrix![1.0, 0.2, -0.1; 0.1, 0.8, 0.15; -0.2, 0.1, 1.1]
    }

    /// The product of mixing and unmixing with each column over its own entry.
    fn crosstalk(unmixing: &DMatrix<f64>) -> DMatrix<f64> {
        let mut product = nearly() * unmixing;
        for (k, mut column) in product.column_iter_mut().enumerate() {
            let own = column[k];
            column /= own;
            column[k] = 0.0;
        }
        product
    }

    #[test]
    fn variables_of_bent_mechanisms_are_unmixed() {
        let ([before, after], pools) = chain();
        let (seen, moved) = (&before * nearly(), &after * nearly());
        let crosstalk = crosstalk(&along_order([&seen, &moved], &pools, &[0, 1, 2]));
        // Nothing of what comes later, and of causes what 4,000 set values cannot tell.
        assert!(crosstalk[(1, 0)].abs() < 1e-5 && crosstalk[(2, 0)].abs() < 1e-5, "{crosstalk}");
        assert!(crosstalk[(2, 1)].abs() < 1e-5, "{crosstalk}");
        assert!(crosstalk.amax() < 0.05, "{crosstalk}");
    }

    #[test]
    fn set_values_have_unit_variance() {
        let ([before, after], pools) = chain();
        let unmixing = along_order([&before, &after], &pools, &[0, 1, 2]);
        let z = &after * unmixing;
        for (k, rows) in pools.iter().enumerate() {
            assert!((z.select_rows(rows).column(k).variance() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn wrongly_named_pairs_do_no_harm() {
        let ([before, after], mut pools) = chain();
        // One in forty of those that set the first is said to have set the last.
        let (wrong, right): (Vec<usize>, Vec<usize>) =
            pools[0].iter().partition(|&&row| row % 120 == 0);
        pools[0] = right;
        pools[2].extend(wrong);
        pools[2].sort_unstable();
        let (seen, moved) = (&before * nearly(), &after * nearly());
        let crosstalk = crosstalk(&along_order([&seen, &moved], &pools, &[0, 1, 2]));
        assert!(crosstalk[(1, 0)].abs() < 1e-5 && crosstalk[(2, 0)].abs() < 1e-5, "{crosstalk}");
    }

    #[test]
    fn what_was_never_set_stays() {
        let ([before, after], mut pools) = chain();
        pools[1].clear();
        let unmixing = along_order([&before, &after], &pools, &[0, 1, 2]);
        assert_eq!(unmixing.column(1).as_slice(), [0.0, 1.0, 0.0]);
    }
}
