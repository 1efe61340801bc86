use domino_core::{GroundTruth, InterventionTarget, Seed, Stream};

use super::*;
use crate::generator::{Generator, Split};
use crate::scaling::{GraphConfig, LinearConfig, MechanismConfig, MlpConfig, ScalingConfig, World};

const ROWS: usize = 20_000;

fn config(text: &str) -> InterventionConfig {
    toml::from_str(text).unwrap()
}

fn targets(config: &InterventionConfig, d: usize) -> Vec<InterventionTarget> {
    let law = config.law(d).unwrap();
    let rng = &mut Seed(11).rng(Stream::Data);
    (0..ROWS).map(|_| law.target(rng)).collect()
}

/// How many targets have this form.
fn count(targets: &[InterventionTarget], of: impl Fn(&[usize]) -> bool) -> usize {
    targets.iter().filter(|t| of(t.variables())).count()
}

/// Within five standard deviations of a binomial count.
fn assert_share(count: usize, p: f64) {
    let n = ROWS as f64;
    let slack = 5.0 * (n * p * (1.0 - p)).sqrt();
    assert!((count as f64 - n * p).abs() <= slack, "{count} of {ROWS}, expected a share of {p}");
}

#[test]
fn one_target_is_uniform_over_none_and_the_variables() {
    let targets = targets(&config(""), 4);
    assert_share(count(&targets, <[usize]>::is_empty), 0.2);
    for k in 0..4 {
        assert_share(count(&targets, |t| *t == [k]), 0.2);
    }
}

#[test]
fn weights_set_frequencies_and_zero_is_never() {
    let targets = targets(&config("none = 0.4\nweights = [1, 0, 3]"), 3);
    assert_share(count(&targets, <[usize]>::is_empty), 0.4);
    assert_share(count(&targets, |t| *t == [0]), 0.15);
    assert_eq!(count(&targets, |t| t.contains(&1)), 0);
    assert_share(count(&targets, |t| *t == [2]), 0.45);
}

#[test]
fn a_fixed_number_of_targets_are_different_variables_drawn_by_weight() {
    let even = targets(&config("targets = { exactly = 2 }\nnone = 0.0"), 4);
    assert_eq!(count(&even, |t| t.len() == 2), ROWS);
    for k in 0..4 {
        assert_share(count(&even, |t| t.contains(&k)), 0.5);
    }
    let uneven = targets(&config("targets = { exactly = 2 }\nnone = 0.0\nweights = [2, 1, 1]"), 3);
    // P(not 0) = 1/2 · 1/3: first 1 or 2, then the other of them.
    assert_share(count(&uneven, |t| !t.contains(&0)), 1.0 / 6.0);
}

#[test]
fn independent_targets_have_their_probabilities() {
    let all = targets(&config("targets = { each = 0.3 }\nweights = [1, 2, 0]"), 3);
    assert_share(count(&all, |t| t.contains(&0)), 0.15);
    assert_share(count(&all, |t| t.contains(&1)), 0.3);
    assert_share(count(&all, |t| t == [0, 1]), 0.045);
    assert_share(count(&all, <[usize]>::is_empty), 0.85 * 0.7);
    let some = targets(&config("targets = { each = 1.0 }\nnone = 0.5"), 3);
    assert_share(count(&some, |t| t.len() == 3), 0.5);
}

#[test]
fn options_out_of_range_are_named() {
    let refusal = |text: &str| config(text).law(3).unwrap_err().to_string();
    for (text, message) in [
        ("none = 1.5", "interventions.none: expected a number from 0 to 1, got 1.5"),
        ("leak = 1.0", "interventions.leak: expected a number from 0 to below 1, got 1"),
        ("weights = [1, 2]", "interventions.weights: expected 3 values, one per variable, got 2"),
        (
            "weights = [1, -1, 0]",
            "interventions.weights: expected finite numbers, 0 or more, got -1",
        ),
        ("weights = [0, 0, 0]", "interventions.weights above 0: expected at least 1, got 0"),
        (
            "targets = { exactly = 3 }\nweights = [1, 1, 0]",
            "interventions.targets.exactly: expected at most 2, got 3",
        ),
    ] {
        assert_eq!(refusal(text), message);
    }
    assert!(toml::from_str::<InterventionConfig>("lek = 0.1").is_err());
}

fn linear(text: &str) -> World {
    let config = ScalingConfig {
        seed: 5,
        d: 3,
        graph: GraphConfig::Full,
        interventions: config(text),
        ..Default::default()
    };
    World::draw(&config).unwrap()
}

fn truth(world: &World) -> GroundTruth {
    world.states(Split::Train, 0..ROWS)
}

fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

#[test]
fn the_noise_before_does_not_depend_on_what_is_done() {
    let plain = truth(&linear(""));
    for text in ["effect = 'soft'", "drift = 0.1", "targets = { each = 0.5 }", "leak = 0.5"] {
        let other = truth(&linear(text));
        assert_eq!(plain.e_before, other.e_before);
        assert_eq!(plain.z_before, other.z_before);
        assert_ne!(plain.z_after, other.z_after);
    }
}

#[test]
fn rows_of_any_member_may_be_drawn_alone() {
    let world = linear("effect = 'soft'\nspill = 0.1\ntargets = { exactly = 2 }");
    let whole = world.states(Split::Test, 0..50);
    assert_eq!(world.states(Split::Test, 20..50), whole.slice(20..50));
}

#[test]
fn a_leak_keeps_a_share_of_the_old_value() {
    let truth = truth(&linear("leak = 0.25\nnone = 0.0"));
    let (before, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    let hit = truth.targets.unwrap();
    // What remains when the leak is taken off is N(0, 1) and independent of what was.
    let fresh = |row: usize, k: usize| (after[(row, k)] - 0.25 * before[(row, k)]) / 0.75;
    let on_last = || (0..ROWS).filter(|&row| hit[row] == InterventionTarget::Atomic(2));
    let (mean, variance) = moments(on_last().map(|row| fresh(row, 2)));
    assert!(mean.abs() < 0.06 && (variance - 1.0).abs() < 0.1, "{mean} {variance}");
    let (product, _) = moments(on_last().map(|row| fresh(row, 2) * before[(row, 2)]));
    assert!(product.abs() < 0.15, "{product}");
}

#[test]
fn drift_moves_all_noise_and_spill_only_where_something_is_done() {
    let level = 0.3_f64;
    for (text, drifts_alone) in [("drift = 0.3", true), ("spill = 0.3", false)] {
        let truth = truth(&linear(text));
        let (before, after) = (truth.e_before.unwrap(), truth.e_after.unwrap());
        let kept = (1.0 - level * level).sqrt();
        let targets = truth.targets.unwrap();
        let hit: Vec<usize> = (0..ROWS).filter(|&r| targets[r].label() == Some(1)).collect();
        let (mean, variance) = moments(hit.iter().map(|&r| after[(r, 2)] - kept * before[(r, 2)]));
        assert!(mean.abs() < 0.03 && (variance - level * level).abs() < 0.01, "{text}");
        let (_, after_variance) = moments(hit.iter().map(|&r| after[(r, 2)]));
        assert!((after_variance - 1.0).abs() < 0.1, "the law of the noise stays");
        let still = (0..ROWS).filter(|&r| targets[r] == InterventionTarget::None);
        let moved = still.filter(|&r| (after[(r, 1)] - before[(r, 1)]).abs() > 0.0).count();
        assert_eq!(moved > 0, drifts_alone, "{text}");
    }
}

#[test]
fn a_soft_target_follows_its_parents_by_other_weights() {
    let world = linear("effect = 'soft'\nnone = 0.0\nweights = [0, 0, 1]");
    let truth = truth(&world);
    let (z, e_after) = (truth.z_after.unwrap(), truth.e_after.unwrap());
    // Least squares of the target on its parents: not the weights of before, and not 0.
    let x = z.columns(0, 2);
    let fitted = (x.transpose() * x).try_inverse().unwrap() * (x.transpose() * z.column(2));
    let before = world.weights().unwrap();
    for parent in 0..2 {
        assert!(fitted[parent].abs() > 0.1, "the parent still counts: {fitted}");
        assert!((fitted[parent] - before[(parent, 2)]).abs() > 0.1, "by another weight: {fitted}");
    }
    let (mean, variance) = moments((z.column(2) - x * &fitted).iter().copied());
    assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "its noise is new and N(0, 1)");
    // The recorded noise is what explains the new state by the mechanism of before.
    assert!((world.z_from_e(&e_after) - &z).amax() < 1e-9);
}

#[test]
fn soft_networks_differ_from_those_before() {
    let soft = |effect| {
        let mechanisms = MechanismConfig::Mlp(MlpConfig::default());
        let interventions = InterventionConfig { effect, ..Default::default() };
        let config = ScalingConfig { d: 3, mechanisms, interventions, ..Default::default() };
        World::draw(&config).unwrap().states(Split::Train, 0..200)
    };
    let (perfect, soft) = (soft(Effect::Perfect), soft(Effect::Soft));
    assert_eq!(perfect.z_before, soft.z_before);
    assert_ne!(perfect.z_after, soft.z_after);
    let plain = MechanismConfig::Linear(LinearConfig::default());
    assert_eq!(ScalingConfig::default().mechanisms, plain);
}
