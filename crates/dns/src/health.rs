//! What one observer knows of the health of one address.
//!
//! Pure: the caller probes and says what time it is. Three failures take an address out, two successes bring it back
//! for a part of its clients, five more for all of them; one failure in between takes it out again.

use std::time::Duration;

use crate::steer::PopState;

mod passive;

pub use passive::{Hurry, Passive};

/// When an address changes its state, and how often it is probed.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthSettings {
    /// So many failures in a row take a healthy address out; 1 or more.
    pub failures: u32,
    /// So many successes in a row make an unhealthy address degraded; 1 or more.
    pub recoveries: u32,
    /// So many more in a row make it healthy; 1 or more.
    pub confirmations: u32,
    /// What a degraded address gets of its clients, 0 to 1.
    pub degraded_share: f64,
    /// Between the starts of two probes while nothing changes.
    pub interval: Duration,
    /// The same while something may change.
    pub interval_in_doubt: Duration,
    /// A probe without an answer for so long has failed.
    pub timeout: Duration,
}

impl Default for HealthSettings {
    /// A dead address that lets probes time out is out after 0.5 to 1 s until the next probe, and three probes of
    /// 250 ms each: within 2 s. One that refuses connections is out sooner.
    fn default() -> Self {
        Self {
            failures: 3,
            recoveries: 2,
            confirmations: 5,
            degraded_share: 0.3,
            interval: Duration::from_millis(750),
            interval_in_doubt: Duration::from_millis(250),
            timeout: Duration::from_millis(250),
        }
    }
}

impl From<&wire::zones::Probe> for HealthSettings {
    fn from(probe: &wire::zones::Probe) -> Self {
        let millis = |number: u32| Duration::from_millis(number.into());
        Self {
            interval: millis(probe.interval_ms),
            interval_in_doubt: millis(probe.doubt_interval_ms),
            timeout: millis(probe.timeout_ms),
            ..Self::default()
        }
    }
}

/// Where an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Nothing is known.
    Unknown,
    /// It is well.
    Healthy,
    /// It is back, but not for long.
    Degraded,
    /// It is not well.
    Unhealthy,
}

impl Condition {
    /// A stable token for logs and `/where`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// Why an address came to where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthReason {
    /// Nobody tried it yet.
    Untried,
    /// Of an unknown address the first success.
    FirstSuccess,
    /// As many failures as it takes.
    Failures,
    /// As many successes as it takes to come back.
    Recovered,
    /// As many successes as it takes to be trusted.
    Confirmed,
    /// A failure while it was not trusted yet.
    Relapsed,
}

impl HealthReason {
    /// All of them, for metrics.
    pub const ALL: [Self; 6] = [
        Self::Untried,
        Self::FirstSuccess,
        Self::Failures,
        Self::Recovered,
        Self::Confirmed,
        Self::Relapsed,
    ];

    /// A stable token for metrics, logs and `/where`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::FirstSuccess => "first-success",
            Self::Failures => "failures",
            Self::Recovered => "recovered",
            Self::Confirmed => "confirmed",
            Self::Relapsed => "relapsed",
        }
    }
}

/// The health of one address.
#[derive(Clone, Debug)]
pub struct Health {
    condition: Condition,
    reason: HealthReason,
    since: Duration,
    /// Failures in a row.
    failed: u32,
    /// Successes in a row, since the last change.
    succeeded: u32,
    /// Since the last probe something else than a probe spoke against it.
    suspected: bool,
    /// When that counted last.
    suspected_at: Option<Duration>,
}

impl Health {
    /// An address of which nothing is known at `now`, the time of a monotonic clock.
    #[must_use]
    pub fn new(now: Duration) -> Self {
        let (condition, reason) = (Condition::Unknown, HealthReason::Untried);
        let (failed, succeeded) = (0, 0);
        let (suspected, suspected_at) = (false, None);
        Self { condition, reason, since: now, failed, succeeded, suspected, suspected_at }
    }

    /// Where it stands.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> HealthReason {
        self.reason
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.since
    }

    /// A probe ended. Says why the address changed, if it did.
    pub fn observe(
        &mut self,
        is_well: bool,
        settings: &HealthSettings,
        now: Duration,
    ) -> Option<HealthReason> {
        use Condition::{Degraded, Healthy, Unhealthy, Unknown};
        self.suspected = false;
        if is_well {
            self.failed = 0;
            self.succeeded = self.succeeded.saturating_add(1);
        } else {
            self.succeeded = 0;
            self.failed = self.failed.saturating_add(1);
        }
        let (condition, reason) = match self.condition {
            Unknown if is_well => (Healthy, HealthReason::FirstSuccess),
            Unknown | Healthy if self.failed >= settings.failures.max(1) => {
                (Unhealthy, HealthReason::Failures)
            }
            Degraded if !is_well => (Unhealthy, HealthReason::Relapsed),
            Degraded if self.succeeded >= settings.confirmations.max(1) => {
                (Healthy, HealthReason::Confirmed)
            }
            Unhealthy if self.succeeded >= settings.recoveries.max(1) => {
                (Degraded, HealthReason::Recovered)
            }
            _ => return None,
        };
        self.condition = condition;
        self.reason = reason;
        self.since = now;
        self.failed = 0;
        self.succeeded = 0;
        Some(reason)
    }

    /// Whether the next results may change something.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        match self.condition {
            Condition::Unknown | Condition::Degraded => true,
            Condition::Healthy => self.failed > 0 || self.suspected,
            Condition::Unhealthy => self.succeeded > 0,
        }
    }

    /// From the start of one probe to that of the next. `random` is 64 random bits: up to a third is taken away, so
    /// that observers do not probe in step.
    #[must_use]
    pub fn pause(&self, settings: &HealthSettings, random: u64) -> Duration {
        if self.is_in_doubt() {
            return settings.interval_in_doubt;
        }
        settings.interval.mul_f64(1.0 - (random >> 11) as f64 / 2f64.powi(53) / 3.0)
    }
}

/// A PoP by the conditions of its addresses, and which of them to leave out: those that are not well while others are.
#[must_use]
pub fn combine(conditions: &[Condition], degraded_share: f64) -> (PopState, u8) {
    let has = |wanted: Condition| conditions.contains(&wanted);
    let state = if has(Condition::Healthy) {
        PopState::Healthy
    } else if has(Condition::Degraded) {
        PopState::Degraded(degraded_share)
    } else if has(Condition::Unknown) || conditions.is_empty() {
        PopState::Unknown
    } else {
        return (PopState::Unhealthy, 0);
    };
    let bad = |nth: usize| conditions.get(nth) == Some(&Condition::Unhealthy);
    (state, (0..8).filter(|nth| bad(*nth)).fold(0, |mask, nth| mask | 1 << nth))
}

#[cfg(test)]
mod tests;
