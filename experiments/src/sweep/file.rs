use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A study: the content of a `experiments/sweeps/<name>.toml`.
///
/// Its lines are every combination of worlds, variants, grid values, random draws, seeds and repeats,
/// in that order, the last varying fastest; keys are those of a run's configuration.
///
/// ```
/// use domino_experiments::config::resolve;
/// use domino_experiments::sweep::SweepFile;
///
/// let text = "
///     name = 'scaling'
///     config = 'configs/scaling.toml'
///     seeds = { first = 1000, count = 3, keys = ['seed', 'data.scaling.seed'] }
///     grid = { 'data.scaling.d' = [4, 8] }
/// ";
/// let sweep: SweepFile = resolve(text, "scaling.toml", &[] as &[&str])?;
/// assert_eq!(sweep.seeds.values(), [1000, 1001, 1002]);
/// # Ok::<(), domino_experiments::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// Name of the study: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// The configuration that all runs begin with, relative to this file.
    pub config: PathBuf,
    /// Keys set in all runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// Named settings that all variants are compared in, such as data; none is one without a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub world: Vec<SweepWorld>,
    /// Named settings that are compared, such as methods; none is one without a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variant: Vec<Variant>,
    /// Values to be combined with each other, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grid: BTreeMap<String, Vec<Value>>,
    /// Values drawn at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomAxes>,
    /// Seeds that every combination is run with.
    #[serde(default)]
    pub seeds: Seeds,
    /// How often each run is repeated with nothing changed; repeats must agree to the byte.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub repeats: usize,
    /// Combinations to leave out: those that match all keys of one entry. `world`, `variant` and `seed`
    /// are keys too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<BTreeMap<String, Value>>,
    /// What one run needs.
    #[serde(default)]
    pub resources: Resources,
}

fn once() -> usize {
    1
}

/// Settings under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The name, as in tables.
    pub name: String,
    /// A configuration instead of the study's, relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
    /// Keys set in its runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
}

/// What every variant meets, under a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepWorld {
    /// The name, as in tables.
    pub name: String,
    /// Keys set in its runs.
    pub set: BTreeMap<String, Value>,
}

/// Seeds, either counted from the first or listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Seeds {
    /// The first of `count` seeds.
    pub first: u64,
    /// How many.
    #[schemars(range(min = 1))]
    pub count: usize,
    /// Seeds one by one, instead of `first` and `count`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<u64>,
    /// The keys that take the seed. Add `data.scaling.seed` to give each seed a world of its own.
    pub keys: Vec<String>,
}

impl Default for Seeds {
    fn default() -> Self {
        Self { first: 0, count: 1, list: Vec::new(), keys: vec!["seed".to_owned()] }
    }
}

impl Seeds {
    /// All seeds, in order.
    pub fn values(&self) -> Vec<u64> {
        if self.list.is_empty() {
            return (self.first..).take(self.count).collect();
        }
        self.list.clone()
    }
}

/// Points drawn at random, all keys at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomAxes {
    /// How many points; a larger number begins with the points of a smaller one.
    #[schemars(range(min = 1))]
    pub count: usize,
    /// Seed of the draws.
    #[serde(default)]
    pub seed: u64,
    /// The law of every key.
    pub keys: BTreeMap<String, Draw>,
}

/// A law to draw a value by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// Uniform between two numbers.
    Uniform([f64; 2]),
    /// Uniform in the logarithm between two positive numbers.
    LogUniform([f64; 2]),
    /// A whole number from the first to the second, both included.
    Integer([i64; 2]),
    /// One of several values.
    Choice(Vec<Value>),
}

/// What one run needs, so that no more are started than the machine can hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Processors.
    #[schemars(range(min = 1))]
    pub threads: usize,
    /// Memory in GiB.
    pub memory: f64,
    /// GPUs, for clusters.
    pub gpus: usize,
    /// Longest time in minutes, for clusters.
    #[schemars(range(min = 1))]
    pub minutes: usize,
    /// Whether pairs that are drawn are kept in the folder `data` of the study, which may be removed at
    /// any time, so that runs on the same pairs draw them once.
    pub keep_data: bool,
}

impl Default for Resources {
    fn default() -> Self {
        Self { threads: 1, memory: 2.0, gpus: 0, minutes: 120, keep_data: false }
    }
}
