//! What arrives at the origin through two tiers, and what never leaves them.

use e2e::client::{HOST, Request, ask};
use e2e::origin::{Asked, Origin, Reply};
use e2e::world::World;
use serde_json::json;

use super::{MODES, each, setup, tagged};

const INTERNAL: [&str; 3] = ["x-cdn-seq", "x-cdn-if-held", "x-cdn-debug"];

fn via(asked: &Asked) -> Vec<String> {
    let all = asked.fields.all("via").join(", ");
    all.split(", ").map(str::to_owned).collect()
}

/// As a client in the open would forge them.
fn forged(path: &str) -> Request {
    Request::get(path)
        .field("x-cdn-seq", "forged/9-9")
        .field("x-cdn-if-held", "?1")
        .field("x-cdn-debug", "1")
        .field("x-forwarded-for", "203.0.113.66")
        .field("x-forwarded-proto", "https")
        .field("x-request-id", "forged")
}

async fn world(origin: &Origin, mode: &str, trusted: &[&str]) -> World {
    let setup = setup(origin, mode).spec(json!({ "trustedProxies": trusted }));
    setup.site(json!({ "debugHeaders": "Never" })).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_says_of_itself_reaches_no_origin() {
    for mode in MODES {
        let origin = Origin::start().await.unwrap();
        origin.on("*", |_| tagged("x").field("x-cdn-seq", "forged/9-9"));
        let world = world(&origin, mode, &[]).await;
        let mut hops = Vec::new();
        for n in 0..8 {
            let path = format!("/{n}");
            let answer = ask(world.edges()[0], forged(&path)).await.unwrap();
            answer.expect_status(200).expect_body("x").expect_no("surrogate-key");
            let asked = origin.last(&path);
            for name in INTERNAL {
                answer.expect_no(name);
                assert_eq!(asked.fields.get(name), None, "{name}");
            }
            assert_eq!(asked.fields.all("host"), [HOST]);
            assert_eq!(asked.fields.get("x-forwarded-proto"), Some("http"));
            let via = via(&asked);
            // The client, then each tier as the next one sees it.
            let forwarded = vec!["127.0.0.1"; via.len()].join(", ");
            assert_eq!(asked.fields.all("x-forwarded-for").join(", "), forwarded);
            let id = asked.fields.get("x-request-id").unwrap();
            assert!(id.starts_with("fra-0-"), "{id}");
            assert_eq!(via[0], "1.1 fra-0");
            assert!(via.last().unwrap().starts_with("1.1 shield-"), "{via:?}");
            hops.push(via.len());
        }
        hops.sort_unstable();
        hops.dedup();
        // Over the owner among its peers, or straight.
        assert_eq!(hops, if mode == "Peer" { vec![2, 3] } else { vec![2] }, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_trusted_proxy_says_goes_through_both_tiers() {
    for mode in MODES {
        let origin = Origin::start().await.unwrap();
        origin.on("*", |asked| Reply::ok(asked.text()));
        let world = world(&origin, mode, &["127.0.0.0/8"]).await;
        for n in 0..8 {
            let path = format!("/{n}?q=%C3%A4&b");
            let request = Request::new("POST", &path)
                .body("what is sent")
                .field("x-forwarded-for", "203.0.113.66")
                .field("x-forwarded-proto", "https")
                .field("x-request-id", "known-1")
                .field("x-own", "kept");
            ask(world.edges()[0], request)
                .await
                .unwrap()
                .expect_status(200)
                .expect_body("what is sent");
            let asked = origin.last(&format!("/{n}"));
            assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", path.as_str()));
            assert_eq!(asked.fields.all("x-request-id"), ["known-1"]);
            assert_eq!(asked.fields.all("x-own"), ["kept"]);
            assert_eq!(asked.fields.all("x-forwarded-proto"), ["https"]);
            let forwarded = asked.fields.all("x-forwarded-for").join(", ");
            assert!(forwarded.starts_with("203.0.113.66, 127.0.0.1"), "{forwarded}");
            for name in INTERNAL {
                assert_eq!(asked.fields.get(name), None, "{name}");
            }
        }
    }
}

/// A scheme is part of the key on every tier alike, and a change through one edge is seen behind the shield.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_goes_through_to_the_shield_that_has_it() {
    let origin = Origin::start().await.unwrap();
    origin.on("/a", |asked| match asked.method.as_str() {
        "PUT" => Reply::status(204),
        _ => tagged(format!("{}", asked.number)),
    });
    let world = setup(&origin, "Peer").start().await.unwrap();
    for answer in each(&world, "/a").await {
        answer.expect_status(200).expect_body("1");
    }
    world.all_settled().await;
    ask(world.edges()[0], Request::new("PUT", "/a").body("new")).await.unwrap().expect_status(204);
    // The place that it went through, and the shield.
    for edge in &world.edges()[..2] {
        ask(*edge, "/a").await.unwrap().expect_status(200).expect_body("3");
    }
}
