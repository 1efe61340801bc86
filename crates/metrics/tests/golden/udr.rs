use domino_metrics::{ModelLatents, Similarity, UdrOptions, UnusedLatents, latent_similarity, udr};
use nalgebra::DMatrix;
use serde_json::Value;

use crate::support::{CLOSED_FORM, Report, json, npy, number};

/// Coefficients of a Lasso, whose public solver stops early, and scores of them.
const LASSO: f64 = 2e-3;

struct Models {
    latents: Vec<DMatrix<f64>>,
    divergences: Vec<Vec<f64>>,
}

impl Models {
    fn read(case: &str) -> Self {
        let (shape, values) = npy::<f64>(&format!("udr/{case}_reps.npy"));
        let (_, divergences) = npy::<f64>(&format!("udr/{case}_kl.npy"));
        let [_, points, dim] = shape[..] else { panic!("{case}: {shape:?}") };
        let latents = values.chunks_exact(points * dim);
        Self {
            latents: latents.map(|z| DMatrix::from_row_slice(points, dim, z)).collect(),
            divergences: divergences.chunks_exact(dim).map(<[f64]>::to_vec).collect(),
        }
    }

    fn models(&self) -> Vec<ModelLatents<'_>> {
        let both = self.latents.iter().zip(&self.divergences);
        both.map(|(latents, divergence)| ModelLatents { latents, divergence }).collect()
    }
}

#[test]
fn udr_agrees_with_disentanglement_lib() {
    let mut report = Report::default();
    for (case, expected) in json("expected.json")["udr"].as_object().unwrap() {
        let models = Models::read(case);
        for (setting, expected) in expected.as_object().unwrap() {
            if expected.get("model_scores").is_none() {
                continue;
            }
            compare(&mut report, &format!("{case} {setting}"), &models.models(), expected);
        }
    }
    report.finish(100);
}

fn compare(report: &mut Report, what: &str, models: &[ModelLatents<'_>], expected: &Value) {
    let (similarity, tolerance) = if what.contains("lasso") {
        (UdrOptions::default().similarity, LASSO)
    } else {
        (Similarity::Spearman, CLOSED_FORM)
    };
    let filtered = what.ends_with("True");
    let unused = if filtered { UnusedLatents::Dropped } else { UnusedLatents::Kept };
    let options = UdrOptions { similarity, unused, ..UdrOptions::default() };
    for (a, from) in models.iter().enumerate() {
        for (b, to) in models.iter().enumerate().filter(|&(b, _)| b != a) {
            let got = latent_similarity(*from, *to, &options).unwrap();
            let entries = &expected["raw_correlations"][a][b];
            for i in 0..got.nrows() {
                for j in 0..got.ncols() {
                    // The public code has nothing for an unused latent's ranks; here it is 0.
                    let entry = entries[i][j].as_f64().unwrap_or(0.0);
                    let what = format!("{what} similarity[{a}, {b}][{i}, {j}]");
                    report.close(&what, got[(i, j)], entry, tolerance);
                }
            }
        }
    }
    let scores = udr(models, &options).unwrap();
    if similarity == Similarity::Spearman && !filtered {
        // One unused latent makes all scores 0 in the public code. What is right is that its row and
        // column count 0 and the others what they are.
        let dropped = UdrOptions { unused: UnusedLatents::Dropped, ..options };
        let dropped = udr(models, &dropped).unwrap();
        for (kept, dropped) in scores.per_model.iter().zip(&dropped.per_model) {
            assert!(kept <= dropped && *kept > 0.0, "{what}: {kept}, {dropped}");
        }
        return;
    }
    for (m, got) in scores.per_model.iter().enumerate() {
        let score = number(&expected["model_scores"][m]);
        report.close(&format!("{what} model_scores[{m}]"), *got, score, tolerance);
        for b in (0..models.len()).filter(|&b| b != m) {
            let score = number(&expected["pairwise_disentanglement_scores"][m][b]);
            let what = format!("{what} pairwise[{m}, {b}]");
            report.close(&what, scores.pairwise[(m, b)], score, tolerance);
        }
    }
}
