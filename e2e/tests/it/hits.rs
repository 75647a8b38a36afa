//! Misses, hits and what they say about themselves (E1, E3, E4, O4).

use e2e::client::Request;
use e2e::origin::Reply;
use serde_json::json;

use crate::support::{start, start_with};

#[tokio::test]
async fn a_miss_is_stored_and_the_next_request_is_a_hit_with_its_age() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "hello").field("content-type", "text/plain"));
    let first = world.ask("/a").await;
    first.expect(200, "MISS").expect_body("hello").expect_no("age");
    first.expect_cache_status("lab-0; fwd=uri-miss; fwd-status=200; ttl=60; stored");
    world.settled().await;
    world.pass_seconds(7);
    let second = world.ask("/a").await;
    second.expect(200, "HIT").expect_body("hello").expect_field("age", "7");
    second.expect_field("cache-status", "lab-0; hit; ttl=53");
    second.expect_field("content-length", "5").expect_field("content-type", "text/plain");
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn the_age_that_the_origin_reports_counts() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "old").field("age", "50"));
    world.ask("/a").await.expect(200, "MISS").expect_field("age", "50");
    world.settled().await;
    world.pass_seconds(9);
    world.ask("/a").await.expect(200, "HIT").expect_field("age", "59");
    world.pass_seconds(1);
    world.ask("/a").await.expect(200, "EXPIRED");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn debug_fields_are_for_those_the_site_shows_them_to() {
    let (origin, world) = start_with(|s| s.site(json!({ "debugHeaders": "OnRequest" }))).await;
    origin
        .always("/a", Reply::fresh(60, "a").field("surrogate-key", "one").field("vary", "x-kind"));
    let plain = world.ask("/a").await;
    plain.expect_cache_status("lab-0; fwd=uri-miss").expect_no("surrogate-key");
    for name in ["x-cache", "x-cache-key", "x-cache-ttl", "x-cache-vary", "x-edge-node"] {
        plain.expect_no(name);
    }
    world.settled().await;
    let debug = world.ask(Request::get("/a").field("X-CDN-Debug", "1")).await;
    debug.expect(200, "HIT").expect_field("x-edge-node", "lab-0").expect_field("x-cache-ttl", "60");
    debug.expect_field("x-cache-vary", "x-kind").expect_field("surrogate-key", "one");
    assert!(debug.field("x-cache-key").contains("cdn.example.com"), "{debug:#?}");

    let (origin, world) = start_with(|s| s.site(json!({ "debugHeaders": "Never" }))).await;
    origin.always("/a", Reply::fresh(60, "a"));
    world.ask(Request::get("/a").field("X-CDN-Debug", "1")).await.expect_no("x-cache");
}

#[tokio::test]
async fn head_is_answered_from_a_stored_get() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "twelve bytes").field("etag", "\"1\""));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    let head = world.ask(Request::new("HEAD", "/a")).await;
    head.expect(200, "HIT").expect_body("").expect_field("content-length", "12");
    head.expect_field("etag", "\"1\"");
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_stored_head_answers_heads_and_no_get() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "twelve bytes"));
    let miss = world.ask(Request::new("HEAD", "/a")).await;
    miss.expect(200, "MISS").expect_body("").expect_field("content-length", "12");
    world.settled().await;
    let hit = world.ask(Request::new("HEAD", "/a")).await;
    hit.expect(200, "HIT").expect_field("content-length", "12");
    world.ask("/a").await.expect(200, "MISS").expect_body("twelve bytes");
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("twelve bytes");
    let methods: Vec<_> = origin.asked("/a").into_iter().map(|a| a.method).collect();
    assert_eq!(methods, ["HEAD", "GET"]);
}

#[tokio::test]
async fn vary_keeps_a_variant_for_each_normalised_value() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        let language = asked.fields.get("accept-language").unwrap_or("none").to_owned();
        Reply::fresh(60, language).field("vary", "Accept-Language")
    });
    let ask = |language: &str| Request::get("/a").field("accept-language", language);
    world.ask(ask("de, en;q=0.5")).await.expect(200, "MISS").expect_body("de, en;q=0.5");
    world.settled().await;
    world
        .ask(ask("fr"))
        .await
        .expect(200, "MISS")
        .expect_body("fr")
        .expect_cache_status("fwd=vary-miss");
    world.settled().await;
    world.ask("/a").await.expect(200, "MISS").expect_body("none");
    world.settled().await;
    world.ask(ask("de,en; q=0.5")).await.expect(200, "HIT").expect_body("de, en;q=0.5");
    world.ask(ask("fr")).await.expect(200, "HIT").expect_body("fr");
    world.ask("/a").await.expect(200, "HIT").expect_body("none");
    assert_eq!(origin.count("/a"), 3);
}

#[tokio::test]
async fn vary_star_is_never_stored() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a").field("vary", "*"));
    world.ask("/a").await.expect(200, "MISS").expect_cache_status("detail=vary-star");
    world.ask("/a").await.expect(200, "PASS");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn variants_of_one_url_are_bounded() {
    let (origin, world) = start_with(|s| s.cache(json!({ "maxVariants": 2 }))).await;
    origin.always("/a", Reply::fresh(60, "a").field("vary", "x-kind"));
    for kind in ["1", "2", "3", "4"] {
        world.ask(Request::get("/a").field("x-kind", kind)).await.expect_status(200);
        world.settled().await;
    }
    assert!(world.node.cache.stats().objects <= 2, "{:?}", world.node.cache.stats());
}

#[tokio::test]
async fn different_spellings_of_a_url_are_one() {
    let (origin, world) = start().await;
    origin.always("*", Reply::fresh(60, "a"));
    world.ask("/dir/a~b?q=1").await.expect(200, "MISS");
    world.settled().await;
    for (target, host) in [
        ("/dir/a%7Eb?q=1", "cdn.example.com"),
        ("/dir/./x/../a~b?q=1", "cdn.example.com"),
        ("/dir/a~b?q=1", "CDN.Example.COM:80"),
        ("http://cdn.example.com/dir/a~b?q=1", "cdn.example.com"),
    ] {
        world.ask(Request::get(target).field("Host", host)).await.expect(200, "HIT");
    }
    for target in ["/dir/a~b", "/dir/a~b?q=2", "/dir/A~b?q=1", "/dir/a%2Fb?q=1"] {
        world.ask(target).await.expect(200, "MISS");
    }
}

#[tokio::test]
async fn the_sites_rules_shape_the_key() {
    let rules = json!({
        "sortQuery": true,
        "query": { "drop": ["utm_source"] },
        "headers": ["X-Device"],
        "cookies": ["plan"],
    });
    let (origin, world) = start_with(|s| s.site(json!({ "key": rules }))).await;
    origin.always("/a", Reply::fresh(60, "a"));
    world.ask("/a?x=1&y=2").await.expect(200, "MISS");
    world.settled().await;
    world.ask("/a?y=2&utm_source=mail&x=1").await.expect(200, "HIT");
    world.ask("/a?x=1").await.expect(200, "MISS");
    world.ask(Request::get("/a?x=1&y=2").field("x-device", "phone")).await.expect(200, "MISS");
    world.ask(Request::get("/a?x=1&y=2").field("cookie", "plan=gold")).await.expect(200, "MISS");
    world.ask(Request::get("/a?x=1&y=2").field("cookie", "other=1")).await.expect(200, "HIT");
}

#[tokio::test]
async fn sites_do_not_share_what_they_store() {
    let (origin, world) =
        start_with(|s| s.site(json!({ "hosts": ["cdn.example.com", "*.img.example.com"] }))).await;
    origin.on("/a", |asked| Reply::fresh(60, asked.fields.get("host").unwrap_or("").to_owned()));
    for host in ["cdn.example.com", "x.img.example.com", "y.img.example.com"] {
        let request = Request::get("/a").field("Host", host);
        world.ask(&request).await.expect(200, "MISS").expect_body(host);
        world.settled().await;
        world.ask(&request).await.expect(200, "HIT").expect_body(host);
    }
}

#[tokio::test]
async fn every_edge_of_a_pool_has_a_store_of_its_own() {
    let (origin, world) =
        start_with(|s| s.spec(json!({ "pops": [{ "name": "lab", "replicas": 2 }] }))).await;
    origin.always("/a", Reply::fresh(60, "a"));
    let edges = world.local.as_ref().unwrap().edges.list();
    assert_eq!(edges.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["lab-0", "lab-1"]);
    for edge in &edges {
        let answer = e2e::client::ask(edge.address, "/a").await.unwrap();
        answer.expect(200, "MISS").expect_field("x-edge-node", &edge.name);
    }
    assert_eq!(origin.count("/a"), 2);
}
