//! What can be seen in pairs before anything is learned.

use domino_core::{InterventionTarget, Pairs, Seed, Stream};
use domino_data::loader::gather;
use domino_vae::start::{
    IcaConfig, WhitenConfig, WhitenError, Whitening, separate_differences, separate_resting,
};
use domino_vae::{LEAST_RESTING, SetPosterior};
use nalgebra::DMatrix;

use super::TOGETHER;
use super::neighbours::intrinsic_dimension;

/// Most directions in which variables are looked for.
const DIRECTIONS: usize = 128;

/// One pair in this many counts as one to which nothing was done.
const LEAST_CHANGED: usize = 100;

/// Directions of which noise makes up more than this share of the variance are noise.
const MOSTLY_NOISE: f64 = 0.5;

/// Where the least changed pairs show more noise than this in every direction, the noise of both sides
/// is not the same. It is 1 then, give or take .2.
const NOTHING_KEPT: f64 = 0.75;

/// Directions in which the least changed pairs show less noise than this are signal for certain.
/// Pairs that are chosen for a small change have little noise: of a direction of mere noise a tenth
/// or more, in three dimensions and up.
const CERTAINLY_SIGNAL: f64 = 0.01;

/// Directions that change by less than this share of the typical variance of changes stand still.
const STILL: f64 = 0.01;

/// Changes of a code between these shares of its spread when set are neither "kept" nor "set".
const UNCLEAR: (f64, f64) = (0.02, 0.2);

/// Below this share of unclear changes one linear map separates the variables: a normal change lies
/// between the bounds in one of seven cases, and most codes are kept.
pub(super) const LINEAR: f64 = 0.1;

/// Directions up to which codes of several variables at once are looked for: the time it takes grows with
/// their cube, and without a linear map no search ends early.
const RESTING_DIRECTIONS: usize = 16;

/// Most iterations for the best linear map. Those of linear worlds of up to 64 variables are found by
/// then, and where there is none more would only take longer.
const ITERATIONS: usize = 100;

/// Pairs in the directions that are more than noise.
pub(super) struct Look {
    /// Whitened observations before, `[n, directions]`.
    before: DMatrix<f64>,
    /// Changes, whitened alike, `[n, directions]`.
    changes: DMatrix<f64>,
    /// What undoes the whitening up to a rotation, `[directions]`.
    scale: Vec<f64>,
    /// The noise that unchanged pairs show, in standard deviations of the observations.
    pub(super) noise: f64,
}

impl Look {
    /// Looks at so many pairs, spread evenly over the data.
    pub(super) fn at(pairs: &Pairs, rows: usize) -> Result<Self, WhitenError> {
        let config =
            WhitenConfig { variance: 1.0, max_components: DIRECTIONS, power: 1.0, smoothing: None };
        let whitening = Whitening::fit(pairs, 1, &config)?;
        let [before, after] = sides(pairs, rows, &whitening);
        let changes = after - &before;
        let scale = plain_scale(&whitening);
        let (noise, signal) = noise_of(&changes, &scale);
        Ok(Self {
            before: before.select_columns(&signal),
            changes: changes.select_columns(&signal),
            scale: signal.iter().map(|&j| scale[j]).collect(),
            noise,
        })
    }

    /// Number of directions.
    pub(super) fn directions(&self) -> usize {
        self.scale.len()
    }

    /// Number of pairs.
    pub(super) fn rows(&self) -> usize {
        self.before.nrows()
    }

    /// The dimension of the surface on which observations lie.
    pub(super) fn dimension(&self) -> f64 {
        intrinsic_dimension(&scaled(&self.before, &self.scale))
    }

    /// What the best linear map makes of the changes, were one variable set at a time.
    pub(super) fn counted(&self) -> Counted {
        Counted::of_one(&self.moving(), self.noise)
    }

    /// The same, or where no such map is found, were several set at once; and the directions that never
    /// change.
    pub(super) fn counted_in_sets(&self) -> (Counted, usize) {
        let moving = self.moving();
        (Counted::best(&moving, self.noise), self.directions() - moving.ncols())
    }

    /// Changes in the directions that change at all.
    fn moving(&self) -> DMatrix<f64> {
        &self.changes * moving_directions(&self.changes, self.noise)
    }
}

/// Whitened observations of both sides, `[n, directions]`.
fn sides(pairs: &Pairs, rows: usize, whitening: &Whitening) -> [DMatrix<f64>; 2] {
    let n = pairs.len();
    let take = n.min(rows);
    let rows: Vec<usize> = (0..take).map(|i| i * n / take).collect();
    let looked_at = gather(pairs, &rows).expect("pairs in memory are there to be read");
    [looked_at.before(), looked_at.after()].map(|side| {
        let data = whitening.apply(side).into_iter().map(f64::from);
        DMatrix::from_row_iterator(take, whitening.components(), data)
    })
}

/// Standard deviations of whitened directions, which undo the whitening up to a rotation.
pub(super) fn plain_scale(whitening: &Whitening) -> Vec<f64> {
    whitening.backward.row_iter().map(|row| row.norm()).collect()
}

/// Rows `[n, directions]`, each direction times its scale.
pub(super) fn scaled(rows: &DMatrix<f64>, scale: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(rows.nrows(), rows.ncols(), |i, j| rows[(i, j)] * scale[j])
}

/// The noise that unchanged pairs show, in standard deviations of the observations, and the
/// directions that are more than noise.
fn noise_of(changes: &DMatrix<f64>, scale: &[f64]) -> (f64, Vec<usize>) {
    let squares = scaled(changes, scale).map(|v| v * v);
    let least = least_changed(squares.row_iter().map(|row| row.sum()));
    let shares: Vec<f64> = (0..scale.len()).map(|j| noise_share(changes, j, &least)).collect();
    let certain = |j: usize| shares[j] < CERTAINLY_SIGNAL;
    let all: Vec<usize> = (0..scale.len()).collect();
    let mut signal = all.clone();
    if !all.iter().all(|&j| certain(j)) {
        let unbiased: Vec<f64> =
            all.iter().map(|&j| share_by_others(changes, &squares, j)).collect();
        if unbiased.iter().all(|&share| share > NOTHING_KEPT) {
            return (1.0, all);
        }
        signal.retain(|&j| certain(j) || unbiased[j] < MOSTLY_NOISE);
    }
    if signal.is_empty() {
        return (1.0, all);
    }
    let noise = signal.iter().map(|&j| shares[j]).sum::<f64>() / signal.len() as f64;
    (noise.sqrt(), signal)
}

/// The share of noise in a direction by the pairs that change least in all others: what is chosen for a
/// small change in all has little noise in all.
fn share_by_others(changes: &DMatrix<f64>, squares: &DMatrix<f64>, direction: usize) -> f64 {
    let others = squares.clone().remove_column(direction);
    noise_share(changes, direction, &least_changed(others.row_iter().map(|row| row.sum())))
}

/// The pairs of least size.
fn least_changed(sizes: impl Iterator<Item = f64>) -> Vec<usize> {
    let sizes: Vec<f64> = sizes.collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    order.truncate((sizes.len() / LEAST_CHANGED).max(1));
    order
}

/// Share of the variance of a whitened direction that noise makes up, were nothing done to these pairs.
fn noise_share(changes: &DMatrix<f64>, direction: usize, pairs: &[usize]) -> f64 {
    let squares = pairs.iter().map(|&i| changes[(i, direction)].powi(2));
    // Both sides have noise, so that a change has twice its variance.
    squares.sum::<f64>() / (2.0 * pairs.len() as f64)
}

/// An orthonormal basis of the directions in which changes happen, `[directions, moving]`.
fn moving_directions(changes: &DMatrix<f64>, noise: f64) -> DMatrix<f64> {
    let covariance = changes.tr_mul(changes) / changes.nrows().max(1) as f64;
    let eigen = covariance.symmetric_eigen();
    let mut sorted: Vec<f64> = eigen.eigenvalues.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let least = (STILL * sorted[sorted.len() / 2]).max(4.0 * noise * noise);
    let moving: Vec<usize> = (0..sorted.len()).filter(|&i| eigen.eigenvalues[i] > least).collect();
    if moving.is_empty() {
        return eigen.eigenvectors;
    }
    eigen.eigenvectors.select_columns(&moving)
}

/// Changes of the independent components, `[n, components]`.
fn changes_of_codes(changes: &DMatrix<f64>) -> DMatrix<f64> {
    let mut rng = Seed(0).rng(Stream::Eval);
    let config = IcaConfig { iterations: ITERATIONS, ..IcaConfig::default() };
    changes * separate_differences(changes, &config, &mut rng)
}

/// How many codes change in a pair, and how clearly.
pub(super) struct Counted {
    /// Share of changes that are neither nothing nor large.
    pub(super) unclear: f64,
    /// Codes that change in a pair in which any does.
    pub(super) together: f64,
    /// Pairs that hit the rarest code over those that hit the median one.
    pub(super) rarest: f64,
}

impl Counted {
    /// Of codes that one variable at a time changes, or if a linear map finds none, several at once.
    fn best(changes: &DMatrix<f64>, noise: f64) -> Self {
        let one = Self::of_one(changes, noise);
        if one.linear() && one.together <= TOGETHER.0 {
            return one;
        }
        Self::of_several(changes, noise).unwrap_or(one)
    }

    /// Of codes that one variable at a time changes.
    fn of_one(changes: &DMatrix<f64>, noise: f64) -> Self {
        let codes = changes_of_codes(changes);
        let (n, d) = codes.shape();
        // The spread of a code when it is set, were all targets equally frequent.
        let spread = codes
            .column_iter()
            .map(|c| (c.norm_squared() * (d + 1) as f64 / n.max(1) as f64).sqrt());
        Self::of(&codes, &spread.collect::<Vec<_>>(), noise)
    }

    /// Of codes that rest in as many pairs as they can, if a linear map separates them.
    fn of_several(changes: &DMatrix<f64>, noise: f64) -> Option<Self> {
        if changes.ncols() > RESTING_DIRECTIONS {
            return None;
        }
        let mut rng = Seed(0).rng(Stream::Eval);
        let codes = changes * separate_resting(changes, &mut rng);
        let posterior = SetPosterior::fit(&codes);
        let spread: Vec<f64> = posterior.codes.iter().map(|code| code.spread).collect();
        let Self { unclear, .. } = Self::of(&codes, &spread, noise);
        let probs = posterior.probs(&codes);
        let counted = Self {
            unclear,
            ..Self::of_sets(&InterventionTarget::most_probable(&probs), codes.ncols())
        };
        let resting = SetPosterior::least_resting(&probs);
        (counted.linear() && resting >= LEAST_RESTING).then_some(counted)
    }

    /// Of changes `[n, d]`, and the spread of each code when it is set.
    fn of(changes: &DMatrix<f64>, spread: &[f64], noise: f64) -> Self {
        let (n, d) = changes.shape();
        let kept = UNCLEAR.0.max(4.0 * noise);
        let set = UNCLEAR.1.max(2.0 * kept);
        let (mut unclear, mut changed_pairs, mut hits) = (0_usize, 0_usize, vec![0_usize; d]);
        for row in changes.row_iter() {
            let mut any = false;
            for (j, change) in row.iter().enumerate() {
                let share = change.abs() / spread[j].max(f64::MIN_POSITIVE);
                unclear += usize::from(share > kept && share < set);
                if share >= set {
                    hits[j] += 1;
                    any = true;
                }
            }
            changed_pairs += usize::from(any);
        }
        let total: usize = hits.iter().sum();
        Self {
            unclear: ratio(unclear, n * d),
            together: ratio(total, changed_pairs),
            rarest: rarest(hits),
        }
    }

    /// Of sets of `d` variables, of which nothing is unclear.
    fn of_sets(targets: &[InterventionTarget], d: usize) -> Self {
        let mut hits = vec![0; d];
        targets.iter().flat_map(InterventionTarget::variables).for_each(|&k| hits[k] += 1);
        let changed = targets.iter().filter(|target| !target.variables().is_empty()).count();
        let together = ratio(hits.iter().sum(), changed);
        Self { unclear: 0.0, together, rarest: rarest(hits) }
    }

    /// Whether the map under which codes were counted separates the variables.
    pub(super) fn linear(&self) -> bool {
        self.unclear < LINEAR
    }
}

fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b.max(1) as f64
}

/// How often the rarest is hit over how often the median one is.
fn rarest(mut hits: Vec<usize>) -> f64 {
    hits.sort_unstable();
    ratio(hits[0], hits[hits.len() / 2])
}
