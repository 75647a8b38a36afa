//! What else than probes speaks against an address: what its edges say of themselves, or that they say nothing.

use std::time::Duration;

use super::{Condition, Health, HealthSettings};

/// Something that speaks against an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Passive {
    /// The edge behind it has not been heard of for too long.
    Missing,
    /// It says that it is about to end.
    Draining,
    /// It says that it is not ready.
    NotReady,
}

impl Passive {
    /// All of them, for metrics.
    pub const ALL: [Self; 3] = [Self::Missing, Self::Draining, Self::NotReady];

    /// A stable token for metrics, logs and `/where`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Draining => "draining",
            Self::NotReady => "not-ready",
        }
    }
}

/// What to do about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hurry {
    /// Probe the address after no more than this, from now.
    Within(Duration),
    /// Nothing: another signal was heard not long ago, or nothing can come of it.
    No,
}

impl Health {
    /// Something other than a probe spoke against the address at `now`.
    ///
    /// Within one interval it counts once, as a failure, but never as the one that takes the address out: that is for a
    /// probe, which is to come soon. So what probes find well stays, whatever is said of it, and what they do not is
    /// out after fewer of them. Of an address that is out already, or came back and is not trusted yet, it changes
    /// nothing: those are probed often enough.
    pub fn observe_passive(&mut self, settings: &HealthSettings, now: Duration) -> Hurry {
        let counted = |at: Duration| now.saturating_sub(at) < settings.interval;
        if self.suspected_at.is_some_and(counted) {
            return Hurry::No;
        }
        match self.condition {
            Condition::Unknown | Condition::Healthy => {}
            Condition::Degraded | Condition::Unhealthy => return Hurry::No,
        }
        self.suspected_at = Some(now);
        self.suspected = true;
        let most = settings.failures.max(1) - 1;
        if self.failed < most {
            self.failed += 1;
            self.succeeded = 0;
        }
        Hurry::Within(settings.interval_in_doubt)
    }

    /// Whether something other than a probe spoke against the address since the last probe.
    #[must_use]
    pub fn is_suspected(&self) -> bool {
        self.suspected
    }
}

#[cfg(test)]
mod tests;
