//! Reading a body, along with its writer if that is not done.

use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::live::{FELL_BEHIND, ReaderSlot, Seen};
use super::{Body, Truncated};

/// One pass over a [`Body`] or a range of it.
///
/// Takes no lock once the body is complete. Dropping it leaves nothing behind. Of a body that turned
/// out too large to store, a reader is cut short if it lags far behind while another waits for more.
#[derive(Debug)]
pub struct BodyReader {
    body: Arc<Body>,
    at: u64,
    end: u64,
    slot: Option<u32>,
}

impl BodyReader {
    pub(super) fn new(body: Arc<Body>, range: Option<Range<u64>>) -> Self {
        let Range { start, end } = range.unwrap_or(0..u64::MAX);
        let slot = if body.is_complete() { None } else { register(&body, start) };
        Self { body, at: start, end, slot }
    }

    /// The next piece, at most 1 MiB; none at the end of the body or range.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        if self.at >= self.end {
            return Poll::Ready(None);
        }
        if let Some(done) = self.body.done.get() {
            return Poll::Ready(done.piece(self.at, self.end).map(|data| self.passed(data)));
        }
        match self.look(cx) {
            Seen::Data(data) => Poll::Ready(Some(self.passed(data))),
            Seen::NotYet => Poll::Pending,
            Seen::End => Poll::Ready(None),
            Seen::Cut(why) => Poll::Ready(Some(Err(why))),
        }
    }

    /// The next piece; none at the end of the body or range.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Truncated>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The body being read.
    pub fn body(&self) -> &Arc<Body> {
        &self.body
    }

    /// Where in the body the next piece begins.
    pub fn position(&self) -> u64 {
        self.at
    }

    fn passed(&mut self, data: Bytes) -> Result<Bytes, Truncated> {
        self.at += data.len() as u64;
        Ok(data)
    }

    fn look(&mut self, cx: &mut Context<'_>) -> Seen {
        let mut state = self.body.state.lock();
        let Some(live) = state.live_mut() else {
            // Completed between the check and the lock.
            let piece = self.body.done.get().and_then(|done| done.piece(self.at, self.end));
            return piece.map_or(Seen::End, Seen::Data);
        };
        let mut seen = live.look(self.at, self.end);
        let mut done = false;
        if let Some(slot) = self.slot.and_then(|id| live.readers.get_mut(id)) {
            match &seen {
                _ if slot.cut => seen = Seen::Cut(FELL_BEHIND),
                Seen::Data(data) => {
                    slot.at = self.at + data.len() as u64;
                    done = slot.at >= self.end;
                }
                Seen::NotYet => {
                    if !slot.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                        slot.waker = Some(cx.waker().clone());
                    }
                }
                Seen::Cut(_) => slot.cut = true,
                Seen::End => {}
            }
        }
        if done && let Some(id) = self.slot.take() {
            // A range that is read needs no more of the body, whenever this is dropped.
            live.readers.remove(id);
        }
        // Whatever was seen, the writer may have room now: even for a reader that only waits, the
        // one it is kept from more by can be cut.
        let writer = live.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        seen
    }
}

fn register(body: &Body, at: u64) -> Option<u32> {
    let mut state = body.state.lock();
    Some(state.live_mut()?.readers.insert(ReaderSlot::new(at)))
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        let Some(id) = self.slot else { return };
        let wake = {
            let mut state = self.body.state.lock();
            let Some(live) = state.live_mut() else { return };
            live.readers.remove(id);
            live.writer.take()
        };
        if let Some(writer) = wake {
            writer.wake();
        }
    }
}
