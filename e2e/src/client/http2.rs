//! HTTP/2 with prior knowledge.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::{Answer, HOST, Request};
use crate::http1::Fields;

/// A connection; requests on clones of it share it.
#[derive(Clone, Debug)]
pub struct Http2(SendRequest<BoxBody<Bytes, Infallible>>);

impl Http2 {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens, or it is no HTTP/2 server.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Connects, and sends a PING each `interval` from then on.
    ///
    /// # Errors
    /// When nobody listens, or it is no HTTP/2 server.
    pub async fn connect_with_pings(
        address: SocketAddr,
        interval: Duration,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(interval).keep_alive_while_idle(true);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Connects with windows of so many bytes, for each stream and for all of them.
    ///
    /// # Errors
    /// When nobody listens, or it is no HTTP/2 server.
    pub async fn connect_with_window(address: SocketAddr, bytes: u32) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(bytes).initial_connection_window_size(bytes);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// POSTs a body that begins and does not end, and reads the response.
    ///
    /// # Errors
    /// When no response comes.
    pub async fn stall(&mut self, target: &str) -> anyhow::Result<Answer> {
        let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"first")))]);
        let body = futures_util::StreamExt::chain(first, futures_util::stream::pending());
        read(self.send(&Request::new("POST", target), BoxBody::new(StreamBody::new(body))).await?)
            .await
    }

    /// Sends a request and reads the response.
    ///
    /// # Errors
    /// When no response comes.
    pub async fn ask(&mut self, request: impl Into<Request>) -> anyhow::Result<Answer> {
        read(self.open(request).await?).await
    }

    /// Sends a request with a body in two frames whose length nothing announces, and reads the response.
    ///
    /// # Errors
    /// When no response comes.
    pub async fn upload(&mut self, request: impl Into<Request>) -> anyhow::Result<Answer> {
        let request = request.into();
        let (first, second) = request.body.split_at(request.body.len() / 2);
        let pieces = [Bytes::copy_from_slice(first), Bytes::copy_from_slice(second)];
        let frames = pieces.map(|piece| Ok(Frame::data(piece)));
        let body = BoxBody::new(StreamBody::new(futures_util::stream::iter(frames)));
        read(self.send(&request, body).await?).await
    }

    /// Sends a request and gives the response with its body unread.
    ///
    /// # Errors
    /// When no response comes.
    pub async fn open(
        &mut self,
        request: impl Into<Request>,
    ) -> anyhow::Result<Response<Incoming>> {
        let request = request.into();
        let body = BoxBody::new(Full::new(request.body.clone()));
        self.send(&request, body).await
    }

    async fn send(
        &mut self,
        request: &Request,
        body: BoxBody<Bytes, Infallible>,
    ) -> anyhow::Result<Response<Incoming>> {
        // Of a whole URL, the field is one of its own.
        let whole = request.target.starts_with("http://");
        let host = request.fields.get("host").unwrap_or(HOST);
        let uri =
            if whole { request.target.clone() } else { format!("http://{host}{}", request.target) };
        let mut outgoing = http::Request::builder().method(request.method.as_str()).uri(uri);
        let sent = |name: &str| whole || !name.eq_ignore_ascii_case("host");
        for (name, value) in request.fields.0.iter().filter(|(name, _)| sent(name)) {
            outgoing = outgoing.header(name, value);
        }
        Ok(self.0.send_request(outgoing.body(body)?).await?)
    }

    /// Whether the other end has asked to go elsewhere.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

async fn read(response: Response<Incoming>) -> anyhow::Result<Answer> {
    let (head, body) = response.into_parts();
    let mut fields = Fields::default();
    for (name, value) in &head.headers {
        fields.add(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    let status = head.status.as_u16();
    let (body, cut) = match body.collect().await {
        Ok(body) => (body.to_bytes(), false),
        Err(_) => (Bytes::new(), true),
    };
    Ok(Answer { interim: Vec::new(), status, fields, body, cut })
}
