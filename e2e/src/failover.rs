//! A GeoDNS and the edges of three places as processes: the edges of a place die together and come back, while clients
//! of all places ask all the time.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::client::HOST;
use crate::dns::listening;
use crate::program::{Program, free_ports};

mod figures;
mod load;

pub use figures::Figures;
pub use load::{Load, Wrong};

/// The places: name, latitude, longitude. Those of the nth have the addresses `127.n.0.1` and `127.n.0.2`, counted from
/// one, and their clients are in `10.n.0.0/16`.
pub const PLACES: [(&str, f64, f64); 3] =
    [("fra", 50.1, 8.7), ("iad", 38.9, -77.4), ("syd", -33.9, 151.2)];
/// Edges of a place.
const EDGES: u8 = 2;
/// An answer does not name a place any more when it did not for so long.
const QUIET: Duration = Duration::from_secs(2);
/// How long anything may take at most.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of the time after a return, the share of a place is given for each of these.
pub const BUCKET: Duration = Duration::from_millis(500);

/// Starts a program by its name and arguments.
pub type Start = fn(&str, &[&str]) -> io::Result<Program>;

/// What one death and return of a place came to.
#[derive(Clone, Debug)]
pub struct Round {
    /// From the kill to the last answer with the place.
    pub gone_after: Duration,
    /// From the start of the edges to the first answer with the place.
    pub back_after: Duration,
    /// From then on: of the clients of the place, the share that gets it first, in each [`BUCKET`].
    pub shares: Vec<f64>,
}

/// The processes.
pub struct Scene {
    start: Start,
    folder: PathBuf,
    port: u16,
    edges: Vec<Vec<Program>>,
    /// Where the GeoDNS answers.
    pub dns: SocketAddr,
    geodns: Program,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Scene {
    /// Starts everything and returns once all places are well.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(start: Start) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("failover-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let port = free_ports(1);
        std::fs::write(folder.join("zones.json"), zones(port).to_string())?;
        // Nobody asks for an object.
        let snapshot = json!({
            "format": 1, "version": "failover", "pool": "web",
            "cache": { "memoryBytes": 16 << 20, "maxObjectBytes": 1 << 20 },
            "sites": [{ "name": "web", "hosts": [HOST], "origins": [{ "url": "http://127.0.0.1:9" }] }],
        });
        std::fs::write(folder.join("snapshot.json"), snapshot.to_string())?;
        let mut edges = Vec::new();
        for place in 0..PLACES.len() {
            edges.push(start_place(start, &folder, port, place)?);
        }
        for edge in edges.iter_mut().flatten() {
            edge.line("\"serving\"").await?;
        }
        let zones = folder.join("zones.json").display().to_string();
        // The kernel's choice for UDP may be taken for TCP.
        let listen = format!("127.0.0.1:{}", free_ports(1));
        let mut geodns = start(
            "geodns",
            &["--zones", &zones, "--listen", &listen, "--admin", "127.0.0.1:0", "--threads", "1"],
        )?;
        let dns = listening(&mut geodns).await?;
        for _ in 0..PLACES.len() * usize::from(EDGES) {
            geodns.line("first-success").await?;
        }
        Ok(Self { start, folder, port, edges, dns, geodns })
    }

    /// Kills the edges of a place, waits until no answer names it, starts them again, and waits until all its clients
    /// get it first.
    ///
    /// # Errors
    /// When the one or the other never comes.
    pub async fn round(&mut self, place: usize, load: &Load) -> io::Result<Round> {
        let killed = Instant::now();
        self.edges[place].clear();
        let last = loop {
            sleep(Duration::from_millis(50)).await;
            let last = load.last_with(place).filter(|last| *last >= killed).unwrap_or(killed);
            if last.elapsed() > QUIET {
                break last;
            }
            in_time(killed, "it stays in answers")?;
        };
        let started = Instant::now();
        self.edges[place] = start_place(self.start, &self.folder, self.port, place)?;
        let first = loop {
            sleep(Duration::from_millis(10)).await;
            if let Some(first) = load.first_with(place, started) {
                break first;
            }
            in_time(started, "it does not come back")?;
        };
        let shares = loop {
            sleep(BUCKET / 2).await;
            let shares = load.shares(place, first);
            let full = shares.iter().rev().take_while(|share| **share >= 1.0).count();
            if full >= 3 {
                break shares;
            }
            in_time(started, "it does not get all its clients back")?;
        };
        Ok(Round { gone_after: last - killed, back_after: first - started, shares })
    }

    /// All that the GeoDNS wrote.
    pub fn written(&mut self) -> String {
        self.geodns.written()
    }
}

fn in_time(since: Instant, otherwise: &str) -> io::Result<()> {
    if since.elapsed() < PATIENCE { Ok(()) } else { Err(io::Error::other(otherwise)) }
}

fn address(place: usize, edge: u8) -> Ipv4Addr {
    // There are three places.
    let place = u8::try_from(place + 1).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, place, 0, edge)
}

fn start_place(
    start: Start,
    folder: &std::path::Path,
    port: u16,
    place: usize,
) -> io::Result<Vec<Program>> {
    let config = folder.join("snapshot.json").display().to_string();
    let pop = PLACES[place].0;
    let edge = |edge: u8| {
        let listen = format!("{}:{port}", address(place, edge));
        let name = format!("{pop}-{edge}");
        start(
            "edge",
            &[
                ["--config", &config],
                ["--listen", &listen],
                ["--admin", "127.0.0.1:0"],
                ["--name", &name],
                ["--pop", pop],
                ["--threads", "1"],
            ]
            .concat(),
        )
    };
    (1..=EDGES).map(edge).collect()
}

fn zones(port: u16) -> Value {
    let all = || PLACES.iter().enumerate();
    let spot = |at: &(&str, f64, f64)| json!({ "latitude": at.1, "longitude": at.2 });
    let pop = |(nth, at): (usize, &(&str, f64, f64))| {
        let addresses: Vec<_> = (1..=EDGES).map(|edge| address(nth, edge)).collect();
        json!({ "name": at.0, "v4": addresses, "location": spot(at) })
    };
    let network = |(nth, at): (usize, &(&str, f64, f64))| json!({ "network": format!("10.{}.0.0/16", nth + 1), "location": spot(at) });
    json!({
        "format": 1, "version": "failover",
        "zones": { HOST: {
            "nameServers": [{ "name": "ns1.example.net" }], "hosts": { HOST: "web" },
        }},
        "pools": { "web": {
            "pops": all().map(pop).collect::<Vec<_>>(),
            "networks": all().map(network).collect::<Vec<_>>(),
            "steering": { "answers": 2, "ttl": 30, "ramp": 1 },
            "probe": { "port": port },
        }},
        // The load comes from one address.
        "limits": { "answersPerSecond": 0 },
    })
}
