//! Writing a body that others read meanwhile.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use semantics::NoStoreReason;

use super::live::Phase;
use super::{Body, CHUNK, Chunks, Done, Truncated};
use crate::accounts::rounding;
use crate::arena;
use crate::cache::Cache;

/// Pieces below this are put together at once, so that a trickle does not cost a handle per byte.
const SMALL: usize = 4 << 10;

/// So far a reader may lag at least before it is given up for the sake of others. A connection moves
/// in leaps: its socket takes up to 4 MiB at once and then nothing until much of that is sent, so a
/// lesser lag does not tell a slow client from one that is about to leap.
const LEAP: u64 = 4 << 20;

/// The one that may append to a body.
///
/// What it is given is copied into memory of exactly that size: the buffers of a connection must
/// not live as long as a stored object.
#[derive(Debug)]
pub(crate) struct Writer {
    body: Arc<Body>,
    /// None when the store is gone already and somebody still transforms one of its objects.
    cache: Option<Arc<Cache>>,
    /// The pieces since the last full chunk.
    tail: Vec<Bytes>,
    tail_len: usize,
    written: u64,
    limit: u64,
}

impl Writer {
    pub(crate) fn new(body: Arc<Body>, cache: Option<Arc<Cache>>) -> Self {
        let limit = cache.as_ref().map_or(u64::MAX, |cache| cache.max_object());
        Self { body, cache, tail: Vec::new(), tail_len: 0, written: 0, limit }
    }

    pub(crate) fn body(&self) -> &Arc<Body> {
        &self.body
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Appends what is to be kept, or says why it cannot be; then nothing was appended.
    pub(crate) fn store(&mut self, data: &[u8]) -> Result<(), NoStoreReason> {
        if self.written + data.len() as u64 > self.limit {
            return Err(NoStoreReason::TooLarge);
        }
        if self.body.state.lock().get_live().is_some_and(|live| live.detached) {
            return Err(NoStoreReason::Purged);
        }
        self.charge(data.len());
        if !self.cache.as_ref().is_none_or(|cache| cache.make_room_for_fills()) {
            self.discharge(data.len() as u64);
            return Err(NoStoreReason::NoRoom);
        }
        let mut rest = data;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(CHUNK - self.tail_len));
            self.store_piece(piece);
            rest = behind;
        }
        Ok(())
    }

    /// From now on only what readers still need is kept.
    pub(crate) fn stream(&mut self) {
        self.tail = Vec::new();
        self.with_live(|live| {
            live.phase = Phase::Streaming;
            (live.wakers(), 0)
        });
    }

    /// Appends while streaming, then waits while all readers are busy and the slowest lags behind by
    /// more than the window, which is as much as would have been stored. While one of them waits for
    /// more, the others may lag by [`LEAP`] if that is more, and who lags even further is cut: the
    /// rest need not be as slow, and what is kept stays bounded. False when nobody reads any more.
    pub(crate) async fn pass(&mut self, data: &[u8]) -> bool {
        if !data.is_empty() {
            self.charge(data.len());
            self.written += data.len() as u64;
            let piece = Bytes::copy_from_slice(data);
            self.with_live(|live| {
                live.push(piece);
                (live.wakers(), 0)
            });
        }
        poll_fn(|cx| self.poll_room(cx)).await
    }

    /// The last byte is in, of a body that is kept.
    pub(crate) fn seal(&mut self) {
        self.join_tail();
        let mut state = self.body.state.lock();
        let Some(mut live) = state.take_live() else {
            return;
        };
        let wakers = live.wakers();
        let len = live.written;
        let mut list = live.into_chunks();
        let done = match &mut *list {
            [] => Done::Whole(Bytes::new()),
            [one] => Done::Whole(std::mem::take(one)),
            _ => Done::Chunks(Box::new(Chunks { list, len })),
        };
        // Under the lock, so that whoever finds nothing live finds this.
        let fresh = self.body.done.set(done).is_ok();
        drop(state);
        debug_assert!(fresh, "a body is sealed once");
        self.body.accounts.landed(len);
        self.body.accounts.charge(rounding(len));
        wake(wakers);
    }

    /// The last byte is in, of a body that was only streamed.
    pub(crate) fn end(&mut self) {
        self.close(Phase::Ended);
    }

    /// No more will come.
    pub(crate) fn fail(&mut self, why: Truncated) {
        self.close(Phase::Failed(why));
    }

    fn close(&mut self, phase: Phase) {
        self.with_live(|live| {
            live.phase = phase;
            (live.wakers(), 0)
        });
    }

    fn store_piece(&mut self, data: &[u8]) {
        self.written += data.len() as u64;
        self.tail_len += data.len();
        let small = |piece: &Bytes| piece.len() + data.len() <= SMALL;
        let merged = match self.tail.last() {
            Some(last) if small(last) => Some(Bytes::from([last, data].concat())),
            _ => None,
        };
        if let Some(piece) = merged {
            self.tail.pop();
            self.tail.push(piece.clone());
            self.with_live(|live| {
                live.written += data.len() as u64;
                live.replace_tail(piece);
                (live.wakers(), 0)
            });
        } else {
            let piece = Bytes::copy_from_slice(data);
            self.tail.push(piece.clone());
            self.with_live(|live| {
                live.push(piece);
                (live.wakers(), 0)
            });
        }
        if self.tail_len == CHUNK {
            self.join_tail();
            self.tail.clear();
            self.tail_len = 0;
        }
    }

    /// Makes one exact piece of the last ones, where the kernel can send it from if it is large; copies
    /// without the lock.
    fn join_tail(&mut self) {
        let whole = match (arena::join(&self.tail), &*self.tail) {
            (Some(whole), _) => whole,
            (None, [] | [_]) => return,
            (None, parts) => join(parts),
        };
        self.tail = vec![whole.clone()];
        self.with_live(|live| {
            live.replace_tail(whole);
            (Vec::new(), 0)
        });
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut verdict = Poll::Pending;
        self.with_live(|live| {
            let mut window = self.limit;
            if live.is_awaited() {
                window = window.max(LEAP);
                live.cut_laggards(window);
            }
            let freed = live.trim(window);
            match live.has_room(window) {
                None => verdict = Poll::Ready(false),
                Some(true) => verdict = Poll::Ready(true),
                Some(false) => live.writer = Some(cx.waker().clone()),
            }
            (Vec::new(), freed)
        });
        verdict
    }

    fn with_live(&self, act: impl FnOnce(&mut super::Live) -> (Vec<Waker>, u64)) {
        let mut state = self.body.state.lock();
        let Some(live) = state.live_mut() else { return };
        let (wakers, freed) = act(live);
        drop(state);
        if freed > 0 {
            self.discharge(freed);
        }
        wake(wakers);
    }

    fn charge(&self, bytes: usize) {
        if let Some(live) = self.body.state.lock().live_mut() {
            live.resident += bytes as u64;
        }
        self.body.accounts.charge_in_flight(bytes as u64);
    }

    fn discharge(&self, bytes: u64) {
        if let Some(live) = self.body.state.lock().live_mut() {
            live.resident -= bytes;
        }
        self.body.accounts.release_in_flight(bytes);
    }
}

fn join(pieces: &[Bytes]) -> Bytes {
    let mut whole = Vec::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        whole.extend_from_slice(piece);
    }
    whole.into()
}

fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}
