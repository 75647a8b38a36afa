//! The committed manifests are what the types generate. `UPDATE=1 cargo test -p crds` rewrites them.

use std::path::Path;

use serde_json::Value;

#[test]
fn committed_definitions_are_the_generated_ones() {
    for definition in crds::definitions() {
        let name = definition.spec.names.plural.clone();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("crd/{name}.yaml"));
        let generated = serde_saphyr::to_string(&definition).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "{} is not what the types say; rewrite it with UPDATE=1 cargo test -p crds",
            path.display()
        );
    }
}

/// Checks a schema and those below it.
fn bounded_and_described(path: &str, schema: &Value) {
    let has = |key: &str| !schema[key].is_null();
    let is = |kind: &str| schema["type"] == kind;
    let is_amount = has("x-kubernetes-int-or-string");
    assert!(!is("array") || has("maxItems"), "{path} has no maxItems");
    assert!(!is("string") || has("maxLength") || has("enum"), "{path} has no maxLength");
    assert!(!is_amount || has("maxLength"), "{path} has no maxLength");
    assert!(!has("additionalProperties") || has("maxProperties"), "{path} has no maxProperties");
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        assert!(!property["description"].is_null(), "{path} has no description");
        bounded_and_described(&path, property);
    }
    for below in ["items", "additionalProperties"] {
        if has(below) {
            bounded_and_described(&format!("{path}.{below}"), &schema[below]);
        }
    }
}

/// Without bounds, the API server reckons with the largest request for each, and refuses the rules as
/// too costly. Without descriptions, `kubectl explain` is mute.
#[test]
fn all_that_users_write_is_bounded_and_described() {
    for definition in crds::definitions() {
        let json = serde_json::to_value(&definition).unwrap();
        let schema = &json["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        bounded_and_described("spec", &schema["properties"]["spec"]);
    }
}
