//! A running CDN on loopback.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use proxy::metrics::ProxyMetrics;
use proxy::{Config, ConfigError, Node};
use runtime::drain::Stage;
use runtime::metrics::{MetricError, Metrics};
use runtime::token::{Token, Tokens};
use runtime::{Clock, Drain};
use tokio::task::JoinHandle;
use translate::{TranslatedPool, with_origin};

use crate::demo_origin::{self, Asked};
use crate::log::{Following, Log};
use crate::plan::{EdgePlan, Plan, PlanError, Ports};
use crate::status::{self, Edges};

/// Hosts that a browser or curl on this machine sends when it asks an edge directly.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Why a CDN cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The pools do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A snapshot cannot be run.
    #[error("pool {0}: {1}")]
    Config(String, ConfigError),
    /// `--origin` is not an origin.
    #[error("--origin {0}: {1}")]
    Origin(String, String),
    /// A port is taken.
    #[error("port {0} for {1} cannot be used: {2}; choose another --base-port")]
    Port(u16, String, io::Error),
    /// A socket or runtime failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Metrics clash.
    #[error(transparent)]
    Metrics(#[from] MetricError),
}

/// One edge that runs.
#[derive(Clone)]
pub struct Edge {
    /// `fra-0`.
    pub name: String,
    /// Its pool.
    pub pool: String,
    /// Its PoP.
    pub pop: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The edge itself.
    pub node: Arc<Node>,
    pub(crate) metrics: Metrics,
    running: Arc<tokio::sync::Mutex<Option<Running>>>,
}

/// What an edge does.
struct Running {
    serving: JoinHandle<io::Result<()>>,
    following: Following,
}

/// Everything that runs.
pub struct World {
    /// The edges, in the order of the files.
    pub edges: Edges,
    /// The status page and admin API.
    pub status: SocketAddr,
    /// The demo origin and how often it was asked, unless the user has an own one.
    pub demo: Option<(SocketAddr, Asked)>,
    /// The invalidation log.
    pub log: Log,
    ports: Ports,
    origin: String,
    drain: Drain,
    clock: Clock,
}

/// How to run it.
pub struct Settings {
    /// The ports.
    pub ports: Ports,
    /// Instead of the demo origin.
    pub origin: Option<String>,
    /// Of the admin API.
    pub token: Option<Token>,
    /// Tells the time.
    pub clock: Clock,
}

impl World {
    /// Starts the edges of `pools` and what they need. Every socket is bound before anything is served.
    ///
    /// # Errors
    /// When a port is taken or a pool cannot be run; then nothing runs.
    pub async fn start(pools: Vec<TranslatedPool>, settings: Settings) -> Result<Self, WorldError> {
        let Settings { ports, origin, token, clock } = settings;
        let drain = Drain::new();
        let demo_listener = match &origin {
            Some(_) => None,
            None => Some(bind(ports.demo_origin(), "the demo origin")?),
        };
        let origin = match (&origin, &demo_listener) {
            (None, Some(listener)) => format!("http://{}", listener.local_addr()?),
            (origin, _) => origin.clone().unwrap_or_default(),
        };
        let status_listener = bind(ports.status(), "the status page")?;
        let edges = Edges::default();
        let log = Log::new(&edges, clock.clone(), token.map(Tokens::from));
        let mut world = Self {
            edges,
            status: status_listener.local_addr()?,
            demo: None,
            log,
            ports,
            origin,
            drain,
            clock,
        };
        let plan = Plan::new(&world.with_origins(pools)?, ports)?;
        let started = plan
            .edges
            .into_iter()
            .map(|plan| world.prepare(plan))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(listener) = demo_listener {
            let asked = Asked::default();
            world.demo = Some((listener.local_addr()?, asked.clone()));
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let (router, drain) = (demo_origin::router(asked), world.drain.clone());
            tokio::spawn(runtime::admin::serve(listener, router, drain));
        }
        for (edge, listener) in started {
            world.launch(edge, listener).await;
        }
        let router =
            status::router(world.edges.clone(), world.demo.clone(), &world.log, &world.drain);
        let listener = tokio::net::TcpListener::from_std(status_listener)?;
        tokio::spawn(runtime::admin::serve(listener, router, world.drain.clone()));
        Ok(world)
    }

    /// Goes over to `pools`: edges that stay take over their snapshot and keep what they stored, others
    /// come and go.
    ///
    /// # Errors
    /// When the pools cannot be run; then everything stays as it was.
    pub async fn apply(&self, pools: Vec<TranslatedPool>) -> Result<(), WorldError> {
        let plan = Plan::new(&self.with_origins(pools)?, self.ports)?;
        let running = self.edges.list();
        let mut reloads = Vec::new();
        let mut newcomers = Vec::new();
        for plan in plan.edges {
            match running.iter().find(|r| r.name == plan.name && same_port(r, &plan)) {
                Some(found) => reloads.push((found.clone(), config(&plan)?)),
                None => newcomers.push(plan),
            }
        }
        let stays = |edge: &Edge| reloads.iter().any(|(kept, _)| kept.name == edge.name);
        let leavers: Vec<_> = running.iter().filter(|edge| !stays(edge)).cloned().collect();
        let inherited = |plan: &EdgePlan| {
            plan.port != 0 && leavers.iter().any(|edge| edge.address.port() == plan.port)
        };
        // Everything that can fail comes first; a port that another edge gives up is free only later.
        let (heirs, others): (Vec<_>, Vec<_>) = newcomers.into_iter().partition(inherited);
        for plan in &heirs {
            config(plan)?;
        }
        let prepared =
            others.into_iter().map(|plan| self.prepare(plan)).collect::<Result<Vec<_>, _>>()?;
        for edge in &leavers {
            edge.stop().await;
        }
        self.edges.retain(|edge| !leavers.iter().any(|gone| Arc::ptr_eq(&gone.node, &edge.node)));
        for (edge, config) in reloads {
            edge.node.reload(config);
            edge.node.metrics.reloaded(true);
        }
        for (edge, listener) in prepared {
            self.launch(edge, listener).await;
        }
        for plan in heirs {
            let (edge, listener) = self.prepare(plan)?;
            self.launch(edge, listener).await;
        }
        Ok(())
    }

    /// Finishes what is in flight and stops.
    pub async fn stop(self) {
        self.drain.advance(Stage::Closed);
        for edge in self.edges.list() {
            edge.stop().await;
        }
        self.log.stop();
    }

    /// The time, by this world's clock, in milliseconds since 1970.
    pub(crate) fn now_millis(&self) -> i64 {
        self.clock.now_millis()
    }

    fn with_origins(
        &self,
        mut pools: Vec<TranslatedPool>,
    ) -> Result<Vec<TranslatedPool>, WorldError> {
        let wrong = |reason: String| WorldError::Origin(self.origin.clone(), reason);
        let uri: http::Uri = self.origin.parse().map_err(|e| wrong(format!("{e}")))?;
        // A site with a name of its own wants to be asked by it; an address does not care.
        let host = uri.authority().filter(|a| {
            let bare = a.host().trim_matches(['[', ']']);
            bare != "localhost" && bare.parse::<IpAddr>().is_err()
        });
        for pool in &mut pools {
            with_origin(pool, &self.origin).map_err(|e| wrong(e.to_string()))?;
            for origin in pool.snapshot.sites.iter_mut().flat_map(|site| &mut site.origins) {
                origin.host = host.map(ToString::to_string);
            }
        }
        Ok(pools)
    }

    fn prepare(&self, plan: EdgePlan) -> Result<(Edge, TcpListener), WorldError> {
        let listener = bind(plan.port, &format!("edge {}", plan.name))?;
        let metrics = Metrics::with_labels(&[("node", &plan.name), ("pop", &plan.pop)])?;
        let drain = Drain::new();
        let config = config(&plan)?;
        let clock = self.clock.clone();
        let node = Node::new(&plan.name, config, clock, ProxyMetrics::new(&metrics)?, drain);
        let edge = Edge {
            address: listener.local_addr()?,
            name: plan.name,
            pool: plan.pool,
            pop: plan.pop,
            node,
            metrics,
            running: Arc::default(),
        };
        Ok((edge, listener))
    }

    async fn launch(&self, edge: Edge, listener: TcpListener) {
        let following = self.log.connect(&edge.node).await;
        let serving = tokio::spawn(edge::start(edge.node.clone(), listener));
        *edge.running.lock().await = Some(Running { serving, following });
        self.edges.push(edge);
    }
}

impl Edge {
    /// Finishes what is in flight on this edge and stops it.
    pub async fn stop(&self) {
        self.node.drain.advance(Stage::Closed);
        let Some(Running { serving, following }) = self.running.lock().await.take() else { return };
        let patience = Duration::from_secs(10);
        if tokio::time::timeout(patience, serving).await.is_err() {
            tracing::warn!(edge = self.name, "still busy; left behind");
        }
        following.leave().await;
    }

    /// `http://127.0.0.1:8401`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn same_port(edge: &Edge, plan: &EdgePlan) -> bool {
    plan.port == 0 || plan.port == edge.address.port()
}

fn config(plan: &EdgePlan) -> Result<Config, WorldError> {
    let aliases = LOOPBACK_HOSTS.map(str::to_owned);
    Config::new(plan.snapshot.clone(), &aliases)
        .map_err(|e| WorldError::Config(plan.pool.clone(), e))
}

fn bind(port: u16, what: &str) -> Result<TcpListener, WorldError> {
    proxy::serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), false)
        .map_err(|e| WorldError::Port(port, what.to_owned(), e))
}
