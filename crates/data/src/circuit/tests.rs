use domino_core::{Dag, InterventionTarget, Observations};
use domino_render::{InstructionSet, Vec3};
use nalgebra::DMatrix;
use proptest::prelude::*;

use super::layout::Layout;
use super::*;
use crate::generator::{Generator, Split};
use crate::interventions::InterventionConfig;
use crate::scaling::{GraphConfig, RandomGraph};
use crate::unit::{UnitLaw, UnitMechanisms};
use crate::{DatasetSpec, GeneratorConfig, checksum};

const ROWS: usize = 20_000;

fn circuit(text: &str) -> Circuit {
    Circuit::new(&toml::from_str(text).unwrap()).unwrap()
}

fn pixels(x: &Observations) -> &[u8] {
    match x {
        Observations::Images { data, .. } => data,
        Observations::Vectors { .. } => panic!("the circuit yields pictures"),
    }
}

fn picture(circuit: &Circuit, z: &[f64]) -> Vec<u8> {
    pixels(&circuit.observation_of(&DMatrix::from_row_slice(1, z.len(), z))).to_vec()
}

/// The distance of values to the uniform law, above 1.95 with a probability of 0.1 %.
fn kolmogorov_smirnov(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let off = |(i, v): (usize, &f64)| (v - i as f64 / n).abs().max(((i + 1) as f64 / n - v).abs());
    values.iter().enumerate().map(off).fold(0.0, f64::max) * n.sqrt()
}

#[test]
fn three_lamps_have_the_documented_graph_and_buttons() {
    let circuit = circuit("");
    assert_eq!(circuit.names(), ["arm", "green", "red", "blue"]);
    let edges = [(0, 1), (0, 2), (0, 3), (1, 2), (3, 2)];
    assert_eq!(circuit.dag(), &Dag::from_edges(4, &edges).unwrap());
    let places = circuit.scm().mechanisms().places();
    assert!(places.iter().zip([0.2, 0.5, 0.8]).all(|(a, b)| (a - b).abs() < 1e-12));
    // One standard deviation of a bump is 0.09.
    let pressed = circuit.scm().mechanisms().pressed(0.29);
    assert!((pressed[0] - (-0.5_f64).exp()).abs() < 1e-12);
    assert!((pressed[1] - (-0.5 * (0.21_f64 / 0.09).powi(2)).exp()).abs() < 1e-12);
}

#[test]
fn the_mean_light_follows_button_and_parents() {
    let mechanisms = circuit("").scm().mechanisms().clone();
    let mean = |of, z: [f64; 4]| match mechanisms.law(of, &z) {
        UnitLaw::Beta { a, b } => {
            assert!((a + b - 5.0).abs() < 1e-12);
            a / 5.0
        }
        law => panic!("{law:?}"),
    };
    assert_eq!(mechanisms.law(0, &[0.0; 4]), UnitLaw::Uniform);
    assert!((mean(1, [0.2, 0.9, 0.9, 0.9]) - 0.8).abs() < 1e-12, "pressed");
    assert!((mean(1, [0.9, 0.9, 0.9, 0.9]) - 0.2).abs() < 1e-6, "far away");
    assert!((mean(2, [0.99, 0.3, 0.0, 0.2]) - (0.2 + 0.6 * 0.5)).abs() < 1e-6, "lit by both");
    assert!((mean(2, [0.5, 0.9, 0.0, 0.9]) - 0.8).abs() < 1e-12, "no more than full");
}

#[test]
fn lamps_are_beta_given_the_arm_and_new_values_uniform() {
    let truth = circuit("").states(Split::Train, 0..ROWS);
    let (z, z_after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    assert!(kolmogorov_smirnov(z.column(0).iter().copied().collect()) < 1.95);
    // Far from its button green is Beta(1, 4), P(z <= x) = 1 − (1 − x)^4, pressed it is Beta(4, 1).
    for (arm, law) in [
        (0.6..1.0, (|x: f64| 1.0 - (1.0 - x).powi(4)) as fn(f64) -> f64),
        (0.198..0.202, |x: f64| x.powi(4)),
    ] {
        let rows = (0..ROWS).filter(|&r| arm.contains(&z[(r, 0)]));
        let values: Vec<f64> = rows.map(|r| law(z[(r, 1)])).collect();
        assert!(values.len() > 50 && kolmogorov_smirnov(values) < 1.95);
    }
    let targets = truth.targets.unwrap();
    let mut chi_square = 0.0;
    for label in 0..5 {
        let hit: Vec<usize> = (0..ROWS).filter(|&r| targets[r].label() == Some(label)).collect();
        chi_square += (hit.len() as f64 - 4000.0).powi(2) / 4000.0;
        if let Some(k) = label.checked_sub(1) {
            let distance = kolmogorov_smirnov(hit.iter().map(|&r| z_after[(r, k)]).collect());
            assert!(distance < 1.95, "do({k}): {distance}");
        }
    }
    assert!(chi_square < 18.5, "{chi_square}: above with a probability of 0.1 % at 4 degrees");
}

#[test]
fn interventions_reach_descendants_and_pictures_of_nothing_done_are_equal() {
    let circuit = circuit("size = 16\nsamples = 1");
    let (pairs, truth) = circuit.sample(60, Split::Train).unwrap();
    let (z, z_after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    let (e, e_after) = (truth.e_before.unwrap(), truth.e_after.unwrap());
    let (before, after) = (pixels(pairs.before()), pixels(pairs.after()));
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        let hit = target.variables();
        for j in 0..4 {
            let same = z[(row, j)].to_bits() == z_after[(row, j)].to_bits();
            let reached = hit.iter().any(|&k| k == j || circuit.dag().descendants(k)[j]);
            // A lamp that is fully lit before and after stays as it is, so descendants need not move.
            assert!(same || reached, "row {row}, variable {j}");
            assert!(!(same && hit.contains(&j)), "row {row}, target {j}");
            let kept = e[(row, j)].to_bits() == e_after[(row, j)].to_bits();
            assert_eq!(kept, !hit.contains(&j));
        }
        let span = row * 16 * 16 * 3..(row + 1) * 16 * 16 * 3;
        let same = before[span.clone()] == after[span];
        assert!(same == (*target == InterventionTarget::None), "row {row}");
    }
}

#[test]
fn each_variable_shows_in_the_picture() {
    let circuit = circuit("");
    let base = [0.35, 0.4, 0.4, 0.4];
    for k in 0..4 {
        let mut moved = base;
        moved[k] += 0.25;
        let (a, b) = (picture(&circuit, &base), picture(&circuit, &moved));
        let changed = a.iter().zip(&b).filter(|(a, b)| a.abs_diff(**b) > 12).count();
        assert!(changed > 100, "variable {k}: {changed} values of {} changed", a.len());
    }
}

#[test]
fn a_lamp_glows_and_colours_the_table_around_it() {
    let circuit = circuit("");
    let at = |z: &[f64], x: f32, y: f32, depth: f32| {
        let camera = circuit.scene(z).camera;
        let [column, row] = camera.project(Vec3::new(x, y, depth), [64, 64]).unwrap();
        let first = (row as usize * 64 + column as usize) * 3;
        picture(&circuit, z)[first..first + 3].to_vec()
    };
    let (dark, lit) = ([0.9, 0.05, 0.05, 0.05], [0.9, 0.95, 0.05, 0.05]);
    let bulb = (-1.12, 0.42, 1.0);
    assert!(at(&lit, bulb.0, bulb.1, bulb.2)[1] > 240, "the bulb itself is bright");
    assert!(at(&dark, bulb.0, bulb.1, bulb.2)[1] < 110, "and dark when it is off");
    let (table_dark, table_lit) = (at(&dark, -1.12, 0.0, 0.75), at(&lit, -1.12, 0.0, 0.75));
    assert!(table_dark[1].abs_diff(table_dark[0]) < 20, "grey: {table_dark:?}");
    assert!(table_lit[1] > table_lit[0] + 40, "green: {table_lit:?}");
}

/// The layout of some lamps, with what they depend on.
fn layout(lamps: usize) -> (CircuitMechanisms, Layout) {
    let mechanisms = CircuitMechanisms::new(&Dag::empty(lamps));
    let layout = Layout::new(&mechanisms, View::Front);
    (mechanisms, layout)
}

proptest! {
    #[test]
    fn the_tip_rests_on_the_button_it_presses_and_on_no_other(lamps in 3_usize..9, arm in 0.0..1.0) {
        let (mechanisms, layout) = layout(lamps);
        let pressed = mechanisms.pressed(arm);
        let pose = layout.arm(arm, &pressed);
        let lowest = pose.tip.y - layout.tip;
        for ((button, top), bump) in layout.buttons.iter().zip(&pose.tops).zip(&pressed) {
            let off = (pose.tip - button.place - Vec3::Y * pose.tip.y).length();
            if off < button.half {
                prop_assert!(lowest > top - 1e-5, "never inside a button");
            }
            if *bump > 0.5 {
                prop_assert!((lowest - top).abs() < 1e-5, "on the button");
                prop_assert!(off < button.half + 0.05, "over the button: {}", off);
            }
        }
        let links = [pose.elbow - pose.shoulder, pose.tip - pose.elbow].map(Vec3::length);
        prop_assert!((links[0] - 0.76).abs() < 1e-4 && (links[1] - 0.84).abs() < 1e-4);
    }
}

#[test]
fn buttons_sink_with_their_bump_and_do_not_overlap() {
    for lamps in 3..9 {
        let (mechanisms, layout) = layout(lamps);
        for (k, place) in mechanisms.places().iter().enumerate() {
            let tops = layout.arm(*place, &mechanisms.pressed(*place)).tops;
            assert!((tops[k] - 0.07).abs() < 1e-5, "{tops:?}");
            assert!((0..lamps).all(|j| j == k || (tops[j] - 0.17).abs() < 1e-5), "{tops:?}");
        }
        for pair in layout.buttons.windows(2) {
            assert!((pair[1].place - pair[0].place).length() > 2.0 * pair[0].half);
        }
        for pair in layout.lamps.windows(2) {
            assert!((pair[1].place - pair[0].place).length() > 2.0 * pair[0].radius);
        }
    }
}

#[test]
fn lamps_light_each_other_as_wired() {
    let wiring = GraphConfig::Random(RandomGraph { edge_probability: 1.0 });
    let config = CircuitConfig { lamps: 6, wiring, ..CircuitConfig::default() };
    let circuit = Circuit::new(&config).unwrap();
    assert_eq!(circuit.dag(), &Dag::full(7));
    assert_eq!(circuit.names()[4..], ["yellow", "magenta", "cyan"]);
    let edges = "wiring = { edges = [[0, 3]] }\nlamps = 4";
    assert!(self::circuit(edges).dag().has_edge(1, 4));
}

#[test]
fn options_out_of_range_are_named() {
    let refusal = |text: &str| {
        let config: CircuitConfig = toml::from_str(text).unwrap();
        Circuit::new(&config).unwrap_err().to_string()
    };
    for (text, message) in [
        ("lamps = 9", "lamps: expected at most 8, got 9"),
        ("lamps = 2", "lamps: expected at least 3, got 2"),
        ("size = 4", "size: expected at least 8, got 4"),
        ("distractors = { count = 5 }", "distractors.count: expected at most 4, got 5"),
        ("sensor_noise = -1.0", "sensor_noise: expected a finite number, 0 or more, got -1"),
        (
            "view = { orbit = { azimuth = 90.0, elevation = 40.0 } }",
            "view.orbit.azimuth: expected degrees from -70 to 70, got 90",
        ),
        (
            "wiring = { edges = [[0, 1], [1, 0]] }",
            "graph: the graph has a cycle through variable 1: expected an acyclic graph",
        ),
        (
            "interventions = { weights = [1, 2] }",
            "interventions.weights: expected 4 values, one per variable, got 2",
        ),
    ] {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn configs_survive_toml() {
    let odd = CircuitConfig {
        view: View::Orbit { azimuth: 20.0, elevation: 30.0 },
        distractors: DistractorConfig { count: 1, motion: Motion::Pair },
        wall: Pattern::Checker,
        interventions: InterventionConfig { leak: 0.5, ..InterventionConfig::default() },
        ..CircuitConfig::default()
    };
    for config in [odd, CircuitConfig::default()] {
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<CircuitConfig>(&text).unwrap(), config);
    }
}

#[test]
fn distractors_move_with_pictures_or_with_pairs_and_leave_the_truth_alone() {
    let small = "size = 24\nsamples = 1\ninterventions = { none = 1.0 }\n";
    let with = |more: &str| circuit(&format!("{small}{more}"));
    let truth = with("").states(Split::Train, 0..4);
    for (motion, moves) in [("picture", true), ("pair", false)] {
        let cluttered = with(&format!("distractors = {{ count = 4, motion = '{motion}' }}"));
        assert_eq!(cluttered.states(Split::Train, 0..4), truth);
        let (pairs, _) = cluttered.sample(4, Split::Train).unwrap();
        assert_eq!(pairs.before() != pairs.after(), moves);
        assert_ne!(pairs.before().slice(0..1), pairs.before().slice(1..2));
        let z = truth.z_before.as_ref().unwrap();
        assert_ne!(cluttered.observation_of(z), with("").observation_of(z), "at rest");
    }
}

#[test]
fn sensor_noise_differs_between_the_pictures_of_a_pair() {
    let noisy =
        circuit("size = 24\nsamples = 1\nsensor_noise = 5.0\ninterventions = { none = 1.0 }");
    let (pairs, truth) = noisy.sample(3, Split::Train).unwrap();
    assert_ne!(pairs.before(), pairs.after());
    let clean = noisy.observation_of(truth.z_before.as_ref().unwrap());
    let off = pixels(pairs.before()).iter().zip(pixels(&clean));
    let square = off.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
    let level = (square / clean.dim() as f64 / 3.0).sqrt();
    assert!((level - 5.0).abs() < 0.3, "{level}");
}

#[test]
fn rows_may_be_drawn_alone() {
    let small = circuit(
        "size = 16\nsamples = 1\nsensor_noise = 3.0\ndistractors = { count = 2 }\n\
         interventions = { effect = 'soft', spill = 0.1 }",
    );
    let (pairs, truth) = small.sample(12, Split::Test).unwrap();
    let later = small.states(Split::Test, 7..12);
    assert_eq!(later, truth.slice(7..12));
    assert_eq!(small.observe(Split::Test, 7..12, &later).unwrap(), pairs.slice(7..12));
}

#[test]
fn states_out_of_range_can_be_drawn() {
    let small = circuit("size = 8\nsamples = 1");
    let ends = picture(&small, &[1.0, 0.0, 1.0, 0.0]);
    assert_eq!(picture(&small, &[7.0, -2.0, f64::INFINITY, f64::NAN]), ends);
}

/// The first pairs of the stored data sets, whatever the threads, the instructions and the build.
#[test]
fn the_first_pairs_of_the_stored_circuits_are_fixed() {
    let specs = [
        include_str!("../../../../datasets/circuit/spec.toml"),
        include_str!("../../../../datasets/circuit-six-lamps/spec.toml"),
        include_str!("../../../../datasets/circuit-cluttered/spec.toml"),
    ];
    for (text, expected) in specs.into_iter().zip(FIRST_PAIRS) {
        let spec: DatasetSpec = toml::from_str(text).unwrap();
        let Ok(GeneratorConfig::Circuit(config)) = spec.generator() else { panic!("{text}") };
        for threads in [1, 2] {
            let mut circuit = Circuit::new(&config).unwrap().by_threads(threads);
            if threads == 1 {
                circuit = circuit.with_instructions(InstructionSet::Baseline);
            }
            let (pairs, truth) = circuit.sample(6, Split::Train).unwrap();
            assert_eq!(checksum(&pairs, &truth), expected, "{threads} threads, {text}");
        }
    }
}

const FIRST_PAIRS: [&str; 3] = [
    "12af3890554cc1a917ce46fdffd8094adca37e403a6f703bea1201d371504114",
    "60c2df9567d3277ce782f588128c590f1aa2b8b88b3d5e02867535f6d3f5eca0",
    "2cbf37e3235593578b739ef9cdd9a910da4fcc9edaef25003971da3a7fe1d9a4",
];
