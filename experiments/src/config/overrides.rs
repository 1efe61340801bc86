use toml::{Table, Value};

use super::ConfigError;
use super::merge::{Place, laid};

/// One `key.sub=value` from the command line.
pub(super) struct Override {
    pub(super) text: String,
    path: Vec<String>,
    value: Value,
}

impl Override {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let malformed = || ConfigError::Override(text.to_owned());
        let (key, value) = text.split_once('=').ok_or_else(malformed)?;
        let path: Vec<String> = key.trim().split('.').map(|part| part.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(malformed());
        }
        Ok(Self { text: text.to_owned(), path, value: parse_value(text, value.trim())? })
    }

    /// Lays the value on what stands in `target`, or on the defaults of what is not there yet.
    pub(super) fn apply(&self, target: &mut Value, place: &Place<'_>) -> Result<(), ConfigError> {
        let mut target = target;
        let mut place = place.clone();
        for (depth, key) in self.path.iter().enumerate() {
            target = self.enter(target, depth, &place)?;
            place = place.child(key);
        }
        let below = std::mem::replace(target, Value::Boolean(false));
        *target = laid(&self.value, Some(below), &place);
        Ok(())
    }

    /// The keys that this override sets, as a table of its own; indices become keys.
    pub(super) fn table(&self) -> Table {
        let leaf = self.value.clone();
        let nest = |value, key: &String| Value::Table(Table::from_iter([(key.clone(), value)]));
        match self.path.iter().rev().fold(leaf, nest) {
            Value::Table(table) => table,
            _ => Table::new(),
        }
    }

    fn enter<'a>(
        &self,
        target: &'a mut Value,
        depth: usize,
        place: &Place<'_>,
    ) -> Result<&'a mut Value, ConfigError> {
        let key = &self.path[depth];
        if !target.is_table() && !target.is_array() && place.is_tag(key) {
            *target = Value::Table(Table::new());
        }
        match target {
            Value::Table(table) => {
                place.choose(table, key);
                let absent = || place.child(key).default().unwrap_or(Value::Table(Table::new()));
                Ok(table.entry(key.clone()).or_insert_with(absent))
            }
            Value::Array(array) => {
                let length = array.len();
                let element = key.parse().ok().and_then(|n: usize| array.get_mut(n));
                element.ok_or_else(|| {
                    let got = format!("an array of {length}, which has no `{key}`");
                    self.wrong(depth, got, "an index below its length")
                })
            }
            other => {
                let got = format!("of type {}", other.type_str());
                Err(self.wrong(depth, got, "a table or an array"))
            }
        }
    }

    fn wrong(&self, depth: usize, got: String, expected: &'static str) -> ConfigError {
        let at = self.path[..depth].join(".");
        ConfigError::Path { text: self.text.clone(), at, got, expected }
    }
}

/// The value as TOML, or as a string where it is no TOML.
fn parse_value(text: &str, value: &str) -> Result<Value, ConfigError> {
    let parsed: Option<Table> = toml::from_str(&format!("value = {value}")).ok();
    if let Some(mut table) = parsed
        && table.len() == 1
        && let Some(value) = table.remove("value")
    {
        return Ok(value);
    }
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    let numeric = |c: char| c.is_ascii_digit() || c == '_';
    if digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(numeric) {
        let source_name = format!("override `{text}`");
        return Err(ConfigError::IntegerRange { source_name, what: value.to_owned() });
    }
    Ok(Value::String(value.to_owned()))
}
