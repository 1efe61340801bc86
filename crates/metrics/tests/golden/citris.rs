use domino_metrics::{DiagonalSummary, FactorKind, PredictedFactor, score_predictions};
use nalgebra::DMatrix;
use serde_json::Value;

use crate::support::{Report, json, matrix, npy, npy_matrix, number};

/// The reference's cosine similarity and clamps work with small constants.
const CITRIS: f64 = 1e-6;

fn kind(name: &str) -> FactorKind {
    let (kind, size) = name.split_once('_').unwrap();
    let size: f64 = size.parse().unwrap();
    match kind {
        "continuous" => FactorKind::Continuous { range: size },
        "angle" => FactorKind::Angle,
        "categ" => FactorKind::Categorical { values: size as usize },
        other => panic!("unknown kind {other}"),
    }
}

/// The predictions of each group, `[n, width]`.
fn by_group(file: &str) -> Vec<DMatrix<f64>> {
    let (shape, values) = npy::<f64>(file);
    let [n, groups, width] = shape[..] else { panic!("{file}: {shape:?}") };
    let at = |i: usize, g: usize, k: usize| values[(i * groups + g) * width + k];
    (0..groups).map(|g| DMatrix::from_fn(n, width, |i, k| at(i, g, k))).collect()
}

#[test]
fn matrices_and_distances_agree_with_citris() {
    let expected = &json("expected.json")["citris"];
    let truth = npy_matrix("citris/gt.npy");
    let factors: Vec<_> = expected["causal_var_info"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(j, info)| {
            let (name, kind) = (info[0].as_str().unwrap(), kind(info[1].as_str().unwrap()));
            let truth: Vec<f64> = truth.column(j).iter().copied().collect();
            (name, kind, truth, by_group(&format!("citris/pred_{name}.npy")))
        })
        .collect();
    let predicted: Vec<_> = factors
        .iter()
        .map(|(_, kind, truth, by_group)| PredictedFactor { kind: *kind, truth, by_group })
        .collect();
    let scores = score_predictions(&predicted).unwrap();

    let mut report = Report::default();
    let r2 = matrix(&expected["r2_matrix_rows_latentgroup_cols_factor"]);
    report.close_matrix("r2", &scores.r2, &r2, CITRIS);
    let spearman = matrix(&expected["spearman_matrix"]);
    report.close_matrix("spearman", &scores.spearman, &spearman, CITRIS);
    summary(&mut report, scores.r2_summary, &expected["r2_summary_last_row_dropped"]);
    summary(&mut report, scores.spearman_summary, &expected["spearman_summary_last_row_dropped"]);
    for (j, (name, ..)) in factors.iter().enumerate() {
        for (part, got) in [
            ("mean_norm_dist_per_group_and_factor", &scores.normalised_distance),
            ("mean_dist", &scores.distance),
        ] {
            for (g, expected) in expected[part][*name].as_array().unwrap().iter().enumerate() {
                let what = format!("{part} {name} {g}");
                report.close(
                    &what,
                    got[(g, j)],
                    number(expected),
                    CITRIS * number(expected).max(1.0),
                );
            }
        }
    }
    report.finish(40);
}

fn summary(report: &mut Report, got: Option<DiagonalSummary>, expected: &Value) {
    let got = got.unwrap();
    report.close("diag", got.diag, number(&expected["diag"]), CITRIS);
    report.close("sep", got.sep.unwrap(), number(&expected["max_off_diag"]), CITRIS);
}
