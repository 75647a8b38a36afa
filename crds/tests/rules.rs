//! The CEL rules compile, and refuse what they should with a message to act on.

use crds::{EdgePool, OriginShield};
use kube::CustomResourceExt;
use kube_cel::Validator;
use serde_json::{Value, json};

fn schema<T: CustomResourceExt>() -> Value {
    let crd = serde_json::to_value(T::crd()).expect("a definition has a JSON form");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// The messages of the rules that a spec breaks; rules that do not compile are messages too.
fn broken<T: CustomResourceExt>(spec: Value) -> Vec<String> {
    let schema = schema::<T>();
    let object = json!({"spec": spec});
    match Validator::new().validate(&schema, &object, None) {
        Ok(()) => vec![],
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

fn site(change: Value) -> Vec<String> {
    let mut site = json!({"hosts": ["a.example.com"], "origins": [{"url": "http://origin"}]});
    for (key, value) in change.as_object().expect("a mapping") {
        if value.is_null() {
            site.as_object_mut().expect("a mapping").remove(key);
        } else {
            site[key] = value.clone();
        }
    }
    broken::<EdgePool>(json!({"pops": [{"name": "one"}], "sites": [site]}))
}

#[test]
fn sound_resources_pass() {
    assert_eq!(site(json!({})), [""; 0]);
    assert_eq!(site(json!({"origins": null, "shield": {"name": "main"}})), [""; 0]);
    assert_eq!(
        site(json!({
            "timeouts": {"connect": "500ms", "firstByte": "1h30m", "betweenBytes": "1s"},
            "key": {"query": {"keep": ["a"], "ignore": false}},
            "freshness": {"negativeTTL": {"404": "1s", "599": "0s"}},
        })),
        [""; 0]
    );
}

#[test]
fn each_rule_tells_what_to_do() {
    for (errors, part) in [
        (site(json!({"origins": null})), "give exactly one of the two"),
        (site(json!({"shield": {"name": "main"}})), "give exactly one of the two"),
        (
            site(json!({"timeouts": {"connect": "31s", "firstByte": "30s"}})),
            "must not be longer than `firstByte`",
        ),
        (site(json!({"key": {"query": {"keep": ["a"], "ignore": true}}})), "give one of them"),
        (site(json!({"key": {"query": {"keep": ["a"], "drop": ["b"]}}})), "give one of them"),
        (site(json!({"freshness": {"negativeTTL": {"200": "1s"}}})), "\"400\" to \"599\""),
        (site(json!({"freshness": {"negativeTTL": {"4040": "1s"}}})), "\"400\" to \"599\""),
        (
            broken::<EdgePool>(json!({"pops": [{"name": "one", "latitude": 1.5}], "sites": []})),
            "give latitude and longitude together",
        ),
        (
            broken::<OriginShield>(
                json!({"origins": [], "timeouts": {"connect": "2m", "firstByte": "1m59s"}}),
            ),
            "must not be longer than `firstByte`",
        ),
    ] {
        assert!(errors.len() == 1 && errors[0].contains(part), "{part}: {errors:?}");
    }
}
