//! CPU seconds of each score on one thread beside those of the public Python code.
//!
//! Points: 10,000 to fit and 5,000 to test on, ten latents, five factors of 3, 4, 5, 6 and 8 values.
//! `recorded` are CPU seconds of the public code with scikit-learn 1.9.1 on another machine and other
//! draws of this shape. `here` measures `scikit_learn.py` in the same run on the same points, where
//! `DOMINO_PYTHON` or `python3` has scikit-learn; `DOMINO_BENCH_FULL=1` includes what takes it
//! minutes. An argument selects scores by a part of their name; `metrics` selects all.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use domino_core::{Seed, Stream};
use domino_metrics::{
    BetaVaeOptions, BinOptions, Correlation, DciClassifierOptions, DciForestOptions,
    DciLassoOptions, DciOptions, DownstreamOptions, FactorVaeOptions, GbtOptions, IrsOptions,
    LatentTable, LogisticOptions, MetricError, Predictor, Sample, SapOptions, beta_vae, dci,
    dci_classifier, dci_forest, dci_lasso, downstream, explicitness, factor_vae, irs, mcc, mig,
    modularity, sap_continuous, sap_discrete, unsupervised,
};
use nalgebra::DMatrix;
use npyz::WriterBuilder;
use rand::RngExt;

const CARDINALITIES: [usize; 5] = [3, 4, 5, 6, 8];
const LATENTS: usize = 10;

/// Five latents that are noisy sums of neighbouring factors, five of pure noise.
fn latent(factors: &[f64], i: usize, noise: f64) -> f64 {
    let signal = if i < 5 { factors[i] + 0.4 * factors[(i + 1) % 5] } else { 0.0 };
    signal + 0.3 * noise
}

fn draw(n: usize, seed: u64) -> [DMatrix<f64>; 2] {
    let mut rng = Seed(seed).rng(Stream::Data);
    let y = DMatrix::from_fn(n, 5, |_, j| rng.random_range(0..CARDINALITIES[j]) as f64);
    let rows: Vec<Vec<f64>> = y.row_iter().map(|row| row.iter().copied().collect()).collect();
    let z = DMatrix::from_fn(n, LATENTS, |i, j| latent(&rows[i], j, rng.random_range(-1.0..1.0)));
    [z, y]
}

/// The same latents for every combination of factors.
fn table() -> LatentTable {
    let mut rng = Seed(2).rng(Stream::Data);
    let rows: usize = CARDINALITIES.iter().product();
    let mut latents = DMatrix::zeros(rows, LATENTS);
    for mut row in 0..rows {
        let at = row;
        let mut factors = [0.0; 5];
        for (factor, count) in factors.iter_mut().zip(CARDINALITIES).rev() {
            *factor = (row % count) as f64;
            row /= count;
        }
        for j in 0..LATENTS {
            latents[(at, j)] = latent(&factors, j, rng.random_range(-1.0..1.0));
        }
    }
    LatentTable::new(CARDINALITIES.to_vec(), latents).expect("one row per combination")
}

struct Input {
    train: [DMatrix<f64>; 2],
    test: [DMatrix<f64>; 2],
    world: LatentTable,
}

impl Input {
    fn samples(&self) -> [Sample<'_>; 2] {
        [&self.train, &self.test].map(|[z, y]| Sample::new(z, y).expect("draws are finite"))
    }
}

type Score = fn(&Input) -> Result<f64, MetricError>;

/// Name, recorded CPU seconds of the public code, and score.
const SCORES: [(&str, f64, Score); 18] = [
    ("mig_20bins", 0.1474, |input| Ok(mig(input.samples()[0], &BinOptions::default())?.score)),
    ("modularity_20bins", 0.1362, |input| {
        Ok(modularity(input.samples()[0], &BinOptions::default())?.score)
    }),
    ("irs", 0.0199, |input| Ok(irs(input.samples()[0], &IrsOptions::default())?.score)),
    ("unsupervised", 0.2527, |input| Ok(unsupervised(&input.train[0], 20)?.mutual_information)),
    ("sap_continuous", 0.0032, |input| Ok(sap_continuous(input.samples()[0]).score)),
    ("sap_discrete_linearsvc", 0.3818, |input| {
        let [train, test] = input.samples();
        Ok(sap_discrete(train, test, &SapOptions::default())?.score)
    }),
    ("explicitness", 0.575, |input| {
        let [train, test] = input.samples();
        Ok(explicitness(train, test, &LogisticOptions::default())?.test.score)
    }),
    ("mcc_pearson", 0.001, |input| Ok(mcc(input.samples()[0], Correlation::Pearson)?.score)),
    ("mcc_spearman", 0.0172, |input| Ok(mcc(input.samples()[0], Correlation::Spearman)?.score)),
    ("dci_lasso_0.02", 0.0113, |input| {
        let [train, test] = input.samples();
        Ok(dci_lasso(train, test, &DciLassoOptions::default())?.disentanglement.score)
    }),
    ("dci_rf10_depth10", 2.2435, |input| {
        let [train, test] = input.samples();
        let options = DciForestOptions { min_depth: 10, max_depth: 10, ..Default::default() };
        let rng = &mut Seed(0).rng(Stream::Eval);
        Ok(dci_forest([train, test, test], &options, rng)?.disentanglement.score)
    }),
    ("factor_vae_10000_5000_b64", 1.0151, |input| {
        let rng = &mut Seed(0).rng(Stream::Eval);
        Ok(factor_vae(&input.world, &FactorVaeOptions::default(), rng)?.test_accuracy)
    }),
    ("beta_vae_10000_5000_b64", 1.5759, |input| {
        let rng = &mut Seed(0).rng(Stream::Eval);
        Ok(beta_vae(&input.world, &BetaVaeOptions::default(), rng)?.test_accuracy)
    }),
    ("downstream_logreg_cv_10000", 4.895, |input| learn(input, Predictor::default())),
    ("downstream_gbt_10000", 77.51, |input| learn(input, Predictor::Gbt(GbtOptions::default()))),
    ("dci_ilcm_gbt_regressor", 14.5033, |input| {
        let [train, test] = input.samples();
        let rng = &mut Seed(0).rng(Stream::Eval);
        Ok(dci(train, test, &DciOptions::default(), rng)?.disentanglement.score)
    }),
    ("dci_gbt_classifier_one_factor_3_classes", 8.8621, |input| {
        let first = [&input.train, &input.test].map(|[_, y]| y.columns(0, 1).into_owned());
        let train = Sample::new(&input.train[0], &first[0])?;
        let test = Sample::new(&input.test[0], &first[1])?;
        classify(train, test)
    }),
    ("dci_gbt_classifier_all_5_factors_26_classes", 77.51, |input| {
        let [train, test] = input.samples();
        classify(train, test)
    }),
];

fn classify(train: Sample<'_>, test: Sample<'_>) -> Result<f64, MetricError> {
    let rng = &mut Seed(0).rng(Stream::Eval);
    let scores = dci_classifier(train, test, &DciClassifierOptions::default(), rng)?;
    Ok(scores.informativeness_test.mean)
}

fn learn(input: &Input, predictor: Predictor) -> Result<f64, MetricError> {
    let [train, test] = input.samples();
    let (sizes, efficiency) = (vec![10_000], [10_000; 2]);
    let options = DownstreamOptions { predictor, sizes, efficiency, ..Default::default() };
    let scores = downstream(train, test, &options, &mut Seed(0).rng(Stream::Eval))?;
    Ok(scores.sizes[0].test.mean)
}

/// CPU seconds of this thread where the system tells them, else seconds since `start`.
fn cpu_seconds(start: Instant) -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = stat.and_then(|stat| stat.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

/// CPU seconds of a run, as the mean of one second of runs, and the score. The system counts in
/// steps of some milliseconds, more than a fast score takes.
fn measure(score: Score, input: &Input) -> Result<(f64, f64), MetricError> {
    let start = Instant::now();
    let before = cpu_seconds(start);
    let mut runs = 0.0;
    loop {
        let value = score(black_box(input))?;
        runs += 1.0;
        let seconds = cpu_seconds(start) - before;
        if seconds > 1.0 {
            return Ok((seconds / runs, value));
        }
    }
}

fn save(folder: &Path, name: &str, m: &DMatrix<f64>) -> Result<(), Box<dyn Error>> {
    let file = BufWriter::new(File::create(folder.join(format!("{name}.npy")))?);
    let shape = [m.nrows() as u64, m.ncols() as u64];
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let mut writer = options.order(npyz::Order::Fortran).writer(file).begin_nd()?;
    writer.extend(m.iter().copied())?;
    Ok(writer.finish()?)
}

/// CPU seconds of the public code on the same points; nothing without scikit-learn.
fn public(input: &Input, names: &str) -> Result<BTreeMap<String, f64>, Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("domino-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for (name, m) in [
        ("z_train", &input.train[0]),
        ("y_train", &input.train[1]),
        ("z_test", &input.test[0]),
        ("y_test", &input.test[1]),
    ] {
        save(&folder, name, m)?;
    }
    let python = std::env::var("DOMINO_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scikit_learn.py");
    let output = Command::new(python).arg(script).arg(&folder).arg(names).output();
    std::fs::remove_dir_all(&folder)?;
    let Ok(output) = output else { return Ok(BTreeMap::new()) };
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Test runners ask every target for its tests.
    if arguments.iter().any(|a| a == "--list" || a == "--test") {
        return Ok(());
    }
    let filter = arguments.into_iter().find(|a| !a.starts_with("--") && a != "metrics");
    let filter = filter.unwrap_or_default();
    let input = Input { train: draw(10_000, 0), test: draw(5_000, 1), world: table() };
    let chosen: Vec<_> = SCORES.iter().filter(|(name, ..)| name.contains(&filter)).collect();
    if chosen.is_empty() {
        return Ok(());
    }
    let names = chosen.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(",");
    let here = public(&input, &names)?;
    println!(
        "{:45} {:>9} {:>9} {:>8} {:>9} {:>8}",
        "CPU seconds on one thread", "ours", "recorded", "ratio", "here", "ratio"
    );
    for (name, recorded, score) in chosen {
        let (ours, _) = measure(*score, &input)?;
        let here = here.get(*name).map_or((String::from("-"), String::from("-")), |s| {
            (format!("{s:.4}"), format!("{:.1}", s / ours))
        });
        let ratio = recorded / ours;
        println!("{name:45} {ours:9.4} {recorded:9.4} {ratio:8.1} {:>9} {:>8}", here.0, here.1);
    }
    Ok(())
}
