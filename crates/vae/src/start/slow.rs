use nalgebra::{DMatrix, DVector, RowDVector};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept::Search;
use super::ranks::RankCosines;
use super::whiten::sorted_eigen;

/// Rows that are expanded at once.
const CHUNK: usize = 2048;

/// Share of the mean variance that is added to the variance of every function.
const RIDGE: f64 = 1e-4;

/// Steps of the subspace iteration towards the slowest functions, and its least width.
const SUBSPACE_STEPS: usize = 40;
const SUBSPACE: usize = 20;

/// Functions of the ranks of a code that are taken off all features.
const RANK_COSINES: usize = 20;

/// Functions that tell two variables together: the first of those beside a code of both is often a
/// harmonic of it.
const BLOCK: usize = 3;

/// How codes are found among slow functions of the observations, see [`SlowFunctions`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SlowConfig {
    /// Cosines of random directions beside the observations themselves.
    pub cosines: usize,
    /// Radians by which a cosine turns for one standard deviation of all observations together.
    pub frequency: f64,
    /// Slowest functions that are kept.
    pub functions: usize,
    /// Of these, the slowest ones among which searches start.
    pub searched: usize,
    /// Random starts for each code.
    pub starts: usize,
    /// Most pairs that are used.
    pub rows: usize,
    /// How often a code that two targets change may be taken apart, and training goes on.
    pub splits: usize,
}

impl Default for SlowConfig {
    fn default() -> Self {
        Self {
            cosines: 1500,
            frequency: 2.0,
            functions: 60,
            searched: 30,
            starts: 20,
            rows: 20_000,
            splits: 3,
        }
    }
}

/// A code that two targets change, and one that none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubled {
    /// The places of the two.
    pub places: [usize; 2],
    /// Which pairs change one of them, `[n]`.
    pub inside: Vec<bool>,
}

/// Slow functions of the observations of pairs, and codes among them.
///
/// A function of one variable's noise `e_k` is kept by all pairs but those that intervene on `k`,
/// and one that is found so is found without gradients. Among cosine features `φ(x̃)`, the directions
/// of least change per variance,
///
/// ```text
/// min_c  E[(c·φ(x̃') − c·φ(x̃))²] / Var[c·φ(x̃)],
/// ```
///
/// are sums of functions of one `e_k` each: each term is kept with probability `d / (d + 1)`, a
/// product of two is kept less often. (Slow feature analysis, Wiskott and Sejnowski 2002, with pairs
/// for time.)
pub struct SlowFunctions<'a> {
    observations: [DMatrix<f64>; 2],
    expansion: Expansion,
    moments: Moments,
    sides: [DMatrix<f64>; 2],
    search: Search,
    config: &'a SlowConfig,
}

impl<'a> SlowFunctions<'a> {
    /// Slow functions of the pairs `before` and `after`, `[n, components]` each, of `d` variables.
    ///
    /// # Panics
    /// If the sides differ in shape, or there are no pairs.
    pub fn new(
        observations: [DMatrix<f64>; 2],
        d: usize,
        config: &'a SlowConfig,
        rng: &mut dyn Rng,
    ) -> Self {
        let [before, after] = &observations;
        assert_eq!(before.shape(), after.shape(), "both sides of the pairs");
        let n = before.nrows().min(config.rows);
        let [x, y] = [before, after].map(|side| side.rows(0, n).into_owned());
        let expansion = Expansion::new(&x, config, rng);
        let moments = expansion.moments(&x);
        let change = moments.ridged(expansion.change(&x, &y));
        let count = config.functions.min(change.nrows());
        let slow = least_change(&moments.spread, &change, count);
        let sides = [before, after].map(|side| expansion.apply(side, &slow));
        let search = Search::new((&sides[1] - &sides[0]).rows(0, n).into_owned(), d);
        Self { observations, expansion, moments, sides, search, config }
    }

    /// Codes `[n, d]` of both sides, of mean 0 and variance 1 before: functions each of which only
    /// the interventions on one variable change.
    ///
    /// Variable after variable is sought from random starts as the direction that most pairs keep
    /// and few change altogether, and then every other function that the same pairs change; pairs
    /// that are taken must be kept by all later codes.
    pub fn codes(&self, rng: &mut dyn Rng) -> [DMatrix<f64>; 2] {
        let codes = self.search.codes(self.config.searched, self.config.starts, rng);
        let [before, after] = &self.sides;
        standardised([before * &codes, after * &codes])
    }

    /// Which of given codes `[n, d]` of both sides two targets change, where another is changed by
    /// none; nothing where there are no two such codes.
    pub fn doubled(&self, [before, after]: [&DMatrix<f64>; 2]) -> Option<Doubled> {
        let std = before.row_variance().map(f64::sqrt);
        let mut changes = after - before;
        for mut row in changes.row_iter_mut() {
            row.component_div_assign(&std.map(|s| s.max(f64::MIN_POSITIVE)));
        }
        let (places, inside) = self.search.doubled(&changes)?;
        Some(Doubled { places, inside })
    }

    /// Functions that tell the two variables of a doubled code together: of both sides, the slowest
    /// function `c` of the pairs that are not inside, and beside it the slowest ones that are
    /// uncorrelated with all functions of `c`; `[n, BLOCK]`, of mean 0 and variance 1 before.
    ///
    /// Often `c` is an effect that is seen well, of a cause that is not.
    pub fn block(&self, inside: &[bool]) -> [DMatrix<f64>; 2] {
        let n = self.search.rows();
        let outside: Vec<usize> = (0..n).filter(|&row| !inside[row]).collect();
        let [x, y] = self.observations.each_ref().map(|side| side.select_rows(&outside));
        let change = self.moments.ridged(self.expansion.change(&x, &y));
        let width = SUBSPACE.min(change.nrows());
        let first = least_change(&self.moments.spread, &change, width).columns(0, 1).into_owned();
        let c = self.observations.each_ref().map(|side| self.expansion.apply(side, &first));

        let ranks = RankCosines::of(c[0].iter().take(n).copied(), RANK_COSINES);
        let of_ranks = c.each_ref().map(|c| {
            let rows: Vec<_> = c.iter().map(|&value| ranks.of_value(value)).collect();
            DMatrix::from_rows(&rows)
        });
        let known = of_ranks[0].rows(0, n).into_owned();
        let centre = &self.moments.mean * known.row_mean();
        let before = self.observations[0].rows(0, n).into_owned();
        let moment = (self.expansion.times(&before, &known) / n as f64 - centre).transpose();
        let gram = known.tr_mul(&known) / n as f64;
        let taken = gram.cholesky().map_or_else(|| moment.clone(), |root| root.solve(&moment));

        let moved = (&of_ranks[1] - &of_ranks[0]).select_rows(&outside);
        let m = outside.len().max(1) as f64;
        let cross = (self.expansion.times(&y, &moved) - self.expansion.times(&x, &moved)) / m;
        let both = cross * &taken;
        let spread = &self.moments.spread - moment.tr_mul(&taken);
        let change =
            change - &both - both.transpose() + taken.tr_mul(&(moved.tr_mul(&moved) / m * &taken));
        let beside = least_change(&spread, &change, width).columns(0, BLOCK - 1).into_owned();
        let taken = &taken * &beside;
        let sides = [0, 1].map(|side| {
            let beside = self.expansion.apply(&self.observations[side], &beside);
            let mut all = DMatrix::zeros(beside.nrows(), BLOCK);
            all.set_column(0, &c[side].column(0));
            all.columns_mut(1, BLOCK - 1).copy_from(&(beside - &of_ranks[side] * &taken));
            all
        });
        standardised(sides)
    }
}

/// Codes of mean 0 and variance 1 before.
pub(super) fn standardised([mut before, mut after]: [DMatrix<f64>; 2]) -> [DMatrix<f64>; 2] {
    let (mean, std) = (before.row_mean(), before.row_variance().map(f64::sqrt));
    for side in [&mut before, &mut after] {
        for mut row in side.row_iter_mut() {
            row -= &mean;
            row.component_div_assign(&std.map(|s| s.max(f64::MIN_POSITIVE)));
        }
    }
    [before, after]
}

/// `φ(x̃) = (x̃, cos(x̃ W + b))` of centred observations of total variance 1.
struct Expansion {
    mean: RowDVector<f64>,
    scale: f64,
    directions: DMatrix<f64>,
    phases: RowDVector<f64>,
}

impl Expansion {
    fn new(rows: &DMatrix<f64>, config: &SlowConfig, rng: &mut dyn Rng) -> Self {
        let total = rows.row_variance().sum();
        let mut directions =
            DMatrix::from_fn(rows.ncols(), config.cosines, |_, _| StandardNormal.sample(rng));
        for mut direction in directions.column_iter_mut() {
            let norm: f64 = direction.norm();
            direction *= config.frequency / norm.max(f64::MIN_POSITIVE);
        }
        let phases =
            RowDVector::from_fn(config.cosines, |_, _| std::f64::consts::TAU * rng.random::<f64>());
        let scale = 1.0 / total.max(f64::MIN_POSITIVE).sqrt();
        Self { mean: rows.row_mean(), scale, directions, phases }
    }

    fn features(&self, mut x: DMatrix<f64>) -> DMatrix<f64> {
        for mut row in x.row_iter_mut() {
            row -= &self.mean;
        }
        x *= self.scale;
        let (components, cosines) = self.directions.shape();
        let mut features = DMatrix::zeros(x.nrows(), components + cosines);
        features.columns_mut(0, components).copy_from(&x);
        let mut waves = x * &self.directions;
        for (mut wave, phase) in waves.column_iter_mut().zip(self.phases.iter()) {
            wave.apply(|v| *v = (*v + phase).cos());
        }
        features.columns_mut(components, cosines).copy_from(&waves);
        features
    }

    /// Means and covariances of the features of rows.
    fn moments(&self, rows: &DMatrix<f64>) -> Moments {
        let size = self.len();
        let (mut mean, mut spread) = (DVector::zeros(size), DMatrix::zeros(size, size));
        for from in (0..rows.nrows()).step_by(CHUNK) {
            let count = CHUNK.min(rows.nrows() - from);
            let x = self.features(rows.rows(from, count).into_owned());
            mean += x.row_sum_tr();
            spread.gemm(1.0, &x.transpose(), &x, 1.0);
        }
        let n = rows.nrows() as f64;
        mean /= n;
        spread = spread / n - &mean * mean.transpose();
        let ridge = RIDGE * spread.trace() / size as f64;
        let mut moments = Moments { mean, spread: DMatrix::zeros(0, 0), ridge };
        moments.spread = moments.ridged(spread);
        moments
    }

    /// Mean products of the changes of the features between rows.
    fn change(&self, before: &DMatrix<f64>, after: &DMatrix<f64>) -> DMatrix<f64> {
        let mut change = DMatrix::zeros(self.len(), self.len());
        for from in (0..before.nrows()).step_by(CHUNK) {
            let count = CHUNK.min(before.nrows() - from);
            let [x, y] =
                [before, after].map(|side| self.features(side.rows(from, count).into_owned()));
            let moved = y - x;
            change.gemm(1.0, &moved.transpose(), &moved, 1.0);
        }
        change / before.nrows().max(1) as f64
    }

    /// Sums of products of the features of rows and given values of the same rows.
    fn times(&self, rows: &DMatrix<f64>, values: &DMatrix<f64>) -> DMatrix<f64> {
        let mut sums = DMatrix::zeros(self.len(), values.ncols());
        for from in (0..rows.nrows()).step_by(CHUNK) {
            let count = CHUNK.min(rows.nrows() - from);
            let x = self.features(rows.rows(from, count).into_owned());
            sums.gemm(1.0, &x.transpose(), &values.rows(from, count), 1.0);
        }
        sums
    }

    /// Number of features.
    fn len(&self) -> usize {
        self.directions.nrows() + self.directions.ncols()
    }

    /// Combinations of the features of all rows.
    fn apply(&self, rows: &DMatrix<f64>, combinations: &DMatrix<f64>) -> DMatrix<f64> {
        let mut values = DMatrix::zeros(rows.nrows(), combinations.ncols());
        for from in (0..rows.nrows()).step_by(CHUNK) {
            let count = CHUNK.min(rows.nrows() - from);
            let part = self.features(rows.rows(from, count).into_owned()) * combinations;
            values.rows_mut(from, count).copy_from(&part);
        }
        values
    }
}

/// Moments of features, with a ridge.
struct Moments {
    mean: DVector<f64>,
    spread: DMatrix<f64>,
    ridge: f64,
}

impl Moments {
    fn ridged(&self, mut moment: DMatrix<f64>) -> DMatrix<f64> {
        (0..moment.nrows()).for_each(|at| moment[(at, at)] += self.ridge);
        moment
    }
}

/// The generalised eigenvectors of the `count` smallest `v·change·v / v·spread·v`, by subspace
/// iteration; `v·spread·v = 1`.
fn least_change(spread: &DMatrix<f64>, change: &DMatrix<f64>, count: usize) -> DMatrix<f64> {
    let size = spread.nrows();
    let quotient = change.clone().cholesky().expect("a ridge makes it definite");
    // Slow directions carry little of a random start only if they are many: the identity is as good.
    let mut basis = DMatrix::from_fn(size, count, |i, j| f64::from(u8::from(i % count == j)));
    for _ in 0..SUBSPACE_STEPS {
        basis = quotient.solve(&(spread * basis)).qr().q();
    }
    let within = |m: &DMatrix<f64>| basis.transpose() * (m * &basis);
    let (spread, change) = (within(spread), within(change));
    let (variances, directions) = sorted_eigen(spread);
    let mut sphering = directions;
    for (mut column, variance) in sphering.column_iter_mut().zip(&variances) {
        column /= variance.max(f64::MIN_POSITIVE).sqrt();
    }
    let (_, rotation) = sorted_eigen(-(sphering.transpose() * change * &sphering));
    basis * sphering * rotation
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::super::plane::take_apart;
    use super::*;

    const VARIABLES: usize = 3;

    /// Noise of pairs that hit one of three variables or none, and observations in which the second
    /// variable follows the first and the third turns by up to `turn` radians to either side. A
    /// little noise of their own keeps fine functions of a variable from being as slow as coarse
    /// ones.
    fn pairs(n: usize, turn: f64) -> ([DMatrix<f64>; 2], [DMatrix<f64>; 2]) {
        let mut rng = Seed(3).rng(Stream::Data);
        let before = DMatrix::from_fn(n, VARIABLES, |_, _| 2.0 * rng.random::<f64>() - 1.0);
        let mut after = before.clone();
        for row in 0..n {
            let target = rng.random_range(0..=VARIABLES);
            if target < VARIABLES {
                after[(row, target)] = 2.0 * rng.random::<f64>() - 1.0;
            }
        }
        let observed = [&before, &after].map(|e| {
            DMatrix::from_fn(n, 5, |row, at| {
                let (first, turn) = (e[(row, 0)], turn * e[(row, 2)]);
                let second = 0.6 * e[(row, 1)] + (1.5 * first).sin();
                let clean = match at {
                    0 => first,
                    1 => second,
                    2 => turn.cos(),
                    3 => turn.sin(),
                    _ => first * second,
                };
                clean + 0.2 * (rng.random::<f64>() - 0.5)
            })
        });
        ([before, after], observed)
    }

    fn small() -> SlowConfig {
        SlowConfig { cosines: 200, functions: 30, searched: 12, ..SlowConfig::default() }
    }

    /// The correlations of the columns of two matrices.
    fn correlations(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
        let centred = |m: &DMatrix<f64>| {
            let mut m = m.clone();
            for mut column in m.column_iter_mut() {
                let mean = column.mean();
                column.add_scalar_mut(-mean);
                column.normalize_mut();
            }
            m
        };
        (centred(a).transpose() * centred(b)).abs()
    }

    /// The share of a code's squared change that falls on pairs that hit its main target.
    fn of_one_target(code: [&DMatrix<f64>; 2], noise: &[DMatrix<f64>; 2], at: usize) -> f64 {
        let mut shares = [0.0; VARIABLES];
        for row in 0..noise[0].nrows() {
            let hit =
                (0..VARIABLES).find(|&k| (noise[0][(row, k)] - noise[1][(row, k)]).abs() > 0.0);
            let change = code[1][(row, at)] - code[0][(row, at)];
            if let Some(target) = hit {
                shares[target] += change * change;
            }
        }
        shares.iter().copied().fold(0.0, f64::max) / shares.iter().sum::<f64>()
    }

    #[test]
    fn one_target_alone_changes_a_code() {
        let (noise, observed) = pairs(4000, 2.5);
        let config = small();
        let mut rng = Seed(0).rng(Stream::Init);
        let sides = [&observed[0], &observed[1]];
        let functions = SlowFunctions::new(observed.clone(), VARIABLES, &config, &mut rng);
        let codes = functions.codes(&mut rng);
        let shares = [0, 1].map(|at| of_one_target([&codes[0], &codes[1]], &noise, at));
        assert!(shares[0] > 0.9 && shares[1] > 0.75, "{shares:.2?}");
        let mixed = of_one_target(sides, &noise, 4);
        assert!(mixed < 0.75, "of what is observed, {mixed:.2}");
    }

    #[test]
    fn a_code_of_two_variables_is_taken_apart() {
        let (noise, observed) = pairs(4000, 1.5);
        let config = small();
        let mut rng = Seed(0).rng(Stream::Init);
        let functions = SlowFunctions::new(observed, VARIABLES, &config, &mut rng);
        let merged = noise.each_ref().map(|e| {
            let empty = DMatrix::from_fn(e.nrows(), 1, |row, _| (row as f64).sin());
            let sum = e.column(1) + e.column(2) * 1.3;
            DMatrix::from_columns(&[e.column(0).into_owned(), sum, empty.column(0).into_owned()])
        });
        let doubled = functions.doubled([&merged[0], &merged[1]]).expect("one is merged");
        assert_eq!(doubled.places, [1, 2]);
        let block = functions.block(&doubled.inside);
        let apart = take_apart([&block[0], &block[1]], &doubled.inside, 10, &mut rng)
            .expect("there are two variables");
        let found = correlations(&apart[0], &noise[0]);
        for variable in 1..VARIABLES {
            assert!(found.column(variable).max() > 0.8, "{found:.2}");
        }
        let again = functions.doubled([&noise[0], &noise[1]]);
        assert!(again.is_none(), "each code has a target of its own");
    }
}
