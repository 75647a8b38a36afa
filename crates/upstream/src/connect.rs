//! Connections to one endpoint, whatever authority a request names.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::ServerName;
use tower::Service;

use crate::body::BoxError;
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::TimedOut;
use crate::names::{Names, Resolver};
use crate::tls;

pub(crate) use marked::{Marked, Used};

mod marked;

type Inner = HttpsConnector<HttpConnector<Resolver>>;

/// Connects to its endpoint within a time that includes name resolution and TLS.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: Inner,
    target: Uri,
    within: Duration,
}

impl Connector {
    pub(crate) fn new(
        endpoint: &Endpoint,
        within: Duration,
        names: Arc<Names>,
    ) -> Result<Self, EndpointError> {
        let mut http = HttpConnector::new_with_resolver(Resolver(names));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(Duration::from_secs(60)));
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config(endpoint.ca.as_deref())?)
            .https_or_http();
        let name = ServerName::try_from(endpoint.server_name().to_owned())
            .map_err(|_| EndpointError::Host(endpoint.server_name().to_owned()))?;
        let inner = builder
            .with_server_name_resolver(FixedServerNameResolver::new(name))
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let target = Uri::builder()
            .scheme(endpoint.scheme.clone())
            .authority(endpoint.authority.clone())
            .path_and_query("/")
            .build()
            .map_err(|_| EndpointError::Url(endpoint.authority.to_string()))?;
        Ok(Self { inner, target, within })
    }
}

impl Service<Uri> for Connector {
    type Response = Marked<<Inner as Service<Uri>>::Response>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, _authority_of_the_request: Uri) -> Self::Future {
        let connecting = self.inner.call(self.target.clone());
        let within = self.within;
        Box::pin(async move {
            match tokio::time::timeout(within, connecting).await {
                Ok(connected) => connected.map(Marked::new),
                Err(_) => Err(TimedOut.into()),
            }
        })
    }
}
