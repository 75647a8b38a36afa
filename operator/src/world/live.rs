//! An object as it is, kept as text: a tree of it takes several times as much.

use kube::api::DynamicObject;
use serde_json::Value;

use crate::names::Owner;

/// One of the operator's objects, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Counts up as it changes: its generation where it has one, else its resource version.
    pub version: u64,
    /// The pool or shield that it is of, with the uid of that one.
    pub owner: Option<(Owner, String)>,
    /// The hash of what was applied last.
    pub applied: Option<String>,
    /// All of it that can be applied.
    text: Box<str>,
}

impl Live {
    /// What matters of an object.
    pub fn of(object: DynamicObject) -> Self {
        let version = version(&object);
        let (owner, applied) = (super::controller(&object), super::applied(&object));
        let mut object = object;
        object.metadata.managed_fields = None;
        if let Some(data) = object.data.as_object_mut() {
            data.remove("status");
        }
        let text = serde_json::to_string(&object).unwrap_or_default().into_boxed_str();
        Self { version, owner, applied, text }
    }

    /// Whether there is anything in `other` to act upon.
    pub(super) fn differs(&self, other: &Self) -> bool {
        self.version != other.version || self.applied != other.applied || self.owner != other.owner
    }

    /// Whether all of `desired` is in it.
    pub fn holds(&self, desired: &Value) -> bool {
        serde_json::from_str(&self.text).is_ok_and(|live: Value| holds(&live, desired))
    }

    /// Of a ConfigMap: one of its texts.
    pub fn data(&self, key: &str) -> Option<String> {
        super::data(&serde_json::from_str(&self.text).ok()?, key)
    }
}

/// See [`Live::version`].
pub fn version(object: &DynamicObject) -> u64 {
    let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    let generation = object.metadata.generation.and_then(|n| u64::try_from(n).ok());
    // A ConfigMap has no generation.
    generation.or_else(|| number(&object.metadata.resource_version)).unwrap_or_default()
}

/// Whether `live` has everything that `desired` says, and lists of the same length: what the API server adds
/// by default is no difference.
pub fn holds(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (Value::Object(live), Value::Object(desired)) => desired.iter().all(|(key, wanted)| {
            let empty = wanted.as_object().is_some_and(serde_json::Map::is_empty)
                || wanted.as_array().is_some_and(Vec::is_empty)
                || wanted.is_null();
            live.get(key).map_or(empty, |live| holds(live, wanted))
        }),
        (Value::Array(live), Value::Array(desired)) => {
            live.len() == desired.len() && live.iter().zip(desired).all(|(l, d)| holds(l, d))
        }
        _ => live == desired,
    }
}
