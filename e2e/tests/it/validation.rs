//! Conditions of clients, and ours towards the origin (E6).

use e2e::client::Request;
use e2e::origin::Reply;

use crate::support::start;

const DATE: &str = "Mon, 04 Jan 2027 10:00:00 GMT";
const LATER: &str = "Tue, 05 Jan 2027 10:00:00 GMT";
const EARLIER: &str = "Sun, 03 Jan 2027 10:00:00 GMT";

#[tokio::test]
async fn conditions_are_answered_from_the_store() {
    let (origin, world) = start().await;
    let reply = Reply::fresh(60, "body").field("etag", "\"one\"").field("last-modified", DATE);
    origin.always("/a", reply.field("content-type", "text/x"));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(3);
    for (name, value, status) in [
        ("if-none-match", "\"one\"", 304),
        ("if-none-match", "W/\"one\"", 304),
        ("if-none-match", "\"zero\", \"one\"", 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"two\"", 200),
        ("if-modified-since", DATE, 304),
        ("if-modified-since", LATER, 304),
        ("if-modified-since", EARLIER, 200),
        ("if-modified-since", "yesterday", 200),
        ("if-match", "\"one\"", 200),
        ("if-match", "\"two\"", 412),
        ("if-match", "W/\"one\"", 412),
        ("if-unmodified-since", DATE, 200),
        ("if-unmodified-since", EARLIER, 412),
    ] {
        let answer = world.ask(Request::get("/a").field(name, value)).await;
        assert_eq!(answer.status, status, "{name}: {value} gave {answer:#?}");
        match status {
            200 => answer.expect_body("body"),
            304 => {
                answer.expect_no("content-length").expect_no("content-type");
                answer.expect_body("").expect_field("etag", "\"one\"").expect_field("age", "3")
            }
            _ => answer.expect_body(""),
        };
    }
    let both =
        Request::get("/a").field("if-none-match", "\"two\"").field("if-modified-since", LATER);
    world.ask(both).await.expect(200, "HIT");
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_condition_on_a_miss_is_judged_here_and_not_sent_on() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::validated(asked, "\"one\"", "body").field("cache-control", "max-age=60")
    });
    let conditional = Request::get("/a").field("if-none-match", "\"one\"");
    world.ask(&conditional).await.expect(304, "MISS").expect_body("");
    assert!(!origin.last("/a").fields.has("if-none-match"));
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("body");
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_304_freshens_what_is_stored_without_its_body() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        let seconds = if asked.number == 1 { 10 } else { 100 };
        Reply::validated(asked, "\"one\"", "body")
            .field("cache-control", &format!("max-age={seconds}"))
            .field("x-version", &asked.number.to_string())
    });
    world.ask("/a").await.expect(200, "MISS").expect_field("x-version", "1");
    world.settled().await;
    world.pass_seconds(10);
    let freshened = world.ask("/a").await;
    freshened.expect(200, "REVALIDATED").expect_body("body").expect_field("x-version", "2");
    freshened.expect_cache_status("fwd=stale; fwd-status=304");
    assert_eq!(origin.last("/a").fields.get("if-none-match"), Some("\"one\""));
    world.pass_seconds(99);
    let hit = world.ask("/a").await;
    hit.expect(200, "HIT")
        .expect_body("body")
        .expect_field("age", "99")
        .expect_field("x-version", "2");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn without_an_etag_the_date_validates() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        let known = asked.fields.get("if-modified-since") == Some(DATE);
        let reply = if known { Reply::status(304) } else { Reply::ok("body") };
        reply.field("last-modified", DATE).field("cache-control", "max-age=10")
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(10);
    world.ask("/a").await.expect(200, "REVALIDATED").expect_body("body");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn what_changed_replaces_what_is_stored() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        let version = asked.number.to_string();
        Reply::validated(asked, &format!("\"{version}\""), version)
            .field("cache-control", "max-age=10")
    });
    world.ask("/a").await.expect(200, "MISS").expect_body("1");
    world.settled().await;
    world.pass_seconds(10);
    let changed = world.ask("/a").await;
    changed
        .expect(200, "EXPIRED")
        .expect_body("2")
        .expect_cache_status("fwd=stale; fwd-status=200");
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("2");
    assert_eq!(world.node.cache.stats().objects, 1);
}

#[tokio::test]
async fn what_is_no_cache_is_validated_every_time() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::validated(asked, "\"one\"", "body").field("cache-control", "no-cache, max-age=60")
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    for _ in 0..2 {
        world.ask("/a").await.expect(200, "REVALIDATED").expect_body("body");
    }
    assert_eq!(origin.count("/a"), 3);
}

#[tokio::test]
async fn a_clients_condition_is_answered_after_a_revalidation() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::validated(asked, "\"one\"", "body").field("cache-control", "max-age=10")
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(10);
    let conditional = Request::get("/a").field("if-none-match", "\"one\"");
    world.ask(&conditional).await.expect(304, "REVALIDATED").expect_body("");
    world.ask("/a").await.expect(200, "HIT").expect_body("body");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn a_304_about_something_else_is_not_used() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| match asked.number {
        1 => Reply::fresh(10, "one").field("etag", "\"one\"").field("last-modified", DATE),
        2 => Reply::status(304).field("etag", "\"two\"").field("last-modified", LATER),
        _ => Reply::fresh(100, "two").field("etag", "\"two\""),
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(10);
    let foreign = world.ask("/a").await;
    assert_ne!(foreign.text(), "one", "{foreign:#?}");
    world.settled().await;
    world.ask("/a").await.expect_status(200).expect_body("two");
}

/// The answer is as the 304 says, also where that forbids to keep it.
//= rfc9111#4.3.4
#[tokio::test]
async fn a_304_that_forbids_storing_is_shown_once() {
    let (origin, world) = start().await;
    for (path, forbids) in [("/a", ("cache-control", "no-store")), ("/b", ("vary", "*"))] {
        origin.on(path, move |asked| {
            let reply = Reply::validated(asked, "\"one\"", "body");
            let reply = reply.field("x-version", &asked.number.to_string());
            if asked.number == 1 {
                reply.field("cache-control", "max-age=10")
            } else {
                reply.field(forbids.0, forbids.1)
            }
        });
        world.ask(path).await.expect(200, "MISS");
        world.settled().await;
        world.pass_seconds(12);
        let shown = world.ask(path).await;
        shown.expect(200, "REVALIDATED").expect_body("body").expect_field("x-version", "2");
        shown.expect_field(forbids.0, forbids.1).expect_field("age", "0");
        let status = shown.field("cache-status");
        assert!(!status.contains("stored") && status.contains("detail="), "{shown:#?}");
        world.settled().await;
        assert_eq!(world.node.cache.stats().objects, 0, "{path}");
    }
}

/// What a qualified `no-cache` names is for whoever it was sent to, and for nobody else.
//= rfc9111#5.2.2.4
#[tokio::test]
async fn a_field_of_a_304_that_must_not_be_stored_reaches_who_asked() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::validated(asked, "\"one\"", "body")
            .field("cache-control", "max-age=10, public, no-cache=\"set-cookie\"")
            .field("set-cookie", &format!("n={}", asked.number))
    });
    world.ask("/a").await.expect(200, "MISS").expect_field("set-cookie", "n=1");
    world.settled().await;
    world.pass_seconds(12);
    world.ask("/a").await.expect(200, "REVALIDATED").expect_field("set-cookie", "n=2");
    world.ask("/a").await.expect(200, "HIT").expect_no("set-cookie");
}

//= rfc9211#2.2
#[tokio::test]
async fn a_request_that_wants_more_than_what_is_fresh_says_so() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        match asked.number {
            1 | 2 => Reply::validated(asked, "\"one\"", "one"),
            3 => Reply::ok("two"),
            _ => Reply::status(503),
        }
        .field("cache-control", "max-age=60")
    });
    let insisting = Request::get("/a").field("cache-control", "max-age=0");
    world.ask("/a").await.expect(200, "MISS");
    for (word, status) in [
        ("REVALIDATED", "fwd=request; fwd-status=304; ttl=60; stored"),
        ("EXPIRED", "fwd=request; fwd-status=200; ttl=60; stored"),
        ("STALE", "fwd=request; fwd-status=503; ttl=60; detail=origin-error"),
    ] {
        world.settled().await;
        world.ask(&insisting).await.expect(200, word).expect_cache_status(status);
    }
    // What is past its time is stale, whatever the request says.
    world.pass_seconds(70);
    let stale = world.ask(&insisting).await;
    stale.expect(200, "STALE").expect_cache_status("fwd=stale; fwd-status=503; ttl=-10");
}
