//! The body of a request over its tries.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;

use super::{BoxError, RequestBody, empty_body};

/// The body of a request that may be sent more than once: as often as it takes if it is empty, else
/// until somebody begins to read it.
pub struct Outgoing(Kind);

enum Kind {
    Empty,
    Streamed(Arc<Mutex<Option<RequestBody>>>),
}

impl Outgoing {
    /// Keeps `body` for whoever begins to read it.
    pub fn new(body: RequestBody) -> Self {
        Self(if body.is_end_stream() {
            Kind::Empty
        } else {
            Kind::Streamed(Arc::new(Mutex::new(Some(body))))
        })
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Kind::Empty)
    }

    /// Whether there is a body for one more try.
    pub fn is_left(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Streamed(slot) => slot.lock().is_some(),
        }
    }

    /// The body for one more try; `None` if the one before has begun to read it.
    pub fn for_a_try(&self) -> Option<RequestBody> {
        match &self.0 {
            Kind::Empty => Some(empty_body()),
            Kind::Streamed(slot) => {
                self.is_left().then(|| Borrowed { slot: slot.clone(), taken: None }.boxed_unsync())
            }
        }
    }
}

/// Leaves the body where it is until it is wanted.
struct Borrowed {
    slot: Arc<Mutex<Option<RequestBody>>>,
    taken: Option<RequestBody>,
}

impl Borrowed {
    fn ask<T>(&self, question: impl Fn(&RequestBody) -> T) -> Option<T> {
        match &self.taken {
            Some(body) => Some(question(body)),
            None => self.slot.lock().as_ref().map(question),
        }
    }
}

impl HttpBody for Borrowed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.taken.is_none() {
            this.taken = this.slot.lock().take();
        }
        match &mut this.taken {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(Some(Err("the request body was sent already".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ask(RequestBody::is_end_stream).unwrap_or_default()
    }

    fn size_hint(&self) -> SizeHint {
        self.ask(RequestBody::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
