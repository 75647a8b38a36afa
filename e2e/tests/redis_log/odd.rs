//! What else comes by: an entry that is none, and a node that leaves in good order.

use std::time::Duration;

use e2e::origin::Origin;
use e2e::redis::Redis;
use serde_json::json;

use crate::fleet::{Fleet, eventually};
use crate::orders::{Order, What, named};
use crate::traffic::Traffic;
use crate::truth::{Truth, path};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_written_by_hand_are_skipped_and_counted_and_what_follows_is_applied() {
    let redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let fleet = Fleet::start(&origin, json!({}), &[redis.url(), redis.url(), redis.url()]).await;
    let traffic = Traffic::start(&truth, &fleet.0);
    // Before the first entry of all, one that does not say what it follows would be taken for a gap.
    let first = Order::send(&truth, fleet.0[0].desk(), What::Page(9), "wait=10").await;
    assert_eq!(first.status, 200, "{:#}", first.first);
    let ban = json!({ "id": "b", "path": { "regex": "(" }, "ttlMs": 60_000 });
    let costly = json!({ "format": 1, "id": "x", "target": { "ban": ban }, "issuedMs": 0 });
    let odd = [
        ("note", "by hand"),
        ("order", "{"),
        ("order", r#"{"format":99,"id":"x"}"#),
        ("order", &costly.to_string()),
    ];
    for (n, (field, text)) in odd.iter().enumerate() {
        redis.command(&["XADD", Redis::LOG, "*", field, text]).await.unwrap();
        let what = if n % 2 == 0 { What::Page(n) } else { What::Group(n % 4) };
        let order = Order::send(&truth, fleet.0[n % 3].desk(), what, "wait=10").await;
        assert_eq!(order.status, 200, "{:#}", order.first);
        assert_eq!(named(&order.first, "done"), ["n1", "n2", "n3"], "{:#}", order.first);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    for edge in &fleet.0 {
        let refused = edge.metric("cdn_invalidations_refused_total").await;
        assert_eq!(refused, odd.len() as f64, "{}", edge.name);
        assert_eq!(edge.metric("cdn_invalidation_gaps_total").await, 0.0, "{}", edge.name);
    }
    traffic.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_that_is_told_to_end_says_goodbye_and_no_order_waits_for_it() {
    let redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let url = redis.url();
    let mut fleet = Fleet::start(&origin, json!({}), &[url.clone(), url.clone(), url]).await;
    let leaver = fleet.0.pop().unwrap();
    eventually("stored", async || {
        let words = [&fleet.0[0], &fleet.0[1]].map(|edge| edge.get("/page/1"));
        let [one, other] = words;
        one.await.field("x-cache") == "HIT" && other.await.field("x-cache") == "HIT"
    })
    .await;
    leaver.program.terminate().unwrap();
    let (code, written) = leaver.program.end().await.unwrap();
    assert_eq!(code, Some(0), "{written}");
    let order = Order::send(&truth, fleet.0[0].desk(), What::Page(1), "wait=10").await;
    assert_eq!(order.status, 200, "{:#}", order.first);
    assert_eq!(named(&order.first, "done"), ["n1", "n2"], "{:#}", order.first);
    assert!(order.took < Duration::from_secs(5), "{:?}", order.took);
    assert_eq!(fleet.0[1].members().await, ["n1", "n2"]);
    for edge in &fleet.0 {
        let least = truth.least(1);
        assert!(truth.judge(1, least, &edge.name, &edge.get(&path(1)).await));
    }
}
