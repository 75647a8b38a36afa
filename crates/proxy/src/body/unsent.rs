//! What of a relayed body waits for its client. No bound of the store counts it, so it has its own: many clients
//! that read slowly what is not stored must not cost a node its memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

/// Bytes of a node that need no thrift: clients that take what they get are served faster by full writes.
const PLENTY: usize = 32 << 20;
/// Bytes of each body where a node has more than that; its last piece may go beyond.
const EACH: usize = 128 << 10;

/// What a node has relayed and not sent yet, in bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllUnsent(Arc<AtomicUsize>);

/// The pieces of one body that are not sent yet.
#[derive(Debug)]
pub(super) struct Unsent(Arc<Pieces>);

#[derive(Debug)]
struct Pieces {
    bytes: AtomicUsize,
    all: AllUnsent,
    waiting: Mutex<Option<Waker>>,
}

impl Unsent {
    /// None yet, of a body of the node of `all`.
    pub(super) fn new(all: &AllUnsent) -> Self {
        let (bytes, waiting) = Default::default();
        Self(Arc::new(Pieces { bytes, all: all.clone(), waiting }))
    }

    /// Pending until there is room for another piece.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let few = |bytes: &AtomicUsize, most| bytes.load(Ordering::Acquire) < most;
        let room = || few(&self.0.bytes, EACH) || few(&self.0.all.0, PLENTY);
        if room() {
            return Poll::Ready(());
        }
        *self.0.waiting.lock() = Some(cx.waker().clone());
        // A piece may have gone meanwhile.
        if room() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// `bytes`, counted until they are sent or dropped.
    pub(super) fn count(&self, bytes: Bytes) -> Bytes {
        self.0.bytes.fetch_add(bytes.len(), Ordering::AcqRel);
        self.0.all.0.fetch_add(bytes.len(), Ordering::AcqRel);
        Bytes::from_owner(Piece { bytes, of: self.0.clone() })
    }
}

struct Piece {
    bytes: Bytes,
    of: Arc<Pieces>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let Pieces { bytes, all, waiting } = &*self.of;
        bytes.fetch_sub(self.bytes.len(), Ordering::AcqRel);
        all.0.fetch_sub(self.bytes.len(), Ordering::AcqRel);
        let waiting = waiting.lock().take();
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests;
