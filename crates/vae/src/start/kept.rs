use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::whiten::sorted_eigen;

/// Reweighted eigenproblems of one search.
const ROUNDS: usize = 20;

/// Rounds in which a block of functions is completed, all blocks so far are told apart, and all
/// blocks at the end.
const COMPLETING: usize = 10;
const TELLING_APART: usize = 5;
const FINAL: usize = 20;

/// Most functions of one variable that are looked at together.
const BLOCK: usize = 3;

/// A function belongs to a block where its change, among pairs that keep the block, is below this
/// share of that of a function of another variable.
const SLOWER: f64 = 0.7;

/// Least mean squared change of a function of variance 1, and the first guess.
const LEAST_CHANGE: f64 = 3e-3;
const FIRST_CHANGE: f64 = 0.1;

/// Shares of pairs, over that of one target, from which a code is taken to answer to two, and up to
/// which to none.
const DOUBLE: f64 = 1.3;
const EMPTY: f64 = 0.7;

/// Two searches whose evidence differs by less have found the same.
const SAME: f64 = 1e-3;

/// Variance that is added to every direction of a block.
const JITTER: f64 = 1e-4;

/// The search for functions that all pairs keep but those of one target.
pub(super) struct Search {
    /// Changes of functions of variance 1, `[n, functions]`.
    changes: DMatrix<f64>,
    d: usize,
}

/// Functions of one variable's noise, slowest first, and the probability of each pair to change it.
struct Block {
    functions: DMatrix<f64>,
    slowness: Vec<f64>,
    hit: Vec<f64>,
}

/// What one search found.
struct Found {
    hit: Vec<f64>,
    evidence: f64,
}

impl Search {
    pub(super) fn new(changes: DMatrix<f64>, d: usize) -> Self {
        Self { changes, d }
    }

    /// One function of each variable's noise, `[functions, d]`.
    pub(super) fn codes(&self, searched: usize, starts: usize, rng: &mut dyn Rng) -> DMatrix<f64> {
        let mut hits: Vec<Vec<f64>> = Vec::new();
        let mut claimed = vec![false; self.changes.nrows()];
        for _ in 0..self.d {
            let mut found: Vec<Found> =
                (0..starts).map(|_| self.search(self.start(searched, rng), &claimed)).collect();
            found.sort_by(|a, b| b.evidence.total_cmp(&a.evidence));
            found.dedup_by(|a, b| (a.evidence - b.evidence).abs() < SAME);
            let complete = |found: Found| self.completed(found.hit, &claimed);
            let next = found
                .into_iter()
                .map(complete)
                .find(|block| self.plausible(block))
                .unwrap_or_else(|| self.completed(self.unexplained(&hits), &claimed));
            hits.push(next.hit);
            hits = self.told_apart(hits, TELLING_APART).into_iter().map(|b| b.hit).collect();
            claimed = (0..claimed.len()).map(|row| hits.iter().any(|hit| hit[row] > 0.5)).collect();
        }
        let blocks = self.told_apart(hits, FINAL);
        let columns: Vec<_> = blocks.iter().map(|b| b.functions.column(0).into_owned()).collect();
        DMatrix::from_columns(&columns)
    }

    /// Pairs that are searched.
    pub(super) fn rows(&self) -> usize {
        self.changes.nrows()
    }

    /// Of codes that change by `[n, d]`, in standard deviations: the place of one that two targets
    /// change and of one that none does, and which pairs change the first.
    pub(super) fn doubled(&self, codes: &DMatrix<f64>) -> Option<([usize; 2], Vec<bool>)> {
        let named = self.named(codes);
        let share = |code: usize| {
            named.iter().filter(|&&name| name == Some(code)).count() as f64 / named.len() as f64
        };
        let by_share = |a: &usize, b: &usize| share(*a).total_cmp(&share(*b));
        let (double, empty) = ((0..self.d).max_by(by_share)?, (0..self.d).min_by(by_share)?);
        if share(double) < DOUBLE * self.rate() || share(empty) > EMPTY * self.rate() {
            return None;
        }
        let inside =
            |name: &Option<usize>| matches!(name, Some(at) if [double, empty].contains(at));
        Some(([double, empty], named.iter().map(inside).collect()))
    }

    /// The code that each pair changes most beyond its usual change, if any.
    fn named(&self, codes: &DMatrix<f64>) -> Vec<Option<usize>> {
        let (n, rate) = (codes.nrows(), self.rate());
        let gains = codes.column_iter().map(|changes| {
            let (mut level, mut rate) = (FIRST_CHANGE * FIRST_CHANGE, rate);
            let mut gains = vec![0.0; n];
            for _ in 0..ROUNDS {
                let (mut kept, mut sum) = (0.0, 0.0);
                for (gain, change) in gains.iter_mut().zip(changes.iter()) {
                    let square = change * change;
                    *gain = 0.5 * (square / level + level.ln() - 0.5 * square - 2.0_f64.ln());
                    let (q, _) = posterior(*gain + rate.ln(), (1.0 - rate).ln());
                    kept += 1.0 - q;
                    sum += (1.0 - q) * square;
                }
                level = (sum / kept.max(f64::MIN_POSITIVE)).max(1e-5);
                rate = (1.0 - kept / n as f64).clamp(1e-3, 1.0 - 1e-3);
            }
            gains
        });
        let gains: Vec<Vec<f64>> = gains.collect();
        let of_row = |row: usize| {
            let top = (0..gains.len()).max_by(|&a, &b| gains[a][row].total_cmp(&gains[b][row]))?;
            (gains[top][row] > 0.0).then_some(top)
        };
        (0..n).map(of_row).collect()
    }

    fn start(&self, searched: usize, rng: &mut dyn Rng) -> DVector<f64> {
        let searched = searched.min(self.changes.ncols());
        let start = DVector::from_fn(self.changes.ncols(), |at, _| {
            if at < searched { StandardNormal.sample(rng) } else { 0.0 }
        });
        start.normalize()
    }

    /// The mean squared change of a function of another variable.
    fn of_others(&self) -> f64 {
        2.0 * self.rate()
    }

    /// The share of pairs that hit one variable.
    fn rate(&self) -> f64 {
        1.0 / (self.d + 1) as f64
    }

    fn plausible(&self, block: &Block) -> bool {
        let share = mean(&block.hit) / self.rate();
        block.slowness[0] < SLOWER * self.of_others() && (0.4..2.0).contains(&share)
    }

    /// The functions that pairs of given weights change least, and how much.
    fn slowest(
        &self,
        weights: impl Iterator<Item = f64>,
        count: usize,
    ) -> (DMatrix<f64>, Vec<f64>) {
        let mut weighted = self.changes.clone();
        let mut total = 0.0;
        for (mut row, weight) in weighted.row_iter_mut().zip(weights) {
            row *= weight;
            total += weight;
        }
        let moment = weighted.transpose() * &self.changes / total.max(f64::MIN_POSITIVE);
        let (values, vectors) = sorted_eigen(-moment);
        let slowness = values[..count].iter().map(|v| (-v).max(LEAST_CHANGE)).collect();
        (vectors.columns(0, count).into_owned(), slowness)
    }

    /// From one direction to one that most pairs keep: a mixture of kept, `N(0, s)`, and resampled,
    /// `N(0, 2)`, and the eigenproblem of the kept ones in turn.
    fn search(&self, start: DVector<f64>, claimed: &[bool]) -> Found {
        let (mut function, mut level) = (start, FIRST_CHANGE);
        for _ in 0..ROUNDS {
            let hit = self.judged(&function, level, claimed).hit;
            let (vectors, slowness) = self.slowest(hit.iter().map(|q| 1.0 - q), 1);
            (function, level) = (vectors.column(0).into_owned(), slowness[0]);
        }
        self.judged(&function, level, claimed)
    }

    fn judged(&self, function: &DVector<f64>, level: f64, claimed: &[bool]) -> Found {
        let rate = self.rate();
        let changes = &self.changes * function;
        let (mut hit, mut evidence) = (Vec::with_capacity(claimed.len()), 0.0);
        for (change, &claimed) in changes.iter().zip(claimed) {
            let square = change * change;
            let kept = -0.5 * (square / level + level.ln()) + (1.0 - rate).ln();
            let drawn = -0.5 * (0.5 * square + std::f64::consts::LN_2) + rate.ln();
            let (q, log_sum) = posterior(drawn, kept);
            hit.push(if claimed { 0.0 } else { q });
            evidence += if claimed { kept } else { log_sum };
        }
        Found { hit, evidence: evidence / claimed.len() as f64 }
    }

    /// All functions that the same pairs change, and all pairs that change one of them.
    fn completed(&self, mut hit: Vec<f64>, claimed: &[bool]) -> Block {
        let odds = ((1.0 - self.rate()) / self.rate()).ln();
        for _ in 0..COMPLETING {
            let block = self.block(hit);
            let gain = self.gain(&block);
            hit = gain
                .iter()
                .zip(claimed)
                .map(|(gain, &claimed)| if claimed { 0.0 } else { posterior(*gain, odds).0 })
                .collect();
        }
        self.block(hit)
    }

    fn block(&self, hit: Vec<f64>) -> Block {
        let count = BLOCK.min(self.changes.ncols());
        let (functions, slowness) = self.slowest(hit.iter().map(|q| 1.0 - q), count);
        let slow = slowness.iter().filter(|&&v| v < SLOWER * self.of_others()).count().max(1);
        Block { functions: functions.columns(0, slow).into_owned(), slowness, hit }
    }

    /// `ln p(change | hit) − ln p(change | kept)` of a block, both normal.
    fn gain(&self, block: &Block) -> Vec<f64> {
        let changes = &self.changes * &block.functions;
        let hit = log_density(&changes, block.hit.iter().copied());
        let kept = log_density(&changes, block.hit.iter().map(|q| 1.0 - q));
        hit.iter().zip(&kept).map(|(a, b)| a - b).collect()
    }

    /// Blocks that compete for the pairs, each of which hits one of them at most.
    fn told_apart(&self, mut hits: Vec<Vec<f64>>, rounds: usize) -> Vec<Block> {
        let n = self.changes.nrows();
        for _ in 0..rounds {
            let shares: Vec<f64> = hits.iter().map(|hit| mean(hit)).collect();
            let none = (1.0 - shares.iter().sum::<f64>()).max(0.02).ln();
            let gains: Vec<Vec<f64>> =
                hits.iter().map(|hit| self.gain(&self.block(hit.clone()))).collect();
            for row in 0..n {
                let scores: Vec<f64> = gains
                    .iter()
                    .zip(&shares)
                    .map(|(gain, share)| gain[row] + (share + 1e-3).ln())
                    .collect();
                let top = scores.iter().copied().fold(none, f64::max);
                let sum = scores.iter().map(|s| (s - top).exp()).sum::<f64>() + (none - top).exp();
                for (hit, score) in hits.iter_mut().zip(&scores) {
                    hit[row] = (score - top).exp() / sum;
                }
            }
        }
        hits.into_iter().map(|hit| self.block(hit)).collect()
    }

    /// Pairs that no block explains and that change more than half of those.
    fn unexplained(&self, hits: &[Vec<f64>]) -> Vec<f64> {
        let n = self.changes.nrows();
        let left = |row: usize| {
            let taken: f64 = hits.iter().map(|hit| hit[row]).sum();
            hits.iter().all(|hit| hit[row] < 1.0 - taken)
        };
        let sizes: Vec<f64> = (0..n).map(|row| self.changes.row(row).norm_squared()).collect();
        let mut of_left: Vec<f64> = (0..n).filter(|&row| left(row)).map(|row| sizes[row]).collect();
        of_left.sort_by(f64::total_cmp);
        let middle = of_left.get(of_left.len() / 2).copied().unwrap_or(f64::INFINITY);
        (0..n).map(|row| if left(row) && sizes[row] > middle { 0.95 } else { 0.02 }).collect()
    }
}

/// The probability of the first of two log weights, and the log of their sum.
pub(crate) fn posterior(a: f64, b: f64) -> (f64, f64) {
    let top = a.max(b);
    let log_sum = top + ((a - top).exp() + (b - top).exp()).ln();
    ((a - log_sum).exp(), log_sum)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The log density of rows under a centred normal law fitted to them by weight, but for a constant.
fn log_density(rows: &DMatrix<f64>, weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut weighted = rows.clone();
    let mut total = 0.0;
    for (mut row, weight) in weighted.row_iter_mut().zip(weights) {
        row *= weight;
        total += weight;
    }
    let mut covariance = weighted.transpose() * rows / total.max(f64::MIN_POSITIVE);
    (0..rows.ncols()).for_each(|at| covariance[(at, at)] += JITTER);
    let root = covariance.cholesky().expect("a jitter makes it definite").l();
    let log_det = root.diagonal().map(f64::ln).sum();
    let z = root.solve_lower_triangular(&rows.transpose()).expect("its diagonal is positive");
    z.column_iter().map(|z| -0.5 * z.norm_squared() - log_det).collect()
}
