use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::correlation::unit_ranks;
use crate::lasso::{Lasso, standardised};
use crate::sample::{check_dim, check_matrix};

/// The latents of one model at the points that all models share.
#[derive(Clone, Copy, Debug)]
pub struct ModelLatents<'a> {
    /// Means of the latents, `[n, D]`.
    pub latents: &'a DMatrix<f64>,
    /// Mean divergence of each latent's posterior from its prior, in nats, `[D]`.
    pub divergence: &'a [f64],
}

/// Which similarity of two latents of different models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Similarity {
    /// Absolute coefficient in a Lasso that predicts one model's latent from all of the other's.
    Lasso {
        /// Weight of the absolute values of the coefficients, at least 0.
        alpha: f64,
    },
    /// Absolute rank correlation, ties averaged.
    Spearman,
}

/// What becomes of latents that a model does not use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnusedLatents {
    /// They are left out of a comparison.
    #[default]
    Dropped,
    /// They stay in it, with similarity 0 to everything.
    Kept,
}

/// Options of [`udr`]; the defaults are those of `disentanglement_lib`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UdrOptions {
    /// Which similarity of two latents.
    pub similarity: Similarity,
    /// A latent is used if its divergence exceeds this, in nats.
    pub used_above: f64,
    /// What becomes of latents that are not used.
    pub unused: UnusedLatents,
}

impl Default for UdrOptions {
    fn default() -> Self {
        let similarity = Similarity::Lasso { alpha: 0.1 };
        Self { similarity, used_above: 0.01, unused: UnusedLatents::Dropped }
    }
}

/// Unsupervised disentanglement ranking of several models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Udr {
    /// Score of each model: the median of its column of `pairwise` without the diagonal, `[M]`.
    pub per_model: Vec<f64>,
    /// How far the latents of model `b`, predicted from those of model `a`, match one to one,
    /// `[M, M]`; 0 on the diagonal.
    #[serde(with = "crate::rows")]
    pub pairwise: DMatrix<f64>,
}

/// Unsupervised disentanglement ranking: the score of a model is the median over the other models of
/// `½ [mean_j (max_i C_ij)² / Σ_i C_ij + mean_i (max_j C_ij)² / Σ_j C_ij]`, where `C_ij` is the
/// similarity of their latent `i` to its latent `j` and `0 / 0` is 0.
///
/// Models that are disentangled are alike up to order and sign of latents, models that are not
/// differ each in its own way. At least 0, and with rank correlations at most 1; higher is better;
/// no factors are needed. Every model has latents `[n, D]` at the same points; those are
/// standardised, and unused ones set to 0. With Lasso an exact match scores `1 − α`.
///
/// Blind to what the latents mean: models that are all entangled in the same way score high.
///
/// ```
/// use domino_metrics::{ModelLatents, UdrOptions, udr};
/// use nalgebra::DMatrix;
///
/// let first = DMatrix::from_fn(64, 2, |i, j| (i >> (3 * j) & 7) as f64);
/// let second = DMatrix::from_fn(64, 2, |i, j| -first[(i, 1 - j)]);
/// let divergence = [2.0, 2.0];
/// let models = [&first, &second].map(|latents| ModelLatents { latents, divergence: &divergence });
/// let scores = udr(&models, &UdrOptions::default())?;
/// assert!((scores.per_model[0] - 0.9).abs() < 1e-9);
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Rows`] or [`MetricError::Dim`] if models differ in points, or divergences from
/// latents in number; [`MetricError::Empty`], [`MetricError::NotFinite`] for what is not a matrix of
/// finite numbers; [`MetricError::TooFew`] for fewer than two models; [`MetricError::Option`] for an
/// option outside its range.
///
/// Duan et al., *Unsupervised model selection for variational disentangled representation
/// learning*, ICLR 2020; constants of `disentanglement_lib`.
pub fn udr(models: &[ModelLatents<'_>], options: &UdrOptions) -> Result<Udr, MetricError> {
    check(models, options)?;
    let prepared: Vec<Prepared> = models.iter().map(|m| Prepared::new(m, options)).collect();
    let m = models.len();
    let mut pairwise = DMatrix::zeros(m, m);
    for (a, from) in prepared.iter().enumerate() {
        for (b, to) in prepared.iter().enumerate().filter(|&(b, _)| b != a) {
            let similarities = similarities(from, to, options.similarity);
            pairwise[(a, b)] = one_to_one(&kept(&similarities, from, to, options.unused));
        }
    }
    let score = |b: usize| median((0..m).filter(|&a| a != b).map(|a| pairwise[(a, b)]).collect());
    Ok(Udr { per_model: (0..m).map(score).collect(), pairwise })
}

/// Similarity of every latent of model `from` to every latent of model `to`, `[D, D']`.
///
/// # Errors
/// As [`udr`].
pub fn latent_similarity(
    from: ModelLatents<'_>,
    to: ModelLatents<'_>,
    options: &UdrOptions,
) -> Result<DMatrix<f64>, MetricError> {
    check(&[from, to], options)?;
    let [from, to] = [from, to].map(|m| Prepared::new(&m, options));
    Ok(similarities(&from, &to, options.similarity))
}

fn check(models: &[ModelLatents<'_>], options: &UdrOptions) -> Result<(), MetricError> {
    if let Similarity::Lasso { alpha } = options.similarity
        && !(alpha >= 0.0 && alpha.is_finite())
    {
        let (expected, value) = ("at least 0", alpha);
        return Err(MetricError::Option { name: "alpha", expected, value });
    }
    if models.len() < 2 {
        return Err(MetricError::TooFew { what: "models", least: 2, got: models.len() });
    }
    let expected = models[0].latents.nrows();
    for model in models {
        check_matrix("latents", model.latents)?;
        check_dim("divergence", model.latents.ncols(), model.divergence.len())?;
        let got = model.latents.nrows();
        if got != expected {
            return Err(MetricError::Rows { what: "latents", expected, got });
        }
        if let Some(col) = model.divergence.iter().position(|v| !v.is_finite()) {
            let value = model.divergence[col];
            return Err(MetricError::NotFinite { what: "divergence", row: 0, col, value });
        }
    }
    Ok(())
}

/// A model's latents as similarities need them.
struct Prepared {
    used: Vec<bool>,
    /// Standardised, or for rank correlations the ranks at length 1; 0 for unused latents.
    latents: DMatrix<f64>,
    /// `latentsᵀ latents / n`.
    gram: DMatrix<f64>,
}

impl Prepared {
    fn new(model: &ModelLatents<'_>, options: &UdrOptions) -> Self {
        let used: Vec<bool> = model.divergence.iter().map(|&d| d > options.used_above).collect();
        let mut latents = match options.similarity {
            Similarity::Lasso { .. } => standardised(model.latents, model.latents),
            Similarity::Spearman => unit_ranks(model.latents),
        };
        for (mut column, &used) in latents.column_iter_mut().zip(&used) {
            if !used {
                column.fill(0.0);
            }
        }
        let gram = latents.tr_mul(&latents) / latents.nrows() as f64;
        Self { used, latents, gram }
    }
}

fn similarities(from: &Prepared, to: &Prepared, similarity: Similarity) -> DMatrix<f64> {
    let Similarity::Lasso { alpha } = similarity else {
        return from.latents.tr_mul(&to.latents).abs();
    };
    let n = from.latents.nrows() as f64;
    let weights = |y: nalgebra::DVectorView<'_, f64>| {
        let (cross, square) = (from.latents.tr_mul(&y) / n, y.norm_squared() / n);
        Lasso { gram: &from.gram, cross, square, alpha }.solve()
    };
    let columns: Vec<DVector<f64>> = to.latents.column_iter().map(weights).collect();
    DMatrix::from_columns(&columns).abs()
}

fn kept(
    similarities: &DMatrix<f64>,
    from: &Prepared,
    to: &Prepared,
    unused: UnusedLatents,
) -> DMatrix<f64> {
    let chosen = |used: &[bool]| -> Vec<usize> {
        let keep = |&i: &usize| unused == UnusedLatents::Kept || used[i];
        (0..used.len()).filter(keep).collect()
    };
    similarities.select_rows(&chosen(&from.used)).select_columns(&chosen(&to.used))
}

/// How far a similarity matrix has one large entry in every row and column; 0 if it is empty.
fn one_to_one(similarities: &DMatrix<f64>) -> f64 {
    if similarities.is_empty() {
        return 0.0;
    }
    let part = |entries: &[f64]| {
        let (largest, sum) =
            (entries.iter().copied().fold(0.0, f64::max), entries.iter().sum::<f64>());
        if sum > 0.0 { largest * largest / sum } else { 0.0 }
    };
    let of_columns = |m: &DMatrix<f64>| {
        m.column_iter().map(|c| part(c.as_slice())).sum::<f64>() / m.ncols() as f64
    };
    f64::midpoint(of_columns(similarities), of_columns(&similarities.transpose()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    fn noise(seed: u64) -> DMatrix<f64> {
        let mut rng = Seed(seed).rng(Stream::Data);
        DMatrix::from_fn(200, 3, |_, _| rng.random::<f64>())
    }

    fn scores(models: &[DMatrix<f64>], divergence: [f64; 3], options: &UdrOptions) -> Udr {
        let models: Vec<_> = models
            .iter()
            .map(|latents| ModelLatents { latents, divergence: &divergence })
            .collect();
        udr(&models, options).unwrap()
    }

    fn spearman(unused: UnusedLatents) -> UdrOptions {
        UdrOptions { similarity: Similarity::Spearman, unused, ..Default::default() }
    }

    #[test]
    fn monotone_maps_order_and_unused_latents_do_not_matter_to_ranks() {
        let z = noise(0);
        let same = DMatrix::from_fn(200, 3, |i, j| -z[(i, [1, 0, 2][j])].powi(3));
        let options = spearman(UnusedLatents::Dropped);
        let pair = |a: &DMatrix<f64>, b: &DMatrix<f64>, options| {
            scores(&[a.clone(), b.clone()], [1.0, 1.0, 0.0], options).per_model[0]
        };
        let (with_itself, with_same) = (pair(&z, &z, &options), pair(&z, &same, &options));
        assert!((with_itself - with_same).abs() < 1e-12 && with_same > 0.8);
        assert!(pair(&z, &noise(1), &options) < 0.3);
        // An unused latent that is kept has no match.
        let kept = pair(&z, &same, &spearman(UnusedLatents::Kept));
        assert!((kept - 2.0 / 3.0 * with_same).abs() < 1e-12);
    }

    #[test]
    fn models_without_a_used_latent_score_zero() {
        let z = noise(0);
        let scores = scores(&[z.clone(), z], [0.0; 3], &UdrOptions::default());
        assert!(scores.per_model.iter().all(|&s| s <= 0.0));
    }

    #[test]
    fn misfits_are_named() {
        let z = noise(0);
        let model = ModelLatents { latents: &z, divergence: &[1.0, 2.0] };
        let text = |models: &[ModelLatents<'_>]| {
            udr(models, &UdrOptions::default()).unwrap_err().to_string()
        };
        assert_eq!(text(&[model, model]), "divergence: expected 3 variables, got 2");
        assert_eq!(text(&[model]), "models: expected at least 2, got 1");
    }
}
