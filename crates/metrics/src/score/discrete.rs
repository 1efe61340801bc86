//! The metrics of discrete factors and of latents alone, as parts of a table.

use nalgebra::DMatrix;

use super::Better;
use super::context::{Context, Part as Points, is_discrete};
use super::latents::{FIT, samples};
use super::reason::Reason;
use super::registry::{Part, higher, lower, optional};
use crate::{
    BinOptions, DciClassifierOptions, DciLassoOptions, DownstreamOptions, FactorValues, IrsOptions,
    LogisticOptions, Sample, SapOptions,
};

/// Published number of points where nothing is fitted.
const POINTS: usize = 10_000;

/// Latents and factors, continuous factors replaced by the numbers of their bins.
fn discrete_variables(context: &mut Context<'_>) -> Result<Points, Reason> {
    let [z, y] = context.variables()?;
    let bins = context.options.bins;
    let mut discrete = y.clone();
    for (j, mut column) in discrete.column_iter_mut().enumerate() {
        if !is_discrete(y, j) {
            let (low, high) = (column.min(), column.max());
            column.apply(|v| *v = bin(*v, low, high, bins));
            context.notes.insert(format!("continuous factors in {bins} bins"));
        }
    }
    Ok([z.clone(), discrete])
}

fn discrete_sample(context: &mut Context<'_>) -> Result<Points, Reason> {
    let [z, y] = discrete_variables(context)?;
    Ok(context.sample([&z, &y], POINTS))
}

fn discrete_split(context: &mut Context<'_>) -> Result<[Points; 2], Reason> {
    let [z, y] = discrete_variables(context)?;
    context.split([&z, &y], FIT)
}

/// The bin of a value among bins of equal width from 0; the largest value is in the last one.
fn bin(value: f64, low: f64, high: f64, bins: usize) -> f64 {
    if high <= low {
        return 0.0;
    }
    let edge = |k: usize| low + (high - low) * k as f64 / bins as f64;
    (1..bins).filter(|&k| edge(k) <= value).count() as f64
}

pub(super) fn mig(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [z, y] = discrete_sample(context)?;
    let options = BinOptions { bins: context.options.bins, factors: FactorValues::Discrete };
    Ok(vec![higher("score", crate::mig(Sample::new(&z, &y)?, &options)?.score)])
}

pub(super) fn modularity(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [z, y] = discrete_sample(context)?;
    let options = BinOptions { bins: context.options.bins, factors: FactorValues::Discrete };
    Ok(vec![higher("score", crate::modularity(Sample::new(&z, &y)?, &options)?.score)])
}

pub(super) fn irs(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [z, y] = discrete_sample(context)?;
    let options = IrsOptions { bins: context.options.bins, ..IrsOptions::default() };
    Ok(vec![higher("score", crate::irs(Sample::new(&z, &y)?, &options)?.score)])
}

pub(super) fn sap(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = discrete_split(context)?;
    let [train, test] = samples(&parts)?;
    let scores = crate::sap_discrete(train, test, &SapOptions::default())?;
    Ok(vec![higher("score", scores.score)])
}

pub(super) fn sap_continuous(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [z, y] = context.sample(context.variables()?, POINTS);
    Ok(vec![higher("score", crate::sap_continuous(Sample::new(&z, &y)?).score)])
}

pub(super) fn explicitness(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = discrete_split(context)?;
    let [train, test] = samples(&parts)?;
    let scores = crate::explicitness(train, test, &LogisticOptions::default())?;
    Ok(vec![higher("score", scores.test.score)])
}

pub(super) fn dci_classes(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = discrete_split(context)?;
    let [train, test] = samples(&parts)?;
    let threads = context.options.threads;
    let options = DciClassifierOptions { threads, ..DciClassifierOptions::default() };
    let scores = crate::dci_classifier(train, test, &options, &mut context.rng)?;
    Ok(vec![
        higher("disentanglement", scores.disentanglement.score),
        higher("completeness", scores.completeness.score),
        higher("accuracy", scores.informativeness_test.mean),
    ])
}

pub(super) fn dci_lasso(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = context.split(context.variables()?, FIT)?;
    let [train, test] = samples(&parts)?;
    let scores = crate::dci_lasso(train, test, &DciLassoOptions::default())?;
    Ok(vec![
        higher("disentanglement", scores.disentanglement.score),
        higher("completeness", scores.completeness.score),
        lower("relative_error", scores.informativeness.mean),
    ])
}

pub(super) fn downstream(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let parts = discrete_split(context)?;
    let [train, test] = samples(&parts)?;
    let threads = context.options.threads;
    let options = DownstreamOptions { threads, ..DownstreamOptions::default() };
    let scores = crate::downstream(train, test, &options, &mut context.rng)?;
    let most = scores.sizes.last().map(|size| &size.test);
    let none = "there is no size to learn from";
    Ok(vec![
        optional("accuracy", most.map(|accuracy| accuracy.mean), none),
        optional("least_accuracy", most.map(|accuracy| accuracy.min), none),
        higher("sample_efficiency", scores.sample_efficiency),
    ])
}

pub(super) fn unsupervised(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let said = context.said.latents.or(context.said.latents_after);
    let latents = said.ok_or(Reason::prediction_lacks("latents"))?;
    let [z, _] = context.sample([latents, &DMatrix::zeros(latents.nrows(), 0)], POINTS);
    let scores = crate::unsupervised(&z, context.options.bins)?;
    let dependent = "one latent is an affine function of others";
    let total = optional("total_correlation", scores.total_correlation, dependent);
    Ok(vec![
        Part { better: Better::Lower, ..total },
        lower("wasserstein", scores.wasserstein_correlation),
        lower("wasserstein_normalised", scores.wasserstein_correlation_normalised),
        lower("mutual_information", scores.mutual_information),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_of_the_histogram() {
        let bins: Vec<f64> = [0.0, 0.49, 0.5, 0.99, 1.0].map(|v| bin(v, 0.0, 1.0, 2)).to_vec();
        assert!(bins.iter().zip([0.0, 0.0, 1.0, 1.0, 1.0]).all(|(a, b)| (a - b).abs() <= 0.0));
        assert!(bin(3.0, 3.0, 3.0, 20).abs() <= 0.0);
    }
}
