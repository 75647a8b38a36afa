//! When a node trusts what it has stored: lease, goodbye, and what is asked while it is cut off (I7).

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use bus::{Bus, EmbeddedBus};
use e2e::client::{Client, Request, ask};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use proxy::Origins;
use serde_json::{Value, json};
use wire::invalidation::How;

use crate::lines::FaultyLine;
use crate::nodes::{
    self, complete, config, follow, get, node, order, serve, store, tag, until, versions,
};

/// Trusts its store for as long as others may believe that it follows.
fn leased() -> Value {
    json!({ "invalidation": { "onLogLoss": "Revalidate", "lease": "1s" } })
}

/// Nobody waits for a node that said goodbye, and its connections may live a while yet.
#[tokio::test(flavor = "multi_thread")]
async fn after_its_goodbye_a_node_answers_nothing_from_its_store_unasked() {
    let origin = Origin::start().await.unwrap();
    let version = versions(&origin);
    let gate = Gate::closed();
    let slow = Reply::status(200).then("a").then_after(&gate).then("b");
    origin.always("/slow", slow.field("cache-control", "no-store"));
    let log = nodes::log();
    let edge = node(&origin, json!({}));
    let address = serve(edge.clone(), Origins::default());
    let follower = follow(&edge, Arc::new(log.join()), "edge").await;
    store(&edge, address, "/a").await;
    let mut client = Client::connect(address).await.unwrap();
    client.send(Request::get("/slow")).await.unwrap();
    client.head().await.unwrap();
    edge.drain.run_down(Duration::from_secs(1)).await;
    // Closed, but still serving: it follows.
    version.store(2, SeqCst);
    let at = log.publish(&order("p1", tag(), How::Hard)).await.unwrap();
    complete(&log, &at).await;
    gate.open();
    client.body(1 << 20).await.unwrap();
    let answer = client.ask(Request::get("/a")).await.unwrap();
    answer.expect_status(200).expect_body("v2");
    // Gone, though somebody asks once more.
    follower.leave();
    left(&log).await;
    version.store(3, SeqCst);
    log.publish(&order("p2", tag(), How::Hard)).await.unwrap();
    if let Ok(answer) = client.ask(Request::get("/a")).await {
        answer.expect_status(200).expect_body("v3");
    }
}

async fn left(log: &EmbeddedBus) {
    for _ in 0..500 {
        if log.members().await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("it never says goodbye");
}

/// A fetch that began before an order that the node does not know of is nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn cut_off_nobody_waits_for_what_another_asked_before_an_order() {
    let origin = Origin::start().await.unwrap();
    let version = versions(&origin);
    let log = nodes::log();
    let line = log.join();
    let edge = node(&origin, leased());
    let address = serve(edge.clone(), Origins::default());
    follow(&edge, Arc::new(line.clone()), "edge").await;
    line.faults().cut();
    let at = log.publish(&order("p", tag(), How::Hard)).await.unwrap();
    complete(&log, &at).await;
    let gate = Gate::closed();
    let old = Reply::fresh(60, "v1").field("surrogate-key", "one").after(&gate);
    origin.always("/a", old);
    let first = tokio::spawn(async move { ask(address, Request::get("/a")).await.unwrap().text() });
    origin.was_asked("/a", 1).await.unwrap();
    version.store(2, SeqCst);
    origin.always("/a", Reply::fresh(60, "v2").field("surrogate-key", "one"));
    let at = log.publish(&order("q", tag(), How::Hard)).await.unwrap();
    complete(&log, &at).await;
    // It would hang on the gate if it waited for the first.
    let second = ask(address, Request::get("/a"));
    let second = tokio::time::timeout(Duration::from_secs(3), second).await.unwrap().unwrap();
    second.expect_status(200).expect_body("v2");
    gate.open();
    assert_eq!(first.await.unwrap(), "v1");
}

/// What was asked while nothing could be vouched for stays so, though the log is back with the answer.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_purged_does_not_stand_in_for_an_error_when_the_log_is_back() {
    let origin = Origin::start().await.unwrap();
    versions(&origin);
    let log = nodes::log();
    let line = log.join();
    let edge = node(&origin, leased());
    let address = serve(edge.clone(), Origins::default());
    follow(&edge, Arc::new(line.clone()), "edge").await;
    store(&edge, address, "/a").await;
    line.faults().cut();
    let at = log.publish(&order("p", tag(), How::Hard)).await.unwrap();
    complete(&log, &at).await;
    let gate = Gate::closed();
    let failing = Reply::status(503).field("cache-control", "no-store");
    origin.always("/a", failing.after(&gate));
    let before = origin.count("/a");
    let asking = tokio::spawn(async move { get(address, "/a").await });
    origin.was_asked("/a", before + 1).await.unwrap();
    line.faults().heal();
    until("the order is applied", || edge.cache.applied() >= at.seq).await;
    gate.open();
    asking.await.unwrap().expect_status(503);
}

/// Others heard of the lease in a heartbeat whose answer the node never got.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_others_may_have_heard_of_counts() {
    let origin = Origin::start().await.unwrap();
    let version = versions(&origin);
    let log = nodes::log();
    let edge = node(&origin, json!({}));
    let address = serve(edge.clone(), Origins::default());
    let (line, deaf) = FaultyLine::deaf(log.join());
    follow(&edge, Arc::new(line), "edge").await;
    store(&edge, address, "/a").await;
    deaf.store(true, SeqCst);
    edge.reload(config(&origin, leased(), json!({})));
    version.store(2, SeqCst);
    // The heartbeat that tells of the lease, and the one whose answer is lost.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let at = log.publish(&order("p", tag(), How::Hard)).await.unwrap();
    complete(&log, &at).await;
    get(address, "/a").await.expect_status(200).expect_body("v2");
}
