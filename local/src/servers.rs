//! The servers that run: edges, and those of shields.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use proxy::Node;
use runtime::drain::Stage;
use runtime::metrics::Metrics;
use tokio::task::{JoinHandle, JoinSet};
use wire::Snapshot;
use wire::snapshot::Tier;

use crate::addresses::Published;
use crate::fleet::Seat;
use crate::log::{Following, Log};
use crate::plan::{Holding, Identity, ServerPlan, has_peers};

/// How long others of the network have to go elsewhere, once they know that a server leaves.
const NOTICE: Duration = Duration::from_millis(100);
/// How long a server that stops may finish what is in flight.
const PATIENCE: Duration = Duration::from_secs(10);

/// One server: an edge, or one of a shield's.
#[derive(Clone)]
pub struct Server {
    /// `fra-0` or `shield-0`; the same until it stops.
    pub name: String,
    /// Which server it is.
    pub id: Identity,
    /// Its pool or shield.
    pub pool: String,
    /// The PoP of an edge.
    pub pop: Option<String>,
    /// Where it listens: for clients, or for tiers if it is a shield's.
    pub address: SocketAddr,
    /// Where DNS says that an edge is, if there is DNS.
    pub published: Option<Published>,
    /// The server itself.
    pub node: Arc<Node>,
    pub(crate) metrics: Metrics,
    /// Where the other edges of its place reach it, once they are to.
    peers: Arc<OnceLock<SocketAddr>>,
    running: Arc<tokio::sync::Mutex<Option<Running>>>,
}

/// Where a server listens.
pub(crate) struct Listeners {
    /// On its port.
    pub(crate) usual: TcpListener,
    /// On an address of its own.
    pub(crate) own: Option<TcpListener>,
    /// For its peers.
    pub(crate) peers: Option<TcpListener>,
}

/// What a server does.
struct Running {
    serving: JoinSet<io::Result<()>>,
    probing: JoinHandle<()>,
    following: Following,
}

impl Server {
    /// One that does nothing yet.
    pub(crate) fn new(
        plan: ServerPlan,
        (address, published): (SocketAddr, Option<Published>),
        node: Arc<Node>,
        metrics: Metrics,
    ) -> Self {
        let ServerPlan { name, id, pool, pop, .. } = plan;
        if let Some(pop) = &pop {
            node.stand_in(pop);
        }
        let (peers, running) = Default::default();
        Self { name, id, pool, pop, address, published, node, metrics, peers, running }
    }

    /// Its place on the ring when it runs `snapshot`, if it has one.
    pub(crate) fn seat(&self, snapshot: &Snapshot) -> Option<Seat> {
        let address = match snapshot.tier {
            Tier::Shield => Some(self.address),
            Tier::Edge => self.peers().filter(|_| has_peers(snapshot)),
        };
        let Self { id, name, pop, .. } = self.clone();
        let public = (snapshot.tier == Tier::Edge).then_some(self.address);
        Some(Seat { ring: id.ring, name, address: address?, public, pop })
    }

    /// What it keeps whatever comes and goes beside it.
    pub(crate) fn holds(&self) -> (Identity, Holding) {
        let holding = Holding { name: self.name.clone(), port: self.address.port() };
        (self.id.clone(), holding)
    }

    /// Where its peers reach it.
    pub(crate) fn peers(&self) -> Option<SocketAddr> {
        self.peers.get().copied()
    }

    /// Says where its peers will reach it, on a listener that is bound.
    pub(crate) fn announce(&self, peers: &TcpListener) -> io::Result<()> {
        let _ = self.peers.set(peers.local_addr()?);
        Ok(())
    }

    /// Follows the log, probes whom it asks and serves, from now on.
    pub(crate) async fn launch(&self, log: &Log, listeners: Listeners) {
        let Listeners { usual, own, peers } = listeners;
        let following = log.connect(self).await;
        let probing = tokio::spawn(self.node.upstreams.clone().watch());
        let mut serving = JoinSet::new();
        match self.tier() {
            Tier::Edge => serving.spawn(edge::start(self.node.clone(), usual)),
            Tier::Shield => serving.spawn(shield::start(self.node.clone(), usual)),
        };
        if let Some(own) = own {
            serving.spawn(edge::start(self.node.clone(), own));
        }
        *self.running.lock().await = Some(Running { serving, probing, following });
        if let Some(peers) = peers {
            self.open(peers).await;
        }
    }

    /// Lets its peers in. They stay so until it stops: who still knows the way may come.
    pub(crate) async fn open(&self, peers: TcpListener) {
        if let Some(running) = self.running.lock().await.as_mut() {
            running.serving.spawn(edge::start_for_peers(self.node.clone(), peers));
        }
    }

    /// Lets those go elsewhere who know by now that it leaves, and stops it.
    pub(crate) async fn leave(&self) {
        self.node.drain.run_down(NOTICE).await;
        self.stop().await;
    }

    /// Finishes what is in flight on this server and stops it.
    pub async fn stop(&self) {
        self.node.drain.advance(Stage::Closed);
        let Some(mut running) = self.running.lock().await.take() else { return };
        let served = async { while running.serving.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, served).await.is_err() {
            tracing::warn!(server = self.name, "still busy; left behind");
            running.serving.detach_all();
        }
        running.probing.abort();
        running.following.leave().await;
    }

    /// Which tier it is of.
    pub fn tier(&self) -> Tier {
        self.node.config().snapshot().tier
    }

    /// `http://127.0.0.1:8401`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Stops all of them at once, the one way or the other.
pub(crate) async fn all<F>(servers: Vec<Server>, stop: impl Fn(Server) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut stopping = JoinSet::new();
    for server in servers {
        stopping.spawn(stop(server));
    }
    stopping.join_all().await;
}

/// Servers of one tier that run now, shared by all who show them.
#[derive(Clone, Default)]
pub struct Servers(Arc<RwLock<Vec<Server>>>);

impl Servers {
    /// All of them.
    pub fn list(&self) -> Vec<Server> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same list for those whom it leads to itself: without keeping it alive.
    pub(crate) fn later(&self) -> impl Fn() -> Vec<Server> + Send + Sync + use<> {
        let servers = Arc::downgrade(&self.0);
        move || servers.upgrade().map_or_else(Vec::new, |servers| Self(servers).list())
    }

    pub(crate) fn push(&self, server: Server) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(server);
    }

    pub(crate) fn retain(&self, keep: impl FnMut(&Server) -> bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(keep);
    }
}
