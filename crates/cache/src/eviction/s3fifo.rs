//! S3-FIFO (Yang et al. 2023): a small queue for newcomers, a main queue for what was used again,
//! and ghosts of newcomers that left too early. Shares are of bytes, not of objects.

use super::Eviction;
use super::ghost::Ghosts;
use super::nodes::{List, Nodes};

const SMALL: u8 = 0;
const MAIN: u8 = 1;

/// Percent of the bytes for newcomers.
const SMALL_SHARE: u64 = 10;

/// Two queues and the ghosts.
pub(super) struct S3Fifo {
    small: List,
    main: List,
    ghosts: Ghosts,
    capacity: u64,
}

impl S3Fifo {
    pub(super) const fn new(capacity: u64) -> Self {
        Self {
            small: List::new(SMALL),
            main: List::new(MAIN),
            ghosts: Ghosts::new(),
            capacity,
        }
    }

    fn bytes(&self) -> u64 {
        self.small.bytes() + self.main.bytes()
    }
}

impl Eviction for S3Fifo {
    fn insert(&mut self, nodes: &mut Nodes, id: u32) {
        if self.ghosts.take(nodes.hash(id)) {
            self.main.push(nodes, id);
        } else {
            self.small.push(nodes, id);
        }
    }

    fn remove(&mut self, nodes: &mut Nodes, id: u32) {
        match nodes.list(id) {
            SMALL => self.small.remove(nodes, id),
            _ => self.main.remove(nodes, id),
        }
    }

    /// Hits are counted in the unit.
    fn touch(&mut self, nodes: &mut Nodes, id: u32) {
        if let Some(unit) = nodes.unit(id) {
            unit.tally().bump();
        }
    }

    fn victim(&mut self, nodes: &mut Nodes) -> Option<u32> {
        loop {
            let share = self.bytes() / 100 * SMALL_SHARE;
            if self.small.bytes() > share || self.main.len() == 0 {
                let id = self.small.pop(nodes)?;
                let uses = nodes.unit(id).map_or(0, |unit| unit.tally().uses());
                nodes.weigh(id);
                if uses > 0 {
                    if let Some(unit) = nodes.unit(id) {
                        unit.tally().set_uses(0);
                    }
                    self.main.push(nodes, id);
                    continue;
                }
                self.ghosts.add(nodes.hash(id), nodes.bytes(id));
                self.ghosts.trim(self.main.bytes().min(self.capacity));
                return Some(id);
            }
            let id = self.main.pop(nodes)?;
            let uses = nodes.unit(id).map_or(0, |unit| unit.tally().uses());
            if uses == 0 {
                return Some(id);
            }
            if let Some(unit) = nodes.unit(id) {
                unit.tally().set_uses(uses - 1);
            }
            nodes.weigh(id);
            self.main.push(nodes, id);
        }
    }

    fn again(&mut self, nodes: &mut Nodes, id: u32) {
        nodes.weigh(id);
        self.main.push(nodes, id);
    }

    fn resize(&mut self, capacity: u64) {
        self.capacity = capacity;
        self.ghosts.trim(capacity);
    }

    fn overhead(&self) -> u64 {
        self.ghosts.overhead()
    }
}
