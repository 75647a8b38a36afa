//! Origins over TLS (E17).

use e2e::client::Request;
use e2e::origin::{Authority, Origin, Reply, pattern};
use e2e::world::{Setup, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const NAME: &str = "origin.test";

/// An edge in front of `origin`, which it asks as `site` says.
async fn edge(origin: &Origin, site: Value) -> World {
    Setup::new(origin).site(site).start_edge().await.unwrap()
}

fn trusting(origin: &Origin, pem: &str) -> Value {
    json!({ "origins": [{ "url": origin.url(), "host": NAME, "caBundle": pem }] })
}

#[tokio::test]
async fn an_https_origin_is_asked_over_the_version_it_prefers() {
    for (protocols, version) in [
        (vec!["h2", "http/1.1"], "HTTP/2"),
        (vec!["http/1.1"], "HTTP/1.1"),
        (vec![], "HTTP/1.1"),
        (vec!["h2"], "HTTP/2"),
    ] {
        let authority = Authority::new(&[NAME], &protocols).unwrap();
        let pem = authority.pem().to_owned();
        let origin = Origin::start_tls(authority).await.unwrap();
        origin.on("/a", |asked| {
            Reply::fresh(60, format!("over {}", asked.version)).field("etag", "\"1\"")
        });
        origin.on("/post", |asked| Reply::ok(asked.text()));
        let world = edge(&origin, trusting(&origin, &pem)).await;
        let miss = world.ask("/a").await;
        miss.expect(200, "MISS").expect_body(format!("over {version}"));
        assert!(
            miss.field("via").starts_with(if version == "HTTP/2" { "2" } else { "1.1" }),
            "{miss:#?}"
        );
        world.settled().await;
        world.ask("/a").await.expect(200, "HIT");
        world
            .ask(Request::new("POST", "/post").body("body"))
            .await
            .expect(200, "PASS")
            .expect_body("body");
        let asked = origin.last("/a");
        let named = if version == "HTTP/2" { ":authority" } else { "host" };
        assert_eq!(asked.fields.get(named), Some(NAME), "{asked:#?}");
        assert_eq!(asked.fields.get("connection"), None, "{asked:#?}");
        assert!(asked.fields.get("forwarded").unwrap().contains("cdn.example.com"), "{asked:#?}");
    }
}

#[tokio::test]
async fn requests_over_http2_share_a_connection() {
    let authority = Authority::new(&[NAME], &["h2"]).unwrap();
    let pem = authority.pem().to_owned();
    let origin = Origin::start_tls(authority).await.unwrap();
    origin.always("*", Reply::fresh(60, pattern(0, 10_000)));
    let world = edge(&origin, trusting(&origin, &pem)).await;
    world.ask("/first").await.expect(200, "MISS");
    let mut asking = JoinSet::new();
    for i in 0..50 {
        let mut client = world.connect().await;
        asking.spawn(async move { client.ask(format!("/{i}").as_str()).await.unwrap() });
    }
    for answer in asking.join_all().await {
        answer.expect(200, "MISS").expect_body(pattern(0, 10_000));
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn an_origin_that_cannot_prove_its_name_is_not_asked() {
    let authority = Authority::new(&["somebody.else"], &["http/1.1"]).unwrap();
    let pem = authority.pem().to_owned();
    let origin = Origin::start_tls(authority).await.unwrap();
    origin.always("/a", Reply::fresh(60, "a"));
    let other = Authority::new(&["somebody.else"], &[]).unwrap();
    for site in [
        trusting(&origin, &pem),
        json!({ "origins": [{ "url": origin.url(), "host": "somebody.else", "caBundle": other.pem() }] }),
        json!({ "origins": [{ "url": origin.url(), "host": "somebody.else" }] }),
    ] {
        let world = edge(&origin, site).await;
        world.ask("/a").await.expect(502, "").expect_cache_status("detail=connect-failed");
    }
    assert_eq!(origin.count("/a"), 0);
    let right =
        json!({ "origins": [{ "url": origin.url(), "host": "somebody.else", "caBundle": pem }] });
    edge(&origin, right).await.ask("/a").await.expect(200, "MISS");
}

#[tokio::test]
async fn an_address_proves_itself_without_a_host() {
    let authority = Authority::new(&["127.0.0.1"], &["http/1.1"]).unwrap();
    let pem = authority.pem().to_owned();
    let origin = Origin::start_tls(authority).await.unwrap();
    origin.always("/a", Reply::fresh(60, "a"));
    let site = json!({ "origins": [{ "url": origin.url(), "caBundle": pem }] });
    edge(&origin, site).await.ask("/a").await.expect(200, "MISS");
    assert_eq!(origin.last("/a").fields.all("host"), ["cdn.example.com"]);
}

#[tokio::test]
async fn the_next_origin_is_asked_when_one_cannot_be_reached() {
    let mut dead = Origin::start().await.unwrap();
    dead.stop().await.unwrap();
    let alive = Origin::start().await.unwrap();
    alive.on("/a", |asked| Reply::fresh(60, format!("alive {}", asked.text())));
    let origins = json!({ "origins": [
        { "url": dead.url() },
        { "url": alive.url(), "priority": 1 },
    ] });
    let world = edge(&alive, origins).await;
    world.ask("/a").await.expect(200, "MISS").expect_body("alive ");
    dead.restart().await.unwrap();
    dead.always("*", Reply::fresh(60, "back"));
    world.ask("/b").await.expect(200, "MISS").expect_body("back");
}

#[tokio::test]
async fn an_upload_is_not_sent_twice() {
    let origin = Origin::start().await.unwrap();
    origin.always("/a", Reply::broken());
    let world = edge(&origin, json!({})).await;
    for method in ["POST", "PUT", "DELETE"] {
        world.ask(Request::new(method, "/a").body("x")).await.expect_status(502);
    }
    assert_eq!(origin.count("/a"), 3);
}
