//! The CEL rules compile, and refuse what they should with a message to act on.

use crds::{BanRule, EdgePool, OriginShield, PurgeRequest};
use kube::CustomResourceExt;
use kube_cel::Validator;
use serde_json::{Value, json};

fn schema<T: CustomResourceExt>() -> Value {
    let crd = serde_json::to_value(T::crd()).expect("a definition has a JSON form");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// The messages of the rules that a spec breaks; rules that do not compile are messages too.
fn broken<T: CustomResourceExt>(spec: Value) -> Vec<String> {
    changed::<T>(spec, None)
}

/// The same when the spec comes in place of an old one.
fn changed<T: CustomResourceExt>(spec: Value, old: Option<Value>) -> Vec<String> {
    let schema = schema::<T>();
    let object = json!({"spec": spec});
    let old = old.map(|spec| json!({"spec": spec}));
    match Validator::new().validate(&schema, &object, old.as_ref()) {
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

/// With the defaults, as the API server sets them before it looks at the rules.
fn purge(change: Value) -> Value {
    let mut spec = json!({"all": false, "deadline": "30s", "ttlAfterFinished": "1h"});
    spec.as_object_mut().expect("a mapping").extend(change.as_object().expect("a mapping").clone());
    spec
}

fn ban(change: Value) -> Vec<String> {
    let mut spec = json!({"ttl": "1h"});
    spec.as_object_mut().expect("a mapping").extend(change.as_object().expect("a mapping").clone());
    broken::<BanRule>(spec)
}

fn pool_with_lease(lease: &str) -> Vec<String> {
    pool(json!({"invalidation": {"lease": lease}}))
}

fn pool(change: Value) -> Vec<String> {
    let mut spec = json!({"pops": [], "sites": []});
    spec.as_object_mut().expect("a mapping").extend(change.as_object().expect("a mapping").clone());
    broken::<EdgePool>(spec)
}

fn network(change: Value) -> Vec<String> {
    let mut network = json!({"cidr": "192.0.2.0/24"});
    network
        .as_object_mut()
        .expect("a mapping")
        .extend(change.as_object().expect("a mapping").clone());
    pool(json!({"routing": {"networks": [network]}}))
}

fn shield(change: Value) -> Vec<String> {
    let mut spec = json!({"origins": [{"url": "http://origin"}]});
    spec.as_object_mut().expect("a mapping").extend(change.as_object().expect("a mapping").clone());
    broken::<OriginShield>(spec)
}

fn origin_with_health(health: Value) -> Vec<String> {
    shield(json!({"origins": [{"url": "http://origin", "health": health}]}))
}

#[test]
fn sound_orders_pass() {
    for spec in [
        json!({"urls": ["https://a/"]}),
        json!({"tags": ["a"], "deadline": "1s"}),
        json!({"prefix": "/a", "deadline": "1h", "ttlAfterFinished": "720h"}),
        json!({"all": true}),
    ] {
        let spec = purge(spec);
        assert_eq!(broken::<PurgeRequest>(spec.clone()), [""; 0]);
        assert_eq!(changed::<PurgeRequest>(spec.clone(), Some(spec)), [""; 0]);
    }
    assert_eq!(ban(json!({"path": {"glob": "/a/*"}, "ttl": "720h"})), [""; 0]);
    assert_eq!(
        ban(json!({"headers": [{"name": "a"}, {"name": "b", "value": {"exact": "c"}}]})),
        [""; 0]
    );
    assert_eq!(pool_with_lease("1h"), [""; 0]);
}

#[test]
fn the_rules_of_orders_tell_what_to_do() {
    let one_of = "give exactly one of `urls`, `tags`, `prefix` and `all: true`";
    let all = purge(json!({"all": true}));
    for (errors, part) in [
        (broken::<PurgeRequest>(purge(json!({}))), one_of),
        (broken::<PurgeRequest>(purge(json!({"all": true, "tags": ["a"]}))), one_of),
        (broken::<PurgeRequest>(purge(json!({"prefix": "/", "urls": ["http://a"]}))), one_of),
        (broken::<PurgeRequest>(purge(json!({"all": true, "deadline": "999ms"}))), "from 1s to 1h"),
        (broken::<PurgeRequest>(purge(json!({"all": true, "deadline": "61m"}))), "from 1s to 1h"),
        (
            broken::<PurgeRequest>(purge(json!({"all": true, "ttlAfterFinished": "721h"}))),
            "not be longer than 720h",
        ),
        (
            changed::<PurgeRequest>(purge(json!({"all": true, "soft": true})), Some(all)),
            "make another PurgeRequest",
        ),
        (ban(json!({"host": "a"})), "give `path`, `headers` or both"),
        (ban(json!({"path": {"glob": "/"}, "ttl": "0s"})), "`ttl` must be from 1s to 720h"),
        (ban(json!({"path": {"glob": "/"}, "ttl": "721h"})), "`ttl` must be from 1s to 720h"),
        (ban(json!({"path": {}})), "give exactly one of `glob`"),
        (ban(json!({"path": {"glob": "/", "regex": "/"}})), "give exactly one of `glob`"),
        (ban(json!({"headers": [{"name": "a", "value": {}}]})), "give exactly one of `glob`"),
        (pool_with_lease("500ms"), "`lease` must be from 1s to 1h"),
        (pool_with_lease("2h"), "`lease` must be from 1s to 1h"),
    ] {
        assert!(errors.len() == 1 && errors[0].contains(part), "{part}: {errors:?}");
    }
}

#[test]
fn sound_resources_pass() {
    assert_eq!(site(json!({})), [""; 0]);
    assert_eq!(site(json!({"origins": null, "shield": {"name": "main"}})), [""; 0]);
    assert_eq!(
        site(json!({
            "timeouts": {"connect": "500ms", "firstByte": "1h30m", "total": "2h"},
            "key": {"query": {"keep": ["a"], "ignore": false}},
            "freshness": {"negativeTTL": {"404": "1s", "599": "0s"}},
        })),
        [""; 0]
    );
    let own = json!({"limits": {}, "breaker": {}, "retries": {"attempts": 1}});
    assert_eq!(site(own), [""; 0]);
    for health in [json!({}), json!({"expectStatus": "204"}), json!({"expectStatus": "200-200"})] {
        assert_eq!(site(json!({"origins": [{"url": "http://o", "health": health}]})), [""; 0]);
    }
    assert_eq!(shield(json!({})), [""; 0]);
    assert_eq!(pool(json!({"peering": {"mode": "Peer", "ramp": "0s"}, "bypass": {}})), [""; 0]);
    assert_eq!(pool(json!({"routing": {"ttl": "168h", "ramp": "0s"}})), [""; 0]);
    assert_eq!(pool(json!({"routing": {"rules": [{"region": "CA", "pops": ["a"]}]}})), [""; 0]);
    assert_eq!(network(json!({"pops": ["one"]})), [""; 0]);
    assert_eq!(network(json!({"latitude": 1, "longitude": 2})), [""; 0]);
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
        (site(json!({"timeouts": {"total": "29s"}})), "must not be longer than `total`"),
        (
            site(json!({"origins": null, "shield": {"name": "main"}, "breaker": {}})),
            "give them there",
        ),
        (
            shield(json!({"limits": {"maxConcurrency": 2, "adaptive": true}})),
            "`minConcurrency` of an adaptive limit must not be more than `maxConcurrency`",
        ),
        (shield(json!({"limits": {"queueTimeout": "1h"}})), "must fit into `timeouts.total`"),
        (
            shield(json!({"breaker": {"openFor": "6s", "maxOpenFor": "5s"}})),
            "must not be longer than `maxOpenFor`",
        ),
        (shield(json!({"retries": {"backoff": "2s"}})), "must not be longer than `maxBackoff`"),
        (origin_with_health(json!({"timeout": "6s"})), "must not be longer than `interval`"),
        (origin_with_health(json!({"expectStatus": "300-200"})), "begin with the lower status"),
        (pool(json!({"peering": {"hotWindow": "999ms"}})), "`hotWindow` must be from 1s to 1h"),
        (pool(json!({"routing": {"ttl": "169h"}})), "`ttl` must be from 1s to 168h"),
        (pool(json!({"routing": {"pendingTTL": "31s"}})), "not longer than `ttl`"),
        (pool(json!({"routing": {"ramp": "61m"}})), "`ramp` must not be longer than 1h"),
        (network(json!({})), "give either `pops` or `latitude` and `longitude`"),
        (network(json!({"pops": []})), "give either `pops` or `latitude` and `longitude`"),
        (
            network(json!({"pops": ["one"], "latitude": 1, "longitude": 2})),
            "give either `pops` or `latitude` and `longitude`",
        ),
        (network(json!({"longitude": 2})), "give latitude and longitude together"),
        (
            pool(json!({"routing": {"rules": [{"pops": ["one"]}]}})),
            "give at least one of `continent`, `country` and `region`",
        ),
        (pool(json!({"peering": {"ramp": "61m"}})), "`ramp` must not be longer than 1h"),
    ] {
        assert!(errors.len() == 1 && errors[0].contains(part), "{part}: {errors:?}");
    }
}
