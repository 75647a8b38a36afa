//! Stale answers: while it is refreshed, and while the origin is away (E7).

use e2e::gate::Gate;
use e2e::origin::Reply;
use serde_json::json;

use crate::support::{start, start_with};

#[tokio::test]
async fn stale_while_revalidate_answers_at_once_and_refreshes_once() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let second = gate.clone();
    origin.on("/a", move |asked| {
        let reply = Reply::ok(format!("version {}", asked.number))
            .field("cache-control", "max-age=10, stale-while-revalidate=30");
        if asked.number == 1 { reply } else { reply.after(&second) }
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(15);
    for _ in 0..5 {
        let stale = world.ask("/a").await;
        stale.expect(200, "STALE").expect_body("version 1").expect_field("age", "15");
        stale
            .expect_field("x-cdn-stale", "expired")
            .expect_cache_status("hit; ttl=-5; detail=expired");
    }
    origin.was_asked("/a", 2).await.unwrap();
    gate.open();
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("version 2").expect_no("x-cdn-stale");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn a_refresh_in_the_background_that_fails_is_tried_again() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| match asked.number {
        1 => Reply::ok("one").field("cache-control", "max-age=10, stale-while-revalidate=30"),
        2 => Reply::broken(),
        3 => Reply::status(503),
        _ => Reply::fresh(10, "two"),
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(12);
    world.ask("/a").await.expect(200, "STALE").expect_body("one");
    origin.was_asked("/a", 3).await.unwrap();
    world.settled().await;
    world.ask("/a").await.expect(200, "STALE").expect_body("one");
    origin.was_asked("/a", 4).await.unwrap();
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("two");
}

#[tokio::test]
async fn past_its_window_stale_while_revalidate_waits_for_the_origin() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::ok(asked.number.to_string())
            .field("cache-control", "max-age=10, stale-while-revalidate=5")
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(15);
    world.ask("/a").await.expect(200, "EXPIRED").expect_body("2");
}

#[tokio::test]
async fn with_the_origin_dead_stale_is_served_within_bounds_then_an_error_then_recovery() {
    let (mut origin, world) = start().await;
    origin.on("/a", |asked| Reply::fresh(10, format!("version {}", asked.number)));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    origin.stop().await.unwrap();
    world.pass_seconds(20);
    let stale = world.ask("/a").await;
    stale.expect(200, "STALE").expect_body("version 1").expect_field("x-cdn-stale", "origin-error");
    stale.expect_field("cache-status", "lab-0; fwd=stale; ttl=-10; detail=origin-error");
    let nothing = world.ask("/never-seen").await;
    nothing.expect(502, "").expect_cache_status("detail=connect-failed").expect_no("x-cdn-stale");
    nothing.expect_field("cache-control", "no-store");
    assert!(nothing.text().contains("connect-failed"), "{nothing:#?}");
    world.pass_seconds(3600);
    world.ask("/a").await.expect_status(502);
    origin.restart().await.unwrap();
    world.ask("/a").await.expect_status(200).expect_body("version 2").expect_no("x-cdn-stale");
    world.ask("/never-seen").await.expect_status(404);
}

#[tokio::test]
async fn after_an_outage_the_first_answer_of_the_origin_is_taken() {
    let (mut origin, world) = start().await;
    origin.on("/a", |asked| Reply::fresh(10, asked.number.to_string()));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(11);
    origin.stop().await.unwrap();
    world.ask("/a").await.expect(200, "STALE").expect_body("1");
    origin.restart().await.unwrap();
    world.ask("/a").await.expect(200, "EXPIRED").expect_body("2");
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("2");
}

#[tokio::test]
async fn an_erring_origin_is_covered_by_what_is_stored() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| match asked.number {
        1 => Reply::ok("good").field("cache-control", "max-age=10, stale-if-error=60"),
        _ => Reply::status(503).then("overloaded"),
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(30);
    world
        .ask("/a")
        .await
        .expect(200, "STALE")
        .expect_body("good")
        .expect_field("x-cdn-stale", "origin-error");
    world.pass_seconds(60);
    world.ask("/a").await.expect_status(503).expect_body("overloaded").expect_no("x-cdn-stale");
}

#[tokio::test]
async fn must_revalidate_forbids_stale_answers() {
    let (mut origin, world) = start().await;
    origin.on("/a", |asked| match asked.number {
        1 => Reply::ok("good")
            .field("cache-control", "max-age=10, must-revalidate, stale-if-error=60"),
        _ => Reply::status(500).then("broken"),
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(11);
    world.ask("/a").await.expect_status(500).expect_body("broken");

    origin.always("/b", Reply::ok("good").field("cache-control", "max-age=10, must-revalidate"));
    world.ask("/b").await.expect(200, "MISS");
    world.settled().await;
    origin.stop().await.unwrap();
    world.pass_seconds(11);
    world.ask("/b").await.expect_status(502).expect_no("x-cdn-stale");
}

/// What the public suite's `stale-close-*` cases are about: the origin hangs up on the second request.
#[tokio::test]
async fn what_forbids_stale_answers_does_so_when_the_origin_hangs_up() {
    let (origin, world) = start().await;
    for (path, control) in [
        ("/must", "max-age=2, must-revalidate"),
        ("/proxy", "max-age=2, proxy-revalidate"),
        ("/no-cache", "max-age=2, no-cache"),
        ("/shared", "max-age=2, s-maxage=2"),
    ] {
        origin.on(path, move |asked| match asked.number {
            1 => Reply::ok("good").field("etag", "\"1\"").field("cache-control", control),
            _ => Reply::broken(),
        });
        world.ask(path).await.expect(200, "MISS");
        world.settled().await;
        world.pass_seconds(3);
        world.ask(path).await.expect_status(502).expect_no("x-cdn-stale").expect_no("age");
    }
}

#[tokio::test]
async fn a_silent_origin_times_out() {
    let timeouts = json!({ "timeouts": { "connect": "100ms", "firstByte": "200ms" } });
    let (origin, world) = start_with(|s| s.site(timeouts)).await;
    let never = Gate::closed();
    let silent = never.clone();
    origin.on("/a", move |asked| {
        let reply = Reply::fresh(10, "good");
        if asked.number == 1 { reply } else { reply.after(&silent) }
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(11);
    world
        .ask("/a")
        .await
        .expect(200, "STALE")
        .expect_body("good")
        .expect_field("x-cdn-stale", "origin-error");
    origin.always("/b", Reply::ok("late").after(&never));
    world.ask("/b").await.expect(504, "").expect_cache_status("detail=first-byte-timeout");
}

#[tokio::test]
async fn the_site_bounds_stale_answers_where_the_origin_says_nothing() {
    let rules = json!({ "freshness": { "staleIfError": "0s", "staleWhileRevalidate": "20s" } });
    let (mut origin, world) = start_with(|s| s.site(rules)).await;
    origin.always("/a", Reply::fresh(10, "a"));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    origin.stop().await.unwrap();
    world.pass_seconds(15);
    world.ask("/a").await.expect(200, "STALE").expect_field("x-cdn-stale", "expired");
    world.settled().await;
    world.pass_seconds(15);
    world.ask("/a").await.expect_status(502);
}

#[tokio::test]
async fn a_connection_that_the_origin_has_closed_meanwhile_costs_no_request() {
    let (mut origin, world) = start().await;
    origin.always("*", Reply::fresh(60, "a"));
    world.ask("/one").await.expect(200, "MISS");
    // The kept connection is dead now, and a new one can be had.
    origin.stop().await.unwrap();
    origin.restart().await.unwrap();
    world.ask("/two").await.expect(200, "MISS").expect_body("a");
}
