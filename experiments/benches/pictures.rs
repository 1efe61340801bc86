//! Pictures per second of the processor, in training and in encoding, of the circuit.
//!
//! A pair is two pictures. Training is whole optimiser steps. Everything runs on the CPU, on one
//! thread, or on the device that `DOMINO_BENCH_DEVICE` names, such as `cuda:0` in a build with that
//! feature; the processor's time is then what it spends on launching and waiting.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

#[path = "common/rates.rs"]
mod rates;

use std::env;
use std::error::Error;
use std::sync::atomic::AtomicBool;

use domino::core::{Observations, Pairs, Seed, Stream};
use domino::data::circuit::{Circuit, CircuitConfig};
use domino::data::{Generator, Split};
use domino::model::{PairObjective, cpu, device, standard_normal};
use domino::recipe::{CoarseToFine, Fit, RecipeConfig, VariableStage, embed, fit};
use domino::train::{PairSource, Silent, TrainContext};
use domino::vae::start::{SmoothingConfig, WhitenConfig, Whitening};
use domino::vae::{
    AutoencoderWeights, ConvolutionConfig, ConvolutionForm, Ilcm, IlcmConfig, PictureAutoencoder,
    PictureBasis, PictureConfig, PictureDecoder, PictureRegression, Sizes, ThinManifold,
    ThinWeights,
};

use rates::{rate, step_rate};

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
    println!("{:<52} {:>16}", "on ".to_owned() + &bench.device, "pictures / CPU s");
    for side in SIDES {
        let pairs = pictures(side)?;
        row(&format!("train convolutions, {side} x {side}"), bench.autoencoder(&pairs, side)?);
        row(&format!("encode by convolutions, {side} x {side}"), bench.latents(&pairs, side)?);
    }
    for replicas in [1, 8] {
        let name = format!("train variables on features, {replicas} at once");
        row(&name, bench.variables(replicas)?);
    }
    let pairs = pictures(64)?;
    row("train the drawing, 64 x 64", bench.drawing(&pairs)?);
    row("smooth and project on the host, 64 x 64", smoothing(&pairs)?);
    row("variables, noise and targets of pairs, 64 x 64", bench.everything(&pairs)?);
    Ok(())
}

fn row(name: &str, pictures: f64) {
    println!("{name:<52} {pictures:>16.0}");
}

fn pictures(size: usize) -> Result<Pairs, AnyError> {
    let circuit = Circuit::new(&CircuitConfig { size, ..CircuitConfig::default() })?;
    Ok(circuit.sample(PAIRS, Split::Train)?.0)
}

/// Pictures that are smoothed and projected.
fn smoothing(pairs: &Pairs) -> Result<f64, AnyError> {
    let config = WhitenConfig {
        variance: 1.0,
        max_components: FEATURES,
        power: 0.5,
        smoothing: Some(SmoothingConfig::default()),
    };
    let whitening = Whitening::fit(pairs, VARIABLES, &config)?;
    Ok(PAIRS as f64 * rate(|| drop(whitening.apply(pairs.before()))))
}

/// What runs on one device.
struct Bench {
    device: String,
}

impl Bench {
    /// Pictures per second of steps of so many pairs for each of `models`.
    fn steps<O: PairObjective>(
        &self,
        objective: O,
        source: &PairSource,
        [batch, models]: [usize; 2],
        weights: &O::Weights,
    ) -> f64 {
        2.0 * (batch * models) as f64 * step_rate(objective, source, batch, weights, &self.device)
    }

    fn untrained(&self, pairs: &Pairs, side: usize) -> Result<PictureAutoencoder, AnyError> {
        let device = device(&self.device)?;
        let config = ConvolutionConfig { side, ..ConvolutionConfig::default() };
        let (form, _) = ConvolutionForm::fit(pairs, PAIRS, &config, &device)?;
        Ok(PictureAutoencoder::new(form, &mut Seed(0).rng(Stream::Init), &device.autodiff()))
    }

    fn autoencoder(&self, pairs: &Pairs, side: usize) -> Result<f64, AnyError> {
        let sides = [pairs.before().clone(), pairs.after().clone()];
        let source = PairSource::with_pools(sides, vec![(0..PAIRS as u32).collect()]);
        let weights = AutoencoderWeights { beta: 1e-5 };
        Ok(self.steps(self.untrained(pairs, side)?, &source, [BATCHES[0], 1], &weights))
    }

    fn latents(&self, pairs: &Pairs, side: usize) -> Result<f64, AnyError> {
        let encoder = self.untrained(pairs, side)?.encoder;
        Ok(2.0 * PAIRS as f64 * rate(|| drop(encoder.encode(pairs))))
    }

    fn variables(&self, replicas: usize) -> Result<f64, AnyError> {
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

    fn drawing(&self, pairs: &Pairs) -> Result<f64, AnyError> {
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
        Ok(self.steps(PictureRegression { decoder }, &source, [2 * BATCHES[1], 1], &()) / 2.0)
    }

    /// Everything that a fitted model says of pairs; how well it was fitted costs nothing.
    fn everything(&self, pairs: &Pairs) -> Result<f64, AnyError> {
        let fit = self.barely_fitted(pairs)?;
        Ok(2.0
            * PAIRS as f64
            * rate(|| drop(embed(&fit.model, pairs).expect("pictures that it was fitted to"))))
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
