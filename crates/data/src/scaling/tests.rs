use domino_core::{GroundTruth, InterventionTarget, Observations, Pairs, Seed, Stream};
use nalgebra::{DMatrix, dmatrix};
use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::generator::{Generator, Split};

/// Relative to values of order one; compositions of a few dozen roundings.
const EXACT: f64 = 1e-9;

fn world(config: ScalingConfig) -> World {
    World::draw(&config).unwrap()
}

fn sample(world: &World, n: usize) -> (Pairs, GroundTruth) {
    world.sample(n, Split::Train).unwrap()
}

fn vectors(x: &Observations) -> &[f32] {
    match x {
        Observations::Vectors { data, .. } => data,
        Observations::Images { .. } => panic!("the generator yields vectors"),
    }
}

fn mlp() -> MechanismConfig {
    MechanismConfig::Mlp(MlpConfig::default())
}

fn leaky_relu() -> MixingConfig {
    MixingConfig::LeakyRelu(LeakyReluConfig::default())
}

/// Any small world; its edges run against the index order in half of the cases.
fn any_config() -> impl Strategy<Value = ScalingConfig> {
    let graph = |d: usize| {
        let reversed = (1..d).map(|i| (i, i - 1)).collect();
        prop_oneof![
            Just(GraphConfig::Full),
            Just(GraphConfig::Random(RandomGraph::default())),
            Just(GraphConfig::Edges(reversed)),
            Just(GraphConfig::Empty),
        ]
    };
    let mechanisms = prop_oneof![
        Just(MechanismConfig::Linear(LinearConfig { weights: WeightLaw::Standard })),
        Just(MechanismConfig::Linear(LinearConfig::default())),
        Just(mlp()),
    ];
    let mixing =
        prop_oneof![Just(MixingConfig::Identity), Just(MixingConfig::Rotation), Just(leaky_relu())];
    (1_usize..6, 0_usize..3, any::<u64>(), mechanisms, mixing)
        .prop_flat_map(move |(d, more, seed, mechanisms, mixing)| {
            (graph(d), Just((d, more, seed, mechanisms, mixing)))
        })
        .prop_map(|(graph, (d, more, seed, mechanisms, mixing))| ScalingConfig {
            seed,
            d,
            dim_x: Some(d + more),
            graph,
            mechanisms,
            mixing,
            ..ScalingConfig::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn abduction_inverts_the_solution_and_the_mixing_is_injective(config in any_config()) {
        let world = world(config);
        let truth = sample(&world, 40).1;
        let (e, z) = (truth.e_before.unwrap(), truth.z_before.unwrap());
        prop_assert!((world.e_from_z(&z) - &e).amax() < EXACT * (1.0 + z.amax()));
        prop_assert!((world.z_from_x(&world.x_from_z(&z)) - &z).amax() < EXACT * (1.0 + z.amax()));
    }

    #[test]
    fn only_the_target_and_its_descendants_move(config in any_config()) {
        let world = world(config);
        let truth = sample(&world, 60).1;
        let (before, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
        let (e_before, e_after) = (truth.e_before.unwrap(), truth.e_after.unwrap());
        for (row, target) in truth.targets.unwrap().iter().enumerate() {
            for j in 0..world.dag().dim() {
                let is_target = target.variables().contains(&j);
                let moved = target.variables().iter().any(|&k| k == j || world.dag().descendants(k)[j]);
                let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
                prop_assert!(moved || same(before[(row, j)], after[(row, j)]));
                prop_assert_eq!(!is_target, same(e_before[(row, j)], e_after[(row, j)]));
            }
        }
        // The noise after the intervention is what explains the state after it.
        prop_assert!((world.z_from_e(&e_after) - &after).amax() < EXACT * (1.0 + after.amax()));
    }
}

#[test]
fn none_pairs_show_the_same_bits_and_others_do_not() {
    for mixing in [MixingConfig::Rotation, leaky_relu()] {
        let world = world(ScalingConfig { d: 3, dim_x: Some(5), mixing, ..Default::default() });
        let (pairs, truth) = sample(&world, 500);
        let (before, after) = (vectors(pairs.before()), vectors(pairs.after()));
        for (row, target) in truth.targets.unwrap().iter().enumerate() {
            let span = row * 5..row * 5 + 5;
            let same = before[span.clone()] == after[span];
            assert_eq!(same, *target == InterventionTarget::None, "row {row}");
        }
    }
}

#[test]
fn a_linear_counterfactual_follows_the_inverse_of_the_weights() {
    // z = (I − Wᵀ)⁻¹ e; do(z_1 = v) cuts what enters z_1, the edges running 2 -> 1 -> 0, 2 -> 0.
    let edges = vec![(2, 1), (1, 0), (2, 0)];
    let world =
        world(ScalingConfig { d: 3, graph: GraphConfig::Edges(edges), ..Default::default() });
    let w = world.weights().unwrap();
    let e = dmatrix![0.3, -0.7, 1.1];
    let solved = (DMatrix::identity(3, 3) - w).try_inverse().unwrap();
    assert!((world.z_from_e(&e) - &e * solved).amax() < EXACT);

    let after = world.intervene(&e, &[InterventionTarget::Atomic(1)], &dmatrix![9.0, 2.5, 9.0]);
    let expected = [0.3 + w[(1, 0)] * 2.5 + w[(2, 0)] * 1.1, 2.5, 1.1];
    for (j, expected) in expected.into_iter().enumerate() {
        assert!((after.z[(0, j)] - expected).abs() < EXACT);
    }
    assert!((after.e[(0, 1)] - (2.5 - w[(2, 1)] * 1.1)).abs() < EXACT);
}

#[test]
fn several_targets_take_their_values_at_once() {
    let world = world(ScalingConfig { d: 3, graph: GraphConfig::Full, ..Default::default() });
    let both = InterventionTarget::from_mask(&[true, false, true]);
    let after = world.intervene(&dmatrix![0.0, 0.0, 5.0], &[both], &dmatrix![1.0, 9.0, -1.0]);
    let caused = world.weights().unwrap()[(0, 1)];
    assert!((after.z - dmatrix![1.0, caused, -1.0]).amax() < EXACT);
}

#[test]
fn the_two_dimensional_rotation_has_the_drawn_angle() {
    // exp(−[[0, c], [−c, 0]]) turns by c, the first number of the mixing's generator.
    let c: f64 = StandardNormal.sample(&mut Seed(0).rng_at(Stream::World, 2));
    let world = world(ScalingConfig::default());
    let expected = dmatrix![c.cos(), -c.sin(); c.sin(), c.cos()];
    assert!((world.mixing_matrix().unwrap() - expected).amax() < EXACT);
}

#[test]
fn wider_observations_embed_orthonormally() {
    for mixing in [MixingConfig::Identity, MixingConfig::Rotation] {
        let world = world(ScalingConfig { d: 4, dim_x: Some(9), mixing, ..Default::default() });
        let r = world.mixing_matrix().unwrap();
        assert_eq!(r.shape(), (9, 4));
        assert!((r.transpose() * r - DMatrix::identity(4, 4)).amax() < EXACT);
    }
}

#[test]
fn a_sample_repeats_by_seed_and_differs_by_seed_and_split() {
    let at = |seed, split| {
        let world = world(ScalingConfig { seed, d: 3, ..Default::default() });
        world.sample(50, split).unwrap()
    };
    let first = at(7, Split::Train);
    assert_eq!(first, at(7, Split::Train));
    for other in [at(8, Split::Train), at(7, Split::Test), at(7, Split::DciTrain)] {
        assert_ne!(first.0, other.0);
    }
    let prefix = world(ScalingConfig { seed: 7, d: 3, ..Default::default() });
    let (pairs, truth) = sample(&prefix, 20);
    assert_eq!((pairs, truth), (first.0.slice(0..20), first.1.slice(0..20)));
}

#[test]
fn ingredients_draw_independently() {
    let plain = ScalingConfig { seed: 3, d: 5, ..Default::default() };
    let base = world(plain.clone());
    let mixed = world(ScalingConfig { mixing: leaky_relu(), ..plain.clone() });
    assert_eq!(base.dag(), mixed.dag());
    assert_eq!(base.weights(), mixed.weights());
    let full = world(ScalingConfig { graph: GraphConfig::Full, ..plain.clone() });
    assert_eq!(base.mixing_matrix(), full.mixing_matrix());
    for (i, j) in base.dag().edges() {
        let bits = |world: &World| world.weights().unwrap()[(i, j)].to_bits();
        assert_eq!(bits(&base), bits(&full));
    }
    let noisy = world(ScalingConfig { observation_noise: 0.1, ..plain });
    assert_eq!(sample(&base, 30).1, sample(&noisy, 30).1);
}

#[test]
fn targets_are_uniform_over_none_and_the_variables() {
    let world = world(ScalingConfig { d: 4, ..Default::default() });
    let n = 20_000;
    let mut counts = [0_usize; 5];
    for target in sample(&world, n).1.targets.unwrap() {
        counts[target.label().unwrap()] += 1;
    }
    // Five standard deviations of a binomial count.
    let slack = 5.0 * (n as f64 * 0.2 * 0.8).sqrt();
    for count in counts {
        assert!((count as f64 - 4_000.0).abs() < slack, "{counts:?}");
    }
}

#[test]
fn intervened_values_are_standard_normal_and_noise_has_its_size() {
    let config = ScalingConfig { d: 2, graph: GraphConfig::Full, ..Default::default() };
    let noisy = ScalingConfig { observation_noise: 0.3, ..config.clone() };
    let ((clean, truth), (noisy, _)) =
        (sample(&world(config), 20_000), sample(&world(noisy), 20_000));
    let targets = truth.targets.unwrap();
    let z_after = truth.z_after.unwrap();
    let hit = (0..20_000).filter(|&row| targets[row] == InterventionTarget::Atomic(1));
    let values: Vec<f64> = hit.map(|row| z_after[(row, 1)]).collect();
    let (mean, std) = linalg::mean_and_std(&values);
    assert!(mean.abs() < 0.05 && (std - 1.0).abs() < 0.05, "{mean} {std}");

    for (x, y) in [(clean.before(), noisy.before()), (clean.after(), noisy.after())] {
        let noise: Vec<f64> =
            vectors(y).iter().zip(vectors(x)).map(|(y, x)| f64::from(y - x)).collect();
        let (mean, std) = linalg::mean_and_std(&noise);
        assert!(mean.abs() < 0.01 && (std - 0.3).abs() < 0.01, "{mean} {std}");
    }
    assert_ne!(vectors(noisy.before()), vectors(noisy.after()));
}

#[test]
fn network_mechanisms_have_the_promised_location_and_scale() {
    let config =
        ScalingConfig { d: 3, graph: GraphConfig::Full, mechanisms: mlp(), ..Default::default() };
    let world = world(config);
    let z = sample(&world, 20_000).1.z_before.unwrap();
    for j in 1..3 {
        // The location is the child's value at zero noise, the scale its slope in the noise.
        let at = |e_j: f64| {
            let mut e = world.e_from_z(&z);
            e.column_mut(j).fill(e_j);
            world.z_from_e(&e).column(j).into_owned()
        };
        let (location, scale) = (at(0.0), at(1.0) - at(0.0));
        let (mean, std) = linalg::mean_and_std(location.as_slice());
        assert!(mean.abs() < 0.06 && (std - 1.2).abs() < 0.06, "z{j}: {mean} {std}");
        let (least, largest) = ((-0.4_f64).exp(), 0.4_f64.exp());
        assert!(scale.min() > least - EXACT && scale.max() < largest + EXACT);
        assert!(scale.max() - scale.min() > 0.2, "z{j}: the scale depends on the parents");
    }
    let (_, std) = linalg::mean_and_std(z.column(0).as_slice());
    assert!((std - 1.0).abs() < 0.03, "a root is its noise");
}

#[test]
fn bimodal_weights_keep_away_from_zero_and_standard_ones_do_not() {
    let weights = |weights| {
        let mechanisms = MechanismConfig::Linear(LinearConfig { weights });
        let graph = GraphConfig::Full;
        world(ScalingConfig { d: 40, graph, mechanisms, ..Default::default() })
    };
    let near_zero = |world: &World| {
        let all = world.dag().edges().map(|at| world.weights().unwrap()[at]);
        let all: Vec<f64> = all.collect();
        let positive = all.iter().filter(|w| **w > 0.0).count();
        assert!((positive as f64 / all.len() as f64 - 0.5).abs() < 0.1);
        all.iter().filter(|w| w.abs() < 0.1).count()
    };
    assert!(near_zero(&weights(WeightLaw::Bimodal)) < 10); // P(|1 + 0.3 N| < 0.1) ≈ 0.1 % of 780
    assert!(near_zero(&weights(WeightLaw::Standard)) > 30); // P(|N| < 0.1) ≈ 8 % of 780
}

#[test]
fn random_graphs_run_forward_with_the_given_probability() {
    let edges = |edge_probability| {
        let graph = GraphConfig::Random(RandomGraph { edge_probability });
        let world = world(ScalingConfig {
            d: 40,
            graph,
            mixing: MixingConfig::Identity,
            ..Default::default()
        });
        assert!(world.dag().edges().all(|(i, j)| i < j));
        world.dag().edge_count()
    };
    assert_eq!((edges(0.0), edges(1.0)), (0, 780));
    assert!(edges(0.5).abs_diff(390) < 70 && edges(0.1).abs_diff(78) < 42);
}

#[test]
fn discrete_variables_take_their_numbers_equally_often_and_follow_from_their_noise() {
    for mechanisms in [mlp(), MechanismConfig::Linear(LinearConfig::default())] {
        let levels = vec![3, 0, 2, 5];
        let graph = GraphConfig::Full;
        let config = ScalingConfig { d: 4, graph, levels, mechanisms, ..Default::default() };
        let world = world(config);
        let n = 20_000;
        let truth = sample(&world, n).1;
        let (z, after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
        for (j, count) in [(0, 3), (2, 2), (3, 5)] {
            for number in 0..count {
                let share =
                    z.column(j).iter().filter(|v| (**v - f64::from(number)).abs() < EXACT).count();
                let off = share as f64 / n as f64 - 1.0 / f64::from(count);
                assert!(off.abs() < 0.02, "z{j} = {number}: {off}");
            }
        }
        // The median noise leads to the same states, and targets take another number.
        assert_eq!(world.z_from_e(&world.e_from_z(&z)).columns(2, 2), z.columns(2, 2));
        assert!((world.z_from_e(&truth.e_after.unwrap()) - &after).amax() < EXACT);
        let targets = truth.targets.unwrap();
        let hit = targets.iter().enumerate().filter_map(|(row, t)| Some((row, t.label()?)));
        for (row, label) in hit.filter(|&(_, label)| label > 0 && label != 2) {
            let moved = (z[(row, label - 1)] - after[(row, label - 1)]).abs();
            assert!(moved > 0.5, "row {row}");
        }
    }
}

#[test]
fn a_discrete_effect_of_distant_causes_still_has_noise() {
    let levels = vec![0, 2];
    let world = world(ScalingConfig { graph: GraphConfig::Full, levels, ..Default::default() });
    for cause in [-1e3, -30.0, -9.0, 0.0, 9.0, 30.0, 1e3] {
        for number in [0.0, 1.0] {
            let z = dmatrix![cause, number];
            let e = world.e_from_z(&z);
            assert!(e.iter().all(|e| e.is_finite()));
            assert_eq!(world.z_from_e(&e), z, "{cause} {e}");
        }
    }
    let set =
        world.intervene(&dmatrix![0.0, 0.0], &[InterventionTarget::Atomic(1)], &dmatrix![0.0, 0.7]);
    assert!((set.z[(0, 1)] - 1.0).abs() < EXACT);
}

/// Stored data sets depend on these: a change here is a new generator.
#[test]
fn the_world_of_a_seed_is_fixed() {
    let world = world(ScalingConfig { seed: 42, d: 3, ..Default::default() });
    assert_eq!(format!("{:?}", world.dag()), FIXED_GRAPH);
    let (pairs, _) = sample(&world, 1);
    let x = vectors(pairs.before()).iter().zip(FIXED_X);
    assert!(x.clone().all(|(x, fixed)| (x - fixed).abs() < 1e-6), "{:?}", pairs.before());
}

const FIXED_GRAPH: &str = "Dag(3: 1->2)";
const FIXED_X: [f32; 3] = [0.936_880_1, 0.820_632_93, -0.226_404_64];
