use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use domino_core::{Seed, Stream};
use domino_model::PairObjective;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::{Adam, AdamConfig, Checkpoints, Observer, PairSource, StepReport, TrainError};

/// Reports per phase, where a phase has that many steps.
const REPORTS: u64 = 200;

/// Steps of one phase have parts of a stream to themselves; no phase has more steps than this.
const PHASE_STRIDE: u64 = 1 << 40;

/// One phase of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PhaseConfig {
    /// Optimiser steps.
    pub steps: u64,
    /// Pairs per step and model.
    pub batch: usize,
    /// The optimiser.
    pub optimizer: AdamConfig,
}

impl Default for PhaseConfig {
    fn default() -> Self {
        Self { steps: 2000, batch: 128, optimizer: AdamConfig::default() }
    }
}

/// What training needs besides the model and the data.
pub struct TrainContext<'a> {
    /// The run's seed.
    pub seed: Seed,
    /// A device that records gradients.
    pub device: Device,
    /// Told of progress.
    pub observer: &'a mut dyn Observer,
    /// Where to save and resume, if anywhere.
    pub checkpoints: Option<&'a Checkpoints>,
    /// Set from outside to stop after the current step.
    pub stop: &'a AtomicBool,
}

/// Minimises an objective over one phase and returns the trained module.
///
/// `place` is the phase's number within the run: phases draw from parts of the streams that no
/// other phase uses. `weights` gives the loss weights at a progress in `[0, 1]`. Where the context
/// has checkpoints, a phase that was saved goes on from there, and a finished one is only loaded.
///
/// # Errors
/// [`TrainError`] if the loss stays NaN or infinite, if the run was stopped (its state is then
/// saved), or if a checkpoint cannot be written, is another run's or does not fit. One that is
/// damaged is passed over, and the observer told.
pub fn train<O: PairObjective>(
    objective: O,
    source: &PairSource,
    (place, name): (u64, &str),
    phase: &PhaseConfig,
    weights: impl Fn(f64) -> O::Weights,
    context: &mut TrainContext<'_>,
) -> Result<O, TrainError> {
    let file = format!("{place:02}-{name}");
    let mut adam = Adam::new(phase.optimizer, source.stack());
    let (mut objective, done) = match context.checkpoints {
        Some(saved) => saved.load(&file, objective, &mut adam, context)?,
        None => (objective, 0),
    };
    context.observer.phase(name, phase.steps, done);
    let mut history = History::new(source.stack());
    let period = (phase.steps / REPORTS).max(1);
    let rate = phase.optimizer.learning_rate;
    let progress = |step: u64| step as f64 / phase.steps as f64;
    for step in done..phase.steps {
        let part = place * PHASE_STRIDE + step;
        let mut draws = context.seed.rng_at(Stream::Batch, part);
        let batch = source.batch(phase.batch, &mut draws, &context.device);
        let mut noise = context.seed.rng_at(Stream::Noise, part);
        let loss = objective.loss(&batch, &weights(progress(step)), &mut noise);
        let grads = loss.total.backward();
        history.push(&loss);
        let restarts = step > 0 && rate.cycle(progress(step)) > rate.cycle(progress(step - 1));
        if restarts && phase.optimizer.reset_at_restart {
            adam.reset();
        }
        objective = adam.step(objective, &grads, rate.at(progress(step)));

        let step = step + 1;
        if step.is_multiple_of(period) || step == phase.steps {
            let terms = history.drain(name, step)?;
            context.observer.report(&StepReport { phase: name, step, terms: &terms });
        }
        let stopped = context.stop.load(Ordering::Relaxed) && step < phase.steps;
        if let Some(checkpoints) = context.checkpoints
            && (stopped || step == phase.steps || checkpoints.due(step))
        {
            checkpoints.save(&file, step, &objective, &adam)?;
        }
        if stopped {
            return Err(TrainError::Interrupted { phase: name.to_owned(), step });
        }
    }
    context.observer.finish(name);
    Ok(objective)
}
