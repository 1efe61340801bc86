//! Configurations: TOML files that inherit, overrides from the command line, errors that name the key.
//!
//! A configuration is any type that serde can read and schemars can describe. A file may name
//! another as its `base`, from which it inherits every key it does not set itself; overrides
//! `key.sub=value` come last. Below all of them lie the defaults of each place, so that to set one key changes
//! no other. Wherever a later layer chooses another variant of an enum, that
//! variant replaces the earlier one whole, so that no two variants' keys mix.
//!
//! ```
//! use domino_experiments::config::{config_hash, resolve};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Train {
//!     steps: usize,
//!     lr: f64,
//! }
//!
//! let train: Train = resolve("steps = 100\nlr = 0.1", "train.toml", &["lr=3e-4"])?;
//! assert_eq!((train.steps, train.lr), (100, 3e-4));
//! assert_eq!(config_hash(&train)?.len(), 12);
//!
//! let error = resolve::<Train>("steps = 100\nlrr = 0.1", "train.toml", &["steps=9"]).err().unwrap();
//! assert_eq!(
//!     error.to_string(),
//!     "train.toml: lrr: unknown field `lrr`, expected `steps` or `lr`"
//! );
//! # Ok::<(), domino_experiments::config::ConfigError>(())
//! ```

mod error;
mod layers;
mod merge;
mod overrides;
mod render;

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub use error::ConfigError;
pub use render::{config_hash, json_schema, to_canonical_toml};

use layers::Layer;
use merge::Shape;
use overrides::Override;

/// What a configuration type must be able to do.
pub trait Config: Serialize + DeserializeOwned + JsonSchema {}

impl<T: Serialize + DeserializeOwned + JsonSchema> Config for T {}

/// The configuration of a TOML text, its bases and the overrides, later ones last.
///
/// `source_name` names the text in errors; where the text has a `base`, that path is relative to
/// the folder of `source_name`.
///
/// # Errors
/// [`ConfigError`] naming the file or override, the key, and what was expected there.
pub fn resolve<T: Config>(
    text: &str,
    source_name: &str,
    overrides: &[impl AsRef<str>],
) -> Result<T, ConfigError> {
    let shape = Shape::of::<T>();
    let mut layers = layers::load(text, Path::new(source_name))?;
    let mut table = Table::new();
    for layer in &layers {
        merge::merge(&mut table, &layer.table, &shape.root());
    }
    for text in overrides {
        let change = Override::parse(text.as_ref())?;
        let mut value = Value::Table(table);
        change.apply(&mut value, &shape.root())?;
        let Value::Table(changed) = value else { unreachable!("an override keeps the root") };
        table = changed;
        layers.push(Layer { name: format!("override `{}`", change.text), table: change.table() });
    }
    deserialize(table, source_name, &layers)
}

/// The configuration of a TOML file: see [`resolve`].
///
/// # Errors
/// [`ConfigError::Read`] if there is no such file, and those of [`resolve`].
pub fn resolve_file<T: Config>(
    path: &Path,
    overrides: &[impl AsRef<str>],
) -> Result<T, ConfigError> {
    let text = layers::read(path)?;
    resolve(&text, &path.display().to_string(), overrides)
}

fn deserialize<T: Config>(
    table: Table,
    source_name: &str,
    layers: &[Layer],
) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let key = error.path().to_string();
        let source_name = layers
            .iter()
            .rev()
            .find(|layer| layer.sets(&key))
            .map_or(source_name, |layer| layer.name.as_str());
        ConfigError::Field {
            source_name: source_name.to_owned(),
            key: if key == "." { "top level".to_owned() } else { key },
            message: error.inner().message().to_owned(),
        }
    })
}

#[cfg(test)]
mod tests;
