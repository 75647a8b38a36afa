//! What two edges of a place hold together, alone and as peers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bus::EmbeddedBus;
use e2e::client::{Client, Request};
use e2e::origin::Origin;
use e2e::world::Setup;
use proxy::metrics::ProxyMetrics;
use proxy::{BehindEdge, Config, Follower, Front, Node, Pipeline};
use runtime::metrics::Metrics;
use runtime::{Clock, Drain};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wire::Fleet;
use wire::snapshot::PeeringMode;

use crate::nodes::{self, follow};
use crate::places::Draws;

/// Bytes of a body, and what the store charges besides: fields, key, index.
const LENGTH: u64 = 4_096;
const BESIDES: u64 = 700;
/// One edge holds a part of all objects.
const PART: usize = 6;
const EXPONENT: f64 = 0.9;

/// Which object is asked for next: rank `r` with a probability of 1/r^s.
#[derive(Clone)]
struct Zipf {
    sums: Arc<[f64]>,
    draws: Draws,
}

impl Zipf {
    fn new(objects: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=objects).map(|rank| {
            sum += (rank as f64).powf(-EXPONENT);
            sum
        });
        Self { sums: sums.collect(), draws: Draws::default() }
    }

    fn next(&self) -> usize {
        let unit = self.draws.below(1 << 53) as f64 / (1_u64 << 53) as f64;
        let point = unit * self.sums.last().unwrap();
        self.sums.partition_point(|sum| *sum < point).min(self.sums.len() - 1)
    }
}

/// Who asks whom.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Audience {
    /// Each request comes to either edge as it happens.
    Spread,
    /// Each edge is asked for everything, as by two audiences of one taste at one time.
    Twice,
}

/// Two edges of one place.
pub(crate) struct Place {
    nodes: [Arc<Node>; 2],
    pub(crate) clients: [SocketAddr; 2],
    peers: [SocketAddr; 2],
    pub(crate) fetched: Arc<AtomicUsize>,
    _log: (EmbeddedBus, Vec<Arc<Follower>>),
    _origin: Origin,
}

fn listen(pipeline: Arc<Pipeline<BehindEdge>>, listener: std::net::TcpListener) {
    let node = pipeline.node();
    let (metrics, drain) = (node.metrics.serve.clone(), node.drain.clone());
    tokio::spawn(proxy::serve::serve(listener, Front(pipeline), metrics, drain));
}

impl Place {
    pub(crate) async fn start(mode: PeeringMode, hot_after: u16, objects: usize) -> Self {
        let origin = Origin::start().await.unwrap();
        let fetched = Arc::<AtomicUsize>::default();
        let quick = quick_origin(fetched.clone()).await;
        let setup =
            Setup::new(&origin).site(json!({ "origins": [{ "url": format!("http://{quick}") }] }));
        let mut snapshot = setup.pools().unwrap().remove(0).snapshot;
        snapshot.cache.memory_bytes = memory(objects);
        snapshot.peering.mode = mode;
        snapshot.peering.ramp_ms = 0;
        snapshot.peering.hot_after = hot_after;
        let bind = || proxy::serve::bind((Ipv4Addr::LOCALHOST, 0).into(), false).unwrap();
        let (listeners, for_peers) = ([bind(), bind()], [bind(), bind()]);
        let clients = listeners.each_ref().map(|l| l.local_addr().unwrap());
        let peers = for_peers.each_ref().map(|l| l.local_addr().unwrap());
        let member = |n: usize| {
            let url = format!("http://{}", peers[n]);
            let public = format!("e{n}.{{host}}:{}", clients[n].port());
            json!({ "name": format!("e{n}"), "url": url, "public": public })
        };
        let fleet = json!({
            "format": 1, "version": "one",
            "rings": { "pop/e2e/lab": { "members": [member(0), member(1)] } },
        });
        let fleet: Fleet = serde_json::from_value(fleet).unwrap();
        let log = nodes::log();
        let node = |n: usize| {
            let config = Config::new(snapshot.clone(), &[]).unwrap();
            let metrics = ProxyMetrics::new(&Metrics::default()).unwrap();
            let node = Node::new(&format!("e{n}"), config, Clock::system(), metrics, Drain::new());
            node.stand_in("lab");
            node.set_fleet(fleet.clone()).unwrap();
            tokio::spawn(node.upstreams.clone().watch());
            node
        };
        let nodes = [node(0), node(1)];
        let mut followers = Vec::new();
        for (node, (listener, peers)) in nodes.iter().zip(listeners.into_iter().zip(for_peers)) {
            followers.push(follow(node, Arc::new(log.join()), "edge").await);
            listen(Pipeline::new(node.clone(), BehindEdge::default()), listener);
            listen(Pipeline::for_tiers(node.clone(), BehindEdge::default()), peers);
        }
        Self { nodes, clients, peers, fetched, _log: (log, followers), _origin: origin }
    }

    async fn ask(&self, zipf: &Zipf, audience: Audience, (clients, requests): (usize, usize)) {
        let left = Arc::new(AtomicUsize::new(requests));
        let mut asking = JoinSet::new();
        for _ in 0..clients {
            let (zipf, left, nodes) = (zipf.clone(), left.clone(), self.clients);
            asking.spawn(async move {
                let mut clients = [
                    Client::connect(nodes[0]).await.unwrap(),
                    Client::connect(nodes[1]).await.unwrap(),
                ];
                while left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                    let (object, either) = (zipf.next(), zipf.draws.below(2) as usize);
                    for (n, client) in clients.iter_mut().enumerate() {
                        if audience == Audience::Spread && n != either {
                            continue;
                        }
                        let answer = client.ask(Request::get(&format!("/{object}"))).await.unwrap();
                        let told = (answer.status, answer.body.len() as u64);
                        assert_eq!(told, (200, LENGTH), "{answer:?}");
                    }
                }
            });
        }
        asking.join_all().await;
    }

    /// What each has stored.
    async fn holds(&self, objects: usize) -> [Vec<bool>; 2] {
        let mut both = [Vec::new(), Vec::new()];
        for (peer, holds) in self.peers.iter().zip(&mut both) {
            let mut client = Client::connect(*peer).await.unwrap();
            for object in 0..objects {
                let request = Request::get(&format!("/{object}")).field("x-cdn-if-held", "?1");
                holds.push(client.ask(request).await.unwrap().status == 200);
            }
        }
        both
    }
}

/// Answers everything with a body of `LENGTH`, and counts.
async fn quick_origin(fetched: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, fetched.clone()));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, fetched: Arc<AtomicUsize>) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncache-control: max-age=3600\r\ncontent-length: {LENGTH}\r\n\r\n"
    );
    let mut reply = head.into_bytes();
    reply.resize(reply.len() + LENGTH as usize, b'x');
    let (mut piece, mut so_far) = ([0; 4096], Vec::new());
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        so_far.extend_from_slice(&piece[..read]);
        if so_far.ends_with(b"\r\n\r\n") {
            so_far.clear();
            fetched.fetch_add(1, SeqCst);
            stream.write_all(&reply).await?;
        }
    }
}

fn memory(objects: usize) -> u64 {
    (objects / PART) as u64 * (LENGTH + BESIDES)
}

/// What a place came to.
struct Outcome {
    unique: usize,
    copies: usize,
    /// Percent of the requests that went no further than the place.
    served: f64,
}

async fn run(
    mode: PeeringMode,
    hot_after: u16,
    audience: Audience,
    (objects, clients): (usize, usize),
) -> Outcome {
    let place = Place::start(mode, hot_after, objects).await;
    let zipf = Zipf::new(objects);
    let requests = 4 * objects;
    place.ask(&zipf, audience, (clients, requests)).await;
    let cold = place.fetched.load(SeqCst);
    place.ask(&zipf, audience, (clients, requests)).await;
    let fetched = place.fetched.load(SeqCst) - cold;
    let [first, second] = place.holds(objects).await;
    let count = |holds: fn(bool, bool) -> bool| {
        first.iter().zip(&second).filter(|(a, b)| holds(**a, **b)).count()
    };
    let bytes: Vec<u64> = place.nodes.iter().map(|node| node.cache.stats().bytes).collect();
    assert!(bytes.iter().all(|bytes| *bytes <= memory(objects)), "{bytes:?}");
    let asked = requests * if audience == Audience::Twice { 2 } else { 1 };
    Outcome {
        unique: count(|a, b| a || b),
        copies: count(|a, b| a && b),
        served: 100.0 * (1.0 - fetched as f64 / asked as f64),
    }
}

/// Runs and prints all of it; how many times as much peers hold, for each audience.
#[expect(clippy::print_stdout, reason = "whoever runs it wants the table")]
async fn compare(objects: usize, clients: usize, hot_after: &[u16]) -> [f64; 2] {
    use Audience::{Spread, Twice};
    println!("{objects} objects, Zipf {EXPONENT}; one edge holds about {}", objects / PART);
    println!(
        "| audience | mode | objects in the place | of these in both | served without the origin |"
    );
    println!("|---|---|---|---|---|");
    let print = |audience, mode: &str, Outcome { unique, copies, served }: &Outcome| {
        println!("| {audience:?} | {mode} | {unique} | {copies} | {served:.1} % |");
    };
    let mut gains = [0.0; 2];
    for (audience, gain) in [Spread, Twice].into_iter().zip(&mut gains) {
        // How alike two that do not know each other become is a matter of chance.
        let mut alone = Vec::new();
        for _ in 0..3 {
            alone.push(run(PeeringMode::Independent, 1, audience, (objects, clients)).await);
        }
        alone.sort_by_key(|alone| alone.unique);
        let alone = alone.swap_remove(1);
        print(audience, "independent", &alone);
        for hot_after in hot_after {
            let peers = run(PeeringMode::Peer, *hot_after, audience, (objects, clients)).await;
            print(audience, &format!("peer, hotAfter {hot_after}"), &peers);
            assert!(peers.served > alone.served + 3.0, "{} {}", peers.served, alone.served);
            assert!(peers.copies * 10 < peers.unique, "{} {}", peers.copies, peers.unique);
            *gain = peers.unique as f64 / alone.unique as f64;
        }
    }
    println!("peers hold {gains:.2?} times as many");
    gains
}

/// Each holds what the other does not. How much more that is depends on how alike two that do not know each
/// other become: all the more, the more alike what they are asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_hold_what_each_alone_would_hold_twice() {
    // Several clients at once would ask one edge in another order than the other.
    let [spread, twice] = compare(420, 1, &[wire::snapshot::Peering::default().hot_after]).await;
    assert!(spread >= 1.2, "{spread}");
    assert!(twice >= 1.75, "{twice}");
}

/// The same at a size whose numbers are worth writing down: docs/benchmarks-peers.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; make bench-peers"]
async fn bench() {
    let usual = wire::snapshot::Peering::default().hot_after;
    let [spread, twice] = compare(3_000, 8, &[u16::MAX, 5, usual]).await;
    assert!(spread >= 1.3, "{spread}");
    assert!(twice >= 1.8, "{twice}");
}
