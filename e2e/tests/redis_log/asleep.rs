//! A node sleeps longer than the log remembers.

use std::time::Duration;

use e2e::origin::Origin;
use e2e::redis::Redis;
use serde_json::json;

use crate::fleet::{Edge, Fleet, eventually};
use crate::orders::{Order, What, all_complete, named};
use crate::traffic::Traffic;
use crate::truth::{GROUPS, PAGES, Truth, path};

/// Never purged: whoever asks again for it finds it stored, unless everything went.
const KEPT: usize = PAGES - 1;

/// Cuts the log behind those who are awake: what is trimmed before they read it is a gap to them, too.
async fn trim(redis: &Redis, awake: &[Edge]) {
    let mut read = Vec::new();
    for edge in awake {
        read.push(edge.applied().await);
    }
    let least = read.iter().min().unwrap();
    redis
        .command(&["XTRIM", Redis::LOG, "MINID", "=", &format!("{}-{}", least.ms, least.n)])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_slept_past_the_trim_empties_itself_and_until_then_is_named() {
    let redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let fleet = Fleet::start(&origin, json!({}), &[redis.url(), redis.url(), redis.url()]).await;
    let desks = fleet.desks();
    let first = Order::send(&truth, desks[2], What::Page(0), "wait=10").await;
    assert_eq!(first.status, 200, "{:#}", first.first);
    for edge in &fleet.0 {
        eventually("stored", async || edge.get(&path(KEPT)).await.field("x-cache") == "HIT").await;
    }
    let traffic = Traffic::start(&truth, &fleet.0);
    tokio::time::sleep(Duration::from_millis(500)).await;

    let sleeper = &fleet.0[2];
    sleeper.program.pause().unwrap();
    let mut orders = Vec::new();
    for n in 0..60 {
        let what = match n % 4 {
            3 => What::Group(n % (GROUPS - 1)),
            _ => What::Page(n % (PAGES - 1)),
        };
        orders.push(Order::send(&truth, desks[n % 2], what, "respond-async").await);
        if n % 10 == 9 {
            let last = orders.last().unwrap();
            last.until("the awake follow", |report| named(report, "done") == ["n1", "n2"]).await;
            trim(&redis, &fleet.0[..2]).await;
        }
    }
    // What was trimmed is published again for who still needs it; and trimmed again.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        trim(&redis, &fleet.0[..2]).await;
    }
    for order in &orders {
        // What was published again is applied again by those who are awake.
        let what = "the sleeper alone is waited for";
        let report = order.until(what, |report| {
            let phase = report["phase"].as_str().unwrap();
            assert!(["Applying", "Partial"].contains(&phase), "{report:#}");
            named(report, "done") == ["n1", "n2"]
        });
        assert_eq!(named(&report.await, "waiting"), ["n3"]);
    }
    let asked = origin.count(&path(KEPT));
    sleeper.program.resume().unwrap();
    all_complete(&orders).await;
    let gaps = sleeper.metric("cdn_invalidation_gaps_total{reason=\"trimmed\"").await;
    assert!(gaps >= 1.0, "the sleeper noticed nothing");
    eventually("what nobody purged went too", async || origin.count(&path(KEPT)) > asked).await;
    traffic.end().await;
    for awake in &fleet.0[..2] {
        assert_eq!(awake.metric("cdn_invalidation_gaps_total").await, 0.0, "{}", awake.name);
    }
}
