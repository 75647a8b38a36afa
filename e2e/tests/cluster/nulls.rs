//! What is written as `null`, as programs write it that leave nothing out.

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use serde_json::{Value, json};

use crate::support::Test;

/// A pool with one site, with `change` laid over the site.
fn pool(change: Value) -> Value {
    let mut site = json!({"hosts": ["a.example.com"], "origins": [{"url": "http://origin"}]});
    site.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({"pops": [{"name": "one"}], "sites": [site]})
}

/// The API server keeps the nulls of nullable fields, and its rules must not take them for values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn null_is_absent_to_the_rules() {
    let test = Test::begin("null_is_absent_to_the_rules").await;
    let shield = json!({"name": "main"});
    let site = pool(json!({
        "name": null, "shield": shield, "origins": null, "limits": null, "breaker": null,
        "retries": null, "timeouts": null,
    }));
    test.offered::<EdgePool>(site).await.unwrap();
    let query = json!({"keep": ["a"], "drop": null});
    test.offered::<EdgePool>(pool(json!({"key": {"query": query}}))).await.unwrap();
    let origin = json!([{"url": "http://origin", "health": null, "host": null, "caBundle": null}]);
    test.offered::<EdgePool>(pool(json!({"origins": origin, "shield": null}))).await.unwrap();
    test.offered::<OriginShield>(json!({"origins": origin})).await.unwrap();

    let ban =
        json!({"host": null, "path": {"glob": "/a", "regex": null, "exact": null, "prefix": null}});
    test.offered::<BanRule>(ban).await.unwrap();
    let ban = json!({"path": null, "headers": [{"name": "a", "value": null}]});
    test.offered::<BanRule>(ban).await.unwrap();
    let purge = json!({"tags": ["a"], "urls": null, "prefix": null});
    test.offered::<PurgeRequest>(purge).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn null_does_not_fulfil_a_rule() {
    let test = Test::begin("null_does_not_fulfil_a_rule").await;
    for (said, part) in [
        (
            test.offered::<EdgePool>(pool(json!({"origins": null, "shield": null}))).await,
            "spec.sites[0]: Invalid value",
        ),
        (test.offered::<BanRule>(json!({"path": null})).await, "give `path`, `headers` or both"),
        (
            test.offered::<BanRule>(json!({"path": {"glob": null, "exact": null}})).await,
            "spec.path: Invalid value",
        ),
        (
            test.offered::<PurgeRequest>(json!({"tags": null, "urls": null})).await,
            "give exactly one of `urls`",
        ),
    ] {
        let said = said.expect_err(part);
        assert!(said.contains(part), "{part}: {said}");
    }
}
