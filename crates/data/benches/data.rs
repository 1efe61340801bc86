//! Rates of storing and loading 64 × 64 pictures, and the memory that storing takes.
//!
//! Rates are per CPU second of one thread, as the system counts them, so that a busy machine gives
//! the same figures as an idle one.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use domino_core::{Form, GroundTruth, ImageShape, Observations, Pairs, Seed, Stream};
use domino_data::loader::{Loader, LoaderConfig, PairRows, gather};
use domino_data::store::{Shards, StoreError, Table, WriteOptions, write_shards};
use rand::Rng;

const SHAPE: ImageShape = ImageShape { height: 64, width: 64, channels: 3 };

/// Pairs of the set that is read.
const PAIRS: usize = 10_000;

/// Pairs read for one figure.
const READ: usize = 20_000;

/// Times that headers are opened.
const OPENED: usize = 200;

/// Pictures of noise, which cost little to make.
struct Noise(usize);

impl Table for Noise {
    fn len(&self) -> usize {
        self.0
    }

    fn form(&self) -> Form {
        Form::Image(SHAPE)
    }

    fn truth(&self, _: Range<usize>) -> GroundTruth {
        GroundTruth::default()
    }

    fn pairs(&self, rows: Range<usize>, _: &GroundTruth) -> Result<Pairs, StoreError> {
        let mut rng = Seed(0).rng_at(Stream::Data, rows.start as u64);
        let mut side = || {
            let mut data = vec![0; rows.len() * SHAPE.len()];
            rng.fill_bytes(&mut data);
            Observations::Images { data, shape: SHAPE }
        };
        Ok(Pairs::new(side(), side())?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let filter: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if filter.iter().any(|f| !"data".contains(f.as_str())) {
        return Ok(());
    }
    let place = std::env::temp_dir().join(format!("domino-bench-data-{}", std::process::id()));
    let measured = measure(&place);
    fs::remove_dir_all(&place)?;
    measured
}

fn measure(place: &Path) -> Result<(), Box<dyn Error>> {
    println!("{:<44} {:>12}", "64 x 64 x 3 uint8 pictures", "figure");
    for (name, pairs) in [("small", PAIRS / 4), ("set", PAIRS)] {
        let before = cpu_seconds();
        let most = write(&place.join(name), pairs)?;
        let rate = pairs as f64 / (cpu_seconds() - before);
        tell(&format!("written, {pairs} pairs, pairs per CPU s"), rate);
        tell(&format!("memory while writing {pairs} pairs, MB"), most / 1e6);
    }
    let folder = place.join("set");
    let begun = Instant::now();
    for _ in 0..OPENED {
        black_box(Shards::open(&folder)?);
    }
    let shards = Arc::new(Shards::open(&folder)?);
    let files = OPENED * shards.manifest().shards.len();
    tell("header opened, µs per shard", begun.elapsed().as_secs_f64() / files as f64 * 1e6);
    let bytes: u64 = shards.manifest().shards.iter().map(|shard| shard.bytes).sum();
    let before = cpu_seconds();
    shards.verify(|_| ())?;
    tell("BLAKE3, GB per CPU s", bytes as f64 / 1e9 / (cpu_seconds() - before));
    let pairs: Arc<Pairs> = Arc::new(gather(&*shards, &(0..PAIRS).collect::<Vec<_>>())?);
    for (name, source) in [("shards", shards as Arc<dyn PairRows>), ("memory", pairs)] {
        tell(&format!("loaded from {name} as f32, pairs per CPU s"), load(source)?);
    }
    Ok(())
}

fn tell(name: &str, figure: f64) {
    println!("{name:<44} {figure:>12.1}");
}

/// The most memory that writing took, in bytes.
fn write(folder: &Path, pairs: usize) -> Result<f64, StoreError> {
    let options = WriteOptions { threads: NonZeroUsize::MIN, ..WriteOptions::default() };
    let mut most = 0.0_f64;
    let look = &mut |_| {
        most = most.max(private_memory());
        ControlFlow::Continue(())
    };
    write_shards(folder, &Noise(pairs), None, options, look)?;
    Ok(most)
}

/// Random pairs per CPU second.
fn load(source: Arc<dyn PairRows>) -> Result<f64, StoreError> {
    let config = LoaderConfig { threads: NonZeroUsize::MIN, ..LoaderConfig::new(Seed(0)) };
    let batches = READ / config.batch;
    let before = cpu_seconds();
    for batch in Loader::<f32>::new(source, config)?.take(batches) {
        black_box(batch?);
    }
    Ok((batches * config.batch) as f64 / (cpu_seconds() - before))
}

/// CPU seconds of this process so far: user and system time, in hundredths.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Bytes of memory that this process has for itself: mapped files do not count.
fn private_memory() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or_default();
    let kilobytes = line.split_whitespace().nth(1).and_then(|field| field.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) * 1024.0
}
