use kube::runtime::events::Reporter;
use runtime::metrics::Metrics;
use serde_json::{Value, json};

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
        zones: Some(("own".into(), "zones".into(), {
            let name_server = wire::zones::NameServer {
                name: "ns1.example.net".into(),
                v4: vec!["192.0.2.53".parse().unwrap()],
                v6: vec![],
            };
            Authority { name_server, ..Authority::default() }
        })),
        clock: Clock::manual(0),
        counts: Counts::new(&Metrics::default()).unwrap(),
        shown: Arc::default(),
    }
}

fn kept(context: &SetContext) -> Kept {
    let (client, world) = (context.client.clone(), context.world.clone());
    Kept {
        secrets: Secrets::default(),
        writer: Writer::new(client, world, Duration::ZERO, context.counts.clone()),
        key: None,
        prepared: Resources { judged: Arc::default(), state: Prepared::default() },
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
    let mut kept = kept(&context);
    put(&context, pool(1, None));
    assert!(round(&context, &mut kept).await);
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
    assert!(round(&context, &mut kept).await);
    assert_eq!(log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_pool_that_breaks_before_it_was_seen_serves_on() {
    let (client, log) = server(agree);
    let context = context(client);
    let mut kept = kept(&context);
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
async fn zones_that_no_geodns_takes_are_not_written() {
    let (client, log) = server(agree);
    let mut context = context(client);
    // Without a name server no host has a zone.
    context.zones = Some(("own".into(), "zones".into(), Authority::default()));
    let mut kept = kept(&context);
    put(&context, pool(1, None));
    assert!(round(&context, &mut kept).await, "pods come all the same");
    let asked = log.take();
    assert_eq!(document(&asked, "zones", "zones.json"), None);
    assert!(document(&asked, "edge-web-config", "snapshot.json").is_some());
}
