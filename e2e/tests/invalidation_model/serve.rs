//! Requests at a node: of clients at an edge, of other nodes at both. One way for all, as in a pipeline;
//! `below.rs` has what is asked of one that comes from another node.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use cache::{Body, Going, Lookup, Object, Obligation, Outcome, Position, Query, Waiter};
use semantics::{RequestDirectives, StaleReason, VariantRules, Verdict};
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::below::Heed;
use crate::fetch::{Answer, Content, Filling};
use crate::promise::Must;
use crate::route::Hop;
use crate::rules::{Broken, What};
use crate::site::{KEYS, piece, version_of};
use crate::world::World;

pub struct Request {
    pub id: u64,
    pub at: usize,
    pub key: usize,
    pub who: Who,
    pub arrived: Position,
    /// What this node's store is vouched for, read before it was asked.
    pub word: Option<LogPosition>,
    pub state: State,
}

pub enum Who {
    /// A client, and what it must not see.
    Client(Must),
    /// The fetch of a tier below.
    Tier(Below),
}

/// What a node says that asks another.
#[derive(Clone)]
pub struct Below {
    pub fetch: u64,
    pub attempt: u32,
    /// As what this node is asked.
    pub hop: Hop,
    /// The least position that is accepted.
    pub asked: Option<LogPosition>,
}

impl Who {
    pub fn is_tier(&self) -> bool {
        matches!(self, Self::Tier(_))
    }

    /// As what this node is asked; none by a client.
    pub fn hop(&self) -> Option<Hop> {
        match self {
            Self::Client(_) => None,
            Self::Tier(below) => Some(below.hop),
        }
    }
}

pub enum State {
    Arrived,
    /// It looks once more, as of when it arrived.
    Again,
    Waiting(Waiter),
    Fetching,
}

/// What a request is answered with.
pub struct Served {
    pub version: u32,
    /// It says that it is stale.
    pub marked: bool,
    pub word: Option<LogPosition>,
    /// Seconds since it left the origin.
    pub age: u32,
}

pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

impl World {
    /// A client comes to an edge.
    pub fn arrive(&mut self) -> Option<What> {
        if self.requests.len() >= 40 {
            return None;
        }
        let edge = self.rng.among(&self.nodes, |node| !node.shield && node.serves())?;
        // Some are asked for much more than others.
        let key = if self.rng.chance(70) { self.rng.below(4) } else { self.rng.below(KEYS) };
        let (at, key) = self.focused(edge, key);
        self.arrive_at(at, key);
        Some(What::Arrives)
    }

    pub fn arrive_at(&mut self, at: usize, key: usize) {
        self.trace.note(self.step, Some(key), Some(at), "client arrives", 0);
        self.request(at, key, Who::Client(self.promises.must(key)));
    }

    fn focused(&mut self, at: usize, key: usize) -> (usize, usize) {
        let Some(focus) = &self.focus else { return (at, key) };
        let keys: Vec<_> = (0..KEYS).filter(|key| focus.keys & (1 << key) != 0).collect();
        let to = focus.at.filter(|at| self.nodes[*at].serves()).unwrap_or(at);
        match keys.is_empty() || self.rng.chance(50) {
            true => (at, key),
            false => (to, keys[self.rng.below(keys.len())]),
        }
    }

    pub fn request(&mut self, at: usize, key: usize, who: Who) {
        self.ids += 1;
        let arrived = self.nodes[at].cache.position();
        let (id, word, state) = (self.ids, None, State::Arrived);
        self.requests.push(Request { id, at, key, who, arrived, word, state });
    }

    /// A client leaves.
    pub fn depart(&mut self) -> Option<What> {
        let client = |request: &Request| matches!(request.who, Who::Client(_));
        let at = self.rng.among(&self.requests, client)?;
        self.requests.swap_remove(at);
        Some(What::Departs)
    }

    /// A request looks into the store.
    pub fn look(&mut self) -> Option<What> {
        let new = |request: &Request| matches!(request.state, State::Arrived | State::Again);
        let i = self.rng.among(&self.requests, new)?;
        let (at, key) = (self.requests[i].at, self.requests[i].key);
        let least = match self.heed(i) {
            Heed::Refuse => {
                self.refuse(i);
                return Some(What::Looks);
            }
            Heed::Past(None, least) => {
                self.tally.note(What::TierPast);
                self.fetch(i, None, least);
                return Some(What::Looks);
            }
            Heed::Past(Some(foreign), _) => {
                self.tally.note(What::TierForeign);
                self.fetch_foreign(i, foreign);
                return Some(What::Looks);
            }
            Heed::Ask(least) => least,
        };
        let hop = self.requests[i].who.hop();
        let stored_only = matches!(hop, Some(Hop::Before(_)));
        let node = &self.nodes[at];
        let mut arrived = self.requests[i].arrived;
        let forgets = match self.broken {
            Some(Broken::Arrived) => true,
            Some(Broken::PeerArrived) => hop.is_none() && self.is_away(at, key),
            _ => false,
        };
        if forgets {
            arrived = Position::default();
        }
        if self.broken == Some(Broken::TransientApart) && hop.is_none() {
            let is_it = |fill: &&Filling| fill.transient && fill.at == at && fill.key == key;
            if let Some(filling) = self.fills.iter().find(is_it) {
                let object = filling.fill.object().clone();
                self.serve(i, &object, false, What::Filled);
                return Some(What::Looks);
            }
        }
        let tier = match (self.broken, hop) {
            (Some(Broken::SoftToPeer), Some(Hop::Peer(_))) => false,
            (_, hop) => hop.is_some(),
        };
        let unvouched = node.unvouched(self.now, self.broken);
        let mut lookup = self.lookup(i, arrived, &RequestDirectives::default());
        if let (true, Lookup::Stale(_, StaleReason::Invalidated, _, None)) = (tier, &lookup)
            && !stored_only
            && least == Seq::ZERO
        {
            // Somebody validates it, behind the answers to others: who could not tell waits for that.
            self.tally.note(What::TierValidated);
            let directives = RequestDirectives { no_cache: true, ..RequestDirectives::default() };
            lookup = self.lookup(i, arrived, &directives);
        }
        if unvouched {
            self.tally.note(What::Unvouched);
        }
        if let (Some(Hop::Peer(_)), Lookup::Miss(..) | Lookup::Stale(.., Some(_))) = (hop, &lookup)
            && self.fetches.iter().any(|of| of.at == at && of.key == key && of.is_across())
        {
            self.tally.note(What::PeerAlone);
        }
        match lookup {
            Lookup::Hit(found) if stored_only => self.serve(i, &found.object, false, What::Hit),
            // Stale by its age alone: so it may be given to another, who sees that.
            Lookup::Stale(found, reason, Verdict::StaleWhileRevalidate(_), duty)
                if stored_only && reason != StaleReason::Invalidated =>
            {
                self.tally.note(What::InheritedAged);
                if let Some(duty) = duty {
                    self.refresh(at, key, duty);
                }
                self.serve(i, &found.object, false, What::Marked);
            }
            _ if stored_only => self.refuse(i),
            // Behind: only what is fetched for this request will do.
            Lookup::Miss(_, duty) if least > Seq::ZERO => self.fetch_least(i, duty, least),
            Lookup::Stale(_, _, _, Some(duty)) if least > Seq::ZERO => {
                self.fetch_least(i, duty, least);
            }
            _ if least > Seq::ZERO => self.fetch(i, None, least),
            Lookup::Hit(found) => self.serve(i, &found.object, false, What::Hit),
            Lookup::Stale(found, reason, verdict, duty) => {
                let now = matches!(verdict, Verdict::MustValidate(_));
                match duty {
                    // Another tier is given nothing that an order made stale: it could not tell.
                    duty if now || (tier && reason == StaleReason::Invalidated) => {
                        self.fetch(i, duty, least);
                    }
                    duty => {
                        if let Some(duty) = duty {
                            self.refresh(at, key, duty);
                        }
                        self.serve(i, &found.object, !tier, What::Marked);
                    }
                }
            }
            Lookup::Miss(_, duty) => self.fetch(i, Some(duty), least),
            Lookup::Wait(waiter) => self.wait(i, waiter),
            Lookup::HitForMiss => self.fetch(i, None, least),
        }
        Some(What::Looks)
    }

    fn lookup(&self, i: usize, arrived: Position, directives: &RequestDirectives) -> Lookup {
        let (at, key) = (self.requests[i].at, self.requests[i].key);
        let across = || self.is_away(at, key);
        self.nodes[at].cache.lookup(&Query {
            key: &self.keys[key],
            head: false,
            request: &self.fields,
            rules: &VariantRules::default(),
            directives,
            now: self.time(),
            arrived,
            unvouched: self.nodes[at].unvouched(self.now, self.broken),
            going: match self.requests[i].who {
                Who::Client(_) => Going::Across(&across),
                Who::Tier(_) if self.broken == Some(Broken::PeerAcross) => Going::Across(&across),
                Who::Tier(_) if self.broken == Some(Broken::PeerWaits) => Going::Up,
                Who::Tier(_) => Going::UpForPeer,
            },
        })
    }

    fn fetch_least(&mut self, i: usize, duty: Obligation, least: Seq) {
        self.tally.note(What::TierLeast);
        self.fetch(i, Some(duty), least);
    }

    /// A waiting request asks how it stands.
    pub fn poll(&mut self) -> Option<What> {
        let waits = |request: &Request| matches!(request.state, State::Waiting(_));
        let i = self.rng.among(&self.requests, waits)?;
        let request = &mut self.requests[i];
        let State::Waiting(waiter) = &mut request.state else { return None };
        match poll_once(waiter.outcome(&self.fields, &VariantRules::default())) {
            Poll::Pending if self.rng.chance(3) => self.fetch(i, None, Seq::ZERO),
            Poll::Pending => {}
            Poll::Ready(Outcome::Filled(found)) => {
                self.serve(i, &found.object, false, What::Filled);
            }
            Poll::Ready(Outcome::Retry) => {
                let landed = self.nodes[request.at].landed[request.key];
                request.state = State::Again;
                self.tally.note(if landed { What::RetriedForOrder } else { What::RetriedElse });
            }
            Poll::Ready(Outcome::Uncacheable) => self.fetch(i, None, Seq::ZERO),
            Poll::Ready(Outcome::Failed(_)) => {
                let stale = waiter.stale().cloned();
                self.stand_in(i, stale.as_deref());
            }
        }
        Some(What::Polls)
    }

    /// The request at this place waits for what is fetched for it.
    pub fn fetching(&mut self, i: usize) -> (u64, usize, usize) {
        let request = &mut self.requests[i];
        request.state = State::Fetching;
        (request.id, request.at, request.key)
    }

    fn serve(&mut self, i: usize, object: &Object, marked: bool, what: What) {
        let version = version_of(object);
        if let Some(body) = object.body().complete() {
            let right = body.chunks(64).all(|chunk| *chunk == piece(version));
            assert!(right, "a body of another version under version {version}");
        }
        let request = &self.requests[i];
        let gone = |body: &Weak<Body>| body.as_ptr() == Arc::as_ptr(object.body());
        if what == What::Hit && self.nodes[request.at].let_go.iter().any(gone) {
            self.accuse(request.key, request.at, "what was let go is still in the store");
        }
        let request = &self.requests[i];
        let (at, key, is_tier) = (request.at, request.key, request.who.is_tier());
        if is_tier {
            self.tally.note(if what == What::Hit { What::TierHit } else { What::TierWaited });
        } else if self.fills.iter().any(|fill| fill.transient && fill.at == at && fill.key == key) {
            self.tally.note(What::TransientShared);
        }
        let request = &self.requests[i];
        let (word, age) = (request.word.clone(), object.freshness.age(self.time()));
        self.answer(i, Served { version, marked, word, age }, what);
    }

    /// A request is answered: a client's answer is held against what was promised.
    pub fn answer(&mut self, i: usize, served: Served, what: What) {
        let request = self.requests.swap_remove(i);
        let Served { version, marked, word, age } = served;
        self.trace.note(
            self.step,
            Some(request.key),
            Some(request.at),
            what.said(),
            version.into(),
        );
        match request.who {
            Who::Client(must) => {
                self.tally.note(what);
                self.tally.note(What::Checked);
                match must.check(version, marked, self.now, &self.promises) {
                    Ok(true) => self.tally.note(What::HeldToOrder),
                    Ok(false) => {}
                    Err(wrong) => self.accuse(request.key, request.at, &wrong),
                }
            }
            Who::Tier(below) => {
                if let Hop::Peer(_) = below.hop {
                    self.tally.note(match what {
                        What::Hit => What::PeerHit,
                        _ => What::PeerMiss,
                    });
                }
                let content = Some(Content { version, age, marked });
                self.reach_back(&below, Answer { content, word, refused: false });
            }
        }
    }

    /// A request ends without an answer.
    pub fn fail_lower(&mut self, request: &Request) {
        if let Who::Tier(below) = &request.who {
            self.reach_back(below, Answer::nothing());
        }
    }
}

pub fn same_epoch(epoch: Option<&str>, position: &LogPosition) -> bool {
    epoch == Some(position.epoch.as_str())
}
