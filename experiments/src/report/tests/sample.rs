//! Made-up results that look like real ones.

use domino::core::Dag;

use crate::report::{
    CounterfactualStrip, Curves, DataSummary, Edge, Level, Phase, Report, RunInfo, Scores, Series,
    VariableSummary, Verdict,
};

/// A number in [0, 1) that depends on `n` without pattern.
pub(super) fn noise(n: usize) -> f64 {
    (((n + 1) as f64 * 12.9898).sin() * 43_758.545).rem_euclid(1.0)
}

/// How well the made-up run went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Good,
    /// Two variables mixed up, wrong edges.
    Poor,
}

fn dag(d: usize) -> Dag {
    let density = if d > 8 { 0.25 } else { 0.6 };
    Dag::forward(d, |i, j| noise(31 * i + 7 * j) < density)
}

/// The learned graph: the true one, or one with an edge turned, one missing and some made up.
fn learned(d: usize, quality: Quality) -> Vec<(usize, usize)> {
    let mut edges: Vec<_> = dag(d).edges().collect();
    if quality == Quality::Poor && d > 2 {
        let (from, to) = edges[0];
        edges[0] = (to, from);
        edges.remove(1);
        let absent = |&(i, j): &(usize, usize)| !dag(d).has_edge(i, j) && !dag(d).has_edge(j, i);
        let pairs = (0..d).flat_map(|i| (i + 1..d).map(move |j| (i, j)));
        edges.extend(pairs.filter(absent).take(1 + d / 8));
    }
    edges
}

/// Factor `f` is seen by code `(f + 1) mod d`.
fn code_of(factor: usize, d: usize) -> usize {
    (factor + 1) % d
}

pub(super) fn names(d: usize) -> Vec<String> {
    match d {
        4 => ["arm", "green lamp", "red lamp", "blue lamp"].map(str::to_owned).to_vec(),
        _ => (0..d).map(|n| format!("z{}", n + 1)).collect(),
    }
}

pub(super) fn report(d: usize, quality: Quality) -> Report {
    let learned = learned(d, quality);
    let believed = |i, j| learned.contains(&(i, j));
    let mut edge_probs = vec![vec![0.0; d]; d];
    for i in 0..d {
        for j in (0..d).filter(|&j| j != i) {
            let n = noise(100 + i * d + j);
            let belief = if believed(i, j) { 1.0 - 0.4 * n * n } else { 0.25 * n * n * n };
            edge_probs[code_of(i, d)][code_of(j, d)] = belief;
        }
    }
    let edge = |&(i, j): &(usize, usize)| {
        let (from, to) = (code_of(i, d), code_of(j, d));
        Edge { from, to, probability: edge_probs[from][to], strength: 0.2 + noise(i * d + j) }
    };
    let learned_edges: Vec<Edge> = learned.iter().map(edge).collect();
    let shares: Vec<f64> = (0..d).map(|n| (0.8 + 0.4 * noise(n)) / (d + 1) as f64).collect();
    let none = 1.0 - shares.iter().sum::<f64>();
    Report {
        pictures: None,
        experiment: format!("circuit-vectors-d{d}"),
        config_hash: "3fa90c1be274".to_owned(),
        seed: 7,
        data: DataSummary {
            name: format!("scaling-d{d}"),
            rows: 20_000,
            held_out_rows: 2_000,
            dim_x: 2 * d,
            checksum: "9c7e6a51d0".repeat(6),
        },
        model: "latent causal model from sparse changes, refitted solution functions".to_owned(),
        d,
        variables: (0..d).map(|code| variable(code, &shares, &learned_edges)).collect(),
        edge_probs,
        order: (0..d).map(|factor| code_of(factor, d)).collect(),
        target_shares: std::iter::once(none).chain(shares).collect(),
        verdict: verdict(quality),
        scores: Some(scores(d, quality)),
        counterfactuals: (0..d).map(|factor| strip(d, factor, quality)).collect(),
        learned_edges,
    }
}

fn variable(code: usize, shares: &[f64], edges: &[Edge]) -> VariableSummary {
    let parents = edges.iter().filter(|edge| edge.to == code).map(|edge| edge.from).collect();
    VariableSummary { name: format!("z{}", code + 1), intervened_share: shares[code], parents }
}

fn verdict(quality: Quality) -> Verdict {
    let good = quality == Quality::Good;
    let reasons = if good {
        [
            "The change of a pair lies almost wholly in one variable: 0.991 against at least 0.95.",
            "All variables are used as targets: entropy 0.987 against at least 0.80.",
            "Observations are reconstructed: 0.3 % of the variance is lost, at most 2 % allowed.",
        ]
    } else {
        [
            "The change of a pair is spread over variables: 0.713, expected at least 0.95.",
            "All variables are used as targets: entropy 0.942 against at least 0.80.",
            "Observations are not reconstructed: 4.1 % of the variance is lost, at most 2 % allowed.",
        ]
    };
    Verdict {
        level: if good { Level::Trustworthy } else { Level::Failed },
        agreement: Some(if good { 0.998 } else { 0.41 }),
        dependence: Some(if good { 0.001 } else { 0.08 }),
        persistence: Some(if good { 0.002 } else { 0.11 }),
        supported_variables: Some(if good { 4.0 } else { 5.0 }),
        largest_step: Some(if good { 0.07 } else { 0.6 }),
        unforeseen: Some(if good { 0.002 } else { 0.31 }),
        sparsity_of_change: Some(if good { 0.991 } else { 0.713 }),
        target_entropy: Some(if good { 0.987 } else { 0.942 }),
        reconstruction: Some(if good { 0.003_1 } else { 0.041 }),
        log_likelihood: Some(if good { -3.218 } else { -7.94 }),
        reasons: reasons.map(str::to_owned).to_vec(),
    }
}

fn scores(d: usize, quality: Quality) -> Scores {
    let good = quality == Quality::Good;
    let pick = |a: f64, b: f64| Some(if good { a } else { b });
    let mut importance = vec![vec![0.0; d]; d];
    let mut confusion = vec![vec![0; d + 1]; d + 1];
    confusion[0][0] = 400;
    for factor in 0..d {
        confusion[factor + 1][factor + 1] = if good { 1520 / d as u64 } else { 1100 / d as u64 };
        confusion[factor + 1][(factor + 2) % (d + 1)] += 80 / d as u64 + u64::from(!good) * 90;
        for (code, row) in importance.iter_mut().enumerate() {
            let off = noise(500 + factor * d + code).powi(3) * if good { 0.02 } else { 0.25 };
            let on = if code == code_of(factor, d) { 0.9 } else { 0.0 };
            row[factor] = on + off;
        }
    }
    Scores {
        disentanglement: pick(0.9721, 0.6134),
        completeness: pick(0.9688, 0.6402),
        informativeness_test: pick(0.0042, 0.1178),
        mcc: pick(0.9957, 0.8412),
        mcc_spearman: pick(0.9942, 0.8377),
        smallest_correlation: pick(0.9893, 0.3127),
        target_accuracy: pick(0.9516, 0.7925),
        exact_sets: None,
        set_states: None,
        shd: pick(0.0, 4.0),
        edge_precision: pick(1.0, 0.714),
        edge_recall: pick(1.0, 0.625),
        edge_f1: pick(1.0, 0.667),
        factor_names: names(d),
        matching: (0..d).map(|factor| Some(code_of(factor, d))).collect(),
        importance,
        confusion,
        true_edges: Some(dag(d).edges().collect()),
    }
}

/// `do(factor = v)`: children move, other variables stay.
fn strip(d: usize, factor: usize, quality: Quality) -> CounterfactualStrip {
    let values: Vec<f64> = (0..21).map(|n| -2.0 + 0.2 * f64::from(n)).collect();
    let answer = |v: f64, wrong: f64| {
        let mut z = vec![0.0; d];
        for j in 0..d {
            let base = 2.0 * noise(900 + j) - 1.0;
            let effect = if dag(d).has_edge(factor, j) { (1.3 * v).tanh() * 0.9 } else { 0.0 };
            let slip = wrong * (v + 0.5) * noise(factor * d + j);
            z[code_of(j, d)] = if j == factor { v } else { base + effect + slip };
        }
        z
    };
    let wrong = if quality == Quality::Good { 0.04 } else { 0.5 };
    CounterfactualStrip {
        variable: code_of(factor, d),
        predicted: values.iter().map(|&v| answer(v, wrong)).collect(),
        truth: Some(values.iter().map(|&v| answer(v, 0.0)).collect()),
        values,
    }
}

/// The same run on data without truth.
pub(super) fn without_truth(mut report: Report) -> Report {
    report.scores = None;
    report.counterfactuals.iter_mut().for_each(|strip| strip.truth = None);
    report
}

pub(super) fn curves() -> Curves {
    let phases = [("variables", 0, 3000), ("mechanisms", 3000, 4200), ("graph", 4200, 4600)];
    let phases =
        phases.map(|(name, start, end)| Phase { name: name.to_owned(), start, end }).to_vec();
    let series = |term: &str, scale: f64, floor: f64| Series {
        term: term.to_owned(),
        points: (1..=460)
            .map(|n| {
                let decay = (-f64::from(n) / 60.0).exp();
                let jitter = 1.0 + 0.15 * (noise(n as usize * 3) - 0.5);
                (u64::from(n as u32) * 10, (scale * decay + floor) * jitter)
            })
            .collect(),
    };
    let series = vec![
        series("total", 4.0, 0.9),
        series("reconstruction", 1.0, 0.003),
        series("change outside the target", 0.8, 0.008),
        series("KL of noise codes", -2.0, 3.1),
    ];
    Curves { phases, series }
}

pub(super) fn run_info() -> RunInfo {
    let versions = [("domino", "0.1.0"), ("burn", "0.22.1"), ("rustc", "1.95.0")];
    RunInfo {
        revision: "6e46dce".to_owned(),
        versions: versions.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec(),
        device: "flex (CPU)".to_owned(),
        threads: 2,
        host: "workstation".to_owned(),
        started: "2026-11-21T23:08:41Z".to_owned(),
        wall_seconds: 93.4,
        cpu_seconds: 171.9,
        data_checksum: "9c7e6a51d0".repeat(6),
        command_line: "domino run experiments/configs/circuit-vectors.toml seed=7".to_owned(),
    }
}

pub(super) const CONFIG: &str = "experiment = \"circuit-vectors-d4\"\nseed = 7\n\n[data]\nd = 4\nname = \"scaling\"\n\n[train]\nbatch = 128\nlr = 0.0015\nsteps = 3500\n";
