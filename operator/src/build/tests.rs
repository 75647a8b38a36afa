use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::names::TierName;
use translate::{Source, Translation};

const POOL: &str = include_str!("../../tests/golden/pool.in.yaml");

fn settings() -> Settings {
    Settings {
        edge_image: "registry.example/edge:1".into(),
        shield_image: "registry.example/shield:1".into(),
        pull_policy: Some("IfNotPresent".into()),
        pull_secrets: vec!["registry".into()],
        log_secret: Some("blue-origin-log".into()),
        log_ca: true,
        log_prefix: "blue-origin".into(),
        admin_secret: Some("blue-origin-admin".into()),
        drain_notice: 5,
        monitors: true,
    }
}

fn owner(tier: TierName, name: &str) -> Owner {
    Owner { namespace: "cdn".into(), tier, name: name.into() }
}

fn objects(settings: &Settings) -> Vec<Object> {
    built(settings, POOL)
}

fn built(settings: &Settings, text: &str) -> Vec<Object> {
    let (resources, problems) = translate::read(&[Source { name: "pool.in.yaml", text }]);
    assert_eq!(problems, []);
    let Translation { pools, shields, diagnostics, .. } = translate::translate(&resources);
    assert_eq!(diagnostics, []);
    let (web, main) = (owner(TierName::Edge, "web"), owner(TierName::Shield, "main"));
    let of = |owner| OwnerReference { owner, uid: "0000-1111" };
    let mut all = edge(&of(&web), &resources.pools[0].value, &pools[0], settings).unwrap();
    all.extend(shield(&of(&main), &resources.shields[0].value, &shields[0], settings).unwrap());
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

/// As people read it: the documents within it are cut, since `translate` has its own golden files.
fn text(objects: &[Object]) -> String {
    let body = |object: &Object| {
        let mut body = object.body();
        for (_, text) in body.get_mut("data").and_then(Value::as_object_mut).into_iter().flatten() {
            *text = json!(text.as_str().unwrap().chars().take(40).collect::<String>() + "…");
        }
        format!("---\n{}", serde_saphyr::to_string(&body).unwrap().trim_end())
    };
    objects.iter().map(body).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn what_is_built_is_what_was_looked_at() {
    let built = text(&objects(&settings()));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/pool.out.yaml");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &built).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(built == committed, "rewrite {path} with UPDATE=1 cargo test -p operator");
}

fn survives<T: Serialize + DeserializeOwned>(body: &Value) {
    let typed: T = serde_json::from_value(body.clone()).unwrap();
    let again = serde_json::to_value(typed).unwrap();
    assert!(crate::world::holds(&again, body), "{again:#}\nhas not all of\n{body:#}");
}

#[test]
fn every_field_is_one_that_kubernetes_knows() {
    for object in objects(&settings()) {
        match object.key.kind {
            Kind::ServiceAccount => survives::<ServiceAccount>(&object.body()),
            Kind::ConfigMap => survives::<ConfigMap>(&object.body()),
            Kind::NetworkPolicy => survives::<NetworkPolicy>(&object.body()),
            Kind::Service => survives::<Service>(&object.body()),
            Kind::PodDisruptionBudget => survives::<PodDisruptionBudget>(&object.body()),
            Kind::Deployment => survives::<Deployment>(&object.body()),
            Kind::ServiceMonitor => {}
        }
    }
}

#[test]
fn pods_are_restricted_and_have_no_rights() {
    let mut pods = 0;
    for object in objects(&settings()).iter().filter(|o| o.key.kind == Kind::Deployment) {
        let body = object.body();
        let pod = &body["spec"]["template"]["spec"];
        pods += 1;
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for container in pod["containers"].as_array().unwrap() {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
            assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }));
        }
    }
    assert_eq!(pods, 3);
}

#[test]
fn a_place_of_one_pod_stops_no_drain() {
    let budgets = |replicas: &str| -> Vec<Value> {
        let text = POOL.replace("replicas: 3", replicas);
        assert_ne!(text, POOL);
        built(&settings(), &text)
            .iter()
            .filter(|object| object.key.kind == Kind::PodDisruptionBudget)
            .map(|object| object.body()["spec"]["maxUnavailable"].clone())
            .collect()
    };
    let (one, two) = (budgets("replicas: 1"), budgets("replicas: 2"));
    assert!(one.len() < two.len(), "{one:?} {two:?}");
    assert!(two.iter().all(|most| *most == 1), "{two:?}");
}

#[test]
fn a_pod_is_not_killed_while_it_drains() {
    let all = objects(&settings());
    let web = all.iter().find(|o| o.key.kind == Kind::Deployment).unwrap();
    // 5 s of notice, 45 s for what is in flight, and a margin.
    assert_eq!(web.body()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 60);
    assert_eq!(grace(&settings(), u64::MAX), u64::MAX / 1000 + 1 + 15);
}

#[test]
fn pods_are_selected_by_what_users_cannot_change() {
    for object in objects(&settings()).iter().filter(|o| o.key.kind == Kind::Deployment) {
        let body = object.body();
        let spec = &body["spec"];
        let labels = &spec["template"]["metadata"]["labels"];
        for (key, value) in spec["selector"]["matchLabels"].as_object().unwrap() {
            assert_eq!(labels[key], *value);
        }
    }
}

#[test]
fn a_configuration_alone_changes_no_pod() {
    let templates = |text: &str| -> Vec<Value> {
        let (resources, _) = translate::read(&[Source { name: "x", text }]);
        let translation = translate::translate(&resources);
        let web = owner(TierName::Edge, "web");
        let of = OwnerReference { owner: &web, uid: "u" };
        let pool = &resources.pools[0].value;
        let built = edge(&of, pool, &translation.pools[0], &settings()).unwrap();
        let deployments = built.into_iter().filter(|o| o.key.kind == Kind::Deployment);
        deployments.map(|o| o.body()["spec"]["template"].clone()).collect()
    };
    let other = POOL.replace("cdn.example.com", "other.example.com");
    assert_eq!(templates(POOL), templates(&other));
    assert_ne!(templates(POOL), templates(&POOL.replace("memory: 1Gi", "memory: 2Gi")));
}

#[test]
fn a_hash_is_of_all_that_is_applied() {
    let all = objects(&settings());
    let again = objects(&settings());
    assert_eq!(all, again);
    let other = objects(&Settings { edge_image: "other".into(), ..settings() });
    let differ = |kind| {
        let of = |all: &[Object]| -> Vec<_> {
            all.iter().filter(|o| o.key.kind == kind).map(|o| o.hash.clone()).collect()
        };
        of(&all) != of(&other)
    };
    assert!(differ(Kind::Deployment) && !differ(Kind::Service));
    for object in &all {
        assert_eq!(object.body()["metadata"]["annotations"][APPLIED], object.hash);
    }
}

#[test]
fn a_configuration_that_fits_nowhere_is_refused() {
    let (resources, _) = translate::read(&[Source { name: "x", text: POOL }]);
    let mut pool = translate::translate(&resources).pools.remove(0);
    pool.snapshot.sites[0].hosts = (0..60_000).map(|n| format!("host-{n}.example.com")).collect();
    let web = owner(TierName::Edge, "web");
    let of = OwnerReference { owner: &web, uid: "u" };
    let error = config(&of, &pool.snapshot, None).unwrap_err().to_string();
    assert!(error.contains("split its sites over several pools"), "{error}");
}

#[test]
fn the_last_good_state_is_read_as_it_was_written() {
    let (resources, _) = translate::read(&[Source { name: "x", text: POOL }]);
    let pool = translate::translate(&resources).pools.remove(0);
    let web = owner(TierName::Edge, "web");
    let of = OwnerReference { owner: &web, uid: "u" };
    let specs = &resources.pools[0].value.spec.pops;
    let object = config(&of, &pool.snapshot, Some((&pool, specs))).unwrap();
    let kept = |key: &str| object.body()["data"][key].as_str().unwrap().to_owned();
    let text = kept(SNAPSHOT);
    let snapshot = translate::read_snapshot(Source { name: SNAPSHOT, text: &text }).unwrap();
    let (again, addresses) = read_pops(&pool.name, snapshot, &kept(POPS)).unwrap();
    assert_eq!(again, pool);
    assert_eq!(addresses, [vec!["192.0.2.1".to_owned()], vec![]]);
}

#[test]
fn where_objects_are_is_known() {
    let plurals: Vec<_> = Kind::ALL.iter().map(|kind| kind.resource().plural).collect();
    assert_eq!(
        plurals,
        [
            "serviceaccounts",
            "configmaps",
            "networkpolicies",
            "services",
            "poddisruptionbudgets",
            "deployments",
            "servicemonitors"
        ]
    );
}
