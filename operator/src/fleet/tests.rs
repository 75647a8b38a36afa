use serde_json::json;

use super::*;

fn pod(change: serde_json::Value) -> Pod {
    let mut pod = json!({
        "metadata": {
            "name": "edge-web-fra-1",
            "labels": { COMPONENT: "edge", INSTANCE: "web", POP: "fra" },
        },
        "status": {
            "phase": "Running",
            "podIP": "10.0.0.1",
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    });
    for (path, value) in change.as_object().unwrap() {
        *pod.pointer_mut(path).unwrap() = value.clone();
    }
    serde_json::from_value(pod).unwrap()
}

fn owner(tier: TierName, name: &str) -> Owner {
    Owner { namespace: "cdn".into(), tier, name: name.into() }
}

#[test]
fn a_pod_is_on_the_ring_while_it_takes_requests() {
    let seen = |pod: &Pod| SeenPod::of(pod).map(|seen| seen.ready);
    assert_eq!(seen(&pod(json!({}))), Some(true));
    assert_eq!(seen(&pod(json!({ "/status/conditions/0/status": "False" }))), Some(false));
    let mut leaving = pod(json!({}));
    leaving.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Default::default()));
    assert_eq!(seen(&leaving), Some(false));
    assert_eq!(seen(&pod(json!({ "/status/phase": "Failed" }))), None);
    assert_eq!(seen(&pod(json!({ "/metadata/labels": { "app": "else" } }))), None);
}

#[test]
fn a_pool_has_its_places_and_its_shields() {
    let pool = owner(TierName::Edge, "web");
    let shield = owner(TierName::Shield, "main");
    let one = SeenPod::of(&pod(json!({}))).unwrap();
    let six =
        SeenPod { name: "edge-web-fra-0".into(), address: "fd00::1".parse().ok(), ..one.clone() };
    let late = SeenPod { name: "edge-web-fra-2".into(), ready: false, ..one.clone() };
    let nowhere = SeenPod { name: "edge-web-fra-3".into(), address: None, ..one.clone() };
    let edges = [one, six, late, nowhere];
    let server = SeenPod {
        name: "shield-main-1".into(),
        of: ("shield".into(), "main".into()),
        pop: None,
        address: "10.0.1.1".parse().ok(),
        ready: true,
        nudged: None,
    };
    let servers = [server];
    let pods = |owner: &Owner| match owner.tier {
        TierName::Edge => &edges[..],
        TierName::Shield => &servers[..],
    };
    let pops = ["fra".to_owned(), "iad".to_owned()].into();
    let fleet = fleet(&pool, &pops, &[shield.clone()].into(), pods);
    fleet.check().unwrap();
    let rings: Vec<_> = fleet.rings.keys().map(String::as_str).collect();
    assert_eq!(rings, ["pop/cdn/web/fra", "pop/cdn/web/iad", "shield/cdn/main"]);
    let urls = |ring: &str| -> Vec<_> {
        fleet.rings[ring].members.iter().map(|m| (m.name.clone(), m.url.clone())).collect()
    };
    assert_eq!(
        urls("pop/cdn/web/fra"),
        [
            ("edge-web-fra-0".to_owned(), "http://[fd00::1]:8082".to_owned()),
            ("edge-web-fra-1".to_owned(), "http://10.0.0.1:8082".to_owned()),
        ]
    );
    assert_eq!(urls("pop/cdn/web/iad"), []);
    assert_eq!(urls("shield/cdn/main")[0].1, "http://10.0.1.1:8081");
    let again = super::fleet(&pool, &pops, &[shield].into(), pods);
    assert_eq!(again.version, fleet.version);
    let fewer = super::fleet(&pool, &pops, &BTreeSet::new(), pods);
    assert_ne!(fewer.version, fleet.version);
}

#[test]
fn a_shield_knows_its_own_servers() {
    let shield = owner(TierName::Shield, "main");
    let fleet = fleet(&shield, &BTreeSet::new(), &BTreeSet::new(), |_| &[]);
    fleet.check().unwrap();
    assert_eq!(fleet.rings.keys().collect::<Vec<_>>(), ["shield/cdn/main"]);
}
