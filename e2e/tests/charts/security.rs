//! Pod Security at the level `restricted`, and more.

use serde_json::{Value, json};

use super::{EVERYTHING, objects};

fn pods(objects: &[Value]) -> Vec<(String, &Value)> {
    let has_pod = |object: &&Value| {
        ["Deployment", "StatefulSet", "Job", "DaemonSet"]
            .iter()
            .any(|kind| object["kind"] == **kind)
    };
    let mut pods: Vec<_> = objects
        .iter()
        .filter(has_pod)
        .map(|object| (object["metadata"]["name"].to_string(), &object["spec"]["template"]["spec"]))
        .collect();
    let alone = objects.iter().filter(|object| object["kind"] == "Pod");
    pods.extend(alone.map(|object| (object["metadata"]["name"].to_string(), &object["spec"])));
    pods
}

#[test]
fn all_pods_are_restricted_and_cannot_write_to_their_root() {
    for settings in [&[][..], &EVERYTHING] {
        let objects = objects(settings);
        let pods = pods(&objects);
        assert!(pods.len() >= 3, "{pods:?}");
        for (name, pod) in pods {
            let security = &pod["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{name}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            assert!(pod["hostNetwork"].is_null() && pod["hostPID"].is_null(), "{name}");
            for container in pod["containers"].as_array().unwrap() {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
                assert_eq!(security["capabilities"]["drop"], json!(["ALL"]), "{name}");
            }
            let volumes = pod["volumes"].as_array().cloned().unwrap_or_default();
            assert!(volumes.iter().all(|volume| volume["hostPath"].is_null()), "{name}");
        }
    }
}

#[test]
fn only_the_operator_has_a_token_of_the_api() {
    let objects = objects(&[]);
    for (name, pod) in pods(&objects) {
        let expected = name != "\"cdn-operator\"";
        assert_eq!(pod["automountServiceAccountToken"] == false, expected, "{name}");
    }
}

#[test]
fn secrets_are_in_secrets_alone() {
    let objects = objects(&[]);
    let secret = super::named(&objects, "Secret", "cdn-log");
    let url = secret["stringData"]["url"].as_str().unwrap();
    let password = url.strip_prefix("redis://:").and_then(|rest| rest.split('@').next()).unwrap();
    assert!(password.len() >= 32);
    let conf = secret["stringData"]["password.conf"].as_str().unwrap();
    assert_eq!(conf.trim(), format!("requirepass {password}"));
    for object in objects.iter().filter(|object| object["kind"] != "Secret") {
        assert!(!object.to_string().contains(password), "{}", object["metadata"]["name"]);
    }
}
