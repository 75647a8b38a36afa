//! Orders of the log beside what else happens at one node: changes, reloads, orders of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use bus::Bus;
use e2e::client::{Client, HOST, Request, ask};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use proxy::Origins;
use runtime::Clock;
use semantics::Timestamp;
use serde_json::json;
use wire::invalidation::{Ban, How, Pattern, Target, Url};

use crate::nodes::{
    self, complete, config, follow, get, node, order, serve, store, tag, until, versions,
};

/// The answer to a POST can be stored for GETs, as it was when the POST was sent.
#[tokio::test]
async fn the_answer_to_a_post_that_an_order_overtook_is_not_stored() {
    let origin = Origin::start().await.unwrap();
    let gate = Gate::closed();
    let closed = gate.clone();
    origin.on("/a", move |asked| match asked.method.as_str() {
        "POST" => Reply::fresh(60, "old")
            .field("surrogate-key", "one")
            .field("content-location", "/a")
            .after(&closed),
        _ => Reply::fresh(60, "new").field("surrogate-key", "one"),
    });
    let log = nodes::log();
    let edge = node(&origin, json!({}));
    let address = serve(edge.clone(), Origins::default());
    follow(&edge, Arc::new(log.join()), "edge").await;
    let post = Request::new("POST", "/a").body("x");
    let post = tokio::spawn(async move { ask(address, post).await.unwrap() });
    origin.was_asked("/a", 1).await.unwrap();
    log.publish(&order("p", tag(), How::Hard)).await.unwrap();
    let url = Url { host: HOST.into(), path: "/a".into() };
    let at = log.publish(&order("q", Target::Urls(vec![url]), How::Hard)).await.unwrap();
    until("the orders are applied", || edge.cache.applied() >= at.seq).await;
    gate.open();
    post.await.unwrap().expect_status(200).expect_body("old");
    until("the answer is dealt with", || edge.cache.stats().flights == 0).await;
    get(address, "/a").await.expect(200, "MISS").expect_body("new");
}

/// What nothing of the log follows must be forgotten all the same.
#[tokio::test]
async fn groups_that_end_do_not_pile_up() {
    let origin = Origin::start().await.unwrap();
    let reply = Reply::ok("x").field("cache-control", "no-store");
    origin.always("*", reply.field("cache-group-invalidation", "\"a\", \"b\""));
    let log = nodes::log();
    let edge = node(&origin, json!({}));
    let address = serve(edge.clone(), Origins::default());
    follow(&edge, Arc::new(log.join()), "edge").await;
    // While a fill is under way that may bring what they are about, they are remembered.
    let gate = Gate::closed();
    let held = gate.clone();
    origin.on("/slow", move |_| Reply::fresh(60, "slow").after(&held));
    let slow = tokio::spawn(async move { ask(address, Request::get("/slow")).await.unwrap() });
    origin.was_asked("/slow", 1).await.unwrap();
    let mut client = Client::connect(address).await.unwrap();
    for _ in 0..50 {
        client.ask(Request::new("POST", "/p").body("x")).await.unwrap().expect_status(200);
    }
    assert_eq!(edge.cache.stats().orders, 100);
    gate.open();
    slow.await.unwrap().expect_status(200);
    until("the orders are forgotten", || edge.cache.stats().orders == 0).await;
}

/// Given to the node while the log was away, and to the log when it was back.
#[tokio::test]
async fn a_ban_that_came_twice_is_lifted_once() {
    let origin = Origin::start().await.unwrap();
    let log = nodes::log();
    let edge = node(&origin, json!({}));
    follow(&edge, Arc::new(log.join()), "edge").await;
    let path = Some(Pattern::Prefix("/a".into()));
    let ban = Ban { id: "b".into(), host: None, path, headers: Vec::new(), ttl_ms: 3_600_000 };
    let ban = order("b", Target::Ban(ban), How::Hard);
    proxy::follow::apply_here(&edge, &ban).unwrap();
    let at = log.publish(&ban).await.unwrap();
    until("the ban is applied", || edge.cache.applied() >= at.seq).await;
    let now = || Timestamp::from_millis(Clock::system().now_millis());
    assert_eq!(edge.cache.bans(now()).len(), 1);
    let lift = order("l", Target::Lift("b".into()), How::Hard);
    let at = log.publish(&lift).await.unwrap();
    until("the lift is applied", || edge.cache.applied() >= at.seq).await;
    assert!(edge.cache.bans(now()).is_empty());
}

/// A purge of its URLs is acknowledged while the site is away, and must hold when it is back.
#[tokio::test]
async fn a_site_that_was_away_for_a_purge_comes_back_purged() {
    let origin = Origin::start().await.unwrap();
    let version = versions(&origin);
    let log = nodes::log();
    let edge = node(&origin, json!({}));
    let address = serve(edge.clone(), Origins::default());
    follow(&edge, Arc::new(log.join()), "edge").await;
    store(&edge, address, "/a").await;
    edge.reload(config(&origin, json!({}), json!({ "hosts": ["other.example.com"] })));
    version.store(2, SeqCst);
    let url = Url { host: HOST.into(), path: "/a".into() };
    let at = log.publish(&order("p", Target::Urls(vec![url]), How::Hard)).await.unwrap();
    complete(&log, &at).await;
    edge.reload(config(&origin, json!({}), json!({})));
    get(address, "/a").await.expect_status(200).expect_body("v2");
}
