//! Time limits of connections, kept by one coarse tick instead of a timer per request.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use runtime::drain::{Drain, Stage};
use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;
use wire::snapshot::Limits;

use super::ServeMetrics;
use super::connection::Connection;
use super::open::OneOpen;
use super::streams::Stream;

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
        // Time in which nobody could be served is nobody's fault.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let now = self.ticks.fetch_add(1, Ordering::Relaxed) + 1;
            let stage = self.drain.stage();
            self.open.lock().retain(|connection| {
                let Some(connection) = connection.upgrade() else { return false };
                self.look_at(&connection, now, stage);
                true
            });
        }
    }
}

impl Sweep {
    fn look_at(&self, connection: &Connection, now: u32, stage: Stage) {
        let count = |limit: Overdue| self.metrics.closed.with_label_values(&[limit.as_str()]).inc();
        let http2 = connection.http2.load(Ordering::Relaxed);
        if http2 {
            connection.streams.each(|stream| {
                if is_stalled(stream, connection.limits(), now)
                    && let Some(done) = stream.cut()
                {
                    count(Overdue::Stream);
                    if !done {
                        connection.condemn();
                    }
                }
            });
        }
        let Some(limit) = overdue(connection, now, stage) else { return };
        if limit == Overdue::Idle && http2 {
            // Whoever asks in this moment is answered, or learns that nothing was done for it.
            count(limit);
            connection.dismissed.store(true, Ordering::Relaxed);
            connection.poke.notify_one();
        } else if connection.condemn() {
            count(limit);
        }
    }
}

/// Which limit a connection, or a stream of one, has run into.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Head,
    Body,
    Write,
    Stream,
    Idle,
    Stays,
    Drain,
}

impl Overdue {
    fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "between-bytes",
            Self::Write => "write",
            Self::Stream => "stream",
            Self::Idle => "idle",
            Self::Stays => "stays",
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
    // An answer may be done with and not yet written.
    let busy = connection.in_service.load(Ordering::Relaxed) > 0 || flag(&connection.blocked);
    if head_started || busy {
        return None;
    }
    if flag(&connection.lingers) {
        return over(since(&connection.wrote_at), limits.idle_timeout_ms).then_some(Overdue::Stays);
    }
    if stage >= Stage::Draining && quiet > LEAVE_IDLE {
        return Some(Overdue::Drain);
    }
    // A PING is no request, and over HTTP/1 every byte belongs to one.
    let idle = if flag(&connection.http2) { since(&connection.ended_at) } else { quiet };
    if flag(&connection.dismissed) {
        let leaves = limits.idle_timeout_ms + limits.between_bytes_timeout_ms;
        return over(idle, leaves).then_some(Overdue::Stays);
    }
    over(idle, limits.idle_timeout_ms).then_some(Overdue::Idle)
}

/// Whether the client of `stream` has taken nothing of what is at hand for too long.
pub(super) fn is_stalled(stream: &Stream, limits: &Limits, now: u32) -> bool {
    let limit = Duration::from_millis(limits.between_bytes_timeout_ms);
    stream.offered.load(Ordering::Relaxed) > 0
        && TICK * now.saturating_sub(stream.taken_at.load(Ordering::Relaxed)) > limit
}

#[cfg(test)]
mod tests;
