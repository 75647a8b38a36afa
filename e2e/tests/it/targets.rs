//! Forms of request targets, and origins that answer nonsense.

use e2e::client::{HOST, Request};
use e2e::origin::Reply;
use serde_json::json;

use crate::support::{echoing, start, start_with};

#[tokio::test]
async fn an_absolute_target_comes_before_the_host_field() {
    let (origin, world) = echoing(|s| s).await;
    let absolute = Request::get("http://cdn.example.com/a?b").field("host", "other.example");
    world.ask(absolute).await.expect(200, "MISS").expect_body("GET /a?b ");
    assert_eq!(origin.last("/a").fields.all("host"), [HOST]);
    let foreign = Request::get("http://other.example/a");
    world.ask(foreign).await.expect_status(421);
}

#[tokio::test]
async fn options_of_the_whole_server_is_passed_on() {
    let (_origin, world) = echoing(|s| s).await;
    world.ask(Request::new("OPTIONS", "*")).await.expect(200, "PASS").expect_body("OPTIONS * ");
}

//= rfc9110#7.6.2
#[tokio::test]
async fn options_goes_only_as_far_as_it_may() {
    let (origin, world) = echoing(|s| s).await;
    let hops = |hops: &str| Request::new("OPTIONS", "/a").field("max-forwards", hops);
    let here = world.ask(hops("0")).await;
    here.expect_status(204).expect_field("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    assert_eq!(origin.count("/a"), 0);
    world.ask(hops("2")).await.expect(200, "PASS").expect_body("OPTIONS /a ");
    assert_eq!(origin.last("/a").fields.get("max-forwards"), Some("1"));
    // What cannot be read says nothing.
    world.ask(hops("-1")).await.expect(200, "PASS");
    assert_eq!(origin.last("/a").fields.get("max-forwards"), Some("-1"));
    world.ask(Request::get("/a").field("max-forwards", "0")).await.expect(200, "MISS");
}

#[tokio::test]
async fn who_only_asks_whether_a_node_is_there_needs_no_host_that_it_serves() {
    let (_origin, world) = echoing(|s| s).await;
    let asked = Request::new("OPTIONS", "*").field("max-forwards", "0").field("host", "10.0.0.1");
    world.ask(asked).await.expect_status(204);
}

#[tokio::test]
async fn field_values_need_not_be_utf_8() {
    let (origin, world) = echoing(|s| s).await;
    let mut client = world.connect().await;
    let mut request = format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\nX-Name: caf").into_bytes();
    request.extend_from_slice(b"\xe9\r\n\r\n");
    client.send_raw(&request).await.unwrap();
    client.answer().await.unwrap().expect_status(200);
    assert_eq!(origin.last("/a").fields.get("x-name"), Some("caf\u{fffd}"));
}

#[tokio::test]
async fn an_unknown_method_is_passed_on() {
    let (_origin, world) = echoing(|s| s).await;
    world.ask(Request::new("PROPFIND", "/a")).await.expect(200, "PASS").expect_body("PROPFIND /a ");
}

#[tokio::test]
async fn nonsense_from_an_origin_is_502() {
    let breaker = json!({ "breaker": { "consecutiveFailures": 0, "failureRatio": 0 } });
    let (origin, world) = start_with(|s| s.site(breaker)).await;
    origin.always("/status", Reply::status(99));
    origin.always("/field", Reply::ok("a").field("x a", "b"));
    origin.always("/length", Reply::ok("a").field("content-length", "one"));
    origin.always("/huge", Reply::ok("a").field("x-huge", &"x".repeat(2 << 20)));
    for path in ["/status", "/field", "/length", "/huge"] {
        let answer = world.ask(path).await;
        answer.expect_status(502).expect_cache_status("detail=exchange-failed");
    }
    origin.always("/fine", Reply::fresh(60, "a"));
    world.ask("/fine").await.expect(200, "MISS");
}

#[tokio::test]
async fn heads_of_what_is_not_stored_keep_their_length() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::ok("twelve bytes").field("cache-control", "no-store"));
    let known = Reply::status(304).field("etag", "\"one\"").field("content-length", "12");
    origin.always("/b", known);
    let mut client = world.connect().await;
    for _ in 0..2 {
        let head = client.ask(Request::new("HEAD", "/a")).await.unwrap();
        head.expect_status(200).expect_field("content-length", "12").expect_body("");
        let conditional = Request::get("/b").field("if-none-match", "\"one\"");
        client
            .ask(conditional.field("cache-control", "no-store"))
            .await
            .unwrap()
            .expect_status(304);
        client.ask("/a").await.unwrap().expect_status(200).expect_body("twelve bytes");
    }
}

/// What is coded otherwise than in chunks would be stored with its coding, and without the name of it.
//= rfc9112#6.1
#[tokio::test]
async fn a_transfer_coding_other_than_chunked_is_502() {
    let breaker = json!({ "breaker": { "consecutiveFailures": 0, "failureRatio": 0 } });
    let (origin, world) = start_with(|s| s.site(breaker)).await;
    for (path, coding) in [
        ("/a", "gzip, chunked"),
        ("/b", "chunked, gzip"),
        ("/c", "gzip"),
        ("/d", "identity"),
        ("/e", "chunked, chunked"),
    ] {
        let reply = Reply::fresh(60, "5\r\nhello\r\n0\r\n\r\n").until_close();
        origin.always(path, reply.field("transfer-encoding", coding));
        let answer = world.ask(path).await;
        answer.expect_status(502).expect_cache_status("detail=exchange-failed");
        assert_eq!(world.node.cache.stats().objects, 0, "{coding}");
    }
    let reply = Reply::fresh(60, "5\r\nhello\r\n0\r\n\r\n").until_close();
    origin.always("/chunked", reply.field("transfer-encoding", "Chunked"));
    world.ask("/chunked").await.expect(200, "MISS").expect_body("hello");
    // A name that nobody knows says nothing.
    let reply = Reply::fresh(60, "hello").until_close().field("transfer-encoding", "unheard-of");
    origin.always("/unknown", reply);
    world.ask("/unknown").await.expect(200, "MISS").expect_body("hello");
}

//= rfc9110#15.2.2
#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_502() {
    let breaker = json!({ "breaker": { "consecutiveFailures": 0, "failureRatio": 0 } });
    let (origin, world) = start_with(|s| s.site(breaker)).await;
    origin.always("/a", Reply::upgraded("websocket"));
    let mut client = world.connect().await;
    client.ask("/a").await.unwrap().expect_status(502).expect_cache_status("exchange-failed");
    client.ask(Request::new("POST", "/a").body("x")).await.unwrap().expect_status(502);
    origin.always("/fine", Reply::fresh(60, "a"));
    client.ask("/fine").await.unwrap().expect(200, "MISS");
}
