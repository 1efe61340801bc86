use domino_core::Dag;
use rand::{Rng, RngExt};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::short_form::{name_or_table, name_or_table_schema};
use crate::config_error::{
    ConfigError, at_least, at_most, finite, not_negative, positive, probability,
};
use crate::interventions::InterventionConfig;

/// Values of a discrete variable, so that each has enough states to place thresholds by.
const MOST_LEVELS: usize = 64;

/// What a [`World`](super::World) is drawn from. The defaults are the linear benchmark of Brehmer
/// et al. 2022, section 5.4, in two dimensions.
///
/// Choices are written as a name, `mixing = "rotation"`, or as a table with options,
/// `mixing = { leaky_relu = { layers = 3 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScalingConfig {
    /// Seed of the world and of the data drawn from it.
    pub seed: u64,
    /// Number of causal variables.
    #[schemars(range(min = 1))]
    pub d: usize,
    /// Number of observed values, at least `d`; equal to `d` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim_x: Option<usize>,
    /// The causal graph: `random`, `full`, `chain`, `empty`, or a list of edges.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "graph_schema")]
    pub graph: GraphConfig,
    /// How a variable follows from its parents and its noise: `linear` or `mlp`.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "mechanism_schema")]
    pub mechanisms: MechanismConfig,
    /// Number of values of each variable that takes a few only, at least 2, and 0 for one that takes any;
    /// all are continuous where this is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<usize>,
    /// How observations follow from the variables: `identity`, `rotation` or `leaky_relu`.
    #[serde(deserialize_with = "name_or_table")]
    #[schemars(schema_with = "mixing_schema")]
    pub mixing: MixingConfig,
    /// Standard deviation of the Gaussian noise added to every observed value, in the unit of the
    /// observations; drawn anew before and after.
    #[schemars(range(min = 0.0))]
    pub observation_noise: f64,
    /// What happens between before and after.
    #[serde(skip_serializing_if = "InterventionConfig::is_default")]
    pub interventions: InterventionConfig,
}

/// The causal graph of a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraphConfig {
    /// Every edge from a smaller to a larger index with the same probability.
    Random(RandomGraph),
    /// Every edge from a smaller to a larger index.
    Full,
    /// Each variable causes the next.
    Chain,
    /// No edge.
    Empty,
    /// These edges `[from, to]`, counted from 0, in any order as long as there is no cycle.
    Edges(Vec<(usize, usize)>),
}

/// A graph whose edges are independent coin flips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RandomGraph {
    /// Probability of each edge `i -> j`, `i < j`.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub edge_probability: f64,
}

/// How a variable follows from its parents and its noise, `z_j = f_j(z_pa) + g_j(z_pa) e_j`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MechanismConfig {
    /// `f_j` is a weighted sum and `g_j = 1`.
    Linear(LinearConfig),
    /// `f_j` and `ln g_j` are the outputs of a random tanh network of one hidden layer.
    Mlp(MlpConfig),
}

/// Options of linear mechanisms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// The law of the weights.
    pub weights: WeightLaw,
}

/// The law of the weights of linear mechanisms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeightLaw {
    /// `± (1 + 0.3 N(0, 1))`, either sign equally likely: no weight is close to 0.
    #[default]
    Bimodal,
    /// `N(0, 1)`.
    Standard,
}

/// Options of location-scale networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Hidden units.
    #[schemars(range(min = 1))]
    pub hidden: usize,
    /// Standard deviation of the location over undisturbed states; its mean is 0.
    #[schemars(range(min = 0.0))]
    pub location_std: f64,
    /// Largest absolute value of the logarithm of the scale.
    #[schemars(range(min = 0.0))]
    pub log_scale: f64,
}

/// How observations follow from the variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MixingConfig {
    /// `x = z`, with zeros behind where there are more observed values than variables.
    Identity,
    /// `x = R z`; `R` holds the first `d` columns of the exponential of a random skew matrix.
    Rotation,
    /// Standardised variables through rotations with leaky rectifiers between them.
    LeakyRelu(LeakyReluConfig),
}

/// Options of the leaky-ReLU mixing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeakyReluConfig {
    /// Slope for negative inputs; 1 makes the mixing linear.
    #[schemars(range(min = 0.0))]
    pub slope: f64,
    /// Number of leaky rectifiers; one more rotation than that.
    #[schemars(range(min = 1))]
    pub layers: usize,
    /// Added to every input of each rectifier but the first.
    pub shift: f64,
}

impl Default for ScalingConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            d: 2,
            dim_x: None,
            graph: GraphConfig::Random(RandomGraph::default()),
            mechanisms: MechanismConfig::Linear(LinearConfig::default()),
            levels: Vec::new(),
            mixing: MixingConfig::Rotation,
            observation_noise: 0.0,
            interventions: InterventionConfig::default(),
        }
    }
}

impl Default for RandomGraph {
    fn default() -> Self {
        Self { edge_probability: 0.5 }
    }
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self { hidden: 16, location_std: 1.2, log_scale: 0.4 }
    }
}

impl Default for LeakyReluConfig {
    fn default() -> Self {
        Self { slope: 0.25, layers: 2, shift: 0.2 }
    }
}

impl ScalingConfig {
    /// Number of observed values, `dim_x` or else `d`.
    pub fn dim_x(&self) -> usize {
        self.dim_x.unwrap_or(self.d)
    }

    /// Checks every option.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first option that is out of range, or the fault of the graph.
    pub fn validate(&self) -> Result<(), ConfigError> {
        at_least("d", 1, self.d)?;
        at_least("dim_x", self.d, self.dim_x())?;
        not_negative("observation_noise", self.observation_noise)?;
        self.interventions.validate(self.d)?;
        self.graph.validate(self.d)?;
        if !self.levels.is_empty() && self.levels.len() != self.d {
            let got = self.levels.len();
            return Err(ConfigError::Length { key: "levels", expected: self.d, got });
        }
        for &count in self.levels.iter().filter(|count| **count > 0) {
            at_least("levels, of a discrete variable", 2, count)?;
            at_most("levels, of a discrete variable", MOST_LEVELS, count)?;
        }
        if let MechanismConfig::Mlp(mlp) = &self.mechanisms {
            at_least("mechanisms.mlp.hidden", 1, mlp.hidden)?;
            not_negative("mechanisms.mlp.location_std", mlp.location_std)?;
            not_negative("mechanisms.mlp.log_scale", mlp.log_scale)?;
        }
        if let MixingConfig::LeakyRelu(relu) = &self.mixing {
            at_least("mixing.leaky_relu.layers", 1, relu.layers)?;
            positive("mixing.leaky_relu.slope", relu.slope)?;
            finite("mixing.leaky_relu.shift", relu.shift)?;
        }
        Ok(())
    }
}

impl GraphConfig {
    /// Checks the options of a graph over `d` variables.
    pub(crate) fn validate(&self, d: usize) -> Result<(), ConfigError> {
        match self {
            Self::Random(random) => {
                probability("graph.random.edge_probability", random.edge_probability)
            }
            Self::Edges(edges) => Dag::from_edges(d, edges).map(|_| ()).map_err(ConfigError::Graph),
            Self::Full | Self::Chain | Self::Empty => Ok(()),
        }
    }

    /// The graph over `d` variables; only the random one draws, row by row from its upper triangle.
    pub(crate) fn draw(&self, d: usize, rng: &mut dyn Rng) -> Result<Dag, ConfigError> {
        match self {
            Self::Random(RandomGraph { edge_probability }) => {
                Ok(Dag::forward(d, |_, _| rng.random_bool(*edge_probability)))
            }
            Self::Full => Ok(Dag::full(d)),
            Self::Chain => Ok(Dag::chain(d)),
            Self::Empty => Ok(Dag::empty(d)),
            Self::Edges(edges) => Dag::from_edges(d, edges).map_err(ConfigError::Graph),
        }
    }
}

pub(crate) fn graph_schema(generator: &mut SchemaGenerator) -> Schema {
    name_or_table_schema::<GraphConfig>(generator, &["random"])
}

fn mechanism_schema(generator: &mut SchemaGenerator) -> Schema {
    name_or_table_schema::<MechanismConfig>(generator, &["linear", "mlp"])
}

fn mixing_schema(generator: &mut SchemaGenerator) -> Schema {
    name_or_table_schema::<MixingConfig>(generator, &["leaky_relu"])
}
