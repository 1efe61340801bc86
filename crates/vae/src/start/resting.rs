use nalgebra::{DMatrix, DVector};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::ica::{IcaConfig, separate_differences, sphering};
use super::kept::posterior;
use super::whiten::sorted_eigen;
use crate::rows::spread_rows;

/// Difference vectors that directions are looked for in, spread evenly over the data, and those that
/// found directions are made exact with.
const SEARCHED: usize = 4000;
const POLISHED: usize = 20_000;

/// Starts per direction, beside the independent components: random ones, and the best normals of as many
/// differences as span a hyperplane. Where three of four variables are set in every pair, one normal in sixteen
/// is that of a code at rest in all of them.
const RANDOM: usize = 2;
const NORMALS: usize = 6;
const DRAWN: usize = 256;

/// Cosine from which two normals are the same.
const SAME: f64 = 0.999;

/// Changes along a direction are compared on a logarithmic scale down to this, in standard deviations.
const SMALL: f64 = 0.03;

/// Least squared size of a difference that says anything of a direction, per direction.
const LEAST_SQUARE: f64 = 1e-4;

/// Most reweighted eigenproblems of one search, and of making one direction exact.
const ROUNDS: usize = 60;
const POLISHING: usize = 10;

/// A direction that turns by less than this, `1 − |cos|`, has settled.
const SETTLED: f64 = 1e-12;

/// Width of a resting code in standard deviations of its change: the first guess, and the rounding
/// of single precision.
const FIRST_WIDTH: f64 = 0.5;
const LEAST_WIDTH: f64 = 1e-5;

/// A code rests in at least this share of the pairs, and in at most so much less than all: a mixture
/// of one part only tells nothing.
const LEAST_SHARE: f64 = 0.02;

/// Share of a direction that must not lie in the span of others. Two changes with a correlation of
/// .9998 have as much, and a direction that was found twice agrees with itself to 1e-3.
const INDEPENDENT: f64 = 0.02;

/// The unmixing `[d, d]` whose codes `x A` rest in as many pairs as they can, from difference vectors
/// `x̃' − x̃ [n, d]` of pairs in which several variables may be set at once.
///
/// A variable that is not set keeps its noise, so that its code's change is nothing, whatever else was
/// set. Independent components do not find the codes: the new noise of an effect holds the new
/// value of its cause, and changes are correlated. Each search takes a mixture of resting,
/// `N(0, a²)`, and moving, `N(0, ω²)`, for the changes along a direction, and the direction in
/// which the resting pairs move least, in turn; the `d` independent directions of the highest
/// likelihood are kept. Without observation noise they are exact.
pub fn separate_resting(differences: &DMatrix<f64>, rng: &mut dyn Rng) -> DMatrix<f64> {
    let d = differences.ncols();
    let n = differences.nrows().max(1) as f64;
    let sphering = sphering(differences.tr_mul(differences) / n);
    let components = separate_differences(differences, &IcaConfig::default(), rng);
    let back = sphering.clone().try_inverse().unwrap_or_else(|| DMatrix::identity(d, d));
    let random = DMatrix::from_fn(d, RANDOM * d, |_, _| StandardNormal.sample(rng));
    let searched = spread_rows(differences, SEARCHED) * &sphering;
    let starts = (back * components)
        .column_iter()
        .chain(random.column_iter())
        .map(|start| Resting::new(start.normalize(), FIRST_WIDTH))
        .chain(normals(&searched, rng))
        .collect::<Vec<_>>();
    let mut found: Vec<Resting> =
        starts.into_iter().map(|start| start.improved(&searched, ROUNDS)).collect();
    found.sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
    let all = spread_rows(differences, POLISHED) * &sphering;
    let chosen = independent(&found, d).into_iter().map(|r| r.clone().improved(&all, POLISHING));
    let directions: Vec<_> = chosen.map(|resting| resting.direction).collect();
    sphering * DMatrix::from_columns(&directions)
}

/// The directions along which most pairs move least, of the normals of random hyperplanes through differences.
fn normals(changes: &DMatrix<f64>, rng: &mut dyn Rng) -> Vec<Resting> {
    let d = changes.ncols();
    let least = LEAST_SQUARE * d as f64;
    let moving: Vec<usize> =
        (0..changes.nrows()).filter(|&row| changes.row(row).norm_squared() > least).collect();
    if moving.is_empty() {
        return Vec::new();
    }
    let mut drawn: Vec<(f64, DVector<f64>)> = (0..DRAWN * d)
        .map(|_| {
            let rows: Vec<usize> =
                (1..d).map(|_| moving[rng.random_range(0..moving.len())]).collect();
            let normal = stillest(&changes.select_rows(&rows), &vec![1.0; d - 1]);
            let size = (changes * &normal).map(|c| (c * c + SMALL * SMALL).ln()).sum();
            (size, normal)
        })
        .collect();
    drawn.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut best: Vec<DVector<f64>> = Vec::new();
    for (_, normal) in drawn {
        if best.len() < NORMALS * d && best.iter().all(|b| b.dot(&normal).abs() < SAME) {
            best.push(normal);
        }
    }
    // A wide start would leave a code at rest for a direction of small changes.
    best.into_iter().map(|normal| Resting::new(normal, SMALL)).collect()
}

/// Of directions in the order of their worth the first `d` that are independent; the dependent ones
/// fill up where there are too few.
fn independent(found: &[Resting], d: usize) -> Vec<&Resting> {
    let (mut basis, mut chosen, mut left) = (Vec::<DVector<f64>>::new(), Vec::new(), Vec::new());
    for resting in found {
        let mut rest = resting.direction.clone();
        for known in &basis {
            rest.axpy(-known.dot(&rest), known, 1.0);
        }
        if basis.len() < d && rest.norm() > INDEPENDENT {
            basis.push(rest.normalize());
            chosen.push(resting);
        } else {
            left.push(resting);
        }
    }
    let missing = d - chosen.len();
    chosen.extend(left.into_iter().take(missing));
    chosen
}

/// A direction, and the mixture of resting and moving along it.
#[derive(Clone)]
struct Resting {
    direction: DVector<f64>,
    /// Variances of the changes of resting and moving pairs.
    variances: [f64; 2],
    /// Share of the pairs that rest.
    share: f64,
    /// Mean log-likelihood of the changes.
    evidence: f64,
}

impl Resting {
    /// A start with a guess of the width of resting codes.
    fn new(direction: DVector<f64>, width: f64) -> Self {
        let variances = [width * width, 1.0];
        Self { direction, variances, share: 0.5, evidence: f64::NEG_INFINITY }
    }

    /// Expectation maximisation, the direction in turn with the mixture, on sphered changes.
    fn improved(mut self, changes: &DMatrix<f64>, rounds: usize) -> Self {
        for _ in 0..rounds {
            let rests = self.judge(changes);
            let next = stillest(changes, &rests);
            let turned = 1.0 - next.dot(&self.direction).abs();
            self.direction = next;
            if turned < SETTLED {
                break;
            }
        }
        self.judge(changes);
        self
    }

    /// The probability of each pair to rest; refits the mixture to it.
    fn judge(&mut self, changes: &DMatrix<f64>) -> Vec<f64> {
        let along = changes * &self.direction;
        let [still, moving] = self.variances;
        let log = |square: f64, variance: f64, share: f64| {
            share.ln() - 0.5 * (square / variance + variance.ln())
        };
        let (mut sums, mut kept, mut evidence) = ([0.0; 2], 0.0, 0.0);
        let mut rests = Vec::with_capacity(along.len());
        for change in along.iter() {
            let square = change * change;
            let a = log(square, still, self.share);
            let (q, log_sum) = posterior(a, log(square, moving, 1.0 - self.share));
            evidence += log_sum;
            sums[0] += q * square;
            sums[1] += (1.0 - q) * square;
            kept += q;
            rests.push(q);
        }
        let n = along.len().max(1) as f64;
        self.evidence = evidence / n;
        self.share = (kept / n).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
        self.variances = [
            (sums[0] / kept.max(f64::MIN_POSITIVE)).max(LEAST_WIDTH * LEAST_WIDTH),
            (sums[1] / (n - kept).max(f64::MIN_POSITIVE)).max(LEAST_WIDTH),
        ];
        rests
    }
}

/// The unit direction in which pairs of given weights move least.
fn stillest(changes: &DMatrix<f64>, weights: &[f64]) -> DVector<f64> {
    let mut weighted = changes.clone();
    for mut column in weighted.column_iter_mut() {
        column.iter_mut().zip(weights).for_each(|(value, weight)| *value *= weight);
    }
    let (_, directions) = sorted_eigen(weighted.tr_mul(changes));
    directions.column(changes.ncols() - 1).into_owned()
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    /// Changes of a chain of `d` codes of which `at_once` are set in each pair: the new noise of an
    /// effect holds the new noise of its cause.
    fn changes(d: usize, at_once: usize, n: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
        let mut changes = DMatrix::zeros(n, d);
        for mut row in changes.row_iter_mut() {
            let set = rand::seq::index::sample(rng, d, at_once).into_vec();
            for k in 0..d {
                if set.contains(&k) {
                    let cause = if k > 0 && set.contains(&(k - 1)) { row[k - 1] } else { 0.0 };
                    let fresh: f64 = StandardNormal.sample(rng);
                    let of_rest: f64 = StandardNormal.sample(rng);
                    row[k] = fresh + of_rest - 1.5 * cause;
                }
            }
        }
        changes
    }

    #[test]
    fn codes_of_several_targets_at_once_are_separated_exactly() {
        for (d, at_once) in [(3, 2), (4, 2), (4, 3), (8, 3)] {
            let mut rng = Seed(d as u64).rng(Stream::Data);
            let mixing = DMatrix::from_fn(d, d, |i, j| {
                f64::from(u8::from(i == j)) + 0.4 * rng.random_range(-1.0..1.0)
            });
            let seen = changes(d, at_once, 4000, &mut rng) * &mixing;
            let product = (mixing * separate_resting(&seen, &mut rng)).abs();
            for column in product.column_iter() {
                let rest = column.sum() - column.max();
                assert!(rest < 1e-6 * column.max(), "{at_once} of {d}: {product}");
            }
            let places: std::collections::BTreeSet<usize> =
                product.column_iter().map(|column| column.imax()).collect();
            assert_eq!(places.len(), d, "{product}");
        }
    }
}
