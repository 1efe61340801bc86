use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::painter::SpritePainter;
use super::raster::Edges;
use crate::config_error::{ConfigError, at_least, at_most};
use crate::factors::{BetaConfig, PictureWorld, Plan};
use crate::interventions::InterventionConfig;
use crate::scaling::{GraphConfig, graph_schema, name_or_table};

/// What a world of sprites is drawn from.
///
/// ```
/// use domino_data::Generator;
/// use domino_data::sprites::SpritesConfig;
///
/// let world = SpritesConfig::default().build()?;
/// let grid = world.grid().expect("the sprites of dSprites are discrete");
/// assert_eq!(grid.len(), 737_280);
/// let pictures = world.observation_of(&grid.states(1_000..1_004));
/// assert_eq!((pictures.len(), pictures.form().to_string().as_str()), (4, "[64, 64, 1] uint8"));
/// # Ok::<(), domino_data::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpritesConfig {
    /// Seed of the world and of the data drawn from it.
    pub seed: u64,
    /// Whether scale, orientation and place are discrete: `grid` or `continuous`.
    pub values: SpriteValues,
    /// What the border of a sprite does to pixels: `binary` or `smooth`.
    pub edges: Edges,
    /// Which of `shape`, `scale`, `orientation`, `x`, `y` vary, in this order; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Vec<String>>,
    /// Values of properties that do not vary: 0 to 1, or the number of a discrete value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, f64>,
    /// The causal graph: `empty`, `random`, `full` or `chain` over the continuous variables, or a
    /// list of edges between variables in the order of `variables`, none into a discrete one.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "graph_schema")]
    pub graph: GraphConfig,
    /// How a continuous variable follows from its causes.
    pub mechanisms: BetaConfig,
    /// What happens between before and after.
    #[serde(skip_serializing_if = "InterventionConfig::is_default")]
    pub interventions: InterventionConfig,
    /// Rows and columns of a picture.
    #[schemars(range(min = 8, max = 1024))]
    pub size: usize,
}

/// What values scale, orientation and place take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpriteValues {
    /// The 6, 40, 32 and 32 values of dSprites.
    #[default]
    Grid,
    /// All between the first and the last of them, but for the orientation, which runs through 80°,
    /// so that no two orientations of any shape look alike.
    Continuous,
}

impl Default for SpritesConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            values: SpriteValues::Grid,
            edges: Edges::Binary,
            variables: None,
            fixed: BTreeMap::new(),
            graph: GraphConfig::Empty,
            mechanisms: BetaConfig::default(),
            interventions: InterventionConfig::default(),
            size: 64,
        }
    }
}

impl SpritesConfig {
    /// The world.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range or does not fit the others.
    pub fn build(&self) -> Result<PictureWorld, ConfigError> {
        at_least("size", 8, self.size)?;
        at_most("size", 1024, self.size)?;
        let painter = SpritePainter { values: self.values, edges: self.edges, size: self.size };
        let plan = Plan {
            seed: self.seed,
            properties: painter.properties(),
            variables: self.variables.as_deref(),
            fixed: &self.fixed,
            graph: &self.graph,
            mechanisms: &self.mechanisms,
            interventions: &self.interventions,
        };
        PictureWorld::new(&plan, Arc::new(painter))
    }

    /// What the world is called: `sprites-grid` or `sprites-continuous`.
    pub fn name(&self) -> String {
        match self.values {
            SpriteValues::Grid => "sprites-grid".into(),
            SpriteValues::Continuous => "sprites-continuous".into(),
        }
    }
}
