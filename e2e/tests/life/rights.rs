//! What pods may do, to the machine and in the API.

use std::collections::BTreeMap;

use e2e::kubectl::{audit_log, kubectl};
use serde_json::Value;

use crate::cluster::{Cluster, RELEASE, SPACE, json, pods};
use crate::steps::say;

/// The namespace enforces the standard, so what runs in it keeps to it; and nothing was refused.
pub(crate) fn no_pod_is_less_than_restricted(_: &mut Cluster) {
    let label = r"--output=jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}";
    assert_eq!(kubectl(&["get", "namespace", SPACE, label]), "restricted");
    for component in ["operator", "geodns", "redis", "edge", "shield"] {
        let there = pods(&format!("app.kubernetes.io/component={component}"));
        assert!(!there.is_empty(), "{component} runs");
    }
    let events = json(&["get", "events"]);
    let refused = |event: &&Value| event["message"].to_string().contains("PodSecurity");
    assert_eq!(events["items"].as_array().unwrap().iter().find(refused), None);
}

/// How much there is in the audit log.
pub(crate) fn audited() -> usize {
    let length = audit_log().and_then(|path| std::fs::metadata(path).ok()).map(|file| file.len());
    usize::try_from(length.unwrap_or_default()).unwrap()
}

/// Requests of each account of the namespace since the release came, and those of them that RBAC forbade. `None`: nobody
/// lets us see.
fn asked(cluster: &Cluster) -> Option<BTreeMap<String, (usize, Vec<String>)>> {
    let Some(path) = audit_log() else {
        say("  THE AUDIT LOG OF THIS CLUSTER CANNOT BE READ, SO NOTHING WAS SHOWN");
        return None;
    };
    let log = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let log = String::from_utf8_lossy(log.get(cluster.audited..).unwrap_or_default());
    let ours = format!("system:serviceaccount:{SPACE}:");
    let mut asked = BTreeMap::<String, (usize, Vec<String>)>::new();
    // The last line may be half written.
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines {
        let user = line["user"]["username"].as_str().unwrap_or_default();
        let Some(account) = user.strip_prefix(&ours) else { continue };
        let (count, forbidden) = asked.entry(account.to_owned()).or_default();
        *count += 1;
        if line["annotations"]["authorization.k8s.io/decision"] == "forbid" {
            forbidden.push(line.to_string());
        }
    }
    Some(asked)
}

/// That somebody who asks for more is found there is shown by `node::nobody_has_rights_that_were_not_given`.
pub(crate) fn nobody_was_forbidden_what_he_asked_for(cluster: &mut Cluster) {
    let Some(asked) = asked(cluster) else { return };
    let accounts: Vec<_> = asked.keys().map(String::as_str).collect();
    assert_eq!(accounts, [format!("{RELEASE}-operator")], "no other pod has business with the API");
    let (count, forbidden) = &asked[&format!("{RELEASE}-operator")];
    assert!(*count > 100, "it asked {count} times");
    assert_eq!(forbidden, &Vec::<String>::new());
    say(&format!(
        "  {count} requests of the operator, none forbidden, and none of edges, shields and GeoDNS"
    ));
}
