//! A scripted origin: answers as a test says, and remembers who asked for what.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::http1::Fields;

mod play;
mod reply;
mod tls;

pub use reply::{Reply, pattern};
pub use tls::Authority;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it reached the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// The fields.
    pub fields: Fields,
    /// The first MiB of the body.
    pub body: Bytes,
    /// The whole body's length.
    pub body_length: u64,
    /// The how-manieth for this path, from 1.
    pub number: usize,
}

impl Asked {
    fn new(method: &str, target: &str, version: &'static str, fields: Fields) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            version,
            fields,
            body: Bytes::new(),
            body_length: 0,
            number: 0,
        }
    }

    /// What was kept of the body, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn path(&self) -> &str {
        path_of(&self.target)
    }
}

fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

type Handler = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// What the connections share.
struct Shared {
    routes: Mutex<HashMap<String, Handler>>,
    log: Mutex<Vec<Asked>>,
    /// Requests being answered, by path: now, and at most so far.
    active: Mutex<HashMap<String, (usize, usize)>>,
    changed: watch::Sender<()>,
    uploaded: watch::Sender<u64>,
    connections: watch::Sender<usize>,
}

impl Shared {
    fn answer(self: &Arc<Self>, mut asked: Asked) -> (Reply, Active) {
        let path = asked.path().to_owned();
        let handler = {
            let routes = lock(&self.routes);
            routes.get(&path).or_else(|| routes.get("*")).cloned()
        };
        {
            let mut log = lock(&self.log);
            asked.number = 1 + log.iter().filter(|a| a.path() == path).count();
            log.push(asked.clone());
        }
        {
            let mut active = lock(&self.active);
            let (now, most) = active.entry(path.clone()).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        self.changed.send_replace(());
        let reply = match handler {
            Some(handler) => handler(&asked),
            None => Reply::status(404).field("cache-control", "no-store"),
        };
        (reply, Active { shared: self.clone(), path })
    }
}

/// A request being answered.
struct Active {
    shared: Arc<Shared>,
    path: String,
}

impl Drop for Active {
    fn drop(&mut self) {
        if let Some((now, _)) = lock(&self.shared.active).get_mut(&self.path) {
            *now -= 1;
        }
    }
}

/// An origin that runs until it is dropped.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    authority: Option<Arc<Authority>>,
    task: Option<JoinHandle<()>>,
    /// Keeps the port while the origin is stopped.
    reserved: Option<TcpSocket>,
}

impl Origin {
    /// In the clear, on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(None).await
    }

    /// Over TLS, with a certificate of `authority`.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start_tls(authority: Authority) -> io::Result<Self> {
        Self::start_with(Some(Arc::new(authority))).await
    }

    async fn start_with(authority: Option<Arc<Authority>>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let shared = Arc::new(Shared {
            routes: Mutex::default(),
            log: Mutex::default(),
            active: Mutex::default(),
            changed: watch::Sender::new(()),
            uploaded: watch::Sender::new(0),
            connections: watch::Sender::new(0),
        });
        let address = listener.local_addr()?;
        let task = Some(tokio::spawn(accept(listener, shared.clone(), authority.clone())));
        Ok(Self { address, shared, authority, task, reserved: None })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For `origins[].url`.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Answers requests for `path`, whatever their query, as `handler` says; `*` is every other path.
    pub fn on(&self, path: &str, handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        lock(&self.shared.routes).insert(path.to_owned(), Arc::new(handler));
    }

    /// Answers every request for `path` with `reply`.
    pub fn always(&self, path: &str, reply: Reply) {
        self.on(path, move |_| reply.clone());
    }

    /// How often `path` was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.asked(path).len()
    }

    /// The requests for `path`, in order.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        lock(&self.shared.log).iter().filter(|a| a.path() == path).cloned().collect()
    }

    /// The last request for `path`.
    ///
    /// # Panics
    /// When there was none.
    pub fn last(&self, path: &str) -> Asked {
        let Some(last) = self.asked(path).pop() else { panic!("nobody asked for {path}") };
        last
    }

    /// The most requests for `path` that were being answered at the same time.
    pub fn most_at_once(&self, path: &str) -> usize {
        lock(&self.shared.active).get(path).map_or(0, |(_, most)| *most)
    }

    /// Waits until `path` was asked for `times` times.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn was_asked(&self, path: &str, times: usize) -> io::Result<()> {
        let mut changed = self.shared.changed.subscribe();
        let waited = tokio::time::timeout(PATIENCE, async {
            while self.count(path) < times {
                if changed.changed().await.is_err() {
                    break;
                }
            }
        });
        let so_far = || format!("{path} was asked for {} times, not {times}", self.count(path));
        waited.await.map_err(|_| io::Error::other(so_far()))
    }

    /// Waits until `bytes` of request bodies have come in.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn was_sent(&self, bytes: u64) -> io::Result<()> {
        let mut uploaded = self.shared.uploaded.subscribe();
        let waited = tokio::time::timeout(PATIENCE, uploaded.wait_for(|sent| *sent >= bytes)).await;
        waited.map(|_| ()).map_err(|_| io::Error::other("the request body does not come"))
    }

    /// Connections opened so far.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Closes the port and every connection.
    ///
    /// # Errors
    /// When the port cannot be kept for later.
    pub async fn stop(&mut self) -> io::Result<()> {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.reserved = Some(socket);
        Ok(())
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// When that is not to be had.
    pub async fn restart(&mut self) -> io::Result<()> {
        let Some(socket) = self.reserved.take() else {
            return Ok(());
        };
        let listener = socket.listen(1024)?;
        let accepting = accept(listener, self.shared.clone(), self.authority.clone());
        self.task = Some(tokio::spawn(accepting));
        Ok(())
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, authority: Option<Arc<Authority>>) {
    // Dropped with this task, and everything in it aborted.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        shared.connections.send_modify(|count| *count += 1);
        let (shared, authority) = (shared.clone(), authority.clone());
        connections.spawn(async move {
            // A connection that breaks is the test's business, and it sees it.
            let _ = match authority {
                Some(authority) => authority.serve(stream, &shared).await,
                None => play::connection(stream, &shared).await,
            };
        });
        while connections.try_join_next().is_some() {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
