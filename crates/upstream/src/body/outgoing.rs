//! The body of a request over its tries.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{BoxError, RequestBody, empty_body};

/// The body of a request that may be sent more than once: as often as it takes if it is empty, else
/// until somebody begins to read it.
pub struct Outgoing(Kind);

enum Kind {
    Empty,
    Streamed(Arc<Streamed>),
}

struct Streamed {
    body: Mutex<Option<RequestBody>>,
    course: Mutex<Course>,
}

/// How far the body of a request has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// There is none, or nobody has begun to read it.
    Untouched,
    /// The next piece has to come from the client, since then.
    Wanted(Instant),
    /// The last piece was handed over then, and the next one is for the origin to take.
    Given(Instant),
    /// All of it was handed over then.
    Ended(Instant),
}

impl Outgoing {
    /// Keeps `body` for whoever begins to read it.
    pub fn new(body: RequestBody) -> Self {
        Self(if body.is_end_stream() {
            Kind::Empty
        } else {
            let course = Mutex::new(Course::Untouched);
            Kind::Streamed(Arc::new(Streamed { body: Mutex::new(Some(body)), course }))
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
            Kind::Streamed(streamed) => streamed.body.lock().is_some(),
        }
    }

    /// The body for one more try; `None` if the one before has begun to read it.
    pub fn for_a_try(&self) -> Option<RequestBody> {
        match &self.0 {
            Kind::Empty => Some(empty_body()),
            Kind::Streamed(streamed) => {
                let borrowed = || Borrowed { streamed: streamed.clone(), taken: None };
                self.is_left().then(|| borrowed().boxed_unsync())
            }
        }
    }

    /// How far it has come.
    pub fn course(&self) -> Course {
        match &self.0 {
            Kind::Empty => Course::Untouched,
            Kind::Streamed(streamed) => *streamed.course.lock(),
        }
    }
}

/// Leaves the body where it is until it is wanted.
struct Borrowed {
    streamed: Arc<Streamed>,
    taken: Option<RequestBody>,
}

impl Borrowed {
    fn ask<T>(&self, question: impl Fn(&RequestBody) -> T) -> Option<T> {
        match &self.taken {
            Some(body) => Some(question(body)),
            None => self.streamed.body.lock().as_ref().map(question),
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
            this.taken = this.streamed.body.lock().take();
        }
        let Some(body) = &mut this.taken else {
            return Poll::Ready(Some(Err("the request body was sent already".into())));
        };
        let polled = Pin::new(&mut *body).poll_frame(cx);
        let mut course = this.streamed.course.lock();
        *course = match (&polled, *course) {
            (Poll::Pending, Course::Wanted(since)) => Course::Wanted(since),
            (Poll::Pending, _) => Course::Wanted(Instant::now()),
            // Whoever was told the length does not ask for the end.
            (Poll::Ready(Some(Ok(_))), _) if !body.is_end_stream() => Course::Given(Instant::now()),
            (Poll::Ready(_), _) => Course::Ended(Instant::now()),
        };
        drop(course);
        polled
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
