//! One try: a request goes out, a response head comes back.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Extensions, Request, Response, StatusCode, header};
use http_body_util::LengthLimitError;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use tokio::time::{Instant, timeout_at};

use crate::body::{Course, Outgoing, RequestBody, later};
use crate::clients::{Clients, HttpClient};
use crate::connect::Used;
use crate::error::{FetchError, FromClient, Stalled, TimedOut, cause, caused_by, root_cause};
use crate::target::Target;

/// A try that came to nothing.
pub(super) struct Failure {
    pub(super) error: FetchError,
    /// What came is not HTTP, and would not be the next time either.
    pub(super) nonsense: bool,
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self { error, nonsense: false }
    }
}

/// How long an exchange may take.
pub(super) struct Limits<'a> {
    /// From the request's last byte, or the last one that was taken, to the first of the response.
    pub(super) first_byte: Duration,
    /// Between pieces of a body that the client still has to send.
    pub(super) between_bytes: Duration,
    /// For all of it.
    pub(super) left: Duration,
    pub(super) body: &'a Outgoing,
}

impl Limits<'_> {
    /// When an exchange that began at `begun` has taken too long, as things stand.
    fn until(&self, begun: Instant) -> Instant {
        let until = match self.body.course() {
            Course::Untouched => later(begun, self.first_byte),
            Course::Wanted(since) => later(since, self.between_bytes),
            Course::Given(since) | Course::Ended(since) => later(since, self.first_byte),
        };
        until.min(later(begun, self.left))
    }

    /// Lets `sending` go on as long as it may; who was waited for if that was not enough.
    async fn keep<T>(&self, sending: impl Future<Output = T>) -> Result<T, Course> {
        let begun = Instant::now();
        let mut sending = pin!(sending);
        loop {
            let until = match self.body.is_empty() {
                true => self.until(begun),
                // Once it comes to the body it may be over sooner.
                false => self.until(begun).min(later(Instant::now(), self.between_bytes)),
            };
            match timeout_at(until, sending.as_mut()).await {
                Ok(result) => return Ok(result),
                Err(_) if self.until(begun) > Instant::now() => {}
                Err(_) => return Err(self.body.course()),
            }
        }
    }
}

/// Sends a request that is addressed to `target`. If that closed a connection that had served before, as it may do at any
/// time, and the request is `repeatable`, it goes over another one, once, with what `again` gives for a body. One that is
/// not goes over none that was idle for long.
pub(super) async fn within(
    limits: Limits<'_>,
    clients: &Clients,
    target: &Arc<Target>,
    (head, body): (Parts, RequestBody),
    repeatable: bool,
    again: impl FnOnce() -> Option<RequestBody>,
) -> Result<Response<Incoming>, Failure> {
    let name = || target.name().to_owned();
    let client = clients.of(target, repeatable);
    let upgrading = head.headers.contains_key(header::UPGRADE);
    let sending = async {
        match once(&client, head.clone(), body).await {
            Err((error, true)) if repeatable => match again() {
                Some(body) => once(&client, head, body).await.map_err(|(error, _)| error),
                None => Err(error),
            },
            result => result.map_err(|(error, _)| error),
        }
    };
    let answer = limits.keep(sending).await.map_err(|waited_for| match waited_for {
        Course::Wanted(_) => FetchError::RequestStalled,
        _ => FetchError::FirstByteTimeout { origin: name() },
    })?;
    let response = answer.map_err(|error| {
        let nonsense = cause::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse);
        let error = if error.is_connect() && caused_by::<TimedOut>(&error) {
            FetchError::ConnectTimeout { origin: name() }
        } else if error.is_connect() {
            FetchError::Connect { origin: name(), cause: root_cause(&error) }
        } else if caused_by::<LengthLimitError>(&error) {
            FetchError::RequestTooLarge
        } else if caused_by::<Stalled>(&error) {
            FetchError::RequestStalled
        } else if caused_by::<FromClient>(&error) {
            FetchError::RequestBroken
        } else {
            FetchError::Exchange { origin: name(), cause: root_cause(&error) }
        };
        Failure { error, nonsense }
    })?;
    match unusable(&response, upgrading) {
        None => Ok(response),
        Some(why) => {
            let error = FetchError::Exchange { origin: name(), cause: why.to_owned() };
            Err(Failure { error, nonsense: true })
        }
    }
}

/// What the library lets through and nobody may make sense of.
fn unusable(response: &Response<Incoming>, upgrading: bool) -> Option<&'static str> {
    //= rfc9110#15.2.2
    if response.status() == StatusCode::SWITCHING_PROTOCOLS && !upgrading {
        return Some("it switches protocols, which nobody asked for");
    }
    let codings = response.headers().get_all(header::TRANSFER_ENCODING);
    let codings = codings.iter().flat_map(|line| line.as_bytes().split(|b| *b == b','));
    let names = codings.map(|coding| coding.split(|b| *b == b';').next().unwrap_or_default());
    let is_known = |name: &[u8]| CODINGS.iter().any(|known| name.eq_ignore_ascii_case(known));
    let mut known = names.map(<[u8]>::trim_ascii).filter(|name| is_known(name));
    match (known.next(), known.next()) {
        (None, _) => None,
        (Some(one), None) if one.eq_ignore_ascii_case(b"chunked") => None,
        _ => Some("its Transfer-Encoding is not chunked alone"),
    }
}

/// The transfer codings there are. Another name says nothing: such a body is what comes until the end.
//= rfc9112#6.1
const CODINGS: [&[u8]; 7] =
    [b"chunked", b"gzip", b"x-gzip", b"compress", b"x-compress", b"deflate", b"identity"];

/// The error, and whether it was that of a connection that had served before.
async fn once(
    client: &HttpClient,
    head: Parts,
    body: RequestBody,
) -> Result<Response<Incoming>, (legacy::Error, bool)> {
    let mut request = Request::from_parts(head, body);
    let connection = capture_connection(&mut request);
    match client.request(request).await {
        Ok(response) => {
            if let Some(used) = response.extensions().get::<Used>() {
                used.mark();
            }
            Ok(response)
        }
        Err(error) => {
            let stale = !error.is_connect() && had_served(&connection);
            Err((error, stale))
        }
    }
}

fn had_served(connection: &CaptureConnection) -> bool {
    let mut found = Extensions::new();
    if let Some(connected) = connection.connection_metadata().as_ref() {
        connected.get_extras(&mut found);
    }
    found.get::<Used>().is_some_and(Used::is_marked)
}
