//! Edges and shields as processes of one network: one log, one fleet document, an origin that counts.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use e2e::client::{Answer, Client, Request, ask};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply};
use e2e::program::Program;
use e2e::redis::Redis;
use e2e::world::Setup;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wire::Snapshot;
use wire::snapshot::Tier;

/// The network's nodes; those called `e…` are edges of one place, those called `s…` a shield's.
pub(crate) struct Network {
    pub(crate) origin: Counting,
    folder: tempfile::TempDir,
    redis: Redis,
    /// The first three bytes of its addresses, and the first of three ports.
    block: ([u8; 3], u16),
    names: Vec<&'static str>,
    running: Vec<Option<Program>>,
}

impl Network {
    /// Starts `edges` and `shields`; what they run on is `change`d first.
    pub(crate) async fn start(
        edges: &[&'static str],
        shields: &[&'static str],
        origin: Counting,
        change: impl Fn(&mut Snapshot),
    ) -> Self {
        let names: Vec<_> = shields.iter().chain(edges).copied().collect();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(&origin.origin);
        for tier in [Tier::Edge, Tier::Shield] {
            let mut snapshot = setup.pools().unwrap()[0].snapshot.clone();
            snapshot.tier = tier;
            change(&mut snapshot);
            if tier == Tier::Shield {
                snapshot.sites[0].shield = None;
            }
            let text = serde_json::to_string_pretty(&snapshot).unwrap();
            fs::write(folder.path().join(tier.as_str()), text).unwrap();
        }
        let redis = Redis::start().await.unwrap();
        let running = names.iter().map(|_| None).collect();
        let mut network = Self { origin, folder, redis, block: block(), names, running };
        network.write_fleet(edges, shields);
        for name in network.names.clone() {
            network.revive(name).await;
        }
        network
    }

    fn write_fleet(&self, edges: &[&str], shields: &[&str]) {
        let members = |names: &[&str], nth: u16| -> Vec<_> {
            let url = |name: &str| format!("http://{}", self.port(name, nth));
            names.iter().map(|name| json!({ "name": name, "url": url(name) })).collect()
        };
        let fleet = json!({
            "format": 1, "version": "one",
            "rings": {
                "pop/e2e/lab": { "members": members(edges, 1) },
                "shield/e2e": { "members": members(shields, 0) },
            },
        });
        fs::write(self.path("fleet"), fleet.to_string()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The ports of a node: for clients or tiers, for peers, for its admin.
    fn port(&self, name: &str, nth: u16) -> SocketAddr {
        let ([a, b, c], port) = self.block;
        ([a, b, c, u8::try_from(1 + self.place(name)).unwrap()], port + nth).into()
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|known| *known == name).unwrap()
    }

    /// Where clients, or tiers, reach it.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.port(name, 0)
    }

    /// Starts a node that is not there, and waits until it serves.
    pub(crate) async fn revive(&mut self, name: &'static str) {
        let [main, peers, admin] = [0, 1, 2].map(|nth| self.port(name, nth).to_string());
        let (tier, place): (_, &[_]) = match name.starts_with('e') {
            true => ("edge", &["--pop", "lab", "--peer-listen", &peers]),
            false => ("shield", &[]),
        };
        let [config, fleet] = [tier, "fleet"].map(|name| self.path(name).display().to_string());
        let log = self.redis.url();
        let mut arguments = vec!["--name", name, "--threads", "1", "--config", &config];
        arguments.extend(["--fleet", &fleet, "--listen", &main, "--admin", &admin]);
        arguments.extend(["--log", &log]);
        arguments.extend(place);
        let mut program = Program::start(tier, &arguments).unwrap();
        program.line("\"serving\"").await.unwrap();
        let place = self.place(name);
        self.running[place] = Some(program);
        for _ in 0..1000 {
            let ready = ask(self.port(name, 2), "/readyz").await;
            if ready.is_ok_and(|answer| answer.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{name} is never ready");
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self, name: &str) {
        let place = self.place(name);
        assert!(self.running[place].take().is_some());
    }

    pub(crate) fn program(&self, name: &str) -> &Program {
        self.running[self.place(name)].as_ref().unwrap()
    }

    /// The sum of a metric of a node.
    pub(crate) async fn metric(&self, node: &str, name: &str) -> u64 {
        let text = ask(self.port(node, 2), "/metrics").await.unwrap().text();
        let lines = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}

/// Loopback addresses of this process alone, and a port on them for each network: connections go out from
/// other ones, so that none is in the way.
fn block() -> ([u8; 3], u16) {
    static NETWORKS: AtomicU16 = AtomicU16::new(0);
    let process = std::process::id().to_le_bytes();
    let network = NETWORKS.fetch_add(1, SeqCst);
    ([127, 64 | (process[1] & 63), process[0]], 18_100 + 3 * network)
}

/// An origin that takes its time and counts who asks, all paths together.
pub(crate) struct Counting {
    pub(crate) origin: Origin,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    asked: AtomicUsize,
    /// Not by way of a shield.
    direct: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Counting {
    /// Answers with `length` bytes after `delay`; a path's answer says the path.
    pub(crate) async fn start(delay: Duration, length: usize) -> Self {
        let origin = Origin::start().await.unwrap();
        let counts = Arc::<Counts>::default();
        let count = counts.clone();
        origin.on("*", move |asked| {
            count.asked.fetch_add(1, SeqCst);
            let by = asked.fields.get("cdn-loop").unwrap_or_default();
            let direct = usize::from(!by.contains("shield"));
            count.direct.fetch_add(direct, SeqCst);
            let most = count.now.fetch_add(direct, SeqCst) + direct;
            count.most.fetch_max(most, SeqCst);
            let (gate, count) = (Gate::closed(), count.clone());
            let opened = gate.clone();
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                count.now.fetch_sub(direct, SeqCst);
                opened.open();
            });
            Reply::fresh(600, body(&asked.target, length)).after(&gate)
        });
        Self { origin, counts }
    }

    pub(crate) fn asked(&self) -> usize {
        self.counts.asked.load(SeqCst)
    }

    pub(crate) fn direct(&self) -> usize {
        self.counts.direct.load(SeqCst)
    }

    /// The most of them that were under way at once.
    pub(crate) fn most_direct(&self) -> usize {
        self.counts.most.load(SeqCst)
    }
}

/// What the origin answers for `path`.
pub(crate) fn body(path: &str, length: usize) -> Vec<u8> {
    path.bytes().chain([b' ']).cycle().take(length).collect()
}

/// One request of a load.
#[derive(Debug)]
pub(crate) struct Shot {
    pub(crate) path: String,
    /// When it was sent, since the load began.
    pub(crate) at: Duration,
    pub(crate) took: Duration,
    pub(crate) result: io::Result<Answer>,
}

impl Shot {
    /// Answered whole with what the origin has.
    pub(crate) fn is_good(&self, length: usize) -> bool {
        let good = |a: &Answer| a.status == 200 && !a.cut && a.body == body(&self.path, length);
        self.result.as_ref().is_ok_and(good)
    }
}

/// Clients that ask one node after another for what `paths` says, until it says nothing.
pub(crate) struct Load {
    begun: Instant,
    clients: JoinSet<Vec<Shot>>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), clients: JoinSet::new() }
    }

    /// `count` more of them at `node`. One whose connection breaks comes again, 20 ms later.
    pub(crate) fn add(
        &mut self,
        count: usize,
        node: SocketAddr,
        paths: impl Fn() -> Option<String> + Clone + Send + 'static,
    ) {
        for _ in 0..count {
            let (begun, paths) = (self.begun, paths.clone());
            self.clients.spawn(async move {
                let (mut shots, mut client) = (Vec::new(), None);
                while let Some(path) = paths() {
                    let sent = Instant::now();
                    let result = one(&mut client, node, &path).await;
                    if result.is_err() {
                        client = None;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    let (at, took) = (sent - begun, sent.elapsed());
                    shots.push(Shot { path, at, took, result });
                }
                shots
            });
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Everything that was asked, once all clients are through.
    pub(crate) async fn end(self) -> Vec<Shot> {
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}

async fn one(client: &mut Option<Client>, node: SocketAddr, path: &str) -> io::Result<Answer> {
    let connected = match client {
        Some(connected) => connected,
        None => client.insert(Client::connect(node).await?),
    };
    let answer = connected.ask(Request::get(path)).await?;
    if answer.cut || answer.field("connection") == "close" {
        *client = None;
    }
    Ok(answer)
}

/// Numbers as if drawn at random, the same in every run.
#[derive(Clone, Default)]
pub(crate) struct Draws(Arc<AtomicU64>);

impl Draws {
    /// The next, below `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        let mut x = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, SeqCst);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }
}

/// The value that so many percent do not exceed.
pub(crate) fn percentile(mut values: Vec<Duration>, percent: usize) -> Duration {
    values.sort();
    let last = values.len().saturating_sub(1);
    values.get(last * percent / 100).copied().unwrap_or_default()
}
