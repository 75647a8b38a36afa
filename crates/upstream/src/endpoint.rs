//! One origin server, read from its URL.

use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Method, Uri, header};
use wire::snapshot::Origin;

/// Where to connect and which `Host` to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Where connections go.
    pub authority: Authority,
    /// Sent instead of the client's `Host`, and as TLS server name.
    pub host: Option<Authority>,
    /// PEM certificates trusted besides the public roots.
    pub ca: Option<String>,
}

/// An origin cannot be used as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not `http://host[:port]` or `https://host[:port]`.
    #[error("origin url {0:?} must be http://host[:port] or https://host[:port]")]
    Url(String),
    /// The host override is not a host name with an optional port.
    #[error("origin host {0:?} is not a host name with an optional port")]
    Host(String),
    /// The CA bundle holds no certificate that can be read.
    #[error("origin ca: {0}")]
    Ca(String),
}

impl Endpoint {
    /// Reads `origin`.
    ///
    /// # Errors
    /// When its URL or host cannot be used.
    pub fn new(origin: &Origin) -> Result<Self, EndpointError> {
        let wrong = || EndpointError::Url(origin.url.clone());
        let uri: Uri = origin.url.parse().map_err(|_| wrong())?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(wrong());
        };
        let path_is_root = parts.path_and_query.is_none_or(|p| p.as_str() == "/");
        let known = scheme == Scheme::HTTP || scheme == Scheme::HTTPS;
        if !known || !path_is_root || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let host = match &origin.host {
            None => None,
            Some(text) => match text.parse::<Authority>() {
                Ok(host) if HeaderValue::from_str(text).is_ok() && !text.contains('@') => {
                    Some(host)
                }
                _ => return Err(EndpointError::Host(text.clone())),
            },
        };
        Ok(Self { scheme, authority, host, ca: origin.ca.clone() })
    }

    /// Puts the URI and `Host` of this endpoint into `head`.
    ///
    /// Over TLS the URI names the host, since HTTP/2 sends it as `:authority`; in the clear it names the
    /// endpoint, so that all hosts of a site share its connections.
    pub(crate) fn address(&self, head: &mut Parts) -> Result<(), String> {
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

    /// The name to verify the certificate against.
    pub(crate) fn server_name(&self) -> &str {
        let name = self.host.as_ref().unwrap_or(&self.authority).host();
        name.trim_start_matches('[').trim_end_matches(']')
    }
}

#[cfg(test)]
mod tests;
