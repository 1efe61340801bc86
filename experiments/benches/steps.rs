//! Optimiser steps per CPU second of the latent models, single thread, batch 64.
//!
//! The rates beside them are those of the public PyTorch implementation of Brehmer et al. 2022 on
//! one idle core of a two-core Xeon (PyTorch 2.15), in the phase with solution functions and every
//! target weighted; it evaluates `d (d + 1)` solution functions one after another.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::fs;

use domino::core::{Seed, Stream};
use domino::model::{GaussianMlpConfig, PairObjective, cpu, standard_normal};
use domino::train::{Adam, AdamConfig, PairSource};
use domino::vae::{
    Elbo, ElboWeights, Ilcm, IlcmConfig, MechanismMode, Referee, Sizes, TargetMode, ThinManifold,
    ThinWeights,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs per step.
const BATCH: usize = 64;

/// Steps per CPU second of the public code with solution functions, by `d`.
const REFERENCE: [(usize, f64); 3] = [(3, 43.0), (8, 16.7), (16, 5.9)];

/// CPU seconds per measurement; the median of several counts.
const SECONDS: f64 = 1.0;

/// Measurements per row.
const REPEATS: usize = 5;

fn main() {
    let filter: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if filter.iter().any(|f| !"steps".contains(f.as_str())) {
        return;
    }
    println!("{:>3} {:<32} {:>10} {:>10} {:>7}", "d", "phase", "steps/s", "reference", "ratio");
    for (d, reference) in REFERENCE {
        for (name, weights) in phases() {
            let rate = elbo_rate(d, &weights);
            let known = name == SOLUTION_PHASE;
            let beside = if known { format!("{reference:10.1}") } else { " ".repeat(10) };
            let ratio = if known { format!("{:6.1}x", rate / reference) } else { String::new() };
            println!("{d:>3} {name:<32} {rate:>10.0} {beside} {ratio:>7}");
        }
        println!("{d:>3} {:<32} {:>10.0}", "sparsity of change (default)", thin_rate(d));
    }
}

const SOLUTION_PHASE: &str = "all targets, solution functions";

fn phases() -> Vec<(&'static str, ElboWeights)> {
    let soft = ElboWeights {
        beta: 1.0,
        z_regularization: 0.0,
        consistency: 0.0,
        entropy: 1.0,
        offset: 1e-4,
        targets: TargetMode::Soft,
        mechanisms: MechanismMode::Learned,
    };
    vec![
        ("pretraining", ElboWeights { targets: TargetMode::Absent, ..soft }),
        ("all targets", ElboWeights { mechanisms: MechanismMode::Absent, ..soft }),
        (SOLUTION_PHASE, soft),
        ("best target, solution functions", ElboWeights { targets: TargetMode::Hard, ..soft }),
    ]
}

fn elbo_rate(d: usize, weights: &ElboWeights) -> f64 {
    // The reference's networks: no linear parts.
    let mut config = IlcmConfig::default();
    let plain = |c: &GaussianMlpConfig| GaussianMlpConfig { skip: false, ..c.clone() };
    config.encoder = plain(&config.encoder);
    config.decoder = plain(&config.decoder);
    rate(Elbo { model: model(d, &config) }, d, weights)
}

fn thin_rate(d: usize) -> f64 {
    let objective = ThinManifold {
        model: model(d, &IlcmConfig::default()),
        referee: Some(Referee::new(1, d, &cpu().autodiff())),
    };
    rate(objective, d, &ThinWeights { tau: 0.1, beta: 1.0, noise: None })
}

fn model(d: usize, config: &IlcmConfig) -> Ilcm {
    let sizes = Sizes { replicas: 1, components: d, d };
    Ilcm::new(sizes, config, &mut Seed(0).rng(Stream::Init), &cpu().autodiff())
}

/// The median rate of whole steps: drawing a batch, the loss, its gradient and the update.
fn rate<O: PairObjective>(mut objective: O, d: usize, weights: &O::Weights) -> f64 {
    let device = cpu().autodiff();
    let mut rng = Seed(0).rng(Stream::Data);
    let mut side = || {
        let x = standard_normal([4096, d], &mut rng, &cpu());
        x.into_data().iter::<f32>().collect::<Vec<f32>>()
    };
    let source = PairSource::new(side(), side(), d, 1);
    let mut adam = Adam::new(AdamConfig::default(), 1);
    let mut draws = Seed(0).rng(Stream::Batch);
    let mut rates = Vec::new();
    for repeat in 0..=REPEATS {
        let (start, mut steps) = (cpu_seconds(), 0);
        while steps % 16 != 0 || steps == 0 || cpu_seconds() - start < SECONDS {
            let batch = source.batch(BATCH, &mut draws, &device);
            let loss = objective.loss(&batch, weights, &mut draws);
            let grads = loss.total.backward();
            objective = adam.step(objective, &grads, 3e-4);
            steps += 1;
        }
        // The first round warms caches and the allocator.
        if repeat > 0 {
            rates.push(f64::from(steps) / (cpu_seconds() - start));
        }
    }
    rates.sort_by(f64::total_cmp);
    rates[REPEATS / 2]
}

/// User and system time of this process, all threads, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; times are the 12th and 13th fields after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
