//! S3-FIFO (Yang et al. 2023): a small queue for newcomers, a main queue for what was used again,
//! and ghosts of those that left too early.
//!
//! Different from the paper: shares are of bytes, not of objects, and the small queue's share is
//! not fixed but learned (see `balance`), so that favourites that change are followed.

use super::Eviction;
use super::balance::{Balance, Returned};
use super::nodes::{List, Nodes};

const SMALL: u8 = 0;
const MAIN: u8 = 1;

/// Two queues and the ghosts.
pub(super) struct S3Fifo {
    small: List,
    main: List,
    balance: Balance,
}

impl S3Fifo {
    pub(super) const fn new() -> Self {
        let balance = Balance::new(0.1, 0.02);
        Self { small: List::new(SMALL), main: List::new(MAIN), balance }
    }

    fn bytes(&self) -> u64 {
        self.small.bytes() + self.main.bytes()
    }
}

impl Eviction for S3Fifo {
    fn insert(&mut self, nodes: &mut Nodes, id: u32) {
        let part = nodes.bytes(id) as f64 / self.bytes().max(1) as f64;
        match self.balance.arrived(nodes.hash(id), part) {
            Returned::No => self.small.push(nodes, id),
            Returned::Newcomer | Returned::Established => self.main.push(nodes, id),
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
            let newcomers = self.small.bytes() > self.balance.share(self.bytes());
            let from_small = newcomers || self.main.len() == 0;
            let id = if from_small { self.small.pop(nodes) } else { self.main.pop(nodes) }?;
            let uses = nodes.unit(id).map_or(0, |unit| unit.tally().uses());
            if uses == 0 {
                let (hash, bytes) = (nodes.hash(id), nodes.bytes(id));
                if from_small {
                    self.balance.newcomer_left(hash, bytes, self.bytes());
                } else {
                    self.balance.established_left(hash, bytes, self.bytes() / 2);
                }
                return Some(id);
            }
            // Where favourites change quickly, one more round is enough for what was used.
            let left = if from_small || self.balance.shifting(0.3) { 0 } else { uses - 1 };
            if let Some(unit) = nodes.unit(id) {
                unit.tally().set_uses(left);
            }
            nodes.weigh(id);
            self.main.push(nodes, id);
        }
    }

    fn again(&mut self, nodes: &mut Nodes, id: u32) {
        nodes.weigh(id);
        self.main.push(nodes, id);
    }

    fn overhead(&self) -> u64 {
        self.balance.overhead()
    }
}
