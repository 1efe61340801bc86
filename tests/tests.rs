//! Integration tests over the facade: from pairs to scores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod convolution;
mod hand_over;
mod oracle;
mod recipe;

use std::sync::atomic::AtomicBool;

use domino::prelude::*;
use domino::recipe::FitError;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A fit that nobody watches, stops or goes on with.
fn fit(train: &Pairs, held_out: &Pairs, config: &RecipeConfig, seed: u64) -> Result<Fit, FitError> {
    alone(seed, |context| domino::recipe::fit(train, held_out, config, context))
}

/// What is trained where nobody watches, stops or goes on with it.
fn alone<T>(seed: u64, work: impl FnOnce(&mut TrainContext<'_>) -> T) -> T {
    work(&mut TrainContext {
        seed: Seed(seed),
        device: cpu().autodiff(),
        observer: &mut Silent,
        checkpoints: None,
        stop: &AtomicBool::new(false),
    })
}
