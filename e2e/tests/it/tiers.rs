//! Positions between tiers: what makes one purge enough where two caches stand behind each other (I8).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use bus::{Bus, EmbeddedBus};
use e2e::client::{Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, World};
use proxy::Node;
use serde_json::json;
use tokio::task::JoinSet;
use wire::invalidation::How;

use crate::lines::FaultyLine;
use crate::nodes::{self, follow, node, order, serve, shield, tag, to_shield, until, versions};

/// One edge, one shield, an origin whose version counts up, and the log between them.
struct Tiers {
    origin: Origin,
    version: Arc<AtomicU32>,
    edge: Arc<Node>,
    shield: Arc<Node>,
    address: SocketAddr,
    log: EmbeddedBus,
    shields_line: EmbeddedBus,
    orders: AtomicU32,
}

impl Tiers {
    async fn start() -> Self {
        let log = nodes::log();
        let shields_line = log.join();
        Self::start_with(log, shields_line.clone(), Arc::new(shields_line)).await
    }

    /// The same with something between the shield and its line.
    async fn start_with(
        log: EmbeddedBus,
        shields_line: EmbeddedBus,
        shields: Arc<dyn Bus>,
    ) -> Self {
        let origin = Origin::start().await.unwrap();
        let version = versions(&origin);
        let (edge, shield) = (node(&origin, json!({})), shield(&origin));
        let address = serve(edge.clone(), to_shield(&shield));
        follow(&edge, Arc::new(log.join()), "edge").await;
        follow(&shield, shields, "shield").await;
        let orders = AtomicU32::new(0);
        Self { origin, version, edge, shield, address, log, shields_line, orders }
    }

    /// The version that a client is given, and what the edge says of it.
    async fn get(&self) -> (String, String) {
        let request = Request::get("/a").field("x-cdn-debug", "1");
        let answer = ask(self.address, request).await.unwrap();
        answer.expect_status(200).expect_no("x-cdn-seq");
        (answer.text(), answer.field("x-cache").to_owned())
    }

    async fn stored(&self) {
        self.get().await;
        while self.get().await.1 != "HIT" {}
    }

    /// The origin changes, and then somebody says so.
    async fn change(&self, how: How) {
        self.version.fetch_add(1, SeqCst);
        let number = self.orders.fetch_add(1, SeqCst);
        let order = order(&format!("o{number}"), tag(), how);
        let at = self.log.publish(&order).await.unwrap().seq;
        while self.edge.cache.applied() < at {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn one_purge_is_enough_for_both_tiers() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    for version in 2..12 {
        tiers.change(How::Hard).await;
        // The shield may or may not have heard of it by now: it is asked for what is newer.
        assert_eq!(tiers.get().await.0, format!("v{version}"));
        assert_eq!(tiers.get().await.0, format!("v{version}"));
    }
    assert_eq!(tiers.origin.count("/a"), 11);
}

#[tokio::test]
async fn a_shield_that_is_behind_goes_past_its_store() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    tiers.shields_line.faults().cut();
    tiers.change(How::Hard).await;
    assert_eq!(tiers.get().await, ("v2".into(), "MISS".into()));
    // The edge may keep it: the origin was asked after the order.
    assert_eq!(tiers.get().await, ("v2".into(), "HIT".into()));
    assert_eq!(tiers.shield.cache.stats().objects, 1);
    tiers.shields_line.faults().heal();
    tiers.change(How::Hard).await;
    assert_eq!(tiers.get().await.0, "v3");
}

#[tokio::test]
async fn what_is_stale_by_a_soft_order_is_validated_before_an_edge_gets_it() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    tiers.change(How::Soft).await;
    assert_eq!(tiers.get().await, ("v1".into(), "STALE".into()));
    for _ in 0..500 {
        let (version, word) = tiers.get().await;
        if word == "HIT" {
            assert_eq!(version, "v2");
            return;
        }
        assert_eq!((version.as_str(), word.as_str()), ("v1", "STALE"));
    }
    panic!("it is never refreshed");
}

#[tokio::test]
async fn the_position_crosses_no_border() {
    let tiers = Tiers::start().await;
    let request = Request::get("/a").field("x-cdn-seq", "forged/9-9");
    let answer = ask(tiers.address, request).await.unwrap();
    answer.expect_status(200).expect_no("x-cdn-seq").expect_no("surrogate-key");
    assert_eq!(tiers.origin.last("/a").fields.get("x-cdn-seq"), None);
    // Tags do cross between tiers: without them the edge could not be purged.
    tiers.change(How::Hard).await;
    assert_eq!(tiers.get().await.0, "v2");
}

/// The origin errs once, and the shield stands in with what is stale: no news for the edge to keep.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_shield_stands_in_with_is_not_fresh_at_the_edge() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    until("the shield has it", || tiers.shield.cache.stats().flights == 0).await;
    let failing = Reply::status(503).field("cache-control", "no-store");
    tiers.origin.always("*", failing);
    tiers.change(How::Soft).await;
    until("the shield follows", || tiers.shield.cache.applied() >= tiers.edge.cache.applied())
        .await;
    tiers.get().await;
    tiers.origin.was_asked("/a", 2).await.unwrap();
    until("the refresh is over", || tiers.edge.cache.stats().flights == 0).await;
    tiers.origin.always("*", Reply::fresh(60, "v2").field("surrogate-key", "one"));
    for _ in 0..100 {
        if tiers.get().await.0 == "v2" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the edge keeps what the shield stood in with");
}

/// A tier in the middle knows no more of an answer than the tier that gave it.
#[tokio::test]
async fn a_node_in_the_middle_does_not_vouch_for_what_another_answered() {
    let origin = Origin::start().await.unwrap();
    versions(&origin);
    let log = nodes::log();
    let middle = node(&origin, json!({}));
    // What it takes for a shield speaks of a log that nobody here knows.
    let address = nodes::serve_tiers(middle.clone(), nodes::to_tier(&origin.url()));
    follow(&middle, Arc::new(log.join()), "edge").await;
    let here = log.publish(&order("o", tag(), How::Hard)).await.unwrap();
    until("it follows", || middle.cache.applied() >= here.seq).await;
    let asks = |path: &str| Request::get(path).field("x-cdn-seq", &here.to_string());
    // Not stored, and past the store.
    for request in [asks("/a"), asks("/a").field("cache-control", "no-store")] {
        let answer = ask(address, request).await.unwrap();
        answer.expect_status(200).expect_field("x-cdn-seq", "forged/9-9");
    }
    // What it asked an origin for since then is another matter.
    let at_origin = nodes::serve_tiers(middle, proxy::Origins::default());
    let answer = ask(at_origin, asks("/b")).await.unwrap();
    answer.expect_status(200).expect_field("x-cdn-seq", &here.to_string());
}

/// What nobody could vouch for leaves a mark at first, which must not outlast the cause.
#[tokio::test(flavor = "multi_thread")]
async fn an_edge_stores_again_once_its_log_is_there() {
    let origin = Origin::start().await.unwrap();
    versions(&origin);
    let log = nodes::log();
    let (edge, shield) = (node(&origin, json!({})), shield(&origin));
    let address = serve(edge.clone(), to_shield(&shield));
    follow(&shield, Arc::new(log.join()), "shield").await;
    let request = Request::get("/a").field("x-cdn-debug", "1");
    ask(address, request.clone()).await.unwrap().expect(200, "MISS");
    follow(&edge, Arc::new(log.join()), "edge").await;
    for _ in 0..100 {
        let answer = ask(address, request.clone()).await.unwrap();
        if answer.field("x-cache") == "HIT" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the edge stores nothing");
}

/// Each of the edge's requests asks the shield to look for news at once.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_ask_for_more_do_not_keep_a_shield_from_reading() {
    let log = nodes::log();
    let shields_line = log.join();
    let slow = FaultyLine::slow(shields_line.clone(), Duration::from_millis(30));
    let tiers = Tiers::start_with(log, shields_line, Arc::new(slow)).await;
    tiers.change(How::Hard).await;
    let wanted = tiers.edge.cache.applied();
    let address = tiers.address;
    let mut asking = JoinSet::new();
    // More often than a look takes, and each for something else.
    let mut number = 0;
    while tiers.shield.cache.applied() < wanted {
        number += 1;
        assert!(number < 600, "the shield hears of nothing");
        let request = Request::get(&format!("/x{number}"));
        asking.spawn(async move { ask(address, request).await.unwrap().status });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while let Some(status) = asking.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
}

/// An edge and a shield in front of `reply`.
async fn two(
    reply: impl Fn(&e2e::origin::Asked) -> Reply + Send + Sync + 'static,
) -> (Origin, World) {
    let origin = Origin::start().await.unwrap();
    origin.on("*", reply);
    let world = Setup::new(&origin).shield(json!({ "replicas": 1 })).start().await.unwrap();
    (origin, world)
}

/// The shield is asked for the site's host, and told with which port the client asked for it.
//= rfc9111#4.4
#[tokio::test]
async fn a_change_reaches_what_is_named_with_the_clients_port_in_both_tiers() {
    let (_origin, world) = two(|asked| match asked.method.as_str() {
        "GET" => Reply::fresh(60, asked.number.to_string()),
        _ => Reply::status(201).field("location", "http://cdn.example.com:18080/made"),
    })
    .await;
    world.ask("/made").await.expect(200, "MISS").expect_body("1");
    world.all_settled().await;
    let post = |host: &str| Request::new("POST", "/x").field("host", host).body("x");
    world.ask(post("cdn.example.com:9")).await.expect(201, "PASS");
    world.ask("/made").await.expect(200, "HIT").expect_body("1");
    world.ask(post("cdn.example.com:18080")).await.expect(201, "PASS");
    world.ask("/made").await.expect(200, "MISS").expect_body("2");
}

/// The shield stands in for the origin, and the edge has the same already: it is as stale there.
#[tokio::test]
async fn what_a_shield_stands_in_with_is_marked_when_the_edge_has_it_too() {
    let (_origin, world) = two(|asked| match asked.number {
        1 => Reply::fresh(10, "a").field("etag", "\"one\""),
        _ => Reply::status(503),
    })
    .await;
    world.ask("/a").await.expect(200, "MISS").expect_no("x-cdn-stale");
    world.all_settled().await;
    world.pass_seconds(20);
    let stale = world.ask("/a").await;
    stale.expect_status(200).expect_body("a").expect_field("x-cdn-stale", "origin-error");
}
