//! Requests at a node: of clients at an edge, of edges at a shield. One way for both, as in a pipeline.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cache::{Lookup, Object, Obligation, Outcome, Position, Query, Waiter};
use semantics::{RequestDirectives, VariantRules, Verdict};
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::fetch::{Answer, Content};
use crate::promise::Must;
use crate::rules::{Broken, What};
use crate::site::{KEYS, piece, version_of};
use crate::world::World;

pub struct Request {
    pub id: u64,
    pub at: usize,
    pub key: usize,
    pub who: Who,
    arrived: Position,
    /// What this node's store is vouched for, read before it was asked.
    word: Option<LogPosition>,
    state: State,
}

pub enum Who {
    /// A client, and what it must not see.
    Client(Must),
    /// The fetch of a tier below, and what it asks for at least.
    Tier { fetch: u64, asked: Option<LogPosition> },
}

enum State {
    Arrived,
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
        let at = self.rng.among(&self.nodes, |node| !node.shield && node.serves())?;
        // Some are asked for much more than others.
        let key = if self.rng.chance(70) { self.rng.below(4) } else { self.rng.below(KEYS) };
        self.trace.note(self.step, Some(key), Some(at), "client arrives", 0);
        self.request(at, key, Who::Client(self.promises.must(key)));
        Some(What::Arrives)
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
        let new = |request: &Request| matches!(request.state, State::Arrived);
        let i = self.rng.among(&self.requests, new)?;
        let (at, key) = (self.requests[i].at, self.requests[i].key);
        let mut least = Seq::ZERO;
        let mut past = false;
        if let Who::Tier { asked: Some(asked), .. } = &self.requests[i].who {
            let asked = asked.clone();
            if self.behind(at, &asked) {
                self.tally.note(What::TierBehind);
                past = true;
                if same_epoch(self.nodes[at].epoch(), &asked) && self.rng.chance(50) {
                    // What it fetches for this request is as new as was asked.
                    (least, past) = (asked.seq, false);
                }
            }
        }
        let node = &self.nodes[at];
        if let Who::Tier { .. } = self.requests[i].who {
            // The word first: whatever is applied after it the request sees, too.
            self.requests[i].word = node.applied();
            self.requests[i].arrived = node.cache.position();
        }
        if past {
            self.tally.note(What::TierPast);
            self.fetch(i, None, least);
            return Some(What::Looks);
        }
        let mut arrived = self.requests[i].arrived;
        if self.broken == Some(Broken::Arrived) {
            arrived = Position::default();
        }
        let unvouched = node.unvouched(self.now, self.broken);
        let lookup = node.cache.lookup(&Query {
            key: &self.keys[key],
            head: false,
            request: &self.fields,
            rules: &VariantRules::default(),
            directives: &RequestDirectives::default(),
            now: self.time(),
            arrived,
            unvouched,
        });
        if unvouched {
            self.tally.note(What::Unvouched);
        }
        match lookup {
            // Behind: only what is fetched for this request will do.
            Lookup::Miss(_, duty) if least > Seq::ZERO => self.fetch_least(i, duty, least),
            Lookup::Stale(_, _, _, Some(duty)) if least > Seq::ZERO => {
                self.fetch_least(i, duty, least);
            }
            _ if least > Seq::ZERO => self.fetch(i, None, least),
            Lookup::Hit(found) => self.serve(i, &found.object, false, What::Hit),
            Lookup::Stale(found, _, verdict, duty) => {
                let tier = matches!(self.requests[i].who, Who::Tier { .. });
                let now = matches!(verdict, Verdict::MustValidate(_));
                match duty {
                    // Another tier is given nothing stale.
                    duty if now || tier => self.fetch(i, duty, least),
                    duty => {
                        if let Some(duty) = duty {
                            self.refresh(at, key, duty);
                        }
                        self.serve(i, &found.object, true, What::Marked);
                    }
                }
            }
            Lookup::Miss(_, duty) => self.fetch(i, Some(duty), least),
            Lookup::Wait(waiter) => {
                self.tally.note(What::Joined);
                self.requests[i].state = State::Waiting(waiter);
            }
            Lookup::HitForMiss => self.fetch(i, None, least),
        }
        Some(What::Looks)
    }

    fn fetch_least(&mut self, i: usize, duty: Obligation, least: Seq) {
        self.tally.note(What::TierLeast);
        self.fetch(i, Some(duty), least);
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
                request.state = State::Arrived;
                self.tally.note(if landed { What::RetriedForOrder } else { What::RetriedElse });
            }
            Poll::Ready(Outcome::Uncacheable) => self.fetch(i, None, Seq::ZERO),
            Poll::Ready(Outcome::Failed(_)) => {
                let request = self.requests.swap_remove(i);
                self.fail_lower(&request);
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
        if let Who::Tier { .. } = request.who {
            self.tally.note(if what == What::Hit { What::TierHit } else { What::TierWaited });
        }
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
            Who::Tier { fetch, .. } => {
                let content = Content { version, age };
                self.reach_back(fetch, Answer { content: Some(content), word }, true);
            }
        }
    }

    /// A request ends without an answer.
    pub fn fail_lower(&mut self, request: &Request) {
        if let Who::Tier { fetch, .. } = request.who {
            self.reach_back(fetch, Answer { content: None, word: None }, true);
        }
    }
}

pub fn same_epoch(epoch: Option<&str>, position: &LogPosition) -> bool {
    epoch == Some(position.epoch.as_str())
}
