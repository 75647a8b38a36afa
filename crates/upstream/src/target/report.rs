//! What a node can tell of a target.

use std::ops::AddAssign;

use super::*;

use crate::breaker::TripReason;
use crate::health::HealthReason;
use crate::names::NameReport;

/// A target at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetReport {
    /// Its authority.
    pub name: String,
    /// Whether its health is up.
    pub up: bool,
    /// Why it is up or down.
    pub health: HealthReason,
    /// For how long it has been so.
    pub since: Duration,
    /// How often it came back up.
    pub ups: u64,
    /// What the breaker does with requests.
    pub breaker: BreakerState,
    /// Why the breaker is not closed.
    pub trip: Option<TripReason>,
    /// How long the breaker lets nobody through; zero if it is not open.
    pub retry_after: Duration,
    /// How many requests may be under way at once.
    pub limit: u32,
    /// How many are.
    pub in_flight: u32,
    /// How many wait for their turn.
    pub waiting: usize,
    /// Its latency without a queue, as far as the adaptive limit knows it.
    pub baseline: Option<Duration>,
    /// What was counted since it is known.
    pub counts: TargetCounts,
    /// What came of asking for its name.
    pub resolve: NameReport,
}

/// What a node counts of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// Requests sent, further tries included.
    pub sent: u64,
    /// Those that were answered as well as they could be, whatever became of the body.
    pub succeeded: u64,
    /// Those that speak against it: no connection, out of time, broken, 5xx, a body cut or stalled.
    pub failed: u64,
    /// Requests held back by the breaker.
    pub breaker_open: u64,
    /// Requests that found the queue full, or had to make room in it.
    pub queue_full: u64,
    /// Requests that waited too long.
    pub queue_timeout: u64,
    /// Probes sent.
    pub probes: u64,
    /// Those that found it not well.
    pub probes_failed: u64,
    /// How often its breaker opened, in the order of [`TripReason::ALL`].
    pub opened: [u64; TripReason::ALL.len()],
}

impl TargetCounts {
    /// How often its breaker opened, by reason.
    pub fn openings(&self) -> impl Iterator<Item = (TripReason, u64)> {
        TripReason::ALL.into_iter().zip(self.opened)
    }

    pub(super) fn opened(&mut self, reason: TripReason) {
        let place = TripReason::ALL.iter().position(|known| *known == reason);
        if let Some(count) = place.and_then(|place| self.opened.get_mut(place)) {
            *count += 1;
        }
    }
}

impl AddAssign for TargetCounts {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.breaker_open += other.breaker_open;
        self.queue_full += other.queue_full;
        self.queue_timeout += other.queue_timeout;
        self.probes += other.probes;
        self.probes_failed += other.probes_failed;
        for (count, more) in self.opened.iter_mut().zip(other.opened) {
            *count += more;
        }
    }
}

impl Target {
    /// How it is now.
    pub fn report(&self) -> TargetReport {
        let host = self.settings.endpoint.authority.host();
        let resolve = self.names.report(host);
        let now = self.now();
        let state = self.state.lock();
        TargetReport {
            name: self.name.clone(),
            up: state.health.is_up(now),
            health: state.health.reason(now),
            since: now.saturating_sub(state.health.since()),
            ups: state.ups,
            breaker: state.breaker.state(now),
            trip: state.breaker.reason(),
            retry_after: state.breaker.opens_in(now),
            limit: self.admission.limit(),
            in_flight: self.admission.in_flight(),
            waiting: self.admission.waiting(),
            baseline: state.limit.baseline(),
            counts: state.counts,
            resolve,
        }
    }
}
