//! Transformed bodies kept beside the one they were made from: compressed once, shared by all,
//! read while being made, gone with their object.

use std::sync::Arc;

use semantics::Coding;

use super::{Body, Truncated, Writer};
use crate::fill::Progress;

/// A transformed body: somebody's, or the caller's to make.
#[derive(Debug)]
pub enum Derived {
    /// Complete, or being written by somebody else: read it.
    Ready(Arc<Body>),
    /// The caller writes it; others read along.
    Make(Arc<Body>, BodyWriter),
}

/// Writes a derived body. Dropped unfinished, its readers see it truncated and the next request
/// makes it anew.
#[derive(Debug)]
pub struct BodyWriter {
    parent: Arc<Body>,
    coding: Coding,
    writer: Writer,
    streaming: bool,
    closed: bool,
}

impl Body {
    pub(crate) fn derived(self: &Arc<Self>, coding: Coding) -> Derived {
        let Some(index) = slot(coding) else {
            return Derived::Ready(self.clone());
        };
        let mut state = self.state.lock();
        let slots = state.derived_mut();
        if let Some(body) = &slots[index] {
            return Derived::Ready(body.clone());
        }
        let body = Body::begin(self.accounts.clone(), None);
        slots[index] = Some(body.clone());
        drop(state);
        let writer = Writer::new(body.clone(), self.accounts.cache());
        let parent = self.clone();
        Derived::Make(body, BodyWriter { parent, coding, writer, streaming: false, closed: false })
    }
}

impl BodyWriter {
    /// Appends. Waits only when the body is too large to keep and its readers are slow.
    pub async fn append(&mut self, data: &[u8]) -> Progress {
        if !self.streaming {
            if self.writer.store(data).is_ok() {
                return Progress::Storing;
            }
            self.streaming = true;
            self.forget();
            self.writer.stream();
        }
        if self.writer.pass(data).await { Progress::Streaming } else { Progress::Abandoned }
    }

    /// The last byte is in. Whether the body is kept.
    pub fn finish(mut self) -> bool {
        self.closed = true;
        if self.streaming {
            self.writer.end();
        } else {
            self.writer.seal();
        }
        !self.streaming
    }

    fn forget(&self) {
        let mut state = self.parent.state.lock();
        if let Some(index) = slot(self.coding) {
            state.derived_mut()[index].take_if(|body| Arc::ptr_eq(body, self.writer.body()));
        }
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        if !self.closed {
            self.forget();
            self.writer.fail(Truncated("the transformation was given up"));
        }
    }
}

fn slot(coding: Coding) -> Option<usize> {
    match coding {
        Coding::Identity => None,
        Coding::Gzip => Some(0),
        Coding::Br => Some(1),
        Coding::Zstd => Some(2),
    }
}
