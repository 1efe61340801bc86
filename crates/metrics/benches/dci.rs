//! DCI at the published sizes: 10,000 points for fitting, 5,000 for testing.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use domino_core::{Seed, Stream};
use domino_metrics::{DciOptions, Sample, dci};
use nalgebra::DMatrix;
use rand::RngExt;

/// Factors `[n, K]` with a few values each, and latents `[n, D]`: noisy sums of neighbouring
/// factors, then pure noise.
fn example(n: usize, latents: usize, factors: usize, seed: u64) -> [DMatrix<f64>; 2] {
    let mut rng = Seed(seed).rng(Stream::Data);
    let y = DMatrix::from_fn(n, factors, |_, j| f64::from(rng.random_range(0..3 + j as u32)));
    let mut mixed = |i: usize, j: usize| {
        let signal = if j < factors { y[(i, j)] + 0.4 * y[(i, (j + 1) % factors)] } else { 0.0 };
        signal + 0.3 * rng.random_range(-1.0..1.0)
    };
    let z = DMatrix::from_fn(n, latents, &mut mixed);
    [z, y]
}

fn bench_dci(c: &mut Criterion) {
    let mut group = c.benchmark_group("dci");
    group.sample_size(10);
    for (points, latents, factors) in [(10_000, 10, 5), (10_000, 8, 8), (100_000, 4, 4)] {
        let [z, y] = example(points, latents, factors, 0);
        let [z_test, y_test] = example(points / 2, latents, factors, 1);
        let train = Sample::new(&z, &y).expect("the example is finite");
        let test = Sample::new(&z_test, &y_test).expect("the example is finite");
        group.bench_function(
            format!("{points} points, {latents} latents, {factors} factors"),
            |b| {
                b.iter(|| {
                    let mut rng = Seed(0).rng(Stream::Eval);
                    dci(black_box(train), test, &DciOptions::default(), &mut rng)
                });
            },
        );
    }
    group.finish();
}

criterion_group!(benches, bench_dci);
criterion_main!(benches);
