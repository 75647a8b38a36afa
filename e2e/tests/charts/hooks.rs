//! What is there only while the release is tested, what stays after it, and how nodes are emptied.

use clap::Parser;
use operator::errand::{Command, Errand};
use serde_json::{Value, json};

use super::{named, objects};

/// What the pod of an object does, by its arguments.
fn errand(pod: &Value) -> Errand {
    let container = &pod["containers"][0];
    assert_eq!(container["image"], "blue-origin/operator:0.1.0");
    let arguments: Vec<String> = serde_json::from_value(container["args"].clone()).unwrap();
    let arguments = std::iter::once("operator".to_owned()).chain(arguments);
    Command::try_parse_from(arguments).unwrap().errand.unwrap()
}

fn hook(object: &Value) -> &Value {
    &object["metadata"]["annotations"]["helm.sh/hook"]
}

#[test]
fn what_is_tested_is_there() {
    for settings in [&[][..], &[r#"geodns.enabled=false"#][..]] {
        let objects = objects(settings);
        let pod = named(&objects, "Pod", "cdn-test");
        assert_eq!(hook(pod), "test");
        let Errand::Check(asked) = errand(&pod["spec"]);
        assert_eq!(asked.pages.len(), 2 - settings.len());
        for page in &asked.pages {
            let service = page.strip_prefix("http://").unwrap().split('.').next().unwrap();
            let service = named(&objects, "Service", service);
            assert_eq!(service["spec"]["ports"][0]["port"], 9090, "{page}");
        }
        assert!(asked.log_file.is_some());
    }
}

/// Pods of pools cannot start without them.
#[test]
fn secrets_stay_as_long_as_pools_do() {
    for (settings, kept) in [(&[][..], json!("keep")), (&[r#"crds.keep=false"#], Value::Null)] {
        let objects = objects(settings);
        for secret in ["cdn-log", "cdn-admin"] {
            let annotations = &named(&objects, "Secret", secret)["metadata"]["annotations"];
            assert_eq!(annotations["helm.sh/resource-policy"], kept, "{secret}");
        }
    }
}

/// A budget of a single pod that is not to go would keep its node from ever being emptied.
#[test]
fn one_pod_alone_has_no_budget() {
    let budgets = |settings: &[&str]| -> Vec<String> {
        let objects = objects(settings);
        let budgets = objects.iter().filter(|object| object["kind"] == "PodDisruptionBudget");
        budgets.map(|budget| budget["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(budgets(&[]), ["cdn-geodns", "cdn-operator"]);
    assert_eq!(budgets(&["geodns.replicas=1"]), ["cdn-operator"]);
    assert!(budgets(&["geodns.replicas=1", "operator.replicas=1"]).is_empty());
}

/// What runs out of its namespace's hands goes with its account.
#[test]
fn the_lease_goes_with_an_account_that_may_be_read() {
    let objects = objects(&[]);
    let pod = &named(&objects, "Deployment", "cdn-operator")["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().unwrap();
    let owner = format!("--lease-owner={account}");
    assert!(pod["containers"][0]["args"].as_array().unwrap().contains(&owner.into()));
    let rules = named(&objects, "Role", "cdn-operator")["rules"].as_array().unwrap();
    let wanted = json!({
        "apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": [account], "verbs": ["get"],
    });
    assert!(rules.contains(&wanted), "{rules:?}");
}
