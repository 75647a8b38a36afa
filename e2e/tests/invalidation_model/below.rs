//! What a node heeds when another asks it.

use cache::Waiter;
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::fetch::{Answer, Stage};
use crate::route::Hop;
use crate::rules::{Broken, What};
use crate::serve::{Below, State, Who, same_epoch};
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

    /// A request finds that somebody else fetches. One of a peer does not wait for what another peer is to
    /// bring: that one may be waiting for what this one is to bring.
    pub fn wait(&mut self, i: usize, waiter: Waiter) {
        let (at, key) = (self.requests[i].at, self.requests[i].key);
        let peer = matches!(self.requests[i].who.hop(), Some(Hop::Peer(_)));
        let waits = self.broken == Some(Broken::PeerWaits);
        let away = |fetch: &crate::fetch::Fetch| {
            fetch.at == at && fetch.key == key && fetch.away && fetch.duty.is_some()
        };
        if peer && !waits && self.fetches.iter().any(away) {
            self.tally.note(What::PeerAlone);
            return self.fetch(i, None, Seq::ZERO);
        }
        self.tally.note(What::Joined);
        self.requests[i].state = State::Waiting(waiter);
        if self.turns_in_circles(i) {
            self.accuse(key, at, "a request waits for what waits for it");
        }
    }

    /// Whether what a request waits for waits for what it is to bring.
    fn turns_in_circles(&self, i: usize) -> bool {
        let first = self.requests[i].id;
        let mut request = &self.requests[i];
        for _ in 0..self.nodes.len() {
            let (at, key) = (request.at, request.key);
            let leads = |fetch: &&crate::fetch::Fetch| {
                fetch.at == at
                    && fetch.key == key
                    && matches!(fetch.stage, Stage::At(_))
                    && fetch.duty.as_ref().is_some_and(|duty| !duty.is_solo())
            };
            let Some(fetch) = self.fetches.iter().find(leads) else { return false };
            let stands_for = |request: &&crate::serve::Request| match &request.who {
                Who::Tier(below) => below.fetch == fetch.id && below.attempt == fetch.attempt,
                Who::Client(_) => false,
            };
            match self.requests.iter().find(stands_for) {
                Some(next) if next.id == first => return true,
                Some(next) if matches!(next.state, State::Waiting(_)) => request = next,
                _ => return false,
            }
        }
        false
    }
}
