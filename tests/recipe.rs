//! The default recipe, on worlds small enough for a test.

use domino::data::interventions::{InterventionConfig, TargetLaw};
use domino::data::scaling::{GraphConfig, MechanismConfig, MixingConfig, MlpConfig};
use domino::metrics::set_accuracy;
use domino::model::laws::assert_scm_laws;
use domino::prelude::*;
use domino::recipe::{Diagnosis, ThinStage, VariableStage};
use domino::vae::Latents;
use nalgebra::DMatrix;

struct Trial {
    world: World,
    fit: Fit,
    mcc: f64,
    smallest: f64,
    distance: usize,
}

fn fitted(world: ScalingConfig, config: &RecipeConfig, pairs: usize, seed: u64) -> Trial {
    let d = world.d;
    let world = World::draw(&world).unwrap();
    let (train, _) = world.sample(pairs, Split::Train).unwrap();
    let (held_out, truth) = world.sample(2000, Split::Test).unwrap();
    let mut config = config.clone();
    config.model.d = d;
    let fit = crate::fit(&train, &held_out, &config, seed).unwrap();
    let found = recipe::embed(&fit.model, &held_out).unwrap();
    let z = truth.z_before.unwrap();
    let score = mcc(Sample::new(&found.z_before, &z).unwrap(), Correlation::Pearson).unwrap();
    let learned = score.matching.relabel(&fit.graph.dag).unwrap();
    let distance = shd(world.dag(), &learned, Reversal::Once).unwrap();
    Trial { world, fit, mcc: score.score, smallest: score.smallest, distance }
}

#[test]
fn linear_worlds_are_solved_on_every_seed() {
    for seed in 0..6 {
        let config = ScalingConfig { seed, d: 8, ..ScalingConfig::default() };
        let trial = fitted(config, &RecipeConfig::default(), 20_000, seed);
        assert!(trial.fit.diagnosis.linear, "seed {seed}");
        assert!(trial.mcc > 0.99 && trial.smallest > 0.99, "seed {seed}: {}", trial.mcc);
        assert!(trial.distance <= 1, "seed {seed}: distance {}", trial.distance);
    }
}

#[test]
fn one_variable_is_enough() {
    let config = ScalingConfig { seed: 1, d: 1, ..ScalingConfig::default() };
    let trial = fitted(config, &RecipeConfig::default(), 2000, 1);
    assert!(trial.smallest > 0.999);
    assert_eq!(trial.distance, 0);
}

#[test]
fn linear_worlds_are_known_as_such_under_noise() {
    for observation_noise in [0.05, 0.1] {
        let config = ScalingConfig { seed: 5, d: 4, observation_noise, ..ScalingConfig::default() };
        let trial = fitted(config, &RecipeConfig::default(), 20_000, 5);
        assert!(trial.fit.diagnosis.linear, "noise {observation_noise}");
        assert!(trial.smallest > 0.98, "noise {observation_noise}: {}", trial.smallest);
        assert_eq!(trial.distance, 0, "noise {observation_noise}");
    }
}

/// One model, trained for a fifth of the usual steps.
fn short() -> RecipeConfig {
    let mut config = RecipeConfig::default();
    config.model.replicas = 1;
    let stage = stage(&mut config);
    (stage.flow.replicas, stage.flow.rounds) = (1, 1);
    (stage.phase.steps, stage.flow.phase.steps) = (1200, 600);
    stage.flow.decoding.steps = 400;
    config
}

fn stage(config: &mut RecipeConfig) -> &mut ThinStage {
    match &mut config.variables {
        VariableStage::Thin(stage) => stage,
        _ => unreachable!("the default"),
    }
}

#[test]
fn an_explicit_model_takes_over_where_only_mechanisms_bend() {
    let mechanisms = MechanismConfig::Mlp(MlpConfig::default());
    let world = ScalingConfig { seed: 5, d: 4, mechanisms, ..ScalingConfig::default() };
    let mut config = short();
    config.model.d = 4;
    let trial = fitted(world, &config, 20_000, 0);
    assert!(!trial.fit.diagnosis.linear);
    assert_eq!(trial.fit.model.encodes(), Latents::Causal);
    assert!(trial.smallest > 0.998, "{}", trial.smallest);
    assert_eq!(trial.distance, 0, "{:?} against {:?}", trial.fit.graph.dag, trial.world.dag());
    let Diagnosis { reconstruction_error, unforeseen, .. } = &trial.fit.diagnosis;
    assert!(*reconstruction_error < 1e-9, "a linear encoder loses nothing");
    assert!(unforeseen.iter().all(|share| *share < 0.05), "{unforeseen:?}");
    assert_scm_laws(&trial.fit.model, 2e-3);
    assert_survives_saving(&trial, &config);
}

#[test]
fn a_bent_chain_is_learned_with_a_short_schedule() {
    let world = ScalingConfig {
        seed: 3,
        d: 3,
        graph: GraphConfig::Chain,
        mixing: MixingConfig::LeakyRelu(domino::data::scaling::LeakyReluConfig::default()),
        ..ScalingConfig::default()
    };
    for exact in [true, false] {
        let mut config = short();
        stage(&mut config).exact = exact;
        let trial = fitted(world.clone(), &config, 10_000, 0);
        let Diagnosis { linear, reconstruction_error, .. } = trial.fit.diagnosis;
        assert!(!linear);
        assert_eq!(trial.fit.model.encodes(), Latents::Noise);
        assert!(trial.mcc > 0.97, "exact {exact}: mcc {}", trial.mcc);
        assert_eq!(trial.distance, 0, "{:?} against {:?}", trial.fit.graph.dag, trial.world.dag());
        assert!(reconstruction_error < 0.02, "exact {exact}: {reconstruction_error}");
        assert_scm_laws(&trial.fit.model, 2e-3);
    }
}

#[test]
fn models_are_trained_until_two_agree() {
    let world = ScalingConfig {
        seed: 3,
        d: 3,
        mixing: MixingConfig::LeakyRelu(domino::data::scaling::LeakyReluConfig::default()),
        ..ScalingConfig::default()
    };
    let mut config = short();
    let trained = |config: &RecipeConfig| {
        fitted(world.clone(), config, 5000, 0).fit.diagnosis.candidates.len()
    };
    assert_eq!(trained(&config), 1);
    stage(&mut config).flow.rounds = 4;
    assert_eq!(trained(&config), 2, "the second confirms the first");
    stage(&mut config).flow.phase.steps = 1;
    assert_eq!(trained(&config), 4, "models that learn nothing do not agree");
}

/// A fit that was saved and loaded says the same of other pairs.
fn assert_survives_saving(trial: &Trial, config: &RecipeConfig) {
    let folder = tempfile::tempdir().unwrap();
    recipe::save(folder.path(), &trial.fit, config).unwrap();
    let loaded = recipe::load(folder.path(), &cpu()).unwrap();
    let (pairs, _) = trial.world.sample(100, Split::Validation).unwrap();
    let before = recipe::embed(&trial.fit.model, &pairs).unwrap();
    assert_eq!(recipe::embed(&loaded.model, &pairs).unwrap(), before);
}

#[test]
fn a_saved_fit_answers_as_before() {
    let config = ScalingConfig { seed: 1, d: 3, ..ScalingConfig::default() };
    let recipe_config = RecipeConfig {
        model: recipe::ModelConfig { d: 3, ..recipe::ModelConfig::default() },
        ..RecipeConfig::default()
    };
    let trial = fitted(config, &recipe_config, 5000, 0);
    assert_survives_saving(&trial, &recipe_config);

    let folder = tempfile::tempdir().unwrap();
    let missing = recipe::load(&folder.path().join("nowhere"), &cpu()).unwrap_err();
    assert!(missing.to_string().contains("model.json"), "{missing}");
}

/// A short run of an explicit model, whose graph and mechanisms are trained along.
fn explicit() -> RecipeConfig {
    let mut stage = recipe::ExplicitStage::default();
    stage.phase.steps = 300;
    let mut config = RecipeConfig {
        variables: VariableStage::Explicit(stage),
        graph: recipe::GraphStage::Prior,
        mechanisms: recipe::MechanismStage::Joint,
        ..RecipeConfig::default()
    };
    config.model.d = 3;
    config.model.networks.solution.initial_log_scale = 0.0;
    config
}

#[test]
fn an_explicit_model_obeys_the_laws_and_survives_saving() {
    let world = ScalingConfig { seed: 3, d: 3, ..ScalingConfig::default() };
    let config = explicit();
    let trial = fitted(world, &config, 5000, 0);
    assert_scm_laws(&trial.fit.model, 2e-3);
    assert_survives_saving(&trial, &config);
    // What it encodes, it decodes again.
    assert!(trial.fit.diagnosis.reconstruction_error < 0.1);
}

#[test]
fn parts_of_an_explicit_model_belong_together() {
    let whole = explicit();
    assert!(whole.validate().is_ok());
    let parts = [
        RecipeConfig { graph: recipe::GraphStage::default(), ..whole.clone() },
        RecipeConfig { mechanisms: recipe::MechanismStage::default(), ..whole.clone() },
        RecipeConfig { variables: VariableStage::default(), ..whole },
    ];
    for part in parts {
        assert!(part.validate().is_err(), "{part:?}");
    }
}

#[test]
fn the_truth_is_a_ceiling_and_has_to_be_given() {
    let world = World::draw(&ScalingConfig { seed: 3, d: 3, ..ScalingConfig::default() }).unwrap();
    let (train, truth) = world.sample(5000, Split::Train).unwrap();
    let (held_out, shown) = world.sample(1000, Split::Test).unwrap();
    let noise = [truth.e_before.unwrap(), truth.e_after.unwrap()];
    let phase = domino::train::PhaseConfig { steps: 200, ..Default::default() };
    let mut config =
        RecipeConfig { variables: VariableStage::Supervised(phase), ..RecipeConfig::default() };
    config.model.d = 3;
    let error = crate::fit(&train, &held_out, &config, 0).unwrap_err();
    assert!(error.to_string().starts_with("variables.supervised: expected"), "{error}");

    let supervised = |noise: [&DMatrix<f64>; 2]| {
        crate::alone(0, |context| {
            recipe::fit_supervised(&train, noise, &held_out, &config, context)
        })
    };
    let fit = supervised(noise.each_ref()).unwrap();
    let found = recipe::embed(&fit.model, &held_out).unwrap();
    let close = (found.e_before - shown.e_before.unwrap()).norm_squared() / 3000.0;
    assert!(close < 0.01, "noise in the order and on the scale of the truth: error {close}");
    assert_eq!(fit.graph.dag, *world.dag());

    let half = noise.each_ref().map(|side| side.rows(0, 2500).into_owned());
    let error = supervised(half.each_ref());
    assert!(error.unwrap_err().to_string().contains("as many rows"));
}

#[test]
fn flat_data_is_refused_with_what_is_missing() {
    let data = Observations::Vectors { data: vec![1.0; 400], dim: 2 };
    let pairs = Pairs::new(data.clone(), data).unwrap();
    let error = crate::fit(&pairs, &pairs, &RecipeConfig::default(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x varies in 0 directions: expected at least 4, one per causal variable"
    );
}

#[test]
fn several_targets_at_once_are_learned_where_they_are_asked_for() {
    for (seed, targets) in [(0, TargetLaw::Exactly(2)), (1, TargetLaw::Each(0.3))] {
        let interventions = InterventionConfig { targets, ..InterventionConfig::default() };
        let world = ScalingConfig { seed, d: 4, interventions, ..ScalingConfig::default() };
        let mut config = RecipeConfig::default();
        config.model.targets = recipe::AtOnce::Several;
        let trial = fitted(world, &config, 5000, seed);
        assert!(trial.fit.diagnosis.linear && trial.smallest > 0.999, "{targets:?}");
        assert_eq!(trial.distance, 0, "{:?}", trial.fit.graph.dag);
        let (held_out, truth) = trial.world.sample(2000, Split::Test).unwrap();
        let found = recipe::embed(&trial.fit.model, &held_out).unwrap();
        let (probs, truth) = (found.set_probs.unwrap(), truth.targets.unwrap());
        let scores = set_accuracy(&probs, &truth, 4).unwrap();
        assert!(scores.exact > 0.99, "{targets:?}: {}", scores.exact);
        assert!(trial.fit.diagnosis.unforeseen.iter().all(|share| *share < 0.01), "{targets:?}");
        config.model.d = 4;
        assert_survives_saving(&trial, &config);
    }
}

#[test]
fn several_targets_at_once_need_a_linear_map() {
    let mut config = RecipeConfig::default();
    (config.model.d, config.model.targets) = (4, recipe::AtOnce::Several);
    let mixing = MixingConfig::LeakyRelu(domino::data::scaling::LeakyReluConfig::default());
    let interventions =
        InterventionConfig { targets: TargetLaw::Exactly(2), ..InterventionConfig::default() };
    let world = ScalingConfig { seed: 0, d: 4, mixing, interventions, ..ScalingConfig::default() };
    let (pairs, _) = World::draw(&world).unwrap().sample(3000, Split::Train).unwrap();
    let error = crate::fit(&pairs, &pairs, &config, 0).unwrap_err();
    assert!(error.to_string().starts_with("model.targets: expected `one`"), "{error}");
}
