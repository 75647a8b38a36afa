//! The admin side of `local`: what is open, what the token opens, and taking over a new version (I5, O3).

use std::sync::Arc;

use e2e::client::{Answer, Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN, World};
use serde_json::{Value, json};

use crate::support::{start, start_with};

pub(crate) async fn admin(world: &World, path: &str, token: Option<&str>) -> Answer {
    let mut request = Request::get(path).field("host", "localhost");
    if let Some(token) = token {
        request = request.field("authorization", token);
    }
    ask(world.local.as_ref().unwrap().status, request).await.unwrap()
}

pub(crate) async fn read(world: &World, path: &str) -> Value {
    let answer = admin(world, path, Some(&format!("Bearer {TOKEN}"))).await;
    answer.expect_status(200).expect_field("content-type", "application/json");
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn health_metrics_and_status_are_open() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    world.ask("/a").await;
    admin(&world, "/healthz", None).await.expect_status(200);
    admin(&world, "/readyz", None).await.expect_status(200);
    let metrics = admin(&world, "/metrics", None).await;
    metrics.expect_status(200);
    let line = |text: &str| {
        metrics.text().lines().any(|line| {
            line.starts_with("cdn_requests_total{") && line.contains(text) && line.ends_with(" 1")
        })
    };
    assert!(line("result=\"miss\"") && line("node=\"lab-0\""), "{}", metrics.text());
    let status = admin(&world, "/status", None).await;
    status.expect_status(200);
    let status: Value = serde_json::from_slice(&status.body).unwrap();
    assert_eq!(
        (&status["edges"][0]["name"], &status["edges"][0]["requests"]),
        (&json!("lab-0"), &json!(1))
    );
}

#[tokio::test]
async fn debugging_needs_the_token() {
    let (_origin, world) = start().await;
    for path in
        ["/edges/lab-0/debug/entries", "/edges/lab-0/debug/config", "/edges/lab-0/debug/stats"]
    {
        let almost = format!("Bearer {}", &TOKEN[1..]);
        for token in [
            None,
            Some("Bearer wrong"),
            Some("Bearer "),
            Some("Basic eDp5"),
            Some(TOKEN),
            Some(&*almost),
        ] {
            let answer = admin(&world, path, token).await;
            answer.expect_status(401).expect_field("www-authenticate", "Bearer");
            assert!(answer.text().contains("Authorization"), "{answer:#?}");
        }
        read(&world, path).await;
    }
}

#[tokio::test]
async fn the_debug_api_shows_what_is_stored() {
    let (origin, world) = start().await;
    origin.always(
        "/a",
        Reply::fresh(60, "hello").field("surrogate-key", "one two").field("vary", "x-kind"),
    );
    origin.always("/b", Reply::ok("b").field("cache-control", "no-store"));
    world.ask("/a").await.expect(200, "MISS");
    world.ask("/b").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(10);
    world.ask("/a").await.expect(200, "HIT");
    let entry = read(&world, "/edges/lab-0/debug/entry?url=http://cdn.example.com/a").await;
    let variant = &entry["variants"][0];
    assert_eq!(variant["status"], 200, "{entry:#}");
    assert_eq!(
        (&variant["ageSeconds"], &variant["ttlSeconds"]),
        (&json!(10), &json!(50)),
        "{entry:#}"
    );
    assert_eq!(
        (&variant["bodyBytes"], &variant["tags"]),
        (&json!(5), &json!(["one", "two"])),
        "{entry:#}"
    );
    assert_eq!(variant["vary"], json!(["x-kind"]), "{entry:#}");
    let entries = read(&world, "/edges/lab-0/debug/entries?limit=10").await;
    let keys: Vec<_> =
        entries["entries"].as_array().unwrap().iter().map(|e| e["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"http://cdn.example.com/a"), "{entries:#}");
    let stats = read(&world, "/edges/lab-0/debug/stats").await;
    assert_eq!(stats["cache"]["objects"], 1, "{stats:#}");
    let config = read(&world, "/edges/lab-0/debug/config").await;
    assert_eq!(config["snapshot"]["pool"], "e2e", "{config:#}");
    let bearer = format!("Bearer {TOKEN}");
    for (path, status) in [
        ("/edges/lab-0/debug/entry?url=http://cdn.example.com/nothing", 404),
        ("/edges/lab-0/debug/entry?url=/a", 400),
        ("/edges/lab-0/debug/entry?url=http://other.example/a", 400),
        ("/edges/lab-0/debug/entries?limit=0", 400),
        ("/edges/lab-0/debug/entries?after=x", 400),
        ("/edges/lab-9/debug/entries", 404),
        ("/edges/lab-0/debug/nothing", 404),
    ] {
        let answer = admin(&world, path, Some(&bearer)).await;
        assert_eq!(answer.status, status, "{path}: {answer:#?}");
    }
}

#[tokio::test]
async fn entries_come_in_pages() {
    let (origin, world) = start().await;
    origin.always("*", Reply::fresh(60, "a"));
    for i in 0..80 {
        world.ask(format!("/{i}").as_str()).await.expect(200, "MISS");
    }
    world.settled().await;
    let mut keys = std::collections::BTreeSet::new();
    let mut path = "/edges/lab-0/debug/entries?limit=2".to_owned();
    for _ in 0..1000 {
        let page = read(&world, &path).await;
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() < 80, "all at once");
        keys.extend(entries.iter().map(|e| e["key"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/edges/lab-0/debug/entries?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(keys.len(), 80);
}

#[tokio::test]
async fn a_new_version_is_taken_over_and_what_is_stored_stays() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    let mut open = world.connect().await;
    open.ask("/a").await.unwrap().expect(200, "HIT");
    let changed = Setup::new(&origin)
        .site(json!({ "hosts": ["cdn.example.com", "new.example.com"], "upgrade": "Tunnel" }));
    let local = world.local.as_ref().unwrap();
    world.ask(Request::get("/a").field("host", "new.example.com")).await.expect_status(421);
    local.apply(changed.pools().unwrap()).await.unwrap();
    open.ask("/a").await.unwrap().expect(200, "HIT");
    world.ask(Request::get("/a").field("host", "new.example.com")).await.expect(200, "MISS");
    assert!(world.metric("cdn_config_reloads_total", "result=\"taken-over\"") > 0.5);
}

#[tokio::test]
async fn edges_come_and_go_with_the_pool() {
    let (origin, world) =
        start_with(|s| s.spec(json!({ "pops": [{ "name": "lab", "replicas": 2 }] }))).await;
    origin.always("/a", Reply::fresh(60, "a"));
    let local = world.local.as_ref().unwrap();
    let names = || local.edges.list().into_iter().map(|e| e.name).collect::<Vec<_>>();
    let leaver = local.edges.list()[1].clone();
    let other = Setup::new(&origin).spec(json!({ "pops": [{ "name": "lab" }, { "name": "new" }] }));
    local.apply(other.pools().unwrap()).await.unwrap();
    assert_eq!(names(), ["lab-0", "new-0"]);
    assert!(ask(leaver.address, "/a").await.is_err());
    for edge in local.edges.list() {
        ask(edge.address, "/a").await.unwrap().expect(200, "MISS");
    }
}

#[tokio::test]
async fn who_runs_is_left_alone_when_pools_and_shields_come_and_go() {
    let (origin, world) = start_with(|s| s.shield(json!({}))).await;
    origin.always("/a", Reply::fresh(60, "a"));
    let local = world.local.as_ref().unwrap();
    let [edge, shield] = [&local.edges, &local.shields].map(|servers| servers.list().remove(0));
    let first = Setup::new(&origin).shield(json!({})).wanted().unwrap();
    let mut second = Setup::new(&origin).site(json!({ "hosts": ["two.example.com"] }));
    second = second.shield(json!({}));
    let mut both = second.wanted().unwrap();
    for pool in &mut both.pools {
        "second".clone_into(&mut pool.name);
        "second".clone_into(&mut pool.snapshot.pool);
        pool.snapshot.sites[0].shield = Some("shield/second".into());
    }
    for shield in &mut both.shields {
        "second".clone_into(&mut shield.name);
        "shield/second".clone_into(&mut shield.ring);
    }
    let alone = both.clone();
    both.pools.extend(first.pools.clone());
    both.shields.extend(first.shields.clone());
    ask(edge.address, "/a").await.unwrap().expect(200, "MISS");
    world.all_settled().await;

    local.apply(both).await.unwrap();
    let now = local.edges.list();
    let names = now.iter().map(|edge| edge.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["lab-0", "second-lab-0"]);
    assert!(Arc::ptr_eq(&now[0].node, &edge.node));
    assert!(Arc::ptr_eq(&local.shields.list()[0].node, &shield.node));
    ask(edge.address, "/a").await.unwrap().expect(200, "HIT");
    let other = now[1].clone();
    let request = Request::get("/a").field("host", "two.example.com");
    ask(other.address, &request).await.unwrap().expect(200, "MISS");
    world.all_settled().await;

    local.apply(alone).await.unwrap();
    ask(other.address, &request).await.unwrap().expect(200, "HIT");
    assert_eq!(local.edges.list()[0].name, "second-lab-0");
    assert_eq!(local.shields.list()[0].name, "second-shield-0");
    assert!(ask(edge.address, "/a").await.is_err());
}

#[tokio::test]
async fn what_cannot_be_run_changes_nothing() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    let local = world.local.as_ref().unwrap();
    let many = Setup::new(&origin).spec(json!({ "pops": [{ "name": "lab", "replicas": 60 }] }));
    let error = local.apply(many.pools().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("60"), "{error}");
    assert!(local.apply(Vec::new()).await.is_err());
    assert_eq!(local.edges.list().len(), 1);
    world.ask("/a").await.expect(200, "MISS");
}

#[tokio::test]
async fn an_origin_that_is_none_starts_nothing() {
    let origin = Origin::start().await.unwrap();
    let pools = Setup::new(&origin).pools().unwrap();
    let settings = local::Settings {
        ports: local::Ports::Free,
        origin: Some("ftp://example.com".into()),
        token: None,
        dns: None,
        clock: runtime::Clock::system(),
    };
    let error = local::World::start(pools, settings).await.err().unwrap().to_string();
    assert!(error.contains("ftp://example.com"), "{error}");
}

#[tokio::test]
async fn new_limits_apply_without_a_restart() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::ok("taken"));
    let upload = Request::new("PUT", "/a").body(vec![b'u'; 2000]);
    world.ask(&upload).await.expect_status(200);
    let changed = Setup::new(&origin).limits(json!({ "maxBodySize": "1Ki" }));
    world.local.as_ref().unwrap().apply(changed.pools().unwrap()).await.unwrap();
    world.ask(&upload).await.expect_status(413);
}

#[tokio::test]
async fn when_a_newcomers_port_is_taken_everything_stays_as_it_was() {
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::fresh(60, "a"));
    let clock = runtime::Clock::system();
    let mut started = None;
    for _ in 0..20 {
        let first =
            std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = local::Settings {
            ports: local::Ports::From(first.min(65_000)),
            origin: Some(origin.url()),
            token: None,
            dns: None,
            clock: clock.clone(),
        };
        let taken = std::net::TcpListener::bind(("127.0.0.1", first.min(65_000) + 2));
        let world = local::World::start(Setup::new(&origin).pools().unwrap(), settings).await;
        if let (Ok(taken), Ok(world)) = (taken, world) {
            started = Some((taken, world));
            break;
        }
    }
    let (_taken, world) = started.unwrap();
    let more = Setup::new(&origin)
        .site(json!({ "debugHeaders": "Never" }))
        .spec(json!({ "pops": [{ "name": "lab", "replicas": 2 }] }));
    let error = world.apply(more.pools().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("lab-1"), "{error}");
    let edges = world.edges.list();
    assert_eq!(edges.len(), 1);
    ask(edges[0].address, "/a").await.unwrap().expect(200, "MISS");
}
