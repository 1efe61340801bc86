use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::painter::{ScenePainter, Stage};
use super::view::CameraConfig;
use crate::config_error::{ConfigError, at_least, at_most};
use crate::factors::{BetaConfig, PictureWorld, Plan};
use crate::interventions::InterventionConfig;
use crate::scaling::{GraphConfig, graph_schema, name_or_table, name_or_table_schema};

/// What a world of rendered scenes is drawn from.
///
/// ```
/// use domino_data::Generator;
/// use domino_data::scenes::{SceneConfig, ScenesConfig};
///
/// let variables = Some(["x", "hue", "shape"].map(String::from).to_vec());
/// let scene = SceneConfig::Standing;
/// let world = ScenesConfig { scene, variables, size: 32, ..ScenesConfig::default() }.build()?;
/// assert_eq!(world.names(), ["x", "hue", "shape"]);
/// assert_eq!(world.form().to_string(), "[32, 32, 3] uint8");
/// # Ok::<(), domino_data::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScenesConfig {
    /// Seed of the world and of the data drawn from it.
    pub seed: u64,
    /// What is to be seen: `floating`, `standing`, `room` or `tabletop`.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "scene_schema")]
    pub scene: SceneConfig,
    /// Which properties of the scene vary, in this order; all where absent.
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
    /// Samples along either side of a pixel, 1 to 8.
    #[schemars(range(min = 1, max = 8))]
    pub samples: usize,
    /// How the camera stands apart from its usual place.
    pub camera: CameraConfig,
}

/// What is to be seen in a scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SceneConfig {
    /// A figure in the air over a coloured ground under a coloured spotlight, with the variables of
    /// `Causal3DIdent`.
    Floating,
    /// The same figures standing on the ground, upright.
    Standing,
    /// A solid in a room, with the discrete variables of `Shapes3D`.
    Room,
    /// Some solids on a table, with variables as in CLEVR.
    Tabletop(TabletopConfig),
}

/// Options of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TabletopConfig {
    /// Number of solids.
    #[schemars(range(min = 1, max = 8))]
    pub objects: usize,
}

impl Default for TabletopConfig {
    fn default() -> Self {
        Self { objects: 3 }
    }
}

impl Default for ScenesConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            scene: SceneConfig::Floating,
            variables: None,
            fixed: BTreeMap::new(),
            graph: GraphConfig::Empty,
            mechanisms: BetaConfig::default(),
            interventions: InterventionConfig::default(),
            size: 64,
            samples: 2,
            camera: CameraConfig::default(),
        }
    }
}

impl ScenesConfig {
    /// The world.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range or does not fit the others.
    pub fn build(&self) -> Result<PictureWorld, ConfigError> {
        at_least("size", 8, self.size)?;
        at_most("size", 1024, self.size)?;
        at_least("samples", 1, self.samples)?;
        at_most("samples", 8, self.samples)?;
        if let SceneConfig::Tabletop(table) = &self.scene {
            at_least("scene.tabletop.objects", 1, table.objects)?;
            at_most("scene.tabletop.objects", 8, table.objects)?;
        }
        let stage = Stage::new(&self.scene);
        self.camera.validate(&stage)?;
        let plan = Plan {
            seed: self.seed,
            properties: stage.properties(),
            variables: self.variables.as_deref(),
            fixed: &self.fixed,
            graph: &self.graph,
            mechanisms: &self.mechanisms,
            interventions: &self.interventions,
        };
        let painter = ScenePainter::new(stage, self.camera.clone(), self.size, self.samples);
        PictureWorld::new(&plan, Arc::new(painter))
    }

    /// What the world is called, as in `scenes-tabletop-3`.
    pub fn name(&self) -> String {
        match &self.scene {
            SceneConfig::Floating => "scenes-floating".into(),
            SceneConfig::Standing => "scenes-standing".into(),
            SceneConfig::Room => "scenes-room".into(),
            SceneConfig::Tabletop(table) => format!("scenes-tabletop-{}", table.objects),
        }
    }
}

fn scene_schema(generator: &mut SchemaGenerator) -> Schema {
    name_or_table_schema::<SceneConfig>(generator, &["tabletop"])
}
