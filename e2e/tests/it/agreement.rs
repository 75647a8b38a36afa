//! What the key, the store and the origin see is one and the same request: whatever one of them does not
//! see, or sees otherwise, would be answered to everybody.

use e2e::client::{HOST, Http2, Request};
use e2e::origin::Reply;
use e2e::world::{Setup, World};
use e2e::{client, origin::Origin};
use serde_json::json;

use crate::support::{start, start_with};

/// An origin that answers with what it was told of `name`, fresh for a minute.
async fn telling(name: &'static str, change: impl FnOnce(Setup) -> Setup) -> (Origin, World) {
    let (origin, world) = start_with(change).await;
    origin.on("*", move |asked| {
        let told = asked.fields.all(name).join(" | ");
        Reply::fresh(60, if told.is_empty() { "nothing".to_owned() } else { told })
            .field("vary", "accept-language")
    });
    (origin, world)
}

//= rfc9112#3.2.2
#[tokio::test]
async fn a_host_field_that_the_target_overrules_reaches_no_origin() {
    let (origin, world) = telling("x-forwarded-host", |s| s).await;
    let forged = Request::get("http://cdn.example.com/a").field("host", "evil.example");
    world.ask(&forged).await.expect(200, "MISS").expect_body(HOST);
    assert_eq!(origin.last("/a").fields.all("host"), [HOST]);
    let forwarded = origin.last("/a").fields.get("forwarded").unwrap().to_owned();
    assert!(forwarded.contains("host=cdn.example.com"), "{forwarded}");
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body(HOST);
    let passed = Request { method: "DELETE".to_owned(), ..forged };
    world.ask(passed).await.expect(200, "PASS").expect_body(HOST);
}

//= rfc9113#8.3.1
#[tokio::test]
async fn a_host_field_that_contradicts_an_authority_is_malformed() {
    let (origin, world) = telling("x-forwarded-host", |s| s).await;
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let request = Request::get("http://cdn.example.com/a");
    http2.ask(request.clone().field("host", "evil.example")).await.unwrap().expect_status(400);
    assert!(origin.asked("/a").is_empty());
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let alike = request.field("host", "CDN.example.com:80");
    http2.ask(alike).await.unwrap().expect(200, "MISS").expect_body(HOST);
}

/// The key has no port and one spelling of the host, so nothing that is stored may depend on them.
#[tokio::test]
async fn the_spelling_of_a_host_is_not_stored_for_others() {
    let (_origin, world) = telling("x-forwarded-host", |s| s).await;
    for (path, host) in [("/a", "cdn.example.com:1"), ("/b", "CDN.example.com.")] {
        let odd = Request::get(path).field("host", host);
        world.ask(odd).await.expect(200, "MISS").expect_body(HOST);
        world.settled().await;
        world.ask(path).await.expect(200, "HIT").expect_body(HOST);
    }
    // What is for this client alone is as it asked.
    let post = Request::new("POST", "/c").field("host", "cdn.example.com:8080").body("x");
    world.ask(post).await.expect(200, "PASS").expect_body("cdn.example.com:8080");
}

//= rfc9110#7.6.1
#[tokio::test]
async fn a_variant_is_not_chosen_by_a_field_that_stays_here() {
    let (_origin, world) = telling("accept-language", |s| s).await;
    let kept_back =
        Request::get("/a").field("connection", "Accept-Language").field("accept-language", "de");
    world.ask(&kept_back).await.expect(200, "MISS").expect_body("nothing");
    world.settled().await;
    let open = Request::get("/a").field("accept-language", "de");
    world.ask(&open).await.expect(200, "MISS").expect_body("de");
    world.settled().await;
    world.ask(&open).await.expect(200, "HIT").expect_body("de");
    world.ask(&kept_back).await.expect(200, "HIT").expect_body("nothing");
    world.ask("/a").await.expect(200, "HIT").expect_body("nothing");
}

//= rfc9110#7.6.1
#[tokio::test]
async fn a_key_holds_no_field_that_stays_here() {
    let key = json!({ "key": { "headers": ["x-device"] } });
    let (_origin, world) = telling("x-device", |s| s.site(key)).await;
    let kept_back = Request::get("/a").field("connection", "x-device").field("x-device", "tv");
    world.ask(&kept_back).await.expect(200, "MISS").expect_body("nothing");
    world.settled().await;
    let open = Request::get("/a").field("x-device", "tv");
    world.ask(&open).await.expect(200, "MISS").expect_body("tv");
    world.settled().await;
    world.ask(&kept_back).await.expect(200, "HIT").expect_body("nothing");
    world.ask(&open).await.expect(200, "HIT").expect_body("tv");
}

#[tokio::test]
async fn a_client_cannot_hide_that_its_request_has_been_here() {
    let (origin, world) = start().await;
    origin.always("*", Reply::fresh(60, "a"));
    let hidden = Request::get("/a").field("connection", "cdn-loop");
    let here = hidden.clone().field("cdn-loop", "e2e.blue-origin");
    world.ask(here).await.expect_status(508);
    world.ask(hidden.field("cdn-loop", "other")).await.expect(200, "MISS");
    assert_eq!(origin.last("/a").fields.get("cdn-loop"), Some("other, e2e.blue-origin"));
}

/// A field that every hop writes anew says nothing of the client who sent none.
#[tokio::test]
async fn what_varies_on_a_field_that_is_written_here_is_not_stored() {
    let (origin, world) = start().await;
    for name in ["Forwarded", "X-Forwarded-For", "X-Request-ID"] {
        let path = format!("/{name}");
        origin.always(&path, Reply::fresh(60, "for one client").field("vary", name));
        world.ask(&*path).await.expect(200, "MISS").expect_cache_status("detail=vary-star");
        world.settled().await;
        world.ask(&*path).await.expect(200, "PASS");
    }
    origin.always("/proto", Reply::fresh(60, "for all").field("vary", "X-Forwarded-Proto"));
    world.ask("/proto").await.expect(200, "MISS");
    world.settled().await;
    world.ask("/proto").await.expect(200, "HIT");
}

//= rfc9113#8.2.3
#[tokio::test]
async fn cookies_of_http2_are_one_line_for_the_origin_and_the_key() {
    let key = json!({ "key": { "cookies": ["a", "b"] } });
    let (origin, world) = telling("cookie", |s| s.site(key)).await;
    let mut http2 = Http2::connect(world.address).await.unwrap();
    let crumbs = Request::get("/a").field("cookie", "a=1").field("cookie", "b=2; c=3");
    http2.ask(crumbs).await.unwrap().expect(200, "MISS").expect_body("a=1; b=2; c=3");
    world.settled().await;
    let whole = Request::get("/a").field("cookie", "a=1; b=2; c=3");
    client::ask(world.address, whole).await.unwrap().expect(200, "HIT");
    assert_eq!(origin.count("/a"), 1);
}

//= rfc9113#8.1.1
#[tokio::test]
async fn a_body_over_http2_needs_no_length() {
    let (origin, world) = start().await;
    origin.on("*", |asked| Reply::fresh(60, asked.text()));
    let mut http2 = Http2::connect(world.address).await.unwrap();
    for method in ["PUT", "POST", "GET"] {
        let request = Request::new(method, "/a").body("first second");
        let answer = http2.upload(request).await.unwrap();
        answer.expect(200, "PASS").expect_body("first second");
        let asked = origin.last("/a");
        assert_eq!((&*asked.method, asked.fields.get("content-length")), (method, None));
    }
    let chunked = Request::get("/a").field("transfer-encoding", "chunked");
    let mut client = world.connect().await;
    client.send(chunked).await.unwrap();
    client.send_raw("5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n").await.unwrap();
    client.answer().await.unwrap().expect(200, "PASS").expect_body("first second");
    // Without one a GET is for the store, also when only an empty frame says that there is none.
    http2.ask("/a").await.unwrap().expect(200, "MISS");
    world.settled().await;
    http2.upload("/a").await.unwrap().expect(200, "HIT");
    let announced = Request::get("/a").field("content-length", "0");
    http2.upload(announced).await.unwrap().expect(200, "HIT");
    let late = Request::get("/b").body("x");
    http2.upload(late).await.unwrap().expect(200, "PASS").expect_body("x");
}
