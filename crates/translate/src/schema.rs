//! A document against the schema of its resource: the same schema that the API server holds it to, but
//! with every problem at once, in words, and with unknown fields refused.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use crate::check;
use crate::node::{Entry, Node, Value};
use crate::path::{Path, Problems};

mod words;
use words::{did_you_mean, found, listed, number};

/// The schema of a resource's only version.
pub(crate) fn schema_of(definition: CustomResourceDefinition) -> JSONSchemaProps {
    definition
        .spec
        .versions
        .into_iter()
        .next()
        .and_then(|version| version.schema)
        .and_then(|schema| schema.open_api_v3_schema)
        .unwrap_or_default()
}

/// Everything in the tree that the schema does not allow.
pub(crate) fn check(schema: &JSONSchemaProps, node: &Node, path: &Path, problems: &mut Problems) {
    if schema.x_kubernetes_int_or_string == Some(true) {
        return amount(schema, node, path, problems);
    }
    match schema.type_.as_deref() {
        Some("object") => object(schema, node, path, problems),
        Some("array") => array(schema, node, path, problems),
        Some("string") => string(schema, node, path, problems),
        Some("integer" | "number") => numeric(schema, node, path, problems),
        Some("boolean") if !matches!(node.value, Value::Bool(_)) => {
            problems.add(path, format!("must be true or false, not {}", found(node)));
        }
        _ => {}
    }
}

fn object(schema: &JSONSchemaProps, node: &Node, path: &Path, problems: &mut Problems) {
    let Value::Map(entries) = &node.value else {
        return problems.add(path, format!("must be a mapping of fields, not {}", found(node)));
    };
    let none = BTreeMap::new();
    let properties = schema.properties.as_ref().unwrap_or(&none);
    let mut seen: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries {
        let at = path.key(&entry.key);
        if let Some(first) = seen.insert(&entry.key, entry) {
            let reason = format!("already given on line {}; remove one", first.place.line);
            problems.add_on_line(entry.place.line, &at, reason);
            continue;
        }
        match (properties.get(&entry.key), &schema.additional_properties) {
            // As good as absent: Kubernetes prunes it, and the default applies.
            _ if entry.node.value == Value::Null => {}
            (Some(property), _) => check(property, &entry.node, &at, problems),
            (None, Some(JSONSchemaPropsOrBool::Schema(property))) => {
                check(property, &entry.node, &at, problems);
            }
            (None, Some(JSONSchemaPropsOrBool::Bool(true))) => {}
            (None, _) if schema.x_kubernetes_preserve_unknown_fields == Some(true) => {}
            (None, _) => {
                let known = properties.keys().map(String::as_str);
                problems.add(&at, format!("unknown field{}", did_you_mean(&entry.key, known)));
            }
        }
    }
    for required in schema.required.iter().flatten() {
        if node.get(required).is_none() {
            problems.add(&path.key(required), "is missing; it has no default");
        }
    }
    if schema.max_properties.is_some_and(|max| seen.len() as i64 > max) {
        problems.add(path, format!("has {} entries, which is too many", seen.len()));
    }
}

fn array(schema: &JSONSchemaProps, node: &Node, path: &Path, problems: &mut Problems) {
    let Value::List(items) = &node.value else {
        let hint = if matches!(node.value, Value::Map(_)) { "" } else { "; write it as `[…]`" };
        return problems.add(path, format!("must be a list, not {}{hint}", found(node)));
    };
    let count = items.len() as i64;
    if let Some(min) = schema.min_items.filter(|min| count < *min) {
        problems.add(path, format!("must have at least {min} item{}", plural(min)));
    }
    if let Some(max) = schema.max_items.filter(|max| count > *max) {
        problems.add(path, format!("has {count} items; at most {max} are allowed"));
    }
    let Some(JSONSchemaPropsOrArray::Schema(of)) = &schema.items else {
        return;
    };
    for (i, item) in items.iter().enumerate() {
        check(of, item, &path.index(i), problems);
    }
    let keys = match schema.x_kubernetes_list_type.as_deref() {
        Some("set") => vec![],
        Some("map") => schema.x_kubernetes_list_map_keys.clone().unwrap_or_default(),
        _ => return,
    };
    distinct(items, &keys, path, problems);
}

/// No two items alike, or alike in their keys.
fn distinct(items: &[Node], keys: &[String], path: &Path, problems: &mut Problems) {
    let identity = |item: &Node| match keys {
        [] => item.text().map(str::to_owned),
        keys => keys
            .iter()
            .map(|key| item.get(key)?.text().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(|texts| texts.join("\0")),
    };
    let mut seen = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        let Some(id) = identity(item) else { continue };
        if let Some(first) = seen.get(&id) {
            let mut at = path.index(i);
            if let [key] = keys {
                at = at.key(key);
            }
            problems.add(&at, format!("`{id}` is already given by {}", path.index(*first)));
        } else {
            seen.insert(id, i);
        }
    }
}

fn string(schema: &JSONSchemaProps, node: &Node, path: &Path, problems: &mut Problems) {
    let allowed = schema
        .enum_
        .as_ref()
        .map(|allowed| allowed.iter().filter_map(|value| value.0.as_str()).collect::<Vec<_>>());
    let Value::Text(text) = &node.value else {
        if let Some(allowed) = allowed {
            let reason = format!("must be one of {}, not {}", listed(&allowed), found(node));
            return problems.add(path, reason);
        }
        let is_duration = schema.pattern.as_deref() == Some(crds::Duration::PATTERN);
        let hint = match &node.value {
            Value::Int(n) if is_duration => {
                format!("; give it a unit: `{n}s` for seconds, or h, m, ms")
            }
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => "; put it in quotes".to_owned(),
            _ => String::new(),
        };
        return problems.add(path, format!("must be text, not {}{hint}", found(node)));
    };
    if let Some(allowed) = allowed {
        if !allowed.contains(&text.as_str()) {
            problems.add(path, format!("`{text}` is not one of {}", listed(&allowed)));
        }
        return;
    }
    if let Some(pattern) = &schema.pattern
        && let Some(Err(reason)) = check::by_pattern(pattern, text)
    {
        return problems.add(path, reason);
    }
    let length = text.chars().count() as i64;
    if schema.min_length.is_some_and(|min| length < min) {
        problems.add(path, "must not be empty");
    }
    if let Some(max) = schema.max_length.filter(|max| length > *max) {
        problems.add(path, format!("has {length} characters; at most {max} are allowed"));
    }
}

fn numeric(schema: &JSONSchemaProps, node: &Node, path: &Path, problems: &mut Problems) {
    let whole = schema.type_.as_deref() == Some("integer");
    let what = if whole { "a whole number" } else { "a number" };
    let value = match &node.value {
        Value::Int(n) => *n as f64,
        Value::Float(x) if !whole => *x,
        Value::Text(text) if text.parse::<f64>().is_ok() => {
            let reason = format!("must be {what}, not text; write {text} without quotes");
            return problems.add(path, reason);
        }
        _ => return problems.add(path, format!("must be {what}, not {}", found(node))),
    };
    let (min, max) = (schema.minimum, schema.maximum);
    // Not `value < min`: it lets through what cannot be compared.
    let fits = min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max);
    if !fits {
        let range = match (min, max) {
            (Some(min), Some(max)) => format!("between {} and {}", number(min), number(max)),
            (Some(min), None) => format!("at least {}", number(min)),
            (None, Some(max)) => format!("at most {}", number(max)),
            (None, None) => "finite".to_owned(),
        };
        problems.add(path, format!("must be {range}, not {}", number(value)));
    }
}

fn amount(schema: &JSONSchemaProps, node: &Node, path: &Path, problems: &mut Problems) {
    let text = match &node.value {
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.clone(),
        _ => {
            let reason = format!("must be an amount such as `256Mi`, not {}", found(node));
            return problems.add(path, reason);
        }
    };
    let pattern = schema.pattern.as_deref().unwrap_or_default();
    if let Some(Err(reason)) = check::by_pattern(pattern, &text) {
        problems.add(path, reason);
    }
}

fn plural(n: i64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests;
