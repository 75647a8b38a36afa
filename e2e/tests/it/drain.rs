//! An edge on its way out (F): clients are asked to leave, and nothing that was sent fails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::client::{Client, Http2, Request};
use e2e::gate::Gate;
use e2e::origin::{Reply, pattern};
use runtime::drain::Stage;
use tokio::task::JoinSet;

use crate::support::start;

#[tokio::test]
async fn a_drain_loses_no_request_and_asks_every_client_to_leave() {
    let (origin, world) = start().await;
    origin.always("/stored", Reply::fresh(60, pattern(0, 5000)));
    origin.always("/passed", Reply::ok(pattern(0, 5000)).field("cache-control", "no-store"));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for i in 0..40 {
        let mut client = world.connect().await;
        let answered = answered.clone();
        clients.spawn(async move {
            loop {
                let path = if i % 2 == 0 { "/stored" } else { "/passed" };
                let answer =
                    client.ask(path).await.expect("a request on an open connection failed");
                answer.expect_status(200).expect_body(pattern(0, 5000));
                answered.fetch_add(1, Ordering::Relaxed);
                if answer.fields.lists("connection", "close") {
                    return client.closed().await.unwrap();
                }
            }
        });
    }
    world.until("traffic", || answered.load(Ordering::Relaxed) > 400).await;
    world.node.drain.run_down(Duration::from_millis(500)).await;
    clients.join_all().await;
    let edge = world.local.as_ref().unwrap().edges.list().remove(0);
    edge.stop().await;
    let refused = Client::connect(world.address).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn newcomers_are_served_while_it_drains_and_told_to_leave() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    world.node.drain.advance(Stage::Draining);
    for _ in 0..3 {
        let mut client = world.connect().await;
        client.ask("/a").await.unwrap().expect_status(200).expect_field("connection", "close");
        client.closed().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_in_flight_is_finished() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    origin.always("/head", Reply::fresh(60, "late head").after(&gate));
    origin.always(
        "/body",
        Reply::fresh(60, pattern(0, 1000)).then_after(&gate).then(pattern(1000, 1000)),
    );
    let mut waits = world.connect().await;
    waits.send("/head").await.unwrap();
    let mut reads = world.connect().await;
    reads.send("/body").await.unwrap();
    reads.head().await.unwrap().expect_status(200);
    let mut uploads = world.connect().await;
    origin.on("/upload", |asked| Reply::ok(asked.text()));
    uploads.send(Request::new("PUT", "/upload").field("content-length", "10")).await.unwrap();
    uploads.send_raw("12345").await.unwrap();
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let over_http2 = tokio::spawn(async move { http2.ask("/head").await.unwrap() });
    origin.was_sent(5).await.unwrap();
    origin.was_asked("/head", 1).await.unwrap();
    let edge = world.local.as_ref().unwrap().edges.list().remove(0);
    world.node.drain.advance(Stage::Draining);
    world.node.drain.advance(Stage::Closed);
    let stopping = tokio::spawn(async move { edge.stop().await });
    uploads.send_raw("67890").await.unwrap();
    uploads.answer().await.unwrap().expect_status(200).expect_body("1234567890");
    assert!(!stopping.is_finished(), "it did not wait");
    gate.open();
    waits.answer().await.unwrap().expect_status(200).expect_body("late head");
    assert_eq!(reads.body(usize::MAX).await.unwrap(), (pattern(0, 2000), false));
    over_http2.await.unwrap().expect_status(200).expect_body("late head");
    stopping.await.unwrap();
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    let mut idle = world.connect().await;
    idle.ask("/a").await.unwrap().expect_status(200).expect_no("connection");
    let mut silent = world.connect().await;
    let mut http2 = Http2::connect(world.address).await.unwrap();
    http2.ask("/a").await.unwrap().expect_status(200);
    world.node.drain.advance(Stage::Draining);
    idle.closed().await.unwrap();
    silent.closed().await.unwrap();
    world.until("GOAWAY", || http2.is_closed()).await;
}

#[tokio::test]
async fn a_request_that_meets_the_drain_on_its_way_is_answered() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    let mut client = world.connect().await;
    client.ask("/a").await.unwrap().expect_status(200);
    let request = Request::get("/a").to_bytes();
    client.send_raw(&request[..10]).await.unwrap();
    world.node.drain.advance(Stage::Draining);
    world.node.drain.advance(Stage::Closed);
    client.send_raw(&request[10..]).await.unwrap();
    let answer = client.answer().await.unwrap();
    answer.expect(200, "HIT").expect_field("connection", "close");
}
