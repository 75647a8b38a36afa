//! Time limits of connections, kept by one coarse tick instead of a timer per request.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use runtime::drain::{Drain, Stage};
use tokio::task::AbortHandle;
use wire::snapshot::Limits;

use super::ServeMetrics;
use super::connection::Connection;
use super::open::OneOpen;

/// How exact the limits are.
const TICK: Duration = Duration::from_millis(100);
/// An idle connection is left this long after the process started to drain: its client may be sending.
const LEAVE_IDLE: Duration = Duration::from_secs(1);

type Watched = Arc<Mutex<Vec<Weak<Connection>>>>;

/// Watches every connection of a listener.
pub(super) struct Sweeper {
    ticks: Arc<AtomicU32>,
    open: Watched,
    task: AbortHandle,
}

impl Sweeper {
    /// Starts ticking.
    pub(super) fn start(metrics: ServeMetrics, drain: Drain) -> Self {
        // Tick 0 means "never" in a connection.
        let ticks = Arc::new(AtomicU32::new(1));
        let open = Watched::default();
        let sweep = Sweep { ticks: ticks.clone(), open: open.clone(), metrics, drain };
        let task = tokio::spawn(sweep.run()).abort_handle();
        Self { ticks, open, task }
    }

    /// A new connection from `peer`, watched from now on.
    pub(super) fn admit(
        &self,
        peer: SocketAddr,
        limits: Arc<Limits>,
        open: OneOpen,
    ) -> Arc<Connection> {
        let connection = Connection::new(peer, limits, self.ticks.clone(), open);
        self.open.lock().push(Arc::downgrade(&connection));
        connection
    }

    /// Closes everything that is still open.
    pub(super) fn close_all(&self) {
        for connection in self.open.lock().iter().filter_map(Weak::upgrade) {
            connection.kill.notify_one();
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Sweep {
    ticks: Arc<AtomicU32>,
    open: Watched,
    metrics: ServeMetrics,
    drain: Drain,
}

impl Sweep {
    async fn run(self) {
        let mut interval = tokio::time::interval(TICK);
        loop {
            interval.tick().await;
            let now = self.ticks.fetch_add(1, Ordering::Relaxed) + 1;
            let stage = self.drain.stage();
            self.open.lock().retain(|connection| {
                let Some(connection) = connection.upgrade() else { return false };
                if let Some(limit) = overdue(&connection, now, stage) {
                    self.metrics.closed.with_label_values(&[limit.as_str()]).inc();
                    connection.kill.notify_one();
                }
                true
            });
        }
    }
}

/// Which limit a connection has run into.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Head,
    Body,
    Write,
    Idle,
    Drain,
}

impl Overdue {
    fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "between-bytes",
            Self::Write => "write",
            Self::Idle => "idle",
            Self::Drain => "drain",
        }
    }
}

/// Judges one connection at tick `now`.
pub(super) fn overdue(connection: &Connection, now: u32, stage: Stage) -> Option<Overdue> {
    let limits = connection.limits();
    let since = |tick: &AtomicU32| TICK * now.saturating_sub(tick.load(Ordering::Relaxed));
    let over = |passed: Duration, limit_ms: u64| passed > Duration::from_millis(limit_ms);
    let flag = |flag: &std::sync::atomic::AtomicBool| flag.load(Ordering::Relaxed);
    let quiet = since(&connection.read_at).min(since(&connection.wrote_at));
    if flag(&connection.tunnel) {
        return over(quiet, limits.idle_timeout_ms).then_some(Overdue::Idle);
    }
    let head_started = connection.head_since.load(Ordering::Relaxed) != 0;
    if head_started && over(since(&connection.head_since), limits.head_timeout_ms) {
        return Some(Overdue::Head);
    }
    if flag(&connection.awaits_body)
        && over(since(&connection.read_at), limits.between_bytes_timeout_ms)
    {
        return Some(Overdue::Body);
    }
    if flag(&connection.blocked)
        && over(since(&connection.wrote_at), limits.between_bytes_timeout_ms)
    {
        return Some(Overdue::Write);
    }
    let in_service = connection.in_service.load(Ordering::Relaxed);
    // Every answer waits for the client: of HTTP/2 streams the socket does not tell.
    if in_service > 0
        && connection.offered.load(Ordering::Relaxed) == in_service
        && over(since(&connection.asked_at).min(quiet), limits.between_bytes_timeout_ms)
    {
        return Some(Overdue::Write);
    }
    let busy = head_started || in_service > 0;
    if busy {
        return None;
    }
    if over(quiet, limits.idle_timeout_ms) {
        return Some(Overdue::Idle);
    }
    (stage >= Stage::Draining && quiet > LEAVE_IDLE).then_some(Overdue::Drain)
}

#[cfg(test)]
mod tests;
