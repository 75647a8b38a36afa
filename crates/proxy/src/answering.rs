//! Answers that are there at once, and answers that take their time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;

use crate::body::Body;

/// An answer: at hand, or in the making.
pub enum Answering {
    /// At hand.
    Now(Option<Box<Response<Body>>>),
    /// In the making.
    Later(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Answering {
    pub(crate) fn now(response: Response<Body>) -> Self {
        Self::Now(Some(Box::new(response)))
    }

    pub(crate) fn later(answer: impl Future<Output = Response<Body>> + Send + 'static) -> Self {
        Self::Later(Box::pin(answer))
    }
}

impl Future for Answering {
    type Output = Response<Body>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        match &mut *self {
            Self::Now(response) => match response.take() {
                Some(response) => Poll::Ready(*response),
                None => Poll::Pending,
            },
            Self::Later(answer) => answer.as_mut().poll(cx),
        }
    }
}
