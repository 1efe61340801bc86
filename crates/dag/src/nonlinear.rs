use nalgebra::{DMatrix, DVector};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::belief::cause_probability;
use crate::features::{CrossFit, Fitted, RandomFeatures};
use crate::least_squares::{LeastSquares, surprise};
use crate::pair_regression::{Findings, PairRegression};
use crate::sample::{Sample, mean_and_inverse_std};
use crate::screening::powers;

/// Surprise in nats, beyond that of the best of the candidates by chance, with which a predecessor
/// is worth a held-out test. That test decides; this one only saves its cost.
const WORTH_TESTING: f64 = 1.0;

/// Rows per column that the screening regression needs.
const ROWS_PER_COLUMN: usize = 10;

/// Least fitted scale in units of its mean: a regression on absolute residuals may undershoot 0.
const LEAST_SCALE: f64 = 0.2;

/// Degrees of freedom of the Student law that losses are taken under: close to normal, but a single
/// bad prediction cannot decide over an edge.
const FREEDOM: f64 = 8.0;

/// Least mean absolute residual, in standard deviations of the code: below is rounding.
const LEAST_RESIDUAL: f64 = 1e-6;

/// Rows on which permutation dependence is estimated, to a few per cent of itself.
pub(crate) const STRENGTH_ROWS: usize = 4096;

/// Rows whose features are held at a time.
const BLOCK: usize = 4096;

/// Least standard deviation by which effects are divided, as in the reference's evaluation.
const LEAST_STD: f64 = 0.1;

/// `ẽ = b(z) + s(z) · noise`, so that `z_k = (e_k − b(z)) / s(z)`.
struct LocationScale {
    features: RandomFeatures,
    location: DVector<f64>,
    scale: DVector<f64>,
    /// Mean of the fitted absolute residuals, of which a fitted scale keeps at least a share.
    typical: f64,
    /// Absolute residuals to standard deviations.
    unit: f64,
}

/// A fit with its held-out loss per row, `(ν + 1)/2 ln(1 + r² / ν s²) + ln s`.
struct Scored {
    fit: LocationScale,
    loss: DVector<f64>,
}

/// The graph, beliefs and causal variables under mechanisms `ẽ_k = b_k(z_pa) + s_k(z_pa) · noise`.
///
/// In causal order, the new codes of `k` are regressed on the causal variables of its predecessors,
/// screened by polynomials and then held to a drop-one test: random features of all candidates
/// against the same without one, by held-out log-likelihood. The candidate that is missed
/// least is dropped, until all are missed.
pub(crate) fn learn(
    sample: &Sample,
    order: &[usize],
    options: &PairRegression,
    rng: &mut dyn Rng,
) -> Findings {
    let mut found = Findings::unknown(sample.before.nrows(), order.len());
    for (place, &k) in order.iter().enumerate() {
        let fit = learn_one(sample, k, &order[..place], options, &mut found, rng);
        let z = match &fit {
            Some(fit) => fit.solve(&found.z_before, &sample.before, k),
            None => sample.before.column(k).into_owned(),
        };
        found.z_before.set_column(k, &z);
        if let Some(fit) = &fit {
            fit.add_strengths(sample, k, &mut found, rng);
        }
    }
    found
}

/// Finds the causes of `k` among its predecessors, notes the beliefs and returns the mechanism.
fn learn_one(
    sample: &Sample,
    k: usize,
    predecessors: &[usize],
    options: &PairRegression,
    found: &mut Findings,
    rng: &mut dyn Rng,
) -> Option<LocationScale> {
    let rows = &sample.rows[k];
    if rows.is_empty() {
        return None;
    }
    let response = DVector::from_vec(sample.response(k));
    let mut causes = screened(&found.z_before, rows, predecessors, &response);
    loop {
        let features = RandomFeatures::draw(&found.z_before, &causes, rows.len(), rng);
        let full = LocationScale::fit(features, &found.z_before, rows, &response);
        let mut least: Option<(f64, usize)> = None;
        for &j in &causes {
            let less = full.fit.features.without(j);
            let less = LocationScale::fit(less, &found.z_before, rows, &response);
            let p = cause_probability(&((&less.loss - &full.loss) * 2.0), options.least_effect);
            found.probs[(j, k)] = p;
            if least.is_none_or(|(q, _)| p < q) {
                least = Some((p, j));
            }
        }
        match least {
            Some((p, j)) if p <= 0.5 => causes.retain(|&c| c != j),
            _ => return Some(full.fit),
        }
    }
}

/// Predecessors on which the response or the size of its residual depends, given all others, as far
/// as powers up to the third and pairwise products tell.
fn screened(
    z: &DMatrix<f64>,
    rows: &[usize],
    predecessors: &[usize],
    response: &DVector<f64>,
) -> Vec<usize> {
    let p = predecessors.len();
    if p == 0 {
        return Vec::new();
    }
    let moments: Vec<_> =
        predecessors.iter().map(|&j| mean_and_inverse_std(z.column(j).as_slice())).collect();
    let inputs = DMatrix::from_fn(rows.len(), p, |r, c| {
        (z[(rows[r], predecessors[c])] - moments[c].0) * moments[c].1
    });
    let (mut columns, of) = polynomial(&inputs);
    let location = LeastSquares::fit(&mut columns, response.as_slice());
    let sizes: Vec<f64> = location.residuals.iter().map(|r| r.abs()).collect();
    let scale = LeastSquares::fit(&mut powers(&inputs, 2), &sizes);
    let worth = |c: &usize| {
        let group: Vec<usize> = (0..of.len()).filter(|&g| of[g].contains(c)).collect();
        let located = surprise(location.wald(&group), group.len());
        let scaled = surprise(scale.wald(&[*c, p + c]), 2);
        located.max(scaled) > WORTH_TESTING + (p as f64).ln()
    };
    (0..p).filter(worth).map(|c| predecessors[c]).collect()
}

/// Powers and pairwise products as far as the rows allow, and the inputs behind each column.
fn polynomial(inputs: &DMatrix<f64>) -> (DMatrix<f64>, Vec<[usize; 2]>) {
    let (n, p) = inputs.shape();
    let products = p * (p - 1) / 2;
    let highest = if n >= ROWS_PER_COLUMN * 3 * p { 3 } else { 1 };
    let mut columns = powers(inputs, highest);
    let mut of: Vec<[usize; 2]> = (0..highest * p).map(|c| [c % p, c % p]).collect();
    if n >= ROWS_PER_COLUMN * (3 * p + products) {
        let pairs = (1..p).flat_map(|b| (0..b).map(move |a| [a, b]));
        of.extend(pairs.clone());
        columns = columns.resize_horizontally(highest * p + products, 0.0);
        for (at, [a, b]) in pairs.enumerate() {
            let product = inputs.column(a).component_mul(&inputs.column(b));
            columns.set_column(highest * p + at, &product);
        }
    }
    (columns, of)
}

impl LocationScale {
    fn fit(
        features: RandomFeatures,
        z: &DMatrix<f64>,
        rows: &[usize],
        response: &DVector<f64>,
    ) -> Scored {
        let cross = CrossFit::new(&features.of(z, rows));
        let location = cross.fit(response);
        let residuals = response - &location.held_out;
        let sizes = residuals.abs();
        let Fitted { coefficients, held_out } = cross.fit(&sizes);
        let typical = sizes.mean().max(LEAST_RESIDUAL);
        let scale = held_out.map(|s| s.max(LEAST_SCALE * typical));
        let unit = residuals.component_div(&scale).norm_squared() / rows.len() as f64;
        let unit = unit.sqrt().max(LEAST_RESIDUAL);
        let loss = residuals.zip_map(&scale, |r, s| {
            let s = unit * s;
            0.5 * (FREEDOM + 1.0) * ((r / s).powi(2) / FREEDOM).ln_1p() + s.ln()
        });
        let fit =
            Self { features, location: location.coefficients, scale: coefficients, typical, unit };
        Scored { fit, loss }
    }

    /// `z_k` of all rows.
    fn solve(&self, z: &DMatrix<f64>, codes: &DMatrix<f64>, k: usize) -> DVector<f64> {
        let rows: Vec<usize> = (0..z.nrows()).collect();
        let blocks = rows.chunks(BLOCK).flat_map(|rows| {
            let e = rows.iter().map(|&row| codes[(row, k)]).collect();
            self.z_from_e(e, &self.features.of(z, rows)).data.as_vec().clone()
        });
        DVector::from_iterator(rows.len(), blocks)
    }

    fn z_from_e(&self, e: Vec<f64>, features: &DMatrix<f64>) -> DVector<f64> {
        let scale = features * &self.scale;
        let scale = scale.map(|s| self.unit * s.max(LEAST_SCALE * self.typical));
        (DVector::from_vec(e) - features * &self.location).component_div(&scale)
    }

    fn add_strengths(&self, sample: &Sample, k: usize, found: &mut Findings, rng: &mut dyn Rng) {
        let n = found.z_before.nrows().min(STRENGTH_ROWS);
        let rows: Vec<usize> = (0..n).collect();
        let e: Vec<f64> = rows.iter().map(|&row| sample.before[(row, k)]).collect();
        let mut z = found.z_before.rows(0, n).into_owned();
        let value = self.z_from_e(e.clone(), &self.features.of(&z, &rows));
        let variance = value.variance().max(LEAST_STD * LEAST_STD);
        for &j in &self.features.inputs {
            let kept = z.column(j).into_owned();
            z.column_mut(j).as_mut_slice().shuffle(rng);
            let permuted = self.z_from_e(e.clone(), &self.features.of(&z, &rows));
            found.strengths[(j, k)] = (permuted - &value).norm_squared() / (n as f64 * variance);
            z.set_column(j, &kept);
        }
    }
}
