//! The cluster itself.

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::ListParams;

use serde_json::{Value, json};

use crate::support::{Test, audit_log, kubectl, try_kubectl};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_node_is_ready() {
    let test = Test::begin("a_node_is_ready").await;
    let nodes = Api::<Node>::all(test.client.clone()).list(&ListParams::default()).await.unwrap();
    let ready = nodes.iter().flat_map(|node| &node.status).flat_map(|status| &status.conditions);
    let ready = ready.flatten().filter(|c| c.type_ == "Ready" && c.status == "True").count();
    assert!(ready > 0, "{nodes:?}");
}

/// Else nothing that we test of rights means anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn nobody_has_rights_that_were_not_given() {
    let mut test = Test::begin("nobody_has_rights_that_were_not_given").await;
    let space = test.space().await;
    let token = kubectl(&["create", "token", "default", "--namespace", &space]);
    let asked = ["get", "edgepools", "--namespace", &space];
    assert!(kubectl(&asked).contains("No resources found"));
    let as_pods = [&asked[..], &["--token", token.trim()]].concat();
    // The administrator's own token must not stand beside it.
    let config = kubectl(&["config", "view", "--raw", "--minify", "--output=json"]);
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["users"][0]["user"] = json!({});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    let config = format!("--kubeconfig={}", path.display());
    let said = try_kubectl(&[&as_pods[..], &[&config]].concat(), "").unwrap_err();
    let account = format!("system:serviceaccount:{space}:default");
    assert!(said.contains("(Forbidden)") && said.contains(&account), "{said}");

    // Where its audit log can be read, the API server says so there, too.
    if let Some(path) = audit_log() {
        let log = std::fs::read_to_string(&path).unwrap();
        let refused = |line: &&str| line.contains(&account) && line.contains("\"forbid\"");
        assert_eq!(log.lines().filter(refused).count(), 1, "{}", path.display());
    }
}
