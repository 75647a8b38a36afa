//! W-TinyLFU (Einziger, Friedman, Manes 2017): a small window in order of use, and a main part that
//! takes in from it only what is asked for more often than what would have to go.

use super::Eviction;
use super::nodes::{List, Nodes};
use super::sketch::Sketch;

const WINDOW: u8 = 0;
const PROBATION: u8 = 1;
const PROTECTED: u8 = 2;

/// Window, probation and protected lists, each in order of use, and the sketch.
pub(super) struct Lfu {
    lists: [List; 3],
    sketch: Sketch,
    capacity: u64,
}

impl Lfu {
    pub(super) fn new(capacity: u64) -> Self {
        let lists = [
            List::new(WINDOW),
            List::new(PROBATION),
            List::new(PROTECTED),
        ];
        Self {
            lists,
            sketch: Sketch::new(),
            capacity,
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
        self.bytes().min(self.capacity) / 100
    }

    /// Moves the oldest protected back until their share holds.
    fn demote(&mut self, nodes: &mut Nodes) {
        let share = self.bytes() / 100 * 79;
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
        self.sketch.add(nodes.hash(id));
        self.list(WINDOW).push(nodes, id);
    }

    fn remove(&mut self, nodes: &mut Nodes, id: u32) {
        self.list(nodes.list(id)).remove(nodes, id);
    }

    fn touch(&mut self, nodes: &mut Nodes, id: u32) {
        self.sketch.add(nodes.hash(id));
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
        loop {
            self.demote(nodes);
            let candidate = self.list(WINDOW).last();
            let coldest = self.list(PROBATION).last().or(self.list(PROTECTED).last());
            let (candidate, coldest) = match (candidate, coldest) {
                (Some(candidate), Some(coldest)) => (candidate, coldest),
                (None, Some(coldest)) => {
                    self.remove(nodes, coldest);
                    return Some(coldest);
                }
                (candidate, None) => {
                    let candidate = candidate?;
                    self.remove(nodes, candidate);
                    return Some(candidate);
                }
            };
            if self.list(WINDOW).bytes() <= self.window() {
                self.remove(nodes, coldest);
                return Some(coldest);
            }
            let wanted = self.sketch.estimate(nodes.hash(candidate));
            if wanted <= self.sketch.estimate(nodes.hash(coldest)) {
                self.remove(nodes, candidate);
                return Some(candidate);
            }
            self.remove(nodes, candidate);
            nodes.weigh(candidate);
            self.list(PROBATION).push(nodes, candidate);
            self.remove(nodes, coldest);
            return Some(coldest);
        }
    }

    fn again(&mut self, nodes: &mut Nodes, id: u32) {
        nodes.weigh(id);
        self.list(PROBATION).push(nodes, id);
    }

    fn resize(&mut self, capacity: u64) {
        self.capacity = capacity;
    }

    fn overhead(&self) -> u64 {
        self.sketch.bytes()
    }
}
