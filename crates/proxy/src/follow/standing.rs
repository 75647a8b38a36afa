//! Where a node stands with the log, as far as requests care.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use wire::{LogPosition, Seq};

/// Which log the store's positions are of, and until when what is stored may be used without asking.
#[derive(Debug)]
pub struct Standing {
    epoch: ArcSwapOption<String>,
    /// Milliseconds of the node's monotonic clock; [`FOR_EVER`] for a node that goes on whatever happens.
    trusted_until: AtomicU64,
    /// Trust that is given once the node caught up.
    owed: Mutex<Option<Owed>>,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    sent: Duration,
    lease: Duration,
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

    /// The position `seq` with the log that it is of; `None` while that is not known.
    pub(crate) fn position(&self, seq: Seq) -> Option<LogPosition> {
        self.epoch.load().as_ref().map(|epoch| LogPosition { epoch: epoch.to_string(), seq })
    }

    pub(super) fn lost_place(&self) {
        self.epoch.store(None);
    }

    pub(super) fn moved_to(&self, epoch: &str) {
        if self.epoch.load().as_ref().is_none_or(|known| **known != epoch) {
            self.epoch.store(Some(Arc::new(epoch.to_owned())));
        }
    }

    pub(super) fn caught_up(&self, position: &LogPosition) {
        self.moved_to(&position.epoch);
        let mut owed = self.owed.lock();
        if let Some(Owed { sent, lease, .. }) = owed.take_if(|owed| owed.reading) {
            self.trusted_until.store(millis(sent + lease), Relaxed);
        }
    }

    /// The log was heard of: trusted for `lease` from `sent` on. False when the trust had run out before,
    /// and so must be earned by catching up.
    pub(super) fn renew(&self, sent: Duration, lease: Duration, now: Duration) -> bool {
        if self.unvouched(|| now) {
            return false;
        }
        self.trusted_until.store(millis(sent + lease), Relaxed);
        true
    }

    /// Heard of the log again: trusted once it was read again to its end.
    pub(super) fn owe(&self, sent: Duration, lease: Duration) {
        *self.owed.lock() = Some(Owed { sent, lease, reading: false });
    }

    /// The log is read again from here on.
    pub(super) fn reads_again(&self) {
        if let Some(owed) = &mut *self.owed.lock() {
            owed.reading = true;
        }
    }

    /// The log was never heard of: the lease runs from here, unless it runs already.
    pub(super) fn begin(&self, sent: Duration, lease: Duration) {
        let until = millis(sent + lease);
        let _ = self.trusted_until.compare_exchange(FOR_EVER, until, Relaxed, Relaxed);
    }

    /// The node goes on whatever happens.
    pub(super) fn always(&self) {
        self.trusted_until.store(FOR_EVER, Relaxed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(FOR_EVER - 1)
}

#[cfg(test)]
mod tests;
