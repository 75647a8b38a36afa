//! Three replicas in network namespaces of their own. One is cut off from the log, from the others and from all places;
//! only clients still reach it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use e2e::client::{HOST, Request};
use e2e::dns;
use e2e::program::Program;
use e2e::redis::Redis;
use e2e::space::{Space, set, tidy};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// The address of a place for clients, who do not come here.
fn address(place: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, place)
}

/// A place at all addresses of this machine, which says that it is well.
struct Place {
    port: u16,
    task: JoinHandle<()>,
}

impl Place {
    async fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { continue };
                tokio::spawn(async move {
                    // Who asked may be gone.
                    let _ = stream.read(&mut [0; 1_000]).await;
                    let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                });
            }
        });
        Self { port, task }
    }

    fn die(&self) {
        self.task.abort();
    }
}

struct Replica {
    at: SocketAddr,
    admin: SocketAddr,
    program: Program,
}

impl Replica {
    async fn start(space: &Space, redis: &Redis, places: &[Place; 2], folder: &str) -> Self {
        let here = space.log.here;
        let pop = |nth: u8| {
            let at = format!("{here}:{}", places[usize::from(nth) - 1].port);
            let address = address(nth).to_string();
            json!({ "name": format!("p{nth}"), "v4": [&address], "probeAt": { &address: at } })
        };
        let zones = json!({
            "format": 1, "version": "one",
            "zones": { HOST: {
                "nameServers": [{ "name": "ns1.example.net" }], "hosts": { HOST: "web" },
            }},
            "pools": { "web": {
                "pops": [pop(1), pop(2)],
                "networks": [
                    { "network": "10.1.0.0/16", "pops": ["p1"] },
                    { "network": "10.2.0.0/16", "pops": ["p2"] },
                ],
                "steering": { "answers": 1 },
                "probe": {},
            }},
        });
        let file = format!("{folder}/{}", space.name);
        std::fs::write(&file, zones.to_string()).unwrap();
        let there = space.clients.there;
        let admin = SocketAddr::new(there.into(), 9_090);
        let mut program = Program::start_in(
            &space.name,
            "geodns",
            &[
                ["--zones", &file],
                ["--listen", &format!("{there}:5353")],
                ["--admin", &admin.to_string()],
                ["--threads", "1"],
                ["--redis", &format!("redis://{here}:{}", redis.port())],
                ["--name", &space.name],
            ]
            .concat(),
        )
        .unwrap();
        Self { at: dns::listening(&mut program).await.unwrap(), admin, program }
    }

    /// The place that clients of a network get.
    async fn place(&self, network: u8) -> u8 {
        let client = Ipv4Addr::new(10, network, 0, 1);
        let answered = dns::ask(self.at, HOST, client, Duration::from_secs(5)).await.unwrap();
        assert!(answered.is_fine && answered.addresses.len() == 1, "{answered:?}");
        let place = [1, 2].into_iter().find(|nth| answered.addresses[0] == address(*nth));
        place.unwrap()
    }

    async fn metrics(&self) -> String {
        let request = Request::get("/metrics").field("host", "admin");
        e2e::client::ask(self.admin, request).await.unwrap().text()
    }

    /// Waits until the metrics have all these lines.
    async fn shows(&mut self, lines: &[&str]) {
        let began = Instant::now();
        loop {
            let text = self.metrics().await;
            let has = |line: &&str| text.lines().any(|one| one == *line);
            if lines.iter().all(has) {
                return;
            }
            let missing: Vec<_> = lines.iter().filter(|line| !has(line)).collect();
            let late = began.elapsed() > Duration::from_secs(30);
            assert!(!late, "{missing:?} not in {text}\n{}", self.program.written());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn standpoint(word: &str) -> String {
    format!("cdn_dns_standpoint{{standpoint=\"{word}\"}} 1")
}

fn state(place: u8, number: u8) -> String {
    let address = address(place);
    format!("cdn_dns_address_state{{address=\"{address}\",pool=\"web\",pop=\"p{place}\"}} {number}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_cut_off_fails_nobody_over_and_the_others_do_not_need_it() {
    tidy();
    if let Some(why) = Space::refused() {
        println!("skipped, network namespaces are not permitted here: {why}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    // Dropped after the programs in them.
    let spaces = [1, 2, 3].map(Space::new);
    let redis = Redis::start_at(&spaces.each_ref().map(|space| space.log.here)).await.unwrap();
    let places = [Place::start().await, Place::start().await];
    let mut replicas = Vec::new();
    for space in &spaces {
        replicas.push(Replica::start(space, &redis, &places, folder).await);
    }
    let (together, holding) = (standpoint("together"), standpoint("holding"));
    for replica in &mut replicas {
        let well = [state(1, 1), state(2, 1)];
        replica.shows(&[&well[0], &well[1], &together, "cdn_dns_observers 2"]).await;
    }

    set(&spaces[2].log, false);
    let cut = Instant::now();
    while cut.elapsed() < Duration::from_secs(8) {
        for replica in &replicas {
            assert_eq!((replica.place(1).await, replica.place(2).await), (1, 2));
        }
        sleep(Duration::from_millis(20)).await;
    }
    let dead = [state(1, 3), state(2, 3)];
    replicas[2].shows(&[&dead[0], &dead[1], &holding, "cdn_dns_observers 0"]).await;
    for replica in &mut replicas[..2] {
        let late = "cdn_dns_ballots_total{result=\"late\"} 1";
        replica.shows(&[&state(1, 1), &together, "cdn_dns_observers 1", late]).await;
    }

    places[0].die();
    let died = Instant::now();
    for replica in &replicas[..2] {
        while replica.place(1).await != 2 {
            assert!(died.elapsed() < Duration::from_secs(5), "still there");
            sleep(Duration::from_millis(10)).await;
        }
    }
    println!("out of the answers of both after {:?}", died.elapsed());
    for _ in 0..50 {
        let both = (replicas[2].place(1).await, replicas[2].place(2).await);
        assert_eq!(both, (1, 2), "its last good view");
        sleep(Duration::from_millis(20)).await;
    }

    set(&spaces[2].log, true);
    replicas[2].shows(&[&together, "cdn_dns_observers 2", &state(1, 3), &state(2, 1)]).await;
    let back = Instant::now();
    while replicas[2].place(1).await != 2 {
        assert!(back.elapsed() < Duration::from_secs(5), "it hears the others");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(replicas[2].place(2).await, 2);
}
