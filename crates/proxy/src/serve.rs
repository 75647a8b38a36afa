//! Connections from clients: accepting, limits, both HTTP versions, and the way out.

mod connection;
mod gate;
mod open;
mod send;
mod streams;
mod sweep;
mod turn;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use runtime::drain::{Drain, Stage};
use runtime::metrics::{IntCounterVec, IntGauge, MetricError, Metrics};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use wire::snapshot::Limits;

pub(crate) use connection::InService;
pub use connection::{Connection, Interim};
use open::OneOpen;
pub use open::Open;
pub use streams::Piece;
pub(crate) use streams::Stream;

use crate::body::Body;

/// Answers one request. Called on the connection's task; must not block.
pub trait Handler: Clone + Send + Sync + 'static {
    /// The answer in the making.
    type Answer: Future<Output = Response<Body>> + Send + Unpin + 'static;

    /// The limits for connections from now on.
    fn limits(&self) -> Arc<Limits>;

    /// What its connections count as; the limit for them holds for all listeners with the same.
    fn open(&self) -> &Open;

    /// Starts answering `request`, which came over `connection`.
    fn handle(&self, request: Request<Incoming>, connection: &Arc<Connection>) -> Self::Answer;
}

/// Counts of a listener.
#[derive(Clone)]
pub struct ServeMetrics {
    connections: IntGauge,
    refused: IntCounterVec,
    closed: IntCounterVec,
}

impl ServeMetrics {
    /// Declares the metrics in `metrics`.
    ///
    /// # Errors
    /// When they are declared there already.
    pub fn new(metrics: &Metrics) -> Result<Self, MetricError> {
        Ok(Self {
            connections: metrics.gauge("cdn_client_connections", "Client connections open.")?,
            refused: metrics.counters(
                "cdn_requests_refused_total",
                "Requests refused before routing, by reason.",
                &["reason"],
            )?,
            closed: metrics.counters(
                "cdn_client_connections_timed_out_total",
                "Client connections, and streams of them, closed because a time limit ran out, by limit.",
                &["limit"],
            )?,
        })
    }
}

/// Bytes the kernel may hold for one slow client (it doubles them for its own account): large bodies leave in
/// full writes, and what waits on a few busy connections still fits the core's cache.
const SEND_BUFFER: usize = 256 << 10;
const BACKLOG: i32 = 4096;

/// A listening socket for `address`; `shared` lets several threads listen on the same port. `[::]` is every address of
/// both families, or of IPv4 where there is no other.
///
/// # Errors
/// When the address cannot be bound.
pub fn bind(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let bound = bind_one(address, shared);
    match &bound {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && !is_taken(error) => {
            bind_one((Ipv4Addr::UNSPECIFIED, address.port()).into(), shared)
        }
        _ => bound,
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn bind_one(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    // Accepted sockets inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_nonblocking(true)?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts on `listener` and answers with `handler` until the process is closed and every connection is done,
/// or the drain timeout cuts off what remains.
///
/// # Errors
/// When the listener cannot be handed to the runtime.
pub async fn serve<H: Handler>(
    listener: std::net::TcpListener,
    handler: H,
    metrics: ServeMetrics,
    drain: Drain,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let open = handler.open().clone();
    let most = || handler.limits().max_connections;
    let sweeper = sweep::Sweeper::start(metrics.clone(), drain.clone());
    let take = |(stream, peer): (TcpStream, SocketAddr), one: OneOpen| {
        let connection = sweeper.admit(peer, handler.limits(), one);
        let (handler, drain, metrics) = (handler.clone(), drain.clone(), metrics.clone());
        tokio::spawn(async move {
            connection::run(stream, connection, handler, &metrics, drain).await;
        });
    };
    let mut closed = pin!(drain.reached(Stage::Closed));
    let mut waiting = None;
    loop {
        tokio::select! {
            biased;
            () = &mut closed => break,
            one = open.one_more(most), if waiting.is_some() => {
                if let Some(accepted) = waiting.take() {
                    take(accepted, one);
                }
            }
            accepted = accept(&listener), if waiting.is_none() => waiting = accepted,
        };
    }
    let mut queue = Queue::close(listener);
    while let Some(one) = open.try_one_more(most())
        && let Some(accepted) = waiting.take().or_else(|| queue.next())
    {
        take(accepted, one);
    }
    drop((waiting, queue));
    let drain_timeout = Duration::from_millis(handler.limits().drain_timeout_ms);
    if tokio::time::timeout(drain_timeout, open.none()).await.is_err() {
        tracing::warn!(open = open.count(), "drain timeout: closing what is still in flight");
        sweeper.close_all();
    }
    Ok(())
}

/// What the kernel had completed for a listener that closes: that is ours to serve, also at the end, and
/// whatever is left in the queue is reset.
struct Queue(Option<std::net::TcpListener>);

impl Queue {
    fn close(listener: TcpListener) -> Self {
        // No more than one can join the queue while it is emptied, however long this thread waits for a core.
        let _ = SockRef::from(&listener).listen(0);
        // Not through the runtime: it asks the kernel only once it has heard of a connection.
        Self(listener.into_std().ok())
    }

    fn next(&mut self) -> Option<(TcpStream, SocketAddr)> {
        loop {
            match self.0.as_ref()?.accept().and_then(|(stream, peer)| Ok((ours(stream)?, peer))) {
                Ok((stream, peer)) => return Some(at_once(stream, peer)),
                // That client left meanwhile.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return None,
            }
        }
    }
}

fn ours(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// Its small writes do not wait, and its peer is of IPv4 whichever socket it came to.
fn at_once(stream: TcpStream, peer: SocketAddr) -> (TcpStream, SocketAddr) {
    let _ = stream.set_nodelay(true);
    (stream, SocketAddr::new(peer.ip().to_canonical(), peer.port()))
}

/// The next connection.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok((stream, peer)) => Some(at_once(stream, peer)),
        Err(error) => {
            // Out of descriptors or memory: connections in the queue keep, a busy loop would not help.
            tracing::warn!(%error, "accept failed");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

#[cfg(test)]
mod tests;
