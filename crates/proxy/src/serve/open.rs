//! How many connections are open, tunnels included, and who waits for that to change.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use runtime::metrics::IntGauge;
use tokio::sync::Notify;

use super::ServeMetrics;

/// The connections of one kind that a node has, over all its listeners and threads.
#[derive(Clone, Debug)]
pub struct Open(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    count: AtomicU32,
    fewer: Notify,
    gauge: IntGauge,
}

/// One open connection; gone when this is dropped.
#[derive(Debug)]
pub(super) struct OneOpen(Arc<Shared>);

impl Open {
    /// None yet; `metrics` shows them.
    pub fn new(metrics: &ServeMetrics) -> Self {
        let gauge = metrics.connections.clone();
        Self(Arc::new(Shared { count: AtomicU32::new(0), fewer: Notify::new(), gauge }))
    }

    pub(super) fn count(&self) -> u32 {
        self.0.count.load(Ordering::Acquire)
    }

    /// One more, unless there are `most` already.
    pub(super) fn try_one_more(&self, most: u32) -> Option<OneOpen> {
        let more = |count| (count < most).then_some(count + 1);
        self.0.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        self.0.gauge.inc();
        Some(OneOpen(self.0.clone()))
    }

    /// One more, once there are fewer than `most`.
    pub(super) async fn one_more(&self, most: impl Fn() -> u32) -> OneOpen {
        self.until(|| self.try_one_more(most())).await
    }

    /// Waits until none is open.
    pub(super) async fn none(&self) {
        self.until(|| (self.count() == 0).then_some(())).await;
    }

    async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        /// The limit may have changed.
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        loop {
            let mut fewer = pin!(self.0.fewer.notified());
            // Whoever leaves from here on is heard of.
            fewer.as_mut().enable();
            if let Some(found) = look() {
                return found;
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, fewer).await;
        }
    }
}

impl Drop for OneOpen {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.gauge.dec();
        self.0.fewer.notify_waiters();
    }
}
