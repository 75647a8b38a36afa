//! How long connections last, and how they end.

use std::time::Duration;

use e2e::client::{Client, HOST, Http2, Request};
use e2e::origin::{Origin, Reply};
use http_body_util::BodyExt;
use proxy::BehindEdge;
use serde_json::json;

use crate::nodes;
use crate::support::{echoing, start};

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let (_origin, world) = echoing(|s| s.limits(json!({ "headerTimeout": "300ms" }))).await;
    let mut silent = world.connect().await;
    let mut dribbling = world.connect().await;
    silent.send_raw("GET /a HTTP/1.1\r\nHost").await.unwrap();
    let dribble = async {
        // A byte now and then does not help.
        for _ in 0..1000 {
            if dribbling.send_raw("X").await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("goes on for ever");
    };
    tokio::join!(dribble, async { silent.closed().await.unwrap() });
    assert!(world.metric("cdn_client_connections_timed_out_total", "limit=\"head\"") > 1.5);
    world.ask("/a").await.expect_status(200);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let (origin, world) = echoing(|s| s.limits(json!({ "idleTimeout": "300ms" }))).await;
    let gate = e2e::gate::Gate::closed();
    origin.always("/slow", Reply::ok("slow").after(&gate));
    let mut busy = world.connect().await;
    busy.send("/slow").await.unwrap();
    origin.was_asked("/slow", 1).await.unwrap();
    let mut never = world.connect().await;
    let mut idle = world.connect().await;
    idle.ask("/a").await.unwrap().expect_status(200);
    idle.closed().await.unwrap();
    never.closed().await.unwrap();
    assert!(world.metric("cdn_client_connections_timed_out_total", "limit=\"idle\"") > 0.5);
    gate.open();
    busy.answer().await.unwrap().expect_status(200).expect_body("slow");
}

#[tokio::test]
async fn an_upload_that_stalls_is_cut_off() {
    let (_origin, world) = echoing(|s| s.limits(json!({ "betweenBytesTimeout": "300ms" }))).await;
    let mut client = world.connect().await;
    client.send(Request::new("PUT", "/a").field("content-length", "10")).await.unwrap();
    client.send_raw("12345").await.unwrap();
    let end = client.answer().await;
    assert!(end.as_ref().map_or(true, |answer| answer.status >= 400), "{end:#?}");
    world
        .until("it counts", || {
            world.metric("cdn_client_connections_timed_out_total", "limit=\"between-bytes\"") > 0.5
        })
        .await;
}

#[tokio::test]
async fn http_1_0_is_served_and_closed() {
    let (_origin, world) = echoing(|s| s).await;
    for _ in 0..2 {
        let mut client = world.connect().await;
        client.send_raw(format!("GET /a HTTP/1.0\r\nHost: {HOST}\r\n\r\n")).await.unwrap();
        let answer = client.answer().await.unwrap();
        answer.expect_status(200).expect_body("GET /a ").expect_no("transfer-encoding");
        client.closed().await.unwrap();
        world.settled().await;
    }
}

//= rfc9112#9.3
#[tokio::test]
async fn http_1_0_gets_a_body_of_unknown_length_without_chunks() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::ok("one").then("two").chunked().field("cache-control", "no-store"));
    let mut client = Client::connect(world.address).await.unwrap();
    client
        .send_raw(format!("GET /a HTTP/1.0\r\nHost: {HOST}\r\nConnection: keep-alive\r\n\r\n"))
        .await
        .unwrap();
    let answer = client.answer().await.unwrap();
    answer.expect_status(200).expect_no("transfer-encoding").expect_body("onetwo");
    // Nothing else tells where it ends.
    answer.expect_field("connection", "close");
    client.closed().await.unwrap();
}

#[tokio::test]
async fn a_client_that_says_close_is_closed() {
    let (_origin, world) = echoing(|s| s).await;
    let mut client = world.connect().await;
    let answer = client.ask(Request::get("/a").field("connection", "close")).await.unwrap();
    answer.expect_status(200).expect_field("connection", "close");
    client.closed().await.unwrap();
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let (_origin, world) = echoing(|s| s.limits(json!({ "maxConnections": 1 }))).await;
    let mut first = world.connect().await;
    first.ask("/a").await.unwrap().expect_status(200);
    let mut second = world.connect().await;
    second.send("/a").await.unwrap();
    first.ask("/a").await.unwrap().expect_status(200);
    drop(first);
    second.answer().await.unwrap().expect_status(200);
}

/// However many threads and ports a node has; tiers come in beside them.
#[tokio::test]
async fn the_limit_for_connections_is_of_the_node() {
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::fresh(60, "a"));
    let node = nodes::node(&origin, json!({ "limits": { "maxConnections": 1 } }));
    let [one, other] = [(); 2].map(|()| nodes::serve(node.clone(), BehindEdge::default()));
    let for_tiers = nodes::serve_tiers(node, BehindEdge::default());
    let mut first = Client::connect(one).await.unwrap();
    first.ask("/a").await.unwrap().expect_status(200);
    let mut second = Client::connect(other).await.unwrap();
    second.send("/a").await.unwrap();
    let a_while = Duration::from_millis(300);
    tokio::time::timeout(a_while, second.head()).await.unwrap_err();
    let mut tier = Client::connect(for_tiers).await.unwrap();
    tier.ask("/a").await.unwrap().expect_status(200);
    drop(first);
    second.answer().await.unwrap().expect_status(200);
}

#[tokio::test]
async fn a_tunnel_counts_as_a_connection() {
    let (origin, world) = echoing(|s| s.site(json!({ "upgrade": "Tunnel" }))).await;
    origin.always("/chat", Reply::upgraded("websocket"));
    let mut client = world.connect().await;
    let request =
        Request::get("/chat").field("connection", "upgrade").field("upgrade", "websocket");
    client.send(request).await.unwrap();
    client.head().await.unwrap().expect_status(101);
    client.send_raw("hello").await.unwrap();
    assert_eq!(client.raw().await.unwrap(), "HELLO");
    assert!(world.metric("cdn_client_connections", "") > 0.5, "it is open, but not counted");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let change = json!({ "betweenBytesTimeout": "300ms" });
    let (origin, world) = echoing(|s| s.limits(change)).await;
    origin.always("/a", Reply::fresh(60, "").then_pattern(16 << 20));
    let mut client = Client::connect_narrow(world.address).await.unwrap();
    client.send("/a").await.unwrap();
    client.head().await.unwrap().expect_status(200);
    let metric = "cdn_client_connections_timed_out_total";
    world.until("it is cut off", || world.metric(metric, "limit=\"write\"") > 0.5).await;
    let (body, cut) = client.body(usize::MAX).await.unwrap();
    assert!(cut && body.len() < 16 << 20);
    world.ask("/a").await.expect(200, "HIT");
}

/// PINGs do not help it, nor do streams that go on.
#[tokio::test]
async fn an_http2_stream_that_is_not_taken_is_ended_and_no_other() {
    let change = json!({ "betweenBytesTimeout": "500ms" });
    let (origin, world) = echoing(|s| s.limits(change)).await;
    origin.always("/a", Reply::fresh(60, "").then_pattern(16 << 20));
    let gate = e2e::gate::Gate::closed();
    origin.always("/slow", Reply::ok("slow").after(&gate));
    let mut http2 =
        Http2::connect_with_pings(world.address, Duration::from_millis(50)).await.unwrap();
    let mut waiting = http2.clone();
    let slow = tokio::spawn(async move { waiting.ask("/slow").await.unwrap() });
    // Its window is smaller than the body, and nobody makes it wider.
    let unread = http2.open("/a").await.unwrap();
    let cut = || world.metric("cdn_client_connections_timed_out_total", "limit=\"stream\"") > 0.5;
    world.until("it is cut off", cut).await;
    let got = unread.into_body().collect().await.unwrap_err();
    assert!(format!("{got:?}").contains("CANCEL"), "{got:?}");
    http2.ask("/b").await.unwrap().expect_status(200);
    gate.open();
    slow.await.unwrap().expect_status(200).expect_body("slow");
    assert_eq!(world.metric("cdn_client_connections_timed_out_total", "limit=\"write\""), 0.0);
}

#[tokio::test]
async fn an_http2_client_that_takes_a_body_bit_by_bit_gets_all_of_it() {
    let change = json!({ "betweenBytesTimeout": "600ms" });
    let (origin, world) = echoing(|s| s.limits(change)).await;
    origin.always("/a", Reply::fresh(60, "").then_pattern(4 << 20));
    world.ask("/a").await.expect(200, "MISS");
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let mut body = http2.open("/a").await.unwrap().into_body();
    let (mut length, mut pieces) = (0, 0);
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().into_data().unwrap().len();
        pieces += 1;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    assert_eq!(length, 4 << 20);
    assert!(pieces > 100, "in {pieces} pieces, it was taken too fast to tell");
}

/// A request of it that is on its way meanwhile is not lost: it is asked to leave, not cut off.
//= rfc9113#6.8
#[tokio::test]
async fn an_http2_client_that_asks_nothing_is_dismissed_whatever_else_it_says() {
    let (_origin, world) = echoing(|s| s.limits(json!({ "idleTimeout": "500ms" }))).await;
    let mut http2 =
        Http2::connect_with_pings(world.address, Duration::from_millis(50)).await.unwrap();
    http2.ask("/a").await.unwrap().expect_status(200);
    world.until("GOAWAY", || http2.is_closed()).await;
    assert_eq!(world.metric("cdn_client_connections_timed_out_total", "limit=\"idle\""), 1.0);
    assert_eq!(world.metric("cdn_client_connections_timed_out_total", "limit=\"stays\""), 0.0);
}

/// What may yet become HTTP/2 is a head like any other, and costs nothing while it waits.
//= rfc9113#3.3
#[tokio::test]
async fn the_beginning_of_a_preface_is_cut_off_like_a_slow_head() {
    let limits = json!({ "headerTimeout": "500ms", "idleTimeout": "60s" });
    let (_origin, world) = echoing(|s| s.limits(limits)).await;
    for beginning in ["P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let mut client = world.connect().await;
        client.send_raw(beginning).await.unwrap();
        client.closed().await.unwrap();
    }
    // A client that leaves within it is not waited for.
    let mut client = world.connect().await;
    client.send_raw("PRI").await.unwrap();
    client.finish().await.unwrap();
    client.closed().await.unwrap();
}

#[tokio::test]
async fn a_request_that_begins_like_a_preface_is_read_from_its_first_byte() {
    let (_origin, world) = echoing(|s| s).await;
    let text = format!("PROPFIND /a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    for first in [1, 2, 3, 30] {
        let mut client = world.connect().await;
        for piece in [&text[..first], &text[first..]] {
            client.send_raw(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.answer().await.unwrap().expect(200, "PASS").expect_body("PROPFIND /a ");
    }
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut client = world.connect().await;
    for piece in [&preface[..3], &preface[3..15], &preface[15..]] {
        client.send_raw(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The client's settings, which the preface begins with.
    client.send_raw([0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let frame = client.raw().await.unwrap();
    assert_eq!(frame.get(3), Some(&4), "SETTINGS: {frame:?}");
}
