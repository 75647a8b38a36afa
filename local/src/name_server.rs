//! The name server: the real one, told in memory of what runs here.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use dns::fleet::{Family, Fleet};

use geodns::{DatabaseFiles, DnsMetrics, Running, Service, Sockets};
use ipnet::Ipv4Net;
use runtime::metrics::Metrics;
use runtime::ready::Gate;
use runtime::{Clock, Drain};
use serde::Serialize;
use translate::{Authority, TranslatedPool};
use wire::zones::{MAX_ADDRESSES, Probe, Router, ZonesError};

use crate::addresses::Numbers;
use crate::servers::Server;
use crate::world::WorldError;

/// How often a free port is tried whose other half is taken.
const TRIES: usize = 16;

/// What the name server needs to know.
#[derive(Clone, Debug, Default)]
pub struct DnsSettings {
    /// A database of places, in some files.
    pub places: Vec<PathBuf>,
}

/// The name server.
pub struct NameServer {
    /// Where it listens, over UDP and TCP.
    pub address: SocketAddr,
    /// Where HTTP clients are sent on to the edge that DNS would send them to.
    pub router: SocketAddr,
    /// The port of all edges, each at an address of its own.
    pub port: u16,
    service: Arc<Service>,
    fleet: Arc<ArcSwap<Fleet>>,
    metrics: Metrics,
    running: Running,
    numbers: Mutex<Numbers>,
}

/// Before it answers.
pub(crate) struct Bound {
    address: SocketAddr,
    pub(crate) router: SocketAddr,
    sockets: Sockets,
}

/// Takes the port of DNS; 0 = any. `routes` is where HTTP clients come.
pub(crate) fn bind(port: u16, routes: TcpListener) -> io::Result<Bound> {
    let router = routes.local_addr()?;
    let tries = if port == 0 { TRIES } else { 1 };
    let mut last = None;
    for _ in 0..tries {
        let udp = geodns::udp::bind((Ipv4Addr::LOCALHOST, port).into(), 1)?;
        let address =
            udp.first().map_or(Err(io::ErrorKind::NotFound.into()), |s| s.local_addr())?;
        match TcpListener::bind(address) {
            Ok(tcp) => {
                let mut sockets = Sockets::default();
                sockets.udp.extend(udp);
                sockets.tcp.push(tcp);
                sockets.routers.push(routes);
                return Ok(Bound { address, router, sockets });
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

impl NameServer {
    /// Answers for `fleet` from now on. `gate` opens once the database of places was tried.
    pub(crate) fn start(
        bound: Bound,
        port: u16,
        (fleet, numbers): (Fleet, Numbers),
        settings: DnsSettings,
        (clock, drain, gate): (Clock, Drain, Gate),
    ) -> Result<Self, WorldError> {
        let metrics = Metrics::default();
        let fleet = Arc::new(fleet);
        let service = Service::new(fleet.clone(), clock, DnsMetrics::new(&metrics)?, drain);
        let fleet = Arc::new(ArcSwap::new(fleet));
        let Bound { address, router, sockets } = bound;
        let running = geodns::start(&service, &fleet, sockets)
            .map_err(|error| WorldError::Dns(format!("{error:#}")))?;
        tokio::spawn(DatabaseFiles::new(settings.places).watch(service.clone(), gate));
        let numbers = Mutex::new(numbers);
        Ok(Self { address, router, port, service, fleet, metrics, running, numbers })
    }

    /// The numbers that PoPs have.
    pub(crate) fn numbers(&self) -> Numbers {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers for another fleet from now on.
    pub(crate) fn tell(&self, fleet: Fleet, numbers: Numbers) {
        *self.numbers.lock().unwrap_or_else(PoisonError::into_inner) = numbers;
        if self.fleet.load().version() != fleet.version() {
            self.fleet.store(Arc::new(fleet));
        }
    }

    /// Waits for its end, which the world's drain brings about.
    pub(crate) async fn ended(self) {
        if let Err(error) = self.running.ended().await {
            tracing::error!(%error, "name server");
        }
    }

    /// What it counts.
    pub(crate) fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The service, for who explains and shows it.
    pub(crate) fn service(&self) -> Arc<Service> {
        self.service.clone()
    }
}

/// What is answered when these edges serve these pools, by DNS and by the router.
pub(crate) fn fleet(
    pools: &[TranslatedPool],
    edges: &[Server],
    router: SocketAddr,
) -> Result<Fleet, ZonesError> {
    let name_server = wire::zones::NameServer {
        name: "localhost".to_owned(),
        v4: vec![Ipv4Addr::LOCALHOST],
        v6: Vec::new(),
    };
    let probe = Some(Probe::default());
    let port = edges.iter().find_map(|edge| Some(edge.published?.own.port()));
    let authority =
        Authority { name_server, probe, router: Some(routing(port)), ..Authority::default() };
    let mut zones = translate::zones(pools, &authority, |pool, pop| {
        let of = |edge: &&Server| edge.pool == pool && edge.pop.as_deref() == Some(pop);
        let mut published: Vec<_> =
            edges.iter().filter(of).filter_map(|edge| edge.published).collect();
        published.sort_by_key(|published| published.own);
        published.truncate(MAX_ADDRESSES);
        published.iter().flat_map(crate::addresses::Published::reached).collect()
    })?;
    // Whoever asks for no name of a site gets the first.
    let first = pools.iter().find(|pool| zones.pools.contains_key(&pool.name));
    if let Some(pool) = first.and_then(|pool| zones.pools.get_mut(&pool.name)) {
        let names = [router.ip().to_string(), "localhost".to_owned()];
        let names = names.map(|name| format!("{name}:{}", router.port()));
        pool.router.iter_mut().for_each(|router| router.names = names.to_vec());
    }
    Fleet::new(&zones)
}

/// Whoever is on this machine is believed about the client, so that one can be tried.
fn routing(port: Option<u16>) -> Router {
    let here = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    Router { port, trusted_proxies: vec![here.into()], allow_override: true, ..Router::default() }
}

/// A PoP as DNS sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SeenPop {
    pub(crate) pool: String,
    pub(crate) pop: String,
    pub(crate) addresses: Vec<SeenAddress>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct SeenAddress {
    pub(crate) address: String,
    pub(crate) state: &'static str,
}

/// All PoPs that are answered with.
pub(crate) fn seen(service: &Service) -> Vec<SeenPop> {
    let serving = service.serving.load();
    let known = service.healths.lock();
    let mut seen = Vec::new();
    for pool in serving.view.fleet().pools() {
        // Each edge has an address of either family.
        for target in &pool.side(Family::V4).targets {
            let state = |address| {
                let health = known.health(&pool.name, &target.name, address);
                health.map_or("unknown", |health| health.condition().as_str())
            };
            let addresses = target.addresses.iter().map(|address| SeenAddress {
                address: address.to_string(),
                state: state(*address),
            });
            let (pool, pop) = (pool.name.clone(), target.name.clone());
            seen.push(SeenPop { pool, pop, addresses: addresses.collect() });
        }
    }
    seen
}
