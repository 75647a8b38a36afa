//! One client connection from its first byte to its last.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use parking_lot::Mutex;
use runtime::drain::{Drain, Stage};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use wire::snapshot::Limits;

use super::gate::Gate;
use super::open::OneOpen;
use super::streams::{Stream, StreamExecutor, Streams};
use super::{Handler, ServeMetrics};
use crate::body::{Body, Busy};

/// What the parts of a connection tell each other: the socket, the handler and the sweeper.
#[derive(Debug)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    pub(super) limits: Arc<Limits>,
    pub(super) ticks: Arc<AtomicU32>,
    pub(super) read_at: AtomicU32,
    pub(super) wrote_at: AtomicU32,
    /// When the first byte of an unfinished head came; 0 = none.
    pub(super) head_since: AtomicU32,
    pub(super) awaits_body: AtomicBool,
    pub(super) blocked: AtomicBool,
    pub(super) tunnel: AtomicBool,
    pub(super) in_service: AtomicU32,
    /// When an answer was last done with; at first, when the connection came.
    pub(super) ended_at: AtomicU32,
    pub(super) http2: AtomicBool,
    /// Over HTTP/2: the client was asked to leave because it asks nothing.
    pub(super) dismissed: AtomicBool,
    pub(super) streams: Streams,
    /// It has said its last, and lets the client read that.
    pub(super) lingers: AtomicBool,
    /// It ran into a limit and is about to end.
    pub(super) condemned: AtomicBool,
    pub(super) interim: Mutex<BytesMut>,
    /// HTTP/1.1: there are interim responses. HTTP/2: the client is to leave.
    pub(super) poke: Notify,
    pub(super) kill: Notify,
    _open: OneOpen,
}

impl Connection {
    pub(super) fn new(
        peer: SocketAddr,
        limits: Arc<Limits>,
        ticks: Arc<AtomicU32>,
        open: OneOpen,
    ) -> Arc<Self> {
        let now = ticks.load(Ordering::Relaxed);
        Arc::new(Self {
            peer,
            limits,
            ticks,
            read_at: AtomicU32::new(now),
            wrote_at: AtomicU32::new(now),
            head_since: AtomicU32::new(0),
            awaits_body: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            tunnel: AtomicBool::new(false),
            in_service: AtomicU32::new(0),
            ended_at: AtomicU32::new(now),
            http2: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
            streams: Streams::default(),
            lingers: AtomicBool::new(false),
            condemned: AtomicBool::new(false),
            interim: Mutex::new(BytesMut::new()),
            poke: Notify::new(),
            kill: Notify::new(),
            _open: open,
        })
    }

    pub(super) fn tick(&self) -> u32 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// From here on the bytes are not HTTP: framing is no longer checked.
    pub fn becomes_tunnel(&self) {
        self.tunnel.store(true, Ordering::Relaxed);
    }

    /// Waits until the connection has to end.
    pub(crate) async fn killed(&self) {
        self.kill.notified().await;
    }

    /// Ends it; whether that was not said before.
    pub(super) fn condemn(&self) -> bool {
        self.kill.notify_one();
        !self.condemned.swap(true, Ordering::Relaxed)
    }

    /// The limits that this connection is held to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// While it lives, a request is being answered on its connection.
#[derive(Debug)]
pub(crate) struct InService(Arc<Connection>);

impl InService {
    fn new(connection: &Arc<Connection>) -> Self {
        connection.in_service.fetch_add(1, Ordering::Relaxed);
        Self(connection.clone())
    }

    pub(super) fn tick(&self) -> u32 {
        self.0.tick()
    }

    /// How many requests are being answered there.
    pub(super) fn shared_by(&self) -> u32 {
        self.0.in_service.load(Ordering::Relaxed)
    }
}

impl Drop for InService {
    fn drop(&mut self) {
        self.0.ended_at.store(self.tick(), Ordering::Relaxed);
        self.0.in_service.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Interim responses that wait for their client; what comes once there are more is left out.
const INTERIM_BYTES: usize = 64 << 10;

/// Sends interim (1xx) responses ahead of the answer (RFC 9110 §15.2), where the version allows it: hyper
/// has no way to send one over HTTP/2, and HTTP/1.0 clients do not know them.
#[derive(Clone, Debug)]
pub struct Interim(Weak<Connection>);

impl Interim {
    /// For a request of `version` on `connection`.
    pub fn new(connection: &Arc<Connection>, version: Version) -> Option<Self> {
        (version == Version::HTTP_11).then(|| Self(Arc::downgrade(connection)))
    }

    /// Relays what upstream answers ahead of its final response to the request of `head`.
    pub(crate) fn attach(self, head: &mut http::request::Parts) {
        let mut carrier = Request::new(());
        hyper::ext::on_informational(&mut carrier, move |response| {
            let mut headers = response.headers().clone();
            semantics::strip_hop_by_hop(&mut headers);
            crate::deliver::remove_border(&mut headers);
            self.relay(response.status(), &headers);
        });
        head.extensions.extend(carrier.into_parts().0.extensions);
    }

    /// Queues `status` with `headers`, hop-by-hop fields already removed.
    //= rfc9110#15.2
    pub fn relay(&self, status: StatusCode, headers: &HeaderMap) {
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        // A request may outlive its client.
        let Some(connection) = self.0.upgrade() else { return };
        let mut out = connection.interim.lock();
        if out.len() > INTERIM_BYTES {
            // Nobody needs them, and this client does not read.
            return;
        }
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status.as_str().as_bytes());
        out.extend_from_slice(b" ");
        out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
        for (name, value) in headers {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        drop(out);
        connection.poke.notify_one();
    }
}

/// Serves `stream` until it ends, is killed by the sweeper, or the process has closed.
pub(super) async fn run<H: Handler>(
    mut stream: TcpStream,
    connection: Arc<Connection>,
    handler: H,
    metrics: &ServeMetrics,
    drain: Drain,
) {
    let opened = tokio::select! {
        preface = is_http2(&mut stream, &connection) => preface,
        () = connection.killed() => None,
    };
    let Some((http2, taken)) = opened else { return };
    let service = Serving { handler, connection: connection.clone(), drain: drain.clone() };
    connection.http2.store(http2, Ordering::Relaxed);
    if http2 {
        let gate = Gate::new(stream, connection.clone(), None).behind(taken);
        let conn = http2_builder(&connection).serve_connection(gate, service);
        let mut conn = pin!(conn);
        let (mut closing, late) = (false, drain.stage() >= Stage::Draining);
        loop {
            tokio::select! {
                _ = conn.as_mut() => break,
                () = connection.killed() => break,
                () = drain.reached(Stage::Closed), if !closing => closing = true,
                // Who came since is answered once first.
                () = drain.reached(Stage::Draining), if !closing && !late => closing = true,
                () = connection.poke.notified(), if !closing => closing = true,
            }
            if closing {
                //= rfc9113#6.8
                conn.as_mut().graceful_shutdown();
            }
        }
    } else {
        let refused = Some(metrics.refused.clone());
        let gate = Gate::new(stream, connection.clone(), refused).behind(taken);
        let builder = http1_builder(&connection.limits);
        let mut conn = builder.serve_connection(gate, service).with_upgrades();
        loop {
            tokio::select! {
                _ = &mut conn => break,
                () = connection.killed() => return,
                () = connection.poke.notified() => {}
            }
        }
        if let Some(parts) = conn.into_parts() {
            parts.io.linger().await;
        }
    }
}

/// Bytes of a body offered to the kernel at a time (pieces of a stored body, not copies): more than a socket
/// takes at once, so that one write fills it.
const QUEUED: usize = 1 << 20;

fn http1_builder(limits: &Limits) -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_headers(limits.max_fields as usize)
        .max_header_size(limits.max_head_bytes as usize)
        .max_buf_size((limits.max_head_bytes as usize).max(QUEUED))
        .auto_date_header(true);
    builder
}

/// Bytes of a stream that wait for a socket beyond its own buffer: little, so that a client's window for all streams
/// is not given to the first alone.
const WAITING: usize = 64 << 10;

fn http2_builder(
    connection: &Arc<Connection>,
) -> hyper::server::conn::http2::Builder<StreamExecutor> {
    let executor = StreamExecutor(connection.clone());
    let mut builder = hyper::server::conn::http2::Builder::new(executor);
    builder
        .auto_date_header(true)
        .max_concurrent_streams(250)
        .max_header_list_size(connection.limits.max_head_bytes)
        .max_send_buf_size(WAITING)
        .adaptive_window(true);
    builder
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Looks at the first bytes: whether they begin HTTP/2, and what of them was taken; `None` when the client left.
//= rfc9113#3.3
async fn is_http2(stream: &mut TcpStream, connection: &Connection) -> Option<(bool, Bytes)> {
    let mut seen = [0; PREFACE.len()];
    let there = stream.peek(&mut seen).await.ok().filter(|n| *n > 0)?;
    if there == PREFACE.len() || !PREFACE.starts_with(&seen[..there]) {
        return Some((seen == PREFACE, Bytes::new()));
    }
    // A part of it: as much of a head as any other, and read like one.
    connection.head_since.store(connection.tick().max(1), Ordering::Relaxed);
    let mut taken = 0;
    while taken < PREFACE.len() && PREFACE.starts_with(&seen[..taken]) {
        taken += stream.read(&mut seen[taken..]).await.ok().filter(|n| *n > 0)?;
    }
    connection.head_since.store(0, Ordering::Relaxed);
    Some((seen == PREFACE, Bytes::copy_from_slice(&seen[..taken])))
}

struct Serving<H> {
    handler: H,
    connection: Arc<Connection>,
    drain: Drain,
}

impl<H: Handler> Service<Request<Incoming>> for Serving<H> {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Answering<H::Answer>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let busy = InService::new(&self.connection);
        let version = request.version();
        let draining = self.drain.stage() >= Stage::Draining;
        if version == Version::HTTP_2 && draining {
            self.connection.poke.notify_one();
        }
        Answering {
            answer: self.handler.handle(request, &self.connection),
            busy: Some(busy),
            // HTTP/2 says it with GOAWAY.
            leave: version <= Version::HTTP_11 && draining,
            unframed: version == Version::HTTP_10,
        }
    }
}

/// An answer in the making, which keeps its connection busy until the last byte is sent.
struct Answering<F> {
    answer: F,
    busy: Option<InService>,
    leave: bool,
    /// A body of unknown length can only end with the connection.
    unframed: bool,
}

impl<F: Future<Output = Response<Body>> + Unpin> Future for Answering<F> {
    type Output = Result<Response<Body>, std::convert::Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(Pin::new(&mut self.answer).poll(cx));
        //= rfc9112#9.3
        let only_end = self.unframed && response.body().size_hint().exact().is_none();
        if only_end {
            // Of its own version hyper would say that the connection stays.
            *response.version_mut() = Version::HTTP_10;
        }
        if self.leave || only_end {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(busy) = self.busy.take() {
            response.body_mut().keep_busy(match Stream::own(busy) {
                Ok(stream) => Busy::Stream(stream, Bytes::new()),
                Err(busy) => Busy::Connection(busy),
            });
        }
        Poll::Ready(Ok(response))
    }
}
