//! The bytes of a response: complete in memory, or still being written and read at the same time.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::accounts::{ARC, Accounts, SHARED_BYTES, rounding};

mod derived;
mod live;
mod reader;
mod state;
mod writer;

pub use derived::{BodyWriter, Derived};
pub use reader::BodyReader;
pub(crate) use writer::Writer;

use live::Live;
use state::State;

/// Bodies up to so many bytes end as one piece; larger ones as pieces of exactly this size, and a rest.
pub const CHUNK: usize = 256 << 10;

/// The body of an [`Object`](crate::Object), shared by all who read it.
pub struct Body {
    /// Set once, when the last byte is in: from then on readers take no lock.
    done: OnceLock<Done>,
    state: Mutex<State>,
    accounts: Arc<Accounts>,
}

enum Done {
    Whole(Bytes),
    Chunks(Box<Chunks>),
}

struct Chunks {
    list: Box<[Bytes]>,
    len: u64,
}

/// The body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated(pub &'static str);

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "body cut short: {}", self.0)
    }
}

impl std::error::Error for Truncated {}

impl Body {
    /// A body to be written; `expected` is its announced length.
    pub(crate) fn begin(accounts: Arc<Accounts>, expected: Option<u64>) -> Arc<Self> {
        Self::make(accounts, OnceLock::new(), State::live(Live::new(expected)))
    }

    /// A body without a byte, complete.
    pub(crate) fn empty(accounts: Arc<Accounts>) -> Arc<Self> {
        Self::make(accounts, OnceLock::from(Done::Whole(Bytes::new())), State::default())
    }

    fn make(accounts: Arc<Accounts>, done: OnceLock<Done>, state: State) -> Arc<Self> {
        accounts.charge(Self::COST);
        Arc::new(Self { done, state: Mutex::new(state), accounts })
    }

    /// What a body costs beside its bytes.
    pub(crate) const COST: u64 = size_of::<Self>() as u64 + ARC + SHARED_BYTES;

    /// The whole body in one piece: complete and at most 256 KiB.
    pub fn complete(&self) -> Option<&Bytes> {
        match self.done.get()? {
            Done::Whole(bytes) => Some(bytes),
            Done::Chunks(_) => None,
        }
    }

    /// The length of a complete body.
    pub fn complete_len(&self) -> Option<u64> {
        self.done.get().map(Done::len)
    }

    /// The length of a complete body, else what `Content-Length` announced.
    pub fn expected_len(&self) -> Option<u64> {
        if let Some(done) = self.done.get() {
            return Some(done.len());
        }
        match self.state.lock().get_live() {
            Some(live) => live.expected,
            None => self.complete_len(),
        }
    }

    /// Reads the body or a range of it, from its beginning and along with the writer.
    pub fn reader(self: &Arc<Self>, range: Option<Range<u64>>) -> BodyReader {
        BodyReader::new(self.clone(), range)
    }

    /// Bytes this body takes, with those derived from it.
    pub(crate) fn bytes_used(&self) -> u64 {
        let state = self.state.lock();
        let derived: u64 = state.derived().map(|body| body.bytes_used()).sum();
        Self::COST + self.resident(&state) + derived
    }

    /// Body bytes charged to the accounts.
    fn resident(&self, state: &State) -> u64 {
        match (self.done.get(), state.get_live()) {
            (Some(done), _) => done.len() + rounding(done.len()),
            (None, Some(live)) => live.resident,
            (None, None) => 0,
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.done.get().is_some()
    }

    /// The store dropped the object: what is still to come is not kept.
    pub(crate) fn detach(&self) {
        if !self.is_complete()
            && let Some(live) = self.state.lock().live_mut()
        {
            live.detached = true;
        }
    }

    /// Keeps the beginning of a body in flight for a reader that is about to be made.
    pub(crate) fn hold(self: &Arc<Self>) -> Option<Hold> {
        if self.is_complete() {
            return None;
        }
        self.state.lock().live_mut()?.holds += 1;
        Some(Hold(self.clone()))
    }

    /// Whether a reader made now can start at the first byte.
    pub(crate) fn has_beginning(&self) -> bool {
        self.is_complete() || self.state.lock().get_live().is_none_or(Live::has_beginning)
    }

    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }
}

impl Done {
    fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Chunks(chunks) => chunks.len,
        }
    }

    /// The piece at `at`, not beyond `end`; none behind the last byte.
    fn piece(&self, at: u64, end: u64) -> Option<Bytes> {
        let (piece, start) = match self {
            Self::Whole(bytes) => (bytes, 0),
            Self::Chunks(chunks) => {
                let index = usize::try_from(at / CHUNK as u64).ok()?;
                (chunks.list.get(index)?, index as u64 * CHUNK as u64)
            }
        };
        cut(piece, start, at, end)
    }
}

/// The part of `piece`, which begins at `start` of the body, that lies in `at..end`.
fn cut(piece: &Bytes, start: u64, at: u64, end: u64) -> Option<Bytes> {
    let from = at.checked_sub(start)?;
    let to = (end.checked_sub(start)?).min(piece.len() as u64);
    (from < to).then(|| {
        if from == 0 && to == piece.len() as u64 {
            piece.clone()
        } else {
            piece.slice(from as usize..to as usize)
        }
    })
}

impl Drop for Body {
    fn drop(&mut self) {
        let resident = self.resident(&self.state.lock());
        if !self.is_complete() {
            self.accounts.landed(resident);
        }
        self.accounts.release(resident + Self::COST);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("complete_len", &self.complete_len()).finish_non_exhaustive()
    }
}

/// A claim on the beginning of a body in flight.
pub(crate) struct Hold(Arc<Body>);

impl Drop for Hold {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.state.lock();
            let Some(live) = state.live_mut() else { return };
            live.holds -= 1;
            live.writer.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}
