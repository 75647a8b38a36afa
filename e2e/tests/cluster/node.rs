//! The cluster itself.

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::ListParams;

use crate::support::{Test, kubectl, try_kubectl};

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
    let _test = Test::begin("nobody_has_rights_that_were_not_given").await;
    let nobody = "--as=system:serviceaccount:default:default";
    let asked = ["auth", "can-i", "list", "edgepools.cdn.blueorigin.dev"];
    assert_eq!(kubectl(&asked).trim(), "yes");
    let said = try_kubectl(&[&asked[..], &[nobody]].concat(), "").unwrap_err();
    assert!(said.starts_with("no"), "{said}");
}
