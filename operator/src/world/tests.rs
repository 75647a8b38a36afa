use serde_json::json;

use super::*;

fn object(body: Value) -> DynamicObject {
    serde_json::from_value(body).unwrap()
}

fn pool(name: &str, generation: i64, more: Value) -> DynamicObject {
    let mut body = json!({
        "apiVersion": crds::API_VERSION,
        "kind": "EdgePool",
        "metadata": { "namespace": "cdn", "name": name, "uid": name, "generation": generation },
        "spec": {
            "pops": [{ "name": "fra" }],
            "sites": [{ "hosts": ["a.example.com"], "origins": [{ "url": "http://o" }] }],
        },
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    object(body)
}

fn config(version: &str) -> DynamicObject {
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "namespace": "cdn", "name": "edge-web-config", "resourceVersion": version,
            "annotations": { APPLIED: "hash" },
            "ownerReferences": [{
                "apiVersion": crds::API_VERSION, "kind": "EdgePool", "name": "web", "uid": "u",
                "controller": true,
            }],
        },
        "data": { "snapshot.json": "{}" },
    }))
}

fn names(seen: &Seen) -> Vec<String> {
    seen.pools.keys().map(|id| id.1.clone()).collect()
}

#[test]
fn only_what_is_asked_for_wakes_the_set() {
    let world = World::default();
    let mut changes = world.set_changes();
    let mut changed = || {
        changes.has_changed().unwrap() && {
            changes.mark_unchanged();
            true
        }
    };
    world.put(Watched::Pools, pool("web", 1, json!({})));
    assert!(changed());
    world.put(Watched::Pools, pool("web", 1, json!({ "status": { "replicas": 3 } })));
    assert!(!changed(), "a status is our own word");
    assert_eq!(
        world.look(|seen| {
            let pool = seen.pools.values().next().unwrap().value.clone().unwrap();
            pool.status.clone().unwrap().replicas
        }),
        Some(3)
    );
    world.put(Watched::Pools, pool("web", 2, json!({})));
    assert!(changed());
    assert_eq!(world.look(|seen| seen.revision), 2);
}

#[test]
fn what_cannot_be_read_is_kept_with_the_reason() {
    let world = World::default();
    world.put(Watched::Pools, pool("bad", 1, json!({ "spec": { "pops": 3 } })));
    let reason = world.look(|seen| seen.pools.values().next().unwrap().value.clone());
    assert!(reason.unwrap_err().contains("invalid type"));
    world.put(Watched::Pools, pool("good", 1, json!({ "status": { "pops": "not a list" } })));
    world.look(|seen| {
        let good = &seen.pools[&("cdn".to_owned(), "good".to_owned())];
        assert_eq!(good.value.as_ref().unwrap().status, None, "a status is made anew");
    });
}

#[test]
fn a_new_list_takes_away_what_it_does_not_have() {
    let world = World::default();
    for name in ["a", "b"] {
        world.put(Watched::Pools, pool(name, 1, json!({})));
    }
    let listed: HashSet<Id> = [("cdn".to_owned(), "b".to_owned())].into();
    world.keep_only(Watched::Pools, Some("other"), &HashSet::new());
    assert_eq!(world.look(names), ["a", "b"], "a list of another namespace says nothing");
    world.keep_only(Watched::Pools, Some("cdn"), &listed);
    assert_eq!(world.look(names), ["b"]);
    world.keep_only(Watched::Pools, None, &HashSet::new());
    assert_eq!(world.look(names), Vec::<String>::new());
}

#[test]
fn an_object_knows_whose_it_is_and_what_it_says() {
    let world = World::default();
    world.put(Watched::Objects(Kind::ConfigMap), config("5"));
    let key =
        Key { kind: Kind::ConfigMap, namespace: "cdn".into(), name: "edge-web-config".into() };
    world.look(|seen| {
        let live = &seen.live[&key];
        let owner = Owner { namespace: "cdn".into(), tier: TierName::Edge, name: "web".into() };
        assert_eq!(live.owner, Some((owner, "u".to_owned())));
        assert_eq!((live.version, live.applied.as_deref()), (5, Some("hash")));
        assert_eq!(live.data("snapshot.json").as_deref(), Some("{}"));
        assert_eq!(live.data("none"), None);
    });
    world.remove(Watched::Objects(Kind::ConfigMap), &("cdn".into(), "edge-web-config".into()));
    assert_eq!(world.take_lost(), [key]);
    assert_eq!(world.take_lost(), []);
}

#[test]
fn what_the_api_server_adds_is_no_difference() {
    let desired = json!({ "spec": { "ports": [{ "port": 80 }], "none": {}, "empty": [] } });
    let with = |ports: Value| json!({ "spec": { "ports": ports, "clusterIP": "10.0.0.1" } });
    assert!(holds(&with(json!([{ "port": 80, "nodePort": 30000 }])), &desired));
    assert!(!holds(&with(json!([{ "port": 81 }])), &desired));
    assert!(!holds(&with(json!([{ "port": 80 }, { "port": 81 }])), &desired));
    assert!(!holds(&json!({}), &desired));
}

#[test]
fn pods_are_found_by_whose_they_are() {
    let world = World::default();
    let pod = |name: &str, instance: &str| {
        object(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "namespace": "cdn", "name": name,
                "labels": { crate::names::COMPONENT: "edge", crate::names::INSTANCE: instance },
            },
            "status": { "phase": "Running" },
        }))
    };
    world.put(Watched::Pods, pod("one", "web"));
    world.put(Watched::Pods, pod("two", "other"));
    let pods = world.look(Seen::pods_by_owner);
    let of = |namespace: &str, name: &str| {
        let owner = Owner { namespace: namespace.into(), tier: TierName::Edge, name: name.into() };
        pods.of(&owner).iter().map(|pod| pod.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("cdn", "web"), ["one"]);
    assert_eq!(of("else", "web"), Vec::<String>::new());
}
