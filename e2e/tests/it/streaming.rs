//! Bodies on their way: slow readers, large ones, broken ones, uploads (E10).

use std::time::Duration;

use e2e::client::{Answer, Client, Http2, Request};
use e2e::gate::Gate;
use e2e::origin::{Reply, pattern};
use serde_json::json;

use crate::support::{start, start_with};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_slow_client_slows_neither_the_fill_nor_other_readers() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "").then_pattern(8 << 20));
    let mut slow = Client::connect_narrow(world.address).await.unwrap();
    slow.send("/a").await.unwrap();
    slow.head().await.unwrap().expect(200, "MISS");
    // It reads no further for now.
    world.ask("/a").await.expect_status(200).expect_body(pattern(0, 8 * MIB));
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body(pattern(0, 8 * MIB));
    let (body, cut) = slow.body(usize::MAX).await.unwrap();
    assert!(!cut && body == pattern(0, 8 * MIB));
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_body_too_large_to_store_streams_through() {
    let (origin, world) = start_with(|s| s.cache(json!({ "maxObjectSize": "1Mi" }))).await;
    let reply = Reply::fresh(60, "").then_pattern(5 << 20);
    origin.always("/length", reply.clone());
    origin.always("/chunked", reply.clone().chunked());
    origin.always("/until-close", reply.until_close());
    for path in ["/length", "/chunked", "/until-close"] {
        for times in 1..=2 {
            world.ask(path).await.expect_status(200).expect_body(pattern(0, 5 * MIB));
            world.settled().await;
            assert_eq!((path, origin.count(path)), (path, times));
        }
    }
    world.ask("/length").await.expect(200, "PASS");
    assert_eq!(world.node.cache.stats().objects, 0);
}

#[tokio::test]
async fn readers_of_a_body_that_outgrows_the_limit_all_get_all_of_it() {
    let (origin, world) = start_with(|s| s.cache(json!({ "maxObjectSize": "1Mi" }))).await;
    let gate = Gate::closed();
    origin.always(
        "/a",
        Reply::fresh(60, pattern(0, 1000)).then_after(&gate).then_pattern(5 << 20).chunked(),
    );
    let mut readers = Vec::new();
    for _ in 0..10 {
        let mut reader = world.connect().await;
        reader.send("/a").await.unwrap();
        reader.head().await.unwrap().expect_status(200);
        readers.push(reader);
    }
    gate.open();
    let mut reading = tokio::task::JoinSet::new();
    for mut reader in readers {
        reading.spawn(async move { reader.body(usize::MAX).await.unwrap() });
    }
    for (body, cut) in reading.join_all().await {
        assert!(!cut && body == pattern(0, 1000 + 5 * MIB));
    }
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_reader_that_leaves_a_streamed_body_does_not_hold_up_the_rest() {
    let (origin, world) = start_with(|s| s.cache(json!({ "maxObjectSize": "1Mi" }))).await;
    let gate = Gate::closed();
    origin.always("/a", Reply::fresh(60, "x").then_after(&gate).then_pattern(30 << 20).chunked());
    let mut leaver = Client::connect_narrow(world.address).await.unwrap();
    leaver.send("/a").await.unwrap();
    leaver.head().await.unwrap().expect_status(200);
    let mut reader = world.connect().await;
    reader.send("/a").await.unwrap();
    reader.head().await.unwrap().expect_status(200);
    gate.open();
    let reading = tokio::spawn(async move { reader.body(usize::MAX).await.unwrap() });
    leaver.body(2 * MIB).await.unwrap();
    drop(leaver);
    let (body, cut) = reading.await.unwrap();
    assert!(!cut && body.len() == 1 + 30 * MIB);
}

#[tokio::test]
async fn a_body_cut_short_reaches_the_client_as_broken_and_is_not_stored() {
    let (origin, world) = start().await;
    let short =
        |control: &str| Reply::ok(pattern(0, 500)).field("cache-control", control).then_cut();
    for (path, reply) in [
        ("/length", short("max-age=60").announcing(1000)),
        ("/chunked", short("max-age=60").chunked()),
        ("/pass", short("no-store").announcing(1000)),
        ("/pass-chunked", short("no-store").chunked()),
        ("/at-once", Reply::fresh(60, "").announcing(1000).then_cut()),
    ] {
        origin.always(path, reply);
        for times in 1..=2 {
            let answer = match world.connect().await.ask(path).await {
                // Broken before the head went out: as clear a sign.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    Answer { cut: true, ..Answer::default() }
                }
                answer => answer.unwrap(),
            };
            assert!(answer.cut, "{path}: {answer:#?}");
            assert!(pattern(0, 500).starts_with(&answer.body), "{path}");
            world.settled().await;
            assert_eq!((path, origin.count(path)), (path, times));
        }
        let mut http2 = Http2::connect(world.address).await.unwrap();
        assert!(http2.ask(path).await.map_or(true, |answer| answer.cut), "{path} over HTTP/2");
        world.settled().await;
    }
    assert_eq!(world.node.cache.stats().objects, 0);
    origin.always("/length", Reply::fresh(60, pattern(0, 1000)));
    world.ask("/length").await.expect_status(200).expect_body(pattern(0, 1000));
}

#[tokio::test]
async fn an_origin_that_stalls_within_the_body_breaks_the_answer() {
    let timeouts = json!({ "timeouts": { "betweenBytes": "200ms" } });
    let (origin, world) = start_with(|s| s.site(timeouts)).await;
    let never = Gate::closed();
    for (path, control) in [("/fill", "max-age=60"), ("/pass", "no-store")] {
        origin.always(
            path,
            Reply::ok("beginning").field("cache-control", control).then_after(&never).then("end"),
        );
        let answer = world.ask(path).await;
        assert!(answer.cut && answer.body == "beginning", "{path}: {answer:#?}");
    }
    world.settled().await;
    assert_eq!(world.node.cache.stats().objects, 0);
}

#[tokio::test]
async fn the_first_byte_of_what_is_not_stored_does_not_wait_for_the_last() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let reply =
        Reply::ok("beginning").then_after(&gate).then("end").field("cache-control", "no-store");
    origin.always("/length", reply.clone());
    origin.always("/chunked", reply.chunked());
    for path in ["/length", "/chunked"] {
        let mut client = world.connect().await;
        client.send(path).await.unwrap();
        client.head().await.unwrap().expect_status(200);
        assert_eq!(client.body(9).await.unwrap().0, "beginning");
        gate.open();
        assert_eq!(client.body(usize::MAX).await.unwrap(), ("end".into(), false));
    }
}

#[tokio::test]
async fn a_large_upload_streams_to_the_origin() {
    let (origin, world) = start().await;
    origin.on("*", |asked| Reply::ok(format!("{} bytes", asked.body_length)));
    let mut client = world.connect().await;
    let length = 8 * MIB;
    client
        .send(Request::new("PUT", "/length").field("content-length", &length.to_string()))
        .await
        .unwrap();
    client.send_raw(vec![b'u'; MIB]).await.unwrap();
    // It goes on before it is all there.
    origin.was_sent(MIB as u64).await.unwrap();
    client.send_raw(vec![b'u'; length - MIB]).await.unwrap();
    client.answer().await.unwrap().expect(200, "PASS").expect_body("8388608 bytes");
    assert_eq!(origin.last("/length").fields.get("content-length"), Some("8388608"));

    client
        .send(Request::new("POST", "/chunked").field("transfer-encoding", "chunked"))
        .await
        .unwrap();
    for _ in 0..4 {
        client.send_raw(b"100000\r\n").await.unwrap();
        client.send_raw(vec![b'u'; MIB]).await.unwrap();
        client.send_raw(b"\r\n").await.unwrap();
    }
    origin.was_sent((length + 4 * MIB) as u64).await.unwrap();
    client.send_raw(b"0\r\n\r\n").await.unwrap();
    client.answer().await.unwrap().expect(200, "PASS").expect_body("4194304 bytes");
}

#[tokio::test]
async fn a_slow_origin_holds_back_an_upload() {
    let (origin, world) = start().await;
    origin.on("*", |asked| Reply::ok(format!("{} bytes", asked.body_length)));
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let request = Request::new("PUT", "/a").body(vec![b'u'; 8 * MIB]);
    http2.ask(request).await.unwrap().expect_status(200).expect_body("8388608 bytes");
}

#[tokio::test]
async fn an_upload_that_is_too_large_is_refused() {
    let (origin, world) = start_with(|s| s.limits(json!({ "maxBodySize": "1Mi" }))).await;
    origin.always("*", Reply::ok("taken"));
    let mut client = world.connect().await;
    client.send(Request::new("PUT", "/length").field("content-length", "1048577")).await.unwrap();
    let answer = client.answer().await.unwrap();
    answer
        .expect_status(413)
        .expect_field("connection", "close")
        .expect_cache_status("detail=body-too-large");
    assert_eq!(origin.count("/length"), 0);

    let mut client = world.connect().await;
    client
        .send(Request::new("PUT", "/chunked").field("transfer-encoding", "chunked"))
        .await
        .unwrap();
    client.send_raw(b"180000\r\n").await.unwrap();
    client.send_raw(vec![b'u'; 0x18_0000]).await.unwrap();
    client.send_raw(b"\r\n0\r\n\r\n").await.unwrap();
    client.answer().await.unwrap().expect_status(413);
    world.ask(Request::new("PUT", "/fits").body(vec![b'u'; MIB])).await.expect_status(200);
}

#[tokio::test]
async fn an_answer_may_come_before_the_upload_is_all_there() {
    let (origin, world) = start().await;
    origin.always("*", Reply::ok("taken"));
    let mut client = world.connect().await;
    client.send(Request::new("PUT", "/a").field("content-length", "10")).await.unwrap();
    client.send_raw(b"12345").await.unwrap();
    origin.was_sent(5).await.unwrap();
    // The client gives up within its body: the origin must not take that for the whole.
    drop(client);
    world.ask("/b").await.expect_status(200);
    assert_eq!(origin.count("/a"), 0);
}

#[tokio::test]
async fn a_slow_reader_of_what_is_too_large_to_store_does_not_hold_up_the_others() {
    let (origin, world) = start_with(|s| s.cache(json!({ "maxObjectSize": "1Mi" }))).await;
    let gate = Gate::closed();
    let reply = Reply::fresh(60, "x").then_after(&gate).then_pattern(30 << 20);
    origin.always("/a", reply.chunked());
    let mut slow = Client::connect_narrow(world.address).await.unwrap();
    slow.send("/a").await.unwrap();
    slow.head().await.unwrap().expect_status(200);
    let mut fast = world.connect().await;
    fast.send("/a").await.unwrap();
    fast.head().await.unwrap().expect_status(200);
    gate.open();
    // The slow one does not read at all.
    let within = Duration::from_secs(5);
    let read = tokio::time::timeout(within, fast.body(usize::MAX)).await;
    let (body, cut) = read.expect("one waits for the other").unwrap();
    assert!(!cut && body.len() == 1 + 30 * MIB);
}

/// The time for the first byte is the origin's, which has nothing to answer before it has the request.
#[tokio::test]
async fn an_upload_may_take_longer_than_the_origin_for_its_first_byte() {
    let timeouts = json!({ "timeouts": { "connect": "500ms", "firstByte": "1s" } });
    let (origin, world) = start_with(|s| s.site(timeouts)).await;
    origin.on("/a", |asked| Reply::ok(asked.text()));
    for length in [("content-length", "15"), ("transfer-encoding", "chunked")] {
        let mut client = world.connect().await;
        client.send(Request::new("POST", "/a").field(length.0, length.1)).await.unwrap();
        for _ in 0..15 {
            let piece = if length.0 == "content-length" { "x" } else { "1\r\nx\r\n" };
            client.send_raw(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if length.0 == "transfer-encoding" {
            client.send_raw("0\r\n\r\n").await.unwrap();
        }
        client.answer().await.unwrap().expect(200, "PASS").expect_body("x".repeat(15));
    }
    // From the last byte on it counts.
    let never = Gate::closed();
    origin.always("/silent", Reply::ok("late").after(&never));
    let silent = world.ask(Request::new("POST", "/silent").body("x")).await;
    silent.expect_status(504).expect_cache_status("detail=first-byte-timeout");
}

/// Else a few clients could have everybody refused.
#[tokio::test]
async fn an_upload_that_stalls_is_no_fault_of_the_origin() {
    let site = json!({
        "timeouts": { "betweenBytes": "300ms" },
        "breaker": { "consecutiveFailures": 2 },
    });
    let (origin, world) = start_with(|s| s.site(site)).await;
    origin.always("*", Reply::ok("a").field("cache-control", "no-store"));
    for _ in 0..5 {
        let mut client = world.connect().await;
        let stalled = Request::new("POST", "/a").field("content-length", "10");
        client.send(stalled).await.unwrap();
        client.send_raw("half").await.unwrap();
        let answer = client.answer().await.unwrap();
        answer.expect_status(408).expect_cache_status("detail=request-stalled");
        answer.expect_field("connection", "close");
    }
    world.ask("/a").await.expect_status(200).expect_body("a");
}
