//! How many pairs the pair-based learner needs, beside ENCO on the same data, as a Markdown table.
//!
//! Arguments: `linear` or `mlp`, first seed, graphs, numbers of variables and of pairs (comma
//! separated), `enco` to run it too. Codes, variables and targets are the true ones.

use std::io::Write;
use std::time::Instant;

use domino_core::{Dag, Seed, Stream};
use domino_dag::{Enco, PairCodes, PairRegression, Samples, StructureLearner};
use domino_data::scaling::{LinearConfig, MechanismConfig, MlpConfig, ScalingConfig, World};
use domino_data::{Generator, Split};
use domino_metrics::{Reversal, shd};
use nalgebra::DMatrix;

type AnyError = Box<dyn std::error::Error>;

/// A learner's score over the graphs.
#[derive(Default)]
struct Score {
    exact: usize,
    distance: usize,
    missed: usize,
    seconds: f64,
}

impl Score {
    fn add(&mut self, truth: &Dag, found: &Dag, start: Instant) -> Result<(), AnyError> {
        let distance = shd(truth, found, Reversal::Once)?;
        self.exact += usize::from(distance == 0);
        self.distance += distance;
        self.missed += truth.edges().filter(|&(i, j)| !found.has_edge(i, j)).count();
        self.seconds += start.elapsed().as_secs_f64();
        Ok(())
    }
}

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = |at: usize, default: &str| arguments.get(at).cloned().unwrap_or(default.into());
    let law = text(0, "linear");
    let (first, graphs): (u64, u64) = (text(1, "1000").parse()?, text(2, "20").parse()?);
    let list =
        |text: String| text.split(',').map(str::parse::<usize>).collect::<Result<Vec<_>, _>>();
    let (dims, sizes) = (list(text(3, "4,8,16,30"))?, list(text(4, "10000"))?);
    let with_enco = text(5, "") == "enco";
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| {law}: d | pairs | learner | exact | mean SHD | missed of all edges | s per graph |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for (d, n) in dims.iter().flat_map(|&d| sizes.iter().map(move |&n| (d, n))) {
        let (mut pairs, mut enco, mut edges) = (Score::default(), Score::default(), 0);
        for seed in first..first + graphs {
            let mechanisms = match law.as_str() {
                "linear" => MechanismConfig::Linear(LinearConfig::default()),
                _ => MechanismConfig::Mlp(MlpConfig::default()),
            };
            let world = World::draw(&ScalingConfig { seed, d, mechanisms, ..Default::default() })?;
            let truth = world.dag();
            edges += truth.edge_count();
            let (codes, samples) = data(&world, n)?;
            let start = Instant::now();
            let mut rng = Seed(seed).rng(Stream::Eval);
            pairs.add(truth, &PairRegression::default().learn(&codes, &mut rng)?.dag, start)?;
            if with_enco {
                let start = Instant::now();
                let learner = Enco { hidden: 32, epochs: 20, ..Enco::default() };
                enco.add(truth, &learner.learn(&samples, &mut rng)?.dag, start)?;
            }
        }
        for (name, score) in [("pairs", pairs), ("enco", enco)] {
            if name == "pairs" || with_enco {
                writeln!(
                    out,
                    "| {d} | {n} | {name} | {}/{graphs} | {:.2} | {} of {edges} | {:.3} |",
                    score.exact,
                    score.distance as f64 / graphs as f64,
                    score.missed,
                    score.seconds / graphs as f64
                )?;
            }
        }
    }
    Ok(())
}

/// Codes of pairs for the one learner; for the other the variables, before as observational rows and
/// after under their target.
fn data(world: &World, n: usize) -> Result<(PairCodes, Samples), AnyError> {
    let d = world.dag().dim();
    let (_, truth) = world.sample(n, Split::Train)?;
    let parts = (truth.e_before, truth.e_after, truth.z_before, truth.z_after);
    let (Some(before), Some(after), Some(z_before), Some(z_after)) = parts else {
        return Err("the world hides its variables".into());
    };
    let mut target_probs = DMatrix::zeros(n, d + 1);
    for (row, target) in truth.targets.iter().flatten().enumerate() {
        target_probs[(row, target.variables().first().map_or(0, |k| k + 1))] = 1.0;
    }
    let none = DMatrix::from_fn(n, d + 1, |_, k| if k == 0 { 1.0 } else { 0.0 });
    let samples = Samples::stacked(&[
        Samples::with_target_probs(&z_before, &none)?,
        Samples::with_target_probs(&z_after, &target_probs)?,
    ])?;
    Ok((PairCodes::new(before, after, target_probs)?, samples))
}
