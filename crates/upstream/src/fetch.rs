//! One request to the origins of a site.

use std::time::Duration;

use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body::Body as _;
use http_body_util::LengthLimitError;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wire::snapshot::{Origin, Timeouts};

use crate::body::{Body, RequestBody, empty_body};
use crate::connect::Connector;
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::{FetchError, FromClient, TimedOut, caused_by, root_cause};

/// Idle connections kept per origin and worker.
const IDLE_CONNECTIONS: usize = 128;
/// Bytes read ahead on one connection: memory that no bound of the store counts.
const READ_BUFFER: usize = 128 << 10;
const IDLE_FOR: Duration = Duration::from_secs(60);

/// The origins of a site with their connection pools. Made in, and used by, one runtime.
pub struct Upstream {
    origins: Vec<Pool>,
    first_byte: Duration,
    between_bytes: Duration,
}

struct Pool {
    endpoint: Endpoint,
    client: Client<Connector, RequestBody>,
}

impl Upstream {
    /// Pools for `origins`, without a connection yet.
    ///
    /// # Errors
    /// When an origin's URL, host or CA bundle cannot be used.
    pub fn new(origins: &[Origin], timeouts: &Timeouts) -> Result<Self, EndpointError> {
        let connect = Duration::from_millis(timeouts.connect_ms);
        let origins = origins
            .iter()
            .map(|origin| {
                let endpoint = Endpoint::new(origin)?;
                let client = Client::builder(TokioExecutor::new())
                    .pool_timer(TokioTimer::new())
                    .timer(TokioTimer::new())
                    .pool_max_idle_per_host(IDLE_CONNECTIONS)
                    .pool_idle_timeout(IDLE_FOR)
                    .http1_max_buf_size(READ_BUFFER)
                    .http2_adaptive_window(true)
                    .http2_keep_alive_interval(Duration::from_secs(20))
                    .set_host(false)
                    .build(Connector::new(&endpoint, connect)?);
                Ok(Pool { endpoint, client })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            origins,
            first_byte: Duration::from_millis(timeouts.first_byte_ms),
            between_bytes: Duration::from_millis(timeouts.between_bytes_ms),
        })
    }

    /// Sends a request to the first origin that can be reached and returns its response head.
    ///
    /// `head` carries method, path, query and all fields with the `Host` that the site is known by. A safe
    /// request without a body is sent once more when the connection breaks before the response (RFC 9110
    /// §9.2.2): a kept-alive connection may just have been closed by the other side.
    ///
    /// # Errors
    /// When no origin answered in time.
    pub async fn fetch(
        &self,
        head: Parts,
        body: RequestBody,
    ) -> Result<Response<Body>, FetchError> {
        let repeatable = head.method.is_safe() && body.is_end_stream();
        let mut body = Some(body);
        let mut failure = None;
        for pool in &self.origins {
            for _attempt in 0..2 {
                let Some(body) = body.take().or_else(|| repeatable.then(empty_body)) else { break };
                match self.attempt(pool, head.clone(), body).await {
                    Ok(response) => return Ok(response),
                    Err(error) => {
                        let next_origin = error.nothing_was_sent();
                        let again = repeatable && matches!(error, FetchError::Exchange { .. });
                        failure = Some(error);
                        if next_origin || !again {
                            break;
                        }
                    }
                }
            }
            if !repeatable || !failure.as_ref().is_some_and(FetchError::nothing_was_sent) {
                break;
            }
        }
        Err(failure.unwrap_or_else(|| FetchError::Connect {
            origin: "none".into(),
            cause: "the site has no origin".into(),
        }))
    }

    async fn attempt(
        &self,
        pool: &Pool,
        mut head: Parts,
        body: RequestBody,
    ) -> Result<Response<Body>, FetchError> {
        let origin = || pool.endpoint.authority.to_string();
        pool.endpoint
            .address(&mut head)
            .map_err(|cause| FetchError::Exchange { origin: origin(), cause })?;
        let sending = pool.client.request(Request::from_parts(head, body));
        let answer = tokio::time::timeout(self.first_byte, sending)
            .await
            .map_err(|_| FetchError::FirstByteTimeout { origin: origin() })?;
        match answer {
            Ok(response) => Ok(response.map(|b| Body::new(b, self.between_bytes))),
            Err(error) if error.is_connect() && caused_by::<TimedOut>(&error) => {
                Err(FetchError::ConnectTimeout { origin: origin() })
            }
            Err(error) if error.is_connect() => {
                Err(FetchError::Connect { origin: origin(), cause: root_cause(&error) })
            }
            Err(error) if caused_by::<LengthLimitError>(&error) => Err(FetchError::RequestTooLarge),
            Err(error) if caused_by::<FromClient>(&error) => Err(FetchError::RequestBroken),
            Err(error) => Err(FetchError::Exchange { origin: origin(), cause: root_cause(&error) }),
        }
    }
}

impl Endpoint {
    /// Puts the URI and `Host` of this endpoint into `head`.
    ///
    /// Over TLS the URI names the host, since HTTP/2 sends it as `:authority`; in the clear it names the
    /// endpoint, so that all hosts of a site share its connections.
    fn address(&self, head: &mut Parts) -> Result<(), String> {
        if let Some(host) = &self.host {
            let value = HeaderValue::from_str(host.as_str()).map_err(|e| e.to_string())?;
            head.headers.insert(header::HOST, value);
        }
        let secure = self.scheme == Scheme::HTTPS;
        let named = head.headers.get(header::HOST).and_then(|h| h.to_str().ok()).filter(|_| secure);
        let authority = match named {
            Some(host) => host.parse().map_err(|_| format!("{host:?} is not a host"))?,
            None => self.authority.clone(),
        };
        let path = match head.uri.path_and_query() {
            Some(path) => path.clone(),
            None => {
                PathAndQuery::from_static(if head.method == Method::OPTIONS { "*" } else { "/" })
            }
        };
        head.version = http::Version::HTTP_11;
        head.uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(|e| e.to_string())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
