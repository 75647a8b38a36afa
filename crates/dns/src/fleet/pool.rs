//! A pool, made ready to choose from.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;
use wire::zones::{Location, MAX_POPS, Pop, Probe, Rule, Steering};
use xxhash_rust::xxh3::xxh3_64;

use crate::place::{Networks, Place, Spot};

/// PoPs of one family of addresses at most.
pub const MAX_TARGETS: usize = MAX_POPS;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// A records.
    V4 = 0,
    /// AAAA records.
    V6 = 1,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];
}

/// A pool: its PoPs, once for each family of addresses, as one can be reached where the other cannot.
#[derive(Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How it answers.
    pub steering: Steering,
    /// How its PoPs are probed, if they are.
    pub probe: Option<Probe>,
    /// How clients are sent to its PoPs over HTTP, if they are.
    pub router: Option<Router>,
    sides: [Side; 2],
    networks: Networks,
    /// What belongs to each of the networks.
    entries: Vec<Listed>,
    rules: Vec<(Rule, Listed)>,
}

/// How clients of a pool are sent on over HTTP.
#[derive(Debug)]
pub struct Router {
    /// As the document says.
    pub settings: wire::zones::Router,
    trusted: Networks,
}

impl Router {
    fn new(settings: &wire::zones::Router) -> Self {
        let trusted = Networks::new(settings.trusted_proxies.iter().copied());
        Self { settings: settings.clone(), trusted }
    }

    /// Whether an address is that of a proxy that is believed about clients.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.find(address).0.is_some()
    }
}

/// The PoPs that have an address of one family.
#[derive(Debug, Default)]
pub struct Side {
    /// In the order of their names.
    pub targets: Vec<Target>,
}

/// A PoP, by its addresses of one family.
#[derive(Clone, Debug)]
pub struct Target {
    /// The PoP's name.
    pub name: String,
    /// Its region.
    pub region: Option<String>,
    /// Where it is.
    pub spot: Option<Spot>,
    /// Its share among equals; 0 = out of DNS.
    pub weight: u32,
    /// Requests per second that it may get, over both families.
    pub capacity: Option<u32>,
    /// Its addresses of the family, at least one.
    pub addresses: SmallVec<[IpAddr; 2]>,
    /// Where each of them is probed; without probes, of no meaning.
    pub probed_at: Box<[SocketAddr]>,
    /// Where the router sends clients: scheme and authority.
    pub url: Option<String>,
    /// The document takes it out.
    pub maintenance: bool,
    /// Tells it from the others in clients' hashes.
    pub seed: u64,
}

/// What is said of some clients.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Which PoPs they get first: places in either side's targets.
    Pops([SmallVec<[u16; 4]>; 2]),
    /// Where they are.
    At(Spot),
}

impl Pool {
    /// A pool that was checked.
    pub(super) fn new(name: &str, pool: &wire::zones::Pool) -> Self {
        let port = pool.probe.as_ref().map_or(0, |probe| probe.port);
        let sides = [
            Side::new(&pool.pops, port, |pop| pop.v4.iter().copied().map(IpAddr::V4).collect()),
            Side::new(&pool.pops, port, |pop| pop.v6.iter().copied().map(IpAddr::V6).collect()),
        ];
        let listed = |pops: &[String]| {
            let places = |side: &Side| pops.iter().filter_map(|pop| side.place(pop)).collect();
            Listed::Pops([places(&sides[0]), places(&sides[1])])
        };
        let at = |location: Location| Spot::new(location).map(Listed::At);
        let entry = |network: &wire::zones::Network| {
            network.location.and_then(at).unwrap_or_else(|| listed(&network.pops))
        };
        Self {
            name: name.to_owned(),
            steering: pool.steering.clone(),
            probe: pool.probe.clone(),
            router: pool.router.as_ref().map(Router::new),
            networks: Networks::new(pool.networks.iter().map(|network| network.network)),
            entries: pool.networks.iter().map(entry).collect(),
            rules: pool.rules.iter().map(|rule| (rule.clone(), listed(&rule.pops))).collect(),
            sides,
        }
    }

    /// The PoPs of a family.
    #[must_use]
    pub fn side(&self, family: Family) -> &Side {
        &self.sides[family as usize]
    }

    /// What its networks say of an address, and how many bits of it had to be looked at.
    #[must_use]
    pub fn network(&self, address: IpAddr) -> (Option<&Listed>, u8) {
        let (found, bits) = self.networks.find(address);
        (found.and_then(|nth| self.entries.get(nth)), bits)
    }

    /// What the first rule says that fits a place.
    #[must_use]
    pub fn rule(&self, place: &Place<'_>) -> Option<&Listed> {
        let fits = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        let found = self.rules.iter().find(|(rule, _)| {
            fits(&rule.continent, place.continent)
                && fits(&rule.country, place.country)
                && fits(&rule.region, place.region)
        });
        found.map(|(_, listed)| listed)
    }
}

impl Side {
    fn new(pops: &[Pop], port: u16, addresses: impl Fn(&Pop) -> SmallVec<[IpAddr; 2]>) -> Self {
        let probed_at = |pop: &Pop| {
            let there = |address: IpAddr| pop.probe_at.get(&address).copied();
            let place = |address| there(address).unwrap_or_else(|| SocketAddr::new(address, port));
            addresses(pop).into_iter().map(place).collect()
        };
        let target = |pop: &Pop| Target {
            name: pop.name.clone(),
            region: pop.region.clone(),
            spot: pop.location.and_then(Spot::new),
            weight: pop.weight,
            capacity: pop.capacity,
            addresses: addresses(pop),
            probed_at: probed_at(pop),
            url: pop.url.clone(),
            maintenance: pop.maintenance,
            seed: xxh3_64(pop.name.as_bytes()),
        };
        let mut targets: Vec<_> =
            pops.iter().map(target).filter(|target| !target.addresses.is_empty()).collect();
        targets.sort_by(|a, b| a.name.cmp(&b.name));
        targets.truncate(MAX_TARGETS);
        Self { targets }
    }

    /// The place of a PoP among the targets.
    #[must_use]
    pub fn place(&self, pop: &str) -> Option<u16> {
        let by_name = |target: &Target| -> Ordering { target.name.as_str().cmp(pop) };
        self.targets.binary_search_by(by_name).ok().map(|place| place as u16)
    }
}
