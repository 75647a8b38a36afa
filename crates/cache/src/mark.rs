//! Hit-for-miss marks: this URL, or this variant of it, proved uncacheable a moment ago.

use std::sync::Arc;

use semantics::Timestamp;

use crate::accounts::{ARC, Accounts};
use crate::eviction::{NODE, Tally};
use crate::flight::Target;

/// A mark. Counted and evicted as objects are, so that no stream of unique uncacheable URLs leaks.
pub(crate) struct Mark {
    pub(crate) hash: u64,
    /// The variant it is about; the whole key when none.
    pub(crate) target: Option<Target>,
    /// Found by a HEAD request, and only good for those.
    pub(crate) head: bool,
    pub(crate) until: Timestamp,
    pub(crate) tally: Tally,
    accounts: Arc<Accounts>,
}

impl Mark {
    pub(crate) fn new(
        hash: u64,
        target: Option<Target>,
        head: bool,
        until: Timestamp,
        accounts: Arc<Accounts>,
    ) -> Arc<Self> {
        let mark = Self { hash, target, head, until, tally: Tally::new(), accounts };
        mark.accounts.charge(mark.bytes_used());
        Arc::new(mark)
    }

    pub(crate) fn bytes_used(&self) -> u64 {
        let variant = self.target.as_ref().map_or(0, |target| target.variant.len() as u64 + ARC);
        size_of::<Self>() as u64 + ARC + NODE + variant
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.accounts.release(self.bytes_used());
    }
}
