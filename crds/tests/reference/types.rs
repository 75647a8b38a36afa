//! What a field takes, in words.

use crds::{Amount, ByteQuantity, Duration, pattern};
use serde_json::Value;

/// What texts of these patterns are. A pattern on the page would tell nobody what to write.
const TEXTS: [(&str, &str); 18] = [
    (Duration::PATTERN, "[duration](#notation)"),
    (ByteQuantity::PATTERN, "[bytes](#notation)"),
    (Amount::PATTERN, "[amount](#notation)"),
    (pattern::HOST, "host, or `*.` and a host"),
    (pattern::EXACT_HOST, "host"),
    (pattern::ORIGIN, "`http` or `https` URL without a path"),
    (pattern::PLACE_URL, "`http` or `https` URL without a path"),
    (pattern::PATH, "path"),
    (pattern::STATUSES, "status, or `from-to`"),
    (pattern::LABEL, "name of lower-case letters, digits and `-`"),
    (pattern::NETWORK, "network"),
    (pattern::CODE, "two capital letters"),
    (pattern::ADDRESS, "IP address"),
    (pattern::HEADER, "name of a header"),
    (pattern::COOKIE, "name of a cookie"),
    (pattern::MEDIA_TYPE, "media type, or `type/*`"),
    (pattern::URL, "`http` or `https` URL"),
    (pattern::TAG, "tag"),
];

/// The type of a field, with its bounds. `link` leads to the table of an object.
pub(crate) fn of(schema: &Value, link: Option<&str>) -> String {
    let items = &schema["items"];
    match schema["type"].as_str() {
        Some("array") => {
            let unique = schema["x-kubernetes-list-type"] == "set";
            let each = if unique { ", each once" } else { "" };
            let number = number(bounds(schema, "minItems", "maxItems") + each);
            format!("list{number} of {}", of(items, link))
        }
        Some("object") if !schema["additionalProperties"].is_null() => {
            let values = of(&schema["additionalProperties"], link);
            let number = number(bounds(schema, "minProperties", "maxProperties"));
            format!("map{number} of text to {values}")
        }
        Some("object") => match link {
            Some(link) => format!("[object](#{link})"),
            None => "object, as Kubernetes has it".to_owned(),
        },
        Some(kind @ ("integer" | "number")) => {
            format!("{kind}{}", bounds(schema, "minimum", "maximum"))
        }
        Some("boolean") => "boolean".to_owned(),
        _ => text(schema),
    }
}

fn text(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`"));
        return words.collect::<Vec<_>>().join(", ");
    }
    if schema["format"] == "date-time" {
        return "time".to_owned();
    }
    let most = schema["maxLength"].as_u64();
    let Some(wanted) = schema["pattern"].as_str() else {
        let least = schema["minLength"].as_u64().filter(|least| *least > 0);
        return match (least, most) {
            (Some(least), Some(most)) => format!("text, {least} to {most} characters"),
            (_, Some(most)) => format!("text, at most {most} characters"),
            _ => "text".to_owned(),
        };
    };
    if wanted == pattern::URL_PREFIX {
        return "path, or `http` or `https` URL".to_owned();
    }
    let found = TEXTS.iter().find(|(pattern, _)| *pattern == wanted);
    found.unwrap_or_else(|| panic!("say in words what `{wanted}` requires")).1.to_owned()
}

fn number(bounds: String) -> String {
    bounds.strip_prefix(", ").map_or_else(String::new, |bounds| format!(" ({bounds})"))
}

fn bounds(schema: &Value, least: &str, most: &str) -> String {
    let number = |key: &str| schema[key].as_f64().map(|number| number.to_string());
    match (number(least).filter(|n| n != "0" || least == "minimum"), number(most)) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", {least} or more"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}

/// What a field is if it is not given.
pub(crate) fn default(schema: &Value, required: bool) -> String {
    match &schema["default"] {
        _ if required => "**required**".to_owned(),
        Value::Null => "–".to_owned(),
        Value::String(text) if text.is_empty() => "`\"\"`".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(all) if all.iter().all(Value::is_string) => {
            let words = all.iter().filter_map(Value::as_str).map(|word| format!("`{word}`"));
            words.collect::<Vec<_>>().join(", ")
        }
        // Each of its fields says its own.
        Value::Object(_) if !schema["properties"].is_null() => "–".to_owned(),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| {
                format!(
                    "`{key}: {}`",
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                )
            });
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => format!("`{other}`"),
    }
}
