//! Least recently used: the plain baseline.

use super::Eviction;
use super::nodes::{List, Nodes};

/// One list in order of use.
pub(super) struct Lru(List);

impl Lru {
    pub(super) const fn new() -> Self {
        Self(List::new(0))
    }
}

impl Eviction for Lru {
    fn insert(&mut self, nodes: &mut Nodes, id: u32) {
        self.0.push(nodes, id);
    }

    fn remove(&mut self, nodes: &mut Nodes, id: u32) {
        self.0.remove(nodes, id);
    }

    fn touch(&mut self, nodes: &mut Nodes, id: u32) {
        self.0.renew(nodes, id);
    }

    fn victim(&mut self, nodes: &mut Nodes) -> Option<u32> {
        self.0.pop(nodes)
    }

    fn again(&mut self, nodes: &mut Nodes, id: u32) {
        nodes.weigh(id);
        self.0.push(nodes, id);
    }

    fn overhead(&self) -> u64 {
        0
    }
}
