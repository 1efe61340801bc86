//! The metrics of graphs and intervention targets, as parts of a table.

use domino_core::InterventionTarget;

use super::Better;
use super::context::{Context, latents_of};
use super::reason::Reason;
use super::registry::{Part, higher, lower, optional};
use crate::{
    Adjustment, CalibrationOptions, Digraph, MAX_EDIT_DIM, ShdConvention, TargetAccuracy,
    adjustment_distance, edge_prob_scores, edge_scores_of_digraphs, edit_distance, gcastle_rates,
    set_accuracy, shd_by_convention, target_accuracy, target_accuracy_under,
    unlabelled_edit_distance,
};

pub(super) fn targets(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (posterior, labels) = (context.posterior()?, context.labels()?);
    let factors = context.factors(latents_of(posterior));
    let rows = context.all_rows();
    let labels: Vec<usize> = rows.iter().map(|&row| labels[row]).collect();
    Ok(target_parts(&target_accuracy(&posterior.select_rows(&rows), &labels, factors)?))
}

/// Sets of targets, up to the order of the latents.
pub(super) fn target_sets(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (posterior, targets) = (context.set_posterior()?, context.targets()?);
    let factors = context.factors(posterior.ncols());
    let rows = context.all_rows();
    let targets: Vec<InterventionTarget> = rows.iter().map(|&row| targets[row].clone()).collect();
    let scores = set_accuracy(&posterior.select_rows(&rows), &targets, factors)?;
    Ok(vec![higher("exact", scores.exact), higher("per_variable", scores.per_variable)])
}

pub(super) fn targets_matched(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (posterior, labels) = (context.posterior()?, context.labels()?);
    context.variables()?;
    let matching = context.matching()?;
    let rows = context.all_rows();
    let labels: Vec<usize> = rows.iter().map(|&row| labels[row]).collect();
    let posterior = posterior.select_rows(&rows);
    Ok(target_parts(&target_accuracy_under(&matching, &posterior, &labels)?))
}

fn target_parts(scores: &TargetAccuracy) -> Vec<Part> {
    vec![
        higher("accuracy", scores.accuracy.score),
        higher("posterior", scores.posterior.score),
        higher("log_posterior", scores.log_posterior.score),
    ]
}

fn graphs(context: &mut Context<'_>) -> Result<[Digraph; 2], Reason> {
    Ok([context.true_graph()?.into(), context.predicted_graph()?])
}

fn count(n: usize) -> f64 {
    n as f64
}

pub(super) fn shd(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [truth, predicted] = graphs(context)?;
    let conventions = [
        ("reversal_once", ShdConvention::PairStatus),
        ("reversal_twice", ShdConvention::Hamming),
        ("enco", ShdConvention::Enco),
        ("gcastle", ShdConvention::Gcastle),
    ];
    let part = |(name, convention)| {
        Ok(lower(name, count(shd_by_convention(&truth, &predicted, convention)?)))
    };
    conventions.into_iter().map(part).collect()
}

pub(super) fn shd_classes(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (truth, predicted) = (context.true_graph()?, context.predicted_dag()?);
    Ok(vec![lower("count", count(crate::shd_of_classes(truth, &predicted)?))])
}

pub(super) fn edges(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [truth, predicted] = graphs(context)?;
    let scores = edge_scores_of_digraphs(&truth, &predicted)?;
    let none = "no true edge joins variables that the prediction joins";
    Ok(vec![
        higher("precision", scores.directed.precision),
        higher("recall", scores.directed.recall),
        higher("f1", scores.directed.f1),
        higher("skeleton_precision", scores.skeleton.precision),
        higher("skeleton_recall", scores.skeleton.recall),
        higher("skeleton_f1", scores.skeleton.f1),
        optional("orientation", scores.orientation, none),
    ])
}

pub(super) fn sid(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (truth, predicted) = (context.true_graph()?, context.predicted_dag()?);
    let wrong = crate::sid(truth, &predicted)?;
    let [ancestors, optimal] = [Adjustment::Ancestors, Adjustment::Optimal]
        .map(|adjustment| adjustment_distance(truth, &predicted, adjustment));
    Ok(vec![
        lower("count", count(wrong.count)),
        lower("share", wrong.share),
        lower("ancestor_aid", count(ancestors?.count)),
        lower("oset_aid", count(optimal?.count)),
    ])
}

pub(super) fn ged(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [truth, predicted] = graphs(context)?;
    let labelled = lower("labelled", count(edit_distance(&truth, &predicted)?));
    let unlabelled = if truth.dim() > MAX_EDIT_DIM {
        Err(Reason::Undefined("there are more than 10 variables: exact search takes too long"))
    } else {
        Ok(count(unlabelled_edit_distance(&truth, &predicted)?))
    };
    Ok(vec![labelled, Part { name: "unlabelled", better: Better::Lower, value: unlabelled }])
}

pub(super) fn edge_probs(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (truth, probs) = (context.true_graph()?.into(), context.edge_probs()?);
    let scores = edge_prob_scores(&truth, &probs)?;
    Ok(vec![
        optional("auroc", scores.auroc, "all edges exist, or none"),
        optional("average_precision", scores.average_precision, "no edge exists"),
        lower("brier", scores.brier),
    ])
}

pub(super) fn calibration(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let (truth, probs) = (context.true_graph()?.into(), context.edge_probs()?);
    let scores = crate::calibration(&[(&truth, &probs)], &CalibrationOptions::default())?;
    Ok(vec![
        lower("expected_error", scores.expected_error),
        lower("largest_error", scores.largest_error),
    ])
}

pub(super) fn gcastle(context: &mut Context<'_>) -> Result<Vec<Part>, Reason> {
    let [truth, predicted] = graphs(context)?;
    let rates = gcastle_rates(&truth, &predicted)?;
    Ok(vec![
        lower("false_discovery", rates.false_discovery),
        higher("true_positive", rates.true_positive),
        lower("false_positive", rates.false_positive),
        higher("gscore", rates.gscore),
    ])
}
