//! What every score of latents against factors owes: a representation that holds each factor in a
//! latent of its own scores best, and neither the order nor, where its page says so, the sign and
//! scale of latents matter.

#![expect(clippy::unwrap_used, reason = "a score that fails fails the test")]

use domino_core::{Seed, Stream};
use domino_metrics::{
    BinOptions, DciClassifierOptions, DciForestOptions, DciLassoOptions, IrsOptions,
    LogisticOptions, Sample, SapOptions, dci_classifier, dci_forest, dci_lasso, explicitness, irs,
    mig, modularity, sap_continuous, sap_discrete, unsupervised,
};
use nalgebra::DMatrix;
use proptest::prelude::*;
use rand::RngExt;

const FACTORS: usize = 3;

fn factors(n: usize) -> DMatrix<f64> {
    DMatrix::from_fn(n, FACTORS, |i, j| (i / 3_usize.pow(j as u32) % 3) as f64)
}

/// Noisy mixtures of the factors, and one latent of pure noise.
fn latents(factors: &DMatrix<f64>, seed: u64) -> DMatrix<f64> {
    let mut rng = Seed(seed).rng(Stream::Data);
    DMatrix::from_fn(factors.nrows(), FACTORS + 1, |i, j| {
        let own = if j < FACTORS { factors[(i, j)] } else { 0.0 };
        own + 0.4 * factors[(i, (j + 1) % FACTORS)] + 0.5 * rng.random::<f64>()
    })
}

/// Scores in `[0, 1]`, by name, that are 1 for a perfect representation.
fn scores(z: &DMatrix<f64>, y: &DMatrix<f64>) -> Vec<(&'static str, f64)> {
    let sample = Sample::new(z, y).unwrap();
    let rng = &mut Seed(0).rng(Stream::Eval);
    let trees = dci_classifier(sample, sample, &DciClassifierOptions::default(), rng).unwrap();
    let lasso = dci_lasso(sample, sample, &DciLassoOptions::default()).unwrap();
    let forest = dci_forest([sample; 3], &DciForestOptions::default(), rng).unwrap();
    let bins = BinOptions::default();
    vec![
        ("trees D", trees.disentanglement.score),
        ("trees C", trees.completeness.score),
        ("trees accuracy", trees.informativeness_test.mean),
        ("lasso D", lasso.disentanglement.score),
        ("lasso C", lasso.completeness.score),
        ("forest D", forest.disentanglement.score),
        ("forest C", forest.completeness.score),
        ("mig", mig(sample, &bins).unwrap().score),
        ("modularity", modularity(sample, &bins).unwrap().score),
        ("irs", irs(sample, &IrsOptions::default()).unwrap().score),
        ("sap", sap_continuous(sample).score),
        (
            "explicitness",
            explicitness(sample, sample, &LogisticOptions::default()).unwrap().test.score,
        ),
    ]
}

#[test]
fn a_perfect_representation_scores_one() {
    let y = factors(243);
    let z = DMatrix::from_fn(243, FACTORS, |i, j| 5.0 - 2.0 * y[(i, (j + 1) % FACTORS)]);
    for (name, score) in scores(&z, &y) {
        // Forests give a little importance to other latents by the chance of their bags.
        let least = if name.starts_with("forest") { 0.98 } else { 0.9999 };
        assert!(score > least && score < 1.0 + 1e-9, "{name}: {score}");
    }
    let independent = unsupervised(&z, 20).unwrap();
    assert!(independent.total_correlation.unwrap() < 1e-9);
}

#[test]
fn more_latents_than_factors_and_fewer_are_scored() {
    let y = factors(81);
    let z = latents(&y, 0);
    let one = y.columns(0, 1).into_owned();
    let few = z.columns(1, 1).into_owned();
    for (z, y) in [(&z, &one), (&few, &y), (&few, &one)] {
        for (name, score) in scores(z, y) {
            assert!((0.0..=1.0 + 1e-9).contains(&score), "{name}: {score}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn order_of_latents_does_not_matter(
        seed in 0u64..1000,
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let y = factors(162);
        let z = latents(&y, seed);
        let permuted = DMatrix::from_fn(162, FACTORS + 1, |i, j| z[(i, order[j])]);
        for ((name, a), (_, b)) in scores(&z, &y).into_iter().zip(scores(&permuted, &y)) {
            // Ties between latents and the bags of forests fall otherwise, and a Lasso stops elsewhere.
            let tolerance = match name {
                "trees D" | "trees C" => 0.06,
                "lasso D" | "lasso C" => 0.02,
                "trees accuracy" => 0.01,
                "forest D" | "forest C" => 0.1,
                "explicitness" => 1e-6,
                _ => 1e-9,
            };
            prop_assert!((a - b).abs() < tolerance, "{}: {} and {}", name, a, b);
            prop_assert!((0.0..=1.0 + 1e-9).contains(&a), "{}: {}", name, a);
        }
        let [a, b] = [&z, &permuted].map(|z| {
            let sample = Sample::new(z, &y).unwrap();
            sap_discrete(sample, sample, &SapOptions::default()).unwrap().score
        });
        prop_assert!((a - b).abs() < 1e-9);
    }

    #[test]
    fn sign_and_scale_of_latents_do_not_matter_where_pages_say_so(
        seed in 0u64..1000,
        scale in prop_oneof![-4.0..-0.2f64, 0.2..4.0f64],
    ) {
        let y = factors(162);
        let z = latents(&y, seed);
        let sample = Sample::new(&z, &y).unwrap();
        let scaled = z.map(|v| scale * v);
        let other = Sample::new(&scaled, &y).unwrap();
        let all = |s| [
            sap_continuous(s).score,
            irs(s, &IrsOptions::default()).unwrap().score,
            explicitness(s, s, &LogisticOptions::default()).unwrap().test.score,
            dci_lasso(s, s, &DciLassoOptions::default()).unwrap().disentanglement.score,
        ];
        for (a, b) in all(sample).into_iter().zip(all(other)) {
            prop_assert!((a - b).abs() < 1e-4, "{} and {}", a, b);
        }
    }
}
