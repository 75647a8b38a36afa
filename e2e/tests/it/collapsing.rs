//! Concurrent requests for one thing share one request upstream, and uncacheable ones are not held up (E11).

use std::sync::Arc;

use e2e::client::{Answer, Client, Request};
use e2e::gate::Gate;
use e2e::origin::{Reply, pattern};
use e2e::world::World;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{start, start_with};

const MANY: usize = 1000;

/// `many` connections, so that what follows comes as close together as can be.
async fn crowd(world: &World, many: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..many {
        clients.push(world.connect().await);
    }
    clients
}

/// Everybody asks at once.
async fn everybody(clients: Vec<Client>, request: Request) -> Vec<Answer> {
    let mut asking = JoinSet::new();
    for mut client in clients {
        let request = request.clone();
        asking.spawn(async move { client.ask(request).await.unwrap() });
    }
    asking.join_all().await
}

/// How many requests wait for another's answer.
fn waiting(world: &World) -> usize {
    world.node.cache.entries(None, 100).0.iter().map(|entry| entry.waiting).sum()
}

//= rfc9111#4
#[tokio::test]
async fn a_thousand_clients_of_a_cold_key_make_one_request() {
    let (origin, world) = start().await;
    let body = pattern(0, 20_000);
    origin.always("/a", Reply::fresh(60, body.clone()));
    let clients = crowd(&world, MANY).await;
    let answers = everybody(clients, "/a".into()).await;
    assert_eq!(answers.len(), MANY);
    for answer in &answers {
        answer.expect_status(200).expect_body(&body);
    }
    assert_eq!(answers.iter().filter(|a| a.field("x-cache") == "MISS").count(), 1);
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_thousand_clients_read_along_while_the_origin_dribbles() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let reply = Reply::fresh(60, pattern(0, 1000)).then_after(&gate).then(pattern(1000, 1000));
    origin.always("/length", reply.clone());
    origin.always("/chunked", reply.chunked());
    for path in ["/length", "/chunked"] {
        let mut asking = JoinSet::new();
        for mut client in crowd(&world, MANY / 2).await {
            asking.spawn(async move {
                client.send(path).await.unwrap();
                client.head().await.unwrap().expect_status(200);
                let (begun, _) = client.body(1000).await.unwrap();
                assert_eq!(begun, pattern(0, 1000));
                client
            });
        }
        // All of them have the beginning, and the origin has not gone on.
        let clients = asking.join_all().await;
        gate.open();
        for mut client in clients {
            let (rest, cut) = client.body(usize::MAX).await.unwrap();
            assert!(!cut && rest == pattern(1000, 1000));
        }
        assert_eq!(origin.count(path), 1);
    }
}

#[tokio::test]
async fn a_thousand_requests_for_what_is_uncacheable_are_not_served_one_at_a_time() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let held = gate.clone();
    origin.on("/a", move |asked| {
        let reply = Reply::ok(asked.number.to_string()).field("cache-control", "no-store");
        if asked.number == 1 { reply } else { reply.after(&held) }
    });
    let clients = crowd(&world, MANY).await;
    let asking = tokio::spawn(everybody(clients, "/a".into()));
    // Serialised, the second would be the last that the origin hears of.
    origin.was_asked("/a", MANY).await.unwrap();
    gate.open();
    let mut bodies: Vec<usize> =
        asking.await.unwrap().iter().map(|a| a.text().parse().unwrap()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, (1..=MANY).collect::<Vec<_>>());
    assert!(origin.most_at_once("/a") >= MANY - 1, "{}", origin.most_at_once("/a"));
}

#[tokio::test]
async fn who_waits_too_long_goes_alone_and_only_so_many_do() {
    let rules = json!({ "collapse": { "timeout": "200ms", "maxBypass": 2 } });
    let (origin, world) = start_with(|s| s.site(rules)).await;
    let gate = Gate::closed();
    origin.always("/a", Reply::fresh(60, "late").after(&gate));
    let clients = crowd(&world, 6).await;
    let mut asking = JoinSet::new();
    for mut client in clients {
        asking.spawn(async move { client.ask("/a").await.unwrap() });
    }
    let mut refused = Vec::new();
    for _ in 0..3 {
        refused.push(asking.join_next().await.unwrap().unwrap());
    }
    for answer in &refused {
        answer.expect_status(503).expect_cache_status("detail=collapse-overflow");
        assert!(answer.field("retry-after").parse::<u32>().unwrap() > 0);
    }
    origin.was_asked("/a", 3).await.unwrap();
    gate.open();
    let served = asking.join_all().await;
    let mut words: Vec<_> = served.iter().map(|a| a.expect_status(200).field("x-cache")).collect();
    words.sort_unstable();
    assert_eq!(words, ["MISS", "PASS", "PASS"]);
    assert_eq!(origin.count("/a"), 3);
}

#[tokio::test]
async fn who_waits_too_long_gets_what_is_stale_if_that_may_be() {
    let (origin, world) =
        start_with(|s| s.site(json!({ "collapse": { "timeout": "200ms" } }))).await;
    let gate = Gate::closed();
    let held = gate.clone();
    origin.on("/a", move |asked| {
        let reply = Reply::fresh(10, asked.number.to_string());
        if asked.number == 1 { reply } else { reply.after(&held) }
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(20);
    let mut leader = world.connect().await;
    leader.send("/a").await.unwrap();
    origin.was_asked("/a", 2).await.unwrap();
    world.ask("/a").await.expect(200, "STALE").expect_body("1");
    gate.open();
    leader.answer().await.unwrap().expect(200, "EXPIRED").expect_body("2");
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn a_leader_that_leaves_before_the_answer_disturbs_nobody() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    origin.always("/a", Reply::fresh(60, "for all").after(&gate));
    let mut leader = world.connect().await;
    leader.send("/a").await.unwrap();
    origin.was_asked("/a", 1).await.unwrap();
    let followers = tokio::spawn(everybody(crowd(&world, 10).await, "/a".into()));
    world.until("ten wait", || waiting(&world) == 10).await;
    drop(leader);
    gate.open();
    for answer in followers.await.unwrap() {
        answer.expect(200, "COLLAPSED").expect_body("for all").expect_cache_status("collapsed");
    }
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_leader_that_leaves_within_the_body_disturbs_nobody() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let reply = Reply::fresh(60, pattern(0, 1000)).then_after(&gate).then_pattern(5 << 20);
    origin.always("/a", reply);
    let mut leader = world.connect().await;
    leader.send("/a").await.unwrap();
    leader.head().await.unwrap();
    let mut follower = world.connect().await;
    follower.send("/a").await.unwrap();
    follower.head().await.unwrap().expect_status(200);
    drop(leader);
    gate.open();
    let (body, cut) = follower.body(usize::MAX).await.unwrap();
    assert!(!cut && body == pattern(0, 1000 + (5 << 20)));
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT");
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_fill_that_nobody_waits_for_any_more_is_stored_all_the_same() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    origin.always("/a", Reply::fresh(60, "a").after(&gate));
    let mut leader = world.connect().await;
    leader.send("/a").await.unwrap();
    origin.was_asked("/a", 1).await.unwrap();
    drop(leader);
    gate.open();
    world.settled().await;
    world.ask("/a").await.expect(200, "HIT").expect_body("a");
}

#[tokio::test]
async fn collapsed_requests_get_their_own_variant() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let held = gate.clone();
    origin.on("/a", move |asked| {
        let kind = asked.fields.get("x-kind").unwrap_or("none").to_owned();
        let reply = Reply::fresh(60, kind).field("vary", "x-kind");
        if asked.number == 1 { reply.after(&held) } else { reply }
    });
    let mut asking = JoinSet::new();
    for i in 0..90 {
        let kind = ["one", "two", "three"][i % 3];
        let mut client = world.connect().await;
        asking.spawn(async move {
            let answer = client.ask(Request::get("/a").field("x-kind", kind)).await.unwrap();
            answer.expect_status(200).expect_body(kind);
        });
    }
    world.until("all but one wait", || waiting(&world) == 89).await;
    gate.open();
    asking.join_all().await;
    assert_eq!(origin.count("/a"), 3);
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_waited_for_it() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    origin.always("/a", Reply::status(200).after(&gate).breaking());
    let followers = tokio::spawn(everybody(crowd(&world, 50).await, "/a".into()));
    world.until("all but one wait", || waiting(&world) == 49).await;
    gate.open();
    for answer in followers.await.unwrap() {
        answer.expect_status(502).expect_cache_status("detail=exchange-failed");
    }
    // One request for all of them, tried as often as a request may be.
    assert_eq!(origin.count("/a"), 3);
    origin.always("/a", Reply::fresh(60, "well again"));
    world.ask("/a").await.expect(200, "MISS").expect_body("well again");
}

#[tokio::test]
async fn a_refresh_is_shared_by_all_who_need_it() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let held = gate.clone();
    origin.on("/a", move |asked| {
        let reply = Reply::validated(asked, "\"one\"", "a").field("cache-control", "max-age=10");
        if asked.number == 1 { reply } else { reply.after(&held) }
    });
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    world.pass_seconds(10);
    let everybody = tokio::spawn(everybody(crowd(&world, 100).await, "/a".into()));
    world.until("all but one wait", || waiting(&world) == 99).await;
    gate.open();
    for answer in everybody.await.unwrap() {
        answer.expect_status(200).expect_body("a").expect_no("x-cdn-stale");
    }
    assert_eq!(origin.count("/a"), 2);
}

#[tokio::test]
async fn a_url_that_was_uncacheable_is_collapsed_again_once_it_is_cacheable() {
    let (origin, world) =
        start_with(|s| s.site(json!({ "collapse": { "hitForMiss": "5s" } }))).await;
    let origin = Arc::new(origin);
    origin.always("/a", Reply::ok("a").field("cache-control", "no-store"));
    world.ask("/a").await.expect(200, "MISS");
    world.ask("/a").await.expect(200, "PASS");
    origin.always("/a", Reply::fresh(60, "b"));
    world.pass_seconds(6);
    let answers = everybody(crowd(&world, 20).await, "/a".into()).await;
    assert!(answers.iter().all(|a| a.text() == "b"));
    assert_eq!(origin.count("/a"), 3);
}
