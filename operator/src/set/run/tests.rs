use kube::runtime::events::Reporter;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use translate::Authority;

use super::*;
use crate::fake::{Asked as Request, agree, server};
use crate::world::Watched;

fn pool(generation: i64, shield: Option<&str>) -> Value {
    let mut site = json!({ "hosts": ["a.example.com"] });
    match shield {
        Some(name) => site["shield"] = json!({ "name": name }),
        None => site["origins"] = json!([{ "url": "http://o" }]),
    }
    json!({
        "apiVersion": crds::API_VERSION, "kind": "EdgePool",
        "metadata": { "namespace": "cdn", "name": "web", "uid": "u", "generation": generation },
        "spec": { "pops": [{ "name": "fra", "addresses": ["192.0.2.1"] }], "sites": [site] },
    })
}

fn context(client: Client) -> SetContext {
    SetContext {
        recorder: Recorder::new(client.clone(), Reporter::from("test")),
        client,
        world: Arc::default(),
        settings: Settings {
            edge_image: "edge".into(),
            shield_image: "shield".into(),
            pull_policy: None,
            pull_secrets: vec![],
            log_secret: None,
            log_ca: false,
            log_prefix: "blue-origin".into(),
            admin_secret: None,
            drain_notice: 5,
            monitors: false,
        },
        geodns: Some(GeoDns {
            namespace: "own".into(),
            configmap: "zones".into(),
            authority: {
                let name_server = wire::zones::NameServer {
                    name: "ns1.example.net".into(),
                    v4: vec!["192.0.2.53".parse().unwrap()],
                    v6: vec![],
                };
                Authority { name_server, ..Authority::default() }
            },
            selector: None,
        }),
        clock: Clock::manual(0),
        counts: Counts::new(&Metrics::default()).unwrap(),
        shown: Arc::default(),
    }
}

fn put(context: &SetContext, pool: Value) {
    context.world.put(Watched::Pools, serde_json::from_value(pool).unwrap());
}

fn document<'a>(asked: &'a [Request], name: &str, key: &str) -> Option<&'a str> {
    let found = asked.iter().find(|asked| asked.path.ends_with(&format!("/configmaps/{name}")))?;
    found.body["data"][key].as_str()
}

#[tokio::test]
async fn a_round_makes_all_and_the_next_one_nothing() {
    let (client, log) = server(agree);
    let context = context(client);
    let mut kept = Kept::new(&context);
    put(&context, pool(1, None));
    assert!(round(&context, &mut kept).await.well);
    let asked = log.take();
    assert!(
        document(&asked, "edge-web-config", "snapshot.json").unwrap().contains("a.example.com")
    );
    assert!(document(&asked, "edge-web-fleet", "fleet.json").unwrap().contains("pop/cdn/web/fra"));
    let zones = document(&asked, "zones", "zones.json").unwrap();
    assert!(zones.contains("192.0.2.1") && zones.contains("a.example.com"), "{zones}");
    let status = asked.iter().find(|asked| asked.path.ends_with("/edgepools/web/status")).unwrap();
    let mut told = pool(1, None);
    told["status"] = status.body["status"].clone();
    put(&context, told);
    assert!(round(&context, &mut kept).await.well);
    assert_eq!(log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_pool_that_breaks_before_it_was_seen_serves_on() {
    let (client, log) = server(agree);
    let context = context(client);
    let mut kept = Kept::new(&context);
    put(&context, pool(1, None));
    round(&context, &mut kept).await;
    let good = kept.prepared.judged[0].serving.clone();
    assert!(good.is_some());
    log.take();
    put(&context, pool(2, Some("nowhere")));
    round(&context, &mut kept).await;
    assert_eq!(kept.prepared.judged[0].serving, good);
    let asked = log.take();
    assert_eq!(document(&asked, "edge-web-config", "snapshot.json"), None, "it stays as it is");
    assert_eq!(document(&asked, "zones", "zones.json"), None);
    let status = asked.iter().find(|asked| asked.path.ends_with("/edgepools/web/status")).unwrap();
    assert_eq!(status.body["status"]["conditions"][0]["status"], "False");
}

#[tokio::test]
async fn without_zones_pods_come_all_the_same() {
    let (client, log) = server(agree);
    let mut context = context(client);
    // Without a name server no host has a zone.
    context.geodns.as_mut().unwrap().authority = Authority::default();
    let mut kept = Kept::new(&context);
    put(&context, pool(1, None));
    assert!(!round(&context, &mut kept).await.well);
    let asked = log.take();
    assert_eq!(document(&asked, "zones", "zones.json"), None);
    assert!(document(&asked, "edge-web-config", "snapshot.json").is_some());
    assert_eq!(kept.prepared.judged[0].problem, None, "it is not the pool's fault");
}

/// A pool with a place at `url`.
fn at(name: &str, generation: i64, host: &str, url: &str) -> Value {
    let mut pool = pool(generation, None);
    pool["metadata"]["name"] = json!(name);
    pool["metadata"]["uid"] = json!(name);
    pool["spec"]["sites"][0]["hosts"] = json!([host]);
    pool["spec"]["pops"][0]["url"] = json!(url);
    let made = if name == "good" { "2026-01-01T00:00:00Z" } else { "2026-01-02T00:00:00Z" };
    pool["metadata"]["creationTimestamp"] = json!(made);
    pool
}

fn accepted(asked: &[Request], name: &str) -> Option<(String, String, String)> {
    let path = format!("/edgepools/{name}/status");
    let found = asked.iter().find(|asked| asked.path.ends_with(&path))?;
    let condition = &found.body["status"]["conditions"][0];
    let text = |key: &str| condition[key].as_str().unwrap().to_owned();
    Some((text("status"), text("reason"), text("message")))
}

#[tokio::test]
async fn one_pool_that_geodns_cannot_take_stops_nobody() {
    let (client, log) = server(agree);
    let mut context = context(client);
    let geodns = context.geodns.as_mut().unwrap();
    geodns.authority.router = Some(wire::zones::Router::default());
    let mut kept = Kept::new(&context);
    put(&context, at("good", 1, "good.example.com", "https://fra.example.net"));
    put(&context, at("bad", 1, "bad.example.com", "https://iad.example.net"));
    assert!(round(&context, &mut kept).await.well);
    log.take();
    // Its clients would come back to the router; meanwhile another goes on changing.
    put(&context, at("bad", 2, "bad.example.com", "https://good.example.com"));
    put(&context, at("good", 2, "good.example.com", "https://zrh.example.net"));
    round(&context, &mut kept).await;
    let asked = log.take();
    let (status, reason, message) = accepted(&asked, "bad").unwrap();
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Unroutable"));
    assert!(message.contains("GeoDNS cannot send clients to it"), "{message}");
    assert!(message.contains("would come back"), "{message}");
    let zones = document(&asked, "zones", "zones.json").unwrap();
    assert!(zones.contains("zrh.example.net"), "{zones}");
    assert!(zones.contains("iad.example.net"), "its last good state is answered for: {zones}");
    assert_eq!(document(&asked, "edge-bad-config", "pops.json"), None, "all of it is");
    let events = asked.iter().filter(|asked| asked.path.ends_with("/events")).count();
    assert_eq!(events, 1);
    // An operator that takes over comes to the same.
    let mut fresh = Kept::new(&context);
    fresh.prepared.judged = Arc::clone(&kept.prepared.judged);
    round(&context, &mut fresh).await;
    assert_eq!(fresh.refused, kept.refused);
    // Mended, it heals.
    put(&context, at("bad", 3, "bad.example.com", "https://lhr.example.net"));
    log.take();
    round(&context, &mut kept).await;
    let asked = log.take();
    assert!(document(&asked, "zones", "zones.json").unwrap().contains("lhr.example.net"));
    assert_eq!(kept.refused, Refused::new());
}

#[tokio::test]
async fn who_is_refused_for_others_comes_back_when_they_give_way() {
    let (client, log) = server(agree);
    let mut context = context(client);
    let geodns = context.geodns.as_mut().unwrap();
    geodns.authority.router = Some(wire::zones::Router {
        names: vec!["192.0.2.9:8080".into()],
        port: Some(8080),
        ..Default::default()
    });
    let mut kept = Kept::new(&context);
    let mut balanced = pool(1, None);
    balanced["spec"]["pops"][0] = json!({ "name": "fra" });
    put(&context, balanced);
    let service = |address: &str| {
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": { "namespace": "cdn", "name": "edge-web-fra" },
            "status": { "loadBalancer": { "ingress": [{ "ip": address }] } },
        });
        context
            .world
            .put(Watched::Objects(Kind::Service), serde_json::from_value(service).unwrap());
    };
    service("192.0.2.9");
    round(&context, &mut kept).await;
    assert_eq!(accepted(&log.take(), "web").unwrap().1, "Unroutable");
    service("192.0.2.10");
    round(&context, &mut kept).await;
    let asked = log.take();
    assert_eq!(accepted(&asked, "web").unwrap().1, "Accepted");
    assert!(document(&asked, "zones", "zones.json").unwrap().contains("192.0.2.10"));
}

#[tokio::test]
async fn what_does_not_fit_leaves_everything_as_it_is() {
    let (client, log) = server(agree);
    let context = context(client);
    let mut kept = Kept::new(&context);
    put(&context, pool(1, None));
    round(&context, &mut kept).await;
    let good = kept.prepared.judged[0].serving.clone();
    log.take();
    let mut large = pool(2, None);
    let site = |n: usize| {
        let hosts: Vec<_> =
            (0..60).map(|m| format!("{}.{m}.example{n}.com", "x".repeat(60))).collect();
        json!({ "hosts": hosts, "origins": [{ "url": "http://o" }] })
    };
    large["spec"]["sites"] = (0..250).map(site).collect();
    put(&context, large);
    round(&context, &mut kept).await;
    let asked = log.take();
    assert_eq!(accepted(&asked, "web").unwrap().1, "TooLarge");
    assert_eq!(kept.prepared.judged[0].serving, good, "DNS and status go by what runs");
    assert_eq!(document(&asked, "zones", "zones.json"), None);
}

#[tokio::test]
async fn what_cannot_be_written_is_told_once_and_tried_more_and_more_seldom() {
    let (client, log) = server(|asked: &Request| match asked.path.contains("/services/") {
        true => crate::fake::refusal(500, "range is full"),
        false => agree(asked),
    });
    let context = context(client);
    let mut kept = Kept::new(&context);
    let mut two = pool(1, None);
    two["spec"]["pops"] = json!([{ "name": "fra" }, { "name": "iad" }]);
    put(&context, two.clone());
    let went = round(&context, &mut kept).await;
    assert!(went.refused && !went.well);
    let asked = log.take();
    let status = asked.iter().find(|asked| asked.path.ends_with("/edgepools/web/status")).unwrap();
    let ready = &status.body["status"]["conditions"][1]["message"];
    let each = ["edge-web", "edge-web-fra", "edge-web-iad"]
        .map(|name| format!("Service {name} cannot be written: range is full"));
    assert_eq!(*ready, each.join("; "));
    two["status"] = status.body["status"].clone();
    put(&context, two);
    assert!(round(&context, &mut kept).await.refused);
    assert_eq!(log.lines().len(), 3, "no status");
    let tries: Vec<u64> = [0, 1, 2, 3, 5, 6, 1_000].map(|n| next_try(n).as_secs()).into();
    assert_eq!(tries, [3, 3, 6, 12, 48, 48, 48]);
}
