//! Convolutions written as one matrix product beside burn's own: CPU ms of a step, forward and
//! backward, of an autoencoder of 64 x 64 pictures with four layers down and four up.
//!
//! One thread. CPU time is that of the process where Linux tells it, else wall time.

use std::fs::{read_dir, read_to_string};
use std::io::Write;
use std::time::Instant;

use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, Tensor, activation::relu};
use domino_core::{Seed, Stream};
use domino_model::{DoublingConvolution, HalvingConvolution, cpu, standard_normal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type AnyError = Box<dyn std::error::Error>;

/// Channels from the picture to 4 x 4 cells.
const CHANNELS: [usize; 5] = [3, 16, 32, 64, 64];

/// Pictures per step.
const BATCH: usize = 64;

fn main() -> Result<(), AnyError> {
    let mut filters = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    if !filters.all(|filter| "model/convolution".contains(&filter)) {
        return Ok(());
    }
    let device = cpu().autodiff();
    let mut out = std::io::stdout();
    let mut rng = Seed(0).rng(Stream::Init);
    let pictures = standard_normal([BATCH, 64, 64, 3], &mut rng, &device);
    let down: Vec<_> =
        pairs().map(|[i, o]| HalvingConvolution::new([i, o], &mut rng, &device)).collect();
    let up: Vec<_> =
        pairs().map(|[i, o]| DoublingConvolution::new([o, i], &mut rng, &device)).collect();
    let here = time(|| {
        let coded = down.iter().fold(pictures.clone(), |x, layer| relu(layer.forward(x)));
        let drawn = up.iter().rev().fold(coded, |x, layer| relu(layer.forward(x)));
        (drawn - pictures.clone()).square().mean().backward();
    });
    let kernels: Vec<[Tensor<4>; 2]> = pairs().map(|size| kernels(size, &device)).collect();
    let pictures = pictures.permute([0, 3, 1, 2]);
    let burn = time(|| {
        let options = ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
        let coded = kernels.iter().fold(pictures.clone(), |x, [kernel, _]| {
            relu(conv2d(x, kernel.clone(), None, options.clone()))
        });
        let options = ConvTransposeOptions::new([2, 2], [1, 1], [0, 0], [1, 1], 1);
        let drawn = kernels.iter().rev().fold(coded, |x, [_, kernel]| {
            relu(conv_transpose2d(x, kernel.clone(), None, options.clone()))
        });
        (drawn - pictures.clone()).square().mean().backward();
    });
    writeln!(out, "an autoencoder of 64 x 64 pictures, {BATCH} per step, forward and backward")?;
    writeln!(out, "| | CPU ms |\n|---|---|\n| here | {here:.1} |\n| burn | {burn:.1} |")?;
    Ok(())
}

fn pairs() -> impl Iterator<Item = [usize; 2]> {
    CHANNELS.windows(2).map(|size| [size[0], size[1]])
}

/// Kernels of a convolution and of a transposed one back.
fn kernels([c_in, c_out]: [usize; 2], device: &Device) -> [Tensor<4>; 2] {
    let mut rng = Seed(1).rng(Stream::Init);
    [(); 2].map(|()| (standard_normal([c_out, c_in, 4, 4], &mut rng, device) * 0.1).require_grad())
}

/// CPU ms of one call: the least of several.
fn time(mut step: impl FnMut()) -> f64 {
    step();
    let times = (0..10).map(|_| {
        let start = (Instant::now(), cpu_ms());
        step();
        match (start.1, cpu_ms()) {
            (Some(from), Some(to)) => to - from,
            _ => start.0.elapsed().as_secs_f64() * 1e3,
        }
    });
    times.fold(f64::INFINITY, f64::min)
}

/// CPU ms of all threads of this process so far.
fn cpu_ms() -> Option<f64> {
    let threads = read_dir("/proc/self/task").ok()?.filter_map(Result::ok);
    let spent = threads.map(|thread| {
        let line = read_to_string(thread.path().join("schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok().map(|ns| ns / 1e6)
    });
    spent.sum()
}
