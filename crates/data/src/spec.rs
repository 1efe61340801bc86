use domino_core::{GroundTruth, Pairs, PairsError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::checksum::checksum;
use crate::circuit::{Circuit, CircuitConfig};
use crate::config_error::ConfigError;
use crate::digits::DigitsConfig;
use crate::generator::{Generator, Split};
use crate::scaling::{ScalingConfig, World};
use crate::scenes::ScenesConfig;
use crate::sprites::SpritesConfig;

/// A data set by how it is made: the content of a `datasets/<name>/spec.toml`.
///
/// ```
/// use domino_data::{DatasetSpec, SpecError};
///
/// let spec: DatasetSpec = toml::from_str("pairs = 50\nscaling = { d = 3, graph = 'chain' }")?;
/// let (pairs, truth) = spec.generate()?;
/// assert_eq!((pairs.len(), truth.dim()), (50, Some(3)));
///
/// let wrong = DatasetSpec { checksum: Some("0123".into()), ..spec };
/// assert!(matches!(wrong.generate(), Err(SpecError::Checksum { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetSpec {
    /// Number of pairs, drawn as the training split.
    #[schemars(range(min = 1))]
    pub pairs: usize,
    /// What [`checksum`](crate::checksum) says of the data; not verified where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// A random structural causal model and a mixing of its variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingConfig>,
    /// Pictures of a robot arm, buttons and lamps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<CircuitConfig>,
    /// Rendered scenes whose properties are causal variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenes: Option<ScenesConfig>,
    /// White shapes on black, after dSprites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sprites: Option<SpritesConfig>,
    /// Coloured digits, drawn or from files of MNIST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<DigitsConfig>,
}

/// A generator by its options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeneratorConfig {
    /// A random structural causal model and a mixing of its variables.
    Scaling(ScalingConfig),
    /// Pictures of a robot arm, buttons and lamps.
    Circuit(CircuitConfig),
    /// Rendered scenes whose properties are causal variables.
    Scenes(ScenesConfig),
    /// White shapes on black, after dSprites.
    Sprites(SpritesConfig),
    /// Coloured digits, drawn or from files of MNIST.
    Digits(DigitsConfig),
}

impl GeneratorConfig {
    /// The kinds of generators, by the names of their tables.
    pub const KINDS: [&str; 5] = ["scaling", "circuit", "scenes", "sprites", "digits"];

    /// The name of its table.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scaling(_) => "scaling",
            Self::Circuit(_) => "circuit",
            Self::Scenes(_) => "scenes",
            Self::Sprites(_) => "sprites",
            Self::Digits(_) => "digits",
        }
    }

    /// The generator.
    ///
    /// # Errors
    /// [`ConfigError`] if an option is out of range.
    pub fn build(&self) -> Result<Box<dyn Generator>, ConfigError> {
        match self {
            Self::Scaling(config) => Ok(Box::new(World::draw(config)?)),
            Self::Circuit(config) => Ok(Box::new(Circuit::new(config)?)),
            Self::Scenes(config) => Ok(Box::new(config.build()?)),
            Self::Sprites(config) => Ok(Box::new(config.build()?)),
            Self::Digits(config) => Ok(Box::new(config.build()?)),
        }
    }

    /// What the generator is called, as in `scaling-d4`.
    pub fn name(&self) -> String {
        match self {
            Self::Scaling(config) => format!("scaling-d{}", config.d),
            Self::Circuit(config) => format!("circuit-{}", config.lamps),
            Self::Scenes(config) => config.name(),
            Self::Sprites(config) => config.name(),
            Self::Digits(config) => config.name(),
        }
    }

    /// Version of what the generator makes: a build that makes other pairs of the same options has
    /// another one.
    pub fn version(&self) -> u32 {
        match self {
            Self::Scaling(_)
            | Self::Circuit(_)
            | Self::Scenes(_)
            | Self::Sprites(_)
            | Self::Digits(_) => 1,
        }
    }

    /// The seed of the world and of its pairs.
    pub fn seed(&self) -> u64 {
        match self {
            Self::Scaling(config) => config.seed,
            Self::Circuit(config) => config.seed,
            Self::Scenes(config) => config.seed,
            Self::Sprites(config) => config.seed,
            Self::Digits(config) => config.seed,
        }
    }

    /// The seed, to be changed.
    pub fn seed_mut(&mut self) -> &mut u64 {
        match self {
            Self::Scaling(config) => &mut config.seed,
            Self::Circuit(config) => &mut config.seed,
            Self::Scenes(config) => &mut config.seed,
            Self::Sprites(config) => &mut config.seed,
            Self::Digits(config) => &mut config.seed,
        }
    }
}

/// Why a [`DatasetSpec`] yields no data.
#[derive(Debug, Error)]
pub enum SpecError {
    /// The specification names no generator.
    #[error("expected a generator, such as [scaling]")]
    NoGenerator,
    /// The specification names more than one generator.
    #[error("expected one generator, got [{0}] and [{1}]")]
    SeveralGenerators(String, String),
    /// The generator cannot work so.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The generator's output is no pairs.
    #[error(transparent)]
    Pairs(#[from] PairsError),
    /// The data are not those that were specified.
    #[error("checksum: expected {expected}, got {got} from the generator")]
    Checksum {
        /// As specified.
        expected: String,
        /// Of the data at hand.
        got: String,
    },
}

impl DatasetSpec {
    /// The first `pairs` pairs of a generator, without a checksum to meet.
    pub fn of(generator: GeneratorConfig, pairs: usize) -> Self {
        let empty = Self { pairs, ..Self::default() };
        match generator {
            GeneratorConfig::Scaling(config) => Self { scaling: Some(config), ..empty },
            GeneratorConfig::Circuit(config) => Self { circuit: Some(config), ..empty },
            GeneratorConfig::Scenes(config) => Self { scenes: Some(config), ..empty },
            GeneratorConfig::Sprites(config) => Self { sprites: Some(config), ..empty },
            GeneratorConfig::Digits(config) => Self { digits: Some(config), ..empty },
        }
    }

    /// Compares a fingerprint with the specified one, where there is one.
    ///
    /// # Errors
    /// [`SpecError::Checksum`] if they differ.
    pub fn expect(&self, got: &str) -> Result<(), SpecError> {
        match &self.checksum {
            Some(expected) if expected != got => {
                Err(SpecError::Checksum { expected: expected.clone(), got: got.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The one generator that the specification names.
    ///
    /// # Errors
    /// [`SpecError::NoGenerator`] if there is none, [`SpecError::SeveralGenerators`] if there are
    /// more.
    pub fn generator(&self) -> Result<GeneratorConfig, SpecError> {
        let named = [
            self.scaling.clone().map(GeneratorConfig::Scaling),
            self.circuit.clone().map(GeneratorConfig::Circuit),
            self.scenes.clone().map(GeneratorConfig::Scenes),
            self.sprites.clone().map(GeneratorConfig::Sprites),
            self.digits.clone().map(GeneratorConfig::Digits),
        ];
        let mut named = named.into_iter().flatten();
        match (named.next(), named.next()) {
            (None, _) => Err(SpecError::NoGenerator),
            (Some(one), None) => Ok(one),
            (Some(a), Some(b)) => Err(SpecError::SeveralGenerators(a.name(), b.name())),
        }
    }

    /// Generates the data and compares them with the checksum where there is one.
    ///
    /// # Errors
    /// [`SpecError`] if there is no one generator, if its options are out of range or its output is no
    /// pairs, or if the data differ from those that the checksum was taken of.
    pub fn generate(&self) -> Result<(Pairs, GroundTruth), SpecError> {
        let (pairs, truth) = self.generator()?.build()?.sample(self.pairs, Split::Train)?;
        self.expect(&checksum(&pairs, &truth))?;
        Ok((pairs, truth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With their numbers of variables.
    const SPECS: [(&str, usize); 9] = [
        (include_str!("../../../datasets/scaling-d4/spec.toml"), 4),
        (include_str!("../../../datasets/nonlinear-mixing-d4/spec.toml"), 4),
        (include_str!("../../../datasets/scenes-floating/spec.toml"), 11),
        (include_str!("../../../datasets/scenes-standing/spec.toml"), 8),
        (include_str!("../../../datasets/shapes-room/spec.toml"), 6),
        (include_str!("../../../datasets/clevr-tabletop/spec.toml"), 18),
        (include_str!("../../../datasets/sprites-grid/spec.toml"), 5),
        (include_str!("../../../datasets/sprites-continuous/spec.toml"), 5),
        (include_str!("../../../datasets/digits-drawn/spec.toml"), 5),
    ];

    #[test]
    fn the_stored_data_sets_regenerate_to_their_checksums() {
        for (text, d) in SPECS {
            let spec: DatasetSpec = toml::from_str(text).unwrap();
            assert!(spec.checksum.is_some());
            let (pairs, truth) = spec.generate().unwrap();
            assert_eq!((pairs.len(), truth.dim()), (spec.pairs, Some(d)));
        }
    }

    #[test]
    fn a_specification_needs_a_generator_and_pairs() {
        let nothing: DatasetSpec = toml::from_str("pairs = 10").unwrap();
        let error = nothing.generate().unwrap_err();
        assert_eq!(error.to_string(), "expected a generator, such as [scaling]");
        let two: DatasetSpec = toml::from_str("pairs = 10\n[scaling]\n[circuit]").unwrap();
        let error = two.generate().unwrap_err();
        assert_eq!(error.to_string(), "expected one generator, got [scaling-d2] and [circuit-3]");
        let none: DatasetSpec = toml::from_str("pairs = 0\n[scaling]").unwrap();
        assert!(matches!(none.generate(), Err(SpecError::Pairs(PairsError::Empty(_)))));
    }
}
