use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use rand::{Rng, RngExt};

use crate::draw::normal;
use crate::sample::mean_and_inverse_std;

/// Rows per random feature; fewer rows would leave the choice between ridges to chance.
const ROWS_PER_FEATURE: usize = 16;

/// Random features at most: the error of smooth functions of a few variables is down to the
/// sampling error by then.
const MOST_FEATURES: usize = 128;

/// Range of the spread of the projections, in standard deviations of the input: from nearly linear
/// features to steps of a third of the input's spread.
const SPREADS: [f64; 2] = [0.5, 3.0];

/// Weight of the linear columns and the constant: ridges shrink them by a tenth of what they shrink
/// the rest. Sparing them altogether makes straight lines win where the data are few.
const SPARED: f64 = 3.0;

/// Inputs are clipped here, in standard deviations, where there is no data to fit.
const CLIP: f64 = 5.0;

/// Parts of the cross-validation.
const FOLDS: usize = 4;

/// Ridges to choose from, per row.
const RIDGES: [f64; 6] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/// A map of a few variables to a constant, themselves and random sigmoids of projections,
/// `u / √(1 + u²)` of `u = w·x + b`.
///
/// Rahimi & Recht, *Weighted sums of random kitchen sinks*, NeurIPS 2008.
#[derive(Clone)]
pub(crate) struct RandomFeatures {
    /// Columns read.
    pub(crate) inputs: Vec<usize>,
    mean: Vec<f64>,
    inverse_std: Vec<f64>,
    /// `[inputs, features]`.
    weights: DMatrix<f64>,
    bias: Vec<f64>,
}

impl RandomFeatures {
    /// Features of the columns `inputs` of `z`, for a fit on `rows` of it.
    pub(crate) fn draw(z: &DMatrix<f64>, inputs: &[usize], rows: usize, rng: &mut dyn Rng) -> Self {
        let units =
            if inputs.is_empty() { 0 } else { (rows / ROWS_PER_FEATURE).min(MOST_FEATURES) };
        let moments = inputs.iter().map(|&j| mean_and_inverse_std(z.column(j).as_slice()));
        let (mean, inverse_std) = moments.unzip();
        let mut weights = DMatrix::from_fn(inputs.len(), units, |_, _| normal(rng));
        let mut bias = Vec::with_capacity(units);
        for mut column in weights.column_iter_mut() {
            let spread = SPREADS[0] * (SPREADS[1] / SPREADS[0]).powf(rng.random());
            column *= spread / (inputs.len() as f64).sqrt();
            bias.push(spread * normal(rng));
        }
        Self { inputs: inputs.to_vec(), mean, inverse_std, weights, bias }
    }

    /// The same projections without one of the inputs.
    pub(crate) fn without(&self, input: usize) -> Self {
        let mut less = self.clone();
        if let Some(at) = self.inputs.iter().position(|&j| j == input) {
            less.inputs.remove(at);
            less.mean.remove(at);
            less.inverse_std.remove(at);
            less.weights = less.weights.remove_row(at);
        }
        if less.inputs.is_empty() {
            less.weights = DMatrix::zeros(0, 0);
            less.bias.clear();
        }
        less
    }

    /// The features of the given rows, `[rows, 1 + inputs + features]`.
    pub(crate) fn of(&self, z: &DMatrix<f64>, rows: &[usize]) -> DMatrix<f64> {
        let p = self.inputs.len();
        let inputs = DMatrix::from_fn(rows.len(), p, |r, c| {
            let value = z[(rows[r], self.inputs[c])];
            ((value - self.mean[c]) * self.inverse_std[c]).clamp(-CLIP, CLIP)
        });
        let mut all = DMatrix::from_element(rows.len(), 1 + p + self.bias.len(), SPARED);
        for c in 0..p {
            all.column_mut(1 + c).axpy(SPARED, &inputs.column(c), 0.0);
        }
        for (u, &bias) in self.bias.iter().enumerate() {
            let mut column = all.column_mut(1 + p + u);
            column.fill(bias);
            for c in 0..p {
                column.axpy(self.weights[(c, u)], &inputs.column(c), 1.0);
            }
            column.iter_mut().for_each(|x| *x /= (1.0 + *x * *x).sqrt());
        }
        all
    }
}

/// Ridge regressions on common features, with cross-fitted predictions.
pub(crate) struct CrossFit {
    /// Features of each fold.
    folds: Vec<DMatrix<f64>>,
    /// One per ridge with which the Gram matrices are positive definite.
    factors: Vec<Factors>,
}

/// Factors of regularised Gram matrices.
struct Factors {
    /// Without each fold.
    folds: Vec<Cholesky<f64, Dyn>>,
    /// Of all rows.
    whole: Cholesky<f64, Dyn>,
}

/// A response fitted by a [`CrossFit`].
pub(crate) struct Fitted {
    /// Coefficients from all rows.
    pub(crate) coefficients: DVector<f64>,
    /// Predictions of each row from the other folds.
    pub(crate) held_out: DVector<f64>,
}

impl CrossFit {
    /// Prepares the regression on the given features, one row per response.
    pub(crate) fn new(features: &DMatrix<f64>) -> Self {
        let n = features.nrows();
        let folds: Vec<DMatrix<f64>> =
            bounds(n).map(|[from, to]| features.rows(from, to - from).into_owned()).collect();
        let grams: Vec<DMatrix<f64>> = folds.iter().map(|f| f.transpose() * f).collect();
        let total: DMatrix<f64> = grams.iter().sum();
        let factor = |ridge: &f64| {
            let ridge = ridge * n as f64;
            let folds = grams.iter().map(|gram| regularised(&total - gram, ridge));
            Some(Factors {
                folds: folds.collect::<Option<_>>()?,
                whole: regularised(total.clone(), ridge)?,
            })
        };
        let factors = RIDGES.iter().filter_map(factor).collect();
        Self { folds, factors }
    }

    /// Fits a response, the ridge chosen by the squared error of the held-out predictions.
    pub(crate) fn fit(&self, response: &DVector<f64>) -> Fitted {
        let bounds: Vec<_> = bounds(response.len()).collect();
        let moments: Vec<DVector<f64>> = self
            .folds
            .iter()
            .zip(&bounds)
            .map(|(f, [from, to])| f.transpose() * response.rows(*from, to - from))
            .collect();
        let total: DVector<f64> = moments.iter().sum();
        let fits = self.factors.iter().map(|factors| {
            let mut held_out = DVector::zeros(response.len());
            for (fold, [from, to]) in bounds.iter().enumerate() {
                let coefficients = factors.folds[fold].solve(&(&total - &moments[fold]));
                held_out.rows_mut(*from, to - from).gemv(
                    1.0,
                    &self.folds[fold],
                    &coefficients,
                    0.0,
                );
            }
            ((response - &held_out).norm_squared(), factors, held_out)
        });
        let best = fits.min_by(|a, b| a.0.total_cmp(&b.0));
        let (_, factors, held_out) = best.expect("features are finite: the largest ridge factors");
        Fitted { coefficients: factors.whole.solve(&total), held_out }
    }
}

/// First and last row of each fold.
fn bounds(n: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..FOLDS).map(move |fold| [n * fold / FOLDS, n * (fold + 1) / FOLDS])
}

fn regularised(mut gram: DMatrix<f64>, ridge: f64) -> Option<Cholesky<f64, Dyn>> {
    (0..gram.nrows()).for_each(|i| gram[(i, i)] += ridge);
    Cholesky::new(gram)
}
