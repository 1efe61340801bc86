//! Variables that are linear in the observations, though their noise is not.

use domino_dag::{LearnedGraph, PairRegression};
use domino_train::TrainContext;
use domino_vae::start::along_order;
use domino_vae::{Context, Ilcm, Mechanisms};

use super::levels::fit_observed;
use super::scales::least_squares;
use super::seen::STEADY;
use super::variables::{Codes, Whitened, linear_codes, new_models};
use super::{FitError, RecipeConfig, RegressionStage};

/// An explicit model: a linear encoder of causal variables, and mechanisms that bend.
pub(super) struct Straight {
    pub(super) model: Ilcm,
    /// The causal variables of the pairs that it was learned from.
    pub(super) variables: Codes,
    pub(super) mechanisms: Mechanisms,
    pub(super) graph: LearnedGraph,
}

/// An explicit model that takes over causal variables of the pairs, where a linear map of the features gives them as
/// well: the map is learned from the targets and the order, the graph and the mechanisms from what it gives.
///
/// `labels [n]` are the targets, 0 for none; `place` is the number of the only phase. Mechanisms of several components
/// are not fitted to variables, and keep the implicit model.
pub(super) fn straightened(
    (variables, labels): (&Codes, &[usize]),
    data: &Whitened,
    (learner, stage): (&PairRegression, &RegressionStage),
    place: u64,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Option<Straight>, FitError> {
    if stage.networks.components > 1 {
        return Ok(None);
    }
    let features = [&data.before, &data.after].map(|side| data.matrix(side));
    let start = least_squares(&features, [&variables.before, &variables.after]);
    let near = linear_codes(data, &start);
    let order = near.order(labels, learner)?;
    if near.unsteadiness(labels, &order) > STEADY {
        return Ok(None);
    }
    let sides = [&near.before, &near.after];
    let unmixing = start * along_order(sides, &near.rightly_named(labels), &order);
    let variables = linear_codes(data, &unmixing);
    let graph = variables.graph(labels, learner, context)?;
    let functions = fit_observed(&variables.before, &graph.dag, stage, place, context)?;
    let mechanisms = Mechanisms::new(functions, &graph.dag, Context::Causal);
    let model = new_models(&[unmixing], &config.model.networks, 0, context).silenced();
    Ok(Some(Straight { model, variables, mechanisms, graph }))
}
