//! Bodies on their way to and from an origin.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, LengthLimitError};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::error::{FetchError, FromClient, root_cause};

/// Any error that can be sent between threads.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request to an origin.
pub type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// A request without a body.
pub fn empty_body() -> RequestBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A request whose body is read from the client as the origin takes it.
pub fn stream_body<B>(body: B) -> RequestBody
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(|error| {
        let error: BoxError = error.into();
        if error.is::<LengthLimitError>() { error } else { FromClient(error).into() }
    })
    .boxed_unsync()
}

/// The body of an origin's response; fails when nothing comes for too long.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    between_bytes: Duration,
    stalled: Pin<Box<Sleep>>,
    waiting: bool,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, between_bytes: Duration) -> Self {
        let stalled = Box::pin(tokio::time::sleep(between_bytes));
        Self { incoming, between_bytes, stalled, waiting: false }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = FetchError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, FetchError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) {
            this.waiting = false;
            return Poll::Ready(frame.map(|f| f.map_err(|e| FetchError::BodyCut(root_cause(&e)))));
        }
        // The time counts from when somebody wants more: a slow reader is not a stalled origin.
        if !this.waiting {
            this.waiting = true;
            this.stalled.as_mut().reset(Instant::now() + this.between_bytes);
        }
        ready!(this.stalled.as_mut().poll(cx));
        Poll::Ready(Some(Err(FetchError::BetweenBytesTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
