//! Whether a zones document can be used.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::name::{is_domain, is_host, is_within};
use super::{
    FORMAT, Location, MAX_ADDRESSES, MAX_HOSTS, MAX_NAME, MAX_NAME_SERVERS, MAX_NETWORKS,
    MAX_POOLS, MAX_POPS, MAX_RULES, MAX_WEIGHT, MAX_ZONES, NameServer, Network, Pool, Pop, Rule,
    Zone, Zones,
};

/// A zones document cannot be used as it is written. `at` is the zone or pool, and the part of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ZonesError {
    /// Written for another release.
    #[error("zones format {0} is not {FORMAT}")]
    Format(u32),
    /// More of something than there may be, or less.
    #[error("{at}: {count} {what}, must be {least} to {most}")]
    Count {
        /// Where.
        at: String,
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there must be.
        least: usize,
        /// How many there may be.
        most: usize,
    },
    /// A number is out of its range.
    #[error("{at}: {field} {value} must be {least} to {most}")]
    Range {
        /// Where.
        at: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u32,
        /// The least it may be.
        least: u32,
        /// The most it may be.
        most: u32,
    },
    /// Not a domain name in the form of these documents.
    #[error("{at}: {name:?} is not a domain name in lower case without a last dot")]
    Domain {
        /// Where.
        at: String,
        /// The text.
        name: String,
    },
    /// A host that is not in its zone.
    #[error("zone {zone}: host {host} is not within it")]
    Outside {
        /// The zone.
        zone: String,
        /// The host.
        host: String,
    },
    /// A name server and a host have one name, and both have addresses.
    #[error("zone {zone}: name server {name} is a host too")]
    Server {
        /// The zone.
        zone: String,
        /// The name.
        name: String,
    },
    /// A host names a pool that is not there.
    #[error("zone {zone}: host {host} names pool {pool:?}, which is not there")]
    NoPool {
        /// The zone.
        zone: String,
        /// The host.
        host: String,
        /// The pool.
        pool: String,
    },
    /// A network or a rule names a PoP that is not there, or one twice.
    #[error("{at}: pop {pop:?} is not in the pool, or named twice")]
    NoPop {
        /// Where.
        at: String,
        /// The PoP.
        pop: String,
    },
    /// A name is empty, too long, or has spaces or other invisible characters.
    #[error("{at}: name {name:?} must be 1 to {MAX_NAME} visible ASCII characters")]
    Name {
        /// Where.
        at: String,
        /// The name.
        name: String,
    },
    /// Two things that must differ do not.
    #[error("{at}: {name} is there twice")]
    Twice {
        /// Where.
        at: String,
        /// What they are both called.
        name: String,
    },
    /// An address that no client can use.
    #[error("{at}: address {address} is not one that a client can reach")]
    Address {
        /// Where.
        at: String,
        /// The address.
        address: String,
    },
    /// Not on earth.
    #[error("{at}: latitude {latitude} must be -90 to 90, longitude {longitude} -180 to 180")]
    Location {
        /// Where.
        at: String,
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// A network has bits behind its prefix.
    #[error("{at}: has bits behind the prefix, is {network} meant")]
    Bits {
        /// Where.
        at: String,
        /// The network without them.
        network: String,
    },
    /// A network says both or neither.
    #[error("{at}: must have either pops or a location")]
    Either {
        /// Where.
        at: String,
    },
    /// A probe that cannot be sent.
    #[error(
        "{at}: probe {text:?} must be a path, a host, or an address of the PoP and where it is probed"
    )]
    Probe {
        /// Where.
        at: String,
        /// What it says.
        text: String,
    },
    /// Not where a router can be reached.
    #[error("{at}: {text:?} is not a host in lower case, or an address, with or without a port")]
    Authority {
        /// Where.
        at: String,
        /// What it says.
        text: String,
    },
    /// Not where a router can send clients.
    #[error(
        "{at}: url {url:?} must be http:// or https://, a host and a port if it is not the usual one"
    )]
    Url {
        /// Where.
        at: String,
        /// What it says.
        url: String,
    },
    /// Clients that are sent on would come back.
    #[error("{at}: clients sent to {to} would come back: it {reason}")]
    Loop {
        /// The PoP.
        at: String,
        /// Where they are sent.
        to: String,
        /// How they come back.
        reason: String,
    },
    /// A rule has no condition, or one that no database can meet.
    #[error("{at}: must have a continent or country of two capital letters, or a region")]
    Condition {
        /// Where.
        at: String,
    },
}

impl Zones {
    /// Whether the document can be used.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ZonesError> {
        if self.format != FORMAT {
            return Err(ZonesError::Format(self.format));
        }
        count("document", "zones", self.zones.len(), 0, MAX_ZONES)?;
        count("document", "pools", self.pools.len(), 0, MAX_POOLS)?;
        self.limits.check()?;
        for (name, zone) in &self.zones {
            self.check_zone(name, zone)?;
        }
        for (name, pool) in &self.pools {
            visible("pools", name)?;
            pool.check(name)?;
        }
        self.check_routers()
    }

    fn check_zone(&self, name: &str, zone: &Zone) -> Result<(), ZonesError> {
        let at = format!("zone {name}");
        domain(&at, name)?;
        count(&at, "name servers", zone.name_servers.len(), 1, MAX_NAME_SERVERS)?;
        count(&at, "hosts", zone.hosts.len(), 0, MAX_HOSTS)?;
        zone.soa.check(&at)?;
        let mut servers = BTreeSet::new();
        for server in &zone.name_servers {
            server.check(&at)?;
            if !servers.insert(&server.name) {
                return Err(ZonesError::Twice { at, name: server.name.clone() });
            }
            if zone.hosts.contains_key(&server.name) {
                return Err(ZonesError::Server { zone: name.into(), name: server.name.clone() });
            }
        }
        for (host, pool) in &zone.hosts {
            if !is_host(host) {
                return Err(ZonesError::Domain { at, name: host.clone() });
            }
            if !is_within(host, name) {
                return Err(ZonesError::Outside { zone: name.into(), host: host.clone() });
            }
            if !self.pools.contains_key(pool) {
                let (zone, host, pool) = (name.to_owned(), host.clone(), pool.clone());
                return Err(ZonesError::NoPool { zone, host, pool });
            }
        }
        Ok(())
    }
}

impl NameServer {
    fn check(&self, at: &str) -> Result<(), ZonesError> {
        domain(at, &self.name)?;
        addresses(&format!("{at}: {}", self.name), &self.v4, &self.v6)
    }
}

impl Pool {
    fn check(&self, name: &str) -> Result<(), ZonesError> {
        let at = format!("pool {name}");
        count(&at, "pops", self.pops.len(), 1, MAX_POPS)?;
        count(&at, "networks", self.networks.len(), 0, MAX_NETWORKS)?;
        count(&at, "rules", self.rules.len(), 0, MAX_RULES)?;
        self.steering.check(&at)?;
        self.probe.as_ref().map_or(Ok(()), |probe| probe.check(&at))?;
        let mut names = BTreeSet::new();
        for pop in &self.pops {
            pop.check(&at)?;
            if !names.insert(pop.name.as_str()) {
                return Err(ZonesError::Twice { at, name: pop.name.clone() });
            }
        }
        let mut networks = BTreeSet::new();
        for network in &self.networks {
            network.check(&at, &names)?;
            if !networks.insert(network.network) {
                return Err(ZonesError::Twice { at, name: network.network.to_string() });
            }
        }
        for (nth, rule) in self.rules.iter().enumerate() {
            rule.check(&format!("{at}: rules[{nth}]"), &names)?;
        }
        Ok(())
    }
}

impl Pop {
    fn check(&self, at: &str) -> Result<(), ZonesError> {
        visible(at, &self.name)?;
        let at = format!("{at}: pop {}", self.name);
        if let Some(region) = &self.region {
            visible(&at, region)?;
        }
        if let Some(location) = &self.location {
            location.check(&at)?;
        }
        if self.weight > MAX_WEIGHT {
            let (field, value, most) = ("weight", self.weight, MAX_WEIGHT);
            return Err(ZonesError::Range { at, field, value, least: 0, most });
        }
        if self.capacity == Some(0) {
            let (field, value, most) = ("capacity", 0, u32::MAX);
            return Err(ZonesError::Range { at, field, value, least: 1, most });
        }
        let both = self.v4.len().saturating_add(self.v6.len());
        count(&at, "addresses", both, 1, 2 * MAX_ADDRESSES)?;
        addresses(&at, &self.v4, &self.v6)?;
        super::router::check_url(&at, self)?;
        self.check_probes(&at)
    }
}

impl Network {
    fn check(&self, at: &str, pops: &BTreeSet<&str>) -> Result<(), ZonesError> {
        let at = format!("{at}: network {}", self.network);
        if self.network != self.network.trunc() {
            return Err(ZonesError::Bits { at, network: self.network.trunc().to_string() });
        }
        match (&self.location, self.pops.is_empty()) {
            (Some(location), true) => location.check(&at),
            (None, false) => named(&at, &self.pops, pops),
            _ => Err(ZonesError::Either { at }),
        }
    }
}

impl Rule {
    fn check(&self, at: &str, pops: &BTreeSet<&str>) -> Result<(), ZonesError> {
        let code = |code: &Option<String>| match code {
            Some(code) => code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()),
            None => true,
        };
        // Regions have names in any script.
        let region = self.region.as_ref();
        let region_fits = region.is_none_or(|name| (1..=MAX_NAME).contains(&name.len()));
        let any = self.continent.is_some() || self.country.is_some() || region.is_some();
        if !any || !code(&self.continent) || !code(&self.country) || !region_fits {
            return Err(ZonesError::Condition { at: at.to_owned() });
        }
        count(at, "pops", self.pops.len(), 1, MAX_POPS)?;
        named(at, &self.pops, pops)
    }
}

impl Location {
    fn check(&self, at: &str) -> Result<(), ZonesError> {
        let Self { latitude, longitude } = *self;
        if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) {
            return Ok(());
        }
        Err(ZonesError::Location { at: at.to_owned(), latitude, longitude })
    }
}

fn count(
    at: &str,
    what: &'static str,
    count: usize,
    least: usize,
    most: usize,
) -> Result<(), ZonesError> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(ZonesError::Count { at: at.to_owned(), what, count, least, most })
}

fn domain(at: &str, name: &str) -> Result<(), ZonesError> {
    if is_domain(name) {
        return Ok(());
    }
    Err(ZonesError::Domain { at: at.to_owned(), name: name.to_owned() })
}

fn visible(at: &str, name: &str) -> Result<(), ZonesError> {
    let fits = (1..=MAX_NAME).contains(&name.len());
    if fits && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ZonesError::Name { at: at.to_owned(), name: name.to_owned() })
}

fn named(at: &str, names: &[String], pops: &BTreeSet<&str>) -> Result<(), ZonesError> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !pops.contains(name.as_str()) || !seen.insert(*name)) {
        Some(pop) => Err(ZonesError::NoPop { at: at.to_owned(), pop: pop.clone() }),
        None => Ok(()),
    }
}

fn addresses(at: &str, v4: &[Ipv4Addr], v6: &[Ipv6Addr]) -> Result<(), ZonesError> {
    count(at, "IPv4 addresses", v4.len(), 0, MAX_ADDRESSES)?;
    count(at, "IPv6 addresses", v6.len(), 0, MAX_ADDRESSES)?;
    let wrong = |address: String| Err(ZonesError::Address { at: at.to_owned(), address });
    if let Some(bad) =
        v4.iter().find(|a| a.is_unspecified() || a.is_multicast() || a.is_broadcast())
    {
        return wrong(bad.to_string());
    }
    let mapped = |a: &Ipv6Addr| a.to_ipv4_mapped().is_some();
    if let Some(bad) = v6.iter().find(|a| a.is_unspecified() || a.is_multicast() || mapped(a)) {
        return wrong(bad.to_string());
    }
    let twice = |name: String| Err(ZonesError::Twice { at: at.to_owned(), name });
    if let Some(nth) = (1..v4.len()).find(|nth| v4[..*nth].contains(&v4[*nth])) {
        return twice(v4[nth].to_string());
    }
    if let Some(nth) = (1..v6.len()).find(|nth| v6[..*nth].contains(&v6[*nth])) {
        return twice(v6[nth].to_string());
    }
    Ok(())
}
