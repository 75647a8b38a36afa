//! An origin of so many workers, each of which takes its time over a request: one that can be overloaded.
//!
//! It keeps what reached it when, so that a test can tell how much it had in hand at any moment.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

/// How it answers.
#[derive(Clone, Debug)]
pub struct Manner {
    /// How long a worker has a request.
    pub service: Duration,
    /// The status of every answer.
    pub status: u16,
    /// The status of answers to `/health`, which take no worker and no time.
    pub health: u16,
    /// Further fields of every answer.
    pub fields: Vec<(&'static str, String)>,
}

impl Default for Manner {
    fn default() -> Self {
        let fields = vec![("cache-control", "max-age=60".to_owned())];
        Self { service: Duration::from_millis(10), status: 200, health: 200, fields }
    }
}

/// A request that reached it.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The target, as it was asked for.
    pub target: String,
    /// The method.
    pub method: String,
    /// When its head was there.
    pub from: Instant,
    /// When it was answered, or whoever asked was gone; none while it is here.
    pub until: Option<Instant>,
    /// Whether it was answered.
    pub answered: bool,
}

struct Shared {
    workers: Arc<Semaphore>,
    manner: Mutex<Manner>,
    visits: Mutex<Vec<Visit>>,
}

/// An origin that runs until it is dropped.
pub struct Workers {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
    /// Keeps the port while it is stopped.
    reserved: Option<TcpSocket>,
}

/// Workers that do something else until this is dropped.
#[must_use = "dropping it gives them back"]
pub struct Away(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Workers {
    /// So many of them, on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(workers: u32) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let workers = Arc::new(Semaphore::new(workers as usize));
        let shared = Shared { workers, manner: Mutex::default(), visits: Mutex::default() };
        let shared = Arc::new(shared);
        let task = Some(tokio::spawn(accept(listener, shared.clone())));
        Ok(Self { address, shared, task, reserved: None })
    }

    /// For `origins[].url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a node calls it.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// How it answers from now on. Who is here already is answered as it was to be.
    pub fn set(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// Takes so many workers away, each when it is done with what it has.
    ///
    /// # Errors
    /// Never: nobody closes the workers' room.
    pub async fn take_away(&self, workers: u32) -> io::Result<Away> {
        let away = self.shared.workers.clone().acquire_many_owned(workers).await;
        away.map(Away).map_err(io::Error::other)
    }

    /// Everything that reached it, in order.
    pub fn visits(&self) -> Vec<Visit> {
        lock(&self.shared.visits).clone()
    }

    /// How many reached it so far.
    pub fn count(&self) -> usize {
        lock(&self.shared.visits).len()
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
        if let Some(socket) = self.reserved.take() {
            let listener = socket.listen(1024)?;
            self.task = Some(tokio::spawn(accept(listener, self.shared.clone())));
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The most of `visits` at the same moment. Of one that was given up, its last `grace` does not count: that
/// is how long it may take until the origin hears of it.
pub fn most_at_once(visits: &[Visit], grace: Duration) -> usize {
    let mut changes = Vec::with_capacity(visits.len() * 2);
    for visit in visits {
        let until = match visit.until {
            Some(until) if visit.answered => Some(until),
            Some(until) => Some(until.checked_sub(grace).unwrap_or(until).max(visit.from)),
            None => None,
        };
        changes.push((visit.from, true));
        changes.extend(until.map(|until| (until, false)));
    }
    // Who goes makes room for who comes at the same moment.
    changes.sort_unstable();
    let (mut now, mut most) = (0_usize, 0);
    for (_, comes) in changes {
        now = if comes { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and everything in it aborted.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, shared.clone()));
            // It ends as soon as the other end is gone, and the request in hand with it.
            let mut server = http1::Builder::new();
            // The machine's time is not that of a test.
            server.auto_date_header(false);
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut here = Here::new(&request, shared.clone());
    let manner = lock(&shared.manner).clone();
    let mut response = Response::builder();
    if request.uri().path() == "/health" {
        response = response.status(manner.health);
    } else {
        let worker = shared.workers.acquire().await;
        sleep(manner.service).await;
        drop(worker);
        response = response.status(manner.status);
    }
    for (name, value) in &manner.fields {
        response = response.header(*name, value);
    }
    here.answered = true;
    let body = Full::new(Bytes::from_static(b"from a worker"));
    Ok(response.body(body).unwrap_or_default())
}

/// A request in hand.
struct Here {
    shared: Arc<Shared>,
    place: usize,
    answered: bool,
}

impl Here {
    fn new(request: &Request<Incoming>, shared: Arc<Shared>) -> Self {
        let visit = Visit {
            target: request.uri().to_string(),
            method: request.method().to_string(),
            from: Instant::now(),
            until: None,
            answered: false,
        };
        let mut visits = lock(&shared.visits);
        let place = visits.len();
        visits.push(visit);
        drop(visits);
        Self { shared, place, answered: false }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        if let Some(visit) = lock(&self.shared.visits).get_mut(self.place) {
            visit.until = Some(Instant::now());
            visit.answered = self.answered;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
