//! ENCO on the synthetic families of its paper, as a Markdown table.
//!
//! Arguments: variables, graphs per family, first seed, epochs, filter of the family's name,
//! shrinkage of the networks.

use std::io::Write;
use std::time::Instant;

use domino_core::{Seed, Stream};
use domino_dag::Enco;
use domino_dag::networks::{DiscreteNetwork, GraphFamily, Intervention, Plan, draw_samples};
use domino_metrics::{Reversal, shd};

type AnyError = Box<dyn std::error::Error>;

/// Rows as in the paper: 5000 without intervention and 200 per target.
const PLAN: Plan =
    Plan { observational: 5000, per_target: 200, intervention: Intervention::Perfect };

/// States of each variable, as in the paper.
const STATES: usize = 10;

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |a| a.parse());
    let (dim, graphs, first): (usize, usize, usize) =
        (number(0, 25)?, number(1, 5)?, number(2, 1000)?);
    let epochs = number(3, Enco::default().epochs)?;
    let filter = arguments.get(4).cloned().unwrap_or_default();
    let shrinkage = arguments.get(5).map_or(Ok(Enco::default().shrinkage), |a| a.parse())?;
    let mut out = std::io::stdout();
    writeln!(out, "| family | edges | SHD per graph | mean SHD | rounds | s per graph |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for (name, family) in [
        ("chain", GraphFamily::Chain),
        ("bidiagonal", GraphFamily::Bidiagonal),
        ("collider", GraphFamily::Collider),
        ("jungle", GraphFamily::Jungle),
        ("random p = 0.3", GraphFamily::Random { edge_probability: 0.3 }),
        ("full", GraphFamily::Full),
    ] {
        if !name.contains(&filter) {
            continue;
        }
        let (mut distances, mut edges, mut rounds) = (Vec::new(), 0, 0);
        let start = Instant::now();
        for seed in first..first + graphs {
            let mut rng = Seed(seed as u64).rng(Stream::World);
            let dag = family.draw(dim, &mut rng)?;
            let network = DiscreteNetwork::random(dag.clone(), STATES, &mut rng)?;
            let samples = draw_samples(&network, &PLAN, &mut Seed(seed as u64).rng(Stream::Data))?;
            let learner = Enco { epochs, shrinkage, ..Enco::default() };
            let fit = learner.fit(&samples, &mut Seed(seed as u64).rng(Stream::Init))?;
            distances.push(shd(&dag, &fit.graph.dag, Reversal::Once)?);
            edges += dag.edge_count();
            rounds += fit.epochs;
        }
        let per_graph = |x: usize| x as f64 / graphs as f64;
        let mean = per_graph(distances.iter().sum());
        let seconds = start.elapsed().as_secs_f64() / graphs as f64;
        writeln!(
            out,
            "| {name} | {:.0} | {distances:?} | {mean:.1} | {:.0} | {seconds:.0} |",
            per_graph(edges),
            per_graph(rounds)
        )?;
    }
    Ok(())
}
