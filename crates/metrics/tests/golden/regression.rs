use domino_metrics::{
    Correlation, KernelRidgeOptions, Regressor, Sample, affine_mcc, mcc, r2, weak_mcc,
};
use nalgebra::DMatrix;
use serde_json::Value;

use crate::support::{CLOSED_FORM, Case, Report, continuous_cases, number};

/// Least squares by another decomposition.
const LEAST_SQUARES: f64 = 1e-8;
/// A linear system of the size of the sample, at one setting.
const KERNEL: f64 = 1e-6;
/// The same at the setting that cross-validation chose.
const KERNEL_CHOSEN: f64 = 1e-5;
const CANONICAL: f64 = 1e-7;
/// Where latents depend on each other, the recorded correlations include directions that the
/// decomposition made up, which correlate by chance.
const CANONICAL_WITH_MADE_UP: f64 = 1e-4;
/// scikit-learn iterates up to a tolerance.
const CANONICAL_MCC: f64 = 2e-3;

#[test]
fn linear_scores_agree_with_scikit_learn_and_icebeem() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let [train, test] = case.samples();
        let name = &case.name;
        if let Some(expected) = case.metrics.get("affine") {
            let scores = r2(train, test, &Regressor::Linear).unwrap();
            let mut close = |part: &str, got: f64, expected: &Value| {
                let what = format!("{name} affine.{part}");
                report.close(&what, got, number(expected), LEAST_SQUARES);
            };
            close("r2_linear_test", scores.score, &expected["r2_linear_test"]);
            for (j, got) in scores.per_factor.iter().enumerate() {
                close("r2_per_factor", *got, &expected["r2_per_factor"][j]);
            }
            let part = "mean_pearson_after_affine_test";
            close(part, affine_mcc(train, test).unwrap().score, &expected[part]);
        }
        if let Some(expected) = case.metrics.get("weak_mcc_cca") {
            let scores = weak_mcc(train, test).unwrap();
            let mut close = |part: &str, got: f64, expected: &Value, tolerance| {
                report.close(&format!("{name} cca.{part}"), got, number(expected), tolerance);
            };
            close("train", scores.in_sample, &expected["weak_mcc_cca_train"], CANONICAL_MCC);
            close("test", scores.score, &expected["weak_mcc_cca_test"], CANONICAL_MCC);
            let is_dependent = name == "dead_cont";
            let exact = if is_dependent { CANONICAL_WITH_MADE_UP } else { CANONICAL };
            let mean = "mean_canonical_correlation";
            close(mean, scores.in_sample, &expected[mean], exact);
            let correlations = &expected["canonical_correlations_svd_train"];
            for (got, expected) in
                scores.canonical_correlations.iter().zip(correlations.as_array().unwrap())
            {
                close("correlation", *got, expected, exact);
            }
        }
    }
    report.finish(40);
}

#[test]
fn another_public_matching_gives_the_same_mcc() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let Some(expected) = case.metrics.get("mcc_clica_munkres_pearson") else { continue };
        let [train, _] = case.samples();
        let got = mcc(train, Correlation::Pearson).unwrap().score;
        report.close(&case.name, got, number(&expected["value"]), CLOSED_FORM);
    }
    report.finish(2);
}

#[test]
fn kernel_ridge_agrees_with_scikit_learn() {
    let mut report = Report::default();
    for case in continuous_cases() {
        let Some(expected) = case.metrics.get("kernel_ridge") else { continue };
        let parts = first_rows(&case, expected);
        let [train, test] = parts.each_ref().map(|[z, y]| Sample::new(z, y).unwrap());
        let name = &case.name;
        let mut close = |part: &str, got: f64, expected: &Value, tolerance| {
            report.close(&format!("{name} kernel.{part}"), got, number(expected), tolerance);
        };
        let fixed = KernelRidgeOptions { alphas: vec![0.1], gammas: vec![0.1], folds: 3 };
        let fixed = r2(train, test, &Regressor::Kernel(fixed)).unwrap();
        let part = "r2_rbf_fixed_alpha0.1_gamma0.1_test";
        close(part, fixed.score, &expected[part], KERNEL);

        let scores = r2(train, test, &Regressor::Kernel(KernelRidgeOptions::default())).unwrap();
        let part = "r2_rbf_gridsearch_test";
        close(part, scores.score, &expected[part], KERNEL_CHOSEN);
        for (j, got) in scores.per_factor.iter().enumerate() {
            close("per_factor", *got, &expected["r2_per_factor"][j], KERNEL_CHOSEN);
        }
        let choice = scores.choice.unwrap();
        close("alpha", choice.alpha, &expected["best_alpha"], CLOSED_FORM);
        close("gamma", choice.gamma, &expected["best_gamma"], CLOSED_FORM);
        let listed: Vec<f64> = choice.validation.transpose().iter().copied().collect();
        for (n, got) in listed.iter().enumerate() {
            close("validation", *got, &expected["cv_mean_r2"][n], KERNEL_CHOSEN);
        }
    }
    report.finish(40);
}

/// The rows that the reference used.
fn first_rows(case: &Case, expected: &Value) -> [[DMatrix<f64>; 2]; 2] {
    let cut = |[z, y]: &[DMatrix<f64>; 2], part: &str| {
        let n = (number(&expected[part]) as usize).min(z.nrows());
        [z.rows(0, n).into_owned(), y.rows(0, n).into_owned()]
    };
    [cut(&case.train, "n_train"), cut(&case.test, "n_test")]
}
