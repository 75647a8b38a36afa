//! One request at the origin, however many ask wherever.

use bytes::Bytes;
use e2e::client::{Client, Request};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply, pattern};
use e2e::world::World;
use tokio::task::JoinSet;

use super::{MODES, clients, each, order, setup, tagged, waiting};

const CLIENTS: usize = 600;
const EDGES: usize = 6;

/// Whether what comes over `client` is `body`, without keeping it.
async fn reads(client: &mut Client, body: &Bytes) -> bool {
    let mut at = 0;
    while let Some(piece) = client.piece().await.unwrap() {
        if body.get(at..at + piece.len()) != Some(&piece[..]) {
            return false;
        }
        at += piece.len();
    }
    at == body.len()
}

/// Everybody asks, and waits for everybody else; then `gate` opens. Every body must be `body`.
async fn everybody(world: &World, path: &str, gate: &Gate, body: Bytes, tiers: usize) {
    let mut asking = JoinSet::new();
    for mut client in clients(world, CLIENTS / EDGES).await {
        let (path, body) = (path.to_owned(), body.clone());
        asking.spawn(async move {
            client.send(Request::get(&path)).await.unwrap();
            client.head().await.unwrap().expect_status(200);
            reads(&mut client, &body).await
        });
    }
    assert_eq!(asking.len(), CLIENTS);
    let nodes = world.nodes();
    // One of each edge goes on to the next tier; one of all is the origin's.
    let all = CLIENTS - EDGES + tiers;
    world.until("all of them wait", || waiting(&nodes) == all).await;
    gate.open();
    let right = asking.join_all().await;
    assert_eq!(right.iter().filter(|right| **right).count(), CLIENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_clients_of_six_edges_are_one_request_at_the_origin() {
    for (mode, size) in MODES.into_iter().zip([5 << 20, 1 << 20]) {
        let origin = Origin::start().await.unwrap();
        let world = setup(&origin, mode).start().await.unwrap();
        let gate = Gate::closed();
        origin.always("/a", Reply::fresh(60, "").then_pattern(size).after(&gate));
        let body = pattern(0, usize::try_from(size).unwrap());
        everybody(&world, "/a", &gate, body.clone(), EDGES - 1).await;
        assert_eq!(origin.count("/a"), 1, "{mode}");
        world.all_settled().await;
        for answer in each(&world, "/a").await {
            answer.expect_status(200).expect_body(&body);
        }
        assert_eq!(origin.count("/a"), 1, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_one_request_while_the_origin_dribbles() {
    const PIECE: usize = 10_000;
    for mode in MODES {
        let origin = Origin::start().await.unwrap();
        let world = setup(&origin, mode).start().await.unwrap();
        let first = Gate::closed();
        let gates: Vec<_> = (0..20).map(|_| Gate::closed()).collect();
        let reply = Reply::fresh(60, pattern(0, PIECE)).after(&first);
        let reply = gates.iter().enumerate().fold(reply, |reply, (n, gate)| {
            let at = (n + 1) * PIECE;
            reply.then_after(gate).then(pattern(at as u64, PIECE))
        });
        origin.always("/a", reply);
        let opening = first.clone();
        let dribble = tokio::spawn(async move {
            opening.passed().await;
            for gate in gates {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                gate.open();
            }
        });
        everybody(&world, "/a", &first, pattern(0, 21 * PIECE), EDGES - 1).await;
        dribble.await.unwrap();
        assert_eq!(origin.count("/a"), 1, "{mode}");
    }
}

/// Must show 8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_for_what_is_not_there_are_one() {
    const REQUESTS: usize = 10_000;
    let origin = Origin::start().await.unwrap();
    origin.always("/missing", Reply::status(404).then("no such page"));
    let world = setup(&origin, "Independent").start().await.unwrap();
    let mut asking = JoinSet::new();
    let clients = clients(&world, 4).await;
    let times = REQUESTS.div_ceil(clients.len());
    for mut client in clients {
        asking.spawn(async move {
            for _ in 0..times {
                client
                    .ask("/missing")
                    .await
                    .unwrap()
                    .expect_status(404)
                    .expect_body("no such page");
            }
            times
        });
    }
    assert!(asking.join_all().await.into_iter().sum::<usize>() >= REQUESTS);
    assert_eq!(origin.count("/missing"), 1);
    for (n, soft) in [(2, false), (3, true)] {
        let body = format!(r#"{{"url":"http://cdn.example.com/missing","soft":{soft}}}"#);
        let report = order(&world, "POST", "/purge", &body).await;
        assert!(report["matched"].as_u64().unwrap() >= 7, "{report:#}");
        for _ in 0..3 {
            for answer in each(&world, "/missing").await {
                answer.expect_status(404);
            }
            world.all_settled().await;
        }
        assert_eq!(origin.count("/missing"), n, "soft: {soft}");
    }
    // And when its time is over, by itself.
    world.pass_seconds(11);
    for answer in each(&world, "/missing").await {
        answer.expect_status(404);
    }
    assert_eq!(origin.count("/missing"), 4);
}

/// Each edge refreshes what is stale by an order, all at once; behind them, that is one request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_after_a_soft_purge_are_one_request_at_the_origin() {
    let origin = Origin::start().await.unwrap();
    origin.always("/a", tagged("old"));
    let world = setup(&origin, "Independent").start().await.unwrap();
    each(&world, "/a").await;
    world.all_settled().await;
    let gate = Gate::closed();
    origin.always("/a", tagged("new").after(&gate));
    order(&world, "POST", "/purge", r#"{"tag":"one","soft":true}"#).await;
    for answer in each(&world, "/a").await {
        answer.expect(200, "STALE").expect_body("old");
    }
    let shields: Vec<_> = world.shields().into_iter().map(|shield| shield.node).collect();
    world.until("the refreshes wait for one", || waiting(&shields) == EDGES - 1).await;
    gate.open();
    world.all_settled().await;
    for answer in each(&world, "/a").await {
        answer.expect(200, "HIT").expect_body("new");
    }
    assert_eq!(origin.count("/a"), 2);
}
