use domino_core::Dag;
use domino_metrics::{
    Digraph, EdgeScores, Reversal, edge_scores, edge_scores_of_digraphs, shd, shd_of_digraphs,
};
use serde_json::Value;

use crate::support::{CLOSED_FORM, Report, count, json, matrix, number};

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
