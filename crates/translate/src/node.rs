//! A YAML document as a tree that remembers its lines.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::path::{Path, Step};

/// A value and where it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// Line and column from 1, or 0 where there is no text.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// What YAML, as read by Kubernetes, can say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In order, doubles included.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// The value under a key, unless it is null: that is as good as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node).filter(|node| node.value != Value::Null)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The line of a field: of its key, or of the item; if it is absent, of what it is missing from.
    pub(crate) fn line(&self, path: &Path) -> u32 {
        let mut node = self;
        let mut line = self.place.line;
        for step in path.steps() {
            let next = match (step, &node.value) {
                (Step::Key(key), _) => node.entry(key).map(|entry| (entry.place, &entry.node)),
                (Step::Index(i), Value::List(items)) => items.get(*i).map(|n| (n.place, n)),
                _ => None,
            };
            let Some((place, next)) = next else { break };
            line = place.line;
            node = next;
        }
        line
    }

    /// The deepest field that starts at a place or, failing that, the last one to start before it.
    pub(crate) fn path_of(&self, place: Place) -> Path {
        let mut best = (Place::default(), Path::root());
        self.search(&Path::root(), place, &mut best);
        best.1
    }

    fn search(&self, path: &Path, place: Place, best: &mut (Place, Path)) {
        let mut visit = |child: Path, at: Place, node: &Self| {
            for at in [at, node.place] {
                if at <= place && at >= best.0 {
                    *best = (at, child.clone());
                }
            }
            node.search(&child, place, best);
        };
        match &self.value {
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    visit(path.index(i), item.place, item);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    visit(path.key(&entry.key), entry.place, &entry.node);
                }
            }
            _ => {}
        }
    }

    /// The same as JSON, without null fields (Kubernetes prunes them, so that defaults apply).
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => match (i64::try_from(*n), u64::try_from(*n)) {
                (Ok(n), _) => Json::from(n),
                (_, Ok(n)) => Json::from(n),
                _ => Json::from(*n as f64),
            },
            Value::Float(x) => Json::from(*x),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .filter(|entry| entry.node.value != Value::Null)
                .map(|entry| (entry.key.clone(), entry.node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// A tree without places.
    pub(crate) fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(n), _) => Value::Int(n.into()),
                (_, Some(n)) => Value::Int(n.into()),
                _ => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        place: Place::default(),
                        node: Self::from_json(value),
                    })
                    .collect(),
            ),
        };
        Self { place: Place::default(), value }
    }
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        let fit = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: fit(location.line()), column: fit(location.column()) }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { place: spanned.referenced.into(), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any YAML value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
                Value::deserialize(d)
            }

            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }

            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(Value::Int(n.into()))
            }

            fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
                Ok(Value::Int(n.into()))
            }

            fn visit_i128<E>(self, n: i128) -> Result<Value, E> {
                Ok(Value::Int(n))
            }

            fn visit_u128<E>(self, n: u128) -> Result<Value, E> {
                Ok(i128::try_from(n).map_or(Value::Float(n as f64), Value::Int))
            }

            fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
                Ok(Value::Float(x))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    let node = map.next_value()?;
                    entries.push(Entry { key: key.value, place: key.referenced.into(), node });
                }
                Ok(Value::Map(entries))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests;
