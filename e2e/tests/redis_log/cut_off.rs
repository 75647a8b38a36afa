//! A node is cut off from Redis alone: clients reach it, and it reaches the origin.

use std::time::Duration;

use e2e::client::Request;
use e2e::gate::Gate;
use e2e::line::Line;
use e2e::origin::{Origin, Reply};
use e2e::redis::Redis;
use serde_json::{Value, json};

use crate::fleet::{Fleet, eventually};
use crate::orders::{Order, What, named};
use crate::traffic::Traffic;
use crate::truth::{Truth, path};

/// Each edge with a line of its own to Redis.
async fn on_lines(redis: &Redis, origin: &Origin, spec: Value) -> (Vec<Line>, Fleet) {
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.push(Line::to(redis.address()).await.unwrap());
    }
    let logs: Vec<_> = lines.iter().map(|line| format!("redis://{}", line.address())).collect();
    let fleet = Fleet::start(origin, spec, &logs).await;
    (lines, fleet)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_from_redis_alone_is_named_until_it_is_back() {
    let redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let (lines, fleet) = on_lines(&redis, &origin, json!({})).await;
    let traffic = Traffic::start(&truth, &fleet.0);
    let before = Order::send(&truth, fleet.0[0].desk(), What::Group(1), "wait=10").await;
    assert_eq!(before.status, 200, "{:#}", before.first);

    lines[1].cut();
    let page = Order::send(&truth, fleet.0[0].desk(), What::Page(1), "wait=20").await;
    assert_eq!((page.status, &page.first["phase"]), (202, &json!("Partial")), "{:#}", page.first);
    assert!(page.took > Duration::from_secs(9), "partial after {:?} already", page.took);
    let group = Order::send(&truth, fleet.0[2].desk(), What::Group(2), "wait=1").await;
    assert_eq!(group.status, 202, "{:#}", group.first);
    for report in [page.report().await, group.report().await] {
        assert_eq!(named(&report, "waiting"), ["n2"], "{report:#}");
        assert_eq!(named(&report, "done"), ["n1", "n3"], "{report:#}");
    }
    assert!(!fleet.0[1].connected().await);
    // What is accepted by the one that is cut off waits there.
    let there = Order::send(&truth, fleet.0[1].desk(), What::Page(2), "wait=1").await;
    assert_eq!(there.first["phase"], "Pending", "{:#}", there.first);

    lines[1].heal();
    for order in [&page, &group, &there] {
        let report = order.complete().await;
        assert_eq!(named(&report, "done"), ["n1", "n2", "n3"], "{report:#}");
    }
    traffic.end().await;
    assert_eq!(fleet.0[1].metric("cdn_invalidation_gaps_total").await, 0.0, "nothing was missed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_revalidates_when_cut_off_holds_nobody_up_and_serves_nothing_unvouched() {
    const PAGE: usize = 1;
    let redis = Redis::start().await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let spec = json!({ "invalidation": { "onLogLoss": "Revalidate", "lease": "2s" } });
    let (lines, fleet) = on_lines(&redis, &origin, spec).await;
    let cut = &fleet.0[1];
    let target = path(PAGE);
    eventually("stored", async || cut.get(&target).await.field("x-cache") == "HIT").await;
    let traffic = Traffic::start(&truth, &fleet.0);

    lines[1].cut();
    let order = Order::send(&truth, fleet.0[0].desk(), What::Page(PAGE), "wait=9").await;
    assert_eq!(order.status, 200, "{:#}", order.first);
    assert_eq!(named(&order.first, "revalidating"), ["n2"], "{:#}", order.first);
    assert_eq!(named(&order.first, "done"), ["n1", "n3"], "{:#}", order.first);
    assert!(order.took > Duration::from_secs(2), "not before the lease: {:?}", order.took);
    let mine = Request::get("/page/23").field("user-agent", "the test's own");
    let asks = || {
        let asked = origin.asked("/page/23");
        asked
            .iter()
            .filter(|asked| asked.fields.get("user-agent") == Some("the test's own"))
            .count()
    };
    for n in 1..=5 {
        let least = truth.least(PAGE);
        assert!(truth.judge(PAGE, least, "n2", &cut.get(&target).await));
        let answer = e2e::client::ask(cut.address, mine.clone()).await.unwrap();
        answer.expect_status(200);
        assert_eq!(asks(), n, "answered without a word from the origin: {answer:#?}");
    }

    // A validation under way may be older than an order that is complete by now: nobody joins it.
    let held = Gate::closed();
    origin.on(&target, {
        let (old, held) = (truth.least(PAGE).to_string(), held.clone());
        move |_| Reply::fresh(60, old.clone()).after(&held)
    });
    let before = origin.count(&target);
    let early = tokio::spawn({
        let (address, target) = (cut.address, target.clone());
        async move { e2e::client::ask(address, &*target).await.unwrap() }
    });
    origin.was_asked(&target, before + 1).await.unwrap();
    truth.serve(&origin, &target);
    let late = Order::send(&truth, fleet.0[0].desk(), What::Page(PAGE), "wait=9").await;
    assert_eq!(late.status, 200, "{:#}", late.first);
    let least = truth.least(PAGE);
    let fresh = tokio::spawn({
        let (address, target) = (cut.address, target.clone());
        async move { e2e::client::ask(address, &*target).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    held.open();
    assert!(truth.judge(PAGE, least, "n2", &fresh.await.unwrap()));
    early.await.unwrap().expect_status(200);

    lines[1].heal();
    let all = ["n1", "n2", "n3"];
    order.until("done there too", |report| named(report, "done") == all).await;
    eventually("trusted again", async || {
        let before = asks();
        e2e::client::ask(cut.address, mine.clone()).await.unwrap().expect_status(200);
        asks() == before
    })
    .await;
    traffic.end().await;
}
