use serde::{Deserialize, Serialize};

use super::context::Context;
use super::reason::Reason;
use super::{discrete, graphs, latents};

/// Which values are the better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The larger.
    Higher,
    /// The smaller.
    Lower,
}

/// Whether a metric is computed unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Seconds at the published sizes.
    Low,
    /// Longer: only where it is named.
    High,
}

/// A metric that [`scorecard`](crate::scorecard) knows.
#[derive(Clone, Copy)]
pub struct MetricInfo {
    /// What it is asked for by.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Whether it is computed unasked.
    pub cost: Cost,
    pub(super) compute: Compute,
}

pub(super) type Compute = fn(&mut Context<'_>) -> Result<Vec<Part>, Reason>;

/// One value of a metric.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) better: Better,
    pub(super) value: Result<f64, Reason>,
}

pub(super) fn higher(name: &'static str, value: f64) -> Part {
    Part { name, better: Better::Higher, value: Ok(value) }
}

pub(super) fn lower(name: &'static str, value: f64) -> Part {
    Part { name, better: Better::Lower, value: Ok(value) }
}

/// A value that does not exist where `otherwise` says.
pub(super) fn optional(name: &'static str, value: Option<f64>, otherwise: &'static str) -> Part {
    let value = value.ok_or(Reason::Undefined(otherwise));
    Part { name, better: Better::Higher, value }
}

/// All metrics that a table may hold, in its order.
pub fn metrics() -> &'static [MetricInfo] {
    &METRICS
}

const fn low(name: &'static str, about: &'static str, compute: Compute) -> MetricInfo {
    MetricInfo { name, about, cost: Cost::Low, compute }
}

const fn high(name: &'static str, about: &'static str, compute: Compute) -> MetricInfo {
    MetricInfo { name, about, cost: Cost::High, compute }
}

const METRICS: [MetricInfo; 31] = [
    low("dci", "does each latent serve one factor and each factor one latent", latents::dci),
    low("dci_noise", "the same of noise encodings", latents::dci_noise),
    low("mcc", "correlation of factors with their best latents", latents::mcc_pearson),
    low("mcc_spearman", "the same on ranks", latents::mcc_spearman),
    low("mcc_noise", "correlation of noise encodings with their best codes", latents::mcc_noise),
    low("weak_mcc", "correlation up to a linear map of the latents", latents::weak_mcc),
    low("affine_mcc", "correlation of factors with affine predictions", latents::affine_mcc),
    low("r2", "variance of the factors that linear predictions explain", latents::r2_linear),
    high("r2_kernel", "the same with kernel ridge regression", latents::r2_kernel),
    high("groups", "factors predicted from the latents of each other", latents::groups),
    low("mig", "gap between the two most informative latents", discrete::mig),
    low("modularity", "does each latent inform of one factor", discrete::modularity),
    low("irs", "does each latent stay when other factors change", discrete::irs),
    low("sap", "gap between the two latents that separate classes best", discrete::sap),
    low("sap_continuous", "the same by squared correlation", discrete::sap_continuous),
    low("explicitness", "are classes linearly separable", discrete::explicitness),
    high("dci_classes", "dci with trees that classify", discrete::dci_classes),
    low("dci_lasso", "dci with sparse linear regression", discrete::dci_lasso),
    high("downstream", "accuracy of classes learned from latents", discrete::downstream),
    low("unsupervised", "dependence among latents, without the truth", discrete::unsupervised),
    low("targets", "inferred intervention targets, up to their order", graphs::targets),
    low("target_sets", "inferred sets of targets, up to their order", graphs::target_sets),
    low("targets_matched", "the same, in the order of the factors", graphs::targets_matched),
    low("shd", "edges to add, drop or flip", graphs::shd),
    low("shd_classes", "the same between equivalence classes", graphs::shd_classes),
    low("edges", "precision and recall of edges and their directions", graphs::edges),
    low("sid", "interventional distributions that the graph gets wrong", graphs::sid),
    low("ged", "edges to insert and delete", graphs::ged),
    low("edge_probs", "ranking and error of edge probabilities", graphs::edge_probs),
    low("calibration", "do edges exist as often as believed", graphs::calibration),
    low("gcastle", "edge rates as gcastle reports them", graphs::gcastle),
];
