//! An edge in a pod: our image, a snapshot in a ConfigMap, under the strictest of Kubernetes' standards.

use std::time::Duration;

use serde_json::json;
use translate::Source;

use crate::support::{Test, image, kubectl, kubectl_with, try_kubectl};

const POOL: &str = "apiVersion: cdn.blueorigin.dev/v1alpha1
kind: EdgePool
metadata: {name: serving}
spec:
  pops: [{name: one}]
  sites:
    - hosts: [cdn.example.com]
      origins: [{url: 'http://origin.SPACE.svc.cluster.local'}]
      debugHeaders: DEBUG
";

/// The ConfigMap that the edge runs on.
fn config(space: &str, debug: &str) -> String {
    let pool = POOL.replace("SPACE", space).replace("DEBUG", debug);
    let made = translate::translate_all(&[Source { name: "pool.yaml", text: &pool }]);
    let snapshot = serde_json::to_string_pretty(&made.pools[0].snapshot).unwrap();
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "edge"},
        "data": {"snapshot.json": snapshot},
    })
    .to_string()
}

/// What a client in the cluster gets from a service, as `stage ask` prints it; an error if it gets no answer.
fn try_ask(service: &str, space: &str, path: &str) -> Result<String, String> {
    let url = format!("http://{service}.{space}.svc.cluster.local{path}");
    let stage = ["exec", "--namespace", space, "deploy/client", "--", "/usr/bin/stage"];
    try_kubectl(&[&stage[..], &["ask", &url, "cdn.example.com"]].concat(), "")
}

fn ask(space: &str, path: &str) -> String {
    try_ask("edge", space, path).unwrap()
}

/// The first answer. A pod is available some moments before the nodes send a service's requests to it.
async fn first_answer(service: &str, space: &str, path: &str) -> String {
    let mut said = String::new();
    for _ in 0..50 {
        match try_ask(service, space, path) {
            Ok(answer) => return answer,
            Err(error) => said = error,
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("no answer of {service}: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_restricted_edge_serves_through_its_service() {
    let mut test = Test::begin("a_restricted_edge_serves_through_its_service").await;
    let space = test.space().await;
    let here = ["--namespace", &space];
    let apply = [&["apply", "-f", "-"], &here[..]].concat();
    kubectl_with(&apply, &config(&space, "Always"));
    let said = kubectl_with(&apply, &deployments());
    assert!(!said.contains("Warning"), "{said}");
    let wait = ["wait", "--for=condition=Available", "--timeout=60s"];
    let what = ["deploy/edge", "deploy/origin", "deploy/client"];
    kubectl(&[&wait[..], &what, &here].concat());

    // Once the cluster sends requests to the origin, the edge has no excuse.
    let direct = first_answer("origin", &space, "/hello").await;
    assert!(direct.starts_with("200\n"), "{direct}");
    // The first proves that names of services work, too: the origin is known by its own.
    let first = first_answer("edge", &space, "/hello").await;
    assert!(first.starts_with("200\n") && first.contains("\nx-cache: MISS\n"), "{first}");
    let second = ask(&space, "/hello");
    assert!(second.starts_with("200\n") && second.contains("\nx-cache: HIT\n"), "{second}");
    assert!(second.contains("\ncache-status: "), "{second}");
    assert_eq!(first.split("\n\n").nth(1), second.split("\n\n").nth(1), "the bodies");

    // Whoever breaks into it finds nothing to go on with.
    let shell = ["exec", "--namespace", &space, "deploy/edge", "--", "/bin/sh", "-c", "true"];
    let said = try_kubectl(&shell, "").unwrap_err();
    assert!(said.contains("no such file or directory"), "{said}");

    // A change reaches it while it runs: the kubelet looks at a pod whose annotations change.
    kubectl_with(&apply, &config(&space, "Never"));
    let pods = ["annotate", "pods", "--selector=app=edge", "cdn.blueorigin.dev/config=2"];
    kubectl(&[&pods[..], &here].concat());
    let mut told = String::new();
    for _ in 0..50 {
        told = ask(&space, "/hello");
        if !told.contains("\nx-cache: ") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!told.contains("\nx-cache: "), "after 10 s: {told}");
    assert!(told.contains("; hit"), "what it stored stays: {told}");
    let restarts = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    assert_eq!(kubectl(&[&["get", "pods", restarts], &here[..]].concat()), "0 0 0");
}

/// The counterpart: that the standard is enforced is what makes the test above one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn an_unrestricted_pod_is_refused() {
    let mut test = Test::begin("an_unrestricted_pod_is_refused").await;
    let space = test.space().await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loose"},
        "spec": {"containers": [{"name": "edge", "image": image("edge")}]},
    });
    let apply = ["create", "--namespace", &space, "-f", "-"];
    let said = try_kubectl(&apply, &pod.to_string()).unwrap_err();
    assert!(said.contains("violates PodSecurity \"restricted"), "{said}");
}

fn deployments() -> String {
    let yaml = include_str!("serving.yaml");
    ["edge", "stage"].iter().fold(yaml.to_owned(), |text, program| {
        text.replace(&format!("IMAGE/{program}"), &image(program))
    })
}
