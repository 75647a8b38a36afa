//! Three places of two edges each, two shields, one origin: what the two tiers promise together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use e2e::client::{Answer, Client, HOST, Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::{Setup, TOKEN, World};
use proxy::Node;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

mod borders;
mod changing;
mod collapsing;
mod purging;
mod shown;

/// What edges of a place are to each other.
pub(crate) const MODES: [&str; 2] = ["Independent", "Peer"];

/// Three places of two edges, two servers of a shield.
pub(crate) fn setup(origin: &Origin, mode: &str) -> Setup {
    let pops = ["fra", "iad", "sin"].map(|name| json!({ "name": name, "replicas": 2 }));
    Setup::new(origin)
        .spec(json!({ "pops": pops, "peering": { "mode": mode } }))
        .site(json!({ "collapse": { "timeout": "30s" } }))
        .shield(json!({ "replicas": 2 }))
}

/// How many requests for one thing wait for others at these nodes.
pub(crate) fn waiting<'a>(nodes: impl IntoIterator<Item = &'a Arc<Node>>) -> usize {
    let entries = nodes.into_iter().flat_map(|node| node.cache.entries(None, 100).0);
    entries.map(|entry| entry.waiting).sum()
}

/// A client of each edge, `times` over.
pub(crate) async fn clients(world: &World, times: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..times {
        for edge in world.edges() {
            clients.push(Client::connect(edge).await.unwrap());
        }
    }
    clients
}

/// Gives an order by the API, and waits until it is complete.
pub(crate) async fn order(world: &World, method: &str, path: &str, body: &str) -> Value {
    let request = Request::new(method, path)
        .field("host", HOST)
        .field("authorization", &format!("Bearer {TOKEN}"))
        .body(body.to_owned());
    let answer = ask(world.local.as_ref().unwrap().status, request).await.unwrap();
    answer.expect_status(200);
    let report: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(report["phase"], "Complete", "{report:#}");
    report
}

/// What each edge answers, one after the other.
pub(crate) async fn each(world: &World, path: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for edge in world.edges() {
        answers.push(ask(edge, path).await.unwrap());
    }
    answers
}

/// The sum of a metric over some nodes.
pub(crate) fn sum(nodes: &[Arc<Node>], name: &str) -> f64 {
    let of = |node: &Arc<Node>| -> f64 {
        let text = node.metrics.registry().text();
        let samples = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    nodes.iter().map(of).sum()
}

/// Asks for `path` of `count` paths over and over, on connections that stay open, until it is told to stop.
pub(crate) struct Load {
    asking: JoinSet<usize>,
    over: watch::Sender<bool>,
    asked: Arc<AtomicUsize>,
}

impl Load {
    /// Two clients of each of `edges`. Every answer is `check`ed.
    pub(crate) async fn start(
        edges: &[SocketAddr],
        paths: usize,
        check: impl Fn(&str, &Answer) + Clone + Send + Sync + 'static,
    ) -> Self {
        let over = watch::Sender::new(false);
        let asked = Arc::<AtomicUsize>::default();
        let mut asking = JoinSet::new();
        for (n, edge) in edges.iter().cycle().take(edges.len() * 2).enumerate() {
            let mut client = Client::connect(*edge).await.unwrap();
            let (over, asked, check) = (over.subscribe(), asked.clone(), check.clone());
            asking.spawn(async move {
                let mut count = 0;
                while !*over.borrow() {
                    let path = format!("/{}", (n * 7 + count) % paths);
                    check(&path, &client.ask(path.as_str()).await.unwrap());
                    count += 1;
                    asked.fetch_add(1, Relaxed);
                    // Others share this machine.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                count
            });
        }
        Self { asking, over, asked }
    }

    /// Waits for so many more answers.
    pub(crate) async fn more(&self, count: usize) {
        let enough = self.asked.load(Relaxed) + count;
        let waited = tokio::time::timeout(Duration::from_secs(60), async {
            while self.asked.load(Relaxed) < enough && !self.asking.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        waited.await.expect("the load comes to a halt");
    }

    /// Ends it; how many answers there were. A check that failed fails here.
    pub(crate) async fn stop(self) -> usize {
        self.over.send_replace(true);
        self.asking.join_all().await.into_iter().sum()
    }
}

/// A reply to store for long, with a tag.
pub(crate) fn tagged(body: impl Into<bytes::Bytes>) -> Reply {
    Reply::fresh(600, body).field("surrogate-key", "one")
}
