//! W-TinyLFU (Einziger, Friedman, Manes 2017): a window in order of use, and a main part that takes
//! in from it only what is asked for more often than what would have to go.
//!
//! Different from the paper: the window's share is not one percent but learned (see `balance`), and
//! what comes back soon after it was turned away goes to the main part at once.
//!
//! Where favourites change, counts tell of the past, and only use tells of the present. So the more
//! the window has learned to have, the longer those that left are remembered and trusted when they
//! return; and while the window has no more than its share, whoever was used longest ago goes, be it
//! from the window. With a small window that is always one of the main part, as in the paper; with
//! the largest this is LRU.

use super::Eviction;
use super::balance::{Balance, Returned};
use super::nodes::{List, Nodes};
use super::sketch::Sketch;

const WINDOW: u8 = 0;
const PROBATION: u8 = 1;
const PROTECTED: u8 = 2;

/// Window, probation and protected lists, each in order of use, and the sketch.
pub(super) struct Lfu {
    lists: [List; 3],
    sketch: Sketch,
    balance: Balance,
    /// What there was at the last eviction: below that there is room, and no contest for it.
    full: u64,
    /// Uses so far: the policy's time.
    uses: u64,
}

impl Lfu {
    pub(super) fn new() -> Self {
        let lists = [List::new(WINDOW), List::new(PROBATION), List::new(PROTECTED)];
        Self {
            lists,
            sketch: Sketch::new(),
            balance: Balance::new(0.05, 0.01),
            full: u64::MAX,
            uses: 0,
        }
    }

    fn list(&mut self, number: u8) -> &mut List {
        &mut self.lists[usize::from(number)]
    }

    fn bytes(&self) -> u64 {
        self.lists.iter().map(List::bytes).sum()
    }

    /// What the window may hold before its oldest have to stand for the main part.
    fn window(&self) -> u64 {
        self.balance.share(self.bytes())
    }

    /// How many bytes those stood for that are remembered. Half of what there is while counts can be
    /// relied on: who left longer ago is no better than its count says. And up to nearly three times
    /// of it while they cannot.
    fn memory(&self) -> u64 {
        self.full / 8 * 3 + self.balance.share(self.full) / 2 * 5
    }

    fn used(&mut self, nodes: &mut Nodes, id: u32) {
        self.uses += 1;
        nodes.set_used(id, self.now());
        self.sketch.add(nodes.hash(id));
    }

    /// Coarse, so that it takes a billion uses to go round.
    fn now(&self) -> u32 {
        (self.uses >> 6) as u32
    }

    /// A newcomer goes.
    fn turn_away(&mut self, nodes: &mut Nodes, id: u32) -> u32 {
        self.list(WINDOW).remove(nodes, id);
        self.balance.newcomer_left(nodes.hash(id), nodes.bytes(id), self.memory());
        id
    }

    /// Moves the oldest protected back until their share holds.
    fn demote(&mut self, nodes: &mut Nodes) {
        let share = (self.bytes() - self.list(WINDOW).bytes()) / 5 * 4;
        while self.list(PROTECTED).bytes() > share {
            let Some(id) = self.list(PROTECTED).pop(nodes) else {
                return;
            };
            self.list(PROBATION).push(nodes, id);
        }
    }
}

impl Eviction for Lfu {
    fn insert(&mut self, nodes: &mut Nodes, id: u32) {
        self.sketch.fit(self.lists.iter().map(List::len).sum());
        self.used(nodes, id);
        let part = nodes.bytes(id) as f64 / self.bytes().max(1) as f64;
        if self.balance.arrived(nodes.hash(id), part) != Returned::No {
            // It was judged too hastily: the sketch knew less than its return tells.
            let trusted = if self.balance.shifting(0.1) { PROTECTED } else { PROBATION };
            self.list(trusted).push(nodes, id);
            return;
        }
        self.list(WINDOW).push(nodes, id);
        while self.bytes() < self.full / 50 * 49 && self.list(WINDOW).bytes() > self.window() {
            let Some(id) = self.list(WINDOW).pop(nodes) else {
                return;
            };
            self.list(PROBATION).push(nodes, id);
        }
    }

    fn remove(&mut self, nodes: &mut Nodes, id: u32) {
        self.list(nodes.list(id)).remove(nodes, id);
    }

    fn touch(&mut self, nodes: &mut Nodes, id: u32) {
        self.used(nodes, id);
        match nodes.list(id) {
            PROBATION => {
                self.list(PROBATION).remove(nodes, id);
                nodes.weigh(id);
                self.list(PROTECTED).push(nodes, id);
                self.demote(nodes);
            }
            number => self.list(number).renew(nodes, id),
        }
    }

    fn victim(&mut self, nodes: &mut Nodes) -> Option<u32> {
        self.full = self.bytes();
        self.demote(nodes);
        let candidate = self.list(WINDOW).last();
        let coldest = self.list(PROBATION).last().or(self.list(PROTECTED).last());
        let (Some(candidate), Some(coldest)) = (candidate, coldest) else {
            let only = candidate.or(coldest)?;
            self.remove(nodes, only);
            return Some(only);
        };
        if self.list(WINDOW).bytes() > self.window() {
            let (wanted, kept) = (nodes.hash(candidate), nodes.hash(coldest));
            if self.sketch.estimate(wanted) <= self.sketch.estimate(kept) {
                return Some(self.turn_away(nodes, candidate));
            }
            self.remove(nodes, candidate);
            nodes.weigh(candidate);
            self.list(PROBATION).push(nodes, candidate);
        } else if nodes.unused_for(candidate, self.now()) > nodes.unused_for(coldest, self.now()) {
            return Some(self.turn_away(nodes, candidate));
        }
        self.remove(nodes, coldest);
        self.balance.established_left(nodes.hash(coldest), nodes.bytes(coldest), self.memory());
        Some(coldest)
    }

    fn again(&mut self, nodes: &mut Nodes, id: u32) {
        nodes.weigh(id);
        self.list(PROBATION).push(nodes, id);
    }

    fn resized(&mut self) {
        self.full = u64::MAX;
    }

    fn overhead(&self) -> u64 {
        self.sketch.bytes() + self.balance.overhead()
    }
}
