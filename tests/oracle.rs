//! The truth as a model: whatever it does not score perfectly is a fault of the pipeline.

use domino::metrics::target_accuracy;
use domino::model::{LinearOracle, PairBatch, download, upload_rows};
use domino::prelude::*;

fn side(x: &Observations) -> Obs {
    let mut rows = Vec::new();
    (0..x.len()).for_each(|row| x.push_row(row, &mut rows));
    Obs(upload_rows(rows, x.dim(), &cpu()))
}

#[test]
fn the_oracle_scores_perfectly() {
    let config = ScalingConfig { seed: 7, d: 5, dim_x: Some(7), ..ScalingConfig::default() };
    let world = World::draw(&config).unwrap();
    let (pairs, truth) = world.sample(2000, Split::Test).unwrap();
    let weights = world.weights().expect("the mechanisms are linear");
    let mixing = world.mixing_matrix().expect("the mixing is linear");
    let oracle = LinearOracle::new(weights, mixing, &cpu()).unwrap();
    domino::model::laws::assert_scm_laws(&oracle, 1e-3);

    let batch = PairBatch { before: side(pairs.before()), after: side(pairs.after()) };
    let z = download(oracle.latents(batch.before.clone()).0);
    let targets = download(oracle.target_log_probs(&batch)).map(f64::exp);

    let known = truth.z_before.as_ref().unwrap();
    let sample = Sample::new(&z, known).unwrap();
    let score = mcc(sample, Correlation::Pearson).unwrap();
    assert!(score.score > 1.0 - 1e-9);
    let mut rng = Seed(0).rng(Stream::Eval);
    let trees = dci(sample, sample, &DciOptions::default(), &mut rng).unwrap();
    assert!(trees.disentanglement.score > 0.999, "{}", trees.disentanglement.score);

    let labels: Vec<usize> =
        truth.targets.unwrap().iter().map(|t| t.label().expect("targets are atomic")).collect();
    let accuracy = target_accuracy(&targets, &labels, known.ncols()).unwrap().accuracy;
    assert!(accuracy.score > 0.998, "{}", accuracy.score);

    let learned = Dag::from_adjacency(&download(oracle.edge_probs())).unwrap();
    let learned = score.matching.relabel(&learned).unwrap();
    assert_eq!(shd(world.dag(), &learned, Reversal::Once).unwrap(), 0);
}
