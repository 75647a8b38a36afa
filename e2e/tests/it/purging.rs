//! Purges and bans as their users meet them: one order on one port, and every edge follows (I1–I5).

use std::net::SocketAddr;

use e2e::client::{Answer, HOST, Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN, World};
use serde_json::{Value, json};

/// Three edges in two places.
async fn three() -> (Origin, World) {
    let origin = Origin::start().await.unwrap();
    origin.on("*", |asked| {
        let tag = asked.target.trim_start_matches('/').split('/').next().unwrap_or_default();
        Reply::fresh(60, asked.target.clone()).field("surrogate-key", &format!("{tag} all"))
    });
    let pops = json!([{ "name": "a", "replicas": 2 }, { "name": "b", "replicas": 1 }]);
    let world = Setup::new(&origin).spec(json!({ "pops": pops })).start().await.unwrap();
    (origin, world)
}

fn edges(world: &World) -> Vec<SocketAddr> {
    let local = world.local.as_ref().unwrap();
    local.edges.list().iter().map(|edge| edge.address).collect()
}

/// What each edge says to a request for `path`: the word of its `X-Cache`.
async fn words(world: &World, path: &str) -> Vec<String> {
    let mut words = Vec::new();
    for address in edges(world) {
        let answer = ask(address, Request::get(path)).await.unwrap();
        answer.expect_status(200);
        words.push(answer.field("x-cache").to_owned());
    }
    words
}

/// Stored on every edge.
async fn warm(world: &World, paths: &[&str]) {
    for path in paths {
        words(world, path).await;
        world.settled().await;
        assert_eq!(words(world, path).await, ["HIT"; 3], "{path}");
    }
}

fn order(method: &str, target: &str) -> Request {
    Request::new(method, target)
        .field("host", HOST)
        .field("authorization", &format!("Bearer {TOKEN}"))
}

async fn admin(world: &World, request: Request) -> (Answer, Value) {
    let status = world.local.as_ref().unwrap().status;
    let answer = ask(status, request).await.unwrap();
    let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer, json)
}

fn done(report: &Value, matched: u64) {
    assert_eq!(report["phase"], "Complete", "{report:#}");
    assert_eq!(report["matched"], matched, "{report:#}");
    let nodes: Vec<_> = report["nodes"].as_array().unwrap().iter().map(|n| &n["name"]).collect();
    assert_eq!(nodes, ["a-0", "a-1", "b-0"]);
}

#[tokio::test]
async fn a_url_purged_on_one_edge_is_gone_on_every_edge() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x", "/one/y"]).await;
    // As `curl -X PURGE` does, on an edge's own port.
    let answer = ask(edges(&world)[1], order("PURGE", "/one/x")).await.unwrap();
    answer.expect_status(200);
    done(&serde_json::from_slice(&answer.body).unwrap(), 3);
    assert_eq!(words(&world, "/one/x").await, ["MISS"; 3]);
    assert_eq!(words(&world, "/one/y").await, ["HIT"; 3]);
}

#[tokio::test]
async fn softly_is_stale_once_and_then_fresh_with_one_request_each() {
    let (origin, world) = three().await;
    warm(&world, &["/one/x"]).await;
    let before = origin.count("/one/x");
    let (answer, report) = admin(&world, order("PURGE", "/one/x").field("soft-purge", "1")).await;
    answer.expect_status(200);
    done(&report, 3);
    assert_eq!(words(&world, "/one/x").await, ["STALE"; 3]);
    for edge in world.local.as_ref().unwrap().edges.list() {
        world.until("the refresh", || edge.node.cache.stats().flights == 0).await;
    }
    assert_eq!(words(&world, "/one/x").await, ["HIT"; 3]);
    assert_eq!(origin.count("/one/x") - before, 3);
}

#[tokio::test]
async fn a_tag_takes_exactly_what_has_it() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x", "/one/y", "/two/x"]).await;
    let known = "/edges/b-0/debug/tag?tag=one";
    assert_eq!(admin(&world, order("GET", known)).await.1["objects"], 2);
    let (answer, report) = admin(&world, order("PURGE", "/purge/tag/one")).await;
    assert_eq!(admin(&world, order("GET", known)).await.1["objects"], 0);
    answer.expect_status(200);
    done(&report, 6);
    assert_eq!(words(&world, "/one/x").await, ["MISS"; 3]);
    assert_eq!(words(&world, "/one/y").await, ["MISS"; 3]);
    assert_eq!(words(&world, "/two/x").await, ["HIT"; 3]);
    let (_, report) =
        admin(&world, order("POST", "/purge").body(r#"{"tag":"nobody-has-it"}"#)).await;
    done(&report, 0);
}

#[tokio::test]
async fn a_prefix_and_everything() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x", "/one/y?z", "/two/x"]).await;
    let body = format!(r#"{{"prefix":"https://{HOST}/one/"}}"#);
    let (_, report) = admin(&world, order("POST", "/purge").body(body)).await;
    done(&report, 6);
    assert_eq!(words(&world, "/one/y?z").await, ["MISS"; 3]);
    assert_eq!(words(&world, "/two/x").await, ["HIT"; 3]);
    let (_, report) = admin(&world, order("POST", "/purge").body(r#"{"all":true}"#)).await;
    assert_eq!(report["phase"], "Complete");
    assert_eq!(words(&world, "/two/x").await, ["MISS"; 3]);
}

#[tokio::test]
async fn a_ban_works_lazily_and_is_lifted() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x", "/one/y", "/two/x"]).await;
    let body = json!({ "path": { "glob": "/one/*" }, "ttl": "10m", "id": "b1" }).to_string();
    let (answer, json) = admin(&world, order("POST", "/ban").body(body)).await;
    answer.expect_status(201).expect_field("location", "/ban/b1");
    assert_eq!(json["report"]["phase"], "Complete", "{json:#}");
    assert_eq!(words(&world, "/one/x").await, ["MISS"; 3]);
    assert_eq!(words(&world, "/two/x").await, ["HIT"; 3]);
    let (_, json) = admin(&world, order("GET", "/ban")).await;
    assert_eq!((&json["bans"][0]["id"], &json["bans"][0]["matched"]), (&json!("b1"), &json!(3)));
    admin(&world, order("DELETE", "/ban/b1")).await.0.expect_status(200);
    assert_eq!(words(&world, "/one/y").await, ["HIT"; 3]);
    admin(&world, order("DELETE", "/ban/b1")).await.0.expect_status(404);
}

#[tokio::test]
async fn a_ban_on_a_field_and_a_dry_run() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x", "/two/x"]).await;
    let ban = |dry: bool| {
        let value = json!({ "prefix": "two" });
        json!({ "headers": [{ "name": "surrogate-key", "value": value }], "dryRun": dry })
            .to_string()
    };
    let (_, json) = admin(&world, order("POST", "/ban").body(ban(true))).await;
    done(&json["report"], 3);
    assert_eq!(words(&world, "/two/x").await, ["HIT"; 3]);
    admin(&world, order("POST", "/ban").body(ban(false))).await.0.expect_status(201);
    assert_eq!(words(&world, "/two/x").await, ["MISS"; 3]);
    assert_eq!(words(&world, "/one/x").await, ["HIT"; 3]);
}

#[tokio::test]
async fn who_shows_no_token_learns_nothing_and_purges_nothing() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x"]).await;
    let wrong = |request: Request| request.field("host", HOST).field("authorization", "Bearer no");
    for request in [
        Request::new("PURGE", "/one/x").field("host", HOST),
        wrong(Request::new("PURGE", "/one/x")),
        wrong(Request::new("PURGE", "/not/there")),
        wrong(Request::new("DELETE", "/ban/none")),
        wrong(Request::new("GET", "/log")),
    ] {
        let (answer, json) = admin(&world, request.clone()).await;
        answer.expect_status(401);
        assert_eq!(json["error"], "unauthorized");
    }
    let there = ask(edges(&world)[0], wrong(Request::new("PURGE", "/one/x"))).await.unwrap();
    let not = ask(edges(&world)[0], wrong(Request::new("PURGE", "/not/there"))).await.unwrap();
    assert_eq!((there.status, &there.body), (401.try_into().unwrap(), &not.body));
    assert_eq!(words(&world, "/one/x").await, ["HIT"; 3]);
}

#[tokio::test]
async fn bad_orders_name_the_field_and_reach_nobody() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x"]).await;
    for (path, body, field) in [
        ("/purge", json!({ "tags": ["all", ""] }), "tags[1]"),
        ("/purge", json!({ "url": "http://other.example/one/x" }), "url"),
        ("/purge", json!({ "all": true, "soft": true, "hard": true }), "hard"),
        ("/ban", json!({ "path": { "regex": "(" } }), "path.regex"),
        ("/ban", json!({ "path": { "glob": "/one/*" }, "ttl": "0s" }), "ttl"),
    ] {
        let (answer, json) = admin(&world, order("POST", path).body(body.to_string())).await;
        answer.expect_status(400);
        assert!(json["field"].as_str().unwrap().starts_with(field), "{json:#}");
    }
    assert_eq!(words(&world, "/one/x").await, ["HIT"; 3]);
    let (_, log) = admin(&world, order("GET", "/log")).await;
    assert_eq!(log["orders"], json!([]));
    assert_eq!(log["nodes"].as_array().unwrap().len(), 3);
}

/// RFC 9875: an answer to a change ends the groups that it names, of its own origin.
//= rfc9875#2
//= rfc9875#3
#[tokio::test]
async fn an_answer_to_a_change_invalidates_its_groups() {
    let origin = Origin::start().await.unwrap();
    origin.on("*", |asked| match asked.method.as_str() {
        "POST" => Reply::ok("done").field("cache-group-invalidation", "\"eu\", \"us\""),
        _ if asked.target == "/asia" => Reply::fresh(60, "a").field("cache-groups", "\"asia\""),
        _ => Reply::fresh(60, "e").field("cache-groups", "\"eu\", \"all\""),
    });
    let world = Setup::new(&origin).start().await.unwrap();
    for path in ["/europe", "/asia"] {
        world.ask(path).await.expect(200, "MISS");
        world.settled().await;
        world.ask(path).await.expect(200, "HIT");
    }
    world.ask(Request::new("POST", "/change").body("x")).await.expect_status(200);
    world.ask("/asia").await.expect(200, "HIT");
    world.ask("/europe").await.expect(200, "MISS");
    world.settled().await;
    // As a tag, too.
    let (_, report) = admin(&world, order("PURGE", "/purge/tag/all")).await;
    assert_eq!((&report["phase"], &report["matched"]), (&json!("Complete"), &json!(1)));
    world.ask("/europe").await.expect(200, "MISS");
}

#[tokio::test]
async fn a_purge_of_an_unknown_url_is_complete_and_matches_nothing() {
    let (_origin, world) = three().await;
    let (answer, report) = admin(&world, order("PURGE", "/never/asked")).await;
    answer.expect_status(200);
    done(&report, 0);
}

#[tokio::test]
async fn an_id_names_one_order() {
    let (_origin, world) = three().await;
    warm(&world, &["/one/x"]).await;
    let purge = |tag: &str| {
        order("POST", "/purge").body(json!({ "tag": tag, "id": "deploy-1" }).to_string())
    };
    let (answer, first) = admin(&world, purge("other")).await;
    answer.expect_status(200);
    done(&first, 0);
    let (answer, json) = admin(&world, purge("one")).await;
    answer.expect_status(409);
    assert_eq!(json["error"], "id-taken");
    assert_eq!(words(&world, "/one/x").await, ["HIT"; 3]);
    // The same again is no other order, and is not given a second time.
    let (answer, again) = admin(&world, purge("other")).await;
    answer.expect_status(200);
    done(&again, 0);
    assert_eq!(again["position"], first["position"], "{again:#}");
    let (_, log) = admin(&world, order("GET", "/log")).await;
    assert_eq!(log["orders"].as_array().unwrap().len(), 1, "{log:#}");
}
