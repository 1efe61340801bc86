//! The metrics of latents against factors, as parts of a table.

use std::ops::Range;

use nalgebra::DMatrix;

use super::context::{Context, Part as Points, is_discrete};
use super::reason::Reason;
use super::registry::{Part, higher, lower, optional};
use crate::{
    Correlation, DciOptions, FactorKind, Factors, GbtOptions, KernelRidgeOptions, Mcc, Regressor,
    Sample,
};

/// Published numbers of points to fit and to score on.
pub(super) const FIT: [usize; 2] = [10_000, 5_000];
const KERNEL: [usize; 2] = [4_096, 4_096];

pub(super) fn samples(parts: &[Points; 2]) -> Result<[Sample<'_>; 2], Reason> {
    let [[z, y], [w, x]] = parts;
    Ok([Sample::new(z, y)?, Sample::new(w, x)?])
}

pub(super) fn dci(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let variables = context.variables()?;
    dci_of(context, variables)
}

pub(super) fn dci_noise(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let noises = context.noises()?;
    dci_of(context, noises)
}

fn dci_of(context: &mut Context<'_>, of: [&DMatrix<f64>; 2]) -> Result<Vec<Part>, Reason> {
    let parts = context.split(of, FIT)?;
    let [train, test] = samples(&parts)?;
    let options = DciOptions { threads: context.options.threads, ..DciOptions::default() };
    let scores = crate::dci(train, test, &options, &mut context.rng)?;
    Ok(vec![
        higher("disentanglement", scores.disentanglement.score),
        higher("completeness", scores.completeness.score),
        lower("squared_error", scores.informativeness_test.mean),
    ])
}

pub(super) fn mcc_pearson(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let variables = context.variables()?;
    Ok(mcc_parts(&mcc_of(context, variables, Correlation::Pearson)?))
}

pub(super) fn mcc_spearman(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let variables = context.variables()?;
    Ok(mcc_parts(&mcc_of(context, variables, Correlation::Spearman)?))
}

pub(super) fn mcc_noise(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let noises = context.noises()?;
    Ok(mcc_parts(&mcc_of(context, noises, Correlation::Pearson)?))
}

fn mcc_of(
    context: &mut Context<'_>,
    of: [&DMatrix<f64>; 2],
    correlation: Correlation,
) -> Result<Mcc, Reason> {
    let [z, y] = context.sample(of, usize::MAX);
    Ok(crate::mcc(Sample::new(&z, &y)?, correlation)?)
}

fn mcc_parts(scores: &Mcc) -> Vec<Part> {
    vec![higher("score", scores.score), higher("smallest", scores.smallest)]
}

pub(super) fn weak_mcc(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = context.split(context.variables()?, FIT)?;
    let [train, test] = samples(&parts)?;
    let scores = crate::weak_mcc(train, test)?;
    Ok(vec![higher("score", scores.score), higher("in_sample", scores.in_sample)])
}

pub(super) fn affine_mcc(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = context.split(context.variables()?, FIT)?;
    let [train, test] = samples(&parts)?;
    Ok(vec![higher("score", crate::affine_mcc(train, test)?.score)])
}

pub(super) fn r2_linear(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    r2_of(context, &Regressor::Linear)
}

pub(super) fn r2_kernel(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    r2_of(context, &Regressor::Kernel(KernelRidgeOptions::default()))
}

fn r2_of(context: &mut Context<'_>, regressor: &Regressor) -> Result<Vec<Part>, Reason> {
    let parts = context.split(context.variables()?, KERNEL)?;
    let [train, test] = samples(&parts)?;
    let scores = crate::r2(train, test, regressor)?;
    let least = scores.per_factor.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(vec![higher("score", scores.score), higher("smallest", least)])
}

pub(super) fn groups(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [z, y] = context.variables()?;
    let matching = context.matching()?;
    let parts = context.split([z, y], FIT)?;
    let [train, test] = samples(&parts)?;
    let groups: Vec<Vec<usize>> =
        (0..y.ncols()).map(|k| matching.latent_of(k).into_iter().collect()).collect();
    let kinds: Vec<FactorKind> = (0..y.ncols()).map(|k| kind(y, k)).collect();
    let about = Factors { kinds: &kinds, groups: &groups };
    let options = GbtOptions::default();
    let scores = crate::group_scores(train, test, &about, &options, &mut context.rng)?;
    let single = "there is one factor only";
    let (r2, spearman) = (scores.r2_summary, scores.spearman_summary);
    let mut parts = Vec::new();
    for (names, summary) in
        [(["r2_diag", "r2_sep"], r2), (["spearman_diag", "spearman_sep"], spearman)]
    {
        parts.push(optional(names[0], summary.map(|s| s.diag), single));
        let sep = optional(names[1], summary.and_then(|s| s.sep), single);
        parts.push(Part { better: super::Better::Lower, ..sep });
    }
    Ok(parts)
}

/// Classes from 0, or numbers.
fn kind(y: &DMatrix<f64>, column: usize) -> FactorKind {
    let Range { start, end } = y.column(column).min()..y.column(column).max();
    if is_discrete(y, column) && start >= 0.0 && end < 256.0 {
        return FactorKind::Categorical { values: end as usize + 1 };
    }
    // A constant has distance 0 whatever the range.
    let range = if end > start { end - start } else { 1.0 };
    FactorKind::Continuous { range }
}
