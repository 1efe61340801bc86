use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::accuracy::share_right;
use crate::classes::{Classes, class_counts};
use crate::information::top_two;
use crate::svm::{Ascending, decide, one_feature_svm};
use crate::{MetricError, Sample};

/// A variance at or below this counts as none; the value of `disentanglement_lib`.
const NO_VARIANCE: f64 = 1e-12;

/// Options of [`sap_discrete`]; the default is that of `disentanglement_lib`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SapOptions {
    /// Weight of the losses of the support vector machine, above 0.
    pub c: f64,
}

impl Default for SapOptions {
    fn default() -> Self {
        Self { c: 0.01 }
    }
}

/// Separated attribute predictability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sap {
    /// Mean gap over the factors that vary, in `[0, 1]`.
    pub score: f64,
    /// Gap of each factor between its best and second best latent, 0 for one that does not vary,
    /// `[K]`.
    pub per_factor: Vec<f64>,
    /// How well latent `i` alone predicts factor `j`, `[D, K]`.
    #[serde(with = "crate::rows")]
    pub matrix: DMatrix<f64>,
}

impl Sap {
    fn new(matrix: DMatrix<f64>, varies: impl Fn(usize) -> bool) -> Self {
        let tops = top_two(&matrix).into_iter().enumerate();
        let gap =
            |(j, [first, second]): (usize, [f64; 2])| if varies(j) { first - second } else { 0.0 };
        let per_factor: Vec<f64> = tops.map(gap).collect();
        let varying = (0..matrix.ncols()).filter(|&j| varies(j)).count();
        let score = per_factor.iter().sum::<f64>() / varying.max(1) as f64;
        Self { score, per_factor, matrix }
    }
}

/// Separated attribute predictability of discrete factors: `SAP = mean_j (S_(1)j − S_(2)j)`, the gap
/// between the two latents that predict factor `j` best, with `S_ij` the accuracy on `test` of a
/// linear support vector machine fitted on latent `i` of `train`.
///
/// The machine minimises squared hinge loss with balanced classes, each against the rest, its
/// intercept penalised. In `[0, 1]`, higher is better. Latents `[n, D]` are not standardised, so
/// that rescaling one changes the score; discrete factors `[n, K]`; published on 10,000 points to
/// fit and 5,000 to test on. With a single latent the second best is 0. A factor that does not vary
/// in `train` is left out; the score is 0 if none varies.
///
/// Blind to latents that mix factors as long as each factor has one best latent. A useless latent
/// predicts as well as chance, not 0, so that gaps are small for unbalanced factors; and the middle
/// values of a factor are lost to a machine with one threshold.
///
/// ```
/// use domino_metrics::{Sample, SapOptions, sap_discrete};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(64, 2, |i, j| (i >> j & 1) as f64);
/// let latents = DMatrix::from_fn(64, 2, |i, j| 4.0 * factors[(i, 1 - j)] - 2.0);
/// let sample = Sample::new(&latents, &factors)?;
/// let scores = sap_discrete(sample, sample, &SapOptions::default())?;
/// assert!((scores.score - 0.5).abs() < 1e-9); // accuracy 1 against chance
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, [`MetricError::Classes`] for a
/// factor that is not discrete, [`MetricError::Option`] for an option outside its range.
///
/// Kumar et al., *Variational inference of disentangled latent concepts from unlabeled
/// observations*, ICLR 2018; the machine of Locatello et al. 2019.
pub fn sap_discrete(
    train: Sample<'_>,
    test: Sample<'_>,
    options: &SapOptions,
) -> Result<Sap, MetricError> {
    let (name, value) = ("c", options.c);
    if !(value > 0.0 && value.is_finite()) {
        return Err(MetricError::Option { name, expected: "above 0", value });
    }
    train.check_same_columns(&test)?;
    let classes = Classes::of_all(train)?;
    let truth: Vec<_> =
        classes.iter().enumerate().map(|(j, c)| c.find(test.factors(), j)).collect();
    let counts: Vec<_> = classes.iter().map(|c| class_counts(c.labels(), c.count())).collect();
    let mut matrix = DMatrix::zeros(train.latents().ncols(), classes.len());
    for i in 0..matrix.nrows() {
        let (seen, unseen) = (train.latents().column(i), test.latents().column(i));
        let ascending = Ascending::new(seen.as_slice());
        for (j, classes) in classes.iter().enumerate() {
            let functions = one_feature_svm(&ascending, classes.labels(), &counts[j], value);
            let predicted = decide(&functions, unseen.as_slice());
            matrix[(i, j)] = share_right(&predicted, truth[j].iter().copied());
        }
    }
    Ok(Sap::new(matrix, |j| classes[j].count() > 1))
}

/// Separated attribute predictability of continuous factors: as [`sap_discrete`] with
/// `S_ij = cov(z_i, y_j)² / (var z_i · var y_j)`, the squared correlation, on one sample.
///
/// In `[0, 1]`, higher is better; scale and sign of latents do not matter. A latent with variance at
/// or below 1e-12 predicts nothing. Blind to latents that mix factors as long as each factor has
/// one best latent, and to relations that are not linear.
///
/// ```
/// use domino_metrics::{Sample, sap_continuous};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(64, 2, |i, j| (i >> (3 * j) & 7) as f64);
/// let latents = DMatrix::from_fn(64, 2, |i, j| -factors[(i, 1 - j)]);
/// let scores = sap_continuous(Sample::new(&latents, &factors)?);
/// assert!((scores.score - 1.0).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// Kumar et al. 2018, section 3.
pub fn sap_continuous(sample: Sample<'_>) -> Sap {
    let centred = |m: &DMatrix<f64>| {
        let mut m = m.clone();
        for mut column in m.column_iter_mut() {
            let mean = column.mean();
            column.add_scalar_mut(-mean);
        }
        m
    };
    let (z, y) = (centred(sample.latents()), centred(sample.factors()));
    let free = z.nrows().saturating_sub(1).max(1) as f64;
    let variances = |m: &DMatrix<f64>| -> Vec<f64> {
        m.column_iter().map(|c| c.norm_squared() / free).collect()
    };
    let (of_z, of_y) = (variances(&z), variances(&y));
    let covariance = z.tr_mul(&y) / free;
    let matrix = DMatrix::from_fn(z.ncols(), y.ncols(), |i, j| {
        if of_z[i] <= NO_VARIANCE || of_y[j] <= 0.0 {
            return 0.0;
        }
        (covariance[(i, j)] * covariance[(i, j)] / (of_z[i] * of_y[j])).min(1.0)
    });
    Sap::new(matrix, |j| of_y[j] > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> DMatrix<f64> {
        DMatrix::from_fn(64, 3, |i, j| if j < 2 { i >> (3 * j) & 7 } else { 3 } as f64)
    }

    #[test]
    fn copies_close_the_gap_and_constants_are_left_out() {
        let y = grid();
        let z = DMatrix::from_fn(64, 4, |i, j| if j < 3 { y[(i, j / 2)] } else { 0.1 });
        let sample = Sample::new(&z, &y).unwrap();
        let scores = sap_continuous(sample);
        assert!(scores.per_factor[0].abs() < 1e-12 && (scores.score - 0.5).abs() < 1e-12);
        let scores = sap_discrete(sample, sample, &SapOptions::default()).unwrap();
        assert!(scores.per_factor[0].abs() < 1e-12 && scores.per_factor[2].abs() < 1e-12);
        assert!((scores.score - scores.per_factor[1] / 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_single_latent_competes_with_nothing() {
        let y = grid().columns(0, 1).into_owned();
        let sample = Sample::new(&y, &y).unwrap();
        assert!((sap_continuous(sample).score - 1.0).abs() < 1e-12);
    }

    #[test]
    fn order_and_sign_of_latents_do_not_matter() {
        let y = grid();
        let z = DMatrix::from_fn(64, 2, |i, j| y[(i, j)] + ((i * 5) % 7) as f64 * 0.3);
        let flipped = DMatrix::from_fn(64, 2, |i, j| -z[(i, 1 - j)]);
        let [a, b] = [&z, &flipped].map(|z| {
            let sample = Sample::new(z, &y).unwrap();
            [
                sap_discrete(sample, sample, &SapOptions::default()).unwrap().score,
                sap_continuous(sample).score,
            ]
        });
        assert!((a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12);
    }
}
