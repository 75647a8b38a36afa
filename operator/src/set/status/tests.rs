use std::sync::Arc;

use crds::EdgePool;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::events::Reporter;

use super::*;
use crate::conditions::time;
use crate::fake::{agree, refusal, server};
use crate::names::{COMPONENT, INSTANCE, POP};
use crate::set::validate::{Asked, Past, validate};
use crate::set::{Problem, Reason};
use crate::world::{Custom, Watched};

fn pool(status: Value) -> EdgePool {
    let sites = json!([{ "hosts": ["a.example.com"], "origins": [{ "url": "http://o" }] }]);
    let mut body = json!({
        "apiVersion": crds::API_VERSION, "kind": "EdgePool",
        "metadata": { "namespace": "cdn", "name": "web", "uid": "u", "generation": 2 },
        "spec": { "pops": [{ "name": "fra", "replicas": 2, "addresses": ["192.0.2.1"] }], "sites": sites },
    });
    if !status.is_null() {
        body["status"] = status;
    }
    serde_json::from_value(body).unwrap()
}

fn world(status: Value, pods: &[(&str, bool)]) -> World {
    let world = World::default();
    let pool = serde_json::to_value(pool(status)).unwrap();
    world.put(Watched::Pools, serde_json::from_value(pool).unwrap());
    for (name, ready) in pods {
        let status = if *ready { "True" } else { "False" };
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {
                "namespace": "cdn", "name": name,
                "labels": { COMPONENT: "edge", INSTANCE: "web", POP: "fra" },
            },
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": status }] },
        }))
        .unwrap();
        let pod = serde_json::to_value(pod).unwrap();
        world.put(Watched::Pods, serde_json::from_value(pod).unwrap());
    }
    world
}

fn judged() -> Judged {
    let one = Custom {
        uid: "u".into(),
        generation: 2,
        leaving: false,
        value: Ok(Arc::new(pool(Value::Null))),
    };
    let pools = [(("cdn".to_owned(), "web".to_owned()), one)].into();
    let past = Past { judged: &[], kept: |_: &Owner, _: &str| None };
    validate(&Asked { pools, ..Asked::default() }, &past).remove(0)
}

fn update(world: &World, judged: Judged) -> Option<Update> {
    let resources = Resources { judged: Arc::new(vec![judged]), state: Applied::default() };
    let pods = world.look(Seen::pods_by_owner);
    look(world, &resources, &pods, &time(5_000)).pop()
}

fn condition(status: &Value, type_: &str) -> (String, String, String) {
    let all = status["conditions"].as_array().unwrap();
    let found = all.iter().find(|condition| condition["type"] == type_).unwrap();
    let text = |key: &str| found[key].as_str().unwrap().to_owned();
    (text("status"), text("reason"), text("message"))
}

#[test]
fn who_asks_for_redirects_is_told_what_comes_instead() {
    let mut one = judged();
    let Some(crate::set::Sound::Pool(pool, _)) = &mut one.sound else { panic!("{one:?}") };
    Arc::make_mut(pool).spec.peering.mode = crds::PeeringMode::Redirect;
    let told = update(&world(Value::Null, &[]), one).unwrap();
    let (status, reason, message) = condition(&told.status, "Accepted");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Accepted"));
    assert!(message.contains("`Redirect` is `Peer` here"), "{message}");
}

fn refused() -> Judged {
    let problem = Problem { reason: Reason::Invalid, message: "spec.sites: no".into() };
    Judged { problem: Some(problem), sound: None, ..judged() }
}

#[test]
fn a_pool_is_ready_when_all_its_edges_take_requests() {
    let some = update(&world(Value::Null, &[("a", true), ("b", false)]), judged()).unwrap();
    let (status, reason, message) = condition(&some.status, "Ready");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Progressing"));
    assert_eq!(message, "1 of 2 edges take requests");
    let all = update(&world(Value::Null, &[("a", true), ("b", true)]), judged()).unwrap();
    assert_eq!(condition(&all.status, "Ready").0, "True");
    assert_eq!(condition(&all.status, "Accepted").0, "True");
    assert_eq!(all.status["replicas"], 2);
    assert_eq!(all.status["readyReplicas"], 2);
    assert_eq!(all.status["observedGeneration"], 2);
    let pops = json!([{
        "name": "fra", "replicas": 2, "readyReplicas": 2, "addresses": ["192.0.2.1"],
    }]);
    assert_eq!(all.status["pops"], pops);
    assert_eq!(
        all.status["selector"],
        "app.kubernetes.io/component=edge,app.kubernetes.io/instance=web"
    );
    assert_eq!(all.event, None, "all is well from the beginning");
}

#[test]
fn nothing_is_said_twice() {
    let first = update(&world(Value::Null, &[]), judged()).unwrap();
    assert_eq!(update(&world(first.status.clone(), &[]), judged()), None);
    assert!(update(&world(first.status, &[("a", true)]), judged()).is_some());
}

#[test]
fn a_pool_that_is_refused_says_why_and_tells_it_once() {
    let told = update(&world(Value::Null, &[("a", true), ("b", true)]), refused()).unwrap();
    assert_eq!(
        condition(&told.status, "Accepted"),
        ("False".into(), "Invalid".into(), "spec.sites: no".into())
    );
    let (status, _, message) = condition(&told.status, "Ready");
    assert_eq!(status, "False");
    assert_eq!(message, "the last accepted configuration serves on: spec.sites: no");
    assert_eq!(told.event, Some((true, "Invalid".into(), "spec.sites: no".into())));
    // An edge that goes is news, but not about this.
    let later = update(&world(told.status.clone(), &[("a", true)]), refused()).unwrap();
    assert_eq!(later.event, None);
    let mended = update(&world(told.status, &[("a", true)]), judged()).unwrap();
    assert_eq!(mended.event, Some((false, "Accepted".into(), "it is in effect".into())));
}

#[tokio::test]
async fn a_status_is_applied_with_its_event() {
    let (client, log) = server(agree);
    let recorder = Recorder::new(client.clone(), Reporter::from("test"));
    let counts = Counts::new(&runtime::metrics::Metrics::default()).unwrap();
    let told = update(&world(Value::Null, &[]), refused()).unwrap();
    update_status(&client, &recorder, &counts, vec![told]).await.unwrap();
    let asked = log.take();
    let base = "/apis/cdn.blueorigin.dev/v1alpha1/namespaces/cdn/edgepools/web/status";
    assert_eq!(asked[0].path, base);
    assert_eq!(asked[0].body["metadata"], json!({ "name": "web" }));
    assert_eq!(asked[1].path, "/apis/events.k8s.io/v1/namespaces/cdn/events");
    assert_eq!(asked[1].body["note"], "spec.sites: no");
    assert_eq!(asked[1].body["type"], "Warning");
    assert_eq!(asked[1].body["regarding"]["uid"], "u");
}

#[tokio::test]
async fn one_that_cannot_be_written_is_told_and_one_that_is_gone_is_not_missed() {
    let counts = Counts::new(&runtime::metrics::Metrics::default()).unwrap();
    for (code, ok) in [(404, true), (403, false)] {
        let (client, _log) = server(move |_| refusal(code, "no"));
        let recorder = Recorder::new(client.clone(), Reporter::from("test"));
        let told = update(&world(Value::Null, &[]), judged()).unwrap();
        let written = update_status(&client, &recorder, &counts, vec![told]).await;
        assert_eq!(written.is_ok(), ok);
    }
}
