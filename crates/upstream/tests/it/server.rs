//! An origin that counts what it has in hand and answers as it is told.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Sleep;

use super::ms;

/// What the server does, to be changed at any time; and what it saw.
#[derive(Default)]
pub(crate) struct Told {
    /// 0: 200.
    pub(crate) status: AtomicU32,
    /// Before the head.
    pub(crate) delay_ms: AtomicU64,
    /// Whether bodies end; else they stall after their first piece.
    pub(crate) stall: AtomicBool,
    /// Whether bodies break off after their first piece.
    pub(crate) cut: AtomicBool,
    /// Status of answers to probes: GET of `/health`, or OPTIONS. 0: 200.
    pub(crate) health: AtomicU32,
    /// Requests besides probes.
    pub(crate) seen: AtomicU32,
    pub(crate) probes: AtomicU32,
    pub(crate) connections: AtomicU32,
    in_hand: AtomicU32,
    /// The most requests at once.
    pub(crate) most: AtomicU32,
    /// The fields of the last probe.
    pub(crate) last_probe: parking_lot::Mutex<String>,
    /// The body of the last request besides probes.
    pub(crate) last_body: parking_lot::Mutex<Bytes>,
}

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    pub(crate) told: Arc<Told>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// On any port, with `name` for a body.
    pub(crate) async fn start(name: &'static str) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), name).await
    }

    pub(crate) async fn at(address: SocketAddr, name: &'static str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::new(Told::default());
        let task = tokio::spawn(accept(listener, told.clone(), name));
        Self { url: format!("http://{address}"), address, told, task }
    }

    /// Closes its listener and all connections, and gives its address.
    pub(crate) async fn stop(mut self) -> SocketAddr {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.address
    }

    pub(crate) fn says(&self, status: u32) {
        self.told.status.store(status, SeqCst);
    }

    pub(crate) fn seen(&self) -> u32 {
        self.told.seen.load(SeqCst)
    }
}

async fn accept(listener: TcpListener, told: Arc<Told>, name: &'static str) {
    // Dropped, and so aborted, with the server.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        told.connections.fetch_add(1, SeqCst);
        let told = told.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, told.clone(), name));
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    told: Arc<Told>,
    name: &'static str,
) -> Result<Response<Paced>, Infallible> {
    if request.method() == Method::OPTIONS || request.uri().path() == "/health" {
        told.probes.fetch_add(1, SeqCst);
        *told.last_probe.lock() =
            format!("{} {} {:?}", request.method(), request.uri(), request.headers());
        let mut response = Response::new(Paced::whole("well"));
        *response.status_mut() = status(told.health.load(SeqCst));
        return Ok(response);
    }
    let in_hand = InHand::new(&told);
    if let Ok(body) = request.into_body().collect().await {
        *told.last_body.lock() = body.to_bytes();
    }
    tokio::time::sleep(ms(told.delay_ms.load(SeqCst))).await;
    let mut body = Paced::whole(name);
    body.in_hand = Some(in_hand);
    body.stall = told.stall.load(SeqCst);
    body.cut = told.cut.load(SeqCst).then(|| Box::pin(tokio::time::sleep(ms(20))));
    let mut response = Response::new(body);
    *response.status_mut() = status(told.status.load(SeqCst));
    Ok(response)
}

fn status(number: u32) -> http::StatusCode {
    let number = if number == 0 { 200 } else { number };
    http::StatusCode::from_u16(u16::try_from(number).unwrap()).unwrap()
}

/// One request, from its head to the end of its response.
struct InHand(Arc<Told>);

impl InHand {
    fn new(told: &Arc<Told>) -> Self {
        told.seen.fetch_add(1, SeqCst);
        let now = told.in_hand.fetch_add(1, SeqCst) + 1;
        told.most.fetch_max(now, SeqCst);
        Self(told.clone())
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.in_hand.fetch_sub(1, SeqCst);
    }
}

/// A body of one piece, after which it ends, stalls or breaks off.
struct Paced {
    piece: Option<Bytes>,
    stall: bool,
    /// Breaks off when it is over, so that the piece before is sent.
    cut: Option<Pin<Box<Sleep>>>,
    in_hand: Option<InHand>,
}

impl Paced {
    fn whole(text: &'static str) -> Self {
        let piece = Some(Bytes::from_static(text.as_bytes()));
        Self { piece, stall: false, cut: None, in_hand: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.piece.take() {
            Some(piece) => {
                // The request is over for the server when it has nothing more to give.
                if !self.stall {
                    self.in_hand = None;
                }
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if self.stall => Poll::Pending,
            None => match &mut self.cut {
                Some(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    Poll::Ready(Some(Err(std::io::Error::other("cut"))))
                }
                None => Poll::Ready(None),
            },
        }
    }
}
