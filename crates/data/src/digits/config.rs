use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use domino_core::{Form, ImageShape, Observations, Seed, Stream};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::drawn::drawn;
use super::images::{DigitImages, SIDE};
use super::painter::{DigitPainter, properties};
use crate::config_error::{ConfigError, at_least, at_most};
use crate::factors::{BetaConfig, PictureWorld, Plan};
use crate::formats;
use crate::interventions::InterventionConfig;
use crate::npz::Limits;
use crate::scaling::{GraphConfig, graph_schema, name_or_table, name_or_table_schema};

/// What a world of coloured digits is drawn from. By default the digit causes its hue.
///
/// ```
/// use domino_data::Generator;
/// use domino_data::digits::DigitsConfig;
///
/// let world = DigitsConfig::default().build()?;
/// assert_eq!(world.names(), ["digit", "hue", "background_hue", "rotation", "scale"]);
/// assert!(world.dag().has_edge(0, 1));
/// # Ok::<(), domino_data::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DigitsConfig {
    /// Seed of the world and of the data drawn from it.
    pub seed: u64,
    /// Where pictures of digits come from: `drawn`, or the files of `mnist`.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "source_schema")]
    pub source: DigitSource,
    /// Which of `digit`, `hue`, `background_hue`, `rotation`, `scale` vary, in this order; all where
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Vec<String>>,
    /// Values of properties that do not vary: 0 to 1, or the digit.
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

/// Where pictures of digits come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigitSource {
    /// Written by the generator itself.
    Drawn(DrawnConfig),
    /// Files in the format of MNIST.
    Mnist(MnistConfig),
}

/// Options of digits that the generator writes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DrawnConfig {
    /// Number of pictures of each digit.
    #[schemars(range(min = 1))]
    pub per_digit: usize,
}

/// Where files of MNIST are, such as `train-images-idx3-ubyte` or the same as `.gz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MnistConfig {
    /// The folder that holds them.
    pub folder: PathBuf,
    /// Which of them: `train` or `t10k` (or `test`).
    #[serde(default = "train")]
    pub part: String,
}

impl MnistConfig {
    fn images(&self) -> Result<DigitImages, ConfigError> {
        let fault = |reason: String| ConfigError::Source { key: "source.mnist", reason };
        let found = formats::mnist(&self.folder, Some(&self.part), Limits::default())
            .map_err(|error| fault(error.to_string()))?;
        let expected = Form::Image(ImageShape { height: SIDE, width: SIDE, channels: 1 });
        let got = found.images.form();
        let Observations::Images { data, .. } = &found.images else {
            return Err(fault(format!("expected pictures {expected}, got {got}")));
        };
        if got != expected {
            return Err(fault(format!("expected pictures {expected}, got {got}")));
        }
        DigitImages::new(data, &found.labels).map_err(|error| fault(error.to_string()))
    }
}

impl Default for DrawnConfig {
    fn default() -> Self {
        Self { per_digit: 100 }
    }
}

impl Default for DigitsConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            source: DigitSource::Drawn(DrawnConfig::default()),
            variables: None,
            fixed: BTreeMap::new(),
            graph: GraphConfig::Edges(vec![(0, 1)]),
            mechanisms: BetaConfig::default(),
            interventions: InterventionConfig::default(),
            size: 32,
        }
    }
}

/// Part of [`Stream::World`] that writes digits; those below belong to every [`PictureWorld`].
const WRITING: u64 = 16;

impl DigitsConfig {
    /// The world.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range or does not fit the others, or a
    /// file that cannot be read.
    pub fn build(&self) -> Result<PictureWorld, ConfigError> {
        self.build_with(self.images()?)
    }

    /// The world of these pictures, whatever the source says.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range or does not fit the others.
    pub fn build_with(&self, images: DigitImages) -> Result<PictureWorld, ConfigError> {
        at_least("size", 8, self.size)?;
        at_most("size", 1024, self.size)?;
        let plan = Plan {
            seed: self.seed,
            properties: properties(),
            variables: self.variables.as_deref(),
            fixed: &self.fixed,
            graph: &self.graph,
            mechanisms: &self.mechanisms,
            interventions: &self.interventions,
        };
        PictureWorld::new(&plan, Arc::new(DigitPainter::new(images, self.size)))
    }

    fn images(&self) -> Result<DigitImages, ConfigError> {
        match &self.source {
            DigitSource::Drawn(config) => {
                at_least("source.drawn.per_digit", 1, config.per_digit)?;
                let rng = &mut Seed(self.seed).rng_at(Stream::World, WRITING);
                Ok(drawn(config.per_digit, rng))
            }
            DigitSource::Mnist(config) => config.images(),
        }
    }

    /// What the world is called: `digits-drawn` or `digits-mnist`.
    pub fn name(&self) -> String {
        match self.source {
            DigitSource::Drawn(_) => "digits-drawn".into(),
            DigitSource::Mnist(_) => "digits-mnist".into(),
        }
    }
}

fn train() -> String {
    "train".into()
}

fn source_schema(generator: &mut SchemaGenerator) -> Schema {
    name_or_table_schema::<DigitSource>(generator, &["drawn"])
}
