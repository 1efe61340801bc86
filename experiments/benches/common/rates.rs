//! Rates of work: by the time of the processor on the CPU, by the clock on a GPU.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use domino::core::{Seed, Stream};
use domino::model::{PairObjective, device};
use domino::train::{Adam, AdamConfig, PairSource};

/// Seconds per measurement; the median of several counts.
const SECONDS: f64 = 1.0;

/// Measurements per row.
const REPEATS: usize = 5;

/// Calls between two looks at the clock, which counts hundredths of a second.
const CALLS: usize = 16;

/// How often something can be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Calls per second: of the processor on the CPU, of the clock on a GPU.
    pub(crate) per_second: f64,
    /// Mean utilisation of the GPU meanwhile, in per cent.
    pub(crate) utilisation: Option<f64>,
}

impl Rate {
    /// The rate of so many things per call.
    pub(crate) fn times(self, count: f64) -> Self {
        Self { per_second: count * self.per_second, ..self }
    }
}

/// The median rate of calls on the device of a name.
pub(crate) fn rate(device_name: &str, mut call: impl FnMut()) -> Rate {
    let clock = Clock::of(device_name);
    let (mut rates, mut watched) = (Vec::new(), None);
    for repeat in 0..=REPEATS {
        if repeat == 1 {
            watched = Watched::start(device_name);
        }
        let (start, mut calls) = (clock.now(), 0_u32);
        while calls == 0 || clock.now() - start < SECONDS {
            let patience = if calls == 0 { 1 } else { CALLS };
            (0..patience).for_each(|_| call());
            calls += patience as u32;
        }
        // The first round warms caches and the allocator.
        if repeat > 0 {
            rates.push(f64::from(calls) / (clock.now() - start));
        }
    }
    rates.sort_by(f64::total_cmp);
    Rate { per_second: rates[REPEATS / 2], utilisation: watched.and_then(Watched::stop) }
}

/// The median rate of whole steps on the device of a name: drawing a batch, the loss, its gradient
/// and the update.
pub(crate) fn step_rate<O: PairObjective>(
    objective: O,
    source: &PairSource,
    batch: usize,
    weights: &O::Weights,
    optimizer: AdamConfig,
    device_name: &str,
) -> Rate {
    let device = device(device_name).expect("the objective is there already").autodiff();
    let mut adam = Adam::new(optimizer, 1);
    let mut draws = Seed(0).rng(Stream::Batch);
    let mut objective = Some(objective);
    rate(device_name, || {
        let model = objective.take().expect("a step puts it back");
        let pairs = source.batch(batch, &mut draws, &device);
        let grads = model.loss(&pairs, weights, &mut draws).total.backward();
        objective = Some(adam.step(model, &grads, 3e-4));
    })
}

/// What time is taken by.
enum Clock {
    Processor,
    /// The clock on the wall, from a start on and once a GPU has done all that it was told.
    Wall(Instant, Box<dyn Fn()>),
}

impl Clock {
    fn of(device_name: &str) -> Self {
        match device_name {
            "cpu" => Self::Processor,
            name => {
                let device = device(name).expect("the caller works on it");
                let wait = move || device.sync().expect("what it was told can be done");
                Self::Wall(Instant::now(), Box::new(wait))
            }
        }
    }

    fn now(&self) -> f64 {
        match self {
            Self::Processor => cpu_seconds(),
            Self::Wall(start, wait) => {
                wait();
                start.elapsed().as_secs_f64()
            }
        }
    }
}

/// A GPU whose utilisation is looked at.
struct Watched {
    process: Child,
    seen: JoinHandle<Vec<f64>>,
}

impl Watched {
    /// Looks ten times a second at the GPU of a name `cuda:N`; not at a CPU, nor without `nvidia-smi`.
    fn start(device_name: &str) -> Option<Self> {
        let (_, index) = device_name.split_once(':')?;
        let query = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100"];
        let mut process = Command::new("nvidia-smi")
            .args(["-i", index])
            .args(query)
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let lines = BufReader::new(process.stdout.take()?).lines();
        let seen = thread::spawn(move || {
            lines.map_while(Result::ok).filter_map(|line| line.trim().parse().ok()).collect()
        });
        Some(Self { process, seen })
    }

    fn stop(mut self) -> Option<f64> {
        self.process.kill().ok()?;
        self.process.wait().ok()?;
        let seen: Vec<f64> = self.seen.join().ok()?;
        let mean = seen.iter().sum::<f64>() / seen.len() as f64;
        mean.is_finite().then_some(mean)
    }
}

/// User and system time of this process, all threads, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; times are the 12th and 13th fields after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
