//! Who is there, as this node sees it: the rings of the fleet, with what is known of each member.
//!
//! Membership comes from outside ([`wire::Fleet`]); who of the members can be reached each node finds out
//! for itself, within a second, and nobody's ring changes by it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use upstream::ring::{Pick, Ramp, Standing};
use upstream::{EndpointError, HashRing, Target, Targets};
use wire::Fleet;
use wire::snapshot::Peering;

mod hot;
mod in_hand;
mod node;
mod target;

pub(crate) use hot::Hot;
pub(crate) use in_hand::InHand;

/// What an owner may have in hand before anybody counts whether it is more than others have: where little
/// goes on, two requests at once are no load.
const SLACK: u32 = 32;
/// For so many ramps after it came, a member asks the previous owner for what it does not have.
const INHERITS: u32 = 4;

/// All rings that a node knows. Replaced as a whole.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    fleet: Option<Fleet>,
    rings: BTreeMap<String, Arc<Ring>>,
}

/// One ring and its members.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(crate) hash: HashRing,
    /// In the order of the ring's members.
    pub(crate) members: Box<[Neighbour]>,
    /// What this node has in hand itself of what it could ask the others for.
    pub(crate) in_hand: InHand,
}

/// A member, seen from here.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) target: Arc<Target>,
    /// It is this node.
    pub(crate) here: bool,
    /// When it came, by this node's monotonic clock; none for those who were there before this node looked.
    joined: Option<Duration>,
}

/// How much a member may have in hand, and how fast a newcomer takes over.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Bounds {
    /// In percent of the average of all.
    load: u32,
    pub(crate) ramp: Duration,
}

impl Bounds {
    /// Of a ring of peers.
    pub(crate) fn of(peering: &Peering) -> Self {
        let ramp = Duration::from_millis(peering.ramp_ms);
        Self { load: peering.bounded_load_percent, ramp }
    }

    /// Of a ring of shields: a busy owner's keys stay with it, since two owners are two requests at the
    /// origin, and its queue is bounded.
    pub(crate) fn of_shields(peering: &Peering) -> Self {
        Self { load: u32::MAX, ..Self::of(peering) }
    }
}

/// The node that looks at the rings.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Here<'a> {
    pub(crate) name: &'a str,
    /// What the fleet calls the ring that it is on itself.
    pub(crate) ring: Option<&'a str>,
}

impl Here<'_> {
    /// Whether it may have to ask members of a ring: the edges of other places it never does.
    fn asks(&self, ring: &str) -> bool {
        !ring.starts_with(PLACES) || self.ring == Some(ring)
    }
}

/// What the names of rings of edges begin with.
pub(crate) const PLACES: &str = "pop/";

impl Rings {
    /// The rings of `fleet` for `node`. Members that `before` knew at the same place go on as
    /// they were; those that come to a ring which had members take over bit by bit, and so do those that are
    /// elsewhere now, since it is another process whose store is empty.
    ///
    /// # Errors
    /// When a member's URL cannot be used.
    pub(crate) fn new(
        fleet: Fleet,
        before: &Self,
        targets: &Targets,
        node: Here<'_>,
        now: Duration,
    ) -> Result<Self, EndpointError> {
        let mut rings = BTreeMap::new();
        for (name, ring) in &fleet.rings {
            let hash = HashRing::new(&ring.members);
            let old = before.rings.get(name).filter(|old| !old.members.is_empty());
            let members = hash.members().iter().map(|member| {
                let here = member.name == node.name;
                let asked = !here && node.asks(name);
                let target = targets.target(&target::settings(member, asked)?)?;
                let known = old.and_then(|old| old.member(&member.name));
                let known = known.filter(|known| here || Arc::ptr_eq(&known.target, &target));
                let joined = match known {
                    Some(known) => known.joined,
                    None => (here || old.is_some()).then_some(now),
                };
                Ok(Neighbour { target, here, joined })
            });
            let members = members.collect::<Result<_, EndpointError>>()?;
            let in_hand = old.map(|old| old.in_hand.clone()).unwrap_or_default();
            rings.insert(name.clone(), Arc::new(Ring { hash, members, in_hand }));
        }
        Ok(Self { fleet: Some(fleet), rings })
    }

    /// The ring of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Ring>> {
        self.rings.get(name)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Arc<Ring>)> {
        self.rings.iter().map(|(name, ring)| (name.as_str(), ring))
    }

    /// Names the content; none before there was any.
    pub(crate) fn version(&self) -> Option<&str> {
        self.fleet.as_ref().map(|fleet| fleet.version.as_str())
    }
}

impl Ring {
    pub(crate) fn member(&self, name: &str) -> Option<&Neighbour> {
        let place = self.hash.members().iter().position(|member| member.name == name)?;
        self.members.get(place)
    }

    /// Who is to be asked for a key, and why this one; none if nobody is left. `tried` have been asked in
    /// vain.
    pub(crate) fn pick(
        &self,
        key_hash: u64,
        bounds: Bounds,
        now: Duration,
        tried: &[usize],
    ) -> Option<Pick> {
        let standing = |member| match tried.contains(&member) {
            true => Standing::Down,
            false => self.standing(member, key_hash, bounds, now),
        };
        let ready = self.hash.pick(key_hash, bounds.load, standing);
        // Where all are new, somebody must begin.
        ready.or_else(|| {
            self.hash.pick(key_hash, bounds.load, |member| match standing(member) {
                Standing::Warming => Standing::Serves(0),
                standing => standing,
            })
        })
    }

    /// How a member stands towards one key.
    pub(crate) fn standing(
        &self,
        member: usize,
        key_hash: u64,
        bounds: Bounds,
        now: Duration,
    ) -> Standing {
        let neighbour = &self.members[member];
        if neighbour.here {
            return Standing::Serves(self.in_hand.count().saturating_sub(SLACK));
        }
        if !neighbour.target.is_usable() {
            return Standing::Down;
        }
        match neighbour.ramp(bounds.ramp, now) {
            Some(ramp) if !ramp.takes(key_hash, now) => Standing::Warming,
            _ => Standing::Serves(neighbour.target.in_flight().saturating_sub(SLACK)),
        }
    }

    /// Who had a key before this node came, if that is so short a while ago that it may have it still.
    pub(crate) fn previous_owner(
        &self,
        key_hash: u64,
        bounds: Bounds,
        now: Duration,
    ) -> Option<&Arc<Target>> {
        let joined = self.members.iter().find(|member| member.here)?.joined?;
        if now.saturating_sub(joined) >= bounds.ramp.saturating_mul(INHERITS) {
            return None;
        }
        let others = self.hash.successors(key_hash).map(|member| &self.members[member]);
        others.filter(|member| !member.here).map(|member| &member.target).find(|t| t.is_usable())
    }
}

impl Neighbour {
    /// How far it is with taking over its keys, if it came, or came back, not long ago.
    pub(crate) fn ramp(&self, over: Duration, now: Duration) -> Option<Ramp> {
        let back = self.target.up_since().map(|ago| now.saturating_sub(ago));
        let since = self.joined.max(back)?;
        let ramp = Ramp { since, over };
        (!ramp.is_over(now)).then_some(ramp)
    }
}

#[cfg(test)]
mod tests;
