//! The streams of an HTTP/2 connection, each on a task of its own, so that one whose client takes nothing can be
//! ended without the others.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use hyper::rt::Executor;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::connection::Connection;

/// Bytes that are put at hand for a stream at a time: whoever takes them shows that it lives. A frame that every
/// client takes (RFC 9113 §4.2), so that a slow one with many streams still gets to each in time.
const PIECE: usize = 16 << 10;

tokio::task_local! {
    static OWN: Arc<Stream>;
}

/// An answer on its way over HTTP/2.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Since when a piece of it waits for its client; 0 = none does.
    pub(super) offered_at: AtomicU32,
    task: OnceLock<AbortHandle>,
}

impl Stream {
    /// That on whose task this is called.
    pub(super) fn own() -> Option<Arc<Self>> {
        OWN.try_with(Arc::clone).ok()
    }

    /// Ends it; its client is told (RFC 9113 §8.1: RST_STREAM).
    pub(super) fn cut(&self) {
        self.offered_at.store(0, Ordering::Relaxed);
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// Those of one connection.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Vec<Weak<Stream>>>);

impl Streams {
    /// Calls `look` with each that lives.
    pub(super) fn each(&self, look: impl Fn(&Stream)) {
        self.0.lock().retain(|stream| stream.upgrade().inspect(|stream| look(stream)).is_some());
    }
}

/// Runs the streams of a connection.
#[derive(Clone)]
pub(super) struct StreamExecutor(pub(super) Arc<Connection>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        let own = Arc::<Stream>::default();
        self.0.streams.0.lock().push(Arc::downgrade(&own));
        let task = tokio::spawn(OWN.scope(own.clone(), stream));
        // Its task alone keeps it, and gives it up with the last byte.
        let _ = own.task.set(task.abort_handle());
    }
}

/// What is left of a piece that is larger than a stream is offered at a time.
#[derive(Debug, Default)]
pub(crate) struct Rest(Bytes);

impl Rest {
    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// As much of `bytes` as goes out now; the remainder is kept.
    pub(crate) fn of(&mut self, mut bytes: Bytes) -> Bytes {
        let now = bytes.split_to(bytes.len().min(PIECE));
        self.0 = bytes;
        now
    }

    /// The next of what was kept, if anything was.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        Some(self.of(bytes))
    }
}
