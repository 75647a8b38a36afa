//! Two nodes in network namespaces of their own; the link of one of them to Redis goes down, as when a cable
//! is pulled.

use e2e::line::Line;
use e2e::origin::Origin;
use e2e::program::Program;
use e2e::redis::Redis;
use e2e::space::{Space, set, tidy};
use e2e::world::Setup;
use serde_json::json;

use crate::fleet::{Edge, Files, Fleet, eventually};
use crate::orders::{Order, What, named};
use crate::traffic::Traffic;
use crate::truth::{Truth, path};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_cut_apart_the_one_without_the_log_is_named_until_its_link_is_up() {
    tidy();
    if let Some(why) = Space::refused() {
        println!("skipped, network namespaces are not permitted here: {why}");
        return;
    }
    // Dropped after the programs in them.
    let spaces = [Space::new(1), Space::new(2)];
    let redis = Redis::start_at(&[spaces[0].log.here, spaces[1].log.here]).await.unwrap();
    let origin = Origin::start().await.unwrap();
    let truth = Truth::at(&origin);
    let (mut lines, mut edges) = (Vec::new(), Vec::new());
    for (n, Space { name: space, log, clients }) in spaces.iter().enumerate() {
        let line = Line::from(clients.here.into(), origin.address()).await.unwrap();
        let near = json!({ "origins": [{ "url": format!("http://{}", line.address()) }] });
        lines.push(line);
        let files = Files::new(&Setup::new(&origin).site(near));
        let url = format!("redis://{}:{}", log.here, redis.port());
        let start = |all: &[&str]| Program::start_in(space, "edge", all);
        let (name, address) = (format!("n{}", n + 1), format!("{}:0", clients.there));
        edges.push(Edge::start_with(&files, &name, &url, &address, start).await);
    }
    let fleet = Fleet(edges);
    fleet.meet().await;
    let traffic = Traffic::start(&truth, &fleet.0);
    let (one, other) = (fleet.0[0].desk(), fleet.0[1].desk());
    let before = Order::send(&truth, other, What::Group(0), "wait=10").await;
    assert_eq!(before.status, 200, "{:#}", before.first);
    let stored = path(3);
    let there = &fleet.0[1];
    eventually("stored", async || there.get(&stored).await.field("x-cache") == "HIT").await;

    set(&spaces[1].log, false);
    let order = Order::send(&truth, one, What::Page(3), "wait=20").await;
    assert_eq!((order.status, &order.first["phase"]), (202, &json!("Partial")));
    assert_eq!(named(&order.first, "waiting"), ["n2"], "{:#}", order.first);
    assert_eq!(named(&order.first, "done"), ["n1"], "{:#}", order.first);
    let back = Order::send(&truth, other, What::Page(4), "wait=1").await;
    assert_eq!(back.first["phase"], "Pending", "{:#}", back.first);
    // Clients do not notice: what was ordered elsewhere is still served, what was ordered there is not.
    assert_eq!(fleet.0[1].get(&stored).await.text(), "0");
    assert_eq!(fleet.0[1].get(&path(4)).await.text(), "2");

    set(&spaces[1].log, true);
    for order in [&order, &back] {
        let report = order.complete().await;
        assert_eq!(named(&report, "done"), ["n1", "n2"], "{report:#}");
    }
    traffic.end().await;
}
