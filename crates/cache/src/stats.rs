//! Figures for metrics: counters since the start and sizes now.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A reading of the store's counters and sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The bound on `bytes`.
    pub capacity: u64,
    /// Everything counted, bodies in flight included.
    pub bytes: u64,
    /// Body bytes of fills that are not finished.
    pub in_flight_bytes: u64,
    /// Objects in the index, those being written included.
    pub objects: u64,
    /// Hit-for-miss marks in the index.
    pub marks: u64,
    /// Tags that an object has, or an order is remembered for.
    pub tags: u64,
    /// Bytes of them, each counted once whatever number of objects has it; within `bytes`.
    pub tag_bytes: u64,
    /// Bytes of bans, prefixes and counts that are remembered; within `bytes`.
    pub order_bytes: u64,
    /// Orders that are remembered because something may be subject to them.
    pub orders: u64,
    /// Obligations that are held at the moment.
    pub flights: u64,
    /// Fills that were finished and stored, and revalidations that freshened.
    pub inserts: u64,
    /// Objects and marks that had to go for room.
    pub evictions: u64,
    /// Bytes of them.
    pub evicted_bytes: u64,
    /// Variants dropped because their URL had too many.
    pub variants_rejected: u64,
    /// Requests that waited for, or read along with, somebody else's fill.
    pub collapsed: u64,
    /// Fills that turned to streaming because of size or room.
    pub oversized: u64,
}

/// The atomics behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) objects: AtomicU64,
    pub(crate) marks: AtomicU64,
    pub(crate) flights: AtomicU64,
    pub(crate) inserts: AtomicU64,
    pub(crate) evictions: AtomicU64,
    pub(crate) evicted_bytes: AtomicU64,
    pub(crate) variants_rejected: AtomicU64,
    pub(crate) collapsed: AtomicU64,
    pub(crate) oversized: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            objects: self.objects.load(Relaxed),
            marks: self.marks.load(Relaxed),
            flights: self.flights.load(Relaxed),
            inserts: self.inserts.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
            evicted_bytes: self.evicted_bytes.load(Relaxed),
            variants_rejected: self.variants_rejected.load(Relaxed),
            collapsed: self.collapsed.load(Relaxed),
            oversized: self.oversized.load(Relaxed),
            ..Stats::default()
        }
    }
}

/// One more.
pub(crate) fn up(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// One less.
pub(crate) fn down(counter: &AtomicU64) {
    counter.fetch_sub(1, Relaxed);
}
