use domino_metrics::{Correlation, Sample, mcc, mcc_out_of_sample};
use nalgebra::DMatrix;

use crate::support::{CLOSED_FORM, Report, continuous_cases, matrix, number};

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
                // The public code takes the mean over matched factors alone.
                let matching = &got.matching;
                let matched = matching.pairs().count() as f64 / matching.factors() as f64;
                report.close(
                    &what(part),
                    got.score,
                    number(&expected[part]) * matched,
                    CLOSED_FORM,
                );
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
