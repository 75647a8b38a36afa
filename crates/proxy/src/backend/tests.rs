//! What each backend asks, of whom, and what it says: tiers are sockets, what lies beyond is written down.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use runtime::metrics::Metrics;
use runtime::{Clock, Drain};
use serde_json::json;
use wire::fleet::{Fleet, Member};

use super::*;
use crate::config::Config;
use crate::metrics::ProxyMetrics;
use tier::Tier;

mod inherited;
mod peers;
mod shields;
mod tier;

const RING: &str = "pop/p/fra";
const SHIELDS: &str = "shield/main";

/// What reached whoever is behind a backend: method, fields, body.
type Reached = (Method, HeaderMap, String);

/// Writes down what reaches it, and answers nobody.
#[derive(Clone, Default)]
struct Beyond(Arc<Mutex<Vec<Reached>>>);

impl Backend for Beyond {
    async fn fetch(
        &self,
        _: &Ask<'_>,
        head: Parts,
        body: RequestBody,
    ) -> Result<Reply, FetchError> {
        let body = body.collect().await.map_or_else(|e| e.to_string().into(), |b| b.to_bytes());
        let body = String::from_utf8_lossy(&body).into_owned();
        self.0.lock().push((head.method, head.headers, body));
        Err(FetchError::TotalTimeout)
    }
}

/// A node, and what lies beyond its tiers.
struct World {
    node: Arc<Node>,
    clock: Clock,
    beyond: Beyond,
    /// The members of `RING`, and of `SHIELDS`.
    rings: BTreeMap<String, wire::fleet::Ring>,
}

impl World {
    /// A node called `here` whose ring, if it is on one, has `peering`.
    fn new(peering: serde_json::Value) -> Self {
        let snapshot = json!({
            "format": 1, "version": "v", "pool": "p", "peering": peering,
            "sites": [{
                "name": "www", "hosts": ["www.example.com"], "shield": SHIELDS,
                "origins": [{ "url": "http://127.0.0.1:1" }],
            }],
        });
        let config = Config::new(serde_json::from_value(snapshot).unwrap(), &[]).unwrap();
        let clock = Clock::manual(1_000_000);
        let metrics = ProxyMetrics::new(&Metrics::default()).unwrap();
        let node = Node::new("here", config, clock.clone(), metrics, Drain::new());
        node.stand_in("fra");
        Self { node, clock, beyond: Beyond::default(), rings: BTreeMap::new() }
    }

    /// Takes over a fleet in which `ring` has these members too.
    fn join(&mut self, ring: &str, members: &[(&str, &str)]) {
        let ring = self.rings.entry(ring.to_owned()).or_default();
        ring.members.extend(members.iter().map(|(name, url)| Member {
            name: (*name).to_owned(),
            url: (*url).to_owned(),
            weight: 100,
            pop: None,
            public: None,
        }));
        let rings = self.rings.clone();
        self.node.set_fleet(Fleet { format: 1, version: "v".into(), rings }).unwrap();
    }

    /// A key of `owner`, whose next is `then`.
    fn key(&self, ring: &str, owner: &str, then: &str) -> u64 {
        let rings = self.node.rings();
        let hash = &rings.get(ring).unwrap().hash;
        let names = |key| hash.successors(key).map(|m| hash.members()[m].name.as_str()).take(2);
        let mut keys = (0..10_000u32).map(|n| upstream::ring::hash_key(&n.to_le_bytes()));
        keys.find(|key| names(*key).eq([owner, then])).unwrap()
    }

    async fn fetch<B: Backend>(
        &self,
        backend: &B,
        key: u64,
        asked: Asked,
    ) -> Result<Reply, FetchError> {
        let config = self.node.config();
        let (site, _) = config.site("www.example.com").unwrap();
        let ask = Ask {
            node: &self.node,
            site,
            key_hash: key,
            flow: 0,
            least: Some("log/7-0".parse().unwrap()),
            across: !asked.below,
            past_stores: asked.method != Method::GET || !asked.body.is_empty(),
        };
        let request = Request::builder().method(asked.method).uri("/a");
        let request = request.header("host", "www.example.com").body(()).unwrap();
        let body = match asked.body {
            "" => upstream::empty_body(),
            body => upstream::stream_body(http_body_util::Full::<bytes::Bytes>::from(body)),
        };
        backend.fetch(&ask, request.into_parts().0, body).await
    }

    /// What reached whoever is beyond since the last look.
    fn reached(&self) -> Vec<Reached> {
        std::mem::take(&mut *self.beyond.0.lock())
    }

    /// The same, with the words of tiers: nobody beyond may be told any.
    #[track_caller]
    fn one_beyond(&self) -> (Method, String) {
        let mut reached = self.reached();
        assert_eq!(reached.len(), 1, "{reached:?}");
        let (method, headers, body) = reached.remove(0);
        assert!(!headers.contains_key("x-cdn-seq") && !headers.contains_key("x-cdn-if-held"));
        (method, body)
    }
}

/// A request.
#[derive(Clone)]
struct Asked {
    method: Method,
    body: &'static str,
    below: bool,
}

const GET: Asked = Asked { method: Method::GET, body: "", below: false };
const BELOW: Asked = Asked { method: Method::GET, body: "", below: true };
const POST: Asked = Asked { method: Method::POST, body: "said", below: false };

/// The status of a tier's answer, and whether it is to be kept here.
#[track_caller]
fn answered(reply: Result<Reply, FetchError>) -> (u16, bool) {
    let Reply { response, source } = reply.map_err(|e| e.to_string()).unwrap();
    let keep = match source {
        Source::Origin => panic!("an origin's"),
        Source::Peer { keep } => keep,
        Source::Shield | Source::PreviousOwner => true,
    };
    (response.status().as_u16(), keep)
}

#[test]
fn only_what_is_harmless_is_sent_again() {
    let head = |method| Request::builder().method(method).body(()).unwrap().into_parts().0;
    let empty = || Outgoing::new(upstream::empty_body());
    let connect = FetchError::ConnectTimeout { origin: "t".into() };
    let broken = FetchError::Exchange { origin: "t".into(), cause: "c".into() };
    let late = FetchError::FirstByteTimeout { origin: "t".into() };
    assert!(may_be_sent_again(&connect, &head(Method::POST), &empty()));
    assert!(may_be_sent_again(&broken, &head(Method::GET), &empty()));
    assert!(!may_be_sent_again(&broken, &head(Method::POST), &empty()));
    assert!(!may_be_sent_again(&late, &head(Method::GET), &empty()));
    assert!(!may_be_sent_again(&FetchError::TotalTimeout, &head(Method::GET), &empty()));
}
