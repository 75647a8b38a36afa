//! Single nodes with a log between them, for what the whole pool does too fast to look at.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use bus::completion::Judgement;
use bus::embedded::EmbeddedLimits;
use bus::{Bus, EmbeddedBus};
use e2e::client::{Answer, Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::Setup;
use proxy::metrics::ProxyMetrics;
use proxy::{Ask, Backend, Config, Follower, Front, Node, Origins, Pipeline, Source};
use runtime::metrics::Metrics;
use runtime::{Clock, Drain, Readiness};
use serde_json::{Value, json};
use upstream::{Clients, Policy, Targets};
use wire::Invalidation;
use wire::invalidation::{FORMAT, How, LogPosition, Target};
use wire::snapshot::{Breaker, OriginLimits, Retries, Timeouts};

/// Everything goes to one shield.
pub(crate) struct ToShield {
    clients: Clients,
    policy: Policy,
    shield: Arc<upstream::Target>,
}

impl Backend for ToShield {
    async fn fetch(
        &self,
        ask: &Ask<'_>,
        mut head: http::request::Parts,
        body: upstream::RequestBody,
    ) -> Result<proxy::Reply, upstream::FetchError> {
        if let Some(least) = &ask.least {
            head.headers.insert("x-cdn-seq", least.to_string().parse().unwrap());
        }
        let order = std::slice::from_ref(&self.shield);
        let answer =
            upstream::fetch(&self.clients, &self.policy, ask.flow, order, head, body).await?;
        Ok(proxy::Reply { response: answer.response, source: Source::Shield })
    }
}

/// Sends everything to a shield, which is served from here on.
pub(crate) fn to_shield(shield: &Arc<Node>) -> ToShield {
    let shield = listen(Pipeline::for_tiers(shield.clone(), Origins::default()));
    to_tier(&format!("http://{shield}"))
}

/// Sends everything to what it takes for a tier at `url`.
pub(crate) fn to_tier(url: &str) -> ToShield {
    let shield = wire::snapshot::Origin::at(url);
    let timeouts = Timeouts::default();
    let (limits, breaker) = (OriginLimits::default(), Breaker::default());
    let settings = upstream::origin_settings(&shield, &limits, &breaker, &timeouts).unwrap();
    ToShield {
        clients: Clients::default(),
        policy: Policy::new(&timeouts, &Retries { attempts: 1, ..Retries::default() }),
        shield: Targets::new().target(&settings).unwrap(),
    }
}

/// What a node is to do, with these fields of the pool and of its site.
pub(crate) fn config(origin: &Origin, pool: Value, site: Value) -> Config {
    Config::new(snapshot(origin, pool, site), &[]).unwrap()
}

fn snapshot(origin: &Origin, pool: Value, site: Value) -> wire::Snapshot {
    let setup = Setup::new(origin).site(json!({ "debugHeaders": "OnRequest" })).site(site);
    setup.spec(pool).pools().unwrap().remove(0).snapshot
}

fn metrics() -> ProxyMetrics {
    ProxyMetrics::new(&Metrics::default()).unwrap()
}

/// An edge.
pub(crate) fn node(origin: &Origin, pool: Value) -> Arc<Node> {
    let config = config(origin, pool, json!({}));
    Node::new("edge-0", config, Clock::system(), metrics(), Drain::new())
}

/// A node that other tiers ask.
pub(crate) fn shield(origin: &Origin) -> Arc<Node> {
    let mut snapshot = snapshot(origin, json!({}), json!({}));
    snapshot.tier = wire::snapshot::Tier::Shield;
    let config = Config::new(snapshot, &[]).unwrap();
    Node::new("shield-0", config, Clock::system(), metrics(), Drain::new())
}

/// Answers clients on a port of its own from here on.
pub(crate) fn serve<B: Backend>(node: Arc<Node>, backend: B) -> SocketAddr {
    listen(Pipeline::new(node, backend))
}

/// The same for other tiers.
pub(crate) fn serve_tiers<B: Backend>(node: Arc<Node>, backend: B) -> SocketAddr {
    listen(Pipeline::for_tiers(node, backend))
}

fn listen<B: Backend>(pipeline: Arc<Pipeline<B>>) -> SocketAddr {
    let listener = proxy::serve::bind((Ipv4Addr::LOCALHOST, 0).into(), false).unwrap();
    let address = listener.local_addr().unwrap();
    let node = pipeline.node();
    let (metrics, drain) = (node.metrics.serve.clone(), node.drain.clone());
    tokio::spawn(proxy::serve::serve(listener, Front(pipeline), metrics, drain));
    address
}

/// Follows the log, and has caught up.
pub(crate) async fn follow(
    node: &Arc<Node>,
    line: Arc<dyn Bus>,
    role: &'static str,
) -> Arc<Follower> {
    let follower = Follower::new(node.clone(), line, role);
    tokio::spawn(follower.clone().run(Readiness::default().gate("log")));
    follower.caught_up().await;
    follower
}

pub(crate) fn log() -> EmbeddedBus {
    EmbeddedBus::new(EmbeddedLimits::default(), Clock::system())
}

pub(crate) fn order(id: &str, target: Target, how: How) -> Invalidation {
    Invalidation { format: FORMAT, id: id.into(), target, how, dry_run: false, issued_ms: 0 }
}

/// What everything of `versions` has.
pub(crate) fn tag() -> Target {
    Target::Tags(vec!["one".into()])
}

/// The origin answers with the version that it has at the time, `v1` at first.
pub(crate) fn versions(origin: &Origin) -> Arc<AtomicU32> {
    let version = Arc::new(AtomicU32::new(1));
    let now = version.clone();
    origin.on("*", move |asked| {
        let text = format!("v{}", now.load(SeqCst));
        Reply::validated(asked, &format!("\"{text}\""), text.clone())
            .field("cache-control", "max-age=60")
            .field("surrogate-key", "one")
            .field("x-cdn-seq", "forged/9-9")
    });
    version
}

/// Asks with debug fields.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, Request::get(path).field("x-cdn-debug", "1")).await.unwrap()
}

/// Asks until it is stored.
pub(crate) async fn store(node: &Node, address: SocketAddr, path: &str) {
    get(address, path).await;
    until("it is stored", || node.cache.stats().flights == 0).await;
    get(address, path).await.expect(200, "HIT");
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("not in time: {what}");
}

/// Waits until who gave the order is told that it is done everywhere.
pub(crate) async fn complete(log: &EmbeddedBus, at: &LogPosition) {
    for _ in 0..500 {
        let acks = log.acks(std::slice::from_ref(at)).await.unwrap();
        let members = log.members().await.unwrap();
        if bus::completion::judge(at, &members, &acks[0]).judgement == Judgement::Complete {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the order is never complete");
}
