//! Redis stands still for some seconds: connections stay, answers do not come.

use std::time::Duration;

use e2e::client::Request;
use e2e::origin::Origin;
use e2e::redis::Redis;
use serde_json::json;

use crate::fleet::{Fleet, eventually};
use crate::orders::{Order, Purging, What, all_complete};
use crate::traffic::Traffic;
use crate::truth::Truth;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_for_seconds_it_loses_no_order_and_nothing_is_stale() {
    let redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let fleet = Fleet::start(&origin, json!({}), &[redis.url(), redis.url(), redis.url()]).await;
    let traffic = Traffic::start(&truth, &fleet.0);
    let purging = Purging::start(&truth, fleet.desks(), Duration::from_millis(20));
    let mut waiting = Vec::new();
    // After the second or two until it is noticed.
    for seconds in [1, 4] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        redis.pause().unwrap();
        for edge in &fleet.0 {
            eventually("the absence is noticed", async || !edge.connected().await).await;
            let order = Order::send(&truth, edge.desk(), What::Page(0), "wait=5").await;
            assert_eq!(order.status, 202);
            assert_eq!(order.first["phase"], "Pending", "{:#}", order.first);
            assert_eq!(order.first["replicated"], false, "{:#}", order.first);
            assert!(edge.admin(Request::get("/log")).await.1["queued"].as_u64().unwrap() > 0);
            waiting.push(order);
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        redis.resume().unwrap();
        for edge in &fleet.0 {
            eventually("it is back", async || edge.connected().await).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let orders = purging.end().await;
    // Two seconds of their own, and as long again for a log that is about to be found away.
    let longest = orders.iter().map(|order| order.took).max().unwrap();
    assert!(longest < Duration::from_secs(4), "an answer took {longest:?}");
    all_complete(&orders).await;
    all_complete(&waiting).await;
    traffic.end().await;
    for edge in &fleet.0 {
        let gaps = edge.metric("cdn_invalidation_gaps_total").await;
        assert!(gaps == 0.0, "{} emptied itself without need, {gaps} times", edge.name);
    }
}
