//! How a variable follows from others: location and scale by small networks, and what each input is worth.

use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::draw::normal;
use crate::sample::mean_and_inverse_std;

/// Units of each of the two hidden layers.
const HIDDEN: usize = 32;

/// Parts of the cross-validation, and so networks of a committee.
const FOLDS: usize = 4;

/// Rows of a step, if there are four times as many.
const BATCH: usize = 256;

/// Steps of a network: one per so many rows, between a least and a largest number, times its effort.
const ROWS_PER_STEP: usize = 16;
const STEPS: [usize; 2] = [100, 300];

/// Efforts that are tried, each only where the one before it was worth it: smooth mechanisms are found in few steps, and
/// more fit a network to noise, but bumpy ones take more.
const EFFORTS: [usize; 3] = [1, 3, 9];

/// Least held-out loss per row, in nats, that more effort has to save: half of what an edge is worth at least.
const WORTH_EFFORT: f32 = 0.005;

/// Step size at the start, from where it falls to 0 as half a cosine.
const RATE: f32 = 1e-2;

/// Decoupled weight decay per step, in units of the step size.
const DECAY: f32 = 1e-2;

/// Spread of the weights of the output at the start.
const SMALL: f64 = 0.01;

/// Values of an input that it is averaged over where it is left out.
const DRAWS: usize = 4;

/// Inputs are clipped here, in standard deviations, where there is no data to fit.
const CLIP: f64 = 5.0;

/// Degrees of freedom of the Student law that losses are taken under: close to normal, but a single
/// bad prediction cannot decide over an edge.
const FREEDOM: f32 = 8.0;

/// Bound of the log scale: an exact relation must not have an infinite density.
const LOG_SCALE_BOUND: f32 = 5.0;

/// Least scale in units of the typical one, where there is no data to fit.
const LEAST_SCALE: f64 = 0.2;

/// Least root mean square of the residuals in units of their scale: below is rounding.
const LEAST_UNIT: f64 = 1e-6;

/// Rows that are evaluated at a time.
const BLOCK: usize = 4096;

/// `y = b(x) + s(x) · noise`, as the mean of networks each of which left out a part of the rows:
///
/// ```text
/// (b, ln s) = V φ(W₂ φ(W₁ x + c₁) + c₂) + A x + c₃,   φ(u) = u / √(1 + u²)
/// ```
///
/// fitted by the likelihood of a Student law.
pub(crate) struct Mechanism {
    /// Columns read.
    pub(crate) inputs: Vec<usize>,
    /// Mean and inverse standard deviation of each.
    standard: Vec<(f64, f64)>,
    /// Mean and standard deviation of the response.
    response: (f64, f64),
    members: Vec<Network>,
    /// Geometric mean of the scales, and the root mean square of held-out residuals in units of them.
    typical: f64,
    unit: f64,
}

/// A response and the inputs that may explain it.
pub(crate) struct Problem<'a> {
    /// Columns of which some are inputs, `[n, d]`.
    pub(crate) z: &'a DMatrix<f64>,
    /// Rows that are learned from.
    pub(crate) rows: &'a [usize],
    /// The response in each of them.
    pub(crate) response: &'a [f64],
    /// Steps of each network, in units of the fewest.
    pub(crate) effort: usize,
}

/// A mechanism with what it was fitted to.
pub(crate) struct CrossFit {
    pub(crate) mechanism: Mechanism,
    /// Loss of each row under the network that left it out.
    losses: Vec<f32>,
    /// Standardised inputs, `[rows, inputs]`, and responses.
    x: DMatrix<f32>,
    y: Vec<f32>,
}

impl Mechanism {
    /// The effort with which a network of some inputs foresees rows best that it has not seen.
    pub(crate) fn best_effort(problem: &Problem<'_>, inputs: &[usize], rng: &mut dyn Rng) -> usize {
        let (_, x, y) = Self::blank(problem, inputs);
        let fold = y.len() / FOLDS;
        let learned: Vec<usize> = (fold..y.len()).collect();
        let held_out = x.rows(0, fold).into_owned();
        let mut best = (f32::INFINITY, EFFORTS[0]);
        for effort in EFFORTS {
            let out = Network::fit(&x, &y, &learned, effort, rng).forward(&held_out).out;
            let loss: f32 = losses(&out, &y[..fold]).iter().sum();
            if loss >= best.0 - WORTH_EFFORT * fold as f32 {
                break;
            }
            best = (loss, effort);
        }
        best.1
    }

    /// A committee without members, and the standardised inputs and responses for them.
    fn blank(problem: &Problem<'_>, inputs: &[usize]) -> (Self, DMatrix<f32>, Vec<f32>) {
        let Problem { z, rows, response, .. } = *problem;
        let (mean, inverse) = mean_and_inverse_std(response);
        let y = response.iter().map(|y| ((y - mean) * inverse) as f32).collect();
        let spread = if inverse > 0.0 { inverse.recip() } else { 1.0 };
        let standard = inputs.iter().map(|&j| mean_and_inverse_std(z.column(j).as_slice()));
        let blank = Self {
            inputs: inputs.to_vec(),
            standard: standard.collect(),
            response: (mean, spread),
            members: Vec::new(),
            typical: 1.0,
            unit: 1.0,
        };
        let x = blank.standardised(z, rows);
        (blank, x, y)
    }

    /// Noise `(y − b(x)) / s(x)` of responses `y` at rows of `z`.
    pub(crate) fn noise(&self, y: &[f64], z: &DMatrix<f64>, rows: &[usize]) -> DVector<f64> {
        self.along(y, z, rows, |y, location, scale| (y - location) / scale)
    }

    /// Responses `b(x) + s(x) e` of noise `e` at rows of `z`.
    pub(crate) fn value(&self, e: &[f64], z: &DMatrix<f64>, rows: &[usize]) -> DVector<f64> {
        self.along(e, z, rows, |e, location, scale| location + scale * e)
    }

    /// A function of given values and the location and scale at rows of `z`.
    fn along(
        &self,
        values: &[f64],
        z: &DMatrix<f64>,
        rows: &[usize],
        of: impl Fn(f64, f64, f64) -> f64,
    ) -> DVector<f64> {
        let (mean, spread) = self.response;
        let mut all = Vec::with_capacity(rows.len());
        for (rows, values) in rows.chunks(BLOCK).zip(values.chunks(BLOCK)) {
            let x = self.standardised(z, rows);
            let mut out = DMatrix::zeros(rows.len(), 2);
            self.members.iter().for_each(|network| out += network.forward(&x).out);
            out /= self.members.len().max(1) as f32;
            all.extend(values.iter().enumerate().map(|(row, &value)| {
                let location = mean + spread * f64::from(out[(row, 0)]);
                let scale = f64::from(out[(row, 1)]).exp().max(LEAST_SCALE * self.typical);
                of(value, location, spread * self.unit * scale)
            }));
        }
        DVector::from_vec(all)
    }

    /// The inputs of some rows, `[rows, inputs]`, standardised and clipped.
    fn standardised(&self, z: &DMatrix<f64>, rows: &[usize]) -> DMatrix<f32> {
        DMatrix::from_fn(rows.len(), self.inputs.len(), |row, c| {
            let (mean, inverse) = self.standard[c];
            ((z[(rows[row], self.inputs[c])] - mean) * inverse).clamp(-CLIP, CLIP) as f32
        })
    }
}

impl CrossFit {
    /// The response by some inputs.
    pub(crate) fn of(problem: &Problem<'_>, inputs: &[usize], rng: &mut dyn Rng) -> Self {
        let (mut mechanism, x, y) = Mechanism::blank(problem, inputs);
        let (mut squares, mut logs, mut losses) = (0.0, 0.0, Vec::with_capacity(y.len()));
        for [from, to] in folds(y.len()) {
            let learned: Vec<usize> = (0..from).chain(to..y.len()).collect();
            let network = Network::fit(&x, &y, &learned, problem.effort, rng);
            let out = network.forward(&x.rows(from, to - from).into_owned()).out;
            for (row, y) in y[from..to].iter().enumerate() {
                squares += f64::from((y - out[(row, 0)]) * (-out[(row, 1)]).exp()).powi(2);
                logs += f64::from(out[(row, 1)]);
            }
            losses.extend(self::losses(&out, &y[from..to]));
            mechanism.members.push(network);
        }
        let n = y.len().max(1) as f64;
        mechanism.typical = (logs / n).exp();
        mechanism.unit = (squares / n).sqrt().max(LEAST_UNIT);
        Self { mechanism, losses, x, y }
    }

    /// What each input is worth, at the cost of no further fit: twice the held-out log-likelihood of each row that is
    /// lost where it is averaged over, other values of it put in and the answers averaged.
    ///
    /// What a network made of the noise of an input without effect costs held-out likelihood, so that averaging
    /// it away gains some. But values that are put in where they never occur ask a network for what it did not
    /// learn, so that an input may also seem worth more than it is: a fit without it tells.
    pub(crate) fn worths(&self, rng: &mut dyn Rng) -> Vec<DVector<f64>> {
        let worth = |input: usize| {
            let mut without = Vec::with_capacity(self.y.len());
            for (network, [from, to]) in self.mechanism.members.iter().zip(folds(self.y.len())) {
                let held_out = self.x.rows(from, to - from).into_owned();
                let averaged = network.averaged_over(&held_out, input, rng);
                without.extend(losses(&averaged, &self.y[from..to]));
            }
            gains(&self.losses, &without)
        };
        (0..self.mechanism.inputs.len()).map(worth).collect()
    }

    /// The same of what a fit without an input lacks.
    pub(crate) fn worth_over(&self, without: &Self) -> DVector<f64> {
        gains(&self.losses, &without.losses)
    }
}

/// Twice the log-likelihood of each row that is lost, from its losses with an input and without.
fn gains(with: &[f32], without: &[f32]) -> DVector<f64> {
    let gains = with.iter().zip(without).map(|(with, without)| 2.0 * f64::from(without - with));
    DVector::from_iterator(with.len(), gains)
}

/// First and last row of each fold.
fn folds(rows: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..FOLDS).map(move |fold| [rows * fold / FOLDS, rows * (fold + 1) / FOLDS])
}

/// The parameters of a network: `W₁ [p, h]`, `c₁ [1, h]`, `W₂ [h, h]`, `c₂ [1, h]`, `V [h, 2]`, `A [p, 2]`, `c₃ [1, 2]`.
#[derive(Clone)]
struct Network([DMatrix<f32>; 7]);

/// What a network makes of a batch.
struct Pass {
    hidden: [DMatrix<f32>; 2],
    /// Location and log scale, `[batch, 2]`.
    out: DMatrix<f32>,
}

impl Network {
    fn draw(inputs: usize, rng: &mut dyn Rng) -> Self {
        let mut normal = |rows: usize, cols: usize, std: f64| {
            DMatrix::from_fn(rows, cols, |_, _| (std * normal(rng)) as f32)
        };
        let kept = |fan_in: usize| (fan_in.max(1) as f64).sqrt().recip();
        Self([
            normal(inputs, HIDDEN, kept(inputs)),
            normal(1, HIDDEN, kept(inputs)),
            normal(HIDDEN, HIDDEN, kept(HIDDEN)),
            normal(1, HIDDEN, kept(HIDDEN)),
            normal(HIDDEN, 2, SMALL),
            DMatrix::zeros(inputs, 2),
            DMatrix::zeros(1, 2),
        ])
    }

    /// A network fitted to some rows of `x` by Adam.
    ///
    /// Kingma & Ba, *Adam: a method for stochastic optimization*, ICLR 2015; Loshchilov & Hutter, *Decoupled weight
    /// decay regularization*, ICLR 2019.
    fn fit(x: &DMatrix<f32>, y: &[f32], rows: &[usize], effort: usize, rng: &mut dyn Rng) -> Self {
        let mut network = Self::draw(x.ncols(), rng);
        let zeros = network.0.each_ref().map(|w| DMatrix::<f32>::zeros(w.nrows(), w.ncols()));
        let (mut means, mut squares) = (zeros.clone(), zeros);
        let batch = BATCH.min(rows.len() / 4).max(1);
        let steps = effort * (rows.len() / ROWS_PER_STEP).clamp(STEPS[0], STEPS[1]);
        let mut decayed = [1.0_f32; 2];
        for step in 0..if rows.is_empty() { 0 } else { steps } {
            let chosen: Vec<usize> =
                (0..batch).map(|_| rows[rng.random_range(0..rows.len())]).collect();
            let responses: Vec<f32> = chosen.iter().map(|&row| y[row]).collect();
            let gradient = network.gradient(&x.select_rows(&chosen), &responses);
            let turn = std::f32::consts::PI * step as f32 / steps as f32;
            let rate = RATE * 0.5 * (1.0 + turn.cos());
            decayed = [decayed[0] * 0.9, decayed[1] * 0.999];
            let [unbiased_mean, unbiased_square] = decayed.map(|kept| 1.0 - kept);
            let states = means.iter_mut().zip(&mut squares);
            for ((part, slope), (mean, square)) in network.0.iter_mut().zip(&gradient).zip(states) {
                let values = part.iter_mut().zip(slope.iter());
                for ((w, g), (m, v)) in values.zip(mean.iter_mut().zip(square.iter_mut())) {
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.999 * *v + 0.001 * g * g;
                    let towards = (*m / unbiased_mean) / ((*v / unbiased_square).sqrt() + 1e-8);
                    *w -= rate * (towards + DECAY * *w);
                }
            }
        }
        network
    }

    fn forward(&self, x: &DMatrix<f32>) -> Pass {
        let [w1, c1, w2, c2, v, a, c3] = &self.0;
        let layer = |x: &DMatrix<f32>, w: &DMatrix<f32>, c: &DMatrix<f32>| {
            let mut sums = x * w;
            plus_row(&mut sums, c);
            sums.apply(|u| *u /= (1.0 + *u * *u).sqrt());
            sums
        };
        let first = layer(x, w1, c1);
        let second = layer(&first, w2, c2);
        let mut out = &second * v + x * a;
        plus_row(&mut out, c3);
        let mut log_scale = out.column_mut(1);
        log_scale.apply(|s| *s = s.clamp(-LOG_SCALE_BOUND, LOG_SCALE_BOUND));
        Pass { hidden: [first, second], out }
    }

    /// The gradient of the mean loss of a batch by all parameters.
    fn gradient(&self, x: &DMatrix<f32>, y: &[f32]) -> [DMatrix<f32>; 7] {
        let [_, _, w2, _, v, _, _] = &self.0;
        let Pass { hidden: [first, second], out } = self.forward(x);
        let share = 1.0 / y.len().max(1) as f32;
        let mut slopes = DMatrix::zeros(y.len(), 2);
        for (row, y) in y.iter().enumerate() {
            let precision = (-out[(row, 1)]).exp();
            let off = (y - out[(row, 0)]) * precision;
            let heavy = (FREEDOM + 1.0) * off / (FREEDOM + off * off);
            slopes[(row, 0)] = -share * heavy * precision;
            let inside = out[(row, 1)].abs() < LOG_SCALE_BOUND;
            slopes[(row, 1)] = if inside { share * (1.0 - heavy * off) } else { 0.0 };
        }
        // φ' = (1 − φ²)^{3/2}.
        let back = |mut slopes: DMatrix<f32>, active: &DMatrix<f32>| {
            slopes.zip_apply(active, |slope, active| {
                let rest = 1.0 - active * active;
                *slope *= rest * rest.sqrt();
            });
            slopes
        };
        let at_second = back(&slopes * v.transpose(), &second);
        let at_first = back(&at_second * w2.transpose(), &first);
        let sums = |slopes: &DMatrix<f32>| {
            DMatrix::from_iterator(1, slopes.ncols(), slopes.column_iter().map(|c| c.sum()))
        };
        [
            x.tr_mul(&at_first),
            sums(&at_first),
            first.tr_mul(&at_second),
            sums(&at_second),
            second.tr_mul(&slopes),
            x.tr_mul(&slopes),
            sums(&slopes),
        ]
    }

    /// Location and log scale where an input is averaged over values that it has in other rows.
    fn averaged_over(&self, x: &DMatrix<f32>, input: usize, rng: &mut dyn Rng) -> DMatrix<f32> {
        let mut shuffled = x.clone();
        let mut out = DMatrix::zeros(x.nrows(), 2);
        for _ in 0..DRAWS {
            shuffled.column_mut(input).as_mut_slice().shuffle(rng);
            out += self.forward(&shuffled).out;
        }
        out / DRAWS as f32
    }
}

fn plus_row(matrix: &mut DMatrix<f32>, row: &DMatrix<f32>) {
    matrix.column_iter_mut().zip(row.iter()).for_each(|(mut column, c)| column.add_scalar_mut(*c));
}

/// `(ν + 1)/2 ln(1 + r² / ν s²) + ln s` of each row.
fn losses(out: &DMatrix<f32>, y: &[f32]) -> Vec<f32> {
    let loss = |(row, y): (usize, &f32)| {
        let off = (y - out[(row, 0)]) * (-out[(row, 1)]).exp();
        0.5 * (FREEDOM + 1.0) * (off * off / FREEDOM).ln_1p() + out[(row, 1)]
    };
    y.iter().enumerate().map(loss).collect()
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream, StreamRng};

    use super::*;

    fn rng() -> StreamRng {
        Seed(3).rng(Stream::Eval)
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let rng = &mut rng();
        let x = DMatrix::from_fn(9, 3, |_, _| normal(rng) as f32);
        let y: Vec<f32> = (0..9).map(|_| normal(rng) as f32).collect();
        let mut network = Network::draw(3, rng);
        network.0[4] *= 30.0;
        let mean = |network: &Network| {
            losses(&network.forward(&x).out, &y).iter().sum::<f32>() / y.len() as f32
        };
        let gradient = network.gradient(&x, &y);
        for (part, slopes) in gradient.iter().enumerate() {
            for (at, slope) in slopes.iter().enumerate() {
                let kept = network.0[part][at];
                let step = 1e-2;
                let mut moved = |by: f32| {
                    network.0[part][at] = kept + by;
                    mean(&network)
                };
                let numeric = (moved(step) - moved(-step)) / (2.0 * step);
                network.0[part][at] = kept;
                assert!((numeric - slope).abs() < 1e-3, "{part} {at}: {numeric} {slope}");
            }
        }
    }

    #[test]
    fn inputs_are_worth_what_they_explain_and_noise_comes_back() {
        // y = tanh(x_0) + x_1² / 2 + exp(x_2 / 2) noise; x_3 is nothing to it.
        let (n, rng) = (4000, &mut rng());
        let z = DMatrix::from_fn(n, 4, |_, _| normal(rng));
        let noise: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
        let rows: Vec<usize> = (0..n).collect();
        let y: Vec<f64> = rows
            .iter()
            .map(|&row| {
                let x = z.row(row);
                x[0].tanh() + x[1] * x[1] / 2.0 + (x[2] / 2.0).exp() * noise[row]
            })
            .collect();
        let problem = Problem { z: &z, rows: &rows, response: &y, effort: 1 };
        let worth = CrossFit::of(&problem, &[0, 1, 2, 3], rng).worths(rng);
        for (at, worth) in worth.iter().enumerate() {
            let error = (worth.variance() / n as f64).sqrt();
            let is_clear = (worth.mean() - 0.01) / error;
            assert!(if at < 3 { is_clear > 5.0 } else { is_clear < -1.0 }, "{at}: {is_clear}");
        }
        let fit = CrossFit::of(&problem, &[0, 1, 2], rng).mechanism;
        let back = fit.noise(&y, &z, &rows);
        let error = back.iter().zip(&noise).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n as f64;
        assert!(error < 0.1, "{error}");
        let again = fit.value(back.as_slice(), &z, &rows);
        assert!(again.iter().zip(&y).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn bumps_take_more_effort_than_lines() {
        let (n, rng) = (3000, &mut rng());
        let z = DMatrix::from_fn(n, 1, |_, _| 2.0 * normal(rng));
        let noise: Vec<f64> = (0..n).map(|_| normal(rng)).collect();
        let rows: Vec<usize> = (0..n).collect();
        let mut effort = |bend: f64| {
            let y: Vec<f64> =
                rows.iter().map(|&row| 2.0 * (bend * z[(row, 0)]).sin() + noise[row]).collect();
            let problem = Problem { z: &z, rows: &rows, response: &y, effort: 1 };
            Mechanism::best_effort(&problem, &[0], rng)
        };
        assert!(effort(1.5) > effort(0.1));
    }

    #[test]
    fn without_inputs_the_response_is_standardised() {
        let rng = &mut rng();
        let y: Vec<f64> = (0..1000).map(|row| 3.0 + f64::from(row % 7)).collect();
        let z = DMatrix::zeros(1000, 1);
        let rows: Vec<usize> = (0..1000).collect();
        let problem = Problem { z: &z, rows: &rows, response: &y, effort: 1 };
        let solved = CrossFit::of(&problem, &[], rng).mechanism.noise(&y, &z, &rows);
        assert!(solved.mean().abs() < 0.1 && (solved.variance() - 1.0).abs() < 0.1);
    }
}
