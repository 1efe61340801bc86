use serde::Serialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

/// Hexadecimal digits of a configuration's hash: 48 bits, for runs counted in thousands.
const HASH_DIGITS: usize = 12;

/// The configuration as TOML with sorted keys: equal configurations have equal text.
///
/// # Errors
/// [`ConfigError::Render`] if TOML cannot express it; integers must stay below 2^63.
///
/// ```
/// use domino_experiments::config::to_canonical_toml;
///
/// #[derive(serde::Serialize)]
/// struct Train { steps: u64, lr: f64 }
///
/// assert_eq!(to_canonical_toml(&Train { steps: 9, lr: 0.1 })?, "lr = 0.1\nsteps = 9\n");
/// # Ok::<(), domino_experiments::config::ConfigError>(())
/// ```
pub fn to_canonical_toml<T: Serialize>(config: &T) -> Result<String, ConfigError> {
    let table = Table::try_from(config).map_err(|error| {
        if !error.to_string().contains("u64 value was too large") {
            return ConfigError::Render(error);
        }
        let what = "an unsigned integer".to_owned();
        ConfigError::IntegerRange { source_name: "configuration as TOML".to_owned(), what }
    })?;
    Ok(toml::to_string(&sorted(Value::Table(table)))?)
}

/// The content hash of a configuration: the first 12 hexadecimal digits of the BLAKE3 hash of its
/// canonical TOML. The order of keys in a file does not matter.
///
/// # Errors
/// As [`to_canonical_toml`].
pub fn config_hash<T: Serialize>(config: &T) -> Result<String, ConfigError> {
    let text = to_canonical_toml(config)?;
    let mut hex = blake3::hash(text.as_bytes()).to_hex().to_string();
    hex.truncate(HASH_DIGITS);
    Ok(hex)
}

/// The JSON schema of a configuration type, for editors that complete and check TOML.
///
/// # Errors
/// [`ConfigError::Schema`] if the schema is no JSON.
pub fn json_schema<T: Config>() -> Result<String, ConfigError> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(T))?)
}

/// Keys in order, whatever order the map type keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Table(table) => {
            let mut entries: Vec<_> = table.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Table(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(array) => Value::Array(array.into_iter().map(sorted).collect()),
        other => other,
    }
}
