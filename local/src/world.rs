//! A running CDN on loopback.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use proxy::metrics::ProxyMetrics;
use proxy::{Config, ConfigError, Node};
use runtime::drain::Stage;
use runtime::metrics::{MetricError, Metrics};
use runtime::token::{Token, Tokens};
use runtime::{Clock, Drain};
use translate::{TranslatedPool, with_origin, with_origin_behind};
use wire::Snapshot;
use wire::snapshot::Tier;
use wire::zones::ZonesError;

use crate::addresses::{Numbers, Published};
use crate::demo_origin::{self, Asked};
use crate::log::Log;
use crate::name_server::{self, DnsSettings, NameServer};
use crate::plan::{Plan, PlanError, Ports, ServerPlan, Wanted};
use crate::servers::{self, Listeners, Server, Servers};
use crate::{fleet, status};

mod change;

/// Hosts that a browser or curl on this machine sends when it asks an edge directly.
const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Why a CDN cannot run here.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The pools and shields do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A snapshot cannot be run.
    #[error("{0}: {1}")]
    Config(String, ConfigError),
    /// `--origin` is not an origin.
    #[error("--origin {0}: {1}")]
    Origin(String, String),
    /// The fleet cannot be used.
    #[error("the fleet for {0}: {1}")]
    Fleet(String, String),
    /// There is no DNS for these pools.
    #[error(transparent)]
    Zones(#[from] ZonesError),
    /// DNS cannot be served.
    #[error("the name server: {0}")]
    Dns(String),
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

/// Everything that runs.
pub struct World {
    /// The edges, in the order of the files.
    pub edges: Servers,
    /// The servers of the shields, in the order of the files.
    pub shields: Servers,
    /// The status page and admin API.
    pub status: SocketAddr,
    /// The demo origin and how often it was asked, unless the user has an own one.
    pub demo: Option<(SocketAddr, Asked)>,
    /// The name server that sends clients to the edges, if there is one.
    pub dns: Option<NameServer>,
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
    /// With DNS, and an address for each edge that it can name.
    pub dns: Option<DnsSettings>,
    /// Tells the time.
    pub clock: Clock,
}

/// A server with its sockets, before it does anything.
struct Ready {
    server: Server,
    listeners: Listeners,
}

impl World {
    /// Starts the servers of what is `wanted` and what they need. Every socket is bound before anything is
    /// served.
    ///
    /// # Errors
    /// When a port is taken or something cannot be run; then nothing runs.
    pub async fn start(wanted: impl Into<Wanted>, settings: Settings) -> Result<Self, WorldError> {
        let Settings { ports, origin, token, dns, clock } = settings;
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
        let status = status_listener.local_addr()?;
        let routes = dns.as_ref().map(|_| bind(ports.router(), "the HTTP router")).transpose()?;
        let bound = routes.map(|routes| name_server::bind(ports.dns(), routes)).transpose();
        let bound = bound.map_err(|e| WorldError::Port(ports.dns(), "DNS".to_owned(), e))?;
        let (edges, shields) = (Servers::default(), Servers::default());
        let log = Log::new(&edges, &shields, clock.clone(), token.map(Tokens::from));
        let mut world = Self {
            edges,
            shields,
            status,
            demo: None,
            dns: None,
            log,
            ports,
            origin,
            drain,
            clock,
        };
        let wanted = world.with_origins(wanted.into())?;
        let Plan { mut edges, shields } = Plan::new(&wanted, ports, &BTreeMap::new())?;
        let numbers = Numbers::new(&wanted.pools, &Numbers::default());
        let own_port = ports.own_addresses(status.port());
        if dns.is_some() {
            numbers.assign(&mut edges, own_port);
        }
        // Those that are asked are there before those that ask.
        let ready = shields.into_iter().chain(edges).map(|plan| world.prepare(plan));
        let ready = ready.collect::<Result<Vec<_>, _>>()?;
        let fleet = fleet::fleet(ready.iter().filter_map(Ready::seat));
        for ready in &ready {
            tell(&ready.server, &fleet)?;
        }
        let servers = ready.iter().map(|ready| &ready.server);
        let told = bound.as_ref().map(|bound| answered(&wanted.pools, servers, bound.router));
        let told = told.transpose()?;
        if let Some(listener) = demo_listener {
            let asked = Asked::default();
            world.demo = Some((listener.local_addr()?, asked.clone()));
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let (router, drain) = (demo_origin::router(asked), world.drain.clone());
            tokio::spawn(runtime::admin::serve(listener, router, drain));
        }
        for ready in ready {
            world.launch(ready).await;
        }
        if let (Some(settings), Some(bound), Some(fleet)) = (dns, bound, told) {
            let gate = world.log.readiness().gate("database of places");
            let with = (world.clock.clone(), world.drain.clone(), gate);
            let told = (fleet, numbers);
            world.dns = Some(NameServer::start(bound, own_port, told, settings, with)?);
        }
        let router = status::router(&world);
        let listener = tokio::net::TcpListener::from_std(status_listener)?;
        tokio::spawn(runtime::admin::serve(listener, router, world.drain.clone()));
        Ok(world)
    }

    /// Finishes what is in flight and stops: edges first, since they ask the shields.
    pub async fn stop(self) {
        self.drain.advance(Stage::Closed);
        if let Some(dns) = self.dns {
            dns.ended().await;
        }
        for tier in [&self.edges, &self.shields] {
            servers::all(tier.list(), |server| async move { server.stop().await }).await;
        }
        self.log.stop();
    }

    /// How far everything is on its way out.
    pub(crate) fn drain(&self) -> &Drain {
        &self.drain
    }

    /// The time, by this world's clock, in milliseconds since 1970.
    pub(crate) fn now_millis(&self) -> i64 {
        self.clock.now_millis()
    }

    fn of(&self, tier: Tier) -> &Servers {
        match tier {
            Tier::Edge => &self.edges,
            Tier::Shield => &self.shields,
        }
    }

    fn with_origins(&self, mut wanted: Wanted) -> Result<Wanted, WorldError> {
        let wrong = |reason: String| WorldError::Origin(self.origin.clone(), reason);
        let uri: http::Uri = self.origin.parse().map_err(|e| wrong(format!("{e}")))?;
        // A site with a name of its own wants to be asked by it; an address does not care.
        let host = uri.authority().filter(|a| {
            let bare = a.host().trim_matches(['[', ']']);
            bare != "localhost" && bare.parse::<IpAddr>().is_err()
        });
        let ask_by_name = |snapshot: &mut Snapshot| {
            for origin in snapshot.sites.iter_mut().flat_map(|site| &mut site.origins) {
                origin.host = host.map(ToString::to_string);
            }
        };
        for pool in &mut wanted.pools {
            with_origin(pool, &self.origin).map_err(|e| wrong(e.to_string()))?;
            ask_by_name(&mut pool.snapshot);
        }
        for shield in &mut wanted.shields {
            with_origin_behind(shield, &self.origin).map_err(|e| wrong(e.to_string()))?;
            ask_by_name(&mut shield.snapshot);
        }
        Ok(wanted)
    }

    fn prepare(&self, plan: ServerPlan) -> Result<Ready, WorldError> {
        let usual = bind(plan.port, &plan.name)?;
        let address = usual.local_addr()?;
        // Where there are no such addresses, all else works.
        let own = plan.own.and_then(|own| proxy::serve::bind(own.into(), false).ok());
        let published = plan.own.map(|at| Published {
            own: at,
            found: if own.is_some() { at.into() } else { address },
        });
        let peers = plan.has_peers().then(|| bind(0, &plan.name)).transpose()?;
        let place = match &plan.pop {
            Some(pop) => ("pop", pop.as_str()),
            None => ("shield", plan.pool.as_str()),
        };
        let metrics = Metrics::with_labels(&[("node", &plan.name), place])?;
        let (drain, clock) = (Drain::new(), self.clock.clone());
        let node =
            Node::new(&plan.name, config(&plan)?, clock, ProxyMetrics::new(&metrics)?, drain);
        let server = Server::new(plan, (address, published), node, metrics);
        if let Some(peers) = &peers {
            server.announce(peers)?;
        }
        Ok(Ready { server, listeners: Listeners { usual, own, peers } })
    }

    async fn launch(&self, ready: Ready) {
        let Ready { server, listeners } = ready;
        server.launch(&self.log, listeners).await;
        self.of(server.tier()).push(server);
    }
}

impl Ready {
    fn seat(&self) -> Option<fleet::Seat> {
        self.server.seat(self.server.node.config().snapshot())
    }
}

/// What DNS answers when these servers serve these pools.
fn answered<'a>(
    pools: &[TranslatedPool],
    servers: impl Iterator<Item = &'a Server>,
    router: SocketAddr,
) -> Result<dns::fleet::Fleet, ZonesError> {
    name_server::fleet(pools, &servers.cloned().collect::<Vec<_>>(), router)
}

/// Tells a server who is there.
fn tell(server: &Server, fleet: &wire::Fleet) -> Result<(), WorldError> {
    let told = server.node.set_fleet(fleet.clone());
    told.map_err(|error| WorldError::Fleet(server.name.clone(), error.to_string()))
}

fn config(plan: &ServerPlan) -> Result<Config, WorldError> {
    let aliases = match plan.snapshot.tier {
        Tier::Edge => {
            let own = plan.own.map(|own| own.ip().to_string());
            LOOPBACK_HOSTS.map(str::to_owned).into_iter().chain(own).collect()
        }
        // An edge says by which name it was asked.
        Tier::Shield => Vec::new(),
    };
    Config::new(plan.snapshot.clone(), &aliases).map_err(|e| {
        let what = if plan.pop.is_some() { "pool" } else { "shield" };
        WorldError::Config(format!("{what} {}", plan.pool), e)
    })
}

fn bind(port: u16, what: &str) -> Result<TcpListener, WorldError> {
    proxy::serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), false)
        .map_err(|e| WorldError::Port(port, what.to_owned(), e))
}
