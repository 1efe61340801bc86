//! Laws of the learners that take samples of the variables, on systems with a known graph.

use domino_core::{Dag, Seed, Stream, StreamRng};
use domino_dag::baselines::{Dcdi, DcdiInterventions, Gies, Notears, Pc};
use domino_dag::networks::{DiscreteNetwork, GaussianScm, Intervention, Plan, Scale, draw_samples};
use domino_dag::{
    Column, DagError, Enco, EquivalenceClass, LearnedGraph, Mechanisms, Regime, Samples,
    StructureLearner,
};
use nalgebra::DMatrix;
use rand::RngExt;

fn rng(seed: u64) -> StreamRng {
    Seed(seed).rng(Stream::World)
}

/// ENCO small enough for a test.
fn small_enco() -> Enco {
    Enco { hidden: 16, graph_steps: 60, graphs: 40, sparsity: 0.01, ..Enco::default() }
}

fn plan(observational: usize, per_target: usize) -> Plan {
    Plan { observational, per_target, intervention: Intervention::Perfect }
}

/// A linear system on a graph: 0 → 1 → 2 ← 3, 1 → 3.
fn diamond() -> Dag {
    Dag::from_edges(4, &[(0, 1), (1, 2), (3, 2), (1, 3)]).expect("acyclic")
}

fn linear(dag: &Dag, plan: &Plan, seed: u64) -> Samples {
    let mut rng = rng(seed);
    let scm = GaussianScm::linear(dag.clone(), Scale::Unit, &mut rng);
    draw_samples(&scm, plan, &mut rng).expect("a sound plan")
}

fn learners() -> Vec<(&'static str, Box<dyn StructureLearner<Samples>>)> {
    vec![
        ("enco", Box::new(small_enco())),
        ("gies", Box::new(Gies::default())),
        ("pc", Box::new(Pc::default())),
        ("notears", Box::new(Notears::default())),
        ("notears mlp", Box::new(Notears::mlp())),
        ("dcdi", Box::new(Dcdi { steps: 1500, ..Dcdi::default() })),
    ]
}

fn assert_sound(name: &str, learned: &LearnedGraph, d: usize) {
    assert_eq!((learned.dim(), learned.order.len()), (d, d), "{name}");
    let place = |k: usize| learned.order.iter().position(|&o| o == k);
    assert!(learned.dag.edges().all(|(i, j)| place(i) < place(j)), "{name}");
    assert!(learned.edge_probs.iter().all(|p| (0.0..=1.0).contains(p)), "{name}");
}

#[test]
fn enco_finds_a_categorical_graph_from_known_and_inferred_targets() {
    let mut rng = rng(1);
    let network = DiscreteNetwork::random(diamond(), 5, &mut rng).unwrap();
    let samples = draw_samples(&network, &plan(3000, 200), &mut rng).unwrap();
    let fit = small_enco().fit(&samples, &mut rng).unwrap();
    assert_eq!(fit.graph.dag, diamond());
    assert!(fit.confounders.amax() < 0.35, "{}", fit.confounders);

    // Each target is known with probability 0.8 only, and its neighbour may be it instead.
    let blurred = samples.regimes().iter().map(|regime| Regime {
        targets: regime.targets.iter().flat_map(|&(k, _)| [(k, 0.8), ((k + 1) % 4, 0.1)]).collect(),
    });
    let regime_of = (0..samples.len()).map(|row| row.saturating_sub(3000 - 200) / 200).collect();
    let blurred = Samples::new(samples.columns().to_vec(), blurred.collect(), regime_of).unwrap();
    assert_eq!(small_enco().learn(&blurred, &mut rng).unwrap().dag, diamond());
}

#[test]
fn enco_finds_a_continuous_graph_from_perfect_and_from_soft_interventions() {
    for intervention in [Intervention::Perfect, Intervention::Soft] {
        let samples = linear(&diamond(), &Plan { intervention, ..plan(2000, 200) }, 2);
        let learned = small_enco().learn(&samples, &mut rng(3)).unwrap();
        assert_eq!(learned.dag, diamond(), "{intervention:?}");
        // Without regressions the indirect cause 0 of 3 may stay: dropping it gains less than the
        // networks are precise.
        let paper = Enco { mechanisms: Mechanisms::Any, ..small_enco() };
        let learned = paper.learn(&samples, &mut rng(3)).unwrap().dag;
        assert!(diamond().edges().all(|(i, j)| learned.has_edge(i, j)), "{intervention:?}");
        assert!(learned.edge_count() <= 5, "{intervention:?}: {learned:?}");
    }
}

/// Interventions set values two standard deviations off, of which few observational rows tell.
#[test]
fn folds_teach_enco_what_interventions_reach() {
    let enco = Enco { folds: 2, sparsity: 0.01, ..small_enco() };
    let scm = GaussianScm::nonlinear(diamond(), &mut rng(1));
    let samples = draw_samples(&scm, &plan(500, 200), &mut rng(1)).unwrap();
    assert_eq!(enco.learn(&samples, &mut rng(1)).unwrap().dag, diamond());
}

#[test]
fn enco_points_at_a_latent_common_cause() {
    // A hidden variable drives 0 and 1; 2 follows from 1.
    let mut rng = rng(4);
    let mut draw = |target: Option<usize>, rows: usize| {
        let mut columns = vec![vec![]; 3];
        for _ in 0..rows {
            let mut normal = || (0..12).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
            let hidden = normal();
            let mut z = [hidden + 0.4 * normal(), hidden + 0.4 * normal(), 0.0];
            let set = 2.0 + normal();
            if let Some(k @ 0..2) = target {
                z[k] = set;
            }
            z[2] = if target == Some(2) { set } else { z[1] + 0.5 * normal() };
            columns.iter_mut().zip(z).for_each(|(c, z)| c.push(z));
        }
        let columns = columns.into_iter().map(Column::Continuous).collect();
        let regime = target.map_or(Regime::OBSERVATIONAL, |k| Regime::known(&[k]));
        Samples::new(columns, vec![regime], vec![0; rows]).unwrap()
    };
    let parts = [draw(None, 2000), draw(Some(0), 300), draw(Some(1), 300), draw(Some(2), 300)];
    let samples = Samples::stacked(&parts).unwrap();
    let scores = small_enco().fit(&samples, &mut rng).unwrap().confounders;
    assert!(scores[(0, 1)] > 0.2, "{scores}");
    assert!(scores[(1, 2)] < 0.05 && scores[(0, 2)] < 0.05, "{scores}");
}

#[test]
fn without_interventions_enco_directs_nothing() {
    let learned =
        small_enco().learn(&linear(&Dag::chain(3), &plan(1000, 0), 5), &mut rng(6)).unwrap();
    assert_eq!(learned.dag, Dag::empty(3));
    assert!(learned.edge_probs[(0, 1)] > 0.3 && learned.edge_probs[(1, 0)] > 0.3);
}

#[test]
fn gies_with_interventions_and_ges_without_find_what_can_be_known() {
    let mut blind_hits = 0;
    for seed in 0..5 {
        let mut rng = rng(seed);
        let family = domino_dag::networks::GraphFamily::ErdosRenyi { edges_per_variable: 1.2 };
        let dag = family.draw(6, &mut rng).unwrap();
        let seen = Gies::default().learn(&linear(&dag, &plan(2000, 300), seed), &mut rng).unwrap();
        assert_eq!(seen.dag, dag, "seed {seed}");
        let blind = Gies::default().learn(&linear(&dag, &plan(5000, 0), seed), &mut rng).unwrap();
        blind_hits += usize::from(EquivalenceClass::of(&blind.dag) == EquivalenceClass::of(&dag));
    }
    // Greedy search may end in a neighbour of the best class.
    assert!(blind_hits >= 3, "{blind_hits} of 5");
}

#[test]
fn pc_finds_the_class_of_a_linear_and_of_a_categorical_graph() {
    let class = EquivalenceClass::of(&diamond());
    let learned =
        Pc::default().learn(&linear(&diamond(), &plan(20_000, 0), 7), &mut rng(8)).unwrap();
    assert_eq!(EquivalenceClass::of(&learned.dag), class);
    let collider = Dag::from_edges(3, &[(0, 1), (2, 1)]).unwrap();
    let mut rng = rng(9);
    let network = DiscreteNetwork::random(collider.clone(), 3, &mut rng).unwrap();
    let samples = draw_samples(&network, &plan(5000, 0), &mut rng).unwrap();
    assert_eq!(Pc::default().learn(&samples, &mut rng).unwrap().dag, collider);
}

#[test]
fn notears_finds_a_graph_whose_scale_tells_the_order() {
    let mut rng = rng(10);
    let scm = GaussianScm::linear(diamond(), Scale::Raw, &mut rng);
    let samples = draw_samples(&scm, &plan(2000, 0), &mut rng).unwrap();
    assert_eq!(Notears::default().learn(&samples, &mut rng).unwrap().dag, diamond());
}

#[test]
fn dcdi_finds_a_graph_from_perfect_and_from_soft_interventions() {
    for (intervention, interventions) in [
        (Intervention::Perfect, DcdiInterventions::Perfect),
        (Intervention::Soft, DcdiInterventions::Imperfect),
    ] {
        let samples = linear(&Dag::chain(3), &Plan { intervention, ..plan(1000, 300) }, 19);
        let learner = Dcdi { interventions, steps: 3000, ..Dcdi::default() };
        assert_eq!(learner.learn(&samples, &mut rng(20)).unwrap().dag, Dag::chain(3));
    }
}

#[test]
fn every_learner_answers_degenerate_data() {
    let copy = linear(&Dag::chain(3), &plan(300, 0), 11);
    let mut columns = copy.columns().to_vec();
    columns.push(columns[1].clone());
    columns.push(Column::Continuous(vec![7.0; copy.len()]));
    let odd = Samples::observational(columns).unwrap();
    let single = Samples::observational(vec![copy.columns()[0].clone()]).unwrap();
    let one_row = Samples::observational(vec![Column::Continuous(vec![1.0]); 2]).unwrap();
    for (name, learner) in learners() {
        let learned = learner.learn(&odd, &mut rng(12)).unwrap();
        assert_sound(name, &learned, 5);
        for (k, of) in [3, 4].into_iter().flat_map(|k| (0..5).map(move |of| (k, of))) {
            let none = learned.edge_probs[(k, of)] + learned.edge_probs[(of, k)];
            assert!(none < 1e-9, "{name}: {k} {of}");
        }
        assert_eq!(learner.learn(&single, &mut rng(13)).unwrap().dag, Dag::empty(1), "{name}");
        assert_eq!(learner.learn(&one_row, &mut rng(13)).unwrap().dag, Dag::empty(2), "{name}");
    }
}

#[test]
fn no_effects_give_few_edges() {
    let samples = linear(&Dag::empty(4), &plan(1000, 100), 14);
    for (name, learner) in learners() {
        let learned = learner.learn(&samples, &mut rng(15)).unwrap();
        assert_sound(name, &learned, 4);
        // Interventions shift the means, which pooled data cannot tell from effects.
        let most = if name.starts_with("notears") { 6 } else { 1 };
        assert!(learned.dag.edge_count() <= most, "{name}: {:?}", learned.dag);
    }
}

#[test]
fn a_variable_that_is_never_set_gets_its_direction_from_its_neighbours() {
    let all = linear(&Dag::chain(3), &plan(2000, 200), 16);
    // Rows that target variable 1 are left out: its edges are known by 0 and 2.
    let kept: Vec<usize> = (0..all.len()).filter(|&r| all.target_probability(r, 1) < 0.5).collect();
    let columns = all.columns().iter().map(|c| match c {
        Column::Continuous(v) => Column::Continuous(kept.iter().map(|&r| v[r]).collect()),
        Column::Categorical { .. } => unreachable!("continuous"),
    });
    let regimes: Vec<Regime> = kept.iter().map(|&r| all.regime(r).clone()).collect();
    let rows = (0..kept.len()).collect();
    let samples = Samples::new(columns.collect(), regimes, rows).unwrap();
    let learned = small_enco().learn(&samples, &mut rng(17)).unwrap();
    assert!(learned.dag.has_edge(0, 1) && learned.dag.has_edge(1, 2), "{:?}", learned.dag);
    assert_eq!(Gies::default().learn(&samples, &mut rng(18)).unwrap().dag, Dag::chain(3));
}

#[test]
fn kinds_and_options_that_do_not_fit_are_refused() {
    let states = Column::Categorical { values: vec![0, 1, 1, 0], states: 2 };
    let other = Column::Categorical { values: vec![0, 1, 0, 1], states: 2 };
    let samples = Samples::observational(vec![states, other]).unwrap();
    let error = Gies::default().learn(&samples, &mut rng(0)).unwrap_err();
    assert_eq!(error.to_string(), "column 0: expected a continuous variable");
    let error = Enco { graphs: 1, ..Enco::default() }.learn(&samples, &mut rng(0)).unwrap_err();
    assert_eq!(error, DagError::Option { key: "graphs", expected: "2 or more", got: 1.0 });
    assert!(Pc { level: 2.0, ..Pc::default() }.learn(&samples, &mut rng(0)).is_err());
    assert!(serde_json::from_str::<Enco>(r#"{"hiddn": 3}"#).is_err());
}

#[test]
fn beliefs_tell_their_certainty() {
    let probs = nalgebra::dmatrix![0.0, 0.9, 0.2; 0.05, 0.0, 0.1; 0.1, 0.0, 0.0];
    let learned = LearnedGraph::from_edge_probs(probs).unwrap();
    let certainty = learned.certainty();
    let expected = DMatrix::from_row_slice(3, 3, &[1.0, 0.9, 0.7, 0.9, 1.0, 0.9, 0.7, 0.9, 1.0]);
    assert!((certainty - expected).amax() < 1e-12);
    assert!((learned.expected_shd() - 0.5).abs() < 1e-12);
}
