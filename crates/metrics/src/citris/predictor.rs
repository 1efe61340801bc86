use nalgebra::DMatrix;
use rand::Rng;

use super::distance::FactorKind;
use super::scores::{GroupScores, PredictedFactor, score_predictions};
use crate::sample::check_dim;
use crate::{Columns, Gbt, GbtOptions, MetricError, Sample};

/// What the columns of the factors are, and which latents stand for each.
#[derive(Clone, Copy, Debug)]
pub struct Factors<'a> {
    /// The kind of each factor, `[K]`.
    pub kinds: &'a [FactorKind],
    /// The latents of each group, in the order of the factors; a further group may hold those that
    /// stand for none, and a group may be empty.
    pub groups: &'a [Vec<usize>],
}

/// R² and Spearman matrices of factors predicted from latent groups, fitted on `train` and scored on
/// `test`; halves of one set in the publication.
///
/// Each group predicts each factor by boosted regression trees ([`Gbt`]) on the latents of the group
/// alone, one ensemble per output: the value, sine and cosine, or each class. The publication trains
/// one small network on masked latents instead; trees need no tuning, no scaling of the latents and
/// no tensor library, and are as able to follow any relation of a few latents. A published number is
/// reproduced by giving the predictions of such a network to
/// [`score_predictions`]. An empty group predicts the mean.
///
/// ```
/// use domino_core::{Seed, Stream};
/// use domino_metrics::{FactorKind, Factors, GbtOptions, Sample, group_scores};
/// use nalgebra::DMatrix;
///
/// let factors = DMatrix::from_fn(200, 2, |i, j| if j == 0 { i % 20 } else { i / 20 } as f64);
/// let latents = factors.map(|y| 1.0 - y);
/// let sample = Sample::new(&latents, &factors)?;
/// let kinds = [FactorKind::Continuous { range: 19.0 }, FactorKind::Categorical { values: 10 }];
/// let about = Factors { kinds: &kinds, groups: &[vec![0], vec![1]] };
/// let rng = &mut Seed(0).rng(Stream::Eval);
/// let scores = group_scores(sample, sample, &about, &GbtOptions::default(), rng)?;
/// assert!(scores.r2_summary.is_some_and(|r2| r2.diag > 0.99));
/// # Ok::<(), domino_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Dim`] if the samples differ in latents or factors, if there are more or fewer
/// kinds than factors, or if a group names a latent that does not exist; else as
/// [`score_predictions`].
///
/// Lippe et al., *CITRIS*, ICML 2022, appendix C.
pub fn group_scores(
    train: Sample<'_>,
    test: Sample<'_>,
    factors: &Factors<'_>,
    options: &GbtOptions,
    rng: &mut dyn Rng,
) -> Result<GroupScores, MetricError> {
    train.check_same_columns(&test)?;
    check_dim("kinds", train.factors().ncols(), factors.kinds.len())?;
    let mut predictions = vec![Vec::new(); factors.kinds.len()];
    for group in factors.groups {
        let latents = train.latents().ncols();
        if let Some(&latent) = group.iter().find(|&&latent| latent >= latents) {
            return Err(MetricError::Dim { what: "group", expected: latent + 1, got: latents });
        }
        let columns = group_columns(train, test, group)?;
        for (j, &kind) in factors.kinds.iter().enumerate() {
            let truth = column(train.factors(), j);
            kind.check(&truth)?;
            let points = test.latents().nrows();
            let predicted = predict(kind, &truth, columns.as_ref(), points, (options, &mut *rng))?;
            predictions[j].push(predicted);
        }
    }
    let truths: Vec<Vec<f64>> =
        (0..factors.kinds.len()).map(|j| column(test.factors(), j)).collect();
    let scored: Vec<_> = truths
        .iter()
        .zip(&predictions)
        .zip(factors.kinds)
        .map(|((truth, by_group), &kind)| PredictedFactor { kind, truth, by_group })
        .collect();
    score_predictions(&scored)
}

/// The latents of a group on both samples; nothing for an empty group.
fn group_columns(
    train: Sample<'_>,
    test: Sample<'_>,
    group: &[usize],
) -> Result<Option<[Columns; 2]>, MetricError> {
    if group.is_empty() {
        return Ok(None);
    }
    let columns = |sample: Sample<'_>| Columns::new(&sample.latents().select_columns(group));
    Ok(Some([columns(train)?, columns(test)?]))
}

/// Predictions `[points, width]` of one factor from one group.
fn predict(
    kind: FactorKind,
    truth: &[f64],
    columns: Option<&[Columns; 2]>,
    points: usize,
    (options, rng): (&GbtOptions, &mut dyn Rng),
) -> Result<DMatrix<f64>, MetricError> {
    let mut predicted = DMatrix::zeros(points, kind.width());
    for output in 0..kind.width() {
        let targets: Vec<f64> = truth.iter().map(|&y| kind.encode(y)[output]).collect();
        let values = match columns {
            Some([train, test]) => Gbt::fit(train, &targets, options, rng)?.predict(test)?,
            None => vec![targets.iter().sum::<f64>() / targets.len() as f64; points],
        };
        predicted.set_column(output, &nalgebra::DVector::from_vec(values));
    }
    Ok(predicted)
}

fn column(m: &DMatrix<f64>, j: usize) -> Vec<f64> {
    m.column(j).iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    #[test]
    fn each_group_predicts_its_factor_and_no_other() {
        let mut rng = Seed(2).rng(Stream::Data);
        let factors = DMatrix::from_fn(600, 3, |_, j| match j {
            0 => rng.random::<f64>(),
            1 => rng.random::<f64>() * std::f64::consts::TAU,
            _ => f64::from(rng.random_range(0..3)),
        });
        // The angle takes two latents; the last group is empty.
        let latents = DMatrix::from_fn(600, 4, |i, j| match j {
            0 => factors[(i, 0)].exp(),
            1 => factors[(i, 1)].sin(),
            2 => factors[(i, 1)].cos(),
            _ => -factors[(i, 2)],
        });
        let half = |m: &DMatrix<f64>, from| m.rows(from, 300).into_owned();
        let parts = [0, 300].map(|from| [half(&latents, from), half(&factors, from)]);
        let [train, test] = [&parts[0], &parts[1]].map(|[z, y]| Sample::new(z, y).unwrap());
        let kinds = [
            FactorKind::Continuous { range: 1.0 },
            FactorKind::Angle,
            FactorKind::Categorical { values: 3 },
        ];
        let groups = [vec![0], vec![1, 2], vec![3], vec![]];
        let about = Factors { kinds: &kinds, groups: &groups };
        let options = GbtOptions { stages: 50, ..GbtOptions::default() };
        let scores =
            group_scores(train, test, &about, &options, &mut Seed(0).rng(Stream::Eval)).unwrap();
        for summary in [scores.r2_summary.unwrap(), scores.spearman_summary.unwrap()] {
            assert!(summary.diag > 0.97 && summary.sep.unwrap() < 0.2, "{summary:?}");
        }
        assert!(scores.r2.row(3).iter().all(|r2| r2.abs() < 0.1));
        assert!(scores.spearman.row(3).iter().all(|s| s.abs() <= 0.0));
    }
}
