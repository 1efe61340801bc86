//! Learners on Gaussian systems whose variables all have one scale, as a Markdown table.
//!
//! Arguments: variables, graphs, first seed, filter of the learner's name, `linear`, `nonlinear` or
//! `raw` (linear, variances growing along the order).

use std::io::Write;
use std::time::Instant;

use domino_core::{Dag, Seed, Stream};
use domino_dag::baselines::{Dcdi, Gies, Notears, Pc};
use domino_dag::networks::{GaussianScm, GraphFamily, Intervention, Plan, Scale, draw_samples};
use domino_dag::{Enco, Samples, StructureLearner};
use domino_metrics::{Reversal, shd, sid};

type AnyError = Box<dyn std::error::Error>;

/// Rows: observational ones, and some for each target.
const PLAN: Plan =
    Plan { observational: 1000, per_target: 100, intervention: Intervention::Perfect };

/// Expected edges per variable.
const GRAPHS: GraphFamily = GraphFamily::ErdosRenyi { edges_per_variable: 2.0 };

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |a| a.parse());
    let (dim, graphs, first): (usize, usize, usize) =
        (number(0, 20)?, number(1, 10)?, number(2, 1000)?);
    let filter = arguments.get(3).cloned().unwrap_or_default();
    let law = arguments.get(4).cloned().unwrap_or_else(|| "linear".into());
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| {law}: learner | SHD, mean | SHD per graph | SID, mean | SID per graph | failed | s per graph |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for (name, learner) in learners() {
        if !name.contains(&filter) {
            continue;
        }
        let (mut distances, mut effects, mut failed) = (Vec::new(), Vec::new(), 0);
        let start = Instant::now();
        for seed in first..first + graphs {
            let (dag, samples) = system(&law, dim, seed as u64)?;
            match learner.learn(&samples, &mut Seed(seed as u64).rng(Stream::Init)) {
                Ok(learned) => {
                    distances.push(shd(&dag, &learned.dag, Reversal::Once)?);
                    effects.push(sid(&dag, &learned.dag)?.count);
                }
                Err(_) => failed += 1,
            }
        }
        let mean = |all: &[usize]| all.iter().sum::<usize>() as f64 / all.len().max(1) as f64;
        let seconds = start.elapsed().as_secs_f64() / graphs as f64;
        writeln!(
            out,
            "| {name} | {:.1} | {distances:?} | {:.1} | {effects:?} | {failed} | {seconds:.1} |",
            mean(&distances),
            mean(&effects)
        )?;
    }
    Ok(())
}

fn learners() -> Vec<(&'static str, Box<dyn StructureLearner<Samples>>)> {
    let enco = Enco { hidden: 32, epochs: 20, folds: 2, sparsity: 0.01, ..Enco::default() };
    vec![
        ("enco", Box::new(enco)),
        ("gies", Box::new(Gies::default())),
        ("notears-linear", Box::new(Notears::default())),
        ("notears-mlp", Box::new(Notears::mlp())),
        ("pc", Box::new(Pc::default())),
        ("dcdi", Box::new(Dcdi::default())),
    ]
}

fn system(law: &str, dim: usize, seed: u64) -> Result<(Dag, Samples), AnyError> {
    let mut rng = Seed(seed).rng(Stream::World);
    let dag = GRAPHS.draw(dim, &mut rng)?;
    let scm = match law {
        "linear" => GaussianScm::linear(dag.clone(), Scale::Unit, &mut rng),
        "raw" => GaussianScm::linear(dag.clone(), Scale::Raw, &mut rng),
        "nonlinear" => GaussianScm::nonlinear(dag.clone(), &mut rng),
        other => return Err(format!("expected linear, raw or nonlinear, got {other}").into()),
    };
    Ok((dag, draw_samples(&scm, &PLAN, &mut Seed(seed).rng(Stream::Data))?))
}
