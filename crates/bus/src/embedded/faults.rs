//! What may go wrong with a log, done on purpose by tests.

use std::sync::atomic::Ordering;

use wire::Seq;

use super::{EmbeddedBus, new_epoch};
use crate::Bus;

/// Breaks an [`EmbeddedBus`] in the ways in which a real log breaks.
#[derive(Clone, Debug)]
pub struct Faults {
    pub(super) bus: EmbeddedBus,
}

impl Faults {
    /// Cuts this line off: every call is answered with `Away`.
    pub fn cut(&self) {
        *self.bus.line.end.lock() = self.bus.end();
        self.bus.line.cut.store(true, Ordering::Release);
        self.wake();
    }

    /// Ends [`Faults::cut`].
    pub fn heal(&self) {
        self.bus.line.cut.store(false, Ordering::Release);
        self.wake();
    }

    /// Fails over to a copy that lacked the newest `n` entries and what was acknowledged of them.
    pub fn lose_tail(&self, n: usize) {
        {
            let mut state = self.bus.shared.state.lock();
            state.log.lose_tail(n);
            state.drop_stale_acks();
        }
        self.wake();
    }

    /// Starts anew with nothing, as another log. The members stay: in a real log they are written back
    /// by the processes that remember them.
    pub fn restart_empty(&self) {
        {
            let mut state = self.bus.shared.state.lock();
            state.log.restart_empty(new_epoch());
            state.acks.clear();
            state.bans.clear();
        }
        self.wake();
    }

    /// Forgets all but the newest `keep` entries.
    pub fn trim(&self, keep: usize) {
        let mut state = self.bus.shared.state.lock();
        state.log.trim(keep);
        state.drop_stale_acks();
    }

    /// Writes an entry by hand: any text, and any word on what is before it.
    pub fn append_raw(&self, text: Option<String>, prev: Option<Seq>) -> Seq {
        let now = u64::try_from(self.bus.shared.clock.now_millis()).unwrap_or(0);
        let seq = self.bus.shared.state.lock().log.append_raw(text, prev, now);
        self.wake();
        seq
    }

    fn wake(&self) {
        self.bus.shared.log_wake.send_modify(|n| *n += 1);
        self.bus.shared.change_wake.send_modify(|n| *n += 1);
    }
}
