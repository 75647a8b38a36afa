//! What a GeoDNS answers for: zones, their hosts, and the PoPs of the pools behind them.
//!
//! A document of its own, as it changes by other causes than a pool's [`Snapshot`](crate::Snapshot). Like that one
//! a machine format: every name spelled out, unknown names refused. Domain names are written in lower case, without
//! a dot at the end, as ASCII (RFC 5890 A-labels).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

mod check;
mod name;
mod probe;
mod router;
mod settings;

pub use check::ZonesError;
pub use name::is_domain;
pub use probe::Probe;
pub use router::{ClientFrom, Router};
pub use settings::{AnswerLimits, Soa, Steering};

/// The number of this format; a process refuses any other.
pub const FORMAT: u32 = 1;
/// Zones at most.
pub const MAX_ZONES: usize = 1_000;
/// Hosts of one zone at most.
pub const MAX_HOSTS: usize = 10_000;
/// Name servers of one zone at most.
pub const MAX_NAME_SERVERS: usize = 8;
/// Pools at most.
pub const MAX_POOLS: usize = 1_000;
/// PoPs of one pool at most.
pub const MAX_POPS: usize = 256;
/// Addresses of one family of a PoP or a name server at most.
pub const MAX_ADDRESSES: usize = 8;
/// Networks of one pool at most.
pub const MAX_NETWORKS: usize = 10_000;
/// Rules of one pool at most.
pub const MAX_RULES: usize = 1_000;
/// The greatest weight of a PoP.
pub const MAX_WEIGHT: u32 = 1_000;
/// Bytes of a PoP's, pool's or region's name at most.
pub const MAX_NAME: usize = 253;
/// PoPs named in one answer at most.
pub const MAX_ANSWERS: u32 = 3;
/// The longest time to live and the longest of the other times, in seconds: a week.
pub const MAX_SECONDS: u32 = 604_800;

/// All that a GeoDNS answers for. Read it, then [`check`](Zones::check) it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Zones {
    /// [`FORMAT`].
    pub format: u32,
    /// Names this content; a process reports the version that it runs.
    pub version: String,
    /// By their names: `cdn.example.com`. The longest that a question's name ends with answers it.
    pub zones: BTreeMap<String, Zone>,
    /// By name: what hosts call them.
    pub pools: BTreeMap<String, Pool>,
    /// Against use of the answers to flood others.
    #[serde(default)]
    pub limits: AnswerLimits,
}

/// A part of the name space that is answered for with authority.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Zone {
    /// 1 to [`MAX_NAME_SERVERS`].
    pub name_servers: Vec<NameServer>,
    /// The fields of its SOA record.
    #[serde(default)]
    pub soa: Soa,
    /// From a host within the zone, or the zone itself, to the name of its pool. `*.cdn.example.com` stands for all
    /// that exist otherwise neither themselves nor as a part of another host's name (RFC 4592).
    #[serde(default)]
    pub hosts: BTreeMap<String, String>,
}

/// A server of a zone, for its NS records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NameServer {
    /// Its domain name.
    pub name: String,
    /// Answered for it if its name is within the zone; at most [`MAX_ADDRESSES`].
    #[serde(default)]
    pub v4: Vec<Ipv4Addr>,
    /// Likewise.
    #[serde(default)]
    pub v6: Vec<Ipv6Addr>,
}

/// The PoPs that serve the same hosts, and how clients are sent to them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pool {
    /// 1 to [`MAX_POPS`]. Their order means nothing.
    pub pops: Vec<Pop>,
    /// Where clients are, or which PoPs they get: the longest network that has the client's address counts, before
    /// the database does.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// Which PoPs clients of a country, a part of it or a continent get first. The first that fits counts; a network
    /// with PoPs counts before.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// How it answers.
    #[serde(default)]
    pub steering: Steering,
    /// How its PoPs are probed; without, nobody does, and all are taken for well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// How clients are sent to PoPs over HTTP; without, nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<Router>,
}

/// A point of presence, as DNS sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pop {
    /// 1 to [`MAX_NAME`] visible ASCII characters, no other PoP of the pool has it.
    pub name: String,
    /// The region that it belongs to, for people; named as a PoP is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Without, clients come only after all PoPs that have one, or by weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Its share of the clients among PoPs that suit them equally, 0 to [`MAX_WEIGHT`]; 0 = out of DNS.
    #[serde(default = "usual_weight")]
    pub weight: u32,
    /// Requests per second that it may get; without, any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Where clients reach it; at most [`MAX_ADDRESSES`], and one of either family.
    #[serde(default)]
    pub v4: Vec<Ipv4Addr>,
    /// Likewise.
    #[serde(default)]
    pub v6: Vec<Ipv6Addr>,
    /// Of these addresses: where they are probed instead of at the pool's port.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub probe_at: BTreeMap<IpAddr, SocketAddr>,
    /// Where the router sends clients, `scheme://host:port` of this PoP alone: `https://fra.cdn.example.com`. In it
    /// `{host}` stands for the host that the client asked for: `https://fra.{host}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Taken out by whoever wrote the document: clients leave it over the ramp.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maintenance: bool,
}

/// A place on earth.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

/// What is known of the clients of a network: either their PoPs or where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// `192.0.2.0/24`, without bits behind the prefix; no other of the pool is the same.
    pub network: IpNet,
    /// The best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pops: Vec<String>,
    /// Where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// Which PoPs some clients get first. Of continent, country and region at least one is given, and all that are must
/// fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Two letters in capitals, as the database writes it: `EU`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continent: Option<String>,
    /// Two letters in capitals (ISO 3166-1): `CH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// A part of a country as the database writes it: a code (ISO 3166-2, `CA`) or a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The best first. All others come behind, the nearest first.
    pub pops: Vec<String>,
}

fn usual_weight() -> u32 {
    100
}

#[cfg(test)]
mod tests;
