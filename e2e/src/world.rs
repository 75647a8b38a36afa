//! A running CDN for a test: an EdgePool as a user writes it, on free ports, with a clock of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use local::Ports;
use proxy::metrics::ProxyMetrics;
use proxy::{Config, Node};
use runtime::metrics::Metrics;
use runtime::token::Token;
use runtime::{Clock, Drain};
use serde_json::{Map, Value, json};
use translate::{Source, TranslatedPool, translate_all};

use crate::client::{Answer, Client, HOST, Request, ask};
use crate::origin::Origin;

/// When the manual clocks of tests start: Friday, 15 January 2027, 08:00 UTC.
const START: i64 = 1_800_000_000_000;
/// The admin token of every world.
pub const TOKEN: &str = "the-admin-token";

/// An EdgePool with one site, one place and one edge, unless a test says otherwise.
#[derive(Clone, Debug)]
pub struct Setup {
    spec: Value,
    clock: Option<Clock>,
}

impl Setup {
    /// In front of `origin`; shows what it does to everybody.
    pub fn new(origin: &Origin) -> Self {
        let spec = json!({
            "pops": [{ "name": "lab" }],
            "sites": [{
                "hosts": [HOST],
                "origins": [{ "url": origin.url() }],
                "debugHeaders": "Always",
            }],
        });
        Self { spec, clock: None }
    }

    /// Sets fields of the site; an object is merged into what is there.
    #[must_use]
    pub fn site(mut self, fields: Value) -> Self {
        merge(&mut self.spec["sites"][0], fields);
        self
    }

    /// Sets fields of `spec.limits`.
    #[must_use]
    pub fn limits(mut self, fields: Value) -> Self {
        merge(&mut self.spec, json!({ "limits": fields }));
        self
    }

    /// Sets fields of `spec.cache`.
    #[must_use]
    pub fn cache(mut self, fields: Value) -> Self {
        merge(&mut self.spec, json!({ "cache": fields }));
        self
    }

    /// Sets fields of `spec`.
    #[must_use]
    pub fn spec(mut self, fields: Value) -> Self {
        merge(&mut self.spec, fields);
        self
    }

    /// On the machine's clock instead of one that stands still until it is moved.
    #[must_use]
    pub fn real_time(mut self) -> Self {
        self.clock = Some(Clock::system());
        self
    }

    /// The manifest.
    pub fn manifest(&self) -> String {
        let manifest = json!({
            "apiVersion": "cdn.blueorigin.dev/v1alpha1",
            "kind": "EdgePool",
            "metadata": { "name": "e2e" },
            "spec": self.spec,
        });
        // JSON is YAML; spread over lines, so that a line says something.
        format!("{manifest:#}\n")
    }

    /// What the manifest comes to.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn pools(&self) -> anyhow::Result<Vec<TranslatedPool>> {
        let text = self.manifest();
        let translation = translate_all(&[Source { name: "e2e.yaml", text: &text }]);
        if !translation.diagnostics.is_empty() {
            anyhow::bail!("{:#?}", translation.diagnostics);
        }
        Ok(translation.pools)
    }

    fn pool(&self) -> anyhow::Result<TranslatedPool> {
        self.pools()?.into_iter().next().context("no pool")
    }

    fn origin_url(&self) -> String {
        self.spec["sites"][0]["origins"][0]["url"].as_str().unwrap_or_default().to_owned()
    }

    fn clock(&self) -> Clock {
        self.clock.clone().unwrap_or_else(|| Clock::manual(START))
    }

    /// Runs it as `local` does.
    ///
    /// # Errors
    /// When it cannot run.
    pub async fn start(&self) -> anyhow::Result<World> {
        let clock = self.clock();
        let settings = local::Settings {
            ports: Ports::Free,
            origin: Some(self.origin_url()),
            token: Token::new(TOKEN),
            clock: clock.clone(),
        };
        let world = local::World::start(self.pools()?, settings).await?;
        let edge = world.edges.list().into_iter().next().context("no edge")?;
        Ok(World { address: edge.address, node: edge.node.clone(), clock, local: Some(world) })
    }

    /// Runs one edge alone, as its own process would: with the origins just as the manifest has them.
    ///
    /// # Errors
    /// When it cannot run.
    pub async fn start_edge(&self) -> anyhow::Result<World> {
        let clock = self.clock();
        let config = Config::new(self.pool()?.snapshot, &[])?;
        let metrics = ProxyMetrics::new(&Metrics::default())?;
        let node = Node::new("lab-0", config, clock.clone(), metrics, Drain::new());
        let listener = proxy::serve::bind((Ipv4Addr::LOCALHOST, 0).into(), false)?;
        let address = listener.local_addr()?;
        tokio::spawn(edge::start(node.clone(), listener));
        Ok(World { address, node, clock, local: None })
    }
}

/// Objects are merged, everything else is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Object(Map::new())), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// A running CDN and its first edge.
pub struct World {
    /// Where the first edge listens.
    pub address: SocketAddr,
    /// The first edge.
    pub node: Arc<Node>,
    /// Its clock.
    pub clock: Clock,
    /// All of it, unless it is one edge alone.
    pub local: Option<local::World>,
}

impl World {
    /// One request on a connection of its own.
    ///
    /// # Panics
    /// When no response comes.
    pub async fn ask(&self, request: impl Into<Request>) -> Answer {
        match ask(self.address, request).await {
            Ok(answer) => answer,
            Err(error) => panic!("no answer: {error}"),
        }
    }

    /// A connection.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn connect(&self) -> Client {
        match Client::connect(self.address).await {
            Ok(client) => client,
            Err(error) => panic!("no connection: {error}"),
        }
    }

    /// Moves the edge's clock on.
    pub fn pass_seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The sum of a metric's samples whose labels contain `label`; 0 where there is none.
    pub fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.node.metrics.registry().text();
        let samples = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|r| r.starts_with(['{', ' '])) && line.contains(label)
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until `holds`, which something already under way will bring about, looking again and again.
    ///
    /// # Panics
    /// When it does not.
    pub async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(30), async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        assert!(waited.await.is_ok(), "does not happen: {what}");
    }

    /// Waits until nothing is being stored.
    ///
    /// # Panics
    /// When that goes on.
    pub async fn settled(&self) {
        self.until("the end of all fills", || self.node.cache.stats().flights == 0).await;
    }
}
