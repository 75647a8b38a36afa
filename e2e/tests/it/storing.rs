//! What is stored, for how long, and what never is (E2, E5, E8, E14).

use e2e::client::Request;
use e2e::origin::Reply;
use serde_json::json;

use crate::support::{start, start_with};

#[tokio::test]
async fn the_first_lifetime_that_applies_counts() {
    let (origin, world) = start_with(|s| s.site(json!({ "debugHeaders": "OnRequest" }))).await;
    let debug = |path: &str| Request::get(path).field("x-cdn-debug", "1");
    for (path, fields, seconds) in [
        (
            "/targeted",
            vec![("cdn-cache-control", "max-age=50"), ("cache-control", "s-maxage=5, max-age=4")],
            50,
        ),
        (
            "/surrogate",
            vec![("surrogate-control", "max-age=40"), ("cache-control", "max-age=4")],
            40,
        ),
        ("/shared", vec![("cache-control", "max-age=4, s-maxage=30")], 30),
        (
            "/plain",
            vec![("cache-control", "max-age=20"), ("expires", "Thu, 01 Jan 1970 00:00:00 GMT")],
            20,
        ),
        ("/two-lines", vec![("cache-control", "public"), ("cache-control", "max-age=15")], 15),
    ] {
        let mut reply = Reply::ok("a").field("etag", "\"1\"");
        for (name, value) in fields {
            reply = reply.field(name, value);
        }
        origin.always(path, reply);
        let first = world.ask(path).await;
        first.expect_status(200).expect_cache_status(&format!("ttl={seconds}; stored"));
        first.expect_no("cdn-cache-control").expect_no("surrogate-control");
        world.settled().await;
        world.pass_seconds(seconds - 1);
        world.ask(debug(path)).await.expect(200, "HIT");
        world.pass_seconds(1);
        world.ask(path).await.expect_cache_status("fwd=stale");
    }
}

#[tokio::test]
async fn what_says_no_store_or_private_is_never_stored() {
    let (origin, world) = start().await;
    for (path, directives, reason) in [
        ("/1", "no-store", "no-store"),
        ("/2", "private", "private"),
        ("/3", "public, max-age=60, no-store", "no-store"),
        ("/4", "max-age=60, Private", "private"),
    ] {
        origin.on(path, move |asked| {
            Reply::ok(asked.number.to_string())
                .field("cache-control", directives)
                .field("etag", "\"1\"")
        });
        let first = world.ask(path).await;
        first.expect(200, "MISS").expect_body("1");
        assert!(first.field("cache-status").contains(reason), "{first:#?}");
        world
            .ask(path)
            .await
            .expect(200, "PASS")
            .expect_body("2")
            .expect_cache_status("detail=hit-for-miss");
    }
    assert_eq!(world.node.cache.stats().objects, 0);
}

#[tokio::test]
async fn heuristics_are_off_unless_the_site_turns_them_on() {
    let modified = "Tue, 05 Jan 2027 08:00:00 GMT"; // Ten days before the clock starts.
    let reply = Reply::ok("a").field("last-modified", modified);
    let (origin, world) = start().await;
    origin.always("/a", reply.clone());
    world.ask("/a").await.expect_status(200);
    world.settled().await;
    world.ask("/a").await.expect_status(200);
    assert_eq!(origin.count("/a"), 2);

    let rules = json!({ "freshness": { "heuristic": { "percent": 10, "cap": "1h" } } });
    let (origin, world) = start_with(|s| s.site(rules)).await;
    origin.always("/a", reply);
    world.ask("/a").await.expect(200, "MISS").expect_cache_status("ttl=3600");
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT");
}

#[tokio::test]
async fn errors_are_stored_for_a_short_time() {
    let (origin, world) = start().await;
    for (status, seconds) in
        [(404, 10), (405, 10), (410, 10), (501, 10), (500, 1), (502, 1), (503, 1), (504, 1)]
    {
        let path = format!("/{status}");
        origin.always(&path, Reply::status(status).then("gone"));
        world.ask(path.as_str()).await.expect(status, "MISS").expect_body("gone");
        world.settled().await;
        world.pass_seconds(seconds - 1);
        world.ask(path.as_str()).await.expect(status, "HIT").expect_body("gone");
        world.pass_seconds(1);
        world.ask(path.as_str()).await.expect_status(status);
        assert_eq!(origin.count(&path), 2);
    }
    origin.always("/403", Reply::status(403));
    world.ask("/403").await.expect(403, "MISS");
    world.ask("/403").await.expect_status(403);
    assert_eq!(origin.count("/403"), 2);
}

#[tokio::test]
async fn a_stored_error_does_not_stand_in_for_the_origins_newer_one() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| Reply::status(503).then(format!("error {}", asked.number)));
    world.ask("/a").await.expect(503, "MISS").expect_body("error 1");
    world.settled().await;
    world.pass_seconds(2);
    world.ask("/a").await.expect_status(503).expect_body("error 2").expect_no("x-cdn-stale");
}

#[tokio::test]
async fn fields_that_a_qualified_directive_names_are_for_the_first_client_only() {
    let (origin, world) = start().await;
    let control = "max-age=60, private=\"X-Account\"";
    let reply = Reply::ok("a").field("cache-control", control).field("x-account", "7");
    origin.always("/a", reply);
    world.ask("/a").await.expect(200, "MISS").expect_field("x-account", "7");
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_no("x-account");
}

#[tokio::test]
async fn the_origin_and_then_the_site_decide_about_errors() {
    let rules = json!({ "freshness": { "negativeTTL": { "404": "30s", "410": "0s" } } });
    let (origin, world) = start_with(|s| s.site(rules)).await;
    origin.always("/own", Reply::status(404).field("cache-control", "max-age=5"));
    world.ask("/own").await.expect(404, "MISS").expect_cache_status("ttl=5");
    origin.always("/never", Reply::status(404).field("cache-control", "no-store"));
    world.ask("/never").await.expect(404, "MISS");
    world.ask("/never").await.expect(404, "PASS");
    origin.always("/rule", Reply::status(404));
    world.ask("/rule").await.expect(404, "MISS").expect_cache_status("ttl=30");
    origin.always("/off", Reply::status(410));
    world.ask("/off").await.expect(410, "MISS").expect_cache_status("detail=no-lifetime");
}

#[tokio::test]
async fn a_cookie_is_stored_only_with_a_permission_for_shared_caches() {
    let (origin, world) = start().await;
    let reply =
        |control: &str| Reply::ok("a").field("set-cookie", "id=1").field("cache-control", control);
    origin.always("/plain", reply("max-age=60"));
    world
        .ask("/plain")
        .await
        .expect(200, "MISS")
        .expect_cache_status("detail=set-cookie")
        .expect_field("set-cookie", "id=1");
    world.ask("/plain").await.expect(200, "PASS");
    for (path, control) in [("/public", "public, max-age=60"), ("/shared", "s-maxage=60")] {
        origin.always(path, reply(control));
        world.ask(path).await.expect(200, "MISS");
        world.settled().await;
        world.ask(path).await.expect(200, "HIT").expect_field("set-cookie", "id=1");
    }
}

#[tokio::test]
async fn a_site_may_strip_cookies_and_then_nobody_gets_them() {
    let rules = json!({ "freshness": { "setCookie": "Strip" } });
    let (origin, world) = start_with(|s| s.site(rules)).await;
    origin.always("/strip", Reply::fresh(60, "a").field("set-cookie", "id=1"));
    world.ask("/strip").await.expect(200, "MISS").expect_no("set-cookie");
    world.settled().await;
    world.ask("/strip").await.expect(200, "HIT").expect_no("set-cookie");
}

#[tokio::test]
async fn answers_to_authorized_requests_are_not_for_others() {
    let (origin, world) = start().await;
    let authorized = |path: &str| Request::get(path).field("authorization", "Basic eDp5");
    origin
        .on("/mine", |asked| Reply::fresh(60, format!("{:?}", asked.fields.get("authorization"))));
    world.ask(authorized("/mine")).await.expect_status(200).expect_body("Some(\"Basic eDp5\")");
    world.settled().await;
    // It says nothing about others: theirs is stored.
    world.ask("/mine").await.expect(200, "MISS").expect_body("None");
    world.settled().await;
    world.ask("/mine").await.expect(200, "HIT").expect_body("None");
    for (path, control) in [
        ("/public", "public, max-age=60"),
        ("/shared", "s-maxage=60"),
        ("/must", "must-revalidate, max-age=60"),
    ] {
        origin.always(path, Reply::ok("a").field("cache-control", control));
        world.ask(authorized(path)).await.expect(200, "MISS");
        world.settled().await;
        world.ask(path).await.expect(200, "HIT");
    }
}

//= rfc9111#5.2.1.7
#[tokio::test]
async fn requests_may_ask_for_more_than_a_hit() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::validated(asked, "\"one\"", "a").field("cache-control", "max-age=60")
    });
    let with = |value: &str| Request::get("/a").field("cache-control", value);
    world
        .ask(with("only-if-cached"))
        .await
        .expect_status(504)
        .expect_cache_status("detail=only-if-cached");
    assert_eq!(origin.count("/a"), 0);
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(20);
    world.ask(with("only-if-cached")).await.expect(200, "HIT");
    world.ask(with("max-age=20")).await.expect(200, "HIT");
    world.ask(with("min-fresh=40")).await.expect(200, "HIT");
    assert_eq!(origin.count("/a"), 1);
    world.ask(with("no-store")).await.expect(200, "PASS");
    assert_eq!(origin.count("/a"), 2);
    world.ask(with("max-age=19")).await.expect(200, "REVALIDATED");
    world.pass_seconds(20);
    world.ask(with("min-fresh=41")).await.expect(200, "REVALIDATED");
    world.ask(with("no-cache")).await.expect(200, "REVALIDATED");
    world.ask(Request::get("/a").field("pragma", "no-cache")).await.expect(200, "REVALIDATED");
    assert_eq!(origin.count("/a"), 6);
    world.pass_seconds(70);
    world
        .ask(with("max-stale=10"))
        .await
        .expect(200, "STALE")
        .expect_field("x-cdn-stale", "expired");
    world.ask(with("max-stale")).await.expect(200, "STALE");
    assert_eq!(origin.count("/a"), 6);
    world.ask(with("max-stale=9")).await.expect(200, "REVALIDATED");
}

#[tokio::test]
async fn a_site_may_ignore_what_requests_ask() {
    let rules = json!({ "freshness": { "requestDirectives": "Ignore" } });
    let (origin, world) = start_with(|s| s.site(rules)).await;
    origin.always("/a", Reply::fresh(60, "a"));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    for directive in ["no-cache", "max-age=0", "no-store"] {
        world.ask(Request::get("/a").field("cache-control", directive)).await.expect(200, "HIT");
    }
}

#[tokio::test]
async fn an_unsafe_method_passes_and_invalidates_what_it_changed() {
    let (origin, world) = start().await;
    origin.on("*", |asked| match (asked.method.as_str(), asked.target.as_str()) {
        ("GET", _) => Reply::fresh(60, "a"),
        (_, "/fails") => Reply::status(500),
        (_, "/moves") => Reply::status(201)
            .field("location", "/elsewhere")
            .field("content-location", "http://other.example/x"),
        _ => Reply::status(204),
    });
    for path in ["/a", "/fails", "/moves", "/elsewhere", "/untouched"] {
        world.ask(path).await.expect(200, "MISS");
        world.settled().await;
        world.ask(path).await.expect(200, "HIT");
    }
    let unsafe_request = |method: &str, path: &str| Request::new(method, path).body("change");
    world
        .ask(unsafe_request("POST", "/a"))
        .await
        .expect(204, "PASS")
        .expect_cache_status("fwd=method");
    assert_eq!(origin.last("/a").body, "change");
    world.ask("/a").await.expect(200, "MISS");
    world.ask(unsafe_request("PUT", "/fails")).await.expect(500, "PASS");
    world.ask("/fails").await.expect(200, "HIT");
    world.ask(unsafe_request("PATCH", "/moves")).await.expect(201, "PASS");
    world.ask("/moves").await.expect(200, "MISS");
    world.ask("/elsewhere").await.expect(200, "MISS");
    world.ask("/untouched").await.expect(200, "HIT");
    world.ask(Request::new("DELETE", "/untouched")).await.expect(204, "PASS");
    world.ask("/untouched").await.expect(200, "MISS");
}

#[tokio::test]
async fn options_and_a_get_with_a_body_go_past_the_store() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| Reply::fresh(60, format!("{} {}", asked.method, asked.text())));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.ask(Request::get("/a").body("query")).await.expect(200, "PASS").expect_body("GET query");
    world.ask(Request::new("OPTIONS", "/a")).await.expect(200, "PASS").expect_body("OPTIONS ");
    world.ask("/a").await.expect(200, "HIT").expect_body("GET ");
}

#[tokio::test]
async fn what_does_not_fit_is_evicted_not_refused() {
    let (origin, world) =
        start_with(|s| s.cache(json!({ "memory": "1Mi", "maxObjectSize": "256Ki" }))).await;
    origin.always("*", Reply::fresh(60, vec![b'x'; 100 << 10]));
    for i in 0..40 {
        world.ask(format!("/{i}").as_str()).await.expect(200, "MISS");
    }
    world.settled().await;
    let stats = world.node.cache.stats();
    assert!(stats.bytes <= 1 << 20 && stats.objects > 0 && stats.evictions > 0, "{stats:?}");
}

/// The URL changed, whatever else the key of the one who changed it says.
//= rfc9111#4.4
#[tokio::test]
async fn a_change_reaches_every_key_of_its_url() {
    let key = json!({ "key": { "headers": ["x-device"], "cookies": ["session"] } });
    let (origin, world) = start_with(|s| s.site(key)).await;
    origin.on("*", |asked| match asked.method.as_str() {
        "GET" => Reply::fresh(60, "a"),
        _ => Reply::status(201).field("location", "/made"),
    });
    let tv = |path: &str| Request::get(path).field("x-device", "tv").field("cookie", "session=1");
    for path in ["/a", "/a/b", "/made"] {
        for request in [tv(path), Request::get(path)] {
            world.ask(&request).await.expect(200, "MISS");
            world.settled().await;
            world.ask(&request).await.expect(200, "HIT");
        }
    }
    world.ask(Request::new("POST", "/a").field("x-device", "phone")).await.expect(201, "PASS");
    for path in ["/a", "/made"] {
        world.ask(tv(path)).await.expect(200, "MISS");
        world.ask(path).await.expect(200, "MISS");
    }
    world.ask(tv("/a/b")).await.expect(200, "HIT");
    world.ask("/a/b").await.expect(200, "HIT");
}

#[tokio::test]
async fn a_change_reaches_what_is_named_with_the_clients_port() {
    let (origin, world) = start().await;
    let named = |location: &str| Reply::status(201).field("location", location);
    let (with_port, without) =
        (named("http://cdn.example.com:18080/made"), named("http://cdn.example.com/made"));
    origin.on("*", move |asked| match (asked.method.as_str(), asked.target.as_str()) {
        ("GET", _) => Reply::fresh(60, "a"),
        (_, "/other") => named("http://cdn.example.com:9/made"),
        (_, "/with") => with_port.clone(),
        _ => without.clone(),
    });
    let fill = async || {
        world.ask("/made").await.expect_status(200);
        world.settled().await;
        world.ask("/made").await.expect(200, "HIT");
    };
    let post = |path: &str| Request::new("POST", path).field("host", "cdn.example.com:18080");
    for path in ["/with", "/without"] {
        fill().await;
        world.ask(post(path)).await.expect(201, "PASS");
        world.ask("/made").await.expect(200, "MISS");
    }
    fill().await;
    world.ask(post("/other")).await.expect(201, "PASS");
    world.ask("/made").await.expect(200, "HIT");
}

/// Also where the change that it makes takes an order: that one does not overtake it, but another does.
//= rfc9110#9.3.3
#[tokio::test]
async fn the_answer_to_a_post_is_stored_under_each_kind_of_key() {
    for key in [json!({}), json!({ "headers": ["x-device"] }), json!({ "cookies": ["session"] })] {
        let (origin, world) = start_with(|s| s.site(json!({ "key": key }))).await;
        origin.on("/a", |asked| {
            let reply = Reply::fresh(60, asked.method.clone()).field("content-location", "/a");
            reply.field("cache-group-invalidation", "\"one\", \"two\"")
        });
        world.ask(Request::new("POST", "/a").body("x")).await.expect(200, "PASS");
        world.settled().await;
        world.ask("/a").await.expect(200, "HIT").expect_body("POST");
        assert_eq!(origin.count("/a"), 1, "{key}");
    }
}
