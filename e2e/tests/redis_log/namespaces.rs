//! Two nodes in network namespaces of their own; the link of one of them to Redis goes down, as when a cable
//! is pulled.

use std::net::Ipv4Addr;
use std::process::{Command, Output};

use e2e::line::Line;
use e2e::origin::Origin;
use e2e::program::Program;
use e2e::redis::Redis;
use e2e::world::Setup;
use serde_json::json;

use crate::fleet::{Edge, Files, Fleet, eventually};
use crate::orders::{Order, What, named};
use crate::traffic::Traffic;
use crate::truth::{Truth, path};

fn ip(arguments: &[&str]) -> Output {
    Command::new("ip").args(arguments).output().expect("`ip` is needed (Debian: iproute2)")
}

#[track_caller]
fn must(arguments: &[&str]) {
    let output = ip(arguments);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {}: {wrong}", arguments.join(" "));
}

/// A network namespace with two links to this machine's own: one for the log, one for all else.
struct Space {
    name: String,
    log: Link,
    clients: Link,
}

struct Link {
    /// The device at this machine's end.
    device: String,
    here: Ipv4Addr,
    there: Ipv4Addr,
}

impl Space {
    /// Why there can be none, if the system does not permit it.
    fn refused() -> Option<String> {
        let name = format!("bo-{}-0", std::process::id());
        let output = ip(&["netns", "add", &name]);
        if output.status.success() {
            must(&["netns", "delete", &name]);
            return None;
        }
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        let denied = why.contains("not permitted") || why.contains("denied");
        assert!(denied, "no network namespace: {why}");
        Some(why)
    }

    fn new(number: u8) -> Self {
        let process = std::process::id();
        let link = |what: &str, index: u8| {
            // Meant for benchmarks and tests (RFC 2544): nobody's real network.
            let [.., high, low] = process.to_be_bytes();
            let host = (number * 2 + index) * 4;
            let at = |last: u8| Ipv4Addr::new(198, 18 + high % 2, low, host + last);
            Link { device: format!("bo{process}{what}{number}"), here: at(1), there: at(2) }
        };
        let name = format!("bo-{process}-{number}");
        must(&["netns", "add", &name]);
        let space = Self { name, log: link("l", 0), clients: link("c", 1) };
        for (link, peer) in [(&space.log, "log"), (&space.clients, "clients")] {
            let (here, there) = (format!("{}/30", link.here), format!("{}/30", link.there));
            let (name, device) = (&*space.name, &*link.device);
            must(&["link", "add", device, "type", "veth", "peer", "name", peer, "netns", name]);
            must(&["address", "add", &here, "dev", device]);
            must(&["link", "set", device, "up"]);
            must(&["-netns", name, "address", "add", &there, "dev", peer]);
            must(&["-netns", name, "link", "set", peer, "up"]);
        }
        space
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // Each takes its other end with it.
        for link in [&self.log, &self.clients] {
            let _ = ip(&["link", "delete", &link.device]);
        }
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

/// Takes away what a test that was killed left behind.
fn tidy() {
    let listed = String::from_utf8_lossy(&ip(&["netns", "list"]).stdout).into_owned();
    for name in listed.lines().filter_map(|line| line.split(' ').next()) {
        let process = name.strip_prefix("bo-").and_then(|rest| rest.split('-').next());
        let process = process.and_then(|process| process.parse::<u32>().ok());
        if process.is_some_and(|process| !std::fs::exists(format!("/proc/{process}")).unwrap()) {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

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

    must(&["link", "set", &spaces[1].log.device, "down"]);
    let order = Order::send(&truth, one, What::Page(3), "wait=20").await;
    assert_eq!((order.status, &order.first["phase"]), (202, &json!("Partial")));
    assert_eq!(named(&order.first, "waiting"), ["n2"], "{:#}", order.first);
    assert_eq!(named(&order.first, "done"), ["n1"], "{:#}", order.first);
    let back = Order::send(&truth, other, What::Page(4), "wait=1").await;
    assert_eq!(back.first["phase"], "Pending", "{:#}", back.first);
    // Clients do not notice: what was ordered elsewhere is still served, what was ordered there is not.
    assert_eq!(fleet.0[1].get(&stored).await.text(), "0");
    assert_eq!(fleet.0[1].get(&path(4)).await.text(), "2");

    must(&["link", "set", &spaces[1].log.device, "up"]);
    for order in [&order, &back] {
        let report = order.complete().await;
        assert_eq!(named(&report, "done"), ["n1", "n2"], "{report:#}");
    }
    traffic.end().await;
}
