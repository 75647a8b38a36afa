//! Versions, interim responses, upgrades, and fields that cross or do not (E1, E15, E16, E17).

use e2e::client::{HOST, Http2, Request};
use e2e::gate::Gate;
use e2e::http1::Fields;
use e2e::origin::{Reply, pattern};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{start, start_with};

//= rfc9113#3.3
#[tokio::test]
async fn http2_with_prior_knowledge_is_served() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        Reply::fresh(60, format!("{} {}", asked.version, asked.fields.get("host").unwrap_or("")))
    });
    origin.on("/post", |asked| Reply::ok(asked.text()));
    let mut client = Http2::connect(world.address).await.unwrap();
    client.ask("/a").await.unwrap().expect(200, "MISS").expect_body("HTTP/1.1 cdn.example.com");
    world.settled().await;
    let hit = client.ask("/a").await.unwrap();
    hit.expect(200, "HIT")
        .expect_no("connection")
        .expect_no("transfer-encoding")
        .expect_field("content-length", "24");
    // The store does not care about versions.
    world.ask("/a").await.expect(200, "HIT");
    client
        .ask(Request::new("POST", "/post").body("body"))
        .await
        .unwrap()
        .expect(200, "PASS")
        .expect_body("body");
    client.ask(Request::new("HEAD", "/a")).await.unwrap().expect(200, "HIT").expect_body("");
    client.ask(Request::get("/a").field("host", "other.example")).await.unwrap().expect_status(421);
    client
        .ask(Request::get("/a").field("range", "bytes=0-3"))
        .await
        .unwrap()
        .expect_status(206)
        .expect_body("HTTP");
    assert!(
        origin.last("/post").fields.get("via").unwrap().starts_with("2"),
        "{:#?}",
        origin.last("/post")
    );
}

#[tokio::test]
async fn requests_of_one_http2_connection_do_not_wait_for_each_other() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    origin.always("/held", Reply::fresh(60, "held").after(&gate));
    origin.always("*", Reply::fresh(60, pattern(0, 100_000)));
    let client = Http2::connect(world.address).await.unwrap();
    let mut held = client.clone();
    let held = tokio::spawn(async move { held.ask("/held").await.unwrap() });
    origin.was_asked("/held", 1).await.unwrap();
    let mut asking = JoinSet::new();
    for i in 0..100 {
        let mut client = client.clone();
        asking.spawn(async move { client.ask(format!("/{}", i % 10).as_str()).await.unwrap() });
    }
    for answer in asking.join_all().await {
        answer.expect_status(200).expect_body(pattern(0, 100_000));
    }
    gate.open();
    held.await.unwrap().expect_body("held");
}

//= rfc9110#15.2
#[tokio::test]
async fn interim_responses_are_relayed_over_http_1_1() {
    let (origin, world) = start().await;
    let early = |control: &str| {
        Reply::ok("final").field("cache-control", control).early(
            103,
            [("link", "</style.css>; rel=preload"), ("x-hop", "1"), ("connection", "x-hop")],
        )
    };
    origin.always("/stored", early("max-age=60"));
    origin.always("/passed", early("no-store"));
    for path in ["/stored", "/passed", "/passed"] {
        let answer = world.ask(path).await;
        answer.expect_status(200).expect_body("final").expect_no("link");
        assert_eq!(
            answer.interim,
            [(103, Fields::from([("link", "</style.css>; rel=preload")]))],
            "{path}"
        );
    }
    world.settled().await;
    let hit = world.ask("/stored").await;
    hit.expect(200, "HIT").expect_body("final");
    assert!(hit.interim.is_empty());
    let mut http2 = Http2::connect(world.address).await.unwrap();
    http2.ask("/passed").await.unwrap().expect_status(200).expect_body("final");
    let mut old = world.connect().await;
    old.send_raw("GET /passed HTTP/1.0\r\nHost: cdn.example.com\r\n\r\n").await.unwrap();
    let old = old.answer().await.unwrap();
    old.expect_status(200).expect_body("final");
    assert!(old.interim.is_empty());
}

#[tokio::test]
async fn an_interim_response_does_not_wait_for_the_final_one() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let reply = Reply::ok("final")
        .field("cache-control", "no-store")
        .early(103, [("link", "</a>")])
        .after(&gate);
    origin.always("/a", reply);
    let mut client = world.connect().await;
    client.send("/a").await.unwrap();
    let early = client.raw().await.unwrap();
    assert!(
        early.starts_with(b"HTTP/1.1 103 ") && early.ends_with(b"\r\n\r\n"),
        "{}",
        early.escape_ascii()
    );
    gate.open();
    client.answer().await.unwrap().expect_status(200).expect_body("final");
}

#[tokio::test]
async fn interim_responses_of_pipelined_requests_keep_their_places() {
    let (origin, world) = start().await;
    origin.on("*", |asked| {
        let number = asked.target.trim_start_matches('/').to_owned();
        Reply::ok(pattern(0, 50_000))
            .field("cache-control", "no-store")
            .field("x-number", &number)
            .early(103, [("x-number", &*number)])
    });
    let mut client = world.connect().await;
    let all: Vec<u8> = (0..10).flat_map(|i| Request::get(&format!("/{i}")).to_bytes()).collect();
    client.send_raw(&all).await.unwrap();
    for i in 0..10 {
        let answer = client.answer().await.unwrap();
        answer
            .expect_status(200)
            .expect_field("x-number", &i.to_string())
            .expect_body(pattern(0, 50_000));
        assert_eq!(answer.interim, [(103, Fields::from([("x-number", &*i.to_string())]))]);
    }
}

//= rfc9110#10.1.1
#[tokio::test]
async fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| Reply::ok(asked.text()));
    let mut client = world.connect().await;
    let request =
        Request::new("POST", "/a").field("expect", "100-continue").field("content-length", "5");
    client.send(&request).await.unwrap();
    let interim = client.raw().await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 "), "{}", interim.escape_ascii());
    client.send_raw("hello").await.unwrap();
    client.answer().await.unwrap().expect_status(200).expect_body("hello");
    assert!(!origin.last("/a").fields.has("expect"));
    let other = Request::new("POST", "/a").field("expect", "miracles").body("x");
    world.ask(other).await.expect_status(417);
    let mut client = world.connect().await;
    client.send(request.field("host", "other.example")).await.unwrap();
    let refused = client.answer().await.unwrap();
    refused.expect_status(421);
    assert!(refused.interim.is_empty(), "the body was asked for in vain");
}

//= rfc9110#7.8
#[tokio::test]
async fn an_upgrade_is_tunnelled_where_the_site_says_so() {
    let (origin, world) = start_with(|s| s.site(json!({ "upgrade": "Tunnel" }))).await;
    origin.always("/chat", Reply::upgraded("websocket").field("sec-websocket-accept", "yes"));
    let request = Request::get("/chat")
        .field("connection", "keep-alive, Upgrade")
        .field("upgrade", "websocket")
        .field("sec-websocket-key", "key");
    let mut client = world.connect().await;
    client.send(&request).await.unwrap();
    let answer = client.head().await.unwrap();
    answer
        .expect_status(101)
        .expect_field("upgrade", "websocket")
        .expect_field("sec-websocket-accept", "yes");
    assert!(answer.fields.lists("connection", "upgrade"));
    let asked = origin.last("/chat");
    assert_eq!(asked.fields.get("upgrade"), Some("websocket"));
    assert_eq!(asked.fields.get("sec-websocket-key"), Some("key"));
    for message in ["hello", "GET / HTTP/1.1\n\0\r\r", "\u{fffd}"] {
        client.send_raw(message).await.unwrap();
        let mut echoed = Vec::new();
        while echoed.len() < message.len() {
            echoed.extend_from_slice(&client.raw().await.unwrap());
        }
        assert_eq!(echoed, message.as_bytes().to_ascii_uppercase());
    }
    client.finish().await.unwrap();
    client.closed().await.unwrap();

    origin.always("/declined", Reply::ok("no").field("cache-control", "max-age=60"));
    let declined =
        Request::get("/declined").field("connection", "upgrade").field("upgrade", "websocket");
    world.ask(&declined).await.expect(200, "PASS").expect_body("no");
    world.ask(&declined).await.expect(200, "PASS");
}

#[tokio::test]
async fn an_upgrade_is_refused_where_the_site_does_not_say_so() {
    let (origin, world) = start().await;
    origin.always("/chat", Reply::fresh(60, "page"));
    let request =
        Request::get("/chat").field("connection", "upgrade").field("upgrade", "websocket");
    let mut client = world.connect().await;
    client
        .ask(&request)
        .await
        .unwrap()
        .expect_status(501)
        .expect_cache_status("detail=upgrade-refused");
    assert_eq!(origin.count("/chat"), 0);
    // Other protocols are merely not upgraded to.
    let h2c = Request::get("/chat")
        .field("connection", "upgrade, http2-settings")
        .field("upgrade", "h2c")
        .field("http2-settings", "AAA");
    client.ask(h2c).await.unwrap().expect(200, "MISS").expect_body("page");
    let asked = origin.last("/chat");
    assert!(!asked.fields.has("upgrade") && !asked.fields.has("http2-settings"), "{asked:#?}");
}

/// In HTTP/1.0, and without the connection's option, the field says nothing.
//= rfc9110#7.8
#[tokio::test]
async fn an_upgrade_that_does_not_count_is_ignored() {
    for site in [json!({}), json!({ "upgrade": "Tunnel" })] {
        let (origin, world) = start_with(|s| s.site(site)).await;
        origin.always("*", Reply::fresh(60, "page"));
        let option_missing = Request::get("/a").field("upgrade", "websocket");
        world.ask(option_missing).await.expect(200, "MISS");
        let mut old = world.connect().await;
        let text = format!(
            "GET /b HTTP/1.0\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        );
        old.send_raw(text).await.unwrap();
        old.answer().await.unwrap().expect(200, "MISS");
        for path in ["/a", "/b"] {
            assert!(!origin.last(path).fields.has("upgrade"), "{:#?}", origin.last(path));
        }
    }
}

/// HTTP/2 is between a client and its server, also as one of several protocols.
//= rfc9110#7.8
#[tokio::test]
async fn an_upgrade_to_http2_is_not_asked_for_on_behalf_of_a_client() {
    let (origin, world) = start_with(|s| s.site(json!({ "upgrade": "Tunnel" }))).await;
    origin.always("*", Reply::fresh(60, "page"));
    let asking = |path: &str, protocols: &str| {
        Request::get(path).field("connection", "upgrade").field("upgrade", protocols)
    };
    world.ask(asking("/a", "h2c, foo")).await.expect(200, "PASS");
    assert_eq!(origin.last("/a").fields.get("upgrade"), Some("foo"));
    world.ask(asking("/b", "H2C")).await.expect(200, "MISS");
    assert!(!origin.last("/b").fields.has("upgrade"));
}

#[tokio::test]
async fn connect_and_trace_are_refused() {
    let (origin, world) = start().await;
    origin.always("*", Reply::ok("reached"));
    for request in [
        Request::new("TRACE", "/a"),
        Request::new("CONNECT", "cdn.example.com:80"),
        Request::new("CONNECT", "/a"),
    ] {
        let answer = world.ask(&request).await;
        answer.expect_status(405).expect_field("connection", "close");
        assert!(answer.field("allow").starts_with("GET, HEAD"), "{answer:#?}");
    }
    assert_eq!(origin.count("/a"), 0);
}

#[tokio::test]
async fn fields_of_one_hop_never_cross() {
    let (origin, world) = start().await;
    let hop = [
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("x-secret", "1"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("proxy-authenticate", "Basic"),
        ("proxy-authorization", "Basic eDp5"),
    ];
    for (path, control) in [("/stored", "max-age=60"), ("/passed", "no-store")] {
        let mut reply = Reply::ok("a")
            .field("cache-control", control)
            .field("x-kept", "yes")
            .field("connection", "X-Secret, keep-alive");
        for (name, value) in hop {
            reply = reply.field(name, value);
        }
        origin.always(path, reply);
        for _ in 0..2 {
            let mut request =
                Request::get(path).field("connection", "close, X-Secret").field("x-kept", "yes");
            for (name, value) in hop {
                request = request.field(name, value);
            }
            let answer = world.ask(request).await;
            answer.expect_status(200).expect_field("x-kept", "yes").expect_body("a");
            for (name, _) in hop {
                // What is for proxies alone may be either kept or dropped in a response.
                assert!(
                    name == "proxy-authenticate" || !answer.fields.has(name),
                    "{name} came back: {answer:#?}"
                );
            }
            assert!(!answer.fields.lists("connection", "x-secret"), "{answer:#?}");
            let asked = origin.last(path);
            assert_eq!(asked.fields.get("x-kept"), Some("yes"));
            for (name, _) in hop {
                assert!(
                    name == "proxy-authenticate" || !asked.fields.has(name),
                    "{name} went up: {asked:#?}"
                );
            }
            assert!(!asked.fields.lists("connection", "x-secret"), "{asked:#?}");
            world.settled().await;
        }
    }
}

#[tokio::test]
async fn every_request_upstream_says_whence_it_comes() {
    let (origin, world) = start().await;
    for path in ["/filled", "/passed"] {
        origin.always(path, Reply::fresh(60, "a"));
        let method = if path == "/filled" { "GET" } else { "DELETE" };
        let forged = Request::new(method, path)
            .field("x-forwarded-for", "6.6.6.6")
            .field("x-request-id", "forged")
            .field("via", "1.0 client")
            .field("cdn-loop", "other-cdn")
            .field("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let answer = world.ask(forged).await;
        answer.expect_status(200);
        let via: Vec<_> = answer.fields.all("via");
        assert_eq!(via, ["1.1 lab-0"]);
        let asked = origin.last(path);
        let fields = &asked.fields;
        assert_eq!(fields.all("host"), ["cdn.example.com"]);
        assert_eq!(fields.all("via").join(", "), "1.0 client, 1.1 lab-0");
        assert_eq!(fields.all("cdn-loop").join(", "), "other-cdn, e2e.blue-origin");
        assert_eq!(fields.all("x-forwarded-for"), ["127.0.0.1"], "nobody vouched for the rest");
        assert!(fields.get("forwarded").unwrap().contains("for=127.0.0.1"), "{asked:#?}");
        assert!(fields.get("forwarded").unwrap().contains("host="), "{asked:#?}");
        let id = fields.all("x-request-id");
        assert!(id.len() == 1 && id[0] != "forged" && !id[0].is_empty(), "{asked:#?}");
        assert_eq!(fields.all("traceparent").len(), 1);
    }
}

#[tokio::test]
async fn a_trusted_proxys_word_about_the_client_counts() {
    let (origin, world) =
        start_with(|s| s.spec(json!({ "trustedProxies": ["127.0.0.0/8"] }))).await;
    origin.always("*", Reply::fresh(60, "a"));
    let request = Request::get("/a")
        .field("x-forwarded-for", "203.0.113.9")
        .field("x-request-id", "known")
        .field("x-forwarded-proto", "https");
    let answer = world.ask(&request).await;
    answer.expect(200, "MISS");
    assert!(answer.field("x-cache-key").starts_with("https://"), "{answer:#?}");
    let fields = origin.last("/a").fields;
    assert_eq!(fields.all("x-forwarded-for").join(", "), "203.0.113.9, 127.0.0.1");
    assert_eq!(fields.all("x-request-id"), ["known"]);
    assert_eq!(fields.all("x-forwarded-proto"), ["https"]);
    world.settled().await;
    // http and https are two.
    world.ask("/a").await.expect(200, "MISS");
}

#[tokio::test]
async fn a_loop_is_508() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, "a"));
    for value in ["e2e.blue-origin", "other, e2e.blue-origin; v=1, third"] {
        let answer = world.ask(Request::get("/a").field("cdn-loop", value)).await;
        answer.expect_status(508).expect_cache_status("detail=loop-detected");
    }
    assert_eq!(origin.count("/a"), 0);
    world.ask(Request::get("/a").field("cdn-loop", "not-e2e.blue-origin")).await.expect_status(200);
}

#[tokio::test]
async fn an_edge_that_is_its_own_origin_is_found_out() {
    let (origin, world) = start().await;
    // The origin is a second world whose origin is the first: here simply the edge's own request, sent back.
    let address = world.address;
    let (seen, mut looped) = tokio::sync::mpsc::unbounded_channel();
    origin.on("/a", move |asked| {
        let mut request = Request::get("/a");
        request.fields = asked.fields.clone();
        let seen = seen.clone();
        tokio::spawn(async move { seen.send(e2e::client::ask(address, request).await.unwrap()) });
        Reply::fresh(60, "a")
    });
    world.ask("/a").await.expect_status(200);
    looped.recv().await.unwrap().expect_status(508);
}
