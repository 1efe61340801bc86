//! Laws of structure learning from pairs whose variables can be seen.

use domino_core::{Dag, Seed, Stream, StreamRng};
use domino_dag::{LearnedGraph, PairRegression, PairVariables, StructureLearner};
use nalgebra::DMatrix;
use proptest::prelude::*;
use rand::RngExt;

/// Pairs whose targets take turns over none and all variables; `mechanism(k, z)` is the location of
/// `z_k`, to which noise from -1.7 to 1.7 is added.
fn pairs(
    d: usize,
    n: usize,
    rng: &mut StreamRng,
    mechanism: impl Fn(usize, &[f64]) -> f64,
) -> [DMatrix<f64>; 3] {
    let (mut before, mut after) = (DMatrix::zeros(n, d), DMatrix::zeros(n, d));
    let mut probs = DMatrix::zeros(n, d + 1);
    for row in 0..n {
        let noise: Vec<f64> = (0..d).map(|_| rng.random_range(-1.7..1.7)).collect();
        let label = row % (d + 1);
        probs[(row, label)] = 1.0;
        let new = rng.random_range(-1.7..1.7);
        let (mut z, mut moved) = (vec![0.0; d], vec![0.0; d]);
        for k in 0..d {
            z[k] = mechanism(k, &z) + noise[k];
            moved[k] = if label == k + 1 { new } else { mechanism(k, &moved) + noise[k] };
            (before[(row, k)], after[(row, k)]) = (z[k], moved[k]);
        }
    }
    [before, after, probs]
}

/// Weights of either sign from 0.05 to 1.85.
fn weight(j: usize, k: usize) -> f64 {
    let size = 0.05 + 0.2 * ((7 * j + 3 * k) % 10) as f64;
    if (j + k).is_multiple_of(3) { -size } else { size }
}

fn linear(dag: &Dag, n: usize, seed: u64) -> [DMatrix<f64>; 3] {
    let location =
        |k: usize, z: &[f64]| dag.parents(k).map(|j| weight(j, k) * z[j]).sum::<f64>() + 3.0;
    pairs(dag.dim(), n, &mut rng(seed), location)
}

fn learn([before, after, probs]: [DMatrix<f64>; 3]) -> LearnedGraph {
    let variables = PairVariables::new(before, after, probs).expect("variables of one shape");
    PairRegression::default().learn(&variables, &mut rng(0)).expect("default options")
}

fn rng(seed: u64) -> StreamRng {
    Seed(seed).rng(Stream::Data)
}

fn forward(d: usize, bits: u64) -> Dag {
    Dag::forward(d, |i, j| bits >> (i * d + j) & 1 == 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two pairs per target are enough where nothing errs.
    #[test]
    fn linear_graphs_are_exact_from_a_few_pairs(bits in any::<u64>(), seed in 0_u64..1000) {
        let dag = forward(8, bits);
        prop_assert_eq!(learn(linear(&dag, 36, seed)).dag, dag);
    }

    #[test]
    fn relabelling_relabels_and_units_do_nothing(bits in any::<u64>(), seed in 0_u64..1000) {
        let (d, names) = (5, [3, 0, 4, 1, 2]);
        let dag = forward(d, bits);
        let parts = linear(&dag, 60, seed);
        let [before, after] = [0, 1].map(|side| {
            DMatrix::from_fn(60, d, |r, c| 5.0 - 1e3 * parts[side][(r, names[c])])
        });
        let probs = DMatrix::from_fn(60, d + 1, |r, c| {
            parts[2][(r, if c == 0 { 0 } else { names[c - 1] + 1 })]
        });
        let place = |k: usize| names.iter().position(|&n| n == k).unwrap();
        let edges: Vec<_> = dag.edges().map(|(i, j)| (place(i), place(j))).collect();
        prop_assert_eq!(learn([before, after, probs]).dag, Dag::from_edges(d, &edges).unwrap());
    }

    #[test]
    fn any_variables_give_an_acyclic_graph(
        values in proptest::collection::vec(-3.0..3.0_f64, 8 * 10),
    ) {
        let part = |from: usize| DMatrix::from_fn(8, 3, |r, c| values[r * 10 + from + c]);
        let mut probs = DMatrix::from_fn(8, 4, |r, c| values[r * 10 + 6 + c].abs() + 1e-3);
        probs.row_iter_mut().for_each(|mut row| row /= row.sum());
        let learned = learn([part(0), part(3), probs]);
        prop_assert!(learned.edge_probs.iter().all(|p| (0.0..=1.0).contains(p)));
        prop_assert!(learned.dag.edges().all(|at| learned.edge_probs[at] > 0.5));
    }
}

#[test]
fn large_full_graphs_are_exact() {
    let dag = Dag::forward(20, |_, _| true);
    assert_eq!(learn(linear(&dag, 200, 1)).dag, dag);
}

/// Rounding to `f32` is error enough to hide an edge that is only as strong as itself.
#[test]
fn rounding_and_small_errors_leave_the_graph() {
    let dag = forward(6, 0x5a5a_5a5a_5a5a_5a5a);
    let [before, after, probs] = linear(&dag, 3_000, 2);
    let round = |m: &DMatrix<f64>| m.map(|v| f64::from(v as f32));
    assert_eq!(learn([round(&before), round(&after), probs.clone()]).dag, dag);
    let mut noise = rng(3);
    let mut blur = |m: DMatrix<f64>| m.map(|v| v + noise.random_range(-0.01..0.01));
    let learned = learn([blur(before), blur(after), probs]);
    let strong = |i, j| weight(i, j).abs() > 0.2;
    assert!(dag.edges().filter(|&(i, j)| strong(i, j)).all(|(i, j)| learned.dag.has_edge(i, j)));
    assert!(learned.dag.edges().filter(|&(i, j)| !dag.has_edge(i, j)).count() <= 1);
}

#[test]
fn an_unseen_intervention_leaves_the_direction_to_the_neighbour() {
    let [before, after, probs] = linear(&Dag::chain(3), 400, 4);
    let hide = |targets: &[usize]| {
        let mut hidden = probs.clone();
        for mut row in hidden.row_iter_mut() {
            if targets.iter().any(|&k| row[k + 1] > 0.5) {
                row.fill(0.0);
            }
        }
        learn([before.clone(), after.clone(), hidden])
    };
    assert_eq!(
        hide(&[1]).dag,
        Dag::chain(3),
        "the others move, or do not, when neighbours are set"
    );
    let open = hide(&[0, 1]);
    assert!(!open.dag.has_edge(0, 1) && !open.dag.has_edge(1, 0));
    assert!((open.edge_probs[(0, 1)] - 0.5).abs() < 1e-6 && open.dag.has_edge(1, 2));
}

#[test]
fn constant_and_repeated_variables_get_no_edges() {
    let mut parts = linear(&Dag::chain(4), 400, 5);
    for side in &mut parts[..2] {
        let copy = side.column(2).into_owned();
        side.set_column(3, &copy);
        side.column_mut(0).fill(7.0);
    }
    assert_eq!(learn(parts).dag, Dag::from_edges(4, &[(1, 2)]).unwrap());
}

#[test]
fn an_indirect_cause_is_not_a_direct_one_along_a_curved_chain() {
    let bend = |k: usize, z: &[f64]| if k == 0 { 0.0 } else { 2.0 * (1.5 * z[k - 1]).sin() };
    assert_eq!(learn(pairs(3, 3_000, &mut rng(6), bend)).dag, Dag::chain(3));
}
