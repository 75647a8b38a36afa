//! PURGE on the clients' port: never for the origin, and done only where a front door is set (I5).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::client::{HOST, Http2, Request};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN, World};
use proxy::FrontDoor;
use proxy::admin::invalidation::{BanStatus, Desk, DeskError, Later, LogStatus};
use runtime::token::{Token, Tokens};
use serde_json::{Value, json};
use wire::Invalidation;
use wire::invalidation::{How, Phase, PurgeReport, Target, Url};

async fn edge(change: impl FnOnce(Setup) -> Setup) -> (Origin, World) {
    let origin = Origin::start().await.unwrap();
    origin.always("*", Reply::fresh(60, "reached"));
    let world = change(Setup::new(&origin)).start_edge().await.unwrap();
    (origin, world)
}

#[tokio::test]
async fn an_edge_refuses_purge_on_the_clients_port() {
    let (origin, world) = edge(|s| s.site(json!({ "upgrade": "Tunnel" }))).await;
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    let bearer = format!("Bearer {TOKEN}");
    let mut client = world.connect().await;
    for request in [
        Request::new("PURGE", "/a"),
        Request::new("PURGE", "/a").field("authorization", &bearer),
        Request::new("PURGE", "/a").body("body"),
        Request::new("PURGE", "*"),
        Request::new("PURGE", "http://cdn.example.com/a"),
        Request::new("PURGE", "/purge/tag/one"),
        Request::new("PURGE", "/a").field("connection", "upgrade").field("upgrade", "websocket"),
    ] {
        let answer = client.ask(&request).await.unwrap();
        answer.expect_status(405).expect_cache_status("detail=method-refused");
        answer.expect_field("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        assert!(answer.text().contains("admin API"), "{answer:#?}");
    }
    let mut http2 = Http2::connect(world.address).await.unwrap();
    http2.ask(Request::new("PURGE", "/a")).await.unwrap().expect_status(405);
    world.ask(Request::new("PURGE", "/a").field("host", "other.example")).await.expect_status(421);
    world.ask("/a").await.expect(200, "HIT");
    let asked = ["/a", "*", "/purge/tag/one"].map(|path| origin.count(path));
    assert_eq!(asked, [1, 0, 0]);
}

/// Takes every order.
#[derive(Default)]
struct Book(Mutex<Vec<Invalidation>>);

impl Desk for Book {
    fn site_host(&self, host: &str) -> Option<String> {
        (host == HOST).then(|| host.to_owned())
    }

    fn now_ms(&self) -> i64 {
        0
    }

    fn send(&self, order: Invalidation, _: Duration) -> Later<'_, Result<PurgeReport, DeskError>> {
        let report = PurgeReport {
            id: order.id.clone(),
            phase: Phase::Complete,
            position: None,
            replicated: true,
            matched: 1,
            counting: false,
            took_ms: 1,
            nodes: Vec::new(),
        };
        self.0.lock().unwrap().push(order);
        Box::pin(async move { Ok(report) })
    }

    fn report<'a>(&'a self, _: &'a str, _: Duration) -> Later<'a, Option<PurgeReport>> {
        Box::pin(async { None })
    }

    fn bans(&self) -> Vec<BanStatus> {
        Vec::new()
    }

    fn log(&self) -> Later<'_, LogStatus> {
        Box::pin(async { LogStatus::default() })
    }

    fn forget<'a>(&'a self, _: &'a str) -> Later<'a, Result<bool, DeskError>> {
        Box::pin(async { Ok(false) })
    }
}

#[tokio::test]
async fn a_front_door_takes_purge_from_those_who_show_the_token() {
    let (origin, world) = edge(|s| s).await;
    let book = Arc::new(Book::default());
    let token = Tokens::from(Token::new(TOKEN).unwrap());
    assert!(world.node.purges.set(FrontDoor::new(book.clone(), token)).is_ok());
    for token in [None, Some("Bearer wrong"), Some("Basic eDp5")] {
        let mut request = Request::new("PURGE", "/a");
        if let Some(token) = token {
            request = request.field("authorization", token);
        }
        let answer = world.ask(&request).await;
        answer.expect_status(401).expect_field("www-authenticate", "Bearer");
        assert!(answer.text().contains("unauthorized"), "{answer:#?}");
    }
    assert!(book.0.lock().unwrap().is_empty());

    let bearer = format!("Bearer {TOKEN}");
    let purge = |target| Request::new("PURGE", target).field("authorization", &bearer);
    let mut client = world.connect().await;
    for request in [
        purge("/a?b").body("ignored"),
        purge("http://cdn.example.com/a?b").field("host", "other.example"),
        purge("/a?b").field("soft-purge", "1"),
        purge("/purge/tag/one"),
    ] {
        let answer = client.ask(&request).await.unwrap();
        answer.expect_status(200).expect_field("content-type", "application/json");
        assert!(answer.fields.has("date"), "{answer:#?}");
        let report: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((&report["phase"], &report["matched"]), (&json!("Complete"), &json!(1)));
    }
    let bad = client.ask(purge("/a").field("soft-purge", "yes")).await.unwrap();
    bad.expect_status(400);
    assert!(bad.text().contains("\"field\":\"soft-purge\""), "{bad:#?}");
    let mut http2 = Http2::connect(world.address).await.unwrap();
    http2.ask(purge("/a?b")).await.unwrap().expect_status(200);

    let orders = book.0.lock().unwrap().clone();
    let url = Target::Urls(vec![Url { host: HOST.to_owned(), path: "/a?b".to_owned() }]);
    let tag = Target::Tags(vec!["one".to_owned()]);
    let wanted: Vec<_> = orders.into_iter().map(|order| (order.target, order.how)).collect();
    let expected = [
        (url.clone(), How::Hard),
        (url.clone(), How::Hard),
        (url.clone(), How::Soft),
        (tag, How::Hard),
        (url, How::Hard),
    ];
    assert_eq!(wanted, expected);
    let asked = ["/a", "/purge/tag/one"].map(|path| origin.count(path));
    assert_eq!(asked, [0, 0]);
    assert_eq!(world.metric("cdn_requests_total", "result=\"purge\""), 9.0);
    // Everything else goes its way, the paths of the API among it.
    world.ask("/log").await.expect(200, "MISS").expect_body("reached");
}
