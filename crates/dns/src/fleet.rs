//! The zones document, made ready to answer from.

use std::net::{Ipv4Addr, Ipv6Addr};

use smallvec::SmallVec;
use wire::zones::{AnswerLimits, NameServer, ZonesError};

use crate::packet::{MAX_DOMAIN, Name};
use crate::redirect::Authority;

mod names;
mod places;
mod pool;

pub use names::{Lookup, Owner};
pub use pool::{Family, Listed, MAX_TARGETS, Pool, Router, Side, Target};

use names::Names;

/// All that is answered for. Made once for each content of the document, never changed, shared in an `Arc`. By default
/// nothing, and the version is empty.
#[derive(Debug, Default)]
pub struct Fleet {
    version: String,
    limits: AnswerLimits,
    names: Names,
    zones: Vec<Zone>,
    pools: Vec<Pool>,
    /// PoPs that have names of their own: the pool, and their places in either side's targets.
    places: Vec<(usize, [Option<u16>; 2])>,
    /// The pools by the names of their routers.
    routers: Vec<(Authority, usize)>,
}

/// A zone, its records as they stand in packets.
#[derive(Debug)]
pub struct Zone {
    /// Its name.
    pub apex: Box<[u8]>,
    /// The data of its SOA record.
    pub soa: Box<[u8]>,
    /// Of NS and SOA records, and of name servers' addresses, in seconds.
    pub ttl: u32,
    /// Of the SOA record of an answer that something does not exist, in seconds.
    pub negative_ttl: u32,
    /// Its name servers.
    pub servers: Vec<Server>,
}

/// A name server.
#[derive(Debug)]
pub struct Server {
    /// Its name.
    pub name: Box<[u8]>,
    /// Whether the name is within the zone, so that the addresses are answered here.
    pub within: bool,
    /// Its addresses.
    pub v4: SmallVec<[Ipv4Addr; 2]>,
    /// Its addresses.
    pub v6: SmallVec<[Ipv6Addr; 2]>,
}

impl Fleet {
    /// Makes a document ready.
    ///
    /// # Errors
    /// What [`check`](wire::Zones::check) says.
    pub fn new(zones: &wire::Zones) -> Result<Self, ZonesError> {
        zones.check()?;
        let (pool_names, pools): (Vec<_>, Vec<_>) =
            zones.pools.iter().map(|(name, pool)| (name.as_str(), Pool::new(name, pool))).unzip();
        let mut names = Names::default();
        // Zones within zones come behind those around them and take their names over.
        let mut order: Vec<_> = zones.zones.iter().collect();
        order.sort_by_key(|(name, _)| name.split('.').count());
        let mut made: Vec<Zone> = Vec::new();
        for (name, zone) in order {
            let Some(ready) = Zone::new(name, zone) else {
                return Err(ZonesError::Domain { at: "zones".into(), name: name.clone() });
            };
            let nth = made.len();
            names.zone(&ready.apex, nth);
            for (server, known) in ready.servers.iter().enumerate().filter(|(_, s)| s.within) {
                names.own(&known.name, nth, Owner::Server(server));
            }
            made.push(ready);
        }
        for (name, zone) in &zones.zones {
            for (host, pool) in &zone.hosts {
                let Ok(pool) = pool_names.binary_search(&pool.as_str()) else { continue };
                let (host, wild) = match host.strip_prefix("*.") {
                    Some(parent) => (parent, true),
                    None => (host.as_str(), false),
                };
                let (Some(host), Some(apex)) = (Name::encode(host), Name::encode(name)) else {
                    continue;
                };
                // What lies in a zone within this one is that one's.
                let Some(nth) = names.zone_of(&host).filter(|nth| made[*nth].apex == apex) else {
                    continue;
                };
                match wild {
                    true => names.wildcard(&host, nth, pool),
                    false => names.own(&host, nth, Owner::Pool(pool)),
                }
            }
        }
        let places = places::name(zones, &pools, &mut names);
        let (version, limits) = (zones.version.clone(), zones.limits.clone());
        let of = |(nth, pool): (usize, &Pool)| {
            let names = pool.router.iter().flat_map(|router| &router.settings.names);
            names.filter_map(|name| Some((Authority::read(name)?, nth))).collect::<Vec<_>>()
        };
        let routers = pools.iter().enumerate().flat_map(of).collect();
        Ok(Self { version, limits, names, zones: made, pools, places, routers })
    }

    /// The version of the document.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How often one network may get the same answer.
    #[must_use]
    pub fn limits(&self) -> &AnswerLimits {
        &self.limits
    }

    /// Who owns a name, in lower case.
    #[must_use]
    pub fn lookup(&self, name: Name<'_>) -> Lookup {
        self.names.lookup(name)
    }

    /// The pool whose router clients mean by a host: one of the pool's hosts or of the router's names. A port that is
    /// not said may be any.
    #[must_use]
    pub fn routed(&self, asked: &Authority) -> Option<usize> {
        let has_router = |pool: &usize| self.pools.get(*pool).is_some_and(|p| p.router.is_some());
        let here = |own: &Authority| {
            let port = own.port.zip(asked.port);
            own.host == asked.host && port.is_none_or(|(own, asked)| own == asked)
        };
        if let Some((_, pool)) = self.routers.iter().find(|(own, _)| here(own)) {
            return Some(*pool);
        }
        let bytes = Name::encode(&asked.host)?;
        let mut lower = [0; MAX_DOMAIN];
        match self.lookup(Name::read(&bytes)?.lower(&mut lower)) {
            Lookup::Found { owner: Owner::Pool(pool), .. } => Some(pool).filter(has_router),
            _ => None,
        }
    }

    /// A PoP that has a name of its own: its pool, and its place in either side's targets.
    #[must_use]
    pub fn place(&self, nth: usize) -> Option<(usize, [Option<u16>; 2])> {
        self.places.get(nth).copied()
    }

    /// The zones, as [`lookup`](Self::lookup) counts them.
    #[must_use]
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The pools, in the order of their names.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        &self.pools
    }
}

impl Zone {
    fn new(name: &str, zone: &wire::zones::Zone) -> Option<Self> {
        let apex = Name::encode(name)?;
        let servers: Vec<_> =
            zone.name_servers.iter().map(|s| Server::new(s, name)).collect::<Option<_>>()?;
        let mailbox = match &zone.soa.mailbox {
            Some(mailbox) => Name::encode(mailbox)?,
            None => Name::encode(&format!("hostmaster.{name}")).unwrap_or_else(|| apex.clone()),
        };
        let mut soa = servers.first()?.name.to_vec();
        soa.extend_from_slice(&mailbox);
        let fields = &zone.soa;
        let numbers =
            [fields.serial, fields.refresh, fields.retry, fields.expire, fields.negative_ttl];
        soa.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        //= rfc2308#3
        let negative_ttl = fields.negative_ttl.min(fields.ttl);
        Some(Self { apex, soa: soa.into(), ttl: fields.ttl, negative_ttl, servers })
    }
}

impl Server {
    fn new(server: &NameServer, zone: &str) -> Option<Self> {
        let rest = server.name.strip_suffix(zone);
        Some(Self {
            name: Name::encode(&server.name)?,
            within: rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            v4: server.v4.iter().copied().collect(),
            v6: server.v6.iter().copied().collect(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
