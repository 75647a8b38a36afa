//! Pools → what a GeoDNS runs on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use wire::Zones;
use wire::zones::{
    AnswerLimits, FORMAT, Location, NameServer, Network, Pool, Pop, Probe, Router, Rule, Zone,
    ZonesError,
};

use crate::translation::{Routing, TranslatedPool};

/// What resources do not say: the zones that were delegated here, and how they are answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Authority {
    /// By name. Hosts that are written here stay as they are, once their pools have addresses.
    pub zones: BTreeMap<String, Zone>,
    /// Of hosts outside of these zones: each gets a zone of its own, which this serves.
    pub name_server: NameServer,
    /// How all PoPs are probed; `None` = not at all.
    pub probe: Option<Probe>,
    /// How HTTP clients are redirected; `None` = not at all.
    pub router: Option<Router>,
    /// Against floods.
    pub limits: AnswerLimits,
}

/// An address at which clients reach the edges of a PoP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The address.
    pub address: IpAddr,
    /// Where it is probed, if not there at the port of the probe.
    pub probe: Option<SocketAddr>,
}

/// What a GeoDNS runs on to answer for these pools. `reached` says of a pool and a PoP where its edges are; one
/// without an address is left out, of networks and rules, too, and so are the hosts of a pool without any. Pure.
///
/// A wildcard of an edge stands for all names below it that nobody else has, one of DNS does not reach past names
/// that exist (RFC 4592, section 4.4). So it is written again wherever a name within it hides it.
///
/// # Errors
/// The first thing for which the result could not be used.
pub fn zones(
    pools: &[TranslatedPool],
    authority: &Authority,
    mut reached: impl FnMut(&str, &str) -> Vec<Reached>,
) -> Result<Zones, ZonesError> {
    let mut made = BTreeMap::new();
    let mut claims: BTreeMap<&str, &str> = BTreeMap::new();
    for pool in pools {
        let reached = |pop: &str| reached(&pool.name, pop);
        let Some(answered) = answered(&pool.pops, &pool.routing, authority, reached) else {
            continue;
        };
        let hosts = pool.snapshot.sites.iter().flat_map(|site| &site.hosts);
        // Nobody asks for the address of an address.
        let named = hosts.filter(|host| host.parse::<Ipv4Addr>().is_err());
        claims.extend(named.map(|host| (host.as_str(), pool.name.as_str())));
        made.insert(pool.name.clone(), answered);
    }
    let mut zones = authority.zones.clone();
    for zone in zones.values_mut() {
        zone.hosts.retain(|_, pool| made.contains_key(pool));
    }
    let mut bases: Vec<&str> = claims.keys().map(|host| base(host)).collect();
    bases.sort_by_key(|base| base.split('.').count());
    for base in bases {
        if zone_of(base, &zones).is_none() {
            let name_servers = vec![authority.name_server.clone()];
            zones.insert(base.to_owned(), Zone { name_servers, ..Zone::default() });
        }
    }
    fill(&mut zones, &claims);
    let (version, limits) = (String::new(), authority.limits.clone());
    let mut zones = Zones { format: FORMAT, version, zones, pools: made, limits };
    // Plain data with text keys always has a JSON form.
    let content = serde_json::to_vec(&zones).unwrap_or_default();
    zones.version = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&content));
    zones.check()?;
    Ok(zones)
}

/// What a GeoDNS has of a pool; `None` while none of its places has an address.
fn answered(
    pops: &[crate::Pop],
    routing: &Routing,
    authority: &Authority,
    mut reached: impl FnMut(&str) -> Vec<Reached>,
) -> Option<Pool> {
    let pops = pops.iter().map(|pop| place(pop, &reached(&pop.name)));
    let pops: Vec<_> = pops.filter(|pop| !pop.v4.is_empty() || !pop.v6.is_empty()).collect();
    (!pops.is_empty()).then(|| Pool {
        networks: networks(routing, &pops),
        rules: rules(routing, &pops),
        steering: routing.steering.clone(),
        probe: authority.probe.clone(),
        router: authority.router.clone(),
        pops,
    })
}

/// An address for documentation (RFC 3849), at which nobody is.
fn nowhere() -> Vec<Reached> {
    let address = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0xffff));
    vec![Reached { address, probe: None }]
}

/// That a GeoDNS can go by the places of a pool and by how it sends clients there. Hosts, and where routers are, can
/// be judged only with those of all others.
///
/// # Errors
/// The first thing for which it could not.
pub(crate) fn check_places(pops: &[crate::Pop], routing: &Routing) -> Result<(), ZonesError> {
    let (format, version, limits) = (FORMAT, String::new(), AnswerLimits::default());
    let pool = answered(pops, routing, &Authority::default(), |_| nowhere());
    let pools = pool.map(|pool| ("pool".to_owned(), pool)).into_iter().collect();
    Zones { format, version, zones: BTreeMap::new(), pools, limits }.check()
}

impl Authority {
    /// That pools can be answered for with it: what is wrong here would be wrong with each of them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ZonesError> {
        const POOL: &str = "pool";
        let pop = Pop {
            name: "pop".to_owned(),
            region: None,
            location: None,
            weight: 0,
            capacity: None,
            v4: Vec::new(),
            v6: Vec::new(),
            probe_at: BTreeMap::new(),
            url: None,
            maintenance: false,
        };
        let pop = with_addresses(pop, &nowhere());
        let (probe, router) = (self.probe.clone(), self.router.clone());
        let pool = Pool { pops: vec![pop], probe, router, ..Pool::default() };
        let mut zones = self.zones.clone();
        for pool in zones.values_mut().flat_map(|zone| zone.hosts.values_mut()) {
            POOL.clone_into(pool);
        }
        let name_servers = vec![self.name_server.clone()];
        zones.entry("pool.invalid".to_owned()).or_insert(Zone { name_servers, ..Zone::default() });
        let (version, limits) = (String::new(), self.limits.clone());
        let pools = [(POOL.to_owned(), pool)].into();
        Zones { format: FORMAT, version, zones, pools, limits }.check()
    }
}

fn with_addresses(mut pop: Pop, reached: &[Reached]) -> Pop {
    for Reached { address, probe } in reached {
        match address.to_canonical() {
            IpAddr::V4(address) if !pop.v4.contains(&address) => pop.v4.push(address),
            IpAddr::V6(address) if !pop.v6.contains(&address) => pop.v6.push(address),
            _ => continue,
        }
        pop.probe_at.extend(probe.map(|probe| (address.to_canonical(), probe)));
    }
    pop
}

fn place(pop: &crate::Pop, reached: &[Reached]) -> Pop {
    let without = Pop {
        name: pop.name.clone(),
        region: pop.region.clone(),
        location: pop
            .location
            .map(|place| Location { latitude: place.latitude, longitude: place.longitude }),
        weight: pop.weight,
        capacity: pop.capacity,
        v4: Vec::new(),
        v6: Vec::new(),
        probe_at: BTreeMap::new(),
        url: pop.url.clone(),
        maintenance: pop.maintenance,
    };
    with_addresses(without, reached)
}

/// Those of `wanted` that are there.
fn present(wanted: &[String], pops: &[Pop]) -> Vec<String> {
    wanted.iter().filter(|name| pops.iter().any(|pop| pop.name == **name)).cloned().collect()
}

/// Without those whose PoPs have no address yet; then what is known of a network within which they lie counts.
fn networks(routing: &Routing, pops: &[Pop]) -> Vec<Network> {
    let networks = routing.networks.iter().map(|network| {
        let (network, location) = (network.clone(), network.location);
        Network { pops: present(&network.pops, pops), location, network: network.network }
    });
    networks.filter(|network| network.location.is_some() || !network.pops.is_empty()).collect()
}

fn rules(routing: &Routing, pops: &[Pop]) -> Vec<Rule> {
    let rules = routing.rules.iter();
    let rules = rules.map(|rule| Rule { pops: present(&rule.pops, pops), ..rule.clone() });
    rules.filter(|rule| !rule.pops.is_empty()).collect()
}

/// The hosts of all zones, wildcards wherever names that exist hide those above.
fn fill(zones: &mut BTreeMap<String, Zone>, claims: &BTreeMap<&str, &str>) {
    let mut exist: BTreeSet<String> = zones.keys().cloned().collect();
    let mut servers = BTreeSet::new();
    for zone in zones.values() {
        servers.extend(zone.name_servers.iter().map(|server| server.name.clone()));
    }
    for name in claims.keys().map(|host| base(host)).chain(servers.iter().map(String::as_str)) {
        exist.extend(upwards(name).map(str::to_owned));
    }
    for name in exist {
        let Some(zone) = zone_of(&name, zones).and_then(|zone| zones.get_mut(&zone)) else {
            continue;
        };
        let wild = |from: &str| {
            upwards(from).find_map(|above| claims.get(format!("*.{above}").as_str()).copied())
        };
        let above = name.split_once('.').and_then(|(_, above)| wild(above));
        if let Some(pool) = claims.get(name.as_str()).copied().or(above)
            && !servers.contains(&name)
        {
            zone.hosts.entry(name.clone()).or_insert_with(|| pool.to_owned());
        }
        if let Some(pool) = wild(&name) {
            zone.hosts.entry(format!("*.{name}")).or_insert_with(|| pool.to_owned());
        }
    }
}

fn base(host: &str) -> &str {
    host.strip_prefix("*.").unwrap_or(host)
}

/// A name and all above it, the longest first.
fn upwards(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
}

/// The longest zone that has a name.
fn zone_of(name: &str, zones: &BTreeMap<String, Zone>) -> Option<String> {
    upwards(name).find(|name| zones.contains_key(*name)).map(str::to_owned)
}

#[cfg(test)]
mod tests;
