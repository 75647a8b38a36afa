//! Why an answer could not be had.

use std::fmt;

use crate::breaker::TripReason;

/// What went wrong between this node and an origin. The text is for logs; clients see [`FetchError::as_str`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No connection: refused, unreachable, name not resolved, TLS handshake failed.
    #[error("cannot connect to {origin}: {cause}")]
    Connect {
        /// The origin's authority.
        origin: String,
        /// The system's or TLS' words.
        cause: String,
    },
    /// No connection within the time for it.
    #[error("no connection to {origin} in time")]
    ConnectTimeout {
        /// The origin's authority.
        origin: String,
    },
    /// Connected, but no response head within the time for it.
    #[error("no response from {origin} in time")]
    FirstByteTimeout {
        /// The origin's authority.
        origin: String,
    },
    /// The response stopped coming.
    #[error("response stalled")]
    BetweenBytesTimeout,
    /// The connection broke, or what came is not HTTP.
    #[error("exchange with {origin} failed: {cause}")]
    Exchange {
        /// The origin's authority.
        origin: String,
        /// The library's words.
        cause: String,
    },
    /// The body of the response ended early.
    #[error("response cut short: {0}")]
    BodyCut(String),
    /// The whole took longer than it may: waiting for a turn, tries and body.
    #[error("no complete response in time")]
    TotalTimeout,
    /// The origin failed so often that it is left alone for a while; nothing was sent.
    #[error("{origin} is left alone: {}", .reason.as_str())]
    BreakerOpen {
        /// The origin's authority.
        origin: String,
        /// Why the breaker opened.
        reason: TripReason,
        /// When to ask again, in seconds, 1 or more.
        retry_after: u32,
    },
    /// The origin has as many requests as it may have, and as many wait as may; nothing was sent.
    #[error("the queue for {origin} is full")]
    QueueFull {
        /// The origin's authority.
        origin: String,
        /// When it may be worth while to ask again, in seconds, 1 to 60.
        retry_after: u32,
    },
    /// The turn did not come in time; nothing was sent.
    #[error("waited too long in the queue for {origin}")]
    QueueTimeout {
        /// The origin's authority.
        origin: String,
        /// When it may be worth while to ask again, in seconds, 1 to 60.
        retry_after: u32,
    },
    /// The client's request body broke off or is malformed; the origin is not to blame.
    #[error("request body broke off")]
    RequestBroken,
    /// The client's request body stopped coming; the origin is not to blame.
    #[error("request body stalled")]
    RequestStalled,
    /// The client's request body is larger than it may be; the origin is not to blame.
    #[error("request body too large")]
    RequestTooLarge,
}

impl FetchError {
    /// A stable token for `Cache-Status`, metrics and logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect-failed",
            Self::ConnectTimeout { .. } => "connect-timeout",
            Self::FirstByteTimeout { .. } => "first-byte-timeout",
            Self::BetweenBytesTimeout => "between-bytes-timeout",
            Self::Exchange { .. } => "exchange-failed",
            Self::BodyCut(_) => "body-cut",
            Self::TotalTimeout => "total-timeout",
            Self::BreakerOpen { .. } => "breaker-open",
            Self::QueueFull { .. } => "queue-full",
            Self::QueueTimeout { .. } => "queue-timeout",
            Self::RequestBroken => "request-broken",
            Self::RequestStalled => "request-stalled",
            Self::RequestTooLarge => "request-too-large",
        }
    }

    /// What a client gets when nothing else can be served (RFC 9110 §15.6.3 to §15.6.5).
    pub fn status(&self) -> http::StatusCode {
        match self {
            Self::ConnectTimeout { .. }
            | Self::FirstByteTimeout { .. }
            | Self::BetweenBytesTimeout
            | Self::TotalTimeout => http::StatusCode::GATEWAY_TIMEOUT,
            Self::BreakerOpen { .. } | Self::QueueFull { .. } | Self::QueueTimeout { .. } => {
                http::StatusCode::SERVICE_UNAVAILABLE
            }
            Self::RequestBroken => http::StatusCode::BAD_REQUEST,
            Self::RequestStalled => http::StatusCode::REQUEST_TIMEOUT,
            Self::RequestTooLarge => http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::Connect { .. } | Self::Exchange { .. } | Self::BodyCut(_) => {
                http::StatusCode::BAD_GATEWAY
            }
        }
    }

    /// Whether the origin cannot have seen the request, so that any method may be sent elsewhere.
    pub fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::ConnectTimeout { .. }) || self.was_refused()
    }

    /// Whether this node itself held the request back.
    pub fn was_refused(&self) -> bool {
        self.retry_after().is_some()
    }

    /// For `Retry-After` (RFC 9110 §10.2.3), in seconds, if this node held the request back.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::BreakerOpen { retry_after, .. }
            | Self::QueueFull { retry_after, .. }
            | Self::QueueTimeout { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// A connection attempt ran out of time; found again in a library error's chain of causes.
#[derive(Debug)]
pub(crate) struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl std::error::Error for TimedOut {}

/// The body of a request failed before it came to the origin; marks the error's side.
#[derive(Debug, thiserror::Error)]
#[error("request body: {0}")]
pub(crate) struct FromClient(pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// A client sends nothing of the body that it has announced for longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the client sends nothing")]
pub struct Stalled;

/// The innermost cause's words, which say most.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The outermost `T` among the causes of `error`.
pub(crate) fn cause<T: std::error::Error + 'static>(error: &dyn std::error::Error) -> Option<&T> {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(found) = next.downcast_ref() {
            return Some(found);
        }
        cause = next.source();
    }
    None
}

/// Whether `T` is among the causes of `error`.
pub(crate) fn caused_by<T: std::error::Error + 'static>(error: &dyn std::error::Error) -> bool {
    cause::<T>(error).is_some()
}
