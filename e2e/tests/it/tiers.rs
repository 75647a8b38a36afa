//! Positions between tiers: what makes one purge enough where two caches stand behind each other (I8).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use bus::embedded::EmbeddedLimits;
use bus::{Bus, EmbeddedBus};
use e2e::client::{Request, ask};
use e2e::origin::{Origin, Reply};
use e2e::world::Setup;
use proxy::metrics::ProxyMetrics;
use proxy::{Backend, Config, Follower, Front, Node, Origins, Pipeline};
use runtime::metrics::Metrics;
use runtime::{Clock, Drain, Readiness};
use serde_json::json;
use wire::Invalidation;
use wire::invalidation::{FORMAT, How, Target};

/// Everything goes to one shield.
struct ToShield {
    origins: Origins,
    shield: SocketAddr,
}

impl Backend for ToShield {
    async fn fetch(
        &self,
        site: &wire::snapshot::Site,
        head: http::request::Parts,
        body: upstream::RequestBody,
    ) -> Result<http::Response<upstream::Body>, upstream::FetchError> {
        let mut site = site.clone();
        for origin in &mut site.origins {
            origin.url = format!("http://{}", self.shield);
        }
        self.origins.fetch(&site, head, body).await
    }

    fn is_tier(&self) -> bool {
        true
    }
}

/// One edge, one shield, an origin whose version counts up, and the log between them.
struct Tiers {
    origin: Origin,
    version: Arc<AtomicU32>,
    edge: Arc<Node>,
    shield: Arc<Node>,
    address: SocketAddr,
    log: EmbeddedBus,
    shields_line: EmbeddedBus,
    orders: AtomicU32,
}

impl Tiers {
    async fn start() -> Self {
        let origin = Origin::start().await.unwrap();
        let version = Arc::new(AtomicU32::new(1));
        let now = version.clone();
        origin.on("*", move |asked| {
            let text = format!("v{}", now.load(SeqCst));
            Reply::validated(asked, &format!("\"{text}\""), text.clone())
                .field("cache-control", "max-age=60")
                .field("surrogate-key", "one")
                .field("x-cdn-seq", "forged/9-9")
        });
        let clock = Clock::system();
        let log = EmbeddedBus::new(EmbeddedLimits::default(), clock.clone());
        let shields_line = log.join();
        let node = |name, tiers| {
            let setup = Setup::new(&origin).site(json!({ "debugHeaders": "OnRequest" }));
            let config = Config::new(setup.pools().unwrap().remove(0).snapshot, &[]).unwrap();
            let metrics = ProxyMetrics::new(&Metrics::default()).unwrap();
            let new = if tiers { Node::for_tiers } else { Node::new };
            new(name, config, clock.clone(), metrics, Drain::new())
        };
        let (edge, shield) = (node("edge-0", false), node("shield-0", true));
        let at_shield = serve(shield.clone(), Origins::default());
        let backend = ToShield { origins: Origins::default(), shield: at_shield };
        let address = serve(edge.clone(), backend);
        follow(&edge, log.join(), "edge").await;
        follow(&shield, shields_line.clone(), "shield").await;
        let orders = AtomicU32::new(0);
        Self { origin, version, edge, shield, address, log, shields_line, orders }
    }

    /// The version that a client is given, and what the edge says of it.
    async fn get(&self) -> (String, String) {
        let request = Request::get("/a").field("x-cdn-debug", "1");
        let answer = ask(self.address, request).await.unwrap();
        answer.expect_status(200).expect_no("x-cdn-seq");
        (answer.text(), answer.field("x-cache").to_owned())
    }

    async fn stored(&self) {
        self.get().await;
        while self.get().await.1 != "HIT" {}
    }

    /// The origin changes, and then somebody says so.
    async fn change(&self, how: How) {
        self.version.fetch_add(1, SeqCst);
        let number = self.orders.fetch_add(1, SeqCst);
        let order = Invalidation {
            format: FORMAT,
            id: format!("o{number}"),
            target: Target::Tags(vec!["one".into()]),
            how,
            dry_run: false,
            issued_ms: 0,
        };
        let at = self.log.publish(&order).await.unwrap().seq;
        while self.edge.cache.applied() < at {
            tokio::task::yield_now().await;
        }
    }
}

fn serve<B: Backend>(node: Arc<Node>, backend: B) -> SocketAddr {
    let listener = proxy::serve::bind((Ipv4Addr::LOCALHOST, 0).into(), false).unwrap();
    let address = listener.local_addr().unwrap();
    let (metrics, drain) = (node.metrics.serve.clone(), node.drain.clone());
    let front = Front(Pipeline::new(node, backend));
    tokio::spawn(proxy::serve::serve(listener, front, metrics, drain));
    address
}

async fn follow(node: &Arc<Node>, line: EmbeddedBus, role: &'static str) {
    let follower = Follower::new(node.clone(), Arc::new(line), role);
    tokio::spawn(follower.clone().run(Readiness::default().gate("log")));
    follower.caught_up().await;
}

#[tokio::test]
async fn one_purge_is_enough_for_both_tiers() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    for version in 2..12 {
        tiers.change(How::Hard).await;
        // The shield may or may not have heard of it by now: it is asked for what is newer.
        assert_eq!(tiers.get().await.0, format!("v{version}"));
        assert_eq!(tiers.get().await.0, format!("v{version}"));
    }
    assert_eq!(tiers.origin.count("/a"), 11);
}

#[tokio::test]
async fn a_shield_that_is_behind_goes_past_its_store() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    tiers.shields_line.faults().cut();
    tiers.change(How::Hard).await;
    assert_eq!(tiers.get().await, ("v2".into(), "MISS".into()));
    // The edge may keep it: the origin was asked after the order.
    assert_eq!(tiers.get().await, ("v2".into(), "HIT".into()));
    assert_eq!(tiers.shield.cache.stats().objects, 1);
    tiers.shields_line.faults().heal();
    tiers.change(How::Hard).await;
    assert_eq!(tiers.get().await.0, "v3");
}

#[tokio::test]
async fn what_is_stale_by_a_soft_order_is_validated_before_an_edge_gets_it() {
    let tiers = Tiers::start().await;
    tiers.stored().await;
    tiers.change(How::Soft).await;
    assert_eq!(tiers.get().await, ("v1".into(), "STALE".into()));
    for _ in 0..500 {
        let (version, word) = tiers.get().await;
        if word == "HIT" {
            assert_eq!(version, "v2");
            return;
        }
        assert_eq!((version.as_str(), word.as_str()), ("v1", "STALE"));
    }
    panic!("it is never refreshed");
}

#[tokio::test]
async fn the_position_crosses_no_border() {
    let tiers = Tiers::start().await;
    let request = Request::get("/a").field("x-cdn-seq", "forged/9-9");
    let answer = ask(tiers.address, request).await.unwrap();
    answer.expect_status(200).expect_no("x-cdn-seq").expect_no("surrogate-key");
    assert_eq!(tiers.origin.last("/a").fields.get("x-cdn-seq"), None);
    // Tags do cross between tiers: without them the edge could not be purged.
    tiers.change(How::Hard).await;
    assert_eq!(tiers.get().await.0, "v2");
}
