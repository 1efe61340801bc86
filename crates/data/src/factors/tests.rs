//! Laws of every world of pictures.

use domino_core::{InterventionTarget, Observations};
use nalgebra::DMatrix;

use super::*;
use crate::config_error::ConfigError;
use crate::digits::{DigitSource, DigitsConfig, DrawnConfig};
use crate::generator::{Generator, Split};
use crate::interventions::{Effect, InterventionConfig, TargetLaw};
use crate::scaling::{GraphConfig, RandomGraph};
use crate::scenes::{SceneConfig, ScenesConfig, TabletopConfig};
use crate::sprites::{SpriteValues, SpritesConfig};

/// Quantiles are inverted to about this.
const EXACT: f64 = 1e-8;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Small pictures of one world of each kind, with edges wherever there may be some.
fn worlds() -> Vec<PictureWorld> {
    let full = GraphConfig::Full;
    let scenes = |scene, graph: &GraphConfig| {
        let graph = graph.clone();
        ScenesConfig { seed: 3, scene, graph, size: 16, samples: 1, ..Default::default() }
    };
    let tabletop = SceneConfig::Tabletop(TabletopConfig { objects: 2 });
    let sprites = |values, graph: &GraphConfig| SpritesConfig {
        values,
        graph: graph.clone(),
        size: 24,
        ..Default::default()
    };
    vec![
        scenes(SceneConfig::Floating, &full).build(),
        scenes(SceneConfig::Standing, &GraphConfig::Random(RandomGraph::default())).build(),
        scenes(SceneConfig::Room, &GraphConfig::Empty).build(),
        scenes(tabletop, &GraphConfig::Edges(vec![(4, 2), (2, 8), (8, 3), (11, 6)])).build(),
        sprites(SpriteValues::Grid, &GraphConfig::Empty).build(),
        sprites(SpriteValues::Continuous, &GraphConfig::Chain).build(),
        digits(GraphConfig::Edges(vec![(0, 1), (0, 3), (1, 2)])).build(),
    ]
    .into_iter()
    .map(|world| world.expect("in range"))
    .collect()
}

fn digits(graph: GraphConfig) -> DigitsConfig {
    let source = DigitSource::Drawn(DrawnConfig { per_digit: 5 });
    DigitsConfig { source, graph, size: 16, ..Default::default() }
}

/// Two causes, one of them discrete, and two effects: small enough for thousands of rows.
fn small(interventions: InterventionConfig) -> PictureWorld {
    let variables = Some(names(&["shape", "x", "scale", "y"]));
    let graph = GraphConfig::Edges(vec![(0, 2), (1, 2), (2, 3)]);
    let values = SpriteValues::Continuous;
    SpritesConfig { seed: 5, values, variables, graph, interventions, ..Default::default() }
        .build()
        .expect("in range")
}

fn pictures(x: &Observations) -> Vec<&[u8]> {
    let Observations::Images { data, shape } = x else { panic!("the worlds show pictures") };
    data.chunks_exact(shape.len()).collect()
}

#[test]
fn noise_comes_back_from_variables() {
    for world in worlds() {
        let truth = world.states(Split::Test, 0..200);
        for (e, z) in [(truth.e_before, truth.z_before), (truth.e_after, truth.z_after)] {
            let (e, z) = (e.unwrap(), z.unwrap());
            assert!((world.z_from_e(&e) - &z).amax() < EXACT, "{:?}", world.names());
            assert!((world.e_from_z(&z) - &e).amax() < EXACT, "{:?}", world.names());
        }
    }
}

#[test]
fn only_the_target_and_its_descendants_move() {
    for world in worlds() {
        let truth = world.states(Split::Train, 0..300);
        let (before, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
        let (e_before, e_after) = (truth.e_before.unwrap(), truth.e_after.unwrap());
        for (row, target) in truth.targets.unwrap().iter().enumerate() {
            for j in 0..world.dag().dim() {
                let is_target = target.variables().contains(&j);
                let below = target.variables().iter().any(|&k| world.dag().descendants(k)[j]);
                let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
                assert_eq!(is_target || below, !same(before[(row, j)], after[(row, j)]));
                assert_eq!(is_target, !same(e_before[(row, j)], e_after[(row, j)]));
            }
        }
    }
}

#[test]
fn pairs_without_a_target_show_the_same_picture() {
    for world in worlds() {
        let (pairs, truth) = world.sample(60, Split::Train).unwrap();
        let (before, after) = (pictures(pairs.before()), pictures(pairs.after()));
        let mut changed = 0;
        let targets = truth.targets.unwrap();
        let aimed = targets.iter().filter(|target| **target != InterventionTarget::None).count();
        for (row, target) in targets.iter().enumerate() {
            let same = before[row] == after[row];
            assert!(same || *target != InterventionTarget::None, "row {row}");
            changed += usize::from(!same);
        }
        // Small changes may vanish in pictures as small as these.
        assert!(10 * changed >= 8 * aimed, "{:?}: {changed} of {aimed}", world.names());
    }
}

#[test]
fn rows_come_in_any_order_and_alone() {
    for world in worlds() {
        let (pairs, truth) = world.sample(12, Split::Validation).unwrap();
        let later = world.states(Split::Validation, 7..12);
        assert_eq!(later, truth.slice(7..12));
        let seen = world.observe(Split::Validation, 7..12, &later).unwrap();
        assert_eq!(seen, pairs.slice(7..12));
        let one = world.states(Split::Validation, 3..4);
        let seen = world.observe(Split::Validation, 3..4, &one).unwrap();
        assert_eq!(seen, pairs.slice(3..4));
        assert_ne!(world.states(Split::Train, 7..12), later);
    }
}

#[test]
fn targets_are_none_or_any_variable_alike() {
    let targets = small(InterventionConfig::default()).states(Split::Train, 0..10_000).targets;
    let mut counts = [0_u32; 5];
    targets.unwrap().iter().for_each(|target| counts[target.label().unwrap()] += 1);
    // 2000 each, with a standard deviation of 40.
    assert!(counts.iter().all(|count| count.abs_diff(2_000) < 200), "{counts:?}");
}

#[test]
fn discrete_targets_take_every_other_value_alike() {
    let config =
        SpritesConfig { variables: Some(names(&["shape", "scale"])), ..Default::default() };
    let truth = config.build().unwrap().states(Split::Train, 0..18_000);
    let (before, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    let mut counts = [[0_u32; 3]; 3];
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        if *target == InterventionTarget::Atomic(0) {
            counts[before[(row, 0)] as usize][after[(row, 0)] as usize] += 1;
        }
    }
    // 6000 pairs with this target, 1000 for each of six changes, with a standard deviation of 31.
    for (old, row) in counts.iter().enumerate() {
        for (new, count) in row.iter().enumerate() {
            let expected = if old == new { 0 } else { 1_000 };
            assert!(count.abs_diff(expected) <= 160 * u32::from(old != new), "{counts:?}");
        }
    }
}

#[test]
fn effects_follow_their_causes_and_keep_their_noise() {
    let world = small(InterventionConfig::default());
    let e = DMatrix::from_row_slice(1, 4, &[0.0; 4]);
    let set = |x: f64| {
        let values = DMatrix::from_row_slice(1, 4, &[0.0, x, 0.0, 0.0]);
        world.intervene(&e, &[InterventionTarget::Atomic(1)], &values)
    };
    let (low, high) = (set(0.1), set(0.9));
    assert!((low.z[(0, 2)] - high.z[(0, 2)]).abs() > 0.1, "scale follows x");
    assert!((low.z[(0, 3)] - high.z[(0, 3)]).abs() > 0.02, "y follows scale");
    assert_eq!(low.e[(0, 2)].to_bits(), high.e[(0, 2)].to_bits());
}

#[test]
fn interventions_are_as_configured() {
    let weights = vec![0.0, 1.0, 1.0, 0.0];
    let config = InterventionConfig {
        targets: TargetLaw::Exactly(2),
        none: Some(0.0),
        weights,
        ..Default::default()
    };
    let truth = small(config).states(Split::Train, 0..50);
    assert_eq!(truth.targets.unwrap(), vec![InterventionTarget::Several(vec![1, 2]); 50]);

    let leak = InterventionConfig { leak: 0.75, ..Default::default() };
    let truth = small(leak).states(Split::Train, 0..400);
    let (before, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        for &k in target.variables().iter().filter(|&&k| k > 0) {
            assert!((after[(row, k)] - before[(row, k)]).abs() <= 0.25, "a quarter of the way");
        }
    }

    let drift = InterventionConfig { drift: 0.5, none: Some(1.0), ..Default::default() };
    let truth = small(drift).states(Split::Train, 0..50);
    let moved = truth.z_before.unwrap() - truth.z_after.unwrap();
    assert!(moved.column(1).amin().abs() < 0.5 && moved.column(1).amax() > 0.1);
}

#[test]
fn a_soft_target_still_depends_on_its_causes() {
    let slope = |effect| {
        let weights = vec![0.0, 0.0, 1.0, 0.0];
        let config = InterventionConfig { effect, weights, none: Some(0.0), ..Default::default() };
        let truth = small(config).states(Split::Train, 0..2_000);
        let after = truth.z_after.unwrap();
        let (x, scale) = (after.column(1).into_owned(), after.column(2).into_owned());
        let centred = x.add_scalar(-x.mean());
        centred.dot(&scale) / centred.norm_squared()
    };
    assert!(slope(Effect::Perfect).abs() < 0.08, "{}", slope(Effect::Perfect));
    assert!(slope(Effect::Soft).abs() > 0.2, "{}", slope(Effect::Soft));
}

#[test]
fn no_edge_enters_a_discrete_variable() {
    let build = |graph| digits(graph).build();
    let error = build(GraphConfig::Edges(vec![(1, 0)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "graph: expected no edge into the discrete variable digit, got one from hue"
    );
    let cycle = build(GraphConfig::Edges(vec![(1, 2), (2, 1)])).unwrap_err();
    assert!(matches!(cycle, ConfigError::Graph(_)), "{cycle}");
    let full = build(GraphConfig::Full).unwrap();
    assert_eq!(full.dag().edge_count(), 6);
    assert!(full.dag().children(0).next().is_none() && full.dag().parents(0).next().is_none());
}

#[test]
fn impossible_worlds_are_refused() {
    let error = |config: ScenesConfig| config.build().unwrap_err().to_string();
    let scene = || ScenesConfig::default();
    let unknown = error(ScenesConfig { variables: Some(names(&["hue", "mass"])), ..scene() });
    assert!(unknown.starts_with("variables: expected any of shape, x, height"), "{unknown}");
    let size = error(ScenesConfig { size: 4, ..scene() });
    assert_eq!(size, "size: expected at least 8, got 4");
    let mechanisms = BetaConfig { concentration: 0.0 };
    let flat = error(ScenesConfig { mechanisms, ..scene() });
    assert_eq!(flat, "mechanisms.concentration: expected a finite number above 0, got 0");
    let interventions = InterventionConfig { leak: 1.0, ..Default::default() };
    assert!(error(ScenesConfig { interventions, ..scene() }).starts_with("interventions.leak"));
}

#[test]
fn options_survive_the_way_through_text() {
    let text = "
        seed = 4
        scene = 'tabletop'
        variables = ['x_1', 'hue_1']
        fixed = { size_1 = 1.0 }
        graph = 'chain'
        camera = { zoom = 0.9 }
        interventions = { effect = 'soft' }
    ";
    let config: ScenesConfig = toml::from_str(text).unwrap();
    assert_eq!(config.scene, SceneConfig::Tabletop(TabletopConfig { objects: 3 }));
    assert_eq!(config.graph, GraphConfig::Chain);
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<ScenesConfig>(&json).unwrap(), config);
    let stray = toml::from_str::<DigitsConfig>("sead = 1").unwrap_err();
    assert!(stray.message().starts_with("unknown field `sead`"), "{stray}");
}
