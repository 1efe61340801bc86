use domino_core::{Dag, GroundTruth, InterventionTarget};
use nalgebra::{DMatrix, dmatrix};
use proptest::prelude::*;

use super::beta::Beta;
use super::*;
use crate::generator::Split;
use crate::interventions::InterventionConfig;

const ROWS: usize = 20_000;

/// A diamond with a level at its side: 0 -> 1, 0 -> 2, 1 -> 3, 2 -> 3, and 4 alone.
#[derive(Debug)]
struct Diamond(Dag);

impl UnitMechanisms for Diamond {
    fn dag(&self) -> &Dag {
        &self.0
    }

    fn names(&self) -> Vec<String> {
        ["top", "left", "right", "bottom", "side"].map(String::from).to_vec()
    }

    fn law(&self, of: usize, z: &[f64]) -> UnitLaw {
        match of {
            0 => UnitLaw::Uniform,
            4 => UnitLaw::Levels(3),
            _ => {
                let sum: f64 = self.0.parents(of).map(|p| z[p]).sum();
                UnitLaw::beta(0.2 + 0.3 * sum, 5.0)
            }
        }
    }
}

fn diamond(interventions: &str) -> UnitScm<Diamond> {
    let dag = Dag::from_edges(5, &[(0, 1), (0, 2), (1, 3), (2, 3)]).unwrap();
    let config: InterventionConfig = toml::from_str(interventions).unwrap();
    UnitScm::new(Diamond(dag), config.law(5).unwrap())
}

fn sample(interventions: &str) -> GroundTruth {
    diamond(interventions).states(1, Split::Train, 0..ROWS)
}

/// The Kolmogorov–Smirnov distance to the uniform law, times the root of the number of values:
/// above 1.95 with a probability of 0.1 %.
fn ks(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let off = |(i, v): (usize, &f64)| (v - i as f64 / n).abs().max(((i + 1) as f64 / n - v).abs());
    values.iter().enumerate().map(off).fold(0.0, f64::max) * n.sqrt()
}

#[test]
fn the_incomplete_beta_function_has_known_values() {
    // I_x(1, b) = 1 − (1 − x)^b, I_x(a, 1) = x^a, I_{1/2}(a, a) = 1/2.
    for x in [1e-4, 0.03, 0.4, 0.77, 0.9999] {
        let lower = |a, b| Beta::new(a, b).tails(x, 1.0 - x).0;
        assert!((lower(1.0, 3.7) - (1.0 - (1.0 - x).powf(3.7))).abs() < 1e-14);
        assert!((lower(2.6, 1.0) / x.powf(2.6) - 1.0).abs() < 1e-12);
        // The binomial sum P(at least 2 of 4).
        let y = 1.0 - x;
        let two_of_four = 6.0 * x * x * y * y + 4.0 * x.powi(3) * y + x.powi(4);
        assert!((lower(2.0, 3.0) / two_of_four - 1.0).abs() < 1e-12);
    }
    for a in [0.3, 1.0, 17.0, 400.0] {
        assert!((Beta::new(a, a).tails(0.5, 0.5).0 - 0.5).abs() < 1e-12);
    }
}

proptest! {
    #[test]
    fn noise_and_value_determine_each_other(mean in 0.02..0.98, size in 0.6..80.0, e in -7.0..7.0) {
        for law in [UnitLaw::beta(mean, size), UnitLaw::Uniform] {
            let z = law.z_from_e(e);
            prop_assert!((LEAST..=MOST).contains(&z));
            if z > LEAST && z < MOST {
                let again = law.e_from_z(z);
                // Near 1 the value itself holds fewer digits of its distance to 1.
                prop_assert!((again - e).abs() < 1e-9 * (1.0 + e.abs()), "{:?} {} {} {}", law, e, z, again);
            }
            prop_assert!(law.z_from_e(e + 0.01) >= z, "monotone");
            prop_assert!((law.mirrored().z_from_e(-e) + z - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn levels_are_those_of_the_uniform_noise(n in 1_usize..20, e in -8.0..8.0) {
        let law = UnitLaw::Levels(n);
        let level = law.z_from_e(e);
        prop_assert!(level >= 0.0 && level < n as f64 && level.fract() == 0.0);
        prop_assert!((law.z_from_e(law.e_from_z(level)) - level).abs() < f64::EPSILON);
        prop_assert!((law.valid(level + 0.4) - level).abs() < f64::EPSILON);
    }
}

#[test]
fn extreme_values_have_finite_noise() {
    for (a, b) in [(4.0, 1.0), (1.0, 4.0), (40.0, 10.0), (0.5, 0.5)] {
        for z in [LEAST, MOST] {
            assert!(UnitLaw::Beta { a, b }.e_from_z(z).is_finite(), "{a} {b} {z}");
        }
    }
}

#[test]
fn variables_follow_their_laws_given_their_parents() {
    let truth = sample("");
    let z = truth.z_before.unwrap();
    let scm = diamond("");
    // By the probability integral transform; ends of the range are a few values in ten thousand.
    for j in 0..4 {
        let u = |row: usize| {
            let state: Vec<f64> = z.row(row).iter().copied().collect();
            match scm.mechanisms().law(j, &state) {
                UnitLaw::Beta { a, b } => Beta::new(a, b).tails(z[(row, j)], 1.0 - z[(row, j)]).0,
                _ => z[(row, j)],
            }
        };
        let distance = ks((0..ROWS).map(u).collect());
        assert!(distance < 1.95, "variable {j}: {distance}");
    }
    for level in 0..3 {
        let count = z.column(4).iter().filter(|v| (**v - f64::from(level)).abs() < 0.5).count();
        assert!((count as f64 - ROWS as f64 / 3.0).abs() < 340.0, "level {level}: {count}");
    }
}

#[test]
fn targets_take_uniform_values_and_all_else_keeps_its_noise() {
    let truth = sample("");
    let scm = diamond("");
    let (z, z_after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    let (e, e_after) = (truth.e_before.unwrap(), truth.e_after.unwrap());
    let targets = truth.targets.unwrap();
    for (row, target) in targets.iter().enumerate() {
        for j in 0..5 {
            let hit = target.variables();
            let kept = e[(row, j)].to_bits() == e_after[(row, j)].to_bits();
            assert!(kept || hit.contains(&j));
            let reached = |&k: &usize| k == j || scm.mechanisms().dag().descendants(k)[j];
            let same = z[(row, j)].to_bits() == z_after[(row, j)].to_bits();
            assert!(same || hit.iter().any(reached));
        }
    }
    for k in 0..4 {
        let rows = (0..ROWS).filter(|&r| targets[r] == InterventionTarget::Atomic(k));
        let distance = ks(rows.map(|r| z_after[(r, k)]).collect());
        assert!(distance < 1.95, "do({k}): {distance}");
    }
    assert!((scm.z_from_e(&e_after) - &z_after).amax() < 1e-9);
    let inner = z.columns(0, 4).into_owned().insert_column(4, 1.0);
    let recovered = scm.e_from_z(&inner);
    let ends = |v: f64| v <= LEAST || v >= MOST;
    for row in 0..ROWS {
        for j in 0..4 {
            let close = (recovered[(row, j)] - e[(row, j)]).abs() < 1e-8;
            assert!(close || ends(z[(row, j)]), "[{row}, {j}]");
        }
    }
}

#[test]
fn a_soft_target_has_the_mirrored_law_of_its_parents() {
    let truth = sample("effect = 'soft'\nnone = 0.0\nweights = [0, 0, 0, 1, 0]");
    let z = truth.z_after.unwrap();
    let scm = diamond("");
    let u = |row: usize| {
        let state: Vec<f64> = z.row(row).iter().copied().collect();
        let UnitLaw::Beta { a, b } = scm.mechanisms().law(3, &state).mirrored() else {
            panic!("the bottom is Beta")
        };
        Beta::new(a, b).tails(z[(row, 3)], 1.0 - z[(row, 3)]).0
    };
    assert!(ks((0..ROWS).map(u).collect()) < 1.95);
}

#[test]
fn imperfect_interventions_stay_in_range_and_leak() {
    let truth = sample("leak = 0.5\ntargets = { each = 0.5 }\ndrift = 0.1\nspill = 0.1");
    let (z, z_after) = (truth.z_before.unwrap(), truth.z_after.unwrap());
    for (row, target) in truth.targets.unwrap().iter().enumerate() {
        for &k in target.variables() {
            let (old, new) = (z[(row, k)], z_after[(row, k)]);
            assert!(k == 4 || (new >= 0.5 * old && new <= 0.5 + 0.5 * old + 1e-12));
            assert!(k != 4 || new.fract().abs() < f64::EPSILON, "a level stays a level");
        }
    }
}

#[test]
fn rows_may_be_drawn_alone_and_interventions_by_hand() {
    let scm = diamond("");
    let all = scm.states(9, Split::Test, 0..30);
    assert_eq!(scm.states(9, Split::Test, 12..30), all.slice(12..30));
    assert_ne!(scm.states(9, Split::Train, 0..30), all);

    let e = dmatrix![0.2, -0.4, 1.0, 0.0, 0.3];
    let both = InterventionTarget::from_mask(&[false, true, false, false, true]);
    let values = DMatrix::from_row_slice(1, 5, &[0.0, 7.0, 0.0, 0.0, 1.8]);
    let after = scm.intervene(&e, &[both], &values);
    assert_eq!((after.z[(0, 1)], after.z[(0, 4)]), (MOST, 2.0), "set to the closest valid values");
    assert_eq!(after.z[(0, 0)].to_bits(), scm.z_from_e(&e)[(0, 0)].to_bits());
}

/// Stored data sets depend on these bits, on every platform.
#[test]
fn the_first_states_are_fixed_for_ever() {
    let z = diamond("").states(1, Split::Train, 0..1).z_after.unwrap();
    let bits: Vec<u64> = z.iter().map(|v| v.to_bits()).collect();
    assert_eq!(bits, FIRST_STATE, "{z}");
}

const FIRST_STATE: [u64; 5] = [
    4_554_467_853_826_438_142,
    4_594_594_322_389_545_736,
    4_596_964_657_378_537_752,
    4_593_026_277_480_944_350,
    4_607_182_418_800_017_408,
];
