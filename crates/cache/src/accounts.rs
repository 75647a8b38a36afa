//! The ledger of bytes: whoever holds memory has charged it here and takes the charge back when it
//! is dropped, so what is counted is what is really alive, an evicted body with a slow reader
//! included.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use crate::cache::Cache;

/// What an `Arc`, its allocation and the slack of a typical allocator cost beside the value.
pub(crate) const ARC: u64 = 16;
/// What `Bytes` allocates once it is shared.
pub(crate) const SHARED_BYTES: u64 = 32;
/// What an allocator rounds up, on average, for an allocation of so many bytes.
pub(crate) const fn rounding(bytes: u64) -> u64 {
    bytes / 16
}
/// A slot of the hash table at its average load.
pub(crate) const INDEX_SLOT: u64 = 28;

/// Bytes alive, by kind.
#[derive(Debug)]
pub(crate) struct Accounts {
    resident: AtomicU64,
    in_flight: AtomicU64,
    policy: AtomicU64,
    cache: Weak<Cache>,
}

impl Accounts {
    pub(crate) fn new(cache: Weak<Cache>) -> Self {
        let zero = || AtomicU64::new(0);
        Self { resident: zero(), in_flight: zero(), policy: zero(), cache }
    }

    /// Everything counted.
    pub(crate) fn total(&self) -> u64 {
        self.resident.load(Relaxed) + self.policy.load(Relaxed)
    }

    /// The part of the total that belongs to bodies still being written.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    pub(crate) fn charge(&self, bytes: u64) {
        self.resident.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn release(&self, bytes: u64) {
        self.resident.fetch_sub(bytes, Relaxed);
    }

    /// Body bytes that arrived.
    pub(crate) fn charge_in_flight(&self, bytes: u64) {
        self.charge(bytes);
        self.in_flight.fetch_add(bytes, Relaxed);
    }

    /// Body bytes that are in flight no more, but stored.
    pub(crate) fn landed(&self, bytes: u64) {
        self.in_flight.fetch_sub(bytes, Relaxed);
    }

    /// Body bytes that were given up in flight.
    pub(crate) fn release_in_flight(&self, bytes: u64) {
        self.landed(bytes);
        self.release(bytes);
    }

    /// What the eviction policy takes for ghosts, sketches and buffers.
    pub(crate) fn set_policy(&self, bytes: u64) {
        self.policy.store(bytes, Relaxed);
    }

    /// What the policy takes.
    #[cfg(test)]
    pub(crate) fn policy_bytes(&self) -> u64 {
        self.policy.load(Relaxed)
    }

    /// The store these bytes belong to, while it exists.
    pub(crate) fn cache(&self) -> Option<Arc<Cache>> {
        self.cache.upgrade()
    }
}
