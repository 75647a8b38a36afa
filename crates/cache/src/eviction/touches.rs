//! Hits on their way to a policy that needs to know their order: striped, small, lossy.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use super::nodes::NONE;

const STRIPES: usize = 16;
const LENGTH: usize = 64;

/// Ring buffers of node numbers; each thread mostly has one to itself.
pub(super) struct Touches(Box<[Stripe]>);

#[repr(align(128))]
struct Stripe {
    at: AtomicUsize,
    ids: [AtomicU32; LENGTH],
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static STRIPE: Cell<usize> = Cell::new(THREADS.fetch_add(1, Relaxed) % STRIPES);
}

impl Touches {
    pub(super) fn new() -> Self {
        let stripe =
            |_| Stripe { at: AtomicUsize::new(0), ids: [const { AtomicU32::new(NONE) }; LENGTH] };
        Self((0..STRIPES).map(stripe).collect())
    }

    /// Notes a hit, or forgets it when the stripe is full; true when it should be drained.
    pub(super) fn push(&self, id: u32) -> bool {
        let stripe = &self.0[STRIPE.get()];
        let at = stripe.at.load(Relaxed);
        // Threads that share a stripe may overwrite each other's note: that is the lossy part.
        if let Some(slot) = stripe.ids.get(at) {
            slot.store(id, Relaxed);
            stripe.at.store(at + 1, Relaxed);
        }
        at + 1 >= LENGTH
    }

    /// Hands out what was noted. A number may meanwhile mean another unit or none.
    pub(super) fn drain(&self, mut touch: impl FnMut(u32)) {
        for stripe in &self.0 {
            let count = stripe.at.load(Relaxed).min(LENGTH);
            for slot in &stripe.ids[..count] {
                let id = slot.swap(NONE, Relaxed);
                if id != NONE {
                    touch(id);
                }
            }
            if count > 0 {
                stripe.at.store(0, Relaxed);
            }
        }
    }
}
