//! Compression at delivery (E13).

use std::io::Read;

use e2e::client::{Answer, Request};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use e2e::world::World;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{start, start_with};

fn text(lines: usize) -> String {
    (0..lines).map(|line| format!("line {line} of a text that repeats itself\n")).collect()
}

fn accept(target: &str, codings: &str) -> Request {
    Request::get(target).field("accept-encoding", codings)
}

fn decoded(answer: &Answer) -> String {
    assert!(!answer.cut, "{:?}", answer.fields);
    let body = &answer.body[..];
    let mut text = String::new();
    let read = match answer.field("content-encoding") {
        "" => return answer.text(),
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        "gzip" => flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text),
        "zstd" => zstd::stream::read::Decoder::new(body).unwrap().read_to_string(&mut text),
        other => panic!("{other}"),
    };
    read.unwrap();
    text
}

/// A text at `/a`, stored.
async fn stored() -> (Origin, World) {
    let (origin, world) = start().await;
    let reply =
        Reply::fresh(60, text(100)).field("content-type", "text/plain").field("etag", "\"one\"");
    origin.always("/a", reply);
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    (origin, world)
}

#[tokio::test]
async fn the_coding_follows_the_clients_preferences() {
    let (origin, world) = stored().await;
    assert_eq!(origin.last("/a").fields.get("accept-encoding"), Some("identity"));
    for (codings, coding) in [
        ("br", "br"),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0.1, zstd;q=0.9", "zstd"),
        ("br;q=0, gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("identity", ""),
        ("", ""),
        ("deflate", ""),
        ("br;q=0, gzip;q=0, zstd;q=0", ""),
        ("identity;q=1, br;q=0.5", ""),
        ("*;q=0.5, identity;q=0.1, br;q=0, zstd;q=0", "gzip"),
    ] {
        let answer = world.ask(accept("/a", codings)).await;
        assert_eq!(answer.field("content-encoding"), coding, "{codings:?}");
        answer
            .expect(200, "HIT")
            .expect_field("vary", "Accept-Encoding")
            .expect_field("content-type", "text/plain");
        answer.expect_field("etag", if coding.is_empty() { "\"one\"" } else { "W/\"one\"" });
        assert_eq!(decoded(&answer), text(100), "{codings:?}");
        assert!(coding.is_empty() || answer.body.len() < text(100).len() / 2, "{codings:?}");
    }
    world.ask("/a").await.expect(200, "HIT").expect_no("content-encoding").expect_body(text(100));
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn the_first_answer_is_compressed_too() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, text(100)).field("content-type", "text/plain"));
    let answer = world.ask(accept("/a", "br")).await;
    answer.expect(200, "MISS").expect_field("content-encoding", "br");
    assert_eq!(decoded(&answer), text(100));
}

//= rfc9530#3
#[tokio::test]
async fn only_what_gains_by_it_is_compressed() {
    let (origin, world) = start().await;
    let plain = |body: String| Reply::ok(body).field("content-type", "text/plain");
    for (path, reply) in [
        ("/small", plain("short".into()).field("cache-control", "max-age=60")),
        ("/image", Reply::fresh(60, text(100)).field("content-type", "image/png")),
        ("/untyped", Reply::fresh(60, text(100))),
        ("/digest", plain(text(100)).field("repr-digest", "sha-256=:x:")),
        ("/targeted", plain(text(100)).field("cdn-cache-control", "max-age=60, no-transform")),
        ("/no-transform", plain(text(100)).field("cache-control", "max-age=60, no-transform")),
        ("/part", Reply::status(206).then(text(100)).field("content-range", "bytes 0-4/5")),
    ] {
        origin.always(path, reply);
        for _ in 0..2 {
            let answer = world.ask(accept(path, "br, gzip")).await;
            answer.expect_no("content-encoding");
            world.settled().await;
        }
    }
    let encoded = plain("already".repeat(500))
        .field("content-encoding", "gzip")
        .field("cache-control", "max-age=60");
    origin.always("/encoded", encoded);
    for _ in 0..2 {
        let answer = world.ask(accept("/encoded", "br, gzip")).await;
        answer.expect_field("content-encoding", "gzip").expect_body("already".repeat(500));
        world.settled().await;
    }
    assert!(world.metric("cdn_compressions_total", "") < 0.5);
    for (path, content_type) in
        [("/json", "application/json; charset=utf-8"), ("/svg", "image/svg+xml")]
    {
        origin.always(path, Reply::fresh(60, text(100)).field("content-type", content_type));
        world.ask(accept(path, "br")).await.expect_field("content-encoding", "br");
    }
}

#[tokio::test]
async fn a_body_is_compressed_once() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let reply = Reply::fresh(60, text(1000)).then_after(&gate).then(text(1000));
    origin.always("/a", reply.field("content-type", "text/plain"));
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let mut client = world.connect().await;
        asking.spawn(async move { client.ask(accept("/a", "br")).await.unwrap() });
    }
    origin.was_asked("/a", 1).await.unwrap();
    gate.open();
    for answer in asking.join_all().await {
        answer.expect_status(200).expect_field("content-encoding", "br");
        assert_eq!(decoded(&answer), text(1000) + &text(1000));
    }
    for _ in 0..5 {
        assert_eq!(decoded(&world.ask(accept("/a", "br")).await), text(1000) + &text(1000));
    }
    assert!((world.metric("cdn_compressions_total", "coding=\"br\"") - 1.0).abs() < 0.5);
    assert_eq!(decoded(&world.ask(accept("/a", "gzip")).await), text(1000) + &text(1000));
    assert!((world.metric("cdn_compressions_total", "") - 2.0).abs() < 0.5);
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_body_is_compressed_while_it_comes_in() {
    let (origin, world) = start().await;
    for coding in ["br", "gzip", "zstd"] {
        let gate = Gate::closed();
        let reply = Reply::fresh(60, text(1000)).then_after(&gate).then(text(1000)).chunked();
        origin.always(&format!("/{coding}"), reply.field("content-type", "text/html"));
        let mut client = world.connect().await;
        client.send(accept(&format!("/{coding}"), coding)).await.unwrap();
        let mut answer = client.head().await.unwrap();
        answer.expect_field("content-encoding", coding);
        // Enough is there to show something, though the rest has not come.
        let (begun, _) = client.body(100).await.unwrap();
        gate.open();
        let (rest, cut) = client.body(usize::MAX).await.unwrap();
        (answer.body, answer.cut) = ([begun, rest].concat().into(), cut);
        assert_eq!(decoded(&answer), text(1000) + &text(1000));
    }
}

#[tokio::test]
async fn a_body_cut_short_is_cut_short_when_compressed() {
    let (origin, world) = start().await;
    let reply = Reply::fresh(60, text(100)).announcing(1_000_000).then_cut();
    origin.always("/a", reply.field("content-type", "text/plain"));
    for _ in 0..2 {
        let answer = world.connect().await.ask(accept("/a", "gzip")).await;
        assert!(answer.map_or(true, |answer| answer.cut));
        world.settled().await;
    }
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn ranges_are_of_the_identity() {
    let (_origin, world) = stored().await;
    let part = world.ask(accept("/a", "br").field("range", "bytes=0-9")).await;
    part.expect(206, "HIT").expect_no("content-encoding").expect_field("etag", "\"one\"");
    part.expect_body(&text(100)[..10]);
}

#[tokio::test]
async fn a_compressed_answers_tag_validates() {
    let (origin, world) = stored().await;
    let weak = accept("/a", "br").field("if-none-match", "W/\"one\"");
    world
        .ask(weak)
        .await
        .expect(304, "HIT")
        .expect_body("")
        .expect_field("vary", "Accept-Encoding");
    assert_eq!(origin.count("/a"), 1);
}

//= rfc9110#9.3.2
#[tokio::test]
async fn head_tells_of_the_compressed_answer() {
    let (_origin, world) = stored().await;
    let same = ["content-encoding", "etag", "vary", "accept-ranges", "content-type"];
    for codings in ["br", "gzip", "identity"] {
        let head = Request { method: "HEAD".to_owned(), ..accept("/a", codings) };
        let head = world.ask(head).await;
        head.expect(200, "HIT").expect_body("");
        let got = world.ask(accept("/a", codings)).await;
        for name in same {
            assert_eq!(head.fields.all(name), got.fields.all(name), "{codings}: {name}");
        }
        // Of what is made as it is asked for it is not known.
        match codings {
            "identity" => head.expect_field("content-length", &text(100).len().to_string()),
            _ => head.expect_no("content-length"),
        };
    }
}

/// What a HEAD stored has no body, and yet says what a GET would get.
//= rfc9110#9.3.2
#[tokio::test]
async fn head_tells_of_the_compressed_answer_before_there_is_one() {
    let (origin, world) = start().await;
    let reply = Reply::fresh(60, text(100)).field("content-type", "text/plain");
    origin.always("/a", reply.field("etag", "\"one\""));
    let head = Request { method: "HEAD".to_owned(), ..accept("/a", "br") };
    for word in ["MISS", "HIT"] {
        let answer = world.ask(&head).await;
        answer.expect(200, word).expect_field("vary", "Accept-Encoding").expect_body("");
        answer.expect_field("content-encoding", "br").expect_field("etag", "W/\"one\"");
        answer.expect_no("content-length");
        world.settled().await;
    }
    let plain = world.ask(Request::new("HEAD", "/a")).await;
    plain.expect(200, "HIT").expect_field("content-length", &text(100).len().to_string());
    world.ask(accept("/a", "br")).await.expect(200, "MISS").expect_field("etag", "W/\"one\"");
}

//= rfc9111#5.2.1.6
#[tokio::test]
async fn a_request_may_forbid_it() {
    let (_origin, world) = stored().await;
    let plain = accept("/a", "br").field("cache-control", "no-transform");
    let answer = world.ask(plain).await;
    answer.expect(200, "HIT").expect_no("content-encoding").expect_body(text(100));
    answer.expect_field("etag", "\"one\"").expect_field("vary", "Accept-Encoding");
}

#[tokio::test]
async fn a_refreshed_body_is_compressed_anew() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::fresh(10, text(100 * asked.number)).field("content-type", "text/plain")
    });
    assert_eq!(decoded(&world.ask(accept("/a", "gzip")).await), text(100));
    world.settled().await;
    world.pass_seconds(10);
    assert_eq!(decoded(&world.ask(accept("/a", "gzip")).await), text(200));
    world.settled().await;
    assert_eq!(decoded(&world.ask(accept("/a", "gzip")).await), text(200));
}

#[tokio::test]
async fn a_site_that_does_not_compress_keeps_the_origins_codings_apart() {
    let (origin, world) =
        start_with(|s| s.site(json!({ "compression": { "enabled": false } }))).await;
    origin.on("/a", |asked| {
        let coding =
            if asked.fields.lists("accept-encoding", "gzip") { "gzip" } else { "identity" };
        let reply = Reply::fresh(60, coding)
            .field("vary", "Accept-Encoding")
            .field("content-type", "text/plain");
        if coding == "gzip" { reply.field("content-encoding", "gzip") } else { reply }
    });
    world.ask(accept("/a", "gzip")).await.expect(200, "MISS").expect_body("gzip");
    world.settled().await;
    world.ask("/a").await.expect(200, "MISS").expect_body("identity").expect_no("content-encoding");
    world.settled().await;
    world.ask(accept("/a", "gzip")).await.expect(200, "HIT").expect_body("gzip");
    world.ask("/a").await.expect(200, "HIT").expect_body("identity");
}
