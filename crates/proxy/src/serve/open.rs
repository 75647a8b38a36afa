//! How many connections are open, tunnels included, and who waits for that to change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use runtime::metrics::IntGauge;
use tokio::sync::Notify;

/// The connections of a listener.
#[derive(Clone, Debug)]
pub(super) struct Open(Arc<Shared>);

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
    pub(super) fn new(gauge: IntGauge) -> Self {
        Self(Arc::new(Shared { count: AtomicU32::new(0), fewer: Notify::new(), gauge }))
    }

    pub(super) fn count(&self) -> u32 {
        self.0.count.load(Ordering::Acquire)
    }

    pub(super) fn one_more(&self) -> OneOpen {
        self.0.count.fetch_add(1, Ordering::AcqRel);
        self.0.gauge.inc();
        OneOpen(self.0.clone())
    }

    /// Waits until fewer than `most` are open; that may change meanwhile.
    pub(super) async fn fewer_than(&self, most: impl Fn() -> u32) {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        while self.count() >= most() {
            let _ = tokio::time::timeout(LOOK_AGAIN, self.0.fewer.notified()).await;
        }
    }

    /// Waits until none is open.
    pub(super) async fn none(&self) {
        self.fewer_than(|| 1).await;
    }
}

impl Drop for OneOpen {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.gauge.dec();
        self.0.fewer.notify_one();
    }
}
