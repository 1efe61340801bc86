//! Rates of work, by the time of the processor.

use std::fs;

use domino::core::{Seed, Stream};
use domino::model::{PairObjective, device};
use domino::train::{Adam, AdamConfig, PairSource};

/// CPU seconds per measurement; the median of several counts.
const SECONDS: f64 = 1.0;

/// Measurements per row.
const REPEATS: usize = 5;

/// Calls between two looks at the clock, which counts hundredths of a second.
const CALLS: usize = 16;

/// The median rate of calls.
pub(crate) fn rate(mut call: impl FnMut()) -> f64 {
    let mut rates = Vec::new();
    for repeat in 0..=REPEATS {
        let (start, mut calls) = (cpu_seconds(), 0_u32);
        while calls == 0 || cpu_seconds() - start < SECONDS {
            let patience = if calls == 0 { 1 } else { CALLS };
            (0..patience).for_each(|_| call());
            calls += patience as u32;
        }
        // The first round warms caches and the allocator.
        if repeat > 0 {
            rates.push(f64::from(calls) / (cpu_seconds() - start));
        }
    }
    rates.sort_by(f64::total_cmp);
    rates[REPEATS / 2]
}

/// The median rate of whole steps on the device of a name: drawing a batch, the loss, its gradient
/// and the update.
pub(crate) fn step_rate<O: PairObjective>(
    objective: O,
    source: &PairSource,
    batch: usize,
    weights: &O::Weights,
    device_name: &str,
) -> f64 {
    let device = device(device_name).expect("the objective is there already").autodiff();
    let mut adam = Adam::new(AdamConfig::default(), 1);
    let mut draws = Seed(0).rng(Stream::Batch);
    let mut objective = Some(objective);
    rate(|| {
        let model = objective.take().expect("a step puts it back");
        let pairs = source.batch(batch, &mut draws, &device);
        let grads = model.loss(&pairs, weights, &mut draws).total.backward();
        objective = Some(adam.step(model, &grads, 3e-4));
    })
}

/// User and system time of this process, all threads, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; times are the 12th and 13th fields after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
