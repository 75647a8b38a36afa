//! An origin over TLS, with an authority of its own, over HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::reply::{Ahead, Piece, pattern};
use super::{Asked, Shared, play};
use crate::http1::Fields;

/// A certificate authority and a certificate of it.
pub struct Authority {
    pem: String,
    config: Arc<ServerConfig>,
}

impl Authority {
    /// Makes both; the certificate is for `names`, and `protocols` are offered by ALPN.
    ///
    /// # Errors
    /// When a name is none.
    pub fn new(names: &[&str], protocols: &[&str]) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Ok(Self { pem, config: Arc::new(config) })
    }

    /// The authority's certificate, for `caBundle`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) async fn serve(&self, stream: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
        let stream = TlsAcceptor::from(self.config.clone()).accept(stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return play::connection(stream, shared).await;
        }
        let service = service_fn(|request| http2(request, shared.clone()));
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service)
            .await
            .map_err(io::Error::other)
    }
}

/// Over HTTP/2 a script's body is sent as a whole.
async fn http2(
    request: http::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let mut fields = Fields::default();
    for (name, value) in &head.headers {
        fields.add(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    // What HTTP/1.1 says in `Host`.
    if let Some(authority) = head.uri.authority() {
        fields.add(":authority", authority.as_str());
    }
    let target = head.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut asked = Asked::new(head.method.as_str(), target, "HTTP/2", fields);
    if let Ok(body) = body.collect().await {
        asked.body = body.to_bytes();
        asked.body_length = asked.body.len() as u64;
    }
    let (reply, _active) = shared.answer(asked);
    for ahead in &reply.ahead {
        if let Ahead::Wait(gate) = ahead {
            gate.passed().await;
        }
    }
    let mut body = BytesMut::new();
    for piece in &reply.body {
        match piece {
            Piece::Data(data) => body.extend_from_slice(data),
            Piece::Pattern(length) => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                body.extend_from_slice(&pattern(body.len() as u64, length));
            }
            Piece::Wait(gate) => gate.passed().await,
            Piece::Cut | Piece::Echo => {}
        }
    }
    let mut response = http::Response::builder().status(reply.status);
    for (name, value) in &reply.fields.0 {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(body.freeze())).unwrap_or_default())
}
