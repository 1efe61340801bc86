use domino_metrics::{Matching, TargetAccuracy, target_accuracy, target_accuracy_under};
use nalgebra::DMatrix;

use crate::support::{CLOSED_FORM, Report, json, npy, npy_matrix, number};

#[test]
fn target_accuracy_agrees_with_the_reference() {
    let mut report = Report::default();
    let expected = json("expected.json");
    for (n, case) in expected["intervention"].as_array().unwrap().iter().enumerate() {
        let posterior = npy_matrix(&format!("intervention/case{n}_posterior.npy"));
        let (_, labels) = npy::<i64>(&format!("intervention/case{n}_label.npy"));
        let labels: Vec<usize> = labels.iter().map(|&l| usize::try_from(l).unwrap()).collect();
        let scores = target_accuracy(&posterior, &labels, posterior.ncols() - 1).unwrap();
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
