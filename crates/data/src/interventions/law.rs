use domino_core::InterventionTarget;
use rand::{Rng, RngExt};

use super::config::{Effect, InterventionConfig, TargetLaw};
use crate::normal;

/// The law of what happens between before and after, over `d` variables.
///
/// ```
/// use domino_core::{InterventionTarget, Seed, Stream};
/// use domino_data::interventions::InterventionConfig;
///
/// let config = InterventionConfig { none: Some(0.0), weights: vec![0.0, 1.0], ..Default::default() };
/// let law = config.law(2)?;
/// let attempt = law.draw(&[0.3, -0.8], &mut Seed(1).rng(Stream::Data));
/// assert_eq!(attempt.target, InterventionTarget::Atomic(1));
/// assert_eq!(attempt.e[0], 0.3); // the noise of the others is kept
/// # Ok::<(), domino_data::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InterventionLaw {
    config: InterventionConfig,
    /// Relative frequencies, `[d]`.
    weights: Vec<f64>,
    none: f64,
}

/// What is done to one state, before its consequences.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// What it aims at.
    pub target: InterventionTarget,
    /// Draws from `N(0, 1)`, `[d]`: where new values of targets come from.
    pub fresh: Vec<f64>,
    /// Noise after, `[d]`; that of a target is what its new value will imply.
    pub e: Vec<f64>,
}

impl InterventionLaw {
    /// The law of a validated configuration.
    pub(super) fn new(config: &InterventionConfig, d: usize) -> Self {
        let weights = if config.weights.is_empty() { vec![1.0; d] } else { config.weights.clone() };
        let none = config.none.unwrap_or(match config.targets {
            TargetLaw::Each(_) => 0.0,
            TargetLaw::One | TargetLaw::Exactly(_) => 1.0 / (d + 1) as f64,
        });
        Self { config: config.clone(), weights, none }
    }

    /// What the law was made from.
    pub fn config(&self) -> &InterventionConfig {
        &self.config
    }

    /// What becomes of a target.
    pub fn effect(&self) -> Effect {
        self.config.effect
    }

    /// Draws what is done to a state with noise `e`, `[d]` on the normal scale.
    ///
    /// Every option has draws of its own, so that none shifts those of another.
    pub fn draw(&self, e: &[f64], rng: &mut dyn Rng) -> Attempt {
        let d = self.weights.len();
        let mut normals = || -> Vec<f64> { (0..d).map(|_| normal::draw(rng)).collect() };
        let (fresh, drift, spill) = (normals(), normals(), normals());
        let target = self.target(rng);
        let mut e = e.to_vec();
        move_noise(&mut e, self.config.drift, &drift);
        if target != InterventionTarget::None {
            move_noise(&mut e, self.config.spill, &spill);
        }
        Attempt { target, fresh, e }
    }

    /// Draws which variables are hit.
    pub fn target(&self, rng: &mut dyn Rng) -> InterventionTarget {
        let none = rng.random_bool(self.none);
        let mut mask = vec![false; self.weights.len()];
        match self.config.targets {
            TargetLaw::One => self.choose(1, &mut mask, rng),
            TargetLaw::Exactly(k) => self.choose(k, &mut mask, rng),
            TargetLaw::Each(p) => {
                let most = self.weights.iter().copied().fold(0.0, f64::max);
                for (hit, weight) in mask.iter_mut().zip(&self.weights) {
                    let share = if most > 0.0 { weight / most } else { 0.0 };
                    *hit = rng.random_bool(p * share);
                }
            }
        }
        if none { InterventionTarget::None } else { InterventionTarget::from_mask(&mask) }
    }

    /// What a target that goes from `old` towards `new` comes to, `λ old + (1 − λ) new`.
    pub fn leaked(&self, old: f64, new: f64) -> f64 {
        if self.config.leak > 0.0 {
            self.config.leak * old + (1.0 - self.config.leak) * new
        } else {
            new
        }
    }

    /// Marks `k` different variables, drawn one after the other by weight.
    fn choose(&self, k: usize, mask: &mut [bool], rng: &mut dyn Rng) {
        for _ in 0..k {
            let left = |mask: &[bool]| -> Vec<usize> {
                (0..mask.len()).filter(|&j| !mask[j] && self.weights[j] > 0.0).collect()
            };
            let left = left(mask);
            let total: f64 = left.iter().map(|&j| self.weights[j]).sum();
            let mut at = rng.random::<f64>() * total;
            let hit = left.iter().find(|&&j| {
                at -= self.weights[j];
                at < 0.0
            });
            // Rounding may leave the last one a hair short.
            if let Some(&hit) = hit.or(left.last()) {
                mask[hit] = true;
            }
        }
    }
}

/// `e ← √(1 − ε²) e + ε fresh`, which keeps the law of `e`; nothing at all where `ε = 0`.
fn move_noise(e: &mut [f64], level: f64, fresh: &[f64]) {
    if level > 0.0 {
        let kept = (1.0 - level * level).sqrt();
        e.iter_mut().zip(fresh).for_each(|(e, fresh)| *e = kept * *e + level * fresh);
    }
}
