//! A running CDN for a test: an EdgePool as a user writes it, on free ports, with a clock of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use local::{DnsSettings, Ports, Wanted};
use proxy::metrics::ProxyMetrics;
use proxy::{Config, Node};
use runtime::metrics::Metrics;
use runtime::token::Token;
use runtime::{Clock, Drain};
use serde_json::{Map, Value, json};
use translate::{Source, TranslatedPool, Translation, translate_all};

use crate::client::{Answer, Client, HOST, Request, ask};
use crate::origin::Origin;

/// When the manual clocks of tests start: Friday, 15 January 2027, 08:00 UTC.
const START: i64 = 1_800_000_000_000;
/// The admin token of every world.
pub const TOKEN: &str = "the-admin-token";

/// The shield of every world that has one.
pub const SHIELD: &str = "main";

/// An EdgePool with one site, one place and one edge, unless a test says otherwise.
#[derive(Clone, Debug)]
pub struct Setup {
    spec: Value,
    /// Of the OriginShield that the site comes through, if it does.
    shield: Option<Value>,
    origin: String,
    clock: Option<Clock>,
    dns: Option<DnsSettings>,
}

impl Setup {
    /// In front of `origin`; shows what it does to everybody.
    pub fn new(origin: &Origin) -> Self {
        Self::at(json!([{ "url": origin.url() }]))
    }

    /// The same in front of `origins`, as a manifest has them.
    pub fn at(origins: Value) -> Self {
        let origin = origins[0]["url"].as_str().unwrap_or_default().to_owned();
        let spec = json!({
            "pops": [{ "name": "lab" }],
            "sites": [{ "hosts": [HOST], "origins": origins, "debugHeaders": "Always" }],
        });
        Self { spec, shield: None, origin, clock: None, dns: None }
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

    /// The site comes through an OriginShield, with these fields of its `spec`.
    #[must_use]
    pub fn shield(mut self, fields: Value) -> Self {
        let origins = json!({ "origins": [{ "url": self.origin }] });
        merge(self.shield.get_or_insert(origins), fields);
        if let Some(site) = self.spec["sites"][0].as_object_mut() {
            site.remove("origins");
            site.insert("shield".to_owned(), json!({ "name": SHIELD }));
        }
        self
    }

    /// On the machine's clock instead of one that stands still until it is moved.
    #[must_use]
    pub fn real_time(mut self) -> Self {
        self.clock = Some(Clock::system());
        self
    }

    /// With a name server, which probes the edges: on the machine's clock.
    #[must_use]
    pub fn dns(self) -> Self {
        Self { dns: Some(DnsSettings::default()), ..self.real_time() }
    }

    /// The manifests.
    pub fn manifest(&self) -> String {
        let document = |kind: &str, name: &str, spec: &Value| {
            let manifest = json!({
                "apiVersion": "cdn.blueorigin.dev/v1alpha1",
                "kind": kind,
                "metadata": { "name": name },
                "spec": spec,
            });
            // JSON is YAML; spread over lines, so that a line says something.
            format!("{manifest:#}\n")
        };
        let pool = document("EdgePool", "e2e", &self.spec);
        match &self.shield {
            Some(spec) => pool + "---\n" + &document("OriginShield", SHIELD, spec),
            None => pool,
        }
    }

    fn translation(&self) -> anyhow::Result<Translation> {
        let text = self.manifest();
        let translation = translate_all(&[Source { name: "e2e.yaml", text: &text }]);
        if !translation.diagnostics.is_empty() {
            anyhow::bail!("{:#?}", translation.diagnostics);
        }
        Ok(translation)
    }

    /// What the manifests come to.
    ///
    /// # Errors
    /// With everything that is wrong with them.
    pub fn wanted(&self) -> anyhow::Result<Wanted> {
        let Translation { pools, shields, .. } = self.translation()?;
        Ok(Wanted { pools, shields })
    }

    /// What the pool comes to.
    ///
    /// # Errors
    /// With everything that is wrong with the manifests.
    pub fn pools(&self) -> anyhow::Result<Vec<TranslatedPool>> {
        Ok(self.translation()?.pools)
    }

    fn pool(&self) -> anyhow::Result<TranslatedPool> {
        self.pools()?.into_iter().next().context("no pool")
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
            origin: Some(self.origin.clone()),
            token: Token::new(TOKEN),
            dns: self.dns.clone(),
            clock: clock.clone(),
        };
        let world = local::World::start(self.wanted()?, settings).await?;
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

    /// Where the edges listen, in the order of the manifest.
    pub fn edges(&self) -> Vec<SocketAddr> {
        self.servers(|local| &local.edges).into_iter().map(|edge| edge.address).collect()
    }

    /// The nodes of all edges and shields.
    pub fn nodes(&self) -> Vec<Arc<Node>> {
        let edges = self.servers(|local| &local.edges);
        edges.into_iter().chain(self.shields()).map(|server| server.node).collect()
    }

    /// The shield's servers.
    pub fn shields(&self) -> Vec<local::Server> {
        self.servers(|local| &local.shields)
    }

    fn servers(&self, tier: impl Fn(&local::World) -> &local::Servers) -> Vec<local::Server> {
        self.local.as_ref().map(|local| tier(local).list()).unwrap_or_default()
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

    /// Waits until the first edge stores nothing any more.
    ///
    /// # Panics
    /// When that goes on.
    pub async fn settled(&self) {
        self.until("the end of all fills", || self.node.cache.stats().flights == 0).await;
    }

    /// Waits until nobody stores anything any more.
    ///
    /// # Panics
    /// When that goes on.
    pub async fn all_settled(&self) {
        let nodes = self.nodes();
        let idle = || nodes.iter().all(|node| node.cache.stats().flights == 0);
        self.until("the end of all fills", idle).await;
    }
}
