//! CPU time of ENCO's steps at d = 3 beside a public implementation's, and their growth with d.
//!
//! One thread. CPU time is that of the process where Linux tells it, else wall time.

use std::fs::read_to_string;
use std::io::Write;
use std::time::Instant;

use domino_core::{Seed, Stream, StreamRng};
use domino_dag::networks::{
    DiscreteNetwork, GaussianScm, GraphFamily, Intervention, Plan, Scale, draw_samples,
};
use domino_dag::{Enco, EncoRun};

type AnyError = Box<dyn std::error::Error>;

/// CPU ms of a distribution step of 512 rows and of a graph step of 256 rows by 100 graphs, d = 3,
/// two hidden layers of 64 units, as recorded for the ENCO in the public code of Brehmer et al. 2022
/// (PyTorch on one core of a 2-core Xeon), which materialises its weights once per row.
const PUBLIC_MS: [f64; 2] = [44.0, 1141.0];

/// The same with its batched linear layer written as a matrix product.
const PUBLIC_REPAIRED_MS: [f64; 2] = [5.0, 70.0];

fn main() -> Result<(), AnyError> {
    let mut filters = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    if !filters.all(|filter| "dag/enco".contains(&filter)) {
        return Ok(());
    }
    let mut out = std::io::stdout();
    writeln!(
        out,
        "ENCO, d = 3, 512 rows per distribution step, 256 rows x 100 graphs per graph step"
    )?;
    writeln!(out, "| | distribution step, CPU ms | graph step, CPU ms |\n|---|---|---|")?;
    let sizes = Enco { distribution_batch: 512, graph_batch: 256, graphs: 100, ..Enco::default() };
    let (mut run, mut rng) = run(3, sizes, 512)?;
    let [first, fresh] =
        [time(200, || _ = run.distribution_step(&mut rng)), time(200, || run.graph_step(&mut rng))];
    writeln!(out, "| here, one hidden layer of 64 | {first:.3} | {fresh:.3} |")?;
    for (name, [a, b]) in
        [("public (recorded)", PUBLIC_MS), ("public, repaired (recorded)", PUBLIC_REPAIRED_MS)]
    {
        writeln!(out, "| {name} | {a} | {b} |")?;
    }
    categorical(&mut out)?;
    writeln!(
        out,
        "\nGrowth: continuous, 16 hidden units, 128 rows per distribution step, 32 rows x 20 graphs"
    )?;
    writeln!(
        out,
        "| d | distribution step, ms | graph step, ms | peak memory, MiB |\n|---|---|---|---|"
    )?;
    for (d, steps) in [(10, 100), (30, 30), (100, 10), (300, 4), (1000, 2)] {
        let sizes = Enco { hidden: 16, graph_batch: 32, graphs: 20, ..Enco::default() };
        let (mut run, mut rng) = self::run(d, sizes, 10)?;
        let fit = time(steps, || _ = run.distribution_step(&mut rng));
        let graph = time(steps, || run.graph_step(&mut rng));
        writeln!(out, "| {d} | {fit:.2} | {graph:.2} | {:.0} |", peak_mib())?;
    }
    Ok(())
}

/// The sizes of the paper's synthetic networks, all options as they are by default.
fn categorical(out: &mut impl Write) -> Result<(), AnyError> {
    let mut rng = Seed(0).rng(Stream::World);
    let dag = GraphFamily::Random { edge_probability: 0.3 }.draw(25, &mut rng)?;
    let network = DiscreteNetwork::random(dag, 10, &mut rng)?;
    let plan = Plan { observational: 5000, per_target: 200, intervention: Intervention::Perfect };
    let samples = draw_samples(&network, &plan, &mut rng)?;
    let mut run = Enco::default().start(&samples, &mut rng)?;
    let fit = time(50, || _ = run.distribution_step(&mut rng));
    let graph = time(25, || run.graph_step(&mut rng));
    writeln!(out, "| here, d = 25, 10 states, default sizes | {fit:.2} | {graph:.2} |")?;
    Ok(())
}

/// A run on a linear system with two edges per variable, at its first step.
fn run(d: usize, options: Enco, per_target: usize) -> Result<(EncoRun, StreamRng), AnyError> {
    let mut rng = Seed(0).rng(Stream::World);
    let family = GraphFamily::ErdosRenyi { edges_per_variable: 2.0 };
    let scm = GaussianScm::linear(family.draw(d, &mut rng)?, Scale::Unit, &mut rng);
    let plan = Plan { observational: 1000, per_target, intervention: Intervention::Perfect };
    let samples = draw_samples(&scm, &plan, &mut rng)?;
    let run = options.start(&samples, &mut rng)?;
    Ok((run, rng))
}

/// Mean CPU ms of a step, the first left out.
fn time(steps: usize, mut step: impl FnMut()) -> f64 {
    step();
    let (cpu, wall) = (cpu_ms(), Instant::now());
    (0..steps).for_each(|_| step());
    let spent = match (cpu, cpu_ms()) {
        (Some(before), Some(after)) => after - before,
        _ => wall.elapsed().as_secs_f64() * 1e3,
    };
    spent / steps as f64
}

/// CPU time of the process.
fn cpu_ms() -> Option<f64> {
    let text = read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}

/// Largest resident memory of the process so far.
fn peak_mib() -> f64 {
    let text = read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}
