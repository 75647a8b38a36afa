//! What a node heeds when another asks it.

use cache::Waiter;
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::fetch::{Answer, Fetch, Stage};
use crate::route::Hop;
use crate::rules::{Broken, What};
use crate::serve::{Below, Request, State, Who, same_epoch};
use crate::world::World;

/// What may answer a request.
pub enum Heed {
    /// The store, and what is fetched for it, from this position on.
    Ask(Seq),
    /// Only what is fetched past the store: for a tier of another log from that position on.
    Past(Option<LogPosition>, Seq),
    /// Nothing.
    Refuse,
}

impl World {
    /// Holds the store against what a tier below asks for; clients ask for nothing.
    pub fn heed(&mut self, i: usize) -> Heed {
        let at = self.requests[i].at;
        if matches!(self.requests[i].state, State::Again) {
            return Heed::Ask(Seq::ZERO);
        }
        let Who::Tier(below) = &self.requests[i].who else { return Heed::Ask(Seq::ZERO) };
        let below = below.clone();
        let heed = match &below.asked {
            Some(asked) if self.behind(at, asked) => self.heed_behind(at, &below, asked),
            _ => Heed::Ask(Seq::ZERO),
        };
        // The word first: whatever is applied after it the request sees, too.
        let node = &self.nodes[at];
        let mut word = node.applied();
        if self.broken == Some(Broken::InheritUnchecked) && matches!(below.hop, Hop::Before(_)) {
            word = below.asked;
        }
        (self.requests[i].word, self.requests[i].arrived) = (word, node.cache.position());
        heed
    }

    fn heed_behind(&mut self, at: usize, below: &Below, asked: &LogPosition) -> Heed {
        self.tally.note(What::TierBehind);
        let same_log = same_epoch(self.nodes[at].epoch(), asked);
        match below.hop {
            Hop::Before(_) if self.broken == Some(Broken::InheritUnchecked) => Heed::Ask(Seq::ZERO),
            Hop::Before(_) if self.broken == Some(Broken::InheritBehind) => Heed::Ask(Seq::ZERO),
            Hop::Before(_) => Heed::Refuse,
            // The other does as well by itself.
            Hop::Peer(_) if self.rng.chance(30) => Heed::Refuse,
            // What it fetches for this request is as new as was asked.
            _ if same_log && self.rng.chance(50) => Heed::Ask(asked.seq),
            _ if same_log => Heed::Past(None, asked.seq),
            _ if self.rng.chance(50) => Heed::Past(Some(asked.clone()), Seq::ZERO),
            _ => Heed::Past(None, Seq::ZERO),
        }
    }

    /// Whether a tier is behind what it is asked for, after it tried to catch up.
    fn behind(&mut self, at: usize, asked: &LogPosition) -> bool {
        let is = |world: &Self| {
            let node = &world.nodes[at];
            !same_epoch(node.epoch(), asked) || node.cache.applied() < asked.seq
        };
        if !is(self) {
            return false;
        }
        if self.rng.chance(75) {
            while is(self) && self.read_at(at) {}
            if !is(self) {
                self.tally.note(What::TierCaughtUp);
            }
        }
        is(self)
    }

    /// The node does not answer this: another may.
    pub fn refuse(&mut self, i: usize) {
        let request = self.requests.swap_remove(i);
        if let Who::Tier(below) = &request.who {
            self.reach_back(below, Answer { refused: true, ..Answer::nothing() });
        }
    }

    /// A request finds that somebody else fetches.
    pub fn wait(&mut self, i: usize, waiter: Waiter) {
        self.tally.note(What::Joined);
        self.requests[i].state = State::Waiting(waiter);
        let (first, at, key) = {
            let request = &self.requests[i];
            (request.id, request.at, request.key)
        };
        if self.leads_back(i, first, self.nodes.len()) {
            self.accuse(key, at, "a request waits for what waits for it");
        }
    }

    /// Whether all that a request may be waiting for waits for what the first one is to bring.
    fn leads_back(&self, i: usize, first: u64, hops: usize) -> bool {
        let (at, key) = (self.requests[i].at, self.requests[i].key);
        let shared = |duty: &cache::Obligation| !duty.is_solo();
        let may_be = |fetch: &&Fetch| {
            fetch.at == at && fetch.key == key && fetch.duty.as_ref().is_some_and(shared)
        };
        let mut any = false;
        self.fetches.iter().filter(may_be).inspect(|_| any = true).all(|fetch| {
            let stands_for = |request: &Request| match &request.who {
                Who::Tier(below) => below.fetch == fetch.id && below.attempt == fetch.attempt,
                Who::Client(_) => false,
            };
            let next = match fetch.stage {
                Stage::At(_) => self.requests.iter().position(stands_for),
                _ => None,
            };
            next.is_some_and(|next| {
                let request = &self.requests[next];
                request.id == first
                    || hops > 0
                        && matches!(request.state, State::Waiting(_))
                        && self.leads_back(next, first, hops - 1)
            })
        }) && any
    }
}
