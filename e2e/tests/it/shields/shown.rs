//! What `local` shows of its shields.

use std::net::TcpListener;

use e2e::client::{Answer, Request, ask};
use e2e::origin::Origin;
use e2e::program::Program;
use e2e::world::{SHIELD, TOKEN, World};
use serde_json::{Value, json};

use super::{each, setup, tagged};
use crate::processes::replace;

async fn admin(world: &World, path: &str) -> Answer {
    let request = Request::get(path).field("authorization", &format!("Bearer {TOKEN}"));
    let answer = ask(world.local.as_ref().unwrap().status, request).await.unwrap();
    answer.expect_status(200);
    answer
}

async fn read(world: &World, path: &str) -> Value {
    serde_json::from_slice(&admin(world, path).await.body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shields_are_counted_scraped_and_looked_into_like_edges() {
    let origin = Origin::start().await.unwrap();
    origin.always("*", tagged("a"));
    let world = setup(&origin, "Independent").start().await.unwrap();
    each(&world, "/a").await;
    world.all_settled().await;
    let status = read(&world, "/status").await;
    let shields = status["shields"].as_array().unwrap();
    let of = |name: &str| shields.iter().map(|shield| shield[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("name"), ["shield-0", "shield-1"]);
    assert_eq!(of("pool"), [SHIELD, SHIELD]);
    let objects: u64 = of("objects").iter().filter_map(Value::as_u64).sum();
    let hits: u64 = of("hits").iter().filter_map(Value::as_u64).sum();
    assert_eq!((objects, hits), (1, 5), "{status:#}");
    // Everybody knows of the same fleet.
    let fleets = |tier: &str| {
        status[tier].as_array().unwrap().iter().map(|s| s["fleet"].clone()).collect::<Vec<_>>()
    };
    let fleet = world.node.fleet().unwrap();
    assert_eq!(fleets("edges"), vec![json!(fleet.version); 6]);
    assert_eq!(fleets("shields"), vec![json!(fleet.version); 2]);
    assert_eq!(fleet.rings.keys().collect::<Vec<_>>(), ["shield/main"]);

    let metrics = admin(&world, "/metrics").await.text();
    let labels = ["node=\"shield-0\"".to_owned(), format!("shield=\"{SHIELD}\"")];
    let is_it = |line: &str| {
        line.starts_with("cdn_requests_total{") && labels.iter().all(|label| line.contains(label))
    };
    assert!(metrics.lines().any(is_it), "{metrics}");
    let page = admin(&world, "/").await.text();
    assert!(page.contains("shield-1") && page.contains("fra-0"), "{page}");
    let mut held = 0;
    for n in 0..2 {
        let entries = read(&world, &format!("/shields/shield-{n}/debug/entries")).await;
        held += entries["entries"].as_array().unwrap().len();
    }
    assert_eq!(held, 1);
    let log = read(&world, "/log").await;
    let roles: Vec<_> = log["nodes"].as_array().unwrap().iter().map(|n| &n["role"]).collect();
    assert_eq!(roles.iter().filter(|role| **role == "shield").count(), 2, "{log:#}");
    assert_eq!(roles.iter().filter(|role| **role == "edge").count(), 6, "{log:#}");
}

/// It is there for the day that a pool names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shield_that_nobody_uses_runs_until_somebody_does() {
    let origin = Origin::start().await.unwrap();
    origin.always("*", tagged("a"));
    let used = setup(&origin, "Independent");
    let mut idle = used.wanted().unwrap();
    for pool in &mut idle.pools {
        pool.snapshot.sites.iter_mut().for_each(|site| site.shield = None);
    }
    idle.shields.iter_mut().for_each(|shield| shield.snapshot.sites.clear());
    let world = used.start().await.unwrap();
    let local = world.local.as_ref().unwrap();
    local.apply(idle).await.unwrap();
    assert_eq!(world.shields().len(), 2);
    for answer in each(&world, "/a").await {
        answer.expect_status(200);
    }
    assert_eq!(origin.count("/a"), 6);
    local.apply(used.wanted().unwrap()).await.unwrap();
    for answer in each(&world, "/b").await {
        answer.expect_status(200);
    }
    assert_eq!(origin.count("/b"), 1);
}

/// A base port with all that is laid out from it free, below those that outgoing connections take.
fn free_layout() -> u16 {
    let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let bases = (0..300).map(|n| 10_000 + (std::process::id() % 300 + n) % 300 * 70);
    let mut bases = bases.map(|base| u16::try_from(base).unwrap());
    bases.find(|base| (*base..base + 64).all(free)).expect("no free ports")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_runs_shields_and_says_where_newcomers_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cdn.yaml");
    let origin = Origin::start().await.unwrap();
    origin.always("*", tagged("a"));
    let setup = setup(&origin, "Peer");
    std::fs::write(&path, setup.manifest()).unwrap();
    let port = free_layout();
    let (file, base) = (path.display().to_string(), port.to_string());
    let arguments = [&*file, "--origin", &origin.url(), "--base-port", &base];
    let mut program = Program::start("local", &arguments).unwrap();
    program.line("Blue Origin is running").await.unwrap();
    let line = program.line("shield-1").await.unwrap();
    let at = |offset: u16| format!("http://127.0.0.1:{}", port + offset);
    assert!(line.contains(&at(61)) && line.contains("shield main"), "{line}");
    let answer = ask(([127, 0, 0, 1], port + 6).into(), "/a").await.unwrap();
    answer.expect_status(200).expect_body("a");
    assert!(answer.field("via").starts_with("1.1 shield-"), "{answer:#?}");
    replace(&path, &setup.shield(json!({ "replicas": 3 })).manifest());
    program.line("the new version runs").await.unwrap();
    let line = program.line("shield-2").await.unwrap();
    assert!(line.contains(&at(62)), "{line}");
    program.terminate().unwrap();
    let (code, output) = program.end().await.unwrap();
    assert_eq!(code, Some(0), "{output}");
}
