//! The configuration of a run.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use domino::data::DatasetSpec;
use domino::data::circuit::CircuitConfig;
use domino::data::digits::DigitsConfig;
use domino::data::scaling::ScalingConfig;
use domino::data::scenes::ScenesConfig;
use domino::data::sprites::SpritesConfig;
use domino::metrics::{DciOptions, GbtOptions};
use domino::recipe::{
    AtOnce, GraphStage, MechanismStage, ModelConfig, PictureStage, RecipeConfig, StartConfig,
    VariableStage,
};
use domino::vae::{Averaging, IlcmConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{ConfigError, config_hash};

/// Everything that decides what a run does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Name of the experiment, which names its folder: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Seed of everything but the data.
    pub seed: u64,
    /// Where tensors live: `cpu`, or `cuda:0` in a build with the feature `cuda`.
    pub device: String,
    /// The pairs.
    pub data: DataConfig,
    /// Sizes and networks.
    pub model: ModelTable,
    /// The start that needs no gradient.
    pub start: StartConfig,
    /// How the variables are learned: `thin`, `elbo` in phases, or `coarse_to_fine` from pictures.
    pub variables: VariableStage,
    /// How the graph is learned.
    pub graph: GraphStage,
    /// How the mechanisms are learned: `regression`, or `joint` after `variables.elbo`.
    pub mechanisms: MechanismStage,
    /// How the drawing of pictures is learned, where `variables.coarse_to_fine` learns from them.
    pub picture: PictureStage,
    /// How the result is measured.
    pub eval: EvalConfig,
    /// How a run is kept from being lost.
    pub checkpoints: CheckpointConfig,
}

/// Where pairs come from: exactly one of `path` and the tables of generators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// An `.npz` file of pairs or a folder of shards, relative to the working directory. Its rows
    /// are shuffled, in the same way whatever the seed, and parted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// A random structural causal model and a mixing of its variables, from which each part is
    /// drawn afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingConfig>,
    /// Pictures of a robot arm, buttons and lamps, from which each part is drawn afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<CircuitConfig>,
    /// Rendered scenes whose properties are causal variables, from which each part is drawn afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenes: Option<ScenesConfig>,
    /// White shapes on black, after dSprites, from which each part is drawn afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sprites: Option<SpritesConfig>,
    /// Coloured digits, drawn or from files of MNIST, from which each part is drawn afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<DigitsConfig>,
    /// Pairs to train on; 100000 where absent, or of a file all that the other parts leave.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// Pairs that choose between replicas, at most a tenth of a file.
    #[schemars(range(min = 1))]
    pub validation: usize,
    /// Pairs that everything is measured on, at most a tenth of a file.
    #[schemars(range(min = 1))]
    pub test: usize,
    /// Pairs that the trees inside the DCI scores are fitted on, at most a tenth of a file; none
    /// where the true variables are not known.
    #[schemars(range(min = 1))]
    pub dci_train: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            path: None,
            scaling: None,
            circuit: None,
            scenes: None,
            sprites: None,
            digits: None,
            train: None,
            validation: 5_000,
            test: 5_000,
            dci_train: 10_000,
        }
    }
}

impl DataConfig {
    /// The generator tables as the specification of `pairs` pairs.
    pub fn spec(&self, pairs: usize) -> DatasetSpec {
        let Self { scaling, circuit, scenes, sprites, digits, .. } = self.clone();
        DatasetSpec { pairs, checksum: None, scaling, circuit, scenes, sprites, digits }
    }

    /// The same without any generator.
    pub fn without_generator(self) -> Self {
        let Self { path, train, validation, test, dci_train, .. } = self;
        Self { path, train, validation, test, dci_train, ..Self::default() }
    }

    /// What names a source of pairs, by its key.
    fn sources(&self) -> Vec<&'static str> {
        let named = [
            ("data.path", self.path.is_some()),
            ("data.scaling", self.scaling.is_some()),
            ("data.circuit", self.circuit.is_some()),
            ("data.scenes", self.scenes.is_some()),
            ("data.sprites", self.sprites.is_some()),
            ("data.digits", self.digits.is_some()),
        ];
        named.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key).collect()
    }
}

/// Sizes and networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelTable {
    /// Number of causal variables; that of the data where absent. Where the data has another number,
    /// scores compare as many variables as can be matched.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d: Option<usize>,
    /// How many variables an intervention may set at once: `one`, or `several` where one linear map separates
    /// the variables.
    #[serde(skip_serializing_if = "AtOnce::is_one")]
    pub targets: AtOnce,
    /// Models trained side by side, of which the one with the sparsest changes is kept.
    #[schemars(range(min = 1))]
    pub replicas: usize,
    /// Encoder, decoder and solution functions.
    pub networks: IlcmConfig,
}

impl Default for ModelTable {
    fn default() -> Self {
        let ModelConfig { targets, replicas, networks, .. } = ModelConfig::default();
        Self { d: None, targets, replicas, networks }
    }
}

/// How the result is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvalConfig {
    /// The boosted trees inside the DCI scores.
    pub dci: DciTable,
    /// Values that each variable is set to in turn, between its 5 % and 95 % quantiles.
    #[schemars(range(min = 2))]
    pub sweep: usize,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self { dci: DciTable::default(), sweep: 9 }
    }
}

/// The boosted trees inside the DCI scores; the defaults are the published ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DciTable {
    /// Trees per true variable.
    #[schemars(range(min = 1))]
    pub trees: usize,
    /// Share of each tree that is added.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub learning_rate: f64,
    /// Depth of each tree.
    #[schemars(range(min = 1))]
    pub max_depth: usize,
}

impl Default for DciTable {
    fn default() -> Self {
        let GbtOptions { stages, learning_rate, max_depth } = GbtOptions::default();
        Self { trees: stages, learning_rate, max_depth }
    }
}

impl DciTable {
    /// The options of the metric, on all threads: the scores do not depend on their number.
    pub fn options(&self) -> DciOptions {
        let gbt = GbtOptions {
            stages: self.trees,
            learning_rate: self.learning_rate,
            max_depth: self.max_depth,
        };
        DciOptions { gbt, threads: threads(), ..DciOptions::default() }
    }
}

/// Threads to use: `RAYON_NUM_THREADS`, as for tensors, or else all processors.
fn threads() -> NonZeroUsize {
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok());
    let all = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    asked.unwrap_or_else(all)
}

/// How a run is kept from being lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Steps between saves within a phase.
    #[schemars(range(min = 1))]
    pub every: u64,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { every: 1_000 }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "run".to_owned(),
            seed: 0,
            device: "cpu".to_owned(),
            data: DataConfig::default(),
            model: ModelTable::default(),
            start: StartConfig::default(),
            variables: VariableStage::default(),
            graph: GraphStage::default(),
            mechanisms: MechanismStage::default(),
            picture: PictureStage::default(),
            eval: EvalConfig::default(),
            checkpoints: CheckpointConfig::default(),
        }
    }
}

/// Why settings make no run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: expected {expected}, got {got}")]
pub struct SettingsError {
    /// The key.
    pub key: &'static str,
    /// What would do.
    pub expected: String,
    /// What was found.
    pub got: String,
}

impl SettingsError {
    fn new(key: &'static str, expected: impl Into<String>, got: impl ToString) -> Self {
        Self { key, expected: expected.into(), got: got.to_string() }
    }
}

impl Settings {
    /// Checks what neither types nor the recipe check.
    ///
    /// # Errors
    /// [`SettingsError`] naming the key, what was expected and what was found.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(plain) {
            let expected = "letters, digits, `.`, `_` and `-`, with no `.` in front";
            return Err(SettingsError::new("name", expected, format!("`{}`", self.name)));
        }
        let sources = self.data.sources();
        if sources.len() != 1 {
            let got = if sources.is_empty() { "none".to_owned() } else { sources.join(" and ") };
            let expected = "one source: data.path, a file or folder of pairs, or a generator, such \
                            as data.scaling";
            return Err(SettingsError::new("data", expected, got));
        }
        for (key, least, got) in [
            ("data.train", 1, self.data.train.unwrap_or(1)),
            ("data.validation", 1, self.data.validation),
            ("data.test", 1, self.data.test),
            ("data.dci_train", 1, self.data.dci_train),
            ("eval.sweep", 2, self.eval.sweep),
            ("eval.dci.trees", 1, self.eval.dci.trees),
            ("checkpoints.every", 1, self.checkpoints.every as usize),
        ] {
            if got < least {
                return Err(SettingsError::new(key, format!("at least {least}"), got));
            }
        }
        let rate = self.eval.dci.learning_rate;
        if !(rate > 0.0 && rate <= 1.0) {
            return Err(SettingsError::new("eval.dci.learning_rate", "above 0, at most 1", rate));
        }
        Ok(())
    }

    /// The same settings for data whose truth tells of `known` variables, if it tells. A number that is
    /// given stays, whatever the data tells.
    ///
    /// # Errors
    /// [`SettingsError`] if neither the settings nor the data tell the number of variables.
    pub fn for_data(self, known: Option<usize>) -> Result<Self, SettingsError> {
        let Some(d) = self.model.d.or(known) else {
            let expected = "the number of causal variables, e.g. model.d=4";
            let got = "nothing, and the data does not tell";
            return Err(SettingsError::new("model.d", expected, got));
        };
        Ok(Self { model: ModelTable { d: Some(d), ..self.model }, ..self })
    }

    /// What the recipe needs to know; `d` is 0, which it refuses, where it is not known.
    pub fn recipe(&self) -> RecipeConfig {
        let ModelTable { d, targets, replicas, networks } = self.model.clone();
        RecipeConfig {
            model: ModelConfig { d: d.unwrap_or(0), targets, replicas, networks },
            start: self.start.clone(),
            variables: self.variables.clone(),
            graph: self.graph.clone(),
            mechanisms: self.mechanisms.clone(),
            picture: self.picture.clone(),
        }
    }

    /// The hash of everything but the seed: runs that differ in their seed alone share it.
    ///
    /// # Errors
    /// As [`config_hash`].
    pub fn hash(&self) -> Result<String, ConfigError> {
        config_hash(&Self { seed: 0, ..self.clone() })
    }

    /// What is fitted, in words.
    pub fn in_words(&self) -> String {
        let variables = match &self.variables {
            VariableStage::Thin(_) if !self.model.targets.is_one() => {
                "variables from sparse changes of several at once"
            }
            VariableStage::Thin(_) => "variables from sparse changes",
            VariableStage::Elbo(_) => "variables from the evidence lower bound",
            VariableStage::Group(stage) => match stage.averaging {
                Averaging::None => "variables from a β-VAE",
                Averaging::Gvae => "variables from an Ada-GVAE",
                Averaging::MlVae => "variables from an Ada-ML-VAE",
            },
            VariableStage::CoarseToFine(_) => "variables from sparse changes of pictures",
            VariableStage::Explicit(_) => "variables from an explicit latent causal model",
            VariableStage::Supervised(_) => "variables regressed on the TRUTH (supervised)",
        };
        let graph = match &self.graph {
            GraphStage::Pairs(_) => "graph from regressions on pairs",
            GraphStage::Prior => "graph trained along",
        };
        let mechanisms = match &self.mechanisms {
            MechanismStage::Regression(_) => "refitted mechanisms",
            MechanismStage::Joint => "mechanisms trained along",
            MechanismStage::Identity => "no mechanisms",
        };
        format!("{variables}, {graph}, {mechanisms}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolve;

    fn settings(text: &str) -> Settings {
        resolve(text, "test.toml", &[] as &[&str]).unwrap()
    }

    #[test]
    fn exactly_one_source_of_data() {
        let error = |text| settings(text).validate().unwrap_err().to_string();
        assert!(error("").ends_with("got none"));
        assert!(
            error("[data]\npath = 'a.npz'\n[data.scaling]")
                .ends_with("got data.path and data.scaling")
        );
        assert!(error("[data.circuit]\n[data.scaling]").ends_with("data.scaling and data.circuit"));
        assert_eq!(settings("[data.circuit]").validate(), Ok(()));
        assert_eq!(settings("[data.scaling]").validate(), Ok(()));
    }

    #[test]
    fn the_number_of_variables_comes_from_settings_or_data() {
        let plain = settings("[data]\npath = 'a.npz'");
        assert_eq!(plain.clone().for_data(Some(3)).unwrap().recipe().model.d, 3);
        assert_eq!(
            plain.for_data(None).unwrap_err().to_string(),
            "model.d: expected the number of causal variables, e.g. model.d=4, got nothing, and \
             the data does not tell"
        );
        let given = settings("[model]\nd = 4");
        assert_eq!(given.clone().for_data(None).unwrap().recipe().model.d, 4);
        assert_eq!(given.for_data(Some(3)).unwrap().recipe().model.d, 4);
    }

    #[test]
    fn seeds_share_a_hash_and_nothing_else_does() {
        let hash = |text| settings(text).hash().unwrap();
        assert_eq!(hash("seed = 1"), hash("seed = 2"));
        assert_ne!(hash("[eval]\nsweep = 9"), hash("[eval]\nsweep = 10"));
    }

    #[test]
    fn a_name_that_leaves_its_folder_is_refused() {
        for name in ["", "../up", "a/b", ".hidden"] {
            let settings = Settings { name: name.to_owned(), ..settings("[data.scaling]") };
            assert!(settings.validate().unwrap_err().to_string().starts_with("name: expected"));
        }
    }
}
