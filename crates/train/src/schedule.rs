use std::f64::consts::PI;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

/// A quantity over the course of a phase, whose progress runs from 0 to 1.
///
/// In TOML a number is a constant, and `{ from = 0.5, to = 0.03, until = 0.7, shape =
/// "exponential" }` a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Schedule {
    /// The same throughout.
    Constant(f64),
    /// From one value to another.
    Ramp(Ramp),
}

/// From one value to another between two points of the progress, constant outside.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// The first value.
    pub from: f64,
    /// The last value.
    pub to: f64,
    /// Progress at which it leaves the first value.
    #[serde(default)]
    pub since: f64,
    /// Progress at which it reaches the last value.
    #[serde(default = "one")]
    pub until: f64,
    /// Its course between the two.
    #[serde(default)]
    pub shape: Shape,
}

/// The course of a [`Ramp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Straight.
    #[default]
    Linear,
    /// Straight in logarithms; both values must be positive.
    Exponential,
}

fn one() -> f64 {
    1.0
}

impl Schedule {
    /// A straight ramp over the whole phase.
    pub fn ramp(from: f64, to: f64) -> Self {
        Self::Ramp(Ramp { from, to, since: 0.0, until: 1.0, shape: Shape::Linear })
    }

    /// The same ramp, ended at a progress; a constant stays one.
    #[must_use]
    pub fn until(self, until: f64) -> Self {
        self.map(|ramp| Ramp { until, ..ramp })
    }

    /// The same ramp, straight in logarithms; a constant stays one.
    #[must_use]
    pub fn exponential(self) -> Self {
        self.map(|ramp| Ramp { shape: Shape::Exponential, ..ramp })
    }

    fn map(self, change: impl FnOnce(Ramp) -> Ramp) -> Self {
        match self {
            Self::Ramp(ramp) => Self::Ramp(change(ramp)),
            constant @ Self::Constant(_) => constant,
        }
    }

    /// The value at a progress in `[0, 1]`.
    pub fn at(&self, progress: f64) -> f64 {
        let Ramp { from, to, since, until, shape } = match self {
            Self::Constant(value) => return *value,
            Self::Ramp(ramp) => *ramp,
        };
        if progress <= since {
            return from;
        }
        if progress >= until {
            return to;
        }
        let along = (progress - since) / (until - since);
        match shape {
            Shape::Linear => from + (to - from) * along,
            Shape::Exponential => (from.ln() + (to.ln() - from.ln()) * along).exp(),
        }
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScheduleVisitor)
    }
}

/// Tells numbers from tables without losing what a table's error says.
struct ScheduleVisitor;

impl<'de> Visitor<'de> for ScheduleVisitor {
    type Value = Schedule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a table with `from` and `to`")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Schedule, E> {
        Ok(Schedule::Constant(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schedule, A::Error> {
        Ramp::deserialize(MapAccessDeserializer::new(map)).map(Schedule::Ramp)
    }
}

/// The step size over a phase: a linear warm-up, then cosine decay, perhaps in several cycles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LearningRate {
    /// The largest step size.
    pub peak: f64,
    /// The smallest, at the end of each cycle, as a share of the peak.
    pub floor: f64,
    /// Share of the phase over which it rises from zero.
    pub warm_up: f64,
    /// Cosine cycles in the phase; 0 keeps the peak.
    pub cycles: u32,
}

impl Default for LearningRate {
    fn default() -> Self {
        Self { peak: 0.01, floor: 1e-3, warm_up: 0.02, cycles: 1 }
    }
}

impl LearningRate {
    /// The step size at a progress in `[0, 1)`.
    pub fn at(&self, progress: f64) -> f64 {
        let rise = if self.warm_up > 0.0 { (progress / self.warm_up).min(1.0) } else { 1.0 };
        if self.cycles == 0 {
            return self.peak * rise;
        }
        let along = (progress * f64::from(self.cycles)).fract();
        let wave = 0.5 * (1.0 + (PI * along).cos());
        self.peak * rise * (self.floor + (1.0 - self.floor) * wave)
    }

    /// Which cycle a progress lies in.
    pub fn cycle(&self, progress: f64) -> u32 {
        (progress * f64::from(self.cycles)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_hold_their_ends_and_never_overshoot() {
        let ramp = Schedule::Ramp(Ramp {
            from: 0.0,
            to: 1.0,
            since: 0.2,
            until: 0.6,
            shape: Shape::Linear,
        });
        let values = [0.0, 0.2, 0.4, 0.6, 1.0].map(|t| ramp.at(t));
        for (value, expected) in values.iter().zip([0.0, 0.0, 0.5, 1.0, 1.0]) {
            assert!((value - expected).abs() < 1e-12, "{values:?}");
        }
        assert!((0..=1000).all(|t| (0.0..=1.0).contains(&ramp.at(f64::from(t) / 1000.0))));
    }

    #[test]
    fn cosine_cycles_restart_at_the_peak() {
        let rate = LearningRate { peak: 2.0, floor: 0.0, warm_up: 0.0, cycles: 2 };
        assert!((rate.at(0.0) - 2.0).abs() < 1e-12);
        assert!((rate.at(0.25) - 1.0).abs() < 1e-12);
        assert!(rate.at(0.499) < 1e-3);
        assert!((rate.at(0.5) - 2.0).abs() < 1e-12);
        assert_eq!((rate.cycle(0.49), rate.cycle(0.5)), (0, 1));
    }

    #[test]
    fn numbers_and_tables_parse_and_a_wrong_key_is_named() {
        assert_eq!(serde_json::from_str::<Schedule>("3").unwrap(), Schedule::Constant(3.0));
        let ramp: Schedule = serde_json::from_str(r#"{"from": 1, "to": 2}"#).unwrap();
        assert_eq!(ramp, Schedule::ramp(1.0, 2.0));
        let error = serde_json::from_str::<Schedule>(r#"{"from": 1, "tu": 2}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `tu`"), "{error}");
    }
}
