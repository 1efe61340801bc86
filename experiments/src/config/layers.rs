use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

use super::ConfigError;

/// Key under which a file names the file it inherits from.
const BASE: &str = "base";

/// The keys that one file or override sets.
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) table: Table,
}

impl Layer {
    /// Whether the layer sets the key, written as in `phase[0].steps`.
    pub(super) fn sets(&self, key: &str) -> bool {
        let mut parts = key.split(['.', '[', ']']).filter(|part| !part.is_empty());
        let first = parts.next().and_then(|part| self.table.get(part));
        first.is_some_and(|value| parts.try_fold(value, child).is_some())
    }
}

fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Table(table) => table.get(key),
        Value::Array(array) => array.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The text and its bases, the furthest base first.
pub(super) fn load(text: &str, path: &Path) -> Result<Vec<Layer>, ConfigError> {
    let mut chain = vec![normal(path)];
    let (layer, mut base) = parse(text, path)?;
    let mut layers = vec![layer];
    while let Some(path) = base {
        let cyclic = chain.contains(&path);
        chain.push(path.clone());
        if cyclic {
            return Err(ConfigError::BaseCycle { chain });
        }
        let (layer, next) = parse(&read(&path)?, &path)?;
        layers.push(layer);
        base = next;
    }
    layers.reverse();
    Ok(layers)
}

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

/// One file's keys and the path of its base.
fn parse(text: &str, path: &Path) -> Result<(Layer, Option<PathBuf>), ConfigError> {
    let name = path.display().to_string();
    let mut table: Table = toml::from_str(text).map_err(|error| syntax(&name, &error))?;
    let base = match table.remove(BASE) {
        None => None,
        Some(Value::String(base)) => {
            Some(normal(&path.parent().unwrap_or(Path::new("")).join(base)))
        }
        Some(other) => {
            return Err(ConfigError::Base { source_name: name, got: other.type_str() });
        }
    };
    Ok((Layer { name, table }, base))
}

fn syntax(source_name: &str, error: &toml::de::Error) -> ConfigError {
    let source_name = source_name.to_owned();
    let message = error.to_string().trim_end().to_owned();
    if ["integer number overflowed", "u64 value was too large"].contains(&error.message()) {
        return ConfigError::IntegerRange { source_name, what: message };
    }
    ConfigError::Syntax { source_name, message }
}

/// The path without `.` and `x/..`, so that one file has one name.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
