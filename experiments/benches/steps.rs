//! Optimiser steps per CPU second of the latent models, single thread, batch 64.
//!
//! The rates beside them are those of the public PyTorch implementation of Brehmer et al. 2022 on
//! one idle core of a two-core Xeon (PyTorch 2.15), in the phase with solution functions and every
//! target weighted; it evaluates `d (d + 1)` solution functions one after another.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

#[path = "common/rates.rs"]
#[expect(dead_code, reason = "a GPU's utilisation is asked for elsewhere")]
mod rates;

use domino::core::{Seed, Stream};
use domino::model::{GaussianMlpConfig, PairObjective, cpu, standard_normal};
use domino::recipe::FlowStage;
use domino::train::{AdamConfig, PairSource};
use domino::vae::{
    Elbo, ElboWeights, Flow, FlowWeights, Ilcm, IlcmConfig, MechanismMode, Referee, Sizes,
    TargetMode, ThinManifold, ThinWeights,
};

use rates::step_rate;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs per step.
const BATCH: usize = 64;

/// Steps per CPU second of the public code with solution functions, by `d`.
const REFERENCE: [(usize, f64); 3] = [(3, 43.0), (8, 16.7), (16, 5.9)];

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
        println!("{d:>3} {:<32} {:>10.0}", "sparsity of change, decoded", thin_rate(d));
        println!("{d:>3} {:<32} {:>10.0}", "exact likelihood (default)", flow_rate(d));
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
    rate(Elbo { model: model(d, &config) }, d, weights, AdamConfig::default())
}

fn thin_rate(d: usize) -> f64 {
    let objective = ThinManifold {
        model: model(d, &IlcmConfig::default()),
        referee: Some(Referee::new(1, d, &cpu().autodiff())),
    };
    let weights = ThinWeights { tau: 0.1, beta: 1.0, noise: None };
    rate(objective, d, &weights, AdamConfig::default())
}

fn flow_rate(d: usize) -> f64 {
    let FlowStage { encoder, decoder, phase, .. } = FlowStage::default();
    let config = IlcmConfig { encoder, decoder, ..IlcmConfig::default() };
    rate(
        Flow::new(model(d, &config), &cpu().autodiff()),
        d,
        &FlowWeights { tau: 0.1 },
        phase.optimizer,
    )
}

fn model(d: usize, config: &IlcmConfig) -> Ilcm {
    let sizes = Sizes { replicas: 1, components: d, d };
    Ilcm::new(sizes, config, &mut Seed(0).rng(Stream::Init), &cpu().autodiff())
}

fn rate<O: PairObjective>(
    objective: O,
    d: usize,
    weights: &O::Weights,
    optimizer: AdamConfig,
) -> f64 {
    let mut rng = Seed(0).rng(Stream::Data);
    let mut side = || {
        let x = standard_normal([4096, d], &mut rng, &cpu());
        x.into_data().iter::<f32>().collect::<Vec<f32>>()
    };
    let source = PairSource::new(side(), side(), d, 1);
    step_rate(objective, &source, BATCH, weights, optimizer, "cpu").per_second
}
