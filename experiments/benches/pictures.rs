//! Pictures per second, in training and in encoding, of the circuit, beside the same networks in PyTorch.
//!
//! A pair is two pictures. Training is whole optimiser steps. Everything runs on the CPU, on one
//! thread, in seconds of the processor; or on the device that `DOMINO_BENCH_DEVICE` names, such as `cuda:0`
//! in a build with that feature, in seconds of the clock and with the utilisation of the GPU. `pytorch.py`
//! does the same just before each row, where `DOMINO_PYTHON` or `python3` has PyTorch.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

#[path = "common/rates.rs"]
mod rates;

use std::env;
use std::error::Error;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use domino::core::{Observations, Pairs, Seed, Stream};
use domino::data::circuit::{Circuit, CircuitConfig};
use domino::data::{Generator, Split};
use domino::model::{PairObjective, cpu, device, standard_normal};
use domino::recipe::{CoarseToFine, Fit, RecipeConfig, VariableStage, embed, fit};
use domino::train::{AdamConfig, PairSource, Silent, TrainContext};
use domino::vae::start::{SmoothingConfig, WhitenConfig, Whitening};
use domino::vae::{
    AutoencoderWeights, ConvolutionConfig, ConvolutionForm, Ilcm, IlcmConfig, PictureAutoencoder,
    PictureBasis, PictureConfig, PictureDecoder, PictureRegression, Sizes, ThinManifold,
    ThinWeights,
};

use rates::{Rate, rate, step_rate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type AnyError = Box<dyn Error>;

/// Pairs that are rendered of every size.
const PAIRS: usize = 256;

/// Sides of the pictures that convolutions take.
const SIDES: [usize; 3] = [32, 64, 128];

/// Pairs per step of the convolutions, and of everything that sees features alone.
const BATCHES: [usize; 2] = [32, 128];

/// Steps of a fit of which nothing is asked but its shape.
const STEPS: u64 = 5;

/// Values of a picture once it is smoothed, and variables.
const FEATURES: usize = 32;
const VARIABLES: usize = 4;

fn main() -> Result<(), AnyError> {
    let filter: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if filter.iter().any(|f| !"pictures".contains(f.as_str())) {
        return Ok(());
    }
    let bench = Bench { device: env::var("DOMINO_BENCH_DEVICE").unwrap_or("cpu".into()) };
    let seconds = if bench.device == "cpu" { "CPU s" } else { "s" };
    println!(
        "{:<48} {:>12} {:>7} {:>12} {:>7} {:>7}",
        format!("pictures per {seconds} on {}", bench.device),
        "here",
        "GPU %",
        "PyTorch",
        "GPU %",
        "ratio"
    );
    for side in SIDES {
        let pairs = pictures(side)?;
        bench.row(&format!("train convolutions, {side} x {side}"), || {
            bench.autoencoder(&pairs, side)
        })?;
        bench.row(&format!("encode by convolutions, {side} x {side}"), || {
            bench.latents(&pairs, side)
        })?;
    }
    for replicas in [1, 8] {
        let name = format!("train variables on features, {replicas} at once");
        bench.row(&name, || bench.variables(replicas))?;
    }
    let pairs = pictures(64)?;
    bench.row("train the drawing, 64 x 64", || bench.drawing(&pairs))?;
    bench.row("smooth and project on the host, 64 x 64", || smoothing(&pairs))?;
    bench.row("variables, noise and targets of pairs, 64 x 64", || bench.everything(&pairs))
}

fn pictures(size: usize) -> Result<Pairs, AnyError> {
    let circuit = Circuit::new(&CircuitConfig { size, ..CircuitConfig::default() })?;
    Ok(circuit.sample(PAIRS, Split::Train)?.0)
}

/// Pictures that are smoothed and projected.
fn smoothing(pairs: &Pairs) -> Result<Rate, AnyError> {
    let config = WhitenConfig {
        variance: 1.0,
        max_components: FEATURES,
        power: 0.5,
        smoothing: Some(SmoothingConfig::default()),
    };
    let whitening = Whitening::fit(pairs, VARIABLES, &config)?;
    Ok(rate("cpu", || drop(whitening.apply(pairs.before()))).times(PAIRS as f64))
}

/// A number of so many decimals, or a dash.
fn text(value: Option<f64>, decimals: usize) -> String {
    value.map_or("-".into(), |value| format!("{value:.decimals$}"))
}

/// What runs on one device.
struct Bench {
    device: String,
}

impl Bench {
    /// Measures a row, in PyTorch first, and prints it.
    fn row(
        &self,
        name: &str,
        measure: impl FnOnce() -> Result<Rate, AnyError>,
    ) -> Result<(), AnyError> {
        let torch = self.in_pytorch(name);
        let here = measure()?;
        let percent = |rate: Option<Rate>| rate.and_then(|rate| rate.utilisation);
        let [ours, theirs] = [Some(here), torch].map(|rate| text(percent(rate), 0));
        println!(
            "{name:<48} {:>12.0} {ours:>7} {:>12} {theirs:>7} {:>7}",
            here.per_second,
            text(torch.map(|torch| torch.per_second), 0),
            text(torch.map(|torch| here.per_second / torch.per_second), 2),
        );
        Ok(())
    }

    /// The same row in PyTorch, where it is installed and has it.
    fn in_pytorch(&self, name: &str) -> Option<Rate> {
        let python = env::var("DOMINO_PYTHON").unwrap_or("python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/pytorch.py");
        let output = Command::new(python).arg(script).arg(&self.device).arg(name).output().ok()?;
        let (per_second, utilisation) = serde_json::from_slice(&output.stdout).ok()?;
        Some(Rate { per_second, utilisation })
    }

    /// Pictures per second of steps of so many pairs for each of `models`.
    fn steps<O: PairObjective>(
        &self,
        objective: O,
        source: &PairSource,
        [batch, models]: [usize; 2],
        weights: &O::Weights,
    ) -> Rate {
        let steps =
            step_rate(objective, source, batch, weights, AdamConfig::default(), &self.device);
        steps.times(2.0 * (batch * models) as f64)
    }

    fn untrained(&self, pairs: &Pairs, side: usize) -> Result<PictureAutoencoder, AnyError> {
        let device = device(&self.device)?;
        let config = ConvolutionConfig { side, ..ConvolutionConfig::default() };
        let (form, _) = ConvolutionForm::fit(pairs, PAIRS, &config, &device)?;
        Ok(PictureAutoencoder::new(form, &mut Seed(0).rng(Stream::Init), &device.autodiff()))
    }

    fn autoencoder(&self, pairs: &Pairs, side: usize) -> Result<Rate, AnyError> {
        let sides = [pairs.before().clone(), pairs.after().clone()];
        let source = PairSource::with_pools(sides, vec![(0..PAIRS as u32).collect()]);
        let weights = AutoencoderWeights { beta: 1e-5 };
        Ok(self.steps(self.untrained(pairs, side)?, &source, [BATCHES[0], 1], &weights))
    }

    fn latents(&self, pairs: &Pairs, side: usize) -> Result<Rate, AnyError> {
        let encoder = self.untrained(pairs, side)?.encoder;
        Ok(rate(&self.device, || drop(encoder.encode(pairs))).times(2.0 * PAIRS as f64))
    }

    fn variables(&self, replicas: usize) -> Result<Rate, AnyError> {
        let device = device(&self.device)?.autodiff();
        let mut rng = Seed(0).rng(Stream::Data);
        let mut side = || {
            let x = standard_normal([4096, FEATURES], &mut rng, &cpu());
            x.into_data().iter::<f32>().collect::<Vec<f32>>()
        };
        let source = PairSource::new(side(), side(), FEATURES, replicas);
        let sizes = Sizes { replicas, components: FEATURES, d: VARIABLES };
        let mut init = Seed(0).rng(Stream::Init);
        let model = Ilcm::new(sizes, &IlcmConfig::default(), &mut init, &device);
        let weights = ThinWeights { tau: 0.1, beta: 1.0, noise: Some(0.1) };
        let objective = ThinManifold { model, referee: None };
        Ok(self.steps(objective, &source, [BATCHES[1], replicas], &weights))
    }

    fn drawing(&self, pairs: &Pairs) -> Result<Rate, AnyError> {
        let device = device(&self.device)?;
        let config = PictureConfig::default();
        let basis = PictureBasis::fit(pairs.before(), config.directions);
        let coefficients = basis.coefficients(pairs.before(), &device);
        let inputs =
            standard_normal([PAIRS, 2 * VARIABLES], &mut Seed(0).rng(Stream::Data), &cpu());
        let inputs = inputs.into_data().iter::<f32>().collect();
        let tables = [(inputs, 2 * VARIABLES), (coefficients, basis.len())]
            .map(|(data, dim)| Observations::Vectors { data, dim });
        let source = PairSource::with_pools(tables, vec![(0..PAIRS as u32).collect()]);
        let mut init = Seed(0).rng(Stream::Init);
        let decoder =
            PictureDecoder::new(VARIABLES, &basis, &config, &mut init, &device.autodiff());
        // A row is one picture here, not a pair.
        Ok(self.steps(PictureRegression { decoder }, &source, [2 * BATCHES[1], 1], &()).times(0.5))
    }

    /// Everything that a fitted model says of pairs; how well it was fitted costs nothing.
    fn everything(&self, pairs: &Pairs) -> Result<Rate, AnyError> {
        let fit = self.barely_fitted(pairs)?;
        let embed = || drop(embed(&fit.model, pairs).expect("pictures that it was fitted to"));
        Ok(rate(&self.device, embed).times(2.0 * PAIRS as f64))
    }

    fn barely_fitted(&self, pairs: &Pairs) -> Result<Fit, AnyError> {
        let mut stage = CoarseToFine::default();
        stage.scales.iter_mut().for_each(|scale| scale.phase.steps = STEPS);
        stage.handover.steps = STEPS;
        let mut config = RecipeConfig::default();
        config.model.d = VARIABLES;
        config.variables = VariableStage::CoarseToFine(stage);
        config.picture.phase.steps = STEPS;
        let mut context = TrainContext {
            seed: Seed(0),
            device: device(&self.device)?.autodiff(),
            observer: &mut Silent,
            checkpoints: None,
            stop: &AtomicBool::new(false),
        };
        Ok(fit(pairs, pairs, &config, &mut context)?)
    }
}
