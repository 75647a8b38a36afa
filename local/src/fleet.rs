//! Who is there, as a document for every server. Pure.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use wire::Fleet;
use wire::fleet::{FORMAT, Member, Ring};
use xxhash_rust::xxh3::xxh3_64;

/// A server's place on a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The ring.
    pub ring: String,
    /// The server.
    pub name: String,
    /// Where tiers reach it.
    pub address: SocketAddr,
    /// Where clients reach it, if they do.
    pub public: Option<SocketAddr>,
    /// Its PoP, if it is an edge.
    pub pop: Option<String>,
}

/// The document of `seats`, whatever their order. The same content has the same version.
pub fn fleet(seats: impl IntoIterator<Item = Seat>) -> Fleet {
    const WEIGHT: u32 = 100;
    let mut rings = BTreeMap::<String, Ring>::new();
    for Seat { ring, name, address, public, pop } in seats {
        let url = format!("http://{address}");
        let public = public.map(|address| address.to_string());
        let member = Member { name, url, weight: WEIGHT, pop, public };
        rings.entry(ring).or_default().members.push(member);
    }
    for ring in rings.values_mut() {
        ring.members.sort();
    }
    let unnamed = Fleet { format: FORMAT, version: String::new(), rings };
    // Plain data with text keys always has a JSON form.
    let content = serde_json::to_vec(&unnamed).unwrap_or_default();
    Fleet { version: format!("{:016x}", xxh3_64(&content)), ..unnamed }
}

#[cfg(test)]
mod tests;
