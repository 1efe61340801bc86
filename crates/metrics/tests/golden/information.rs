use domino_metrics::{
    BinOptions, FactorValues, IrsOptions, irs, mig, modularity, sap_continuous, unsupervised,
};
use serde_json::Value;

use crate::support::{CLOSED_FORM, Case, Report, cases, matrix, number};

/// Total correlation and mutual information, from decompositions in another order.
const DEPENDENCE: f64 = 1e-8;
/// Wasserstein terms: the public matrix square root is that far off.
const WASSERSTEIN: f64 = 1e-5;

fn bins(case: &Case) -> BinOptions {
    let discretised = case.metrics["mig"]["factors_discretised"] == true;
    let factors = if discretised { FactorValues::Binned } else { FactorValues::Discrete };
    BinOptions { factors, ..BinOptions::default() }
}

fn close_list(report: &mut Report, what: &str, got: &[f64], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(got.len(), expected.len(), "{what}");
    for (at, (&got, expected)) in got.iter().zip(expected).enumerate() {
        report.close(&format!("{what}[{at}]"), got, number(expected), CLOSED_FORM);
    }
}

#[test]
fn mig_agrees_with_disentanglement_lib() {
    let mut report = Report::default();
    for case in cases("") {
        let Some(expected) = case.metrics.get("mig") else { continue };
        let what = |part: &str| format!("{} mig.{part}", case.name);
        let scores = mig(case.samples()[0], &bins(&case)).unwrap();
        let score = number(&expected["discrete_mig"]);
        report.close(&what("discrete_mig"), scores.score, score, CLOSED_FORM);
        let information = matrix(&expected["mi_matrix"]);
        let got = &scores.information.matrix;
        report.close_matrix(&what("mi_matrix"), got, &information, CLOSED_FORM);
        close_list(
            &mut report,
            &what("entropy"),
            &scores.information.entropy,
            &expected["entropy"],
        );
        close_list(&mut report, &what("per_factor"), &scores.per_factor, &expected["per_factor"]);
        if let Some(expected) = case.metrics.get("modularity") {
            let got = modularity(case.samples()[0], &bins(&case)).unwrap().score;
            let what = format!("{} modularity", case.name);
            report.close(&what, got, number(&expected["modularity_score"]), CLOSED_FORM);
        }
    }
    report.finish(50);
}

#[test]
fn irs_agrees_with_disentanglement_lib() {
    let mut report = Report::default();
    for case in cases("") {
        let Some(expected) = case.metrics.get("irs") else { continue };
        let what = |part: &str| format!("{} irs.{part}", case.name);
        let scores = irs(case.samples()[0], &IrsOptions::default()).unwrap();
        report.close(&what("IRS"), scores.score, number(&expected["IRS"]), CLOSED_FORM);
        // The public code reports the latents that are not constant.
        let live: Vec<usize> =
            (0..scores.parents.len()).filter(|&i| scores.parents[i].is_some()).collect();
        let of_live = |list: &[f64]| live.iter().map(|&i| list[i]).collect::<Vec<_>>();
        for (part, got) in [
            ("disentanglement_scores", &scores.per_latent),
            ("max_deviations", &scores.max_deviations),
        ] {
            close_list(&mut report, &what(part), &of_live(got), &expected[part]);
        }
        let got = scores.matrix.select_rows(&live);
        let entries = matrix(&expected["IRS_matrix"]);
        report.close_matrix(&what("IRS_matrix"), &got, &entries, CLOSED_FORM);
        let parents: Vec<f64> = scores.parents.iter().flatten().map(|&j| j as f64).collect();
        close_list(&mut report, &what("parents"), &parents, &expected["parents"]);
        let count = number(&expected["num_active_dims_correct"]);
        report.close(&what("active"), live.len() as f64, count, CLOSED_FORM);
        let paper = IrsOptions { quantile: 1.0, ..IrsOptions::default() };
        let got = irs(case.samples()[0], &paper).unwrap().score;
        let quantile = number(&expected["IRS_quantile_1.0"]);
        report.close(&what("IRS_quantile_1.0"), got, quantile, CLOSED_FORM);
    }
    report.finish(50);
}

#[test]
fn unsupervised_scores_agree_with_disentanglement_lib() {
    let mut report = Report::default();
    for case in cases("") {
        let Some(expected) = case.metrics.get("unsupervised") else { continue };
        let what = |part: &str| format!("{} unsupervised.{part}", case.name);
        let scores = unsupervised(&case.train[0], 20).unwrap();
        let total = &expected["gaussian_total_correlation"];
        report.close_option(
            &what("gaussian_total_correlation"),
            scores.total_correlation,
            total,
            DEPENDENCE,
        );
        for (part, got, tolerance) in [
            ("gaussian_wasserstein_correlation", scores.wasserstein_correlation, WASSERSTEIN),
            (
                "gaussian_wasserstein_correlation_norm",
                scores.wasserstein_correlation_normalised,
                WASSERSTEIN,
            ),
            ("mutual_info_score", scores.mutual_information, DEPENDENCE),
        ] {
            report.close(&what(part), got, number(&expected[part]), tolerance);
        }
    }
    report.finish(10);
}

#[test]
fn continuous_sap_agrees_with_disentanglement_lib() {
    let mut report = Report::default();
    for case in cases("") {
        let Some(expected) = case.metrics.get("sap_continuous") else { continue };
        let scores = sap_continuous(case.samples()[0]);
        let what = |part: &str| format!("{} sap_continuous.{part}", case.name);
        report.close(&what("score"), scores.score, number(&expected["SAP_score"]), CLOSED_FORM);
        let entries = matrix(&expected["score_matrix"]);
        report.close_matrix(&what("matrix"), &scores.matrix, &entries, CLOSED_FORM);
    }
    report.finish(20);
}
