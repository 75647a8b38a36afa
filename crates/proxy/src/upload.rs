//! The body of a client's request, which may be none.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Sleep;
use upstream::Stalled;

use crate::body::BoxError;

/// How long a request waits to know whether it has a body.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a client sends, as it comes.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Taken to see whether there is one.
    first: Option<Result<Frame<Bytes>, hyper::Error>>,
    rest: Incoming,
    ended: bool,
    patience: Option<Patience>,
}

/// How long a client may send nothing.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    /// Runs while something is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Ready when it is over.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        timer.as_mut().poll(cx)
    }
}

impl Upload {
    pub(crate) fn new(rest: Incoming) -> Self {
        Self { first: None, ended: rest.is_end_stream(), rest, patience: None }
    }

    /// It ends when its client sends nothing for so long: a stream of HTTP/2, of which no socket shows it.
    pub(crate) fn within(mut self, limit: Duration) -> Self {
        self.patience = Some(Patience { limit, timer: None });
        self
    }

    /// Whether there is one, as far as is known.
    //= rfc9113#8.1.1
    pub(crate) fn is_there(&self, head: &Parts) -> bool {
        let none = head.headers.get(header::CONTENT_LENGTH).is_some_and(|v| v.as_bytes() == b"0");
        !self.ended && !none
    }

    /// Whether it may turn out that there is none: over HTTP/2 the head need not tell, and some clients end the stream
    /// of a GET with an empty frame.
    pub(crate) fn may_be_none(&self, head: &Parts) -> bool {
        !self.ended
            && head.version == Version::HTTP_2
            && matches!(head.method, Method::GET | Method::HEAD)
            && !head.headers.contains_key(header::CONTENT_LENGTH)
    }

    /// Waits for what tells, within a bound; who sends nothing for so long counts as sending something.
    pub(crate) async fn begin(&mut self) {
        while let Ok(frame) = tokio::time::timeout(PATIENCE, self.rest.frame()).await {
            let is_empty = |frame: &Frame<Bytes>| frame.data_ref().is_some_and(Bytes::is_empty);
            match frame {
                Some(Ok(frame)) if is_empty(&frame) => {}
                frame => {
                    self.ended = frame.is_none();
                    self.first = frame;
                    return;
                }
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(first.map_err(Into::into)));
        }
        let polled = Pin::new(&mut this.rest).poll_frame(cx);
        let Some(patience) = &mut this.patience else { return polled.map_err(Into::into) };
        if polled.is_pending() {
            ready!(patience.poll_end(cx));
            return Poll::Ready(Some(Err(Stalled.into())));
        }
        patience.timer = None;
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.first.is_some() { SizeHint::new() } else { self.rest.size_hint() }
    }
}
