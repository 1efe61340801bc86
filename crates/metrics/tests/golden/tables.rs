//! Scores that draw their points, on tables of the latents of every combination of factors: means
//! over seeds against means over seeds.
//!
//! `DOMINO_GOLDEN_SEEDS` sets the number of seeds; the default is 5.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use domino_core::{Seed, Stream};
use domino_metrics::{
    BetaVaeOptions, BinOptions, DciClassifierOptions, DownstreamOptions, FactorVaeOptions,
    Fairness, FairnessOptions, IrsOptions, LatentTable, LogisticOptions, ReducedDownstreamOptions,
    Sample, SapOptions, SharedFactorDifferences, StrongDownstreamOptions, Unfairness, beta_vae,
    beta_vae_of_differences, dci_classifier, downstream, draw_sample, explicitness, factor_vae,
    factor_vae_of_votes, fairness, group_unfairness, irs, mig, modularity, reduced_downstream,
    sap_discrete, strong_downstream, unsupervised,
};
use nalgebra::DMatrix;
use rand::Rng;
use serde_json::Value;

use crate::support::{Report, json, matrix, npy, npy_matrix, number};

/// How far a mean may be off that has hardly any spread.
const SAMPLED: f64 = 0.01;
/// The standard deviation of fewer public runs than this says little: with two of them it is too
/// small by a factor of 5 one time in six.
const ENOUGH_SEEDS: f64 = 5.0;
/// Own standard deviations that a mean may then be off.
const FEW_SEEDS: f64 = 6.0;
/// Accuracy of a logistic regression that the public solver stops early.
const LOGISTIC: f64 = 0.005;
/// Total variations, which the public code computes in single precision.
const SINGLE: f64 = 1e-6;
/// Accuracies of one run on 300 points, whose standard error is up to 0.029.
const SMALL_RUN: f64 = 0.1;

/// Scores do not depend on it.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Values of one run by name, as in the fixtures.
type Scores = BTreeMap<String, f64>;

fn seeds() -> u64 {
    std::env::var("DOMINO_GOLDEN_SEEDS").map_or(5, |n| n.parse().unwrap())
}

#[test]
fn sampled_scores_agree_with_disentanglement_lib() {
    let mut report = Report::default();
    let expected = json("expected.json");
    for (kind, expected) in expected["tables"].as_object().unwrap() {
        let Some(cardinalities) = expected.get("cardinalities") else { continue };
        let cardinalities = cardinalities.as_array().unwrap().iter();
        let cardinalities = cardinalities.map(|c| number(c) as usize).collect();
        let table = npy_matrix(&format!("tables/{kind}_table.npy"));
        let world = LatentTable::new(cardinalities, table).unwrap();
        for (metric, expected) in expected.as_object().unwrap() {
            if matches!(metric.as_str(), "cardinalities" | "num_latents" | "order") {
                continue;
            }
            compare(&mut report, &format!("{kind} {metric}"), metric, &world, expected);
        }
    }
    report.finish(100);
}

fn compare(report: &mut Report, what: &str, metric: &str, world: &LatentTable, expected: &Value) {
    if metric.starts_with("reduced_downstream") {
        return compare_reduced(report, what, &numbers(metric), world, expected);
    }
    // The costliest score has the widest spread.
    let runs = if metric.starts_with("strong") { seeds().min(3) } else { seeds() };
    let runs: Vec<Scores> = (0..runs)
        .map(|seed| run(metric, world, expected, &mut Seed(seed).rng(Stream::Eval)))
        .collect();
    // A metric of a single value has no level of names.
    let single = BTreeMap::from([(String::new(), expected)]);
    let named: BTreeMap<String, &Value> = match expected.get("mean") {
        Some(_) => single,
        None => expected.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v)).collect(),
    };
    for (name, expected) in named {
        let Some(mean) = expected.get("mean") else { continue };
        // The public code reports the number of all latents here.
        if name == "num_active_dims" {
            continue;
        }
        let values: Vec<f64> = runs.iter().map(|run| run[&name]).collect();
        let (got, own_std) = mean_and_std(&values);
        let few = number(&expected["num_seeds"]) < ENOUGH_SEEDS;
        let spread = if few { FEW_SEEDS * own_std } else { 0.0 };
        let tolerance = SAMPLED.max(3.0 * number(&expected["std"])).max(spread);
        report.close(&format!("{what} {name}"), got, number(mean), tolerance);
    }
}

fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let values = DMatrix::from_column_slice(values.len(), 1, values);
    let n = values.len() as f64;
    (values.mean(), (values.variance() * n / (n - 1.0).max(1.0)).sqrt())
}

/// The numbers in a name.
fn numbers(name: &str) -> Vec<usize> {
    let parts = name.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|digits| digits.parse().ok()).collect()
}

fn run(metric: &str, world: &LatentTable, expected: &Value, rng: &mut dyn Rng) -> Scores {
    let single = |score: f64| Scores::from([(String::new(), score)]);
    let sizes = numbers(metric);
    let family = metric.split(|c: char| c.is_ascii_digit()).next().unwrap();
    match family {
        "beta_vae" | "factor_vae" | "factor_vae_no_pruning_threshold" => {
            run_voting(family, world, &expected["params"], rng)
        }
        "mig_num_train_" => {
            let sample = draw_sample(world, sizes[0], rng).unwrap();
            let bins = BinOptions { bins: sizes[1], ..BinOptions::default() };
            single(mig(own(&sample), &bins).unwrap().score)
        }
        "irs_" => {
            let sample = draw_sample(world, sizes[0], rng).unwrap();
            single(irs(own(&sample), &IrsOptions::default()).unwrap().score)
        }
        "unsupervised_" => run_unsupervised(&draw_sample(world, sizes[0], rng).unwrap()[0]),
        "fairness_gbt_num_train" => {
            let (train, points_per_class) = (sizes[0], sizes[1]);
            let options =
                FairnessOptions { train, points_per_class, threads: THREADS, ..Default::default() };
            named(&fairness(world, &options, rng).unwrap())
        }
        "strong_downstream_logreg_cv_" => run_strong(world, &sizes, rng),
        "downstream_logreg_cv_" => run_downstream(world, &sizes, rng),
        _ => run_split(family, world, &sizes, rng),
    }
}

fn own(sample: &[DMatrix<f64>; 2]) -> Sample<'_> {
    Sample::new(&sample[0], &sample[1]).unwrap()
}

/// Scores that fit on one drawn sample and test on another.
fn run_split(family: &str, world: &LatentTable, sizes: &[usize], rng: &mut dyn Rng) -> Scores {
    let [train, test] = [0, 1].map(|split| draw_sample(world, sizes[split], rng).unwrap());
    let (train, test) = (own(&train), own(&test));
    let score = match family {
        "modularity_" => modularity(train, &BinOptions::default()).unwrap().score,
        "sap_" => sap_discrete(train, test, &SapOptions::default()).unwrap().score,
        "explicitness_test_" => {
            explicitness(train, test, &LogisticOptions::default()).unwrap().test.score
        }
        "dci_gbt_" => {
            let options = DciClassifierOptions::default();
            let scores = dci_classifier(train, test, &options, rng).unwrap();
            return names([
                ("informativeness_train", scores.informativeness_train.mean),
                ("informativeness_test", scores.informativeness_test.mean),
                ("disentanglement", scores.disentanglement.score),
                ("completeness", scores.completeness.score),
            ]);
        }
        other => panic!("no score is known by the name of {other}"),
    };
    Scores::from([(String::new(), score)])
}

fn names<const N: usize>(scores: [(&str, f64); N]) -> Scores {
    scores.map(|(name, score)| (name.to_owned(), score)).into()
}

fn run_voting(family: &str, world: &LatentTable, params: &Value, rng: &mut dyn Rng) -> Scores {
    let size = |name: &str, published| params[name].as_u64().map_or(published, |n| n as usize);
    if family == "beta_vae" {
        let published = BetaVaeOptions::default();
        let options = BetaVaeOptions {
            batch: size("batch_size", published.batch),
            train: size("num_train", published.train),
            test: size("num_eval", published.test),
            ..published
        };
        let scores = beta_vae(world, &options, rng).unwrap();
        return names([
            ("train_accuracy", scores.train_accuracy),
            ("eval_accuracy", scores.test_accuracy),
        ]);
    }
    let published = FactorVaeOptions::default();
    let least_std = if family == "factor_vae" { published.least_std } else { 0.0 };
    let options = FactorVaeOptions {
        batch: size("batch_size", published.batch),
        train: size("num_train", published.train),
        test: size("num_eval", published.test),
        variance_points: size("num_variance_estimate", published.variance_points),
        least_std: params["prune_threshold_std"].as_f64().unwrap_or(least_std),
    };
    let scores = factor_vae(world, &options, rng).unwrap();
    names([("train_accuracy", scores.train_accuracy), ("eval_accuracy", scores.test_accuracy)])
}

fn run_unsupervised(latents: &DMatrix<f64>) -> Scores {
    let scores = unsupervised(latents, 20).unwrap();
    names([
        ("gaussian_total_correlation", scores.total_correlation.unwrap()),
        ("gaussian_wasserstein_correlation", scores.wasserstein_correlation),
        ("gaussian_wasserstein_correlation_norm", scores.wasserstein_correlation_normalised),
        ("mutual_info_score", scores.mutual_information),
    ])
}

fn run_strong(world: &LatentTable, sizes: &[usize], rng: &mut dyn Rng) -> Scores {
    let (train, test, experiments) = (sizes[0], sizes[1], sizes[2]);
    let threads = THREADS;
    let options =
        StrongDownstreamOptions { train, test, experiments, threads, ..Default::default() };
    let scores = strong_downstream(world, &options, rng).unwrap();
    let named = [
        ("mean_train_accuracy", scores.train.mean),
        ("mean_test_accuracy", scores.test.mean),
        ("mean_strong_train_accuracy", scores.strong_train.mean),
        ("mean_strong_test_accuracy", scores.strong_test.mean),
        ("strong_generalization_gap", scores.gap),
    ];
    named.map(|(name, score)| (format!("{train}:{name}"), score)).into()
}

/// Learns from as many points as each name says and tests on as many as the largest.
fn run_downstream(world: &LatentTable, sizes: &[usize], rng: &mut dyn Rng) -> Scores {
    let most = sizes.iter().copied().max().unwrap();
    let [train, test] = [(); 2].map(|()| draw_sample(world, most, rng).unwrap());
    let options = DownstreamOptions { sizes: sizes.to_vec(), ..Default::default() };
    let scores = downstream(own(&train), own(&test), &options, rng).unwrap();
    let named = scores.sizes.iter().flat_map(|at| {
        let name = |part: &str| format!("{}:{part}_test_accuracy", at.points);
        [(name("mean"), at.test.mean), (name("min"), at.test.min)]
    });
    named.collect()
}

/// Every unfairness by its public name.
fn named(scores: &Fairness) -> Scores {
    let mut all = Scores::new();
    for (prefix, unfair) in [("mean_fairness", &scores.mean), ("max_fairness", &scores.max)] {
        let Unfairness { matrix, mean_sens, max_sens, .. } = unfair;
        for (i, (mean, max)) in mean_sens.iter().zip(max_sens).enumerate() {
            all.insert(format!("{prefix}:pred{i}:mean_sens"), *mean);
            all.insert(format!("{prefix}:pred{i}:max_sens"), *max);
            for j in 0..matrix.ncols() {
                all.insert(format!("{prefix}:pred{i}:sens{j}"), matrix[(i, j)]);
            }
        }
        for (name, score) in [
            ("mean_sens:mean_pred", unfair.mean_sens_mean_pred),
            ("mean_sens:max_pred", unfair.mean_sens_max_pred),
            ("max_sens:mean_pred", unfair.max_sens_mean_pred),
            ("max_sens:max_pred", unfair.max_sens_max_pred),
            ("mean_pred:mean_sens", unfair.mean_pred_mean_sens),
            ("mean_pred:max_sens", unfair.mean_pred_max_sens),
            ("max_pred:mean_sens", unfair.max_pred_mean_sens),
            ("max_pred:max_sens", unfair.max_pred_max_sens),
        ] {
            all.insert(format!("{prefix}:{name}"), score);
        }
    }
    all
}

/// One public run on few points: its means over factors.
fn compare_reduced(
    report: &mut Report,
    what: &str,
    sizes: &[usize],
    world: &LatentTable,
    expected: &Value,
) {
    let options = ReducedDownstreamOptions { removed: sizes[0], ..Default::default() };
    let score = |seed| {
        let rng = &mut Seed(seed).rng(Stream::Eval);
        let [train, test] = [1, 2].map(|at| draw_sample(world, sizes[at], rng).unwrap());
        let scores = reduced_downstream(own(&train), own(&test), &options, rng).unwrap();
        [scores.own, scores.others]
    };
    let runs: Vec<[f64; 2]> = (0..seeds()).map(score).collect();
    for (at, part) in ["reduced_factor", "other_factors"].into_iter().enumerate() {
        let name = format!("{}:mean_test_accuracy_{part}", sizes[1]);
        let mean = runs.iter().map(|run| run[at]).sum::<f64>() / runs.len() as f64;
        report.close(&format!("{what} {name}"), mean, number(&expected[&name]), SMALL_RUN);
    }
}

#[test]
fn given_differences_are_classified_as_by_disentanglement_lib() {
    let read = |split: &str| SharedFactorDifferences {
        differences: npy_matrix(&format!("tables/betavae_features_X_{split}.npy")),
        factors: npy::<i64>(&format!("tables/betavae_features_label_{split}.npy"))
            .1
            .iter()
            .map(|&k| usize::try_from(k).unwrap())
            .collect(),
    };
    let options = LogisticOptions::default();
    let scores = beta_vae_of_differences(&read("train"), &read("eval"), &options).unwrap();
    let expected = &json("expected.json")["tables"]["classifier_only"]["beta_vae_logreg"];
    let mut report = Report::default();
    for (part, got) in
        [("train_accuracy", scores.train_accuracy), ("eval_accuracy", scores.test_accuracy)]
    {
        report.close(part, got, number(&expected[part]), LOGISTIC);
    }
    report.finish(2);
}

#[test]
fn one_against_the_rest_agrees_with_the_old_scikit_learn() {
    let expected = json("expected.json");
    let Some(old) = expected["tables"].get("beta_vae_sklearn_0_20_3") else { return };
    let mut report = Report::default();
    for (kind, old) in old.as_object().unwrap() {
        let cardinalities = expected["tables"][kind]["cardinalities"].as_array().unwrap().iter();
        let cardinalities = cardinalities.map(|c| number(c) as usize).collect();
        let table = npy_matrix(&format!("tables/{kind}_table.npy"));
        let world = LatentTable::new(cardinalities, table).unwrap();
        let options = BetaVaeOptions {
            train: number(&old["num_train"]) as usize,
            test: number(&old["num_eval"]) as usize,
            classifier: LogisticOptions::liblinear(),
            ..Default::default()
        };
        let score = |seed| {
            beta_vae(&world, &options, &mut Seed(seed).rng(Stream::Eval)).unwrap().test_accuracy
        };
        let mean = (0..seeds()).map(score).sum::<f64>() / seeds() as f64;
        // Twenty seeds of another version tell the spread better than five.
        let spread = number(&expected["tables"][kind]["beta_vae"]["eval_accuracy"]["std"]);
        let tolerance = SAMPLED.max(3.0 * spread.max(number(&old["std"])));
        report.close(kind, mean, number(&old["eval_accuracy_mean"]), tolerance);
    }
    report.finish(1);
}

#[test]
fn given_votes_are_counted_as_by_disentanglement_lib() {
    let expected = &json("expected.json")["tables"]["classifier_only"]["factor_vae_votes"];
    let votes = |split: &str| matrix(&expected[&format!("{split}_votes")]).map(|v| v as usize);
    let [train, test] = factor_vae_of_votes(&votes("train"), &votes("eval")).unwrap();
    let mut report = Report::default();
    report.close("train_accuracy", train, number(&expected["train_accuracy"]), 1e-9);
    report.close("eval_accuracy", test, number(&expected["eval_accuracy"]), 1e-9);
    report.finish(2);
}

#[test]
fn given_counts_are_as_unfair_as_in_disentanglement_lib() {
    let mut report = Report::default();
    for (at, case) in
        json("expected.json")["tables"]["fairness_counts"].as_array().unwrap().iter().enumerate()
    {
        let counts = matrix(&case["counts_rows_pred_cols_sens"]).map(|v| v as usize);
        let unfair = group_unfairness(&counts).unwrap();
        for (part, got) in [
            ("mean_tv", unfair.mean_variation),
            ("max_tv", unfair.max_variation),
            ("demographic_parity_gap_own", unfair.parity_gap),
        ] {
            report.close(
                &format!("fairness_counts[{at}] {part}"),
                got,
                number(&case[part]),
                SINGLE,
            );
        }
    }
    report.finish(3);
}
