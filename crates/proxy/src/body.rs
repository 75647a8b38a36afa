//! The body of an answer to a client, wherever it comes from.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cache::BodyReader;
use http_body::{Body as HttpBody, Frame, SizeHint};
use runtime::metrics::IntCounter;
use tokio::sync::OwnedSemaphorePermit;

use crate::serve::{InService, Piece, Stream};

mod unsent;

pub(crate) use unsent::AllUnsent;
use unsent::Unsent;

/// What breaks off an answer that has begun; the connection is closed, so that the client sees it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
#[derive(Debug, Default)]
pub struct Body {
    source: Source,
    served: Option<IntCounter>,
    busy: Busy,
    place: Option<OwnedSemaphorePermit>,
}

/// What is told how far it has come.
#[derive(Debug, Default)]
pub(crate) enum Busy {
    #[default]
    Nobody,
    /// That it is not done with, over HTTP/1.
    Connection(#[expect(dead_code, reason = "for its drop")] InService),
    /// With what is left of the last piece, over HTTP/2.
    Stream(Arc<Stream>, Bytes),
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    Empty,
    Whole(Bytes),
    Stored {
        reader: BodyReader,
        left: Option<u64>,
    },
    Upstream(Box<upstream::Body>, Unsent),
    Parts {
        parts: VecDeque<Part>,
        left: u64,
    },
}

/// A piece of a `multipart/byteranges` body.
#[derive(Debug)]
pub(crate) enum Part {
    /// Delimiter and header fields.
    Text(Bytes),
    /// A range of the stored body.
    Range(BodyReader),
}

impl Body {
    /// No content.
    pub fn empty() -> Self {
        Self::default()
    }

    /// All of it, at hand.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { source: Source::Whole(bytes.into()), ..Self::default() }
    }

    /// From the store, `length` bytes if that is known.
    pub(crate) fn stored(reader: BodyReader, length: Option<u64>) -> Self {
        Self { source: Source::Stored { reader, left: length }, ..Self::default() }
    }

    /// Straight from upstream; of what a node has of it, `all` keeps the count.
    pub(crate) fn upstream(body: upstream::Body, all: &AllUnsent) -> Self {
        Self { source: Source::Upstream(Box::new(body), Unsent::new(all)), ..Self::default() }
    }

    /// Several ranges, `length` bytes in all.
    pub(crate) fn parts(parts: VecDeque<Part>, length: u64) -> Self {
        Self { source: Source::Parts { parts, left: length }, ..Self::default() }
    }

    /// Counts the bytes that go out in `counter`.
    #[must_use]
    pub(crate) fn counted(mut self, counter: &IntCounter) -> Self {
        match &self.source {
            Source::Empty => {}
            Source::Whole(bytes) => counter.inc_by(bytes.len() as u64),
            _ => self.served = Some(counter.clone()),
        }
        self
    }

    /// Keeps the connection marked as busy until the body is sent or dropped.
    pub(crate) fn keep_busy(&mut self, busy: Busy) {
        self.busy = busy;
    }

    /// Bytes that were taken from the source and not yet offered.
    fn kept(&self) -> u64 {
        if let Busy::Stream(_, rest) = &self.busy { rest.len() as u64 } else { 0 }
    }

    /// Keeps one of a bounded number of places until the body is sent or dropped.
    pub(crate) fn keep_place(&mut self, place: OwnedSemaphorePermit) {
        self.place = Some(place);
    }
}

impl HttpBody for Body {
    type Data = Piece;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, BoxError>>> {
        let this = &mut *self;
        if let Busy::Stream(stream, rest) = &mut this.busy
            && !rest.is_empty()
        {
            return Poll::Ready(Some(Ok(Frame::data(stream.offer(rest)))));
        }
        let polled = ready!(this.source.poll(cx));
        if let (Some(served), Some(Ok(frame))) = (&this.served, &polled)
            && let Some(data) = frame.data_ref()
        {
            served.inc_by(data.len() as u64);
        }
        let offered = |frame: Frame<Bytes>| {
            frame.map_data(|bytes| match &mut this.busy {
                Busy::Stream(stream, rest) => {
                    *rest = bytes;
                    stream.offer(rest)
                }
                Busy::Connection(_) | Busy::Nobody => bytes.into(),
            })
        };
        Poll::Ready(polled.map(|frame| frame.map(offered)))
    }

    fn is_end_stream(&self) -> bool {
        self.kept() == 0
            && match &self.source {
                Source::Empty => true,
                Source::Whole(bytes) => bytes.is_empty(),
                Source::Stored { left, .. } => *left == Some(0),
                Source::Upstream(body, _) => body.is_end_stream(),
                Source::Parts { left, .. } => *left == 0,
            }
    }

    fn size_hint(&self) -> SizeHint {
        let exact = match &self.source {
            Source::Empty => Some(0),
            Source::Whole(bytes) => Some(bytes.len() as u64),
            Source::Stored { left, .. } => *left,
            Source::Upstream(body, _) => body.size_hint().exact(),
            Source::Parts { left, .. } => Some(*left),
        };
        exact.map_or_else(SizeHint::new, |left| SizeHint::with_exact(self.kept() + left))
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, BoxError>>>;

impl Source {
    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        let data = |bytes: Bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                data(bytes)
            }
            Self::Stored { reader, left } => match ready!(reader.poll_chunk(cx)) {
                Some(Ok(bytes)) => {
                    if let Some(left) = left {
                        *left = left.saturating_sub(bytes.len() as u64);
                    }
                    data(bytes)
                }
                Some(Err(cut)) => Poll::Ready(Some(Err(Box::new(cut)))),
                None => Poll::Ready(None),
            },
            Self::Upstream(body, unsent) => {
                ready!(unsent.poll_room(cx));
                let frame = ready!(Pin::new(&mut **body).poll_frame(cx));
                let counted = |frame: Frame<Bytes>| frame.map_data(|data| unsent.count(data));
                Poll::Ready(frame.map(|f| f.map(counted).map_err(Into::into)))
            }
            Self::Parts { parts, left } => loop {
                let Some(part) = parts.front_mut() else { return Poll::Ready(None) };
                let bytes = match part {
                    Part::Text(text) => std::mem::take(text),
                    Part::Range(reader) => match ready!(reader.poll_chunk(cx)) {
                        Some(Ok(bytes)) => {
                            *left = left.saturating_sub(bytes.len() as u64);
                            return data(bytes);
                        }
                        Some(Err(cut)) => return Poll::Ready(Some(Err(Box::new(cut)))),
                        None => {
                            parts.pop_front();
                            continue;
                        }
                    },
                };
                parts.pop_front();
                *left = left.saturating_sub(bytes.len() as u64);
                return data(bytes);
            },
        }
    }
}
