use serde_json::Value as Json;
use toml::{Table, Value};

use super::Config;

/// The JSON schema of a configuration type, from which the merge learns where enums are and what holds by default.
pub(super) struct Shape {
    schema: Json,
}

impl Shape {
    pub(super) fn of<T: Config>() -> Self {
        Self { schema: schemars::schema_for!(T).to_value() }
    }

    pub(super) fn root(&self) -> Place<'_> {
        Place { root: &self.schema, at: vec![&self.schema] }
    }
}

/// The schemas that hold at one key: alternatives, since enums and options offer several.
#[derive(Clone)]
pub(super) struct Place<'a> {
    root: &'a Json,
    at: Vec<&'a Json>,
}

impl<'a> Place<'a> {
    /// The place under a key of a table, or under an index of an array.
    pub(super) fn child(&self, key: &str) -> Self {
        let all = self.expanded();
        let fields = all.iter().filter_map(|schema| {
            let named = schema.get("properties").and_then(|fields| fields.get(key));
            named.or_else(|| schema.get("additionalProperties")).or_else(|| schema.get("items"))
        });
        Self { root: self.root, at: fields.collect() }
    }

    /// What holds here where nothing is said, as far as the struct around it says so: its default may differ from that of
    /// the type that stands here.
    pub(super) fn default(&self) -> Option<Value> {
        self.at.iter().find_map(|schema| schema.get("default")).and_then(toml_of)
    }

    /// Drops the other variants of an externally tagged enum before `key` is set.
    pub(super) fn choose(&self, table: &mut Table, key: &str) {
        let tags = self.tags();
        if tags.contains(&key) {
            table.retain(|other, _| other == key || !tags.contains(&other));
        }
    }

    /// Whether `key` names a variant that carries data here.
    pub(super) fn is_tag(&self, key: &str) -> bool {
        self.tags().contains(&key)
    }

    /// The variants that carry data: objects with exactly one key, which is required.
    fn tags(&self) -> Vec<&'a str> {
        let variant = |schema: &&'a Json| {
            let fields = schema.get("properties")?.as_object()?;
            let required = schema.get("required")?.as_array()?;
            let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
            let key = fields.keys().next()?;
            (closed && fields.len() == 1 && required.len() == 1).then_some(key.as_str())
        };
        let alternatives = self.expanded();
        let alternatives =
            alternatives.iter().filter_map(|schema| schema.get("oneOf")?.as_array()).flatten();
        alternatives.filter_map(|schema| variant(&schema)).collect()
    }

    /// Every schema reachable without entering a key.
    fn expanded(&self) -> Vec<&'a Json> {
        let mut seen: Vec<&'a Json> = Vec::new();
        let mut open = self.at.clone();
        while let Some(schema) = open.pop() {
            if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            seen.push(schema);
            if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
                open.extend(self.root.pointer(reference.trim_start_matches('#')));
            }
            for word in ["oneOf", "anyOf", "allOf"] {
                open.extend(schema.get(word).and_then(Json::as_array).into_iter().flatten());
            }
        }
        seen
    }
}

/// Lays `over` on `base`: tables key by key, everything else whole. A table that lies on nothing is laid on the default of
/// its place, so that to set one key changes no other.
pub(super) fn merge(base: &mut Table, over: &Table, place: &Place<'_>) {
    for (key, value) in over {
        place.choose(base, key);
        let below = base.remove(key);
        base.insert(key.clone(), laid(value, below, &place.child(key)));
    }
}

/// `value` on what lies `below` it at one place.
pub(super) fn laid(value: &Value, below: Option<Value>, place: &Place<'_>) -> Value {
    match value {
        Value::Table(over) => {
            let mut base = match below.or_else(|| place.default()) {
                Some(Value::Table(base)) => base,
                _ => Table::new(),
            };
            merge(&mut base, over, place);
            Value::Table(base)
        }
        Value::Array(values) => {
            let item = place.child("");
            Value::Array(values.iter().map(|value| laid(value, None, &item)).collect())
        }
        other => other.clone(),
    }
}

/// JSON as TOML, which has no null: what is absent there is left out.
fn toml_of(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(value) => match value.as_i64() {
            Some(value) => Value::Integer(value),
            None => Value::Float(value.as_f64()?),
        },
        Json::String(value) => Value::String(value.clone()),
        Json::Array(values) => Value::Array(values.iter().filter_map(toml_of).collect()),
        Json::Object(fields) => {
            let fields =
                fields.iter().filter_map(|(key, value)| Some((key.clone(), toml_of(value)?)));
            Value::Table(fields.collect())
        }
    })
}
