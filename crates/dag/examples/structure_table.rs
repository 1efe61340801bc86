//! How often [`PairRegression`] finds the exact graph of synthetic worlds from their noise codes.
//!
//! Arguments: first and last seed, default 0 and 19, then an optional filter of the world's name.

use std::io::Write;
use std::time::Instant;

use domino_core::{Seed, Stream, StreamRng};
use domino_dag::{PairCodes, PairRegression};
use domino_data::scaling::{LinearConfig, MechanismConfig, MlpConfig, ScalingConfig, World};
use domino_data::{Generator, Split};
use domino_metrics::{Reversal, shd};
use nalgebra::DMatrix;
use rand::RngExt;
use rand::seq::SliceRandom;

type AnyError = Box<dyn std::error::Error>;

/// How codes differ from the true noise.
#[derive(Clone, Copy)]
struct Fault {
    /// Standard deviation of the error added to each side.
    noise: f64,
    /// Share of pairs whose target is replaced by a random one.
    wrong_targets: f64,
}

/// Share of changed edges and the size of the run.
struct Row {
    exact: usize,
    distance: usize,
    missing: usize,
    seconds: f64,
}

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |a| a.parse());
    let (first, last): (u64, u64) = (number(0, 0)?, number(1, 19)?);
    let filter = arguments.get(2).cloned().unwrap_or_default();
    let mut out = std::io::stdout();
    writeln!(out, "{:<28} {:>6} {:>7} {:>6} {:>7}", "world", "exact", "SHD", "missed", "s/graph")?;
    for (mechanism, d, n) in [
        ("linear", 4, 100_000),
        ("linear", 4, 20_000),
        ("linear", 8, 100_000),
        ("linear", 8, 20_000),
        ("linear", 16, 100_000),
        ("linear", 16, 20_000),
        ("mlp", 4, 100_000),
        ("mlp", 4, 20_000),
        ("mlp", 8, 100_000),
        ("mlp", 8, 20_000),
    ] {
        for (name, noise, wrong_targets) in
            [("true", 0.0, 0.0), ("err.01", 0.01, 0.02), ("err.05", 0.05, 0.02)]
        {
            let label = format!("{mechanism} d={d} n={n} {name}");
            if !label.contains(&filter) {
                continue;
            }
            let row = score(mechanism, d, n, Fault { noise, wrong_targets }, first..=last)?;
            let graphs = (last - first + 1) as f64;
            writeln!(
                out,
                "{label:<28} {:>3}/{graphs:<2} {:>7.2} {:>6.2} {:>7.3}",
                row.exact,
                row.distance as f64 / graphs,
                row.missing as f64 / graphs,
                row.seconds / graphs
            )?;
        }
    }
    Ok(())
}

fn score(
    mechanism: &str,
    d: usize,
    n: usize,
    fault: Fault,
    seeds: std::ops::RangeInclusive<u64>,
) -> Result<Row, AnyError> {
    let mut row = Row { exact: 0, distance: 0, missing: 0, seconds: 0.0 };
    for seed in seeds {
        let mechanisms = match mechanism {
            "linear" => MechanismConfig::Linear(LinearConfig::default()),
            _ => MechanismConfig::Mlp(MlpConfig::default()),
        };
        let world = World::draw(&ScalingConfig { seed, d, mechanisms, ..Default::default() })?;
        let mut rng = Seed(seed).rng(Stream::Eval);
        let (codes, labels) = codes(&world, n, fault, &mut rng)?;
        let start = Instant::now();
        let graph = PairRegression::default().fit(&codes, &mut rng)?.graph;
        row.seconds += start.elapsed().as_secs_f64();
        let truth = world.dag().relabelled(&labels)?;
        let distance = shd(&truth, &graph.dag, Reversal::Once)?;
        row.exact += usize::from(distance == 0);
        row.distance += distance;
        row.missing += truth.edges().filter(|&(i, j)| !graph.dag.has_edge(i, j)).count();
        if std::env::var_os("VERBOSE").is_some() && distance > 0 {
            let mut out = std::io::stdout();
            for j in 0..d {
                for i in 0..d {
                    if truth.has_edge(i, j) != graph.dag.has_edge(i, j) {
                        let p = graph.edge_probs[(i, j)];
                        writeln!(out, "  seed {seed} truth {} p {p:.3}", truth.has_edge(i, j))?;
                    }
                }
            }
        }
    }
    Ok(row)
}

/// Codes of a sample, relabelled and flipped at random, and the new label of each variable.
fn codes(
    world: &World,
    n: usize,
    fault: Fault,
    rng: &mut StreamRng,
) -> Result<(PairCodes, Vec<usize>), AnyError> {
    let d = world.dag().dim();
    let (_, truth) = world.sample(n, Split::Train)?;
    let (Some(e), Some(e_after)) = (truth.e_before, truth.e_after) else {
        return Err("no e".into());
    };
    let mut labels: Vec<usize> = (0..d).collect();
    labels.shuffle(rng);
    let signs: Vec<f64> = (0..d).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
    let mut side = |e: &DMatrix<f64>| {
        let mut side = DMatrix::zeros(n, d);
        for k in 0..d {
            for row in 0..n {
                let error: f64 = (0..12).map(|_| rng.random::<f64>() - 0.5).sum();
                side[(row, labels[k])] = signs[k] * (e[(row, k)] + fault.noise * error);
            }
        }
        side
    };
    let (before, after) = (side(&e), side(&e_after));
    let mut target_probs = DMatrix::zeros(n, d + 1);
    for (row, target) in truth.targets.iter().flatten().enumerate() {
        let right = target.variables().first().map_or(0, |&k| labels[k] + 1);
        let wrong = rng.random_bool(fault.wrong_targets);
        target_probs[(row, if wrong { rng.random_range(0..=d) } else { right })] = 1.0;
    }
    Ok((PairCodes::new(before, after, target_probs)?, labels))
}
