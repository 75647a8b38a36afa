//! Redis is killed and comes back empty, under traffic and orders.

use std::time::Duration;

use e2e::origin::Origin;
use e2e::redis::Redis;
use serde_json::json;

use crate::fleet::Fleet;
use crate::orders::{Purging, all_complete};
use crate::traffic::Traffic;
use crate::truth::Truth;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_empty_it_loses_no_order_and_nothing_is_stale() {
    let mut redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let fleet = Fleet::start(&origin, json!({}), &[redis.url(), redis.url(), redis.url()]).await;
    let traffic = Traffic::start(&truth, &fleet.0);
    let purging = Purging::start(&truth, fleet.desks(), Duration::from_millis(20));
    for (turn, away) in [(1.0, 0), (2.0, 300), (3.0, 1_500), (4.0, 0)] {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        redis.kill().unwrap();
        tokio::time::sleep(Duration::from_millis(away)).await;
        redis.start_empty().await.unwrap();
        // The log came back with another name, whatever was noticed of its absence.
        for edge in &fleet.0 {
            while edge.metric("cdn_invalidation_gaps_total{reason=\"epoch\"").await < turn {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    let orders = purging.end().await;
    let waited = orders.iter().filter(|order| order.first["replicated"] == json!(false)).count();
    assert!(orders.len() > 150 && waited > 10, "{waited} of {} orders waited", orders.len());
    all_complete(&orders).await;
    traffic.end().await;
}
