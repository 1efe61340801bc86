//! How often edges exist that a pair-based learner gives a probability, as Markdown tables and as a
//! drawing.
//!
//! Arguments: first seed, graphs, pairs per graph, variables, resamples of the bootstrap, an `.svg` for
//! the reliability curves.

use std::fmt::Write as _;
use std::io::Write;

use domino_core::{Seed, Stream};
use domino_dag::{Bootstrap, LearnedGraph, PairCodes, PairRegression, StructureLearner};
use domino_data::scaling::{LinearConfig, MechanismConfig, ScalingConfig, World};
use domino_data::{Generator, Split};
use nalgebra::DMatrix;

type AnyError = Box<dyn std::error::Error>;

/// Probabilities are put into this many bins of one width.
const BINS: usize = 10;

/// One for each learner.
const COLOURS: [&str; 2] = ["#1f6fb4", "#d2691e"];

/// Predictions and outcomes by bin, and the distances expected and found.
#[derive(Default)]
struct Reliability {
    bins: [(usize, f64, usize); BINS],
    expected_shd: f64,
    shd: usize,
}

impl Reliability {
    fn add(&mut self, truth: &domino_core::Dag, learned: &LearnedGraph) -> Result<(), AnyError> {
        let d = truth.dim();
        for (i, j) in (0..d).flat_map(|i| (0..d).map(move |j| (i, j))).filter(|(i, j)| i != j) {
            let p = learned.edge_probs[(i, j)];
            let bin = &mut self.bins[((p * BINS as f64) as usize).min(BINS - 1)];
            *bin = (bin.0 + 1, bin.1 + p, bin.2 + usize::from(truth.has_edge(i, j)));
        }
        self.expected_shd += learned.expected_shd();
        self.shd += domino_metrics::shd(truth, &learned.dag, domino_metrics::Reversal::Once)?;
        Ok(())
    }

    /// `Σ_b n_b / n |share of edges − mean probability|`.
    fn calibration_error(&self) -> f64 {
        let total: usize = self.bins.iter().map(|b| b.0).sum();
        let gap: f64 = self.bins.iter().map(|b| (b.2 as f64 - b.1).abs()).sum();
        gap / total as f64
    }
}

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |a| a.parse::<usize>());
    let (first, graphs, pairs) = (number(0, 1000)?, number(1, 100)?, number(2, 1000)?);
    let (d, resamples) = (number(3, 8)?, number(4, 20)?);
    let mut own = Reliability::default();
    let mut averaged = Reliability::default();
    for seed in first..first + graphs {
        let mechanisms = MechanismConfig::Linear(LinearConfig::default());
        let config = ScalingConfig { seed: seed as u64, d, mechanisms, ..Default::default() };
        let world = World::draw(&config)?;
        let codes = codes(&world, pairs)?;
        let mut rng = Seed(seed as u64).rng(Stream::Eval);
        let learner = PairRegression::default();
        own.add(world.dag(), &learner.learn(&codes, &mut rng)?)?;
        averaged.add(world.dag(), &Bootstrap { learner, resamples }.learn(&codes, &mut rng)?)?;
    }
    let mut out = std::io::stdout();
    let both = [("closed form", own), ("bootstrap", averaged)];
    if let Some(path) = arguments.get(5) {
        domino_core::files::write_bytes(path.as_ref(), drawing(&both)?.as_bytes())?;
    }
    for (name, found) in both {
        let per_graph = |x: f64| x / graphs as f64;
        writeln!(
            out,
            "{name}: d = {d}, {pairs} pairs, {graphs} graphs: expected calibration error {:.4}, SHD {:.2}, expected {:.2}\n",
            found.calibration_error(),
            per_graph(found.shd as f64),
            per_graph(found.expected_shd)
        )?;
        writeln!(out, "| probability | pairs of variables | mean probability | share of edges |")?;
        writeln!(out, "|---|---|---|---|")?;
        for (bin, (count, sum, edges)) in found.bins.iter().enumerate() {
            let of = |x: f64| if *count == 0 { f64::NAN } else { x / *count as f64 };
            let (from, to) = (bin as f64 / BINS as f64, (bin + 1) as f64 / BINS as f64);
            writeln!(
                out,
                "| {from:.1}–{to:.1} | {count} | {:.3} | {:.3} |",
                of(*sum),
                of(*edges as f64)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Shares of edges over mean probabilities with two standard errors, one colour for each learner.
fn drawing(all: &[(&str, Reliability)]) -> Result<String, AnyError> {
    const SIZE: f64 = 300.0;
    const EDGE: f64 = 50.0;
    let place = |x: f64, y: f64| (EDGE + SIZE * x, EDGE + SIZE * (1.0 - y));
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 410\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"400\" height=\"410\" fill=\"white\"/>\n",
    );
    let mut line = |from: (f64, f64), to: (f64, f64), style: &str| {
        let (a, b) = (place(from.0, from.1), place(to.0, to.1));
        writeln!(
            svg,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
            a.0, a.1, b.0, b.1
        )
    };
    let axis = "stroke=\"black\"";
    line((0.0, 0.0), (1.0, 1.0), "stroke=\"#999\" stroke-dasharray=\"4 4\"")?;
    line((0.0, 0.0), (1.0, 0.0), axis)?;
    line((0.0, 0.0), (0.0, 1.0), axis)?;
    for ((_, found), colour) in all.iter().zip(COLOURS) {
        let style = format!("stroke=\"{colour}\" stroke-width=\"2\"");
        let bins = found.bins.iter().filter(|bin| bin.0 > 0);
        let points: Vec<(f64, f64, f64)> = bins
            .map(|&(n, sum, edges)| {
                let (n, share) = (n as f64, edges as f64 / n as f64);
                (sum / n, share, 2.0 * (share * (1.0 - share) / n).sqrt())
            })
            .collect();
        for &(p, share, error) in &points {
            let ends = [(share - error).max(0.0), (share + error).min(1.0)];
            line((p, ends[0]), (p, ends[1]), &format!("stroke=\"{colour}\""))?;
            line((p - 0.01, share), (p + 0.01, share), &style)?;
        }
        for pair in points.windows(2) {
            line((pair[0].0, pair[0].1), (pair[1].0, pair[1].1), &style)?;
        }
    }
    for tick in [0.0, 0.5, 1.0] {
        let (x, y) = place(tick, tick);
        writeln!(svg, "<text x=\"{x:.1}\" y=\"366\" text-anchor=\"middle\">{tick}</text>")?;
        writeln!(svg, "<text x=\"44\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>", y + 4.0)?;
    }
    for (at, ((name, _), colour)) in all.iter().zip(COLOURS).enumerate() {
        writeln!(svg, "<text x=\"64\" y=\"{}\" fill=\"{colour}\">{name}</text>", 64 + 18 * at)?;
    }
    svg += "<text x=\"200\" y=\"390\" text-anchor=\"middle\">probability of an edge</text>\n\
            <text x=\"16\" y=\"200\" text-anchor=\"middle\" transform=\"rotate(-90 16 200)\">share that \
            exist</text>\n</svg>\n";
    Ok(svg)
}

fn codes(world: &World, n: usize) -> Result<PairCodes, AnyError> {
    let (_, truth) = world.sample(n, Split::Train)?;
    let (Some(before), Some(after)) = (truth.e_before, truth.e_after) else {
        return Err("the world gives no noise".into());
    };
    let mut target_probs = DMatrix::zeros(n, world.dag().dim() + 1);
    for (row, target) in truth.targets.iter().flatten().enumerate() {
        target_probs[(row, target.variables().first().map_or(0, |k| k + 1))] = 1.0;
    }
    Ok(PairCodes::new(before, after, target_probs)?)
}
