//! What the operator may do.

use serde_json::Value;

use super::{EVERYTHING, named, objects};

fn rules(objects: &[Value]) -> impl Iterator<Item = &Value> {
    let is_role = |object: &&Value| object["kind"] == "Role" || object["kind"] == "ClusterRole";
    objects.iter().filter(is_role).flat_map(|role| role["rules"].as_array().unwrap())
}

#[test]
fn there_is_no_wildcard_and_secrets_are_read_by_name() {
    for settings in [&[][..], &EVERYTHING] {
        let objects = objects(settings);
        assert!(rules(&objects).count() > 10);
        for rule in rules(&objects) {
            assert!(!rule.to_string().contains('*'), "{rule}");
            let has =
                |resource: &str| rule["resources"].as_array().unwrap().contains(&resource.into());
            if has("secrets") {
                assert_eq!(rule["verbs"], serde_json::json!(["get"]));
                assert!(!rule["resourceNames"].as_array().unwrap().is_empty());
            }
            assert!(!has("roles") && !has("clusterroles") && !has("pods/exec"), "{rule}");
        }
    }
}

#[test]
fn with_namespaces_nothing_reaches_beyond_them() {
    let objects = objects(&EVERYTHING);
    assert!(objects.iter().all(|object| object["kind"] != "ClusterRole"));
    for namespace in ["shop", "blog"] {
        let of = |object: &&Value| object["metadata"]["namespace"] == namespace;
        let kinds: Vec<_> = objects.iter().filter(of).map(|object| &object["kind"]).collect();
        assert_eq!(kinds, ["Role", "RoleBinding"]);
    }
    named(&objects, "Role", "cdn-operator");
}
