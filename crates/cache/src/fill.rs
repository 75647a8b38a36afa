//! A response on its way into the store.

use std::sync::Arc;

use semantics::NoStoreReason;

use crate::body::{Truncated, Writer};
use crate::cache::Cache;
use crate::lookup::Found;
use crate::object::Object;
use crate::stats::up;

/// What became of the bytes just appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// They are kept.
    Storing,
    /// They went to the readers and will not be kept.
    Streaming,
    /// They will not be kept, and nobody reads them: stop fetching.
    Abandoned,
}

/// Writes the body of a published object. Dropped unfinished, its readers see it truncated and
/// nothing is stored.
#[derive(Debug)]
pub struct Fill {
    cache: Arc<Cache>,
    object: Arc<Object>,
    writer: Writer,
    expected: Option<u64>,
    /// Why it only streams.
    streaming: Option<NoStoreReason>,
    closed: bool,
}

impl Fill {
    pub(crate) fn new(cache: Arc<Cache>, object: Arc<Object>, expected: Option<u64>) -> Self {
        let writer = Writer::new(object.body().clone(), Some(cache.clone()));
        Self { cache, object, writer, expected, streaming: None, closed: false }
    }

    /// Turns to streaming before the first byte.
    pub(crate) fn stream(&mut self, reason: NoStoreReason) {
        self.streaming = Some(reason);
        self.writer.stream();
    }

    /// The object being written; the caller, too, reads its body from here.
    pub fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// The object as a reader finds it, with a claim on its beginning: for the request that fills it.
    pub fn found(&self) -> Found {
        Found::new(self.object.clone())
    }

    /// Appends a piece of the body.
    ///
    /// Waits only while streaming, and then only while all readers are busy: one that has fallen far
    /// behind is cut when another waits for more. If the returned future is dropped, the piece has
    /// been appended all the same.
    pub async fn append(&mut self, data: &[u8]) -> Progress {
        if self.streaming.is_none() {
            match self.writer.store(data) {
                Ok(()) => return Progress::Storing,
                Err(reason) => self.turn(reason),
            }
        }
        if self.writer.pass(data).await { Progress::Streaming } else { Progress::Abandoned }
    }

    /// The last byte is in. Gives the object as it is stored, or why it is not; a body of another
    /// length than its `Content-Length` counts as truncated.
    pub fn finish(mut self) -> Result<Arc<Object>, NoStoreReason> {
        let short = self.expected.is_some_and(|expected| expected != self.writer.written());
        if short {
            self.give_up("the body is not as long as announced");
            return Err(NoStoreReason::Truncated);
        }
        self.closed = true;
        if let Some(reason) = self.streaming {
            self.writer.end();
            return Err(reason);
        }
        self.writer.seal();
        self.cache.store(&self.object).ok_or(NoStoreReason::Purged)
    }

    /// The last byte is in, and it was only for those who asked meanwhile: readers go on, the store
    /// forgets it. Gives back `reason`, or that the body was not whole.
    pub fn let_go(mut self, reason: NoStoreReason) -> Result<(), NoStoreReason> {
        if self.expected.is_some_and(|expected| expected != self.writer.written()) {
            self.give_up("the body is not as long as announced");
            return Err(NoStoreReason::Truncated);
        }
        self.closed = true;
        match self.streaming {
            Some(_) => self.writer.end(),
            None => {
                self.writer.seal();
                self.cache.remove_body(&self.object);
            }
        }
        Err(reason)
    }

    /// The body will not be completed.
    pub fn abort(mut self, reason: NoStoreReason) {
        self.give_up(reason.as_str());
    }

    /// What was to be kept turns out not to be: readers go on, the store forgets it.
    fn turn(&mut self, reason: NoStoreReason) {
        // First out of the index: who found it there has a claim on its beginning by then.
        self.cache.remove_body(&self.object);
        self.stream(reason);
        if reason != NoStoreReason::Purged {
            up(&self.cache.counters.oversized);
            self.cache.mark_object(&self.object);
        }
    }

    fn give_up(&mut self, why: &'static str) {
        self.closed = true;
        self.writer.fail(Truncated(why));
        self.cache.remove_body(&self.object);
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        if !self.closed {
            self.give_up("the fetch was given up");
        }
    }
}
