use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::law::InterventionLaw;
use crate::config_error::{ConfigError, at_least, at_most, number, probability};

/// What happens between before and after; the formulas are in [the module](crate::interventions).
///
/// ```
/// use domino_data::interventions::{InterventionConfig, TargetLaw};
///
/// let config: InterventionConfig = toml::from_str("targets = { exactly = 2 }\nleak = 0.1")?;
/// assert_eq!(config.targets, TargetLaw::Exactly(2));
/// assert_eq!(config.drift, 0.0);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InterventionConfig {
    /// What becomes of a target: `perfect` or `soft`.
    pub effect: Effect,
    /// How many variables are hit at once: `one`, `{ exactly = 2 }` or `{ each = 0.3 }`.
    pub targets: TargetLaw,
    /// Share of pairs to which nothing is done. Where absent `1 / (d + 1)`, and 0 under `each`,
    /// which leaves some pairs without a target by itself.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<f64>,
    /// How often each variable is hit, relative to the others; 0 for never. Equal where empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Share of its old value that a target keeps, below 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub leak: f64,
    /// How far an intervention moves the noise of the variables that it does not aim at, from 0 for
    /// not at all to 1 for a new draw.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub spill: f64,
    /// How far the noise moves between before and after in every pair, also where nothing is done,
    /// from 0 for not at all to 1 for a new draw.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub drift: f64,
}

/// What becomes of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It takes a new value that depends on nothing.
    #[default]
    Perfect,
    /// It follows from the same parents by another mechanism, with new noise.
    Soft,
}

/// How many variables an intervention hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetLaw {
    /// One.
    #[default]
    One,
    /// This many different ones, drawn one after the other by weight.
    Exactly(usize),
    /// Each variable with this probability, independently; with weights the heaviest has it and the
    /// others less, in proportion.
    Each(f64),
}

impl InterventionConfig {
    /// Whether this is the published setting.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks every option for a world of `d` variables.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range.
    pub fn validate(&self, d: usize) -> Result<(), ConfigError> {
        probability("interventions.none", self.none.unwrap_or(0.0))?;
        let below_one = |l| (0.0..1.0).contains(&l);
        number("interventions.leak", "a number from 0 to below 1", self.leak, below_one)?;
        probability("interventions.spill", self.spill)?;
        probability("interventions.drift", self.drift)?;
        if !self.weights.is_empty() && self.weights.len() != d {
            let (key, got) = ("interventions.weights", self.weights.len());
            return Err(ConfigError::Length { key, expected: d, got });
        }
        for &weight in &self.weights {
            let allowed = |w: f64| w.is_finite() && w >= 0.0;
            number("interventions.weights", "finite numbers, 0 or more", weight, allowed)?;
        }
        let hit = self.weights.iter().filter(|w| **w > 0.0).count();
        let hit = if self.weights.is_empty() { d } else { hit };
        match self.targets {
            TargetLaw::One => at_least("interventions.weights above 0", 1, hit),
            TargetLaw::Exactly(k) => {
                at_least("interventions.targets.exactly", 1, k)?;
                at_most("interventions.targets.exactly", hit, k)
            }
            TargetLaw::Each(p) => probability("interventions.targets.each", p),
        }
    }

    /// The law of what happens in a world of `d` variables.
    ///
    /// # Errors
    /// Those of [`InterventionConfig::validate`].
    pub fn law(&self, d: usize) -> Result<InterventionLaw, ConfigError> {
        self.validate(d)?;
        Ok(InterventionLaw::new(self, d))
    }
}
