use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::config_error::{ConfigError, at_least, at_most, not_negative, number};
use crate::interventions::InterventionConfig;
use crate::scaling::{GraphConfig, graph_schema, name_or_table, name_or_table_schema};

/// What a [`Circuit`](super::Circuit) is made from. The defaults are three lamps, seen from the front
/// in pictures of 64 x 64 pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CircuitConfig {
    /// Seed of the graph, where it is random, and of the data.
    pub seed: u64,
    /// Rows and columns of a picture.
    #[schemars(range(min = 8, max = 2048))]
    pub size: usize,
    /// Samples along either side of a pixel: 1 for jagged edges, 2 or more for smooth ones.
    #[schemars(range(min = 1, max = 8))]
    pub samples: usize,
    /// From where the scene is seen: `front`, `low`, or `{ orbit = { azimuth = 30, elevation = 40 } }`.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "view_schema")]
    pub view: View,
    /// Number of lamps and of buttons.
    #[schemars(range(min = 3, max = 8))]
    pub lamps: usize,
    /// Which lamp lights which, counted from 0: `random`, `full`, `chain`, `empty`, or a list of edges.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "graph_schema")]
    pub wiring: GraphConfig,
    /// Things in the picture that no variable moves.
    pub distractors: DistractorConfig,
    /// Standard deviation of the sensor's noise in grey values, drawn anew for every picture.
    #[schemars(range(min = 0.0))]
    pub sensor_noise: f64,
    /// What the table looks like.
    pub table: Pattern,
    /// What the wall behind looks like.
    pub wall: Pattern,
    /// What happens between before and after.
    #[serde(skip_serializing_if = "InterventionConfig::is_default")]
    pub interventions: InterventionConfig,
}

/// From where the scene is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// From above the near edge of the table: nothing hides a lamp.
    #[default]
    Front,
    /// From just above the table: the arm passes before the lamps.
    Low,
    /// From elsewhere around the table, towards its middle.
    Orbit {
        /// Angle in degrees around the table, 0 for the front, positive to the right; −70 to 70, where
        /// the wall ends.
        #[schemars(range(min = -70.0, max = 70.0))]
        azimuth: f64,
        /// Angle in degrees above the table, 10 to 85.
        #[schemars(range(min = 10.0, max = 85.0))]
        elevation: f64,
    },
}

/// Things in the picture that no variable moves; the truth does not name them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DistractorConfig {
    /// How many there are.
    #[schemars(range(max = 4))]
    pub count: usize,
    /// When they move.
    pub motion: Motion,
}

/// When distractors move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Before every picture, so that both pictures of a pair show them in different places.
    #[default]
    Picture,
    /// Before every pair, so that both of its pictures show them in the same places.
    Pair,
}

/// What a surface looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Grey.
    #[default]
    Plain,
    /// Squares of two greys.
    Checker,
    /// Stripes of two greys.
    Stripes,
    /// Smooth clouds between two greys.
    Clouds,
}

impl Default for CircuitConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            size: 64,
            samples: 2,
            view: View::Front,
            lamps: 3,
            wiring: GraphConfig::Edges(vec![(0, 1), (2, 1)]),
            distractors: DistractorConfig::default(),
            sensor_noise: 0.0,
            table: Pattern::Plain,
            wall: Pattern::Plain,
            interventions: InterventionConfig::default(),
        }
    }
}

impl CircuitConfig {
    /// Checks every option.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range, or the fault of the graph.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (key, (least, most), got) in [
            ("size", (8, 2048), self.size),
            ("samples", (1, 8), self.samples),
            ("lamps", (3, 8), self.lamps),
            ("distractors.count", (0, 4), self.distractors.count),
        ] {
            at_least(key, least, got)?;
            at_most(key, most, got)?;
        }
        if let View::Orbit { azimuth, elevation } = self.view {
            let around = |v: f64| v.abs() <= 70.0;
            number("view.orbit.azimuth", "degrees from -70 to 70", azimuth, around)?;
            let above = |v| (10.0..=85.0).contains(&v);
            number("view.orbit.elevation", "degrees from 10 to 85", elevation, above)?;
        }
        not_negative("sensor_noise", self.sensor_noise)?;
        self.wiring.validate(self.lamps)?;
        self.interventions.validate(self.lamps + 1)
    }
}

fn view_schema(generator: &mut SchemaGenerator) -> Schema {
    name_or_table_schema::<View>(generator, &["front", "low"])
}
