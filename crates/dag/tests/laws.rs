//! Laws of structure learning from pairs, on systems drawn by hand.

use domino_core::{Dag, Seed, Stream, StreamRng};
use domino_dag::{DagError, Mechanisms, PairCodes, PairRegression, StructureLearner};
use nalgebra::DMatrix;
use proptest::prelude::*;
use rand::RngExt;

/// Codes of a system whose new codes follow from `mechanism(k, z)`, the location and scale of `z_k`.
fn pairs(
    d: usize,
    n: usize,
    rng: &mut StreamRng,
    mechanism: impl Fn(usize, &[f64]) -> (f64, f64),
) -> [DMatrix<f64>; 3] {
    let before = DMatrix::from_fn(n, d, |_, _| normal(rng));
    let (mut after, mut probs) = (before.clone(), DMatrix::zeros(n, d + 1));
    for row in 0..n {
        let mut z = vec![0.0; d];
        for k in 0..d {
            let (location, scale) = mechanism(k, &z);
            z[k] = location + scale * before[(row, k)];
        }
        let label = row % (d + 1);
        probs[(row, label)] = 1.0;
        if let Some(k) = label.checked_sub(1) {
            let (location, scale) = mechanism(k, &z);
            after[(row, k)] = (normal(rng) - location) / scale;
        }
    }
    [before, after, probs]
}

fn normal(rng: &mut StreamRng) -> f64 {
    (0..12).map(|_| rng.random::<f64>() - 0.5).sum()
}

/// `z_k = Σ_{j->k} w z_j + e_k` with weights from 0.8 to 1.2 of either sign.
fn linear(dag: &Dag, n: usize, rng: &mut StreamRng) -> [DMatrix<f64>; 3] {
    let weight = |j: usize, k: usize| {
        let size = 0.8 + 0.1 * ((3 * j + 5 * k) % 5) as f64;
        if (j + k).is_multiple_of(3) { -size } else { size }
    };
    pairs(dag.dim(), n, rng, |k, z| (dag.parents(k).map(|j| weight(j, k) * z[j]).sum(), 1.0))
}

fn learn(parts: &[DMatrix<f64>; 3]) -> domino_dag::LearnedGraph {
    let [before, after, probs] = parts.clone();
    let codes = PairCodes::new(before, after, probs).expect("codes of one shape");
    let learned = PairRegression::default().learn(&codes, &mut Seed(0).rng(Stream::Eval));
    learned.expect("default options")
}

fn rng(seed: u64) -> StreamRng {
    Seed(seed).rng(Stream::Data)
}

fn upper_dag() -> impl Strategy<Value = Dag> {
    (2_usize..5, any::<u16>())
        .prop_map(|(d, bits)| Dag::forward(d, |i, j| bits >> (i * (d - 1) + j - 1) & 1 == 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn relabelling_relabels_and_flips_do_nothing(
        dag in upper_dag(),
        seed in 0_u64..1000,
        shift in 1_usize..4,
        flips in any::<[bool; 5]>(),
    ) {
        let d = dag.dim();
        let parts = linear(&dag, 2_000, &mut rng(seed));
        let to: Vec<usize> = (0..d).map(|k| (k + shift) % d).collect();
        let mut moved = parts.clone();
        for k in 0..d {
            let factor = if flips[k] { -3.0 } else { 1.0 };
            for side in 0..2 {
                moved[side].set_column(to[k], &(parts[side].column(k) * factor));
            }
            moved[2].set_column(to[k] + 1, &parts[2].column(k + 1));
        }
        let (plain, moved) = (learn(&parts), learn(&moved));
        prop_assert_eq!(plain.dag.relabelled(&to).unwrap(), moved.dag);
        for (j, k) in (0..d).flat_map(|j| (0..d).map(move |k| (j, k))) {
            let at = (to[j], to[k]);
            prop_assert!((plain.edge_probs[(j, k)] - moved.edge_probs[at]).abs() < 1e-6);
            prop_assert!((plain.strengths[(j, k)] - moved.strengths[at]).abs() < 1e-6);
        }
    }

    /// Codes without any system behind them, few or many: an answer is an acyclic graph all the same.
    #[test]
    fn any_codes_give_an_acyclic_graph(
        d in 1_usize..5,
        n in 1_usize..200,
        seed in any::<u64>(),
        copy in any::<bool>(),
    ) {
        let mut rng = rng(seed);
        let mut before = DMatrix::from_fn(n, d, |_, _| normal(&mut rng));
        if copy {
            let first = before.column(0).into_owned();
            before.set_column(d - 1, &first);
        }
        let after = &before * DMatrix::from_fn(d, d, |_, _| normal(&mut rng));
        let mut probs = DMatrix::zeros(n, d + 1);
        (0..n).for_each(|row| probs[(row, rng.random_range(0..=d))] = 1.0);
        let learned = learn(&[before, after, probs]);
        prop_assert!(learned.edge_probs.iter().all(|p| (0.0..=1.0).contains(p)));
        prop_assert!(learned.strengths.iter().all(|s| s.is_finite() && *s >= 0.0));
        for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))) {
            prop_assert_eq!(learned.dag.has_edge(i, j), learned.edge_probs[(i, j)] > 0.5);
        }
    }
}

/// All 64 graphs that run forward over four variables; an edge by chance is rare, not impossible.
#[test]
fn linear_graphs_are_found() {
    let mut exact = 0;
    for bits in 0..64_u64 {
        let mut pair = 0;
        let dag = Dag::forward(4, |_, _| {
            pair += 1;
            bits >> (pair - 1) & 1 == 1
        });
        let learned = learn(&linear(&dag, 5_000, &mut rng(bits)));
        assert!(dag.edges().all(|(i, j)| learned.dag.has_edge(i, j)), "{dag:?} {:?}", learned.dag);
        let place = |k| learned.order.iter().position(|&o| o == k);
        assert!(dag.edges().all(|(i, j)| place(i) < place(j)));
        exact += usize::from(learned.dag == dag);
    }
    assert!(exact >= 62, "{exact} of 64");
}

#[test]
fn no_effects_give_no_edges() {
    for seed in 0..10 {
        assert_eq!(learn(&linear(&Dag::empty(5), 3_000, &mut rng(seed))).dag, Dag::empty(5));
    }
}

#[test]
fn one_variable_has_the_trivial_graph() {
    let learned = learn(&linear(&Dag::empty(1), 50, &mut rng(1)));
    assert_eq!((learned.dag, learned.order), (Dag::empty(1), vec![0]));
    assert!(learned.edge_probs[(0, 0)].abs() < 1e-12);
}

#[test]
fn a_variable_that_is_never_set_can_be_a_cause_only() {
    let [before, after, mut probs] = linear(&Dag::chain(3), 4_000, &mut rng(2));
    for row in 0..4_000 {
        if probs[(row, 2)] > 0.5 {
            (probs[(row, 2)], probs[(row, 0)]) = (0.0, 1.0);
        }
    }
    let learned = learn(&[before, after, probs]);
    assert!(learned.dag.has_edge(1, 2), "what it causes is seen at the effect");
    assert!(learned.dag.parents(1).next().is_none(), "nothing shows what causes it");
    assert!((learned.edge_probs[(0, 1)] - 0.5).abs() < 0.05, "{}", learned.edge_probs);
    assert!(learned.edge_probs[(2, 1)] < 0.01, "it is known to be the cause there");
}

#[test]
fn without_interventions_nothing_is_known() {
    let [before, after, mut probs] = linear(&Dag::chain(3), 300, &mut rng(3));
    probs.fill(0.25);
    let learned = learn(&[before, after, probs]);
    assert_eq!(learned.dag, Dag::empty(3));
    for (j, k) in [(0, 1), (1, 0), (2, 0), (1, 2)] {
        assert!((learned.edge_probs[(j, k)] - 1.0 / 3.0).abs() < 1e-12);
    }
}

#[test]
fn constant_and_repeated_codes_get_no_edges() {
    let [mut before, mut after, probs] = linear(&Dag::chain(4), 5_000, &mut rng(4));
    let copy = before.column(2).into_owned();
    before.set_column(3, &copy);
    let copy = after.column(2).into_owned();
    after.set_column(3, &copy);
    before.column_mut(0).fill(7.0);
    after.column_mut(0).fill(7.0);
    let learned = learn(&[before, after, probs]);
    assert!(learned.dag.parents(0).chain(learned.dag.children(0)).next().is_none());
    assert!(!learned.dag.has_edge(2, 3) && !learned.dag.has_edge(3, 2));
}

#[test]
fn the_strength_of_a_linear_edge_is_twice_its_share_of_variance() {
    let parts = pairs(2, 60_000, &mut rng(5), |k, z| (if k == 1 { 2.0 * z[0] } else { 0.0 }, 1.0));
    let strength = learn(&parts).strengths[(0, 1)];
    assert!((strength - 2.0 * 4.0 / 5.0).abs() < 0.03, "{strength}");
}

#[test]
fn an_indirect_cause_is_not_a_direct_one_along_a_curved_chain() {
    let chain = |k: usize, z: &[f64]| match k {
        0 => (0.0, 1.0),
        _ => (1.5 * (1.5 * z[k - 1]).tanh(), (0.4 * (2.0 * z[k - 1]).tanh()).exp()),
    };
    let [before, after, probs] = pairs(3, 8_000, &mut rng(6), chain);
    let codes = PairCodes::new(before.clone(), after, probs).unwrap();
    let fit = PairRegression::default().fit(&codes, &mut rng(7)).unwrap();
    assert_eq!((fit.graph.dag, fit.mechanisms), (Dag::chain(3), Mechanisms::Any));
    let mut truth = before;
    for row in 0..truth.nrows() {
        for k in 1..3 {
            let z: Vec<f64> = truth.row(row).iter().copied().collect();
            let (location, scale) = chain(k, &z);
            truth[(row, k)] = location + scale * z[k];
        }
    }
    for k in 0..3 {
        let correlation = correlation(&truth, &fit.z_before, k);
        assert!(correlation > 0.98, "z{k}: {correlation}");
    }
}

#[test]
fn a_cause_of_the_scale_alone_is_found() {
    let scale = |k: usize, z: &[f64]| match k {
        1 => (0.0, (0.5 * z[0]).clamp(-1.0, 1.0).exp()),
        _ => (0.0, 1.0),
    };
    assert_eq!(learn(&pairs(2, 6_000, &mut rng(8), scale)).dag, Dag::chain(2));
}

#[test]
fn wrong_targets_and_errors_of_the_codes_are_survived() {
    let dag = Dag::from_edges(4, &[(0, 1), (0, 2), (1, 2), (2, 3)]).unwrap();
    let mut rng = rng(9);
    let [mut before, mut after, mut probs] = linear(&dag, 10_000, &mut rng);
    before.iter_mut().chain(after.iter_mut()).for_each(|e| *e += 0.03 * normal(&mut rng));
    for row in (0..10_000).step_by(33) {
        probs.row_mut(row).fill(0.0);
        probs[(row, rng.random_range(0..=4))] = 1.0;
    }
    assert_eq!(learn(&[before, after, probs]).dag, dag);
}

#[test]
fn graphs_and_options_survive_json() {
    let learned = learn(&linear(&Dag::chain(3), 1_000, &mut rng(10)));
    let json = serde_json::to_string(&learned).unwrap();
    assert_eq!(serde_json::from_str::<domino_dag::LearnedGraph>(&json).unwrap(), learned);
    let options: PairRegression = serde_json::from_str(r#"{"mechanisms": "linear"}"#).unwrap();
    let expected = PairRegression { mechanisms: Mechanisms::Linear, ..PairRegression::default() };
    assert_eq!(options, expected);
    assert!(serde_json::from_str::<PairRegression>(r#"{"mechanism": "linear"}"#).is_err());
}

#[test]
fn options_out_of_range_are_refused() {
    let [before, after, probs] = linear(&Dag::chain(2), 100, &mut rng(11));
    let codes = PairCodes::new(before, after, probs).unwrap();
    let learner = PairRegression { least_target_probability: 1.5, ..PairRegression::default() };
    let error = learner.learn(&codes, &mut rng(12)).unwrap_err();
    let key = "least_target_probability";
    assert_eq!(error, DagError::Option { key, expected: "a number from 0 to 1", got: 1.5 });
}

fn correlation(a: &DMatrix<f64>, b: &DMatrix<f64>, k: usize) -> f64 {
    let centred = |m: &DMatrix<f64>| m.column(k).add_scalar(-m.column(k).mean());
    let (a, b) = (centred(a), centred(b));
    a.dot(&b).abs() / (a.norm() * b.norm())
}
