//! Where a request upstream goes, and where it goes next when that fails.

use wire::Seq;
use wire::invalidation::LogPosition;

use crate::fetch::{Answer, Content, Stage};
use crate::rules::{Broken, What};
use crate::serve::{Below, Who};
use crate::view::Which;
use crate::world::World;

/// Owners that are asked before the origin is.
const OWNERS: u32 = 2;
/// Peers that are asked before a node acts for itself.
const PEERS: u32 = 2;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    Origin,
    /// A shield, by an edge.
    Shield(usize),
    /// The edge that owns the key, by another of its place.
    Peer(usize),
    /// Who owned the key before this node: only for what it has stored.
    Before(usize),
}

impl Hop {
    fn node(self) -> Option<usize> {
        match self {
            Self::Origin => None,
            Self::Shield(at) | Self::Peer(at) | Self::Before(at) => Some(at),
        }
    }
}

/// What a fetch tried so far.
#[derive(Default)]
pub struct Tried {
    pub nodes: u32,
    owners: u32,
    peers: u32,
    before: bool,
}

impl World {
    /// A request upstream goes out, or goes on to the next that may answer it.
    pub fn send(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fetches, |fetch| matches!(fetch.stage, Stage::Held))?;
        if self.fetches[i].sent {
            let hop = self.hop(i);
            self.fetches[i].stage = Stage::Out(hop);
            return Some(What::GoesOn);
        }
        let fetch = &mut self.fetches[i];
        let node = &self.nodes[fetch.at];
        // A gap since the store was asked: what is asked for is a position in another log.
        if fetch.epoch.as_deref() != node.epoch() {
            fetch.least = Seq::ZERO;
        }
        let vouched = match &mut fetch.duty {
            Some(duty) if self.broken != Some(Broken::SentLate) => duty.sent(|| fetch.least),
            _ => node.cache.applied().max(fetch.least),
        };
        fetch.sent = true;
        fetch.epoch = node.epoch().map(str::to_owned);
        fetch.ring = node.view.changes;
        if let Some(foreign) = fetch.foreign.take() {
            fetch.asked = Some(foreign);
        } else {
            let seq = if self.broken == Some(Broken::LeastZero) { Seq::ZERO } else { vouched };
            fetch.asked = fetch.epoch.clone().map(|epoch| LogPosition { epoch, seq });
        }
        let (key, at) = (fetch.key, fetch.at);
        self.trace.note(self.step, Some(key), Some(at), "sends, asking for", vouched.ms);
        let hop = self.hop(i);
        self.fetches[i].stage = Stage::Out(hop);
        Some(What::Sends)
    }

    /// Who is asked next, by the view of the node that asks.
    fn hop(&mut self, i: usize) -> Hop {
        let fetch = &self.fetches[i];
        let (at, hash, tried) = (fetch.at, self.hashes[fetch.key], fetch.tried.nodes);
        let node = &self.nodes[at];
        let which = if node.shield { Which::Shields } else { Which::Peers };
        let owner = node.view.pick(which, hash, self.now, tried);
        let across = fetch.is_across() && fetch.tried.peers < PEERS;
        if let Some(owner) = owner.filter(|owner| across && *owner != at) {
            self.fetches[i].tried.peers += 1;
            return Hop::Peer(owner);
        }
        // Also where it is not the owner, and where edges send clients to each other instead of asking.
        let before = node.view.before(which, hash, at);
        let fills = fetch.duty.is_some() && !fetch.tried.before;
        let inherits = fills && node.view.inherits(at, self.now);
        if let Some(before) = before.filter(|_| inherits) {
            self.fetches[i].tried.before = true;
            self.tally.note(What::InheritAsked);
            return Hop::Before(before);
        }
        if node.shield {
            return Hop::Origin;
        }
        let owner = node.view.pick(Which::Shields, hash, self.now, tried);
        match owner.filter(|_| fetch.tried.owners < OWNERS && !self.rng.chance(4)) {
            Some(owner) => {
                self.fetches[i].tried.owners += 1;
                Hop::Shield(owner)
            }
            None => {
                self.tally.note(What::Bypass);
                Hop::Origin
            }
        }
    }

    /// A request upstream comes to where it was sent.
    pub fn reach(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fetches, |fetch| matches!(fetch.stage, Stage::Out(_)))?;
        let Stage::Out(hop) = self.fetches[i].stage else { return None };
        match hop.node() {
            Some(to) if self.nodes[to].serves() => self.reach_tier(i, hop, to),
            // It is gone by now: past it.
            Some(to) => self.go_on(i, hop, to),
            None => self.reach_origin(i),
        }
        Some(What::Reaches)
    }

    fn reach_tier(&mut self, i: usize, hop: Hop, to: usize) {
        let fetch = &mut self.fetches[i];
        let wordless = self.broken == Some(Broken::InheritWordless);
        let asked = match hop {
            Hop::Before(_) if wordless => None,
            _ => fetch.asked.clone(),
        };
        fetch.stage = Stage::At(hop);
        let (key, attempt) = (fetch.key, fetch.attempt);
        let below = Below { fetch: fetch.id, attempt, hop, asked };
        if matches!(hop, Hop::Peer(_)) && self.is_away(to, key) {
            self.tally.note(What::ViewDiffers);
        }
        self.request(to, key, Who::Tier(below));
    }

    /// Whether another of its place owns a key, as an edge sees it.
    pub fn is_away(&self, at: usize, key: usize) -> bool {
        let node = &self.nodes[at];
        let owner = node.view.pick(Which::Peers, self.hashes[key], self.now, 0);
        self.peers && !node.shield && owner.is_some_and(|owner| owner != at)
    }

    fn reach_origin(&mut self, i: usize) {
        let failed = self.rng.chance(6);
        let fetch = &mut self.fetches[i];
        let version = self.origin.versions[fetch.key];
        let content = Content { version, age: 0, marked: false };
        // Nobody asked it to say a position, and it says what it likes.
        let word = self.rng.chance(10).then(|| {
            let mut end = self.log.end();
            end.seq.ms += self.rng.between(0, 2_000);
            end
        });
        if word.is_some() {
            self.tally.note(What::Stray);
        }
        let answer = Answer { content: (!failed).then_some(content), word, refused: false };
        fetch.stage = Stage::Back(answer, Hop::Origin);
        let (key, at) = (fetch.key, fetch.at);
        self.trace.note(self.step, Some(key), Some(at), "origin says", version.into());
    }

    /// Nothing is to be had from where a fetch was sent.
    pub fn go_on(&mut self, i: usize, hop: Hop, to: usize) {
        let fetch = &mut self.fetches[i];
        fetch.attempt += 1;
        fetch.tried.nodes |= 1 << to;
        fetch.stage = Stage::Held;
        let at = fetch.at;
        self.tally.note(match hop {
            Hop::Peer(_) => What::PeerUnreachable,
            Hop::Before(_) => What::InheritUnreachable,
            _ => What::NextOwner,
        });
        if self.rng.chance(50) {
            self.nodes[at].view.doubt(to, true, self.now);
        }
    }

    /// The answer of a tier sets out on its way back, if anybody still waits for it.
    pub fn reach_back(&mut self, below: &Below, answer: Answer) {
        let waits = |fetch: &&mut crate::fetch::Fetch| {
            fetch.id == below.fetch && fetch.attempt == below.attempt
        };
        if let Some(fetch) = self.fetches.iter_mut().find(waits)
            && matches!(fetch.stage, Stage::At(_))
        {
            fetch.stage = Stage::Back(answer, below.hop);
        }
    }

    /// A connection breaks: the fetch is given up, tells of its failure, or goes on.
    pub fn fail(&mut self) -> Option<What> {
        let i = self.rng.among(&self.fetches, |_| true)?;
        let tier = match self.fetches[i].stage {
            Stage::Out(hop) | Stage::At(hop) => hop.node().map(|to| (hop, to)),
            _ => None,
        };
        match (self.rng.below(3), tier) {
            (0, _) => {
                let fetch = self.fetches.swap_remove(i);
                self.give_up(fetch.request);
            }
            (_, Some((hop, to))) => {
                self.tally.note(What::Breaks);
                self.go_on(i, hop, to);
            }
            _ => self.fetches[i].stage = Stage::Back(Answer::nothing(), Hop::Origin),
        }
        Some(What::Fails)
    }
}
