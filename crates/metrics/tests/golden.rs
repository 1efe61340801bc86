//! Values that public tools computed, with their tolerances: see `meta` in
//! `golden/expected.json`. `DOMINO_GOLDEN` names another folder of the same form.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails the test")]

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use domino_core::{Dag, Seed, Stream};
use domino_metrics::{
    Correlation, DciOptions, Digraph, EdgeScores, Matching, Reversal, Sample, TargetAccuracy, dci,
    edge_scores, edge_scores_of_digraphs, mcc, mcc_out_of_sample, shd, shd_of_digraphs,
    target_accuracy, target_accuracy_under,
};
use nalgebra::DMatrix;
use npyz::{Deserialize, NpyFile};
use serde_json::{Map, Value};

/// Closed forms, recorded to 12 digits.
const CLOSED_FORM: f64 = 1e-9;
/// D and C from tree ensembles that break ties at random.
const TREES: f64 = 0.005;
/// C where one latent is an exact affine copy of another, which share at random.
const TREES_WITH_A_COPY: f64 = 0.06;
/// Entries of an importance matrix from such ensembles.
const IMPORTANCE: f64 = 0.02;
/// Mean squared errors, relative.
const INFORMATIVENESS: f64 = 0.03;

fn folder() -> PathBuf {
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"));
    std::env::var_os("DOMINO_GOLDEN").map_or_else(own, PathBuf::from)
}

fn json(file: &str) -> Value {
    let path = folder().join(file);
    let text = std::fs::read_to_string(&path);
    serde_json::from_str(&text.unwrap_or_else(|e| panic!("{}: {e}", path.display()))).unwrap()
}

fn npy<T: Deserialize>(file: &str) -> (Vec<usize>, Vec<T>) {
    let path = folder().join(file);
    let reader = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let array = NpyFile::new(BufReader::new(reader)).unwrap();
    let shape = array.shape().iter().map(|&n| n as usize).collect();
    (shape, array.into_vec().unwrap())
}

fn npy_matrix(file: &str) -> DMatrix<f64> {
    let (shape, values) = npy(file);
    DMatrix::from_row_slice(shape[0], shape[1], &values)
}

fn matrix(rows: &Value) -> DMatrix<f64> {
    let numbers = |row: &Value| row.as_array().unwrap().iter().map(number).collect::<Vec<_>>();
    let rows: Vec<Vec<f64>> = rows.as_array().unwrap().iter().map(numbers).collect();
    DMatrix::from_row_iterator(rows.len(), rows[0].len(), rows.iter().flatten().copied())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, got {value}"))
}

fn count(value: usize) -> f64 {
    value as f64
}

/// Collects every value that is off, so that one run shows them all.
#[derive(Default)]
struct Report {
    compared: usize,
    misses: Vec<String>,
}

impl Report {
    fn close(&mut self, what: &str, got: f64, expected: f64, tolerance: f64) {
        self.compared += 1;
        let off = (got - expected).abs();
        if off.is_nan() || off > tolerance {
            let miss = format!("{what}: expected {expected} ± {tolerance}, got {got}");
            self.misses.push(miss);
        }
    }

    fn close_matrix(&mut self, what: &str, got: &DMatrix<f64>, expected: &DMatrix<f64>, tol: f64) {
        assert_eq!(got.shape(), expected.shape(), "{what}");
        for i in 0..got.nrows() {
            for j in 0..got.ncols() {
                self.close(&format!("{what}[{i}, {j}]"), got[(i, j)], expected[(i, j)], tol);
            }
        }
    }

    /// Fails with all misses, or if hardly anything was compared.
    fn finish(self, at_least: usize) {
        assert!(self.misses.is_empty(), "\n{}", self.misses.join("\n"));
        assert!(self.compared >= at_least, "only {} values compared", self.compared);
    }
}

/// A pair case: its name, expected values, and the data of both splits.
struct Case {
    name: String,
    metrics: Map<String, Value>,
    /// Latents and factors.
    train: [DMatrix<f64>; 2],
    test: [DMatrix<f64>; 2],
}

impl Case {
    fn samples(&self) -> [Sample<'_>; 2] {
        [&self.train, &self.test].map(|[z, y]| Sample::new(z, y).unwrap())
    }
}

fn continuous_cases() -> Vec<Case> {
    let expected = json("expected.json");
    let pairs = expected["pairs"].as_object().unwrap();
    let read = |case: &Value, what: &str| npy_matrix(case["files"][what].as_str().unwrap());
    pairs
        .iter()
        .filter(|(name, _)| name.ends_with("_cont"))
        .map(|(name, case)| Case {
            name: name.clone(),
            metrics: case["metrics"].as_object().unwrap().clone(),
            train: [read(case, "z_train"), read(case, "y_train")],
            test: [read(case, "z_test"), read(case, "y_test")],
        })
        .collect()
}

#[test]
fn dci_agrees_with_the_reference_regressor() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let [train, test] = case.samples();
        let rng = &mut Seed(0).rng(Stream::Eval);
        let scores = dci(train, test, &DciOptions::default(), rng).unwrap();
        let expected = &case.metrics["dci_ilcm"];
        let has_copy = case.name == "dead_cont";

        let mut close = |what: &str, got, tolerance| {
            let expected = number(&expected[what]);
            report.close(&format!("{} dci_ilcm.{what}", case.name), got, expected, tolerance);
        };
        close("disentanglement", scores.disentanglement.score, TREES);
        let tolerance = if has_copy { TREES_WITH_A_COPY } else { TREES };
        close("completeness", scores.completeness.score, tolerance);
        for (what, got) in [
            ("informativeness_train", scores.informativeness_train.mean),
            ("informativeness_test", scores.informativeness_test.mean),
        ] {
            close(what, got, INFORMATIVENESS * number(&expected[what]));
        }
        let mut importances = [scores.importance, matrix(&expected["importance_matrix"])];
        if has_copy {
            importances = importances.map(with_copies_merged);
        }
        let what = format!("{} dci_ilcm.importance", case.name);
        report.close_matrix(&what, &importances[0], &importances[1], IMPORTANCE);
    }
    report.finish(100);
}

/// In `dead_cont`, latents 0 and 4 are affine copies: only their sum is comparable.
fn with_copies_merged(mut importance: DMatrix<f64>) -> DMatrix<f64> {
    let merged = importance.row(0) + importance.row(4);
    importance.set_row(0, &merged);
    importance.remove_row(4)
}

#[test]
fn mcc_agrees_with_icebeem() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let [train, test] = case.samples();
        for (name, correlation) in
            [("pearson", Correlation::Pearson), ("spearman", Correlation::Spearman)]
        {
            let (seen, swapped) = (mcc(train, correlation).unwrap(), swap(&case.train));
            let swapped = mcc(Sample::new(&swapped[0], &swapped[1]).unwrap(), correlation).unwrap();
            let unseen = mcc_out_of_sample(train, test, correlation).unwrap();
            let expected = &case.metrics[&format!("mcc_{name}")];
            let what = |part: &str| format!("{} mcc_{name}.{part}", case.name);
            if expected.get("error").is_some() {
                // The public code fails on a constant latent; the live ones hold all factors.
                assert!(seen.score > 0.9 && unseen.score > 0.9, "{}", what("value"));
                continue;
            }
            for (part, got) in [
                ("value", &seen),
                ("value_with_arguments_swapped", &swapped),
                ("out_of_sample", &unseen),
            ] {
                report.close(&what(part), got.score, number(&expected[part]), CLOSED_FORM);
            }
            let matrices = &case.metrics["correlation_matrices"];
            let correlations = matrix(&matrices[&format!("abs_{name}")]);
            report.close_matrix(
                &what("correlations"),
                &seen.correlations,
                &correlations,
                CLOSED_FORM,
            );
            if correlation == Correlation::Pearson {
                let assigned = matrices["assignment_factor_to_latent"].as_array().unwrap();
                let assigned: Vec<_> = assigned.iter().map(|i| Some(number(i) as usize)).collect();
                assert_eq!(seen.matching.latents(), assigned, "{}", what("assignment"));
            }
        }
    }
    report.finish(200);
}

fn swap([z, y]: &[DMatrix<f64>; 2]) -> [DMatrix<f64>; 2] {
    [y.clone(), z.clone()]
}

#[test]
fn target_accuracy_agrees_with_the_reference() {
    let mut report = Report::default();
    let expected = json("expected.json");
    for (n, case) in expected["intervention"].as_array().unwrap().iter().enumerate() {
        let posterior = npy_matrix(&format!("intervention/case{n}_posterior.npy"));
        let (_, labels) = npy::<i64>(&format!("intervention/case{n}_label.npy"));
        let labels: Vec<usize> = labels.iter().map(|&l| usize::try_from(l).unwrap()).collect();
        let scores = target_accuracy(&posterior, &labels).unwrap();
        let mut close = |part: &str, got: f64| {
            let what = format!("intervention case{n} {part}");
            report.close(&what, got, number(&case[part]), CLOSED_FORM);
        };
        close("intervention_accuracy", scores.accuracy.score);
        close("intervention_correct_posterior", scores.posterior.score);
        close("intervention_correct_log_posterior", scores.log_posterior.score);
        for (k, &mean) in scores.mean_posterior.iter().enumerate() {
            close(&format!("intervention_posterior_{k}"), mean);
        }
        assert_fixed_form_agrees(&scores, &posterior, &labels);
    }
    report.finish(20);
}

/// Under the matching it reports, each score is the one it reports.
fn assert_fixed_form_agrees(scores: &TargetAccuracy, posterior: &DMatrix<f64>, labels: &[usize]) {
    let under = |m: &Matching| target_accuracy_under(m, posterior, labels).unwrap();
    assert_eq!(under(&scores.accuracy.matching).accuracy, scores.accuracy);
    assert_eq!(under(&scores.posterior.matching).posterior, scores.posterior);
    assert_eq!(under(&scores.log_posterior.matching).log_posterior, scores.log_posterior);
}

/// The pairs of graphs of one kind with their expected values.
fn graph_cases(kind: &str) -> Vec<(String, Value, Value)> {
    let (graphs, expected) = (json("graphs/graphs.json"), json("expected.json"));
    let cases = graphs[kind].as_array().unwrap().iter();
    let expected = expected["graphs"][kind].as_array().unwrap().iter();
    assert_eq!(cases.len(), expected.len(), "{kind}");
    let named = cases.zip(expected).enumerate();
    named.map(|(n, (g, e))| (format!("{kind}[{n}]"), g.clone(), e.clone())).collect()
}

#[test]
fn dag_scores_agree_with_public_tools() {
    let mut report = Report::default();
    for (name, graphs, expected) in graph_cases("dag_pairs") {
        let [truth, predicted] =
            ["true", "pred"].map(|side| Dag::from_adjacency(&matrix(&graphs[side])).unwrap());
        let mut close = |part: &str, got: f64| {
            report.close(&format!("{name} {part}"), got, number(&expected[part]), CLOSED_FORM);
        };
        for (part, reversal) in
            [("shd_reversal1", Reversal::Once), ("shd_reversal2", Reversal::Twice)]
        {
            close(part, count(shd(&truth, &predicted, reversal).unwrap()));
        }
        let scores = edge_scores(&truth, &predicted).unwrap();
        close("tp", count(scores.directed.true_positives));
        close("fp", count(scores.directed.false_positives));
        close("fn", count(scores.directed.false_negatives));
        for (prefix, EdgeScores { precision, recall, f1, .. }) in
            [("", scores.directed), ("skeleton_", scores.skeleton)]
        {
            close(&format!("{prefix}precision"), precision);
            close(&format!("{prefix}recall"), recall);
            close(&format!("{prefix}f1"), f1);
        }
        let orientation = "orientation_accuracy_given_skeleton";
        match scores.orientation {
            Some(share) => close(orientation, share),
            None => assert!(expected[orientation].is_null(), "{name} {orientation}"),
        }
    }
    report.finish(2000);
}

#[test]
fn digraph_scores_agree_with_cdt() {
    let mut report = Report::default();
    for (name, graphs, expected) in graph_cases("digraph_pairs") {
        let [truth, predicted] =
            ["true", "pred"].map(|side| Digraph::from_adjacency(&matrix(&graphs[side])).unwrap());
        let mut close = |part: &str, got: f64| {
            report.close(&format!("{name} {part}"), got, number(&expected[part]), CLOSED_FORM);
        };
        for (part, reversal) in
            [("shd_reversal1_cdt", Reversal::Once), ("shd_reversal2_cdt", Reversal::Twice)]
        {
            close(part, count(shd_of_digraphs(&truth, &predicted, reversal).unwrap()));
        }
        let scores = edge_scores_of_digraphs(&truth, &predicted).unwrap().directed;
        close("precision", scores.precision);
        close("recall", scores.recall);
    }
    for (name, graphs, expected) in graph_cases("edge_probabilities") {
        let truth = Digraph::from_adjacency(&matrix(&graphs["true"])).unwrap();
        let predicted = Digraph::from_probs(&matrix(&graphs["edge_prob"]), 0.5).unwrap();
        let got = shd_of_digraphs(&truth, &predicted, Reversal::Once).unwrap();
        let expected = number(&expected["shd_at_0.5_reversal1"]);
        report.close(&format!("{name} shd_at_0.5_reversal1"), count(got), expected, CLOSED_FORM);
    }
    report.finish(150);
}
