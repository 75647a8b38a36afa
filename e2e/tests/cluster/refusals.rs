//! What the API server refuses, and how it says so: with the field and what to do.

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use serde_json::{Value, json};

use crate::support::{Test, kubectl_with, root, try_kubectl};

/// A pool with one site, with `change` laid over the site.
fn pool(change: Value) -> Value {
    let mut site = json!({"hosts": ["a.example.com"], "origins": [{"url": "http://origin"}]});
    site.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({"pops": [{"name": "one"}], "sites": [site]})
}

fn shield(change: Value) -> Value {
    let mut spec = json!({"origins": [{"url": "http://origin"}]});
    spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    spec
}

/// `said` must be a refusal that names `field` and says `reason`.
fn refused<T>(said: Result<T, String>, field: &str, reason: &str) {
    let Err(said) = said else { panic!("accepted, in spite of: {field} {reason}") };
    assert!(said.contains(field), "{field} is not in: {said}");
    assert!(said.contains(reason), "{reason} is not in: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn pools_are_refused_with_field_and_reason() {
    let test = Test::begin("pools_are_refused_with_field_and_reason").await;
    let of_pool = |change: Value| {
        let mut spec = pool(json!({}));
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        spec
    };
    let hour = "`lease` must be from 1s to 1h";
    for (spec, field, reason) in [
        (pool(json!({"shield": {"name": "a"}})), "spec.sites[0]", "give exactly one of the two"),
        (pool(json!({"origins": []})), "spec.sites[0].origins", "at least 1 item"),
        (pool(json!({"hosts": ["not a host"]})), "spec.sites[0].hosts[0]", "should match"),
        (
            pool(json!({"timeouts": {"connect": "31s"}})),
            "spec.sites[0].timeouts",
            "`connect` must not be longer than `firstByte`",
        ),
        (
            pool(json!({"freshness": {"negativeTTL": {"200": "1s"}}})),
            "spec.sites[0].freshness.negativeTTL",
            "the keys are error statuses, from \"400\" to \"599\"",
        ),
        (
            pool(json!({"key": {"query": {"keep": ["a"], "drop": ["b"]}}})),
            "spec.sites[0].key.query",
            "exclude each other: give one of them",
        ),
        (
            pool(json!({"limits": {"adaptive": true, "maxConcurrency": 2}})),
            "spec.sites[0].limits",
            "`minConcurrency` of an adaptive limit must not be more than `maxConcurrency`",
        ),
        (
            pool(json!({"shield": {"name": "a"}, "origins": null, "breaker": {}})),
            "spec.sites[0]",
            "`limits`, `breaker` and `retries` are those of the shield",
        ),
        (
            of_pool(json!({"pops": [{"name": "a", "latitude": 1.5}]})),
            "spec.pops[0]",
            "give latitude and longitude together, or neither",
        ),
        (of_pool(json!({"invalidation": {"lease": "2h"}})), "spec.invalidation", hour),
        (
            of_pool(json!({"peering": {"ramp": "61m"}})),
            "spec.peering",
            "`ramp` must not be longer than 1h",
        ),
        (of_pool(json!({"cache": {"eviction": "mru"}})), "spec.cache.eviction", "\"s3fifo\""),
        (of_pool(json!({"cache": {"memory": "1 GB"}})), "spec.cache.memory", "should match"),
    ] {
        refused(test.offered::<EdgePool>(spec).await, field, reason);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn shields_are_refused_with_field_and_reason() {
    let test = Test::begin("shields_are_refused_with_field_and_reason").await;
    let probed =
        |health: Value| shield(json!({"origins": [{"url": "http://o", "health": health}]}));
    for (spec, field, reason) in [
        (
            shield(json!({"limits": {"queueTimeout": "1h"}})),
            "spec",
            "`limits.queueTimeout` and `timeouts.firstByte` must fit into `timeouts.total`",
        ),
        (
            shield(json!({"breaker": {"openFor": "1m", "maxOpenFor": "5s"}})),
            "spec.breaker",
            "`openFor` must not be longer than `maxOpenFor`",
        ),
        (
            shield(json!({"retries": {"backoff": "2s"}})),
            "spec.retries",
            "`backoff` must not be longer than `maxBackoff`",
        ),
        (
            probed(json!({"timeout": "6s"})),
            "spec.origins[0].health",
            "`timeout` must not be longer than `interval`",
        ),
        (
            probed(json!({"expectStatus": "300-200"})),
            "spec.origins[0].health",
            "`expectStatus` must begin with the lower status",
        ),
        (shield(json!({"origins": [{"url": "ftp://o"}]})), "spec.origins[0].url", "should match"),
        (shield(json!({"replicas": -1})), "spec.replicas", "greater than or equal to 0"),
    ] {
        refused(test.offered::<OriginShield>(spec).await, field, reason);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn orders_are_refused_with_field_and_reason() {
    let test = Test::begin("orders_are_refused_with_field_and_reason").await;
    let one_of = "give exactly one of `urls`, `tags`, `prefix` and `all: true`";
    for (spec, field, reason) in [
        (json!({}), "spec", one_of),
        (json!({"all": true, "tags": ["a"]}), "spec", one_of),
        (json!({"all": true, "deadline": "61m"}), "spec", "`deadline` must be from 1s to 1h"),
        (
            json!({"all": true, "ttlAfterFinished": "721h"}),
            "spec",
            "`ttlAfterFinished` must not be longer than 720h",
        ),
        (json!({"tags": vec!["a"; 5_000]}), "spec.tags", "must have at most"),
    ] {
        refused(test.offered::<PurgeRequest>(spec).await, field, reason);
    }
    for (spec, field, reason) in [
        (json!({"host": "a"}), "spec", "give `path`, `headers` or both"),
        (json!({"path": {"glob": "/"}, "ttl": "0s"}), "spec", "`ttl` must be from 1s to 720h"),
        (json!({"path": {}}), "spec.path", "give exactly one of `glob`"),
        (json!({"headers": [{"name": "a b"}]}), "spec.headers[0].name", "should match"),
    ] {
        refused(test.offered::<BanRule>(spec).await, field, reason);
    }
}

/// An order that was given cannot be taken for another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_purge_cannot_be_changed() {
    let mut test = Test::begin("a_purge_cannot_be_changed").await;
    let space = test.space().await;
    let text = std::fs::read_to_string(root().join("examples/purge/tag.yaml")).unwrap();
    let apply = ["apply", "--namespace", &space, "-f", "-"];
    kubectl_with(&apply, &text);
    assert!(kubectl_with(&apply, &text).contains("unchanged"), "the same again is no change");
    let changed = text.replace("[shoes]", "[shirts]");
    assert_ne!(changed, text);
    refused(try_kubectl(&apply, &changed), "spec", "make another PurgeRequest");
}

/// kubectl asks the API server to be strict about names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_misspelt_field_is_named() {
    let _test = Test::begin("a_misspelt_field_is_named").await;
    let text = std::fs::read_to_string(root().join("examples/quickstart/pool.yaml")).unwrap();
    let wrong = text.replacen("origins:", "orgins:", 1).replacen("hosts:", "hots:", 1);
    let said = try_kubectl(&["create", "--dry-run=server", "-f", "-"], &wrong).unwrap_err();
    for part in ["unknown field \"spec.orgins\"", "unknown field \"spec.sites[0].hots\""] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
