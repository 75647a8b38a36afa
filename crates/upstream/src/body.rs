//! Bodies on their way to and from an origin.

use std::any::Any;
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

use crate::error::{FetchError, FromClient, Stalled, root_cause};
use crate::target::UnderWay;

pub(crate) use outgoing::Course;
pub use outgoing::Outgoing;

mod outgoing;

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
        let is_known = error.is::<LengthLimitError>() || error.is::<Stalled>();
        if is_known { error } else { FromClient(error).into() }
    })
    .boxed_unsync()
}

/// The body of an origin's response; fails when nothing comes for too long, or all of it takes too long.
///
/// Its request counts as under way at the origin until it is read to the end or dropped.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    between_bytes: Duration,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    under_way: Option<UnderWay>,
    held: Option<Box<dyn Any + Send>>,
}

impl Body {
    pub(crate) fn new(
        incoming: Incoming,
        between_bytes: Duration,
        deadline: Instant,
        under_way: UnderWay,
    ) -> Self {
        let timer = Box::pin(tokio::time::sleep_until(deadline));
        let under_way = Some(under_way).filter(|_| !incoming.is_end_stream());
        let (waiting, held) = (false, None);
        Self { incoming, between_bytes, deadline, timer, waiting, under_way, held }
    }

    /// Keeps `what` until the body is read to the end or dropped. The last one that was given counts.
    pub fn hold(&mut self, what: impl Any + Send) {
        self.held = (!self.incoming.is_end_stream()).then(|| Box::new(what) as Box<dyn Any + Send>);
    }

    fn fail(&mut self, error: FetchError) -> FetchError {
        if let Some(under_way) = self.under_way.take() {
            under_way.broke(&error);
        }
        error
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
            if frame.is_none() || this.incoming.is_end_stream() {
                this.under_way = None;
                this.held = None;
            } else if Instant::now() >= this.deadline {
                return Poll::Ready(Some(Err(this.fail(FetchError::TotalTimeout))));
            }
            return Poll::Ready(frame.map(|frame| {
                frame.map_err(|error| this.fail(FetchError::BodyCut(root_cause(&error))))
            }));
        }
        // The time counts from when somebody wants more: a slow reader is not a stalled origin.
        if !this.waiting {
            this.waiting = true;
            let stalled = later(Instant::now(), this.between_bytes);
            this.timer.as_mut().reset(stalled.min(this.deadline));
        }
        ready!(this.timer.as_mut().poll(cx));
        let over = this.timer.deadline() >= this.deadline;
        let error = if over { FetchError::TotalTimeout } else { FetchError::BetweenBytesTimeout };
        Poll::Ready(Some(Err(this.fail(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// `by` after `now`, or a year if the clock cannot count so far.
pub(crate) fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or_else(|| now + Duration::from_secs(365 * 86_400))
}
