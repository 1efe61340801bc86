use domino_core::Dag;
use domino_metrics::{
    Adjustment, Digraph, EdgeScores, Reversal, ShdConvention, adjustment_distance,
    cdt_area_under_precision_recall, edge_prob_scores, edge_scores, edge_scores_of_digraphs,
    edit_distance, gcastle_rates, orientation_accuracy, shd, shd_by_convention, shd_of_classes,
    shd_of_digraphs, sid, unlabelled_edit_distance,
};
use serde_json::Value;

use crate::support::{CLOSED_FORM, Report, count, json, matrix, number};

/// gcastle rounds to four decimals.
const FOUR_DECIMALS: f64 = 1e-4;

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
        let what = "orientation_accuracy_given_skeleton";
        report.close_option(
            &format!("{name} {what}"),
            scores.orientation,
            &expected[what],
            CLOSED_FORM,
        );
    }
    report.finish(100);
}

#[test]
fn effects_and_classes_agree_with_gadjid_and_causal_learn() {
    let mut report = Report::default();
    for (name, graphs, expected) in graph_cases("dag_pairs") {
        let [truth, predicted] =
            ["true", "pred"].map(|side| Dag::from_adjacency(&matrix(&graphs[side])).unwrap());
        let mut close = |part: &str, got: f64| {
            report.close(&format!("{name} {part}"), got, number(&expected[part]), CLOSED_FORM);
        };
        let wrong = sid(&truth, &predicted).unwrap();
        close("sid", count(wrong.count));
        close("sid_normalised_gadjid", wrong.share);
        for (part, adjustment) in [
            ("parent_aid", Adjustment::Parents),
            ("ancestor_aid", Adjustment::Ancestors),
            ("oset_aid", Adjustment::Optimal),
        ] {
            close(part, count(adjustment_distance(&truth, &predicted, adjustment).unwrap().count));
        }
        close("shd_cpdag", count(shd_of_classes(&truth, &predicted).unwrap()));
        let [truth, predicted] = [&truth, &predicted].map(Digraph::from);
        let labelled = count(edit_distance(&truth, &predicted).unwrap());
        close("shd_reversal2", labelled);
        if expected.get("ged_unlabelled").is_some() {
            close("ged_unlabelled", count(unlabelled_edit_distance(&truth, &predicted).unwrap()));
        }
    }
    report.finish(100);
}

#[test]
fn dag_scores_agree_with_gcastle_and_citris() {
    let mut report = Report::default();
    for (name, graphs, expected) in graph_cases("dag_pairs") {
        let [truth, predicted] =
            ["true", "pred"].map(|side| Digraph::from_adjacency(&matrix(&graphs[side])).unwrap());
        compare_with_citris(&mut report, &name, [&truth, &predicted], &expected["citris"]);
        let rates = gcastle_rates(&truth, &predicted).unwrap();
        let directed = edge_scores_of_digraphs(&truth, &predicted).unwrap().directed;
        let shd = shd_by_convention(&truth, &predicted, ShdConvention::Gcastle).unwrap();
        let edges = directed.true_positives + directed.false_positives;
        for (part, got) in [
            ("fdr", rates.false_discovery),
            ("tpr", rates.true_positive),
            ("fpr", rates.false_positive),
            ("gscore", rates.gscore),
            ("shd", count(shd)),
            ("nnz", count(edges)),
            ("precision", directed.precision),
            ("recall", directed.recall),
            ("F1", directed.f1),
        ] {
            let expected = &expected["gcastle_4dec"][part];
            // gcastle divides by zero where we say 0.
            let expected = if expected.is_null() { 0.0 } else { number(expected) };
            report.close(&format!("{name} gcastle {part}"), got, expected, FOUR_DECIMALS);
        }
    }
    report.finish(100);
}

fn compare_with_citris(report: &mut Report, name: &str, graphs: [&Digraph; 2], expected: &Value) {
    let [truth, predicted] = graphs;
    let shd = shd_by_convention(truth, predicted, ShdConvention::Enco).unwrap();
    let directed = edge_scores_of_digraphs(truth, predicted).unwrap().directed;
    for (part, got) in
        [("SHD", count(shd)), ("recall", directed.recall), ("precision", directed.precision)]
    {
        let what = format!("{name} citris {part}");
        report.close(&what, got, number(&expected[part]), CLOSED_FORM);
    }
}

#[test]
fn digraph_scores_agree_with_each_library() {
    let mut report = Report::default();
    for (name, graphs, expected) in graph_cases("digraph_pairs") {
        let [truth, predicted] =
            ["true", "pred"].map(|side| Digraph::from_adjacency(&matrix(&graphs[side])).unwrap());
        compare_with_citris(&mut report, &name, [&truth, &predicted], &expected["citris"]);
        let mut close = |part: &str, got: f64| {
            report.close(&format!("{name} {part}"), got, number(&expected[part]), CLOSED_FORM);
        };
        for (part, reversal) in
            [("shd_reversal1_cdt", Reversal::Once), ("shd_reversal2_cdt", Reversal::Twice)]
        {
            close(part, count(shd_of_digraphs(&truth, &predicted, reversal).unwrap()));
        }
        for (part, convention) in [
            ("shd_reversal1_cdt", ShdConvention::PairStatus),
            ("shd_reversal2_cdt", ShdConvention::Hamming),
            ("shd_gcastle", ShdConvention::Gcastle),
        ] {
            close(part, count(shd_by_convention(&truth, &predicted, convention).unwrap()));
        }
        let scores = edge_scores_of_digraphs(&truth, &predicted).unwrap().directed;
        close("precision", scores.precision);
        close("recall", scores.recall);
    }
    report.finish(100);
}

#[test]
fn edge_probabilities_agree_with_scikit_learn_cdt_and_enco() {
    let mut report = Report::default();
    for (name, graphs, expected) in graph_cases("edge_probabilities") {
        let truth = Digraph::from_adjacency(&matrix(&graphs["true"])).unwrap();
        let probs = matrix(&graphs["edge_prob"]);
        let scores = edge_prob_scores(&truth, &probs).unwrap();
        let trapezoids = cdt_area_under_precision_recall(&truth, &probs).unwrap();
        let predicted = Digraph::from_probs(&probs, 0.5).unwrap();
        let distance = shd_of_digraphs(&truth, &predicted, Reversal::Once).unwrap();
        for (part, got) in [
            ("auroc_offdiag", scores.auroc),
            ("average_precision_offdiag", scores.average_precision),
            ("brier_offdiag", Some(scores.brier)),
            ("aupr_trapezoid_cdt_with_diagonal", trapezoids),
            ("shd_at_0.5_reversal1", Some(count(distance))),
        ] {
            report.close_option(&format!("{name} {part}"), got, &expected[part], CLOSED_FORM);
        }
        compare_with_enco(&mut report, &name, &graphs, &expected);
    }
    report.finish(100);
}

fn compare_with_enco(report: &mut Report, name: &str, graphs: &Value, expected: &Value) {
    let truth = Dag::from_adjacency(&matrix(&graphs["true"])).unwrap();
    let (probs, logits) =
        (matrix(&graphs["edge_prob"]), matrix(&graphs["theta_orientation_logit"]));
    let both = probs.zip_map(&logits, |p, theta| f64::from(u8::from(p > 0.5 && theta > 0.0)));
    let (predicted, digraph) = (Digraph::from_probs(&both, 0.5).unwrap(), Digraph::from(&truth));
    let scores = edge_scores_of_digraphs(&digraph, &predicted).unwrap().directed;
    let shd = shd_by_convention(&digraph, &predicted, ShdConvention::Enco).unwrap();
    let wrong = scores.false_positives + scores.false_negatives;
    for (part, got) in [
        ("TP", Some(count(scores.true_positives))),
        ("FP", Some(count(scores.false_positives))),
        ("FN", Some(count(scores.false_negatives))),
        ("SHD", Some(count(shd))),
        ("reverse", Some(count(wrong - shd))),
        ("recall", Some(scores.recall)),
        ("precision", Some(scores.precision)),
        ("orient_acc", orientation_accuracy(&truth, &logits).unwrap()),
    ] {
        let expected = &expected["enco_pred_is_prob_gt_0.5_and_theta_gt_0"][part];
        report.close_option(&format!("{name} enco {part}"), got, expected, CLOSED_FORM);
    }
}
