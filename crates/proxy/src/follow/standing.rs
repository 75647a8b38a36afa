//! Where a node stands with the log, as far as requests care.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use wire::{LogPosition, Seq};

/// Which log the store's positions are of, and until when what is stored may be used without asking.
#[derive(Debug)]
pub struct Standing {
    epoch: ArcSwapOption<String>,
    /// Milliseconds of the node's monotonic clock; [`FOR_EVER`] for a node that goes on whatever happens.
    trusted_until: AtomicU64,
    /// Trust that is given once the node caught up.
    owed: Mutex<Option<Owed>>,
    hurried: Notify,
    moved: watch::Sender<()>,
    sweep: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    until: u64,
    /// The log is being read anew since the heartbeat was heard: catching up counts.
    reading: bool,
}

const FOR_EVER: u64 = u64::MAX;

impl Default for Standing {
    fn default() -> Self {
        Self {
            epoch: ArcSwapOption::empty(),
            trusted_until: AtomicU64::new(FOR_EVER),
            owed: Mutex::default(),
            hurried: Notify::new(),
            moved: watch::Sender::new(()),
            sweep: Notify::new(),
        }
    }
}

impl Standing {
    /// Whether nothing stored may be used without validation: the log has not been heard of for longer
    /// than the lease. `now` is the node's monotonic clock.
    pub fn unvouched(&self, now: impl FnOnce() -> Duration) -> bool {
        let until = self.trusted_until.load(Relaxed);
        until != FOR_EVER && millis(now()) >= until
    }

    /// Somebody waits for the log to be read on.
    pub(crate) fn hurry(&self) {
        self.hurried.notify_one();
    }

    /// Changes whenever an entry was applied or the log was read to its end.
    pub(crate) fn moves(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Something was applied: the sweeper may have work.
    pub(crate) fn wants_sweep(&self) {
        self.sweep.notify_one();
    }

    /// Waits until something was.
    pub(super) async fn sweep_wanted(&self) {
        self.sweep.notified().await;
    }

    /// Waits until somebody does.
    pub(super) async fn hurried(&self) {
        self.hurried.notified().await;
    }

    /// The position `seq` with the log that it is of; `None` while that is not known.
    pub(crate) fn position(&self, seq: Seq) -> Option<LogPosition> {
        self.epoch.load().as_ref().map(|epoch| LogPosition { epoch: epoch.to_string(), seq })
    }

    /// What `seq` reads, with the log that it is of; `None` while that is not known, or if it became another
    /// one meanwhile: a position of one log must not be told as one of the next.
    pub(crate) fn position_of(&self, seq: impl FnOnce() -> Seq) -> Option<LogPosition> {
        let before = self.epoch.load_full()?;
        let seq = seq();
        let same = self.epoch.load().as_ref().is_some_and(|now| Arc::ptr_eq(now, &before));
        same.then(|| LogPosition { epoch: before.to_string(), seq })
    }

    /// A log is to be followed: until the node is known there, an order may be complete without it, and so
    /// nothing stored is trusted.
    pub(super) fn follow(&self) {
        self.trusted_until.store(0, Relaxed);
    }

    pub(super) fn lost_place(&self) {
        self.epoch.store(None);
    }

    pub(super) fn moved_to(&self, epoch: &str) {
        if self.epoch.load().as_ref().is_none_or(|known| **known != epoch) {
            self.epoch.store(Some(Arc::new(epoch.to_owned())));
        }
        self.moved.send_replace(());
    }

    /// The log was read to its end.
    pub(super) fn caught_up(&self, position: &LogPosition) {
        self.moved_to(&position.epoch);
        if let Some(owed) = self.owed.lock().take_if(|owed| owed.reading) {
            self.trusted_until.store(owed.until, Relaxed);
        }
    }

    /// The log was heard of by a heartbeat sent at `sent`. False when the trust had run out before, and so
    /// must be earned: see [`owe`](Self::owe).
    pub(super) fn renew(&self, sent: Duration, lease: Lease, now: Duration) -> bool {
        if self.unvouched(|| now) {
            return false;
        }
        self.trusted_until.store(lease.until(sent), Relaxed);
        true
    }

    /// A heartbeat goes out that others may hear of though its answer is lost: no longer than it says is
    /// anything trusted, unless it is heard.
    pub(super) fn promise(&self, sent: Duration, lease: Lease) {
        self.trusted_until.fetch_min(lease.until(sent), Relaxed);
    }

    /// Trust that is given once the log was read to its end anew.
    pub(super) fn owe(&self, sent: Duration, lease: Lease) {
        *self.owed.lock() = Some(Owed { until: lease.until(sent), reading: false });
    }

    /// The log is read anew from here on.
    pub(super) fn reads_again(&self) {
        if let Some(owed) = &mut *self.owed.lock() {
            owed.reading = true;
        }
    }
}

/// How long a node is trusted after it heard of the log.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lease {
    /// Whatever happens.
    ForEver,
    /// So long.
    For(Duration),
}

impl Lease {
    fn until(self, sent: Duration) -> u64 {
        match self {
            Self::ForEver => FOR_EVER,
            Self::For(lease) => millis(sent + lease),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(FOR_EVER - 1)
}

#[cfg(test)]
mod tests;
