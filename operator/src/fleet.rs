//! Who is there: from pods as they were seen to the rings of a pool or shield. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::Pod;
use wire::Fleet;
use wire::fleet::{FORMAT, MAX_MEMBERS, Member, Ring};

use crate::names::{COMPONENT, INSTANCE, NUDGE, Owner, PEERS, POP, TIERS, TierName};

/// What matters of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPod {
    /// Its name, which is its node's name in the log too.
    pub name: String,
    /// Whose it is: component and instance.
    pub of: (String, String),
    /// The point of presence of an edge.
    pub pop: Option<String>,
    /// Where it is reached.
    pub address: Option<IpAddr>,
    /// It says that it takes requests, and nobody told it to stop.
    pub ready: bool,
    /// The versions of the documents that it was made to look at.
    pub nudged: Option<String>,
}

impl SeenPod {
    /// What matters of `pod`; `None` when it is nobody's, or has ended.
    pub fn of(pod: &Pod) -> Option<Self> {
        let labels = pod.metadata.labels.as_ref()?;
        let label = |key: &str| labels.get(key).cloned();
        let status = pod.status.clone().unwrap_or_default();
        if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            return None;
        }
        let conditions = status.conditions.unwrap_or_default();
        let says = conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True");
        let annotations = pod.metadata.annotations.as_ref();
        Some(Self {
            name: pod.metadata.name.clone()?,
            of: (label(COMPONENT)?, label(INSTANCE)?),
            pop: label(POP),
            address: status.pod_ip.and_then(|ip| ip.parse().ok()),
            ready: says && pod.metadata.deletion_timestamp.is_none(),
            nudged: annotations.and_then(|a| a.get(NUDGE).cloned()),
        })
    }
}

/// The rings that the nodes of `owner` need: of its own places `pops`, or of itself, and of `shields`, which
/// are rings by name. `pods` gives those of a pool or shield.
pub fn fleet<'a>(
    owner: &Owner,
    pops: &BTreeSet<String>,
    shields: &BTreeSet<Owner>,
    pods: impl Fn(&Owner) -> &'a [SeenPod],
) -> Fleet {
    let mut rings = BTreeMap::new();
    if owner.tier == TierName::Edge {
        let mut by_pop: BTreeMap<String, Vec<Member>> =
            pops.iter().map(|pop| (pop.clone(), Vec::new())).collect();
        for pod in pods(owner) {
            if let Some(pop) = &pod.pop {
                let members = by_pop.entry(pop.clone()).or_default();
                members.extend(member(pod, PEERS, Some(pop)));
            }
        }
        for (pop, members) in by_pop {
            rings.insert(format!("pop/{}/{pop}", owner.full_name()), ring(members));
        }
    }
    let itself = (owner.tier == TierName::Shield).then_some(owner);
    for shield in shields.iter().chain(itself) {
        let members = pods(shield).iter().filter_map(|pod| member(pod, TIERS, None)).collect();
        rings.insert(format!("shield/{}", shield.full_name()), ring(members));
    }
    named(rings)
}

/// A fleet of these, named by what it says.
pub fn named(rings: BTreeMap<String, Ring>) -> Fleet {
    let mut fleet = Fleet { format: FORMAT, version: String::new(), rings };
    // Plain data with text keys always has a JSON form.
    let content = serde_json::to_vec(&fleet).unwrap_or_default();
    fleet.version = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&content));
    fleet
}

/// In an order that does not change; who is too many is not on the ring, but serves.
fn ring(mut members: Vec<Member>) -> Ring {
    members.sort();
    members.truncate(MAX_MEMBERS);
    Ring { members }
}

fn member(pod: &SeenPod, port: u16, pop: Option<&String>) -> Option<Member> {
    let address = pod.address.filter(|_| pod.ready)?;
    Some(Member {
        name: pod.name.clone(),
        url: format!("http://{}", SocketAddr::new(address, port)),
        weight: 100,
        pop: pop.cloned(),
        public: None,
    })
}

#[cfg(test)]
mod tests;
