//! Answers that this node makes itself: what happened, where, and what to do.

use http::{HeaderValue, Response, StatusCode, header};
use semantics::{CacheStatus, Timestamp, format_http_date};

use crate::body::Body;

/// Why a request gets no answer from the cache or the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// A stable token.
    pub(crate) reason: &'static str,
    /// A sentence for people.
    pub(crate) text: String,
    pub(crate) close: bool,
    pub(crate) retry_after: Option<u32>,
    /// The methods that would not have been refused.
    pub(crate) allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: &'static str, text: impl Into<String>) -> Self {
        Self { status, reason, text: text.into(), close: false, retry_after: None, allow: None }
    }

    /// The connection is not to be trusted any further.
    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn allowing(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    pub(crate) fn into_response(self, node: &str, now: Timestamp) -> Response<Body> {
        let Self { status, reason, text, close, retry_after, allow } = self;
        let body = format!("{} {}: {text}\n", status.as_u16(), reason);
        let mut response = Response::new(Body::whole(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(date) = HeaderValue::from_str(&format_http_date(now)) {
            headers.insert(header::DATE, date);
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(methods) = allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        CacheStatus { detail: Some(reason), ..CacheStatus::new(node) }.append_to(headers);
        response
    }
}
