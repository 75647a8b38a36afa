//! Which servers a set of pools and shields needs, under which names, on which ports. Pure.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddrV4;

use translate::{TranslatedPool, TranslatedShield};
use wire::Snapshot;
use wire::snapshot::{PeeringMode, Tier};

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

    /// Gives each of `servers` one of the `most` ports from `first` on. Those that run already keep theirs,
    /// `held` by name; others get the first that nobody has, or that somebody gives up where there is no other.
    fn assign(self, servers: &mut [ServerPlan], first: u16, most: u16, held: &Held) {
        let kept = |server: &ServerPlan| held.get(&server.name).copied();
        let keep: HashSet<u16> = servers.iter().filter_map(kept).collect();
        let taken: HashSet<u16> = held.values().copied().collect();
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

/// The ports of the servers that run, by name.
pub(crate) type Held = BTreeMap<String, u16>;

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
    /// `fra-0`, or `shield-0`, with the pool's or shield's name before it where there are several. No other
    /// server of the plan has it.
    pub name: String,
    /// The pool of an edge, or the shield whose server it is.
    pub pool: String,
    /// The PoP of an edge; none of a shield.
    pub pop: Option<String>,
    /// What fleets call the ring that tiers find it on: `pop/POOL/POP` or `shield/NAME`.
    pub ring: String,
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
    #[error("there is no EdgePool in these files; see examples/quickstart/pool.yaml for one")]
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
    /// Plans the servers of `wanted`; those that run already are on the ports `held`, by name.
    ///
    /// # Errors
    /// When there is no edge, or there are too many of something.
    pub fn new(
        wanted: &Wanted,
        ports: Ports,
        held: &BTreeMap<String, u16>,
    ) -> Result<Self, PlanError> {
        let mut names = Names::default();
        let mut edges = edges(&wanted.pools, &mut names);
        match edges.len() {
            0 => return Err(PlanError::NoPool),
            n if n > usize::from(MOST_EDGES) => return Err(PlanError::TooManyEdges(n)),
            _ => {}
        }
        let mut shields = shields(&wanted.shields, &mut names);
        if shields.len() > usize::from(MOST_SHIELDS) {
            return Err(PlanError::TooManyShields(shields.len()));
        }
        ports.assign(&mut edges, FIRST_EDGE, MOST_EDGES, held);
        ports.assign(&mut shields, FIRST_SHIELD, MOST_SHIELDS, held);
        Ok(Self { edges, shields })
    }
}

fn edges(pools: &[TranslatedPool], names: &mut Names) -> Vec<ServerPlan> {
    let several = pools.len() > 1;
    let mut edges = Vec::new();
    for pool in pools {
        let prefix = if several { format!("{}-", pool.name) } else { String::new() };
        for pop in &pool.pops {
            for replica in 0..pop.replicas {
                edges.push(ServerPlan {
                    name: names.claim(format!("{prefix}{}-{replica}", pop.name)),
                    pool: pool.name.clone(),
                    pop: Some(pop.name.clone()),
                    ring: format!("pop/{}/{}", pool.name, pop.name),
                    port: 0,
                    own: None,
                    snapshot: pool.snapshot.clone(),
                });
            }
        }
    }
    edges
}

fn shields(shields: &[TranslatedShield], names: &mut Names) -> Vec<ServerPlan> {
    let several = shields.len() > 1;
    let servers = shields.iter().flat_map(|shield| (0..shield.replicas).map(move |n| (shield, n)));
    let plan = |(shield, replica): (&TranslatedShield, u32)| {
        let prefix = if several { format!("{}-", shield.name) } else { String::new() };
        ServerPlan {
            name: names.claim(format!("{prefix}shield-{replica}")),
            pool: shield.name.clone(),
            pop: None,
            ring: shield.ring.clone(),
            port: 0,
            own: None,
            snapshot: shield.snapshot.clone(),
        }
    };
    servers.map(plan).collect()
}

/// Names that are given away: purges are acknowledged by name, so each is one server's.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn claim(&mut self, name: String) -> String {
        let mut name = name.replace('/', "-");
        while !self.0.insert(name.clone()) {
            // As a PoP called `shield` would have it.
            name.push_str("-b");
        }
        name
    }
}

#[cfg(test)]
mod tests;
