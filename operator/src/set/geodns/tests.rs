use kube::Client;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use wire::fleet::{Member, Ring};
use wire::zones::{FORMAT, Zones};

use super::*;
use crate::build::{FLEET, ZONES};
use crate::fake::{Asked, agree, refusal, server};
use crate::fleet::named;

fn geodns(selector: Option<&str>) -> GeoDns {
    GeoDns {
        namespace: "own".into(),
        configmap: "zones".into(),
        authority: Authority::default(),
        selector: selector.map(str::to_owned),
    }
}

fn answered(version: &str) -> Answered {
    let (zones, pools) = (BTreeMap::new(), BTreeMap::new());
    let version = version.to_owned();
    let zones = Zones { format: FORMAT, version, zones, pools, limits: Default::default() };
    Answered { zones, left_out: BTreeMap::new() }
}

fn rings(members: usize) -> Fleet {
    let member = |n: usize| Member {
        name: format!("edge-{n}"),
        url: "http://10.0.0.1:8082".into(),
        weight: 100,
        pop: None,
        public: None,
    };
    let ring = |n: usize| Ring {
        members: (0..members.min(1_000)).map(|m| member(n * 1_000 + m)).collect(),
    };
    named((0..members.div_ceil(1_000)).map(|n| (format!("pop/cdn/web/{n}"), ring(n))).collect())
}

fn data(document: &Object, key: &str) -> Value {
    serde_json::from_str(document.body()["data"][key].as_str().unwrap()).unwrap()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn rings_come_with_the_zones_and_wait_for_more_news() {
    let (of, mut told) = (geodns(None), Told::default());
    let (first, wait) = told.document(&of, &answered("1"), &rings(1), at(0));
    assert_eq!((data(&first, ZONES)["version"].as_str(), wait), (Some("1"), None));
    let document: Fleet = serde_json::from_value(data(&first, FLEET)).unwrap();
    assert_eq!(document, rings(1));
    document.check().unwrap();
    let (same, wait) = told.document(&of, &answered("1"), &rings(1), at(5));
    assert_eq!((same.hash == first.hash, wait), (true, None));
    // The zones do not wait, the rings do.
    let (zones, wait) = told.document(&of, &answered("2"), &rings(2), at(6));
    assert_eq!(data(&zones, ZONES)["version"], "2");
    assert_eq!((data(&zones, FLEET) == data(&first, FLEET), wait), (true, Some(at(4))));
    let (all, wait) = told.document(&of, &answered("2"), &rings(2), at(10));
    assert_eq!((data(&all, FLEET) == data(&first, FLEET), wait), (false, None));
}

#[test]
fn rings_that_do_not_fit_are_left_out() {
    let (of, mut told) = (geodns(None), Told::default());
    let (without, _) = told.document(&of, &answered("1"), &rings(20_000), at(0));
    let document: Fleet = serde_json::from_value(data(&without, FLEET)).unwrap();
    assert_eq!(document.rings, BTreeMap::new());
    document.check().unwrap();
    assert!(told.too_large);
    let (with, _) = told.document(&of, &answered("1"), &rings(10), at(60));
    assert_eq!(
        data(&with, FLEET)["rings"]["pop/cdn/web/0"]["members"].as_array().unwrap().len(),
        10
    );
    assert!(!told.too_large);
}

#[test]
fn a_place_serves_on_until_its_last_answer_has_run_out() {
    let mut pool = {
        let text = include_str!("../../../tests/golden/pool.in.yaml");
        translate::translate_all(&[translate::Source { name: "pool", text }]).pools.remove(0)
    };
    pool.routing.steering = wire::zones::Steering::default();
    assert_eq!(geodns(Some("a=b")).notice(&pool), at(60), "5 + 30 + 20 s are less");
    assert_eq!(geodns(None).notice(&pool), at(140));
    pool.routing.steering.ttl = 300;
    assert_eq!(geodns(Some("a=b")).notice(&pool), at(325));
}

/// A GeoDNS of three pods, of which one knows of `document`; writes are answered with `code`.
fn pods(document: &Object, code: u16) -> (Client, crate::fake::Log) {
    let hash = document.hash.clone();
    server(move |asked: &Asked| {
        if asked.method != "GET" {
            return if code == 200 { agree(asked) } else { refusal(code, "no") };
        }
        let pod = |name: &str, known: Option<&str>| {
            let annotations = known.map(|known| json!({ NUDGE: known }));
            json!({ "metadata": { "name": name, "annotations": annotations } })
        };
        let items = json!([pod("a", None), pod("b", Some("old")), pod("c", Some(&hash))]);
        let kind = "PartialObjectMetadataList";
        (
            200,
            json!({ "apiVersion": "meta.k8s.io/v1", "kind": kind, "metadata": {}, "items": items }),
        )
    })
}

#[tokio::test]
async fn pods_of_geodns_are_told_of_new_zones_once() {
    let (of, mut told) = (geodns(Some("app=geodns,tier=dns")), Told::default());
    let (document, _) = told.document(&of, &answered("1"), &rings(1), at(0));
    let counts = Counts::new(&Metrics::default()).unwrap();
    let (client, log) = pods(&document, 200);
    assert!(told.nudge(&client, &of, &document, &counts).await);
    let mut asked = log.take();
    asked[1..].sort_by(|one, other| one.path.cmp(&other.path));
    assert_eq!(asked[0].path, "/api/v1/namespaces/own/pods");
    assert!(asked[0].query.contains("app%3Dgeodns%2Ctier%3Ddns"), "{}", asked[0].query);
    let paths: Vec<_> = asked[1..].iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths, ["/api/v1/namespaces/own/pods/a", "/api/v1/namespaces/own/pods/b"]);
    assert_eq!(asked[1].body["metadata"]["annotations"][NUDGE], document.hash);
    assert!(told.nudge(&client, &of, &document, &counts).await);
    assert_eq!(log.lines(), Vec::<String>::new(), "nobody is asked about what all know");
    // Nobody is told where nobody is named.
    let silent = geodns(None);
    assert!(Told::default().nudge(&client, &silent, &document, &counts).await);
    assert_eq!(log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn pods_that_cannot_be_told_are_tried_again() {
    let (of, mut told) = (geodns(Some("app=geodns")), Told::default());
    let (document, _) = told.document(&of, &answered("1"), &rings(1), at(0));
    let counts = Counts::new(&Metrics::default()).unwrap();
    let (client, log) = pods(&document, 500);
    assert!(!told.nudge(&client, &of, &document, &counts).await);
    assert_eq!(log.take().len(), 3);
    assert!(!told.nudge(&client, &of, &document, &counts).await);
    assert_eq!(log.take().len(), 3);
    let (client, _log) = server(|_| refusal(403, "pods is forbidden"));
    assert!(!told.nudge(&client, &of, &document, &counts).await);
    // One that is gone needs to be told nothing.
    let (client, _log) = pods(&document, 404);
    assert!(told.nudge(&client, &of, &document, &counts).await);
}
