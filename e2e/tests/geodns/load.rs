//! What edges say of themselves reaches the GeoDNS over the log.

use std::net::SocketAddr;
use std::time::Duration;

use e2e::client::{Client, HOST, Request};
use e2e::dns;
use e2e::origin::{Origin, Reply};
use e2e::program::{Program, free_ports};
use e2e::redis::Redis;
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep};

const TOKEN: &str = "load";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_requests_of_edges_are_a_places_load_and_their_goodbye_has_it_probed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let origin = Origin::start().await.unwrap();
    origin.on("*", |_| Reply::fresh(3_600, "x"));
    let redis = Redis::start().await.unwrap();
    let snapshot = json!({
        "format": 1, "version": "load", "pool": "web",
        "cache": { "memoryBytes": 16 << 20, "maxObjectBytes": 1 << 20 },
        "sites": [{ "name": "web", "hosts": [HOST], "origins": [{ "url": origin.url() }] }],
    });
    std::fs::write(path("snapshot"), snapshot.to_string()).unwrap();
    std::fs::write(path("token"), TOKEN).unwrap();
    let (mut edges, mut addresses) = (Vec::new(), Vec::<SocketAddr>::new());
    for name in ["fra-1", "fra-2"] {
        let mut edge = Program::start(
            "edge",
            &[
                ["--config", &path("snapshot")],
                ["--listen", "127.0.0.1:0"],
                ["--admin", "127.0.0.1:0"],
                ["--log", &redis.url()],
                ["--name", name],
                ["--pop", "fra"],
                ["--drain-notice", "0"],
                ["--threads", "1"],
            ]
            .concat(),
        )
        .unwrap();
        let line: Value = serde_json::from_str(&edge.line("\"serving\"").await.unwrap()).unwrap();
        addresses.push(line["listen"].as_str().unwrap().parse().unwrap());
        edges.push(edge);
    }
    // Each place is probed at one of the edges, and so seldom that no probe finds anything in time by itself.
    let probed = |nth: usize| json!({ "127.0.0.1": addresses[nth] });
    let zones = json!({
        "format": 1, "version": "load",
        "zones": { HOST: {
            "nameServers": [{ "name": "ns1.example.net" }], "hosts": { HOST: "web" },
        }},
        "pools": { "web": {
            "pops": [
                { "name": "fra", "v4": ["127.0.0.1"], "probeAt": probed(0), "capacity": 1000 },
                { "name": "syd", "v4": ["127.0.0.1"], "probeAt": probed(1) },
            ],
            "probe": { "intervalMs": 60_000 },
        }},
    });
    std::fs::write(path("zones"), zones.to_string()).unwrap();
    let [admin, listen] = [(); 2].map(|()| format!("127.0.0.1:{}", free_ports(1)));
    let mut geodns = Program::start(
        "geodns",
        &[
            ["--zones", &path("zones")],
            ["--listen", &listen],
            ["--admin", &admin],
            ["--admin-token-file", &path("token")],
            ["--redis", &redis.url()],
            ["--threads", "1"],
        ]
        .concat(),
    )
    .unwrap();
    dns::listening(&mut geodns).await.unwrap();

    // 50 requests a second to each.
    let mut clients = Vec::new();
    for address in &addresses {
        clients.push(Client::connect(*address).await.unwrap());
    }
    let began = Instant::now();
    let mut tick = interval(Duration::from_millis(20));
    let (mut asked, mut seen) = (0_u32, Vec::new());
    loop {
        for client in &mut clients {
            tick.tick().await;
            for _ in 0..2 {
                client.ask(Request::get("/a")).await.unwrap().expect_status(200);
                asked += 1;
            }
        }
        let request = Request::get(&format!("/where?ip=192.0.2.9&name={HOST}"))
            .field("host", "admin")
            .field("authorization", &format!("Bearer {TOKEN}"));
        let answer = e2e::client::ask(admin.parse().unwrap(), request).await.unwrap();
        let shown: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(shown["standpoint"], "alone", "{shown:#}");
        let candidates = shown["candidates"].as_array().unwrap();
        let of =
            |pop: &str| candidates.iter().find(|one| one["pop"] == pop).unwrap()["load"].as_f64();
        assert_eq!(of("syd"), None, "nobody says anything");
        seen.extend(of("fra"));
        // As many as a machine that is busy lets through.
        let rate = f64::from(asked) / began.elapsed().as_secs_f64();
        let fits = |load: &f64| (rate * 0.7..=rate * 1.3).contains(load);
        if began.elapsed() > Duration::from_secs(4) && seen.last().is_some_and(fits) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "never {rate} a second: {seen:?}");
    }
    drop(clients);
    edges.remove(0).terminate().unwrap();
    let ended = Instant::now();
    loop {
        let request = Request::get("/metrics").field("host", "admin");
        let text = e2e::client::ask(admin.parse().unwrap(), request).await.unwrap().text();
        let state = |pop: &str| {
            let line = format!(
                "cdn_dns_address_state{{address=\"127.0.0.1\",pool=\"web\",pop=\"{pop}\"}} "
            );
            text.lines().find_map(|one| one.strip_prefix(&line)).map(str::to_owned)
        };
        if state("fra").as_deref() == Some("3") {
            assert_eq!(state("syd").as_deref(), Some("1"), "no edge there said anything");
            break;
        }
        assert!(ended.elapsed() < Duration::from_secs(20), "not probed: {text}");
        sleep(Duration::from_millis(100)).await;
    }
}
