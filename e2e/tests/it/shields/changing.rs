//! The fleet changes under load, and no request fails for it.

use e2e::client::{Answer, HOST};
use e2e::origin::{Origin, pattern};
use e2e::world::{Setup, World};
use serde_json::json;
use upstream::HashRing;
use upstream::ring::hash_key;

use super::{Load, each, order, setup, sum, tagged};

const PATHS: usize = 60;
const SIZE: usize = 20_000;

/// An origin whose every path has a body of its own.
async fn bodies() -> Origin {
    let origin = Origin::start().await.unwrap();
    origin.on("*", |asked| tagged(body(&asked.target)));
    origin
}

fn body(path: &str) -> bytes::Bytes {
    pattern(path[1..].parse::<u64>().unwrap_or_default() * 1000, SIZE)
}

fn check(path: &str, answer: &Answer) {
    answer.expect_status(200).expect_body(body(path));
}

fn asked(origin: &Origin) -> usize {
    (0..PATHS).map(|n| origin.count(&format!("/{n}"))).sum()
}

async fn apply(world: &World, setup: &Setup) {
    world.local.as_ref().unwrap().apply(setup.wanted().unwrap()).await.unwrap();
}

fn names(world: &World) -> Vec<String> {
    world.shields().into_iter().map(|shield| shield.name).collect()
}

/// How many of the paths the ring of shields gives to a node.
fn owned_by(node: &proxy::Node) -> u64 {
    let fleet = node.fleet().unwrap();
    let ring = HashRing::new(&fleet.rings["shield/main"].members);
    let owner = |n: usize| {
        let key = format!("http://{HOST}/{n}");
        &ring.members()[ring.owner(hash_key(key.as_bytes())).unwrap()].name
    };
    (0..PATHS).filter(|n| *owner(*n) == node.name).count() as u64
}

/// What the edges cannot keep comes from the shields, which is where the load goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shields_come_and_go_and_the_origin_hears_little_of_it() {
    let origin = bodies().await;
    let with = |replicas: u32| {
        setup(&origin, "Independent")
            .real_time()
            .cache(json!({ "memory": "1Mi", "maxObjectSize": "1Ki" }))
            .spec(json!({ "peering": { "ramp": "500ms" } }))
            .shield(json!({ "replicas": replicas }))
    };
    let world = with(2).start().await.unwrap();
    let load = Load::start(&world.edges(), PATHS, check).await;
    load.more(PATHS * 8).await;
    assert_eq!(asked(&origin), PATHS);
    apply(&world, &with(3)).await;
    assert_eq!(names(&world), ["shield-0", "shield-1", "shield-2"]);
    // Until the newcomer has taken over all of its keys.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    load.more(PATHS * 8).await;
    let newcomer = world.shields().remove(2).node;
    let held = newcomer.cache.stats().objects;
    let owned = owned_by(&newcomer);
    assert!(owned > 0, "the newcomer owns nothing");
    assert_eq!(held, owned);
    let grown = asked(&origin) - PATHS;
    let inherited = sum(std::slice::from_ref(&newcomer), "cdn_ring_inherited_total");
    println!(
        "2 to 3: {owned} objects at the newcomer, {inherited} inherited, {grown} of the origin"
    );
    assert!(grown <= PATHS / 10, "{grown} of {PATHS} were fetched again");
    apply(&world, &with(1)).await;
    assert_eq!(names(&world), ["shield-0"]);
    load.more(PATHS * 8).await;
    let shrunk = asked(&origin) - PATHS - grown;
    println!("3 to 1: {shrunk} of {PATHS} from the origin");
    // Once for each that went with the leavers, and the one that stays has some of them.
    assert!((1..PATHS).contains(&shrunk), "{shrunk} of {PATHS}");
    let answers = load.stop().await;
    println!(
        "{answers} answers, {} past the shields",
        sum(&world.nodes(), "cdn_shield_bypassed_total")
    );
    assert_eq!(world.shields()[0].node.cache.stats().objects, PATHS as u64);
}

/// How many responses to paths that begin so are stored at all edges together.
fn copies_of(world: &World, prefix: &str) -> usize {
    let key = format!("http://{HOST}{prefix}");
    let of = |edge: &local::Server| {
        let entries = edge.node.cache.entries(None, 10_000).0;
        let found = entries.iter().filter(|entry| entry.key.starts_with(key.as_bytes()));
        found.map(|entry| entry.variants.len()).sum::<usize>()
    };
    world.local.as_ref().unwrap().edges.list().iter().map(of).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edges_become_peers_and_cease_to_be() {
    let origin = bodies().await;
    let with = |mode: &str| setup(&origin, mode).real_time();
    let world = with("Independent").start().await.unwrap();
    let load = Load::start(&world.edges(), PATHS, check).await;
    load.more(PATHS * 8).await;
    for (turn, (mode, copies)) in
        [("Peer", 3), ("Independent", 6), ("Peer", 3)].into_iter().enumerate()
    {
        apply(&world, &with(mode)).await;
        load.more(200).await;
        // Nobody has these yet.
        for n in 0..20 {
            for answer in each(&world, &format!("/new-{turn}-{n}")).await {
                answer.expect_status(200);
            }
        }
        world.all_settled().await;
        assert_eq!(copies_of(&world, &format!("/new-{turn}-")), 20 * copies, "{mode}");
    }
    load.stop().await;
    assert_eq!(asked(&origin), PATHS);
}

/// An edge that leaves its place is in nobody's way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_leaves_without_a_request_that_fails() {
    let origin = bodies().await;
    let with = |replicas: u32| {
        let pops = json!([{ "name": "fra", "replicas": replicas }]);
        setup(&origin, "Peer").real_time().spec(json!({ "pops": pops }))
    };
    let world = with(3).start().await.unwrap();
    let stay = world.edges()[..2].to_vec();
    let load = Load::start(&stay, PATHS, check).await;
    load.more(PATHS * 5).await;
    let leaver = world.local.as_ref().unwrap().edges.list().remove(2);
    assert!(leaver.node.cache.stats().objects > 0, "it owned nothing");
    apply(&world, &with(2)).await;
    load.more(PATHS * 5).await;
    load.stop().await;
    assert_eq!(world.edges(), stay);
    // What it owned, the shields still have.
    assert_eq!(asked(&origin), PATHS);
    assert!(e2e::client::Client::connect(leaver.address).await.is_err());
}

/// Whoever leaves has the names of those who come: they follow each other, in the log as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_another_name_is_another_pool() {
    let origin = bodies().await;
    let setup = setup(&origin, "Peer");
    let world = setup.start().await.unwrap();
    for answer in each(&world, "/1").await {
        check("/1", &answer);
    }
    let mut other = setup.wanted().unwrap();
    "other".clone_into(&mut other.pools[0].name);
    "other".clone_into(&mut other.pools[0].snapshot.pool);
    let before = world.nodes();
    world.local.as_ref().unwrap().apply(other).await.unwrap();
    let after = world.nodes();
    let names = |nodes: &[std::sync::Arc<proxy::Node>]| {
        nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&before), names(&after));
    let fleet = after[0].fleet().unwrap();
    let rings = ["pop/other/fra", "pop/other/iad", "pop/other/sin", "shield/main"];
    assert_eq!(fleet.rings.keys().collect::<Vec<_>>(), rings);
    assert!(fleet.rings.values().all(|ring| ring.members.len() == 2), "{fleet:#?}");
    // The edges are new and know nothing; the shields are the same.
    for (n, (before, after)) in before.iter().zip(&after).enumerate() {
        assert_eq!(std::sync::Arc::ptr_eq(before, after), n >= 6, "{}", after.name);
        assert_eq!(after.fleet().as_ref(), Some(&fleet));
    }
    for answer in each(&world, "/1").await {
        check("/1", &answer);
    }
    assert_eq!(asked(&origin), 1);
    let report = order(&world, "POST", "/purge", r#"{"tag":"one"}"#).await;
    assert_eq!(report["nodes"].as_array().unwrap().len(), 8, "{report:#}");
}
