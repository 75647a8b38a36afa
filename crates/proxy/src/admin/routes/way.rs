//! The way of a request that is not answered from the store, as far as this node knows it.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use upstream::Choice;
use upstream::ring::{Pick, PickReason};
use wire::snapshot::{PeeringMode, Tier};

use super::Upstream;
use crate::admin::url::Addressed;
use crate::backend::{PEER_TRIES, SHIELD_TRIES};
use crate::config::Node;
use crate::rings::{Bounds, Ring};

/// One step of a URL's way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hop {
    /// Who asks: what comes after another node's step is that one's to decide, and told as if it knew what
    /// this one knows.
    from: String,
    /// `peer`, `previous-owner`, `shield` or `origin`.
    tier: &'static str,
    /// Who is asked: a member's name, or an origin's authority.
    to: String,
    /// The ring that says so.
    ring: Option<String>,
    why: &'static str,
    /// It is this node that would be asked, so nobody is.
    here: bool,
    /// Members that one request tries after this one; then the next tier is asked.
    next: Vec<String>,
    /// As this node knows it.
    upstream: Option<Upstream>,
}

/// Why a step goes where it goes.
#[derive(Clone, Copy)]
enum Why {
    /// The ring says so.
    Picked(PickReason),
    /// This node is new on its ring, and what it does not have this one may have.
    Newcomer,
    /// The site has no shield.
    NoShield,
    /// The fleet has no ring of the shield's name.
    ShieldUnknown,
    /// Nobody of the shield can be reached.
    ShieldDown,
    /// The shield asks there.
    BehindShield,
    /// This node is of a shield.
    AtShield,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Picked(reason) => reason.as_str(),
            Self::Newcomer => "newcomer",
            Self::NoShield => "no-shield",
            Self::ShieldUnknown => "shield-unknown",
            Self::ShieldDown => "shield-down",
            Self::BehindShield => "behind-shield",
            Self::AtShield => "at-shield",
        }
    }
}

/// Where a client's request for the URL goes from this node if it is not stored here: the steps in order.
pub(super) fn way(node: &Node, asked: &Addressed, hash: u64) -> Vec<Hop> {
    let mut way = Steps { node, hash, now: node.clock.monotonic(), hops: Vec::new() };
    let config = node.config_guard();
    let snapshot = config.snapshot();
    let (peers, shields) = (Bounds::of(&snapshot.peering), Bounds::of_shields(&snapshot.peering));
    let own = node.own_ring.get().zip(node.own_ring());
    if let Some((name, ring)) = &own {
        let shares = snapshot.tier == Tier::Edge && snapshot.peering.mode == PeeringMode::Peer;
        let goes_on = shares && way.member("peer", name, ring, peers, PEER_TRIES);
        if !goes_on {
            way.previous_owner(name, ring, peers);
        }
    }
    let why = match (snapshot.tier, &asked.site.spec.shield) {
        (Tier::Shield, _) => Why::AtShield,
        (Tier::Edge, None) => Why::NoShield,
        (Tier::Edge, Some(name)) => match node.rings().get(name) {
            None => Why::ShieldUnknown,
            Some(ring) => match way.member("shield", name, ring, shields, SHIELD_TRIES) {
                true => Why::BehindShield,
                false => Why::ShieldDown,
            },
        },
    };
    way.origin(asked, why);
    way.hops
}

struct Steps<'a> {
    node: &'a Node,
    hash: u64,
    now: Duration,
    hops: Vec<Hop>,
}

impl Steps<'_> {
    /// Who has the request after the steps so far.
    fn from(&self) -> String {
        let last = self.hops.iter().rfind(|hop| hop.tier != "previous-owner");
        last.map_or(&self.node.name, |hop| &hop.to).clone()
    }

    /// Adds the step to whom the ring picks; says whether another node is asked.
    fn member(
        &mut self,
        tier: &'static str,
        name: &str,
        ring: &Arc<Ring>,
        bounds: Bounds,
        tries: usize,
    ) -> bool {
        let mut picks: Vec<Pick> = Vec::new();
        let mut tried = Vec::new();
        while picks.len() < tries
            && let Some(pick) = ring.pick(self.hash, bounds, self.now, &tried)
        {
            tried.push(pick.member);
            picks.push(pick);
            // Whoever is this node does not ask further.
            if ring.members[pick.member].here {
                break;
            }
        }
        let Some((first, others)) = picks.split_first() else { return false };
        let named = |pick: &Pick| ring.hash.members()[pick.member].name.clone();
        let member = &ring.members[first.member];
        let hop = Hop {
            from: self.from(),
            tier,
            to: named(first),
            ring: Some(name.to_owned()),
            why: Why::Picked(first.reason).as_str(),
            here: member.here,
            next: others.iter().map(named).collect(),
            upstream: (!member.here).then(|| Upstream::new(&member.target)),
        };
        self.hops.push(hop);
        !member.here
    }

    /// Adds the step to who had the key before this node came, while that is worth asking.
    fn previous_owner(&mut self, name: &str, ring: &Ring, bounds: Bounds) {
        let Some(target) = ring.previous_owner(self.hash, bounds, self.now) else { return };
        let mut members = ring.members.iter();
        let place = members.position(|other| !other.here && Arc::ptr_eq(&other.target, target));
        let member = place.and_then(|place| ring.hash.members().get(place));
        self.hops.push(Hop {
            from: self.node.name.clone(),
            tier: "previous-owner",
            to: member.map_or(target.name(), |member| &member.name).to_owned(),
            ring: Some(name.to_owned()),
            why: Why::Newcomer.as_str(),
            here: false,
            next: Vec::new(),
            upstream: Some(Upstream::new(target)),
        });
    }

    fn origin(&mut self, asked: &Addressed, why: Why) {
        let choices = &asked.site.way().origins;
        let first = rank(choices).into_iter().zip(choices).filter(|(role, _)| *role == "first");
        let Some((_, first)) = first.max_by_key(|(_, choice)| choice.weight) else { return };
        self.hops.push(Hop {
            from: self.from(),
            tier: "origin",
            to: first.target.name().to_owned(),
            ring: None,
            why: why.as_str(),
            here: false,
            next: Vec::new(),
            upstream: Some(Upstream::new(&first.target)),
        });
    }
}

/// One origin of the URL's site.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownOrigin {
    /// `first` for those among whom requests are shared out now, by their weights; `next` for those after
    /// them; `last` for those that are not usable, which are tried when no other is left.
    role: &'static str,
    priority: u8,
    weight: u32,
    upstream: Upstream,
}

/// The origins of the URL's site as this node knows them, in the order of its configuration.
pub(super) fn origins(asked: &Addressed) -> Vec<ShownOrigin> {
    let choices = &asked.site.way().origins;
    let shown = |(role, choice): (&'static str, &Choice)| ShownOrigin {
        role,
        priority: choice.priority,
        weight: choice.weight,
        upstream: Upstream::new(&choice.target),
    };
    rank(choices).into_iter().zip(choices).map(shown).collect()
}

/// The part that each origin has, as [`upstream::order`] would have it.
fn rank(choices: &[Choice]) -> Vec<&'static str> {
    let turns: Vec<_> =
        choices.iter().map(|choice| (!choice.target.is_usable(), choice.priority)).collect();
    let first = turns.iter().min().copied();
    let role = |turn: (bool, u8)| match turn {
        turn if Some(turn) == first => "first",
        (false, _) => "next",
        (true, _) => "last",
    };
    turns.into_iter().map(role).collect()
}
