//! The examples are what the API server takes: of known kinds, read by the types without a rest, and within the rules.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use std::path::{Path, PathBuf};

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use kube::CustomResourceExt;
use kube_cel::Validator;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn manifests() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"));
    let mut found: Vec<_> = folders
        .unwrap()
        .map(|folder| folder.unwrap().path())
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    found.sort();
    found
}

/// What is wrong with a manifest of this kind.
fn wrong<T>(manifest: &Value) -> Vec<String>
where
    T: CustomResourceExt + DeserializeOwned + Serialize,
{
    let crd = serde_json::to_value(T::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut wrong = Vec::new();
    match serde_json::from_value::<T>(manifest.clone()) {
        Ok(read) => {
            let read = serde_json::to_value(read).unwrap();
            lost("spec", &manifest["spec"], &read["spec"], &mut wrong);
        }
        Err(error) => wrong.push(error.to_string()),
    }
    if let Err(errors) = Validator::new().validate_with_defaults(schema, manifest, None) {
        wrong.extend(errors.into_iter().map(|error| error.to_string()));
    }
    wrong
}

/// Fields that the types do not know are no more there once they were read.
fn lost(path: &str, written: &Value, read: &Value, wrong: &mut Vec<String>) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (key, value) in written {
                let path = format!("{path}.{key}");
                match read.get(key) {
                    Some(read) => lost(&path, value, read, wrong),
                    // What is as it is by itself need not be written again.
                    None if *value == Value::Bool(false) => {}
                    None => wrong.push(format!("{path} is unknown")),
                }
            }
        }
        (Value::Array(written), Value::Array(read)) => {
            for (n, (written, read)) in written.iter().zip(read).enumerate() {
                lost(&format!("{path}[{n}]"), written, read, wrong);
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_is_within_the_definitions() {
    let mut seen = 0;
    for path in manifests() {
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("\n---\n") {
            let manifest: Value = serde_saphyr::from_str(part).unwrap();
            assert_eq!(manifest["apiVersion"], crds::API_VERSION, "{}", path.display());
            let wrong = match manifest["kind"].as_str().unwrap_or_default() {
                "EdgePool" => wrong::<EdgePool>(&manifest),
                "OriginShield" => wrong::<OriginShield>(&manifest),
                "PurgeRequest" => wrong::<PurgeRequest>(&manifest),
                "BanRule" => wrong::<BanRule>(&manifest),
                other => panic!("{}: what is a {other}?", path.display()),
            };
            assert_eq!(wrong, [""; 0], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 17, "{seen} resources");
}

#[test]
fn a_field_that_is_unknown_and_a_rule_that_is_broken_are_found() {
    let manifest = serde_json::json!({
        "apiVersion": crds::API_VERSION,
        "kind": "PurgeRequest",
        "metadata": {"name": "a"},
        "spec": {"tags": ["a"], "all": true, "sofd": true},
    });
    let wrong = wrong::<PurgeRequest>(&manifest);
    assert!(wrong.iter().any(|one| one.contains("spec.sofd is unknown")), "{wrong:?}");
    assert!(wrong.iter().any(|one| one.contains("give exactly one of")), "{wrong:?}");
}
