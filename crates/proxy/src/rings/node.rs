//! A node and its rings.

use std::sync::Arc;

use arc_swap::Guard;
use upstream::EndpointError;
use wire::Fleet;
use wire::snapshot::Peering;

use super::{Here, PLACES, Ring, Rings};
use crate::config::Node;

impl Node {
    /// Goes over to `fleet`, while requests go on; they keep whom they picked. To be told after
    /// [`stand_in`](Self::stand_in), else it does not look after its peers.
    ///
    /// # Errors
    /// When a member's URL cannot be used; then everything stays as it was.
    pub fn set_fleet(&self, fleet: Fleet) -> Result<(), EndpointError> {
        let before = self.rings.load_full();
        let now = self.clock.monotonic();
        let ring = self.own_ring.get().map(String::as_str);
        let here = Here { name: &self.name, ring };
        let rings = Rings::new(fleet, &before, &self.upstreams, here, now)?;
        self.rings.store(Arc::new(rings));
        Ok(())
    }

    /// Who is there; nothing before it was told.
    pub fn fleet(&self) -> Option<Fleet> {
        self.rings().fleet.clone()
    }

    /// Says that this node is an edge of the point of presence `pop`: the fleet's ring `pop/POOL/POP` has
    /// it and its peers.
    pub fn stand_in(&self, pop: &str) {
        self.stand_at(pop);
        let _ = self.own_ring.set(format!("{PLACES}{}/{pop}", self.config().snapshot().pool));
    }

    /// Says that this node is an edge of the point of presence `pop`, alone there as far as it knows.
    pub fn stand_at(&self, pop: &str) {
        let _ = self.pop.set(pop.to_owned());
    }

    /// The point of presence that it is an edge of.
    pub fn pop(&self) -> Option<&str> {
        self.pop.get().map(String::as_str)
    }

    pub(crate) fn rings(&self) -> Guard<Arc<Rings>> {
        self.rings.load()
    }

    /// The ring that it is on itself, with others or alone.
    pub(crate) fn own_ring(&self) -> Option<Arc<Ring>> {
        self.rings().get(self.own_ring.get()?).cloned()
    }

    /// Counts that a key of another node is asked for, and tells whether it is worth a copy here.
    pub(crate) fn is_hot(&self, key_hash: u64, peering: &Peering) -> bool {
        let stats = self.cache.stats();
        // A copy is in nobody's way before the store is full.
        let is_full = stats.bytes >= stats.capacity / 8 * 7;
        let objects = if is_full { stats.objects } else { u64::MAX };
        self.hot.lock().ask(key_hash, peering, objects, self.clock.monotonic())
    }
}
