use domino_core::{Seed, Stream};
use domino_metrics::{DciOptions, dci};
use nalgebra::DMatrix;

use crate::support::{Report, continuous_cases, matrix, number};

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
