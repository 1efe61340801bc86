use domino_core::{Seed, Stream};
use domino_metrics::{
    DciForestOptions, DciLassoOptions, DciOptions, DciRegression, dci, dci_forest, dci_lasso,
};
use serde_json::Value;

use crate::support::{Report, continuous_cases, has_copies, matrix, number, with_copies_merged};

/// D and C from tree ensembles that break ties at random.
const TREES: f64 = 0.005;
/// C where one latent is an exact affine copy of another, which share at random.
const TREES_WITH_A_COPY: f64 = 0.06;
/// Entries of an importance matrix from such ensembles.
const IMPORTANCE: f64 = 0.02;
/// Mean squared errors, relative.
const INFORMATIVENESS: f64 = 0.03;

#[test]
fn dci_agrees_with_the_reference_regressor() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let [train, test] = case.samples();
        let rng = &mut Seed(0).rng(Stream::Eval);
        let scores = dci(train, test, &DciOptions::default(), rng).unwrap();
        let expected = &case.metrics["dci_ilcm"];
        let has_copy = has_copies(&case.train[0]);

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
        let importances = [scores.importance, matrix(&expected["importance_matrix"])]
            .map(|importance| with_copies_merged(importance, &case.train[0]));
        let what = format!("{} dci_ilcm.importance", case.name);
        report.close_matrix(&what, &importances[0], &importances[1], IMPORTANCE);
    }
    report.finish(100);
}

/// Lasso, whose public solver stops early.
const LASSO: f64 = 1e-3;
/// Random forests, at least; else three standard deviations over the public code's seeds.
const FOREST: f64 = 0.03;
/// Forests whose mean is compared: as many as the public mean has.
const FORESTS: u64 = 10;

#[test]
fn dci_by_lasso_agrees_with_qedr() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let Some(expected) = case.metrics.get("dci_lasso_alpha0.02") else { continue };
        let [train, test] = case.samples();
        let scores = dci_lasso(train, test, &DciLassoOptions::default()).unwrap();
        if expected.get("error").is_some() {
            // The public code fails on a constant latent; the live ones hold all factors.
            assert!(scores.disentanglement.score > 0.9, "{}", case.name);
            continue;
        }
        close_qedr(&mut report, &format!("{} dci_lasso", case.name), &scores, expected, |_| LASSO);
    }
    report.finish(50);
}

#[test]
fn dci_by_forest_agrees_with_qedr() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let Some(expected) = case.metrics.get("dci_rf_10trees_depth10") else { continue };
        let [train, test] = case.samples();
        let options = DciForestOptions { min_depth: 10, max_depth: 10, ..Default::default() };
        let score = |seed| {
            let rng = &mut Seed(seed).rng(Stream::Eval);
            dci_forest([train, test, test], &options, rng).unwrap()
        };
        let mut mean = score(0);
        let rest: Vec<_> = (1..FORESTS).map(score).collect();
        let average = |part: fn(&DciRegression) -> f64| {
            (part(&mean) + rest.iter().map(part).sum::<f64>()) / FORESTS as f64
        };
        let [d, c, error] = [
            average(|s| s.disentanglement.score),
            average(|s| s.completeness.score),
            average(|s| s.informativeness.mean),
        ];
        mean.disentanglement.score = d;
        mean.completeness.score = c;
        mean.informativeness.mean = error;
        for other in &rest {
            mean.importance += &other.importance;
        }
        mean.importance /= FORESTS as f64;
        let merged = with_copies_merged(mean.importance, &case.train[0]);
        mean.importance = merged;
        let mut expected = expected.clone();
        let entries = with_copies_merged(matrix(&expected["R"]), &case.train[0]);
        let rows = entries.row_iter().map(|row| row.iter().copied().collect::<Vec<_>>());
        expected["R"] = rows.collect::<Vec<_>>().into();
        let spread = |part: &str| expected.get(format!("{part}_std")).map_or(0.0, number);
        let tolerance = |part: &str| FOREST.max(3.0 * spread(part));
        close_qedr(&mut report, &format!("{} dci_rf", case.name), &mean, &expected, tolerance);
    }
    report.finish(50);
}

fn close_qedr(
    report: &mut Report,
    what: &str,
    scores: &DciRegression,
    expected: &Value,
    tolerance: impl Fn(&str) -> f64,
) {
    let mut close = |part: &str, got: f64, expected: &Value| {
        report.close(&format!("{what}.{part}"), got, number(expected), tolerance(part));
    };
    // Latents without importance are skipped; the public code gives NaN for them.
    let d = &expected["disentanglement_zero_rows_skipped"];
    close("disentanglement", scores.disentanglement.score, d);
    close("completeness", scores.completeness.score, &expected["completeness"]);
    let errors = &scores.informativeness;
    close("informativeness", errors.mean, &expected["informativeness_nrmse_test_mean"]);
    let per_factor = expected["nrmse_test_per_factor"].as_array().unwrap();
    for (&got, expected) in errors.per_factor.iter().zip(per_factor) {
        close("nrmse", got, expected);
    }
    let entries = matrix(&expected["R"]);
    report.close_matrix(&format!("{what}.R"), &scores.importance, &entries, tolerance("R"));
}
