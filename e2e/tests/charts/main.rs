//! The chart, rendered by the real helm: what it makes, what it refuses, and its page.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;

mod hooks;
mod page;
mod refusals;
mod rights;
mod security;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn chart() -> PathBuf {
    root().join("charts/blue-origin")
}

/// Where helm is; fetched once.
static HELM: LazyLock<PathBuf> = LazyLock::new(|| {
    let found = Command::new("bash").arg(root().join("e2e/cluster/tools.sh")).output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim()).join("helm")
});

fn helm(arguments: &[&str]) -> Output {
    Command::new(&*HELM).args(arguments).output().unwrap()
}

fn template(settings: &[&str]) -> Output {
    let chart = chart();
    let mut arguments = vec!["template", "cdn", chart.to_str().unwrap(), "--namespace=blue"];
    for setting in settings {
        arguments.extend(["--set-json", setting]);
    }
    helm(&arguments)
}

/// The objects that are made with some values, by kind and name.
fn objects(settings: &[&str]) -> Vec<Value> {
    let made = template(settings);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8(made.stdout).unwrap();
    let documents = text.split("\n---\n").map(|text| text.trim_start_matches("---\n"));
    let objects = documents.map(|text| serde_saphyr::from_str::<Value>(text).unwrap());
    objects.filter(|object| !object.is_null()).collect()
}

fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(is).unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The values of a user who turns everything on.
const EVERYTHING: [&str; 5] = [
    r#"operator.namespaces=["shop","blog"]"#,
    r#"geodns.router={"enabled":true,"edgePort":80,"trustedProxies":["10.0.0.0/8"],"allowOverride":true}"#,
    r#"geodns.places={"updater":{"image":"updater:1","envFromSecret":"licence"},"files":["city.mmdb"]}"#,
    r#"image.pullSecrets=["registry"]"#,
    r#"redis.persistence={"enabled":false}"#,
];

#[test]
fn helm_finds_no_fault() {
    let linted = helm(&["lint", "--strict", chart().to_str().unwrap()]);
    assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
}

#[test]
fn definitions_are_those_of_the_types() {
    let objects = objects(&[]);
    for path in std::fs::read_dir(root().join("crds/crd")).unwrap() {
        let path = path.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let generated: Value = serde_saphyr::from_str(&text).unwrap();
        let name = generated["metadata"]["name"].as_str().unwrap();
        let made = named(&objects, "CustomResourceDefinition", name);
        assert!(same(&made["spec"], &generated["spec"]), "{name}");
        assert_eq!(made["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    }
    let none = self::objects(&["crds.install=false"]);
    assert!(none.iter().all(|object| object["kind"] != "CustomResourceDefinition"));
}

/// Helm writes `1.0` as `1`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => {
            one == other
                || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one == other)
        }
    }
}

/// What the programs are told must be what they understand.
#[test]
fn arguments_are_those_of_the_programs() {
    for settings in [&[][..], &EVERYTHING] {
        let objects = objects(settings);
        let arguments = |name: &str| -> Vec<String> {
            let pod = &named(&objects, "Deployment", name)["spec"]["template"]["spec"];
            serde_json::from_value(pod["containers"][0]["args"].clone()).unwrap()
        };
        let with_program = |program: &str, arguments: Vec<String>| {
            std::iter::once(program.to_owned()).chain(arguments).collect::<Vec<_>>()
        };
        use clap::Parser;
        let operator = with_program("operator", arguments("cdn-operator"));
        let operator = operator::Options::try_parse_from(operator).unwrap();
        assert_eq!(operator.edge_image, "blue-origin/edge:0.1.0");
        let geodns = with_program("geodns", arguments("cdn-geodns"));
        geodns::Options::try_parse_from(geodns).unwrap();
        let map = named(&objects, "ConfigMap", "cdn-operator");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authority.yaml");
        std::fs::write(&path, map["data"]["authority.yaml"].as_str().unwrap()).unwrap();
        let authority =
            operator::Options { authority: Some(path), ..operator }.read_authority().unwrap();
        assert!(authority.probe.is_some(), "or nobody knows who is dead");
        assert_eq!(authority.router.is_some(), !settings.is_empty());
    }
}
