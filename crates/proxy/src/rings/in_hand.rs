//! What a node has in hand itself, to be compared with what its neighbours have in hand for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts requests that a node takes on itself although it is not alone on its ring.
#[derive(Clone, Debug, Default)]
pub(crate) struct InHand(Arc<AtomicU32>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken(InHand);

impl InHand {
    /// One more.
    pub(crate) fn take(&self) -> Taken {
        self.0.fetch_add(1, Ordering::Relaxed);
        Taken(self.clone())
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
