//! Bytes that are no proper requests, and connections that do not go on (RFC 9112).

use std::time::Duration;

use e2e::client::{Client, HOST, Http2, Request};
use e2e::origin::Reply;
use e2e::world::World;
use serde_json::json;

use crate::support::{echoing, start};

/// Sends `bytes` and asserts that they are refused with one of `statuses` and the connection is closed.
async fn refused(world: &World, what: &str, bytes: &[u8], statuses: &[u16]) {
    let mut client = world.connect().await;
    client.send_raw(bytes).await.unwrap();
    let answer = client.answer().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(statuses.contains(&answer.status), "{what}: {answer:#?}");
    client.closed().await.unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[tokio::test]
async fn a_refusal_says_what_was_wrong() {
    let (_origin, world) = echoing(|s| s).await;
    for (bytes, reason) in [
        ("GET / HTTP/1.1\nHost: h\r\n\r\n", "bare-lf"),
        ("GET / HTTP/1.1\r\nX-A: b\r\n\r\n", "missing-host"),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "both-length-and-transfer-encoding",
        ),
    ] {
        let mut client = world.connect().await;
        client.send_raw(bytes).await.unwrap();
        let answer = client.answer().await.unwrap();
        answer.expect_status(400).expect_field("connection", "close");
        assert!(answer.text().contains(reason), "{answer:#?}");
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_and_the_connection_closed() {
    let (origin, world) = echoing(|s| s).await;
    for (what, bytes) in [
        (
            "length and chunked",
            "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "chunked and length",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        ),
        (
            "two lengths",
            "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        ),
        (
            "two equal lengths",
            "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        ),
        ("a list of lengths", "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx"),
        ("a signed length", "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx"),
        (
            "a length too large",
            "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        ),
        (
            "another transfer coding",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "chunked misspelt",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "chunked in HTTP/1.0",
            "POST /evil HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("a folded field", "GET /evil HTTP/1.1\r\nHost: h\r\nX-A: one\r\n two\r\n\r\n"),
        ("a bare CR in a field", "GET /evil HTTP/1.1\r\nHost: h\r\nX-A: one\rtwo\r\n\r\n"),
        ("a bare LF after a field", "GET /evil HTTP/1.1\r\nHost: h\nX-A: one\r\n\r\n"),
        ("a bare LF after the request line", "GET /evil HTTP/1.1\nHost: h\r\n\r\n"),
        ("bare LFs", "GET /evil HTTP/1.1\nHost: h\n\n"),
        ("a NUL", "GET /evil HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n"),
        ("no Host", "GET /evil HTTP/1.1\r\nX-A: b\r\n\r\n"),
        ("two Hosts", "GET /evil HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"),
        ("a Host that is none", "GET /evil HTTP/1.1\r\nHost: a b\r\n\r\n"),
        ("a Host with a path", "GET /evil HTTP/1.1\r\nHost: cdn.example.com/x\r\n\r\n"),
        ("a Host with a user", "GET /evil HTTP/1.1\r\nHost: u@cdn.example.com\r\n\r\n"),
        ("space before the colon", "GET /evil HTTP/1.1\r\nHost : h\r\n\r\n"),
        ("space before a field", "GET /evil HTTP/1.1\r\n Host: h\r\n\r\n"),
        ("no colon", "GET /evil HTTP/1.1\r\nHost: h\r\nX-A\r\n\r\n"),
        ("a name with a bracket", "GET /evil HTTP/1.1\r\nHost: h\r\nX(A): b\r\n\r\n"),
        ("no version", "GET /evil\r\nHost: h\r\n\r\n"),
        ("two spaces", "GET  /evil HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("another protocol", "GET /evil HTTQ/1.1\r\nHost: h\r\n\r\n"),
        ("not HTTP at all", "\u{16}\u{3}\u{1}\0\0\r\n\r\n"),
    ] {
        refused(
            &world,
            what,
            bytes.replace("Host: h\r", &format!("Host: {HOST}\r")).as_bytes(),
            &[400],
        )
        .await;
    }
    assert_eq!(origin.count("/evil"), 0);
}

#[tokio::test]
async fn chunks_that_are_none_break_the_request() {
    let (origin, world) = echoing(|s| s).await;
    let mut statuses = Vec::new();
    let head = format!("POST /evil HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (what, body) in [
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("no hex", "xyz\r\nhello\r\n0\r\n\r\n"),
        ("a sign", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a prefix", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("too large", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        ("longer than its size", "3\r\nhello\r\n0\r\n\r\n"),
        ("a bare LF", "5\nhello\r\n0\r\n\r\n"),
        ("a bare LF behind", "5\r\nhello\n0\r\n\r\n"),
    ] {
        let before = origin.count("/evil");
        let mut client = world.connect().await;
        client.send_raw(format!("{head}{body}")).await.unwrap();
        let answer = client.answer().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        statuses.push((what, answer.status));
        client.closed().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(origin.count("/evil"), before, "{what} reached the origin whole");
    }
    // It is the client's mistake, not the origin's.
    statuses.retain(|(_, status)| *status != 400);
    assert!(statuses.is_empty(), "{statuses:?}");
}

#[tokio::test]
async fn a_head_too_large_is_431() {
    let (origin, world) =
        echoing(|s| s.limits(json!({ "maxHeaderSize": "8Ki", "maxHeaders": 20 }))).await;
    let fields = |count: usize, length: usize| {
        let line = |i| format!("X-{i}: {}\r\n", "v".repeat(length));
        (0..count).map(line).collect::<String>()
    };
    let head = |fields: &str| format!("GET /evil HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n");
    refused(&world, "one long field", head(&fields(1, 10_000)).as_bytes(), &[431]).await;
    refused(&world, "much in all", head(&fields(15, 600)).as_bytes(), &[431]).await;
    refused(&world, "too many fields", head(&fields(25, 1)).as_bytes(), &[400, 431]).await;
    refused(
        &world,
        "a field without end",
        format!("GET /evil HTTP/1.1\r\nX: {}", "v".repeat(9000)).as_bytes(),
        &[431],
    )
    .await;
    assert_eq!(origin.count("/evil"), 0);
    let mut client = world.connect().await;
    client.send_raw(head(&fields(15, 400))).await.unwrap();
    client.answer().await.unwrap().expect_status(200);
    let mut many = Request::get("/evil");
    for i in 0..25 {
        many = many.field(&format!("x-{i}"), "v");
    }
    let mut http2 = Http2::connect(world.address).await.unwrap();
    http2.ask(many).await.unwrap().expect_status(431);
    assert_eq!(origin.count("/evil"), 1);
}

//= rfc9112#3
#[tokio::test]
async fn a_target_too_long_is_414() {
    for limit in ["8Ki", "32Ki"] {
        target_too_long(limit, if limit == "8Ki" { 8 << 10 } else { 32 << 10 }).await;
    }
}

async fn target_too_long(limit: &str, bytes: usize) {
    let (origin, world) = echoing(|s| s.limits(json!({ "maxHeaderSize": limit }))).await;
    for length in [bytes - 10, bytes, bytes + 1000, 200_000] {
        let text = format!("GET /{} HTTP/1.1\r\nHost: {HOST}\r\n\r\n", "a".repeat(length));
        for pieces in [text.len(), 1000] {
            let mut client = world.connect().await;
            slowly(&mut client, &text, pieces).await;
            let answer = client.answer().await.unwrap();
            answer.expect_status(414).expect_field("connection", "close");
            assert!(answer.text().contains("target-too-long"), "{answer:#?}");
        }
    }
    let long = format!("/{}", "a".repeat(bytes - 1000));
    world.ask(&*long).await.expect(200, "MISS");
    assert_eq!(origin.count(&long), 1);
}

/// Sends `text` in pieces that the edge reads one by one.
async fn slowly(client: &mut Client, text: &str, pieces: usize) {
    for piece in text.as_bytes().chunks(pieces) {
        // The edge may have had enough before all of it is sent.
        let _ = client.send_raw(piece).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A head that comes in several reads is refused like any other, and says why.
#[tokio::test]
async fn a_refusal_does_not_depend_on_where_reads_end() {
    let (origin, world) = echoing(|s| s).await;
    let long = "v".repeat(9000);
    for (fields, reason) in [
        ("X : y\r\n\r\n".to_owned(), "space-before-colon"),
        ("X: y\n\n".to_owned(), "bare-lf"),
        ("Host: b\r\n\r\n".to_owned(), "duplicate-host"),
        (
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            "both-length-and-transfer-encoding",
        ),
        (format!("Cookie: {long}\r\n@: y\r\n\r\n"), "bad-field-name"),
    ] {
        let text = format!("POST /evil HTTP/1.1\r\nHost: {HOST}\r\n{fields}");
        for pieces in [text.len(), 40, 4000] {
            let mut client = world.connect().await;
            slowly(&mut client, &text, pieces).await;
            let answer = client.answer().await.unwrap();
            answer.expect_status(400).expect_field("connection", "close");
            assert!(answer.text().contains(reason), "{pieces}: {answer:#?}");
        }
    }
    assert_eq!(origin.count("/evil"), 0);
}

/// What a request before it is answered with is not taken for the refusal.
#[tokio::test]
async fn a_400_of_the_origin_before_a_bad_request_is_relayed() {
    let (origin, world) = echoing(|s| s).await;
    origin.always("/a", Reply::status(400).then("the origin's own"));
    let mut client = world.connect().await;
    let bad = "GET /evil HTTP/1.1\r\nHost : h\r\n\r\n";
    client.send_raw(format!("GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n{bad}")).await.unwrap();
    client.answer().await.unwrap().expect_status(400).expect_body("the origin's own");
    let refusal = client.answer().await.unwrap();
    assert!(refusal.text().contains("space-before-colon"), "{refusal:#?}");
}

//= rfc9110#6.6.1
#[tokio::test]
async fn every_answer_says_when_it_was_made() {
    let (_origin, world) = echoing(|s| s.limits(json!({ "maxHeaderSize": "8Ki" }))).await;
    let long = "v".repeat(9000);
    for (text, status) in [
        (format!("GET / HTTP/1.1\nHost: {HOST}\r\n\r\n"), 400),
        (format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"), 414),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n".to_owned(), 204),
    ] {
        let mut client = world.connect().await;
        client.send_raw(text).await.unwrap();
        let answer = client.answer().await.unwrap();
        answer.expect_status(status);
        assert!(answer.field("date").ends_with(" GMT"), "{answer:#?}");
    }
}

//= rfc9112#3.2.3
#[tokio::test]
async fn a_target_that_is_an_authority_is_for_connect_alone() {
    let (origin, world) = echoing(|s| s).await;
    for target in ["foo", HOST, "cdn.example.com:80"] {
        let text = format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        refused(&world, target, text.as_bytes(), &[400]).await;
    }
    assert_eq!(origin.count("/"), 0);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (_origin, world) = echoing(|s| s).await;
    world.ask("/3").await.expect(200, "MISS");
    world.settled().await;
    let mut client = world.connect().await;
    let mut all = Vec::new();
    for i in 0..20 {
        // Hits, misses and passes by turns.
        all.extend_from_slice(&match i % 4 {
            0 => Request::get("/3").to_bytes(),
            1 => Request::get(&format!("/{i}")).to_bytes(),
            2 => Request::new("POST", &format!("/{i}")).body("abc").to_bytes(),
            _ => Request::new("DELETE", &format!("/{i}")).to_bytes(),
        });
    }
    client.send_raw(&all).await.unwrap();
    for i in 0..20 {
        let wanted = match i % 4 {
            0 => "GET /3 ".to_owned(),
            1 => format!("GET /{i} "),
            2 => format!("POST /{i} abc"),
            _ => format!("DELETE /{i} "),
        };
        client.answer().await.unwrap().expect_status(200).expect_body(wanted);
    }
}

#[tokio::test]
async fn what_is_good_before_something_bad_is_answered() {
    let (origin, world) = echoing(|s| s).await;
    let mut client = world.connect().await;
    let good = format!("GET /good HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let bad = format!("GET /evil HTTP/1.1\r\nHost: {HOST}\r\nX : y\r\n\r\n");
    client.send_raw(format!("{good}{good}{bad}{good}")).await.unwrap();
    client.answer().await.unwrap().expect_status(200);
    client.answer().await.unwrap().expect_status(200);
    client.answer().await.unwrap().expect_status(400);
    client.closed().await.unwrap();
    assert_eq!((origin.count("/good"), origin.count("/evil")), (1, 0));
}

#[tokio::test]
async fn requests_arrive_in_any_pieces() {
    let (_origin, world) = echoing(|s| s).await;
    let mut client = world.connect().await;
    let request = format!(
        "\r\nPOST /a HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
    );
    for _ in 0..2 {
        for byte in request.as_bytes() {
            client.send_raw([*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        client.answer().await.unwrap().expect_status(200).expect_body("POST /a abc");
    }
}

#[tokio::test]
async fn a_body_that_looks_like_a_request_is_none() {
    let (origin, world) = echoing(|s| s).await;
    world.ask("/stored").await.expect(200, "MISS");
    world.settled().await;
    let smuggled = format!("GET /evil HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    for (method, target, host) in [
        ("GET", "/stored", HOST),
        ("POST", "/a", HOST),
        ("POST", "/a", "unknown.example"),
        ("TRACE", "/a", HOST),
        ("GET", "/only", HOST),
    ] {
        let mut client = world.connect().await;
        let mut request = Request::new(method, target).field("Host", host).body(smuggled.clone());
        if target == "/only" {
            request = request.field("cache-control", "only-if-cached");
        }
        client.send(request).await.unwrap();
        let first = client.answer().await.unwrap();
        // The next request gets its own answer, or the connection is closed.
        let next = match client.ask("/next").await {
            Ok(next) => next,
            Err(_) => world.ask("/next").await,
        };
        next.expect_status(200).expect_body("GET /next ");
        assert_eq!(origin.count("/evil"), 0, "{method} {target} {host}: {first:#?}");
    }
}

#[tokio::test]
async fn the_length_of_a_stored_body_does_not_come_from_a_head() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "hello"));
    let mut client = world.connect().await;
    for _ in 0..2 {
        client.ask(Request::new("HEAD", "/a")).await.unwrap().expect_field("content-length", "5");
        client.ask("/a").await.unwrap().expect_status(200).expect_body("hello");
        world.settled().await;
    }
}

#[tokio::test]
async fn answers_without_a_body_leave_the_connection_in_step() {
    let (origin, world) = start().await;
    origin.always("/204", Reply::status(204));
    origin.always("/304", Reply::status(304).field("etag", "\"one\""));
    origin.always("/empty", Reply::fresh(60, ""));
    origin.always("/chunked-empty", Reply::fresh(60, "").chunked());
    let mut client = world.connect().await;
    for _ in 0..2 {
        client
            .ask("/204")
            .await
            .unwrap()
            .expect_status(204)
            .expect_no("content-length")
            .expect_no("transfer-encoding");
        let conditional = Request::get("/304").field("if-none-match", "\"one\"");
        client
            .ask(conditional.field("cache-control", "no-store"))
            .await
            .unwrap()
            .expect_status(304);
        client.ask("/empty").await.unwrap().expect_status(200).expect_body("");
        client.ask("/chunked-empty").await.unwrap().expect_status(200).expect_body("");
        client.ask(Request::new("POST", "/204").body("x")).await.unwrap().expect_status(204);
    }
}

#[tokio::test]
async fn a_host_that_nobody_serves_is_421_and_says_what_to_do() {
    let (origin, world) = echoing(|s| s).await;
    let mut client = world.connect().await;
    let answer = client.ask(Request::get("/a").field("Host", "other.example.com")).await.unwrap();
    answer.expect_status(421).expect_field("content-type", "text/plain; charset=utf-8");
    answer.expect_cache_status("detail=host-not-served");
    for part in ["other.example.com", "sites[].hosts", "e2e"] {
        assert!(answer.text().contains(part), "{}", answer.text());
    }
    // The connection is good for another request.
    client.ask("/a").await.unwrap().expect(200, "MISS");
    assert_eq!(origin.count("/a"), 1);
}
