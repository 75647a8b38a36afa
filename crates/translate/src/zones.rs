//! Pools → what a GeoDNS runs on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use wire::Zones;
use wire::zones::{
    AnswerLimits, FORMAT, Location, NameServer, Network, Pool, Pop, Probe, Router, Rule, Zone,
    ZonesError,
};

use crate::translation::TranslatedPool;

/// What resources do not say: the zones that were delegated here, and how they are answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Authority {
    /// By name. Hosts that are written here stay as they are.
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
        let pops: Vec<_> = pool
            .pops
            .iter()
            .map(|pop| place(pop, &reached(&pool.name, &pop.name)))
            .filter(|pop| !pop.v4.is_empty() || !pop.v6.is_empty())
            .collect();
        if pops.is_empty() {
            continue;
        }
        let hosts = pool.snapshot.sites.iter().flat_map(|site| &site.hosts);
        // Nobody asks for the address of an address.
        let named = hosts.filter(|host| host.parse::<Ipv4Addr>().is_err());
        claims.extend(named.map(|host| (host.as_str(), pool.name.as_str())));
        let made_of = Pool {
            networks: networks(pool, &pops),
            rules: rules(pool, &pops),
            steering: pool.routing.steering.clone(),
            probe: authority.probe.clone(),
            router: authority.router.clone(),
            pops,
        };
        made.insert(pool.name.clone(), made_of);
    }
    let mut zones = authority.zones.clone();
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

fn place(pop: &crate::Pop, reached: &[Reached]) -> Pop {
    let (mut v4, mut v6, mut probe_at) = (Vec::new(), Vec::new(), BTreeMap::new());
    for Reached { address, probe } in reached {
        match address.to_canonical() {
            IpAddr::V4(address) if !v4.contains(&address) => v4.push(address),
            IpAddr::V6(address) if !v6.contains(&address) => v6.push(address),
            _ => continue,
        }
        probe_at.extend(probe.map(|probe| (address.to_canonical(), probe)));
    }
    Pop {
        name: pop.name.clone(),
        region: pop.region.clone(),
        location: pop
            .location
            .map(|place| Location { latitude: place.latitude, longitude: place.longitude }),
        weight: pop.weight,
        capacity: pop.capacity,
        v4,
        v6,
        probe_at,
        url: pop.url.clone(),
        maintenance: pop.maintenance,
    }
}

/// Those of `wanted` that are there.
fn present(wanted: &[String], pops: &[Pop]) -> Vec<String> {
    wanted.iter().filter(|name| pops.iter().any(|pop| pop.name == **name)).cloned().collect()
}

/// Without those whose PoPs have no address yet; then what is known of a network within which they lie counts.
fn networks(pool: &TranslatedPool, pops: &[Pop]) -> Vec<Network> {
    let networks = pool.routing.networks.iter().map(|network| {
        let (network, location) = (network.clone(), network.location);
        Network { pops: present(&network.pops, pops), location, network: network.network }
    });
    networks.filter(|network| network.location.is_some() || !network.pops.is_empty()).collect()
}

fn rules(pool: &TranslatedPool, pops: &[Pop]) -> Vec<Rule> {
    let rules = pool.routing.rules.iter();
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
