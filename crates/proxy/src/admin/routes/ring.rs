//! A ring as this node sees it.

use serde::Serialize;
use upstream::ring::Standing;

use crate::config::Node;
use crate::rings::{Bounds, Ring};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownRing<'a> {
    name: &'a str,
    /// Names the ring's points: equal on all nodes that see the same members.
    digest: String,
    points: usize,
    /// The key's.
    owner: Option<String>,
    /// Who is asked for the key, and why that one; from here.
    pick: Option<String>,
    reason: Option<&'static str>,
    /// Owner first.
    successors: Vec<String>,
    members: Vec<ShownMember>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMember {
    name: String,
    url: String,
    pop: Option<String>,
    weight: u32,
    /// Of all possible keys, 0 to 1.
    share: f64,
    here: bool,
    /// Towards the key; without one, `warming` while it has not all of its keys.
    standing: &'static str,
    /// Why it is up or down.
    health: &'static str,
    in_flight: u32,
    /// How much of its keys it has taken over, 0 to 1, while it does.
    ramp: Option<f64>,
}

impl<'a> ShownRing<'a> {
    pub(super) fn new(node: &Node, name: &'a str, ring: &Ring, key: Option<u64>) -> Self {
        let (bounds, now) = (bounds(node, name), node.clock.monotonic());
        let pick = key.and_then(|key| ring.pick(key, bounds, now, &[]));
        let named = |place: usize| ring.hash.members()[place].name.clone();
        let shares = ring.hash.shares();
        let members = ring.members.iter().zip(ring.hash.members()).enumerate();
        Self {
            name,
            digest: format!("{:016x}", ring.hash.digest()),
            points: ring.hash.points(),
            owner: key.and_then(|key| ring.hash.owner(key)).map(named),
            pick: pick.map(|pick| named(pick.member)),
            reason: pick.map(|pick| pick.reason.as_str()),
            successors: key
                .map(|key| ring.hash.successors(key).map(named).collect())
                .unwrap_or_default(),
            members: members
                .map(|(place, (neighbour, member))| {
                    let ramp = neighbour.ramp(bounds.ramp, now);
                    let standing = match ring.standing(place, key.unwrap_or(0), bounds, now) {
                        Standing::Down => "down",
                        _ if neighbour.here => "serves",
                        // Which keys it has depends on the key.
                        _ if key.is_none() && ramp.is_some() => "warming",
                        Standing::Serves(_) => "serves",
                        Standing::Warming => "warming",
                    };
                    ShownMember {
                        name: member.name.clone(),
                        url: member.url.clone(),
                        pop: member.pop.clone(),
                        weight: member.weight,
                        share: shares[place],
                        here: neighbour.here,
                        standing,
                        health: neighbour.target.report().health.as_str(),
                        in_flight: neighbour.target.in_flight(),
                        ramp: ramp.map(|ramp| ramp.share(now)),
                    }
                })
                .collect(),
        }
    }
}

/// What binds the members of a ring: peers may be too busy, shields not.
fn bounds(node: &Node, ring: &str) -> Bounds {
    let config = node.config_guard();
    let peering = &config.snapshot().peering;
    match node.own_ring.get().is_some_and(|own| own == ring) {
        true => Bounds::of(peering),
        false => Bounds::of_shields(peering),
    }
}
