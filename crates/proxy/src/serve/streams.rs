//! The streams of an HTTP/2 connection, each on a task of its own, so that one whose client takes nothing can be
//! ended without the others.
//!
//! Flow control stops at the client's word, which no socket shows; and what is left of an answer waits in h2 when its
//! task is long over. So the pieces themselves tell how far an answer has come, and keep it in service.

use std::future::Future;
use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use bytes::{Buf, Bytes};
use hyper::rt::Executor;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::connection::{Connection, InService};

/// Bytes that are put at hand for a stream at a time: a frame that every client takes (RFC 9113 §4.2).
const PIECE: usize = 16 << 10;
/// The same where many streams share what a slow client takes: each gets to some in time.
const SMALL_PIECE: usize = 4 << 10;
const MANY: u32 = 32;

tokio::task_local! {
    static OWN: Arc<Stream>;
}

/// An answer on its way over HTTP/2, until its last byte is written or it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    busy: OnceLock<InService>,
    /// Bytes at hand for the client that are not written yet.
    pub(super) offered: AtomicUsize,
    /// When some were last written, or put at hand where there were none.
    pub(super) taken_at: AtomicU32,
    cut: AtomicBool,
    task: OnceLock<AbortHandle>,
}

impl Stream {
    /// That on whose task this is called, which keeps `busy` from here on; gives it back where there is none.
    pub(super) fn own(busy: InService) -> Result<Arc<Self>, InService> {
        match OWN.try_with(Arc::clone) {
            Ok(own) => own.busy.set(busy).map(|()| own),
            Err(_) => Err(busy),
        }
    }

    /// As much of `bytes` as goes out at a time.
    pub(crate) fn offer(self: &Arc<Self>, bytes: &mut Bytes) -> Piece {
        let many = self.busy.get().is_some_and(|busy| busy.shared_by() >= MANY);
        let most = if many { SMALL_PIECE } else { PIECE };
        let bytes = bytes.split_to(bytes.len().min(most));
        if self.offered.fetch_add(bytes.len(), Ordering::Relaxed) == 0 {
            self.stamp();
        }
        Piece { bytes, of: Some(self.clone()) }
    }

    fn stamp(&self) {
        if let Some(busy) = self.busy.get() {
            self.taken_at.store(busy.tick(), Ordering::Relaxed);
        }
    }

    /// Ends it, once; its client is told (RFC 9113 §8.1: RST_STREAM). `None` if it was ended before, and whether that
    /// did it: not when all of it was handed over.
    pub(super) fn cut(&self) -> Option<bool> {
        let first = !self.cut.swap(true, Ordering::Relaxed);
        let task = self.task.get().filter(|task| !task.is_finished());
        first.then(|| task.inspect(|task| task.abort()).is_some())
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
        let _ = own.task.set(task.abort_handle());
    }
}

/// Bytes of an answer's body on their way to the client.
#[derive(Debug)]
pub struct Piece {
    bytes: Bytes,
    /// Over HTTP/2 only.
    of: Option<Arc<Stream>>,
}

impl From<Bytes> for Piece {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, of: None }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some(of) = &self.of {
            of.offered.fetch_sub(count, Ordering::Relaxed);
            of.stamp();
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Some(of) = &self.of {
            of.offered.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        }
    }
}
