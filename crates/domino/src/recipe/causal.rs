//! Targets, graph and mechanisms of codes that are learned.

use burn::module::Module;
use domino_core::{InterventionTarget, Stream};
use domino_dag::{
    Chains, LearnedGraph, Mechanisms as Form, PairCodes, PairRegression, StructureLearner,
};
use domino_model::{download, upload};
use domino_train::TrainContext;
use domino_vae::{ChangePosterior, Context, Mechanisms, SetPosterior, TargetInference};
use nalgebra::DMatrix;

use super::levels::fit_mechanisms;
use super::scales::Features;
use super::seen::STEADY;
use super::several::learn_chains;
use super::straight::{Straight, straightened};
use super::variables::{Codes, Variables, encode, mechanisms_of};
use super::{
    AtOnce, FitError, GraphStage, MechanismStage, RecipeConfig, RegressionStage, VariableStage,
};
use crate::diagnose::Separation;

/// What is learned of the causal model of given codes.
pub(super) struct Causal {
    /// The causal variables of the pairs, where these are what encoder and decoder deal in.
    pub(super) variables: Option<Codes>,
    /// The noise of the pairs.
    pub(super) noise: Codes,
    pub(super) targets: TargetInference,
    pub(super) mechanisms: Mechanisms,
    pub(super) graph: LearnedGraph,
    /// Whether a linear map of the features is known to separate the variables.
    pub(super) separation: Separation,
}

/// Targets, graph and mechanisms; the model that is kept becomes an explicit one where that is worth while.
pub(super) fn causal_model(
    variables: &mut Variables,
    features: &Features,
    config: &RecipeConfig,
    context: &mut TrainContext<'_>,
) -> Result<Causal, FitError> {
    let data = &features.train_on;
    let codes = encode(&variables.model, data, &context.device);
    if let Some(graph) = variables.prior.take() {
        let mechanisms = mechanisms_of(&variables.model, &graph.dag);
        let along = (mechanisms, graph);
        return Ok(Causal::explicit(codes, along, Separation::Unknown, config, context));
    }
    let targets = target_inference(&codes.changes(), config);
    let (single, labels, mut graph) =
        learn_graph(variables, codes.clone(), &targets, config, context)?;
    let known = Known { variables, codes: &single, labels: &labels };
    let mut mechanisms = known.mechanisms(&graph, config, variables.phases, context)?;
    if let Some(stages) = second_look(variables, config) {
        let seen = single.solved(&mechanisms, &context.device);
        let place = variables.phases + graph.dag.levels().len() as u64;
        let straight = straightened((&seen, &labels), data, stages, place, config, context)?;
        if let Some(Straight { model, variables: z, mechanisms, graph }) = straight {
            let held_out = encode(&model, &features.judge_on, &context.device);
            let held_out = held_out.abducted(&mechanisms, &context.device);
            // The kept one is what it has become.
            variables.candidates[variables.kept] = held_out.judged();
            variables.model = model;
            let along = (mechanisms, graph);
            return Ok(Causal::explicit(z, along, Separation::Linear, config, context));
        }
        if seen.unsteadiness(&labels, &graph.order) <= STEADY {
            graph = seen.graph(&labels, stages.0, context)?;
            mechanisms = known.mechanisms(&graph, config, place, context)?;
        }
    }
    let separation = if variables.linear { Separation::Linear } else { Separation::Unknown };
    Ok(Causal { variables: None, noise: codes, targets, mechanisms, graph, separation })
}

/// What learns more from the causal variables that mechanisms along a graph from the codes give: a code shows its causes
/// in the pairs alone that set it, and a variable in all.
///
/// Codes that a linear map gives need no second look, and of pictures it has not been tried.
fn second_look<'a>(
    variables: &Variables,
    config: &'a RecipeConfig,
) -> Option<(&'a PairRegression, &'a RegressionStage)> {
    match (&config.graph, &config.mechanisms, &config.variables) {
        (GraphStage::Pairs(learner), MechanismStage::Regression(stage), VariableStage::Thin(_))
            if !variables.linear =>
        {
            Some((learner, stage))
        }
        _ => None,
    }
}

impl Causal {
    /// Of causal variables that an encoder gives, and mechanisms along their graph.
    fn explicit(
        variables: Codes,
        (mechanisms, graph): (Mechanisms, LearnedGraph),
        separation: Separation,
        config: &RecipeConfig,
        context: &TrainContext<'_>,
    ) -> Self {
        let noise = variables.abducted(&mechanisms, &context.device);
        let targets = target_inference(&noise.changes(), config);
        Self { variables: Some(variables), noise, targets, mechanisms, graph, separation }
    }
}

/// How targets are told by changes `[n, d]` of the codes.
fn target_inference(changes: &DMatrix<f64>, config: &RecipeConfig) -> TargetInference {
    match (&config.variables, config.model.targets) {
        (VariableStage::Elbo(_), _) => TargetInference::Heuristic,
        (_, AtOnce::One) => TargetInference::Calibrated(ChangePosterior::fit(changes)),
        (_, AtOnce::Several) => TargetInference::Sets(SetPosterior::fit(changes)),
    }
}

/// What is known once variables and targets are learned.
struct Known<'a> {
    variables: &'a Variables,
    /// Codes of pairs of one target each, `[links, d]`.
    codes: &'a Codes,
    /// The targets, `[links]`, 0 for none.
    labels: &'a [usize],
}

impl Known<'_> {
    /// The mechanisms along a graph; `place` is the number of their first phase.
    fn mechanisms(
        &self,
        graph: &LearnedGraph,
        config: &RecipeConfig,
        place: u64,
        context: &mut TrainContext<'_>,
    ) -> Result<Mechanisms, FitError> {
        let Self { variables, codes, labels } = self;
        match &config.mechanisms {
            MechanismStage::Regression(stage) => {
                // Noise that is linear in what is seen leaves mechanisms no room to bend.
                let form = if variables.linear { Form::Linear } else { Form::Any };
                let along = (&graph.dag, form);
                fit_mechanisms(codes, labels, along, stage, place, context)
            }
            MechanismStage::Joint => {
                let functions = variables.model.solution_functions().clone();
                Ok(Mechanisms::new(functions, &graph.dag, Context::Noise))
            }
            MechanismStage::Identity => {
                Ok(Mechanisms::identity(config.model.d, &context.device.clone().inner()))
            }
        }
    }
}

/// The graph, with the codes and targets of pairs of one target each, which mechanisms are learned from.
fn learn_graph(
    variables: &Variables,
    codes: Codes,
    targets: &TargetInference,
    config: &RecipeConfig,
    context: &TrainContext<'_>,
) -> Result<(Codes, Vec<usize>, LearnedGraph), FitError> {
    let GraphStage::Pairs(learner) = &config.graph else {
        unreachable!("validated: an explicit model brings its graph")
    };
    let changes = codes.changes();
    let probs = match targets {
        TargetInference::Calibrated(posterior) => posterior.log_probs(&changes).map(f64::exp),
        TargetInference::Heuristic => {
            let device = context.device.clone().inner();
            download(variables.model.clone().valid().posterior(upload(&changes, &device)))
        }
        TargetInference::Sets(posterior) => {
            let sets = InterventionTarget::most_probable(&posterior.probs(&changes));
            let (Chains { before, after, labels, .. }, graph) =
                learn_chains(&codes, &sets, learner, context)?;
            return Ok((Codes { before, after }, labels, graph));
        }
    };
    let labels = probs.row_iter().map(|row| row.transpose().argmax().0).collect();
    let pairs = PairCodes::new(codes.before.clone(), codes.after.clone(), probs)?;
    let mut rng = context.seed.rng_at(Stream::Eval, 1);
    Ok((codes, labels, learner.learn(&pairs, &mut rng)?))
}
