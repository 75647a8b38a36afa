//! How the admin API is asked.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::invalidation::PurgeReport;

use crate::answers::Refusal;

/// How long anything but waiting for completion may take.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// No answer is nearly as large.
const MAX_ANSWER: usize = 64 << 20;

/// One admin API.
pub(crate) struct Api {
    /// Without a slash at the end.
    base: String,
    token: Option<HeaderValue>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Why the API did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No connection, or it broke.
    #[error("cannot reach {api}: {reason}; is it running? Name another with --api URL")]
    Unreachable {
        /// Where.
        api: String,
        /// Why.
        reason: String,
    },
    /// Silence.
    #[error("{0} did not answer in time; try again, or name another with --api URL")]
    Silent(String),
    /// 401 without a token shown.
    #[error("{0} wants a token; give it with --token-file FILE or the variable BLUE_ORIGIN_TOKEN")]
    NoToken(String),
    /// 401 with one.
    #[error("{0} does not accept this token; check --token-file or the variable BLUE_ORIGIN_TOKEN")]
    WrongToken(String),
    /// 400.
    #[error("refused, nothing was applied: {0}")]
    Refused(String),
    /// 404.
    #[error("{0}")]
    NotFound(String),
    /// 503.
    #[error(
        "{0} cannot reach the log and keeps as many orders as it can; try again when the log is back"
    )]
    QueueFull(String),
    /// Any other status.
    #[error("{api} answered {status} to {request}{text}")]
    Status {
        /// Where.
        api: String,
        /// What.
        status: StatusCode,
        /// To what.
        request: String,
        /// With what words.
        text: String,
    },
    /// Something else answers there.
    #[error(
        "{api} answered what this program does not understand ({reason}); is --api an admin API of this CDN?"
    )]
    NotOurs {
        /// Where.
        api: String,
        /// What is odd.
        reason: String,
    },
}

impl ApiError {
    /// Whether the same may work in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent(_) | Self::QueueFull(_) => true,
            Self::Status { status, .. } => status.is_server_error(),
            _ => false,
        }
    }
}

/// A request.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) body: Option<Value>,
    /// How long the API may keep back its answer; `None` leaves that to it.
    pub(crate) wait: Option<Duration>,
    /// What it means if it is not there.
    pub(crate) not_found: String,
}

impl Api {
    /// The API at a URL; the error says what is wrong with URL or token.
    pub(crate) fn new(url: &str, token: Option<&str>) -> Result<Self, String> {
        let base = url.trim_end_matches('/').to_owned();
        let uri: Uri = base
            .parse()
            .map_err(|_| format!("--api: `{url}` is not a URL; write http://host:port"))?;
        match uri.scheme_str() {
            Some("http") if uri.query().is_none() => {}
            Some("https") => {
                return Err(format!(
                    "--api: `{url}` is https, which this program does not speak; use a tunnel, such as \
                     `kubectl port-forward`"
                ));
            }
            _ => return Err(format!("--api: `{url}` is not a URL; write http://host:port")),
        }
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        let token =
            token.map(|token| HeaderValue::from_str(&format!("Bearer {token}"))).transpose();
        let mut token =
            token.map_err(|_| "the token has characters that no header carries".to_owned())?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { base, token, client })
    }

    /// Asks, and reads the answer both as what it should be and as it is.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
    ) -> Result<(T, Value), ApiError> {
        let patience = PATIENCE + ask.wait.unwrap_or_default();
        match tokio::time::timeout(patience, self.exchange(&ask)).await {
            Ok(Ok((status, body))) => self.understand(&ask, status, &body),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ApiError::Silent(self.base.clone())),
        }
    }

    /// Where it is, for people.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Where an order stands, at once or as soon as it changes for good.
    pub(crate) async fn report(
        &self,
        id: &str,
        wait: Duration,
    ) -> Result<(PurgeReport, Value), ApiError> {
        let path = format!("/purge/{}", segment(id));
        let not_found = format!(
            "{} knows no order `{id}`; it may be too long ago: see `blue-origin status`",
            self.base
        );
        self.ask(Ask { method: Method::GET, path: &path, body: None, wait: Some(wait), not_found })
            .await
    }

    async fn exchange(&self, ask: &Ask<'_>) -> Result<(StatusCode, Bytes), ApiError> {
        let lost = |reason: String| ApiError::Unreachable { api: self.base.clone(), reason };
        let mut request = Request::builder()
            .method(&ask.method)
            .uri(format!("{}{}", self.base, ask.path))
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        request = match ask.wait.map(|wait| wait.as_millis().div_ceil(1000)) {
            Some(0) => request.header("prefer", "respond-async"),
            Some(seconds) => request.header("prefer", format!("wait={}", seconds.min(60))),
            None => request,
        };
        let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::from(body)).map_err(|e| lost(e.to_string()))?;
        let response = self.client.request(request).await.map_err(|e| lost(innermost(&e)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        Ok((status, body.map_err(|e| lost(e.to_string()))?.to_bytes()))
    }

    fn understand<T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        status: StatusCode,
        body: &[u8],
    ) -> Result<(T, Value), ApiError> {
        let api = self.base.clone();
        let not_ours = |reason: String| ApiError::NotOurs { api: api.clone(), reason };
        if status.is_success() {
            let value: Value = serde_json::from_slice(body).map_err(|e| not_ours(e.to_string()))?;
            let typed =
                serde_json::from_value(value.clone()).map_err(|e| not_ours(e.to_string()))?;
            return Ok((typed, value));
        }
        let said: Option<Refusal> = serde_json::from_slice(body).ok();
        Err(match (status, said) {
            (StatusCode::UNAUTHORIZED, _) if self.token.is_none() => ApiError::NoToken(api),
            (StatusCode::UNAUTHORIZED, _) => ApiError::WrongToken(api),
            (StatusCode::BAD_REQUEST, Some(said)) => ApiError::Refused(words(said)),
            // Only an API of ours says so in JSON; others have no such page at all.
            (StatusCode::NOT_FOUND, Some(_)) => ApiError::NotFound(ask.not_found.clone()),
            (StatusCode::NOT_FOUND, None) => {
                not_ours(format!("404 to {} {}", ask.method, ask.path))
            }
            (StatusCode::SERVICE_UNAVAILABLE, Some(said)) if said.error == "queue-full" => {
                ApiError::QueueFull(api)
            }
            (status, said) => {
                let text = said.map(words).filter(|words| !words.is_empty());
                ApiError::Status {
                    api,
                    status,
                    request: format!("{} {}", ask.method, ask.path),
                    text: text.map(|words| format!(": {words}")).unwrap_or_default(),
                }
            }
        })
    }
}

/// Field and reason, or whatever there is of them.
fn words(said: Refusal) -> String {
    let parts = [said.field, said.reason].into_iter().filter(|part| !part.is_empty());
    match parts.collect::<Vec<_>>().join(": ") {
        words if words.is_empty() => said.error,
        words => words,
    }
}

/// What lies at the bottom, such as `connection refused`.
fn innermost(error: &hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
    }
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests;
