//! Which servers a set of pools and shields needs, under which names, on which ports. Pure.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddrV4;

use translate::{TranslatedPool, TranslatedShield};
use wire::Snapshot;
use wire::snapshot::{PeeringMode, Tier};

mod names;
use names::Names;

/// The layout of ports from a base.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// From this one on.
    From(u16),
    /// Whatever is free, for tests.
    Free,
}

const FIRST_EDGE: u16 = 1;
const MOST_EDGES: u16 = 52;
const DNS: u16 = 53;
const ROUTER: u16 = 54;
const FIRST_SHIELD: u16 = 60;
const MOST_SHIELDS: u16 = 29;
const OWN_ADDRESSES: u16 = 80;
const DEMO_ORIGIN: u16 = 90;

impl Ports {
    /// Of the status page and the admin API.
    pub fn status(self) -> u16 {
        self.at(0)
    }

    /// Of the demo origin.
    pub fn demo_origin(self) -> u16 {
        self.at(DEMO_ORIGIN)
    }

    /// Of DNS, over UDP and TCP.
    pub fn dns(self) -> u16 {
        self.at(DNS)
    }

    /// Of the HTTP router.
    pub fn router(self) -> u16 {
        self.at(ROUTER)
    }

    /// Of all edges, each at an address of its own. `taken` is a port that is this world's on 127.0.0.1, and so
    /// by nobody's choice another's on the other addresses of loopback.
    pub(crate) fn own_addresses(self, taken: u16) -> u16 {
        match self {
            Self::From(_) => self.at(OWN_ADDRESSES),
            Self::Free => taken,
        }
    }

    fn at(self, offset: u16) -> u16 {
        match self {
            Self::From(base) => base.saturating_add(offset),
            Self::Free => 0,
        }
    }

    /// Gives each of `servers` one of the `most` ports from `first` on. Those that run already keep theirs;
    /// others get the first that nobody has, or that somebody gives up where there is no other.
    fn assign(self, servers: &mut [ServerPlan], first: u16, most: u16, held: &Held) {
        let kept = |server: &ServerPlan| held.get(&server.id).map(|held| held.port);
        let keep: HashSet<u16> = servers.iter().filter_map(kept).collect();
        let taken: HashSet<u16> = held.values().map(|held| held.port).collect();
        let layout = || (first..first + most).map(|offset| self.at(offset));
        let given_up = layout().filter(|port| taken.contains(port) && !keep.contains(port));
        let mut free = layout().filter(|port| !taken.contains(port)).chain(given_up);
        for server in servers {
            server.port = match self {
                // There are as many ports as servers at most.
                Self::From(_) => kept(server).or_else(|| free.next()).unwrap_or_default(),
                Self::Free => 0,
            };
        }
    }
}

/// Which server it is, whatever it is called and whatever else runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// What fleets call the ring that tiers find it on: `pop/POOL/POP` or `shield/NAME`.
    pub ring: String,
    /// Which of those there, from 0 on.
    pub replica: u32,
}

/// What a server that runs has, and keeps until it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its name.
    pub name: String,
    /// Its port.
    pub port: u16,
}

/// The servers that run.
pub(crate) type Held = BTreeMap<Identity, Holding>;

/// What is to run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// In the order of the files.
    pub pools: Vec<TranslatedPool>,
    /// In the order of the files.
    pub shields: Vec<TranslatedShield>,
}

/// Pools alone.
impl From<Vec<TranslatedPool>> for Wanted {
    fn from(pools: Vec<TranslatedPool>) -> Self {
        Self { pools, shields: Vec::new() }
    }
}

/// One server to run: an edge, or one of a shield's.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerPlan {
    /// `fra-0`, or `shield-0`, with the pool's or shield's name before it where that is needed to tell it from
    /// others; or as it was called when it started. No other server of the plan has it.
    pub name: String,
    /// Which server it is.
    pub id: Identity,
    /// The pool of an edge, or the shield whose server it is.
    pub pool: String,
    /// The PoP of an edge; none of a shield.
    pub pop: Option<String>,
    /// Its port; 0 = any.
    pub port: u16,
    /// An address of its own for DNS to name, if there is DNS.
    pub own: Option<SocketAddrV4>,
    /// What it runs on.
    pub snapshot: Snapshot,
}

impl ServerPlan {
    /// Whether it and the others of its place know each other.
    pub fn has_peers(&self) -> bool {
        has_peers(&self.snapshot)
    }
}

/// Whether the servers of `snapshot` know each other: they fetch from each other, or send clients there.
pub(crate) fn has_peers(snapshot: &Snapshot) -> bool {
    snapshot.tier == Tier::Edge && snapshot.peering.mode != PeeringMode::Independent
}

/// Everything to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// In the order of the files.
    pub edges: Vec<ServerPlan>,
    /// In the order of the files.
    pub shields: Vec<ServerPlan>,
}

/// The pools and shields cannot be run here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing to do.
    #[error(
        "there is no edge to run: no EdgePool has a PoP with `replicas` above 0; see examples/quickstart/pool.yaml"
    )]
    NoPool,
    /// The ports do not suffice.
    #[error(
        "these pools have {0} edges; at most {MOST_EDGES} run here: lower `replicas`, or run fewer pools at a time"
    )]
    TooManyEdges(usize),
    /// The ports do not suffice.
    #[error(
        "these shields have {0} servers; at most {MOST_SHIELDS} run here: lower `replicas`, or run fewer shields at a time"
    )]
    TooManyShields(usize),
}

impl Plan {
    /// Plans the servers of `wanted`; those that run already keep what they have `held`.
    ///
    /// # Errors
    /// When there is no edge, or there are too many of something.
    pub fn new(
        wanted: &Wanted,
        ports: Ports,
        held: &BTreeMap<Identity, Holding>,
    ) -> Result<Self, PlanError> {
        let mut edges = edges(&wanted.pools);
        match edges.len() {
            0 => return Err(PlanError::NoPool),
            n if n > usize::from(MOST_EDGES) => return Err(PlanError::TooManyEdges(n)),
            _ => {}
        }
        let mut shields = shields(&wanted.shields);
        if shields.len() > usize::from(MOST_SHIELDS) {
            return Err(PlanError::TooManyShields(shields.len()));
        }
        let mut names = Names::new(edges.iter().chain(&shields), held);
        names.assign(&mut edges, wanted.pools.len() > 1);
        names.assign(&mut shields, wanted.shields.len() > 1);
        ports.assign(&mut edges, FIRST_EDGE, MOST_EDGES, held);
        ports.assign(&mut shields, FIRST_SHIELD, MOST_SHIELDS, held);
        Ok(Self { edges, shields })
    }
}

/// Without names and ports, which are given out once all servers are known.
fn edges(pools: &[TranslatedPool]) -> Vec<ServerPlan> {
    let mut edges = Vec::new();
    for pool in pools {
        for pop in &pool.pops {
            for replica in 0..pop.replicas {
                let ring = format!("pop/{}/{}", pool.name, pop.name);
                edges.push(ServerPlan {
                    name: String::new(),
                    id: Identity { ring, replica },
                    pool: pool.name.clone(),
                    pop: Some(pop.name.clone()),
                    port: 0,
                    own: None,
                    snapshot: pool.snapshot.clone(),
                });
            }
        }
    }
    edges
}

/// As [`edges`].
fn shields(shields: &[TranslatedShield]) -> Vec<ServerPlan> {
    let servers = shields.iter().flat_map(|shield| (0..shield.replicas).map(move |n| (shield, n)));
    let plan = |(shield, replica): (&TranslatedShield, u32)| ServerPlan {
        name: String::new(),
        id: Identity { ring: shield.ring.clone(), replica },
        pool: shield.name.clone(),
        pop: None,
        port: 0,
        own: None,
        snapshot: shield.snapshot.clone(),
    };
    servers.map(plan).collect()
}

#[cfg(test)]
mod tests;
