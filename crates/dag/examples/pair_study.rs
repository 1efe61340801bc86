//! How many pairs the pair-based learner needs, from codes and from variables, beside ENCO on the
//! same data, as a Markdown table.
//!
//! Arguments: `linear` or `mlp`, first seed, graphs, numbers of variables and of pairs, learners of
//! `codes`, `variables` and `enco` (lists comma separated). Codes, variables and targets are the true
//! ones.

use std::io::Write;
use std::time::Instant;

use domino_core::{Dag, Seed, Stream};
use domino_dag::{
    Enco, LearnedGraph, PairCodes, PairRegression, PairVariables, Samples, StructureLearner,
};
use domino_data::scaling::{LinearConfig, MechanismConfig, MlpConfig, ScalingConfig, World};
use domino_data::{Generator, Split};
use domino_metrics::{Reversal, shd};
use nalgebra::DMatrix;
use rand::Rng;

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
    let learners = text(5, "codes,variables");
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| {law}: d | pairs | learner | exact | mean SHD | missed of all edges | s per graph |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for (d, n) in dims.iter().flat_map(|&d| sizes.iter().map(move |&n| (d, n))) {
        let mut scores: Vec<_> = learners.split(',').map(|l| (l, Score::default())).collect();
        let mut edges = 0;
        for seed in first..first + graphs {
            let mechanisms = match law.as_str() {
                "linear" => MechanismConfig::Linear(LinearConfig::default()),
                _ => MechanismConfig::Mlp(MlpConfig::default()),
            };
            let world = World::draw(&ScalingConfig { seed, d, mechanisms, ..Default::default() })?;
            edges += world.dag().edge_count();
            let data = Data::of(&world, n)?;
            for (learner, score) in &mut scores {
                let start = Instant::now();
                let learned = data.learn(learner, &mut Seed(seed).rng(Stream::Eval))?;
                score.add(world.dag(), &learned.dag, start)?;
            }
        }
        for (name, score) in scores {
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
    Ok(())
}

/// The same pairs in the form that each learner reads.
struct Data {
    codes: PairCodes,
    variables: PairVariables,
    /// The variables before as observational rows, those after under their targets.
    samples: Samples,
}

impl Data {
    fn of(world: &World, n: usize) -> Result<Self, AnyError> {
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
        let variables = PairVariables::new(z_before, z_after, target_probs.clone())?;
        Ok(Self { codes: PairCodes::new(before, after, target_probs)?, variables, samples })
    }

    fn learn(&self, learner: &str, rng: &mut dyn Rng) -> Result<LearnedGraph, AnyError> {
        let pairs = PairRegression::default();
        Ok(match learner {
            "codes" => pairs.learn(&self.codes, rng)?,
            "variables" => pairs.learn(&self.variables, rng)?,
            "enco" => {
                Enco { hidden: 32, epochs: 20, ..Enco::default() }.learn(&self.samples, rng)?
            }
            other => return Err(format!("expected codes, variables or enco, got {other}").into()),
        })
    }
}
