//! Who has to go: one trait, an algorithm a file, and what they share.
//!
//! Only inserting, removing and evicting take the lock. Hits reach the policy without it: S3-FIFO by
//! a counter in the object itself, the others by small lossy buffers that are drained at the next
//! insert, or when one is full and the lock happens to be free.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;
use wire::EvictionPolicy;

use crate::accounts::Accounts;

mod balance;
mod ghost;
mod lfu;
mod lru;
mod nodes;
mod s3fifo;
mod sketch;
mod touches;
mod unit;

pub(crate) use nodes::NODE;
pub(crate) use unit::Unit;

use nodes::{NONE, Nodes};
use touches::Touches;

/// An eviction algorithm over numbered nodes. Each node it is given is in exactly one of its lists
/// until it is removed or chosen.
trait Eviction: Send {
    /// A unit came.
    fn insert(&mut self, nodes: &mut Nodes, id: u32);
    /// A unit leaves for other reasons than room.
    fn remove(&mut self, nodes: &mut Nodes, id: u32);
    /// A unit was used.
    fn touch(&mut self, nodes: &mut Nodes, id: u32);
    /// Chooses who goes, and unlinks it.
    fn victim(&mut self, nodes: &mut Nodes) -> Option<u32>;
    /// A victim cannot go yet.
    fn again(&mut self, nodes: &mut Nodes, id: u32);
    /// There are more or fewer bytes to share out.
    fn resized(&mut self) {}
    /// Bytes taken beside the nodes.
    fn overhead(&self) -> u64;
}

/// What a unit carries for the policy.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Its node, written under the policy's lock only.
    node: AtomicU32,
    /// Recent uses, up to three; S3-FIFO's.
    uses: AtomicU8,
}

impl Tally {
    const MOST: u8 = 3;

    pub(crate) const fn new() -> Self {
        Self { node: AtomicU32::new(NONE), uses: AtomicU8::new(0) }
    }

    /// One more use. Not a locked instruction: of two at once, one may be lost.
    fn bump(&self) {
        let uses = self.uses.load(Relaxed);
        if uses < Self::MOST {
            self.uses.store(uses + 1, Relaxed);
        }
    }

    fn uses(&self) -> u8 {
        self.uses.load(Relaxed)
    }

    fn set_uses(&self, uses: u8) {
        self.uses.store(uses, Relaxed);
    }
}

/// The policy in force and its units.
pub(crate) struct Evictor {
    kind: AtomicU8,
    touches: Touches,
    state: Mutex<State>,
}

struct State {
    nodes: Nodes,
    policy: Box<dyn Eviction>,
}

/// How many units in use are passed over before an eviction gives up.
const PATIENCE: usize = 64;

impl Evictor {
    pub(crate) fn new(kind: EvictionPolicy) -> Self {
        let state = State { nodes: Nodes::new(), policy: make(kind) };
        let kind = AtomicU8::new(number(kind));
        Self { kind, touches: Touches::new(), state: Mutex::new(state) }
    }

    pub(crate) fn kind(&self) -> EvictionPolicy {
        match self.kind.load(Relaxed) {
            0 => EvictionPolicy::Lru,
            1 => EvictionPolicy::Lfu,
            _ => EvictionPolicy::S3Fifo,
        }
    }

    /// Changes policy or capacity; units move over, the least useful first.
    pub(crate) fn resize(&self, kind: EvictionPolicy) {
        let mut state = self.state.lock();
        self.settle(&mut state);
        let State { nodes, policy } = &mut *state;
        if number(kind) != self.kind.load(Relaxed) {
            let mut next = make(kind);
            while let Some(id) = policy.victim(nodes) {
                next.insert(nodes, id);
            }
            *policy = next;
            self.kind.store(number(kind), Relaxed);
        }
        policy.resized();
    }

    /// Lists a unit; nothing if it is listed already.
    pub(crate) fn insert(&self, unit: Unit, accounts: &Arc<Accounts>) {
        let mut state = self.state.lock();
        self.settle(&mut state);
        state.insert(unit);
        accounts.set_policy(state.policy.overhead());
    }

    /// Unlists a unit; nothing if it is not listed.
    pub(crate) fn remove(&self, unit: &Unit) {
        let mut state = self.state.lock();
        let id = unit.tally().node.load(Relaxed);
        if id != NONE {
            let State { nodes, policy } = &mut *state;
            policy.remove(nodes, id);
            let unit = state.take(id);
            drop(state);
            drop(unit);
        }
    }

    /// Puts `new` in the place of `old`. A complete unit gets a place in any case.
    pub(crate) fn replace(&self, old: &Unit, new: Unit) {
        let mut state = self.state.lock();
        let id = old.tally().node.load(Relaxed);
        if id == NONE {
            if new.is_complete() {
                state.insert(new);
            }
            return;
        }
        new.tally().node.store(id, Relaxed);
        new.tally().set_uses(old.tally().uses());
        old.tally().node.store(NONE, Relaxed);
        let previous = state.nodes.replace(id, new);
        drop(state);
        drop(previous);
    }

    /// A hit.
    pub(crate) fn touch(&self, tally: &Tally, accounts: &Arc<Accounts>) {
        if self.kind() == EvictionPolicy::S3Fifo {
            tally.bump();
            return;
        }
        let id = tally.node.load(Relaxed);
        if id != NONE
            && self.touches.push(id)
            && let Some(mut state) = self.state.try_lock()
        {
            self.settle(&mut state);
            accounts.set_policy(state.policy.overhead());
        }
    }

    /// Who has to go, now unlisted. Passes over what is being read: evicting that would cost the
    /// object and gain no memory.
    pub(crate) fn victim(&self, accounts: &Arc<Accounts>) -> Option<Unit> {
        let mut state = self.state.lock();
        self.settle(&mut state);
        for _ in 0..PATIENCE {
            let State { nodes, policy } = &mut *state;
            let id = policy.victim(nodes)?;
            if nodes.unit(id).is_some_and(Unit::in_use) {
                policy.again(nodes, id);
                continue;
            }
            let unit = state.take(id);
            accounts.set_policy(state.policy.overhead());
            return unit;
        }
        None
    }

    /// Drops what is remembered of units that are gone.
    pub(crate) fn forget(&self, accounts: &Arc<Accounts>) {
        let mut state = self.state.lock();
        if state.nodes.is_empty() {
            state.nodes = Nodes::new();
            state.policy = make(self.kind());
        }
        accounts.set_policy(state.policy.overhead());
    }

    fn settle(&self, state: &mut State) {
        let State { nodes, policy } = state;
        self.touches.drain(|id| {
            if nodes.unit(id).is_some() {
                policy.touch(nodes, id);
            }
        });
    }
}

impl State {
    fn insert(&mut self, unit: Unit) {
        if unit.tally().node.load(Relaxed) != NONE {
            return;
        }
        let id = self.nodes.add(unit);
        self.policy.insert(&mut self.nodes, id);
    }

    fn take(&mut self, id: u32) -> Option<Unit> {
        let unit = self.nodes.take(id);
        if let Some(unit) = &unit {
            unit.tally().node.store(NONE, Relaxed);
        }
        unit
    }
}

fn number(kind: EvictionPolicy) -> u8 {
    match kind {
        EvictionPolicy::Lru => 0,
        EvictionPolicy::Lfu => 1,
        EvictionPolicy::S3Fifo => 2,
    }
}

fn make(kind: EvictionPolicy) -> Box<dyn Eviction> {
    match kind {
        EvictionPolicy::Lru => Box::new(lru::Lru::new()),
        EvictionPolicy::Lfu => Box::new(lfu::Lfu::new()),
        EvictionPolicy::S3Fifo => Box::new(s3fifo::S3Fifo::new()),
    }
}

#[cfg(test)]
mod tests;
