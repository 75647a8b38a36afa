//! The circuit breaker of one origin: stops asking one that fails, and tries it now and then.
//!
//! Pure: the caller says what time it is and what counts as a failure. Ask [`Breaker::admit`]
//! before each request and hand its [`Ticket`] back with the outcome.

use std::sync::Arc;
use std::time::Duration;

use crate::budget::doubled;
use crate::random::jittered;
use crate::window::Window;

/// When a breaker opens and closes.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerSettings {
    /// So many failures in a row open it; 0: never.
    pub consecutive_failures: u32,
    /// This share of failures within the window opens it, above 0 and up to 1; 0: never.
    pub failure_ratio: f64,
    /// Over how long the share is taken; more than zero.
    pub window: Duration,
    /// The share counts from so many requests within the window on; 1 or more.
    pub minimum_requests: u32,
    /// How long it stays open at first; doubled each time that trials fail. Jitter takes up to
    /// half of it away.
    pub open: Duration,
    /// The longest it stays open.
    pub longest_open: Duration,
    /// So many trial requests may be under way at once; 1 or more.
    pub trials: u32,
    /// So many trials must succeed to close it; 1 or more.
    pub trial_successes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            consecutive_failures: 10,
            failure_ratio: 0.5,
            window: Duration::from_secs(10),
            minimum_requests: 20,
            open: Duration::from_secs(1),
            longest_open: Duration::from_secs(30),
            trials: 2,
            trial_successes: 3,
        }
    }
}

/// Why a breaker opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TripReason {
    /// Too many failures in a row.
    ConsecutiveFailures,
    /// Too large a share of failures.
    FailureRatio,
    /// A trial request failed.
    TrialFailed,
}

impl TripReason {
    /// All of them, for metrics.
    pub const ALL: [Self; 3] = [Self::ConsecutiveFailures, Self::FailureRatio, Self::TrialFailed];

    /// A stable token for `Cache-Status`, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive-failures",
            Self::FailureRatio => "failure-ratio",
            Self::TrialFailed => "trial-failed",
        }
    }
}

/// What a breaker does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Lets all through.
    Closed,
    /// Lets none through.
    Open,
    /// Lets a few through to see.
    HalfOpen,
}

impl BreakerState {
    /// A stable token for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// How a request that was let through ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerOutcome {
    /// The origin did its work.
    Success,
    /// The origin is to blame: no connection, out of time, an error of its own.
    Failure,
    /// Says nothing of the origin: the client left, or its request was broken.
    Abandoned,
}

/// What an outcome did to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerChange {
    /// It opened.
    Opened(TripReason),
    /// It closed.
    Closed,
}

/// The breaker is not letting this request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker is open: {}", .reason.as_str())]
pub struct Broken {
    /// Why it opened.
    pub reason: TripReason,
    /// When to ask again; zero if it is half open and its trials are all under way.
    pub retry_after: Duration,
}

/// The right to one request. Dropped without a report it counts as abandoned: its place among the
/// trials is free again.
#[must_use = "hand it back with the outcome"]
#[derive(Debug)]
pub struct Ticket {
    /// The phase of the breaker that let it through; reports from earlier phases say nothing about
    /// this one.
    phase: u64,
    /// Held while the request is under way; the breaker counts the holders.
    _trial: Option<Arc<()>>,
}

impl Ticket {
    /// What [`Breaker::take_back`] wants to see once the ticket is gone.
    pub fn receipt(&self) -> Receipt {
        Receipt { phase: self.phase }
    }
}

/// Names the phase of the breaker in which a request was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    phase: u64,
}

#[derive(Debug)]
enum Phase {
    Closed { since: Duration },
    Open { reason: TripReason, until: Duration },
    HalfOpen { reason: TripReason, under_way: Arc<()>, successes: u32 },
}

/// The circuit breaker of one origin.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// Counts the phases.
    number: u64,
    /// Failures since the last success.
    streak: u32,
    /// Outcomes and failures.
    window: Window,
    /// How often it opened without having been closed for a while in between.
    openings: u32,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: BreakerSettings) -> Self {
        let window = Window::new(settings.window);
        let phase = Phase::Closed { since: Duration::ZERO };
        Self { settings, phase, number: 0, streak: 0, window, openings: 0 }
    }

    /// What it does with requests at `now`, the time of a monotonic clock.
    pub fn state(&self, now: Duration) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until, .. } if now < until => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Why it is not closed.
    pub fn reason(&self) -> Option<TripReason> {
        match self.phase {
            Phase::Closed { .. } => None,
            Phase::Open { reason, .. } | Phase::HalfOpen { reason, .. } => Some(reason),
        }
    }

    /// How long it lets nobody through from `now` on; zero if it is not open.
    pub fn opens_in(&self, now: Duration) -> Duration {
        match self.phase {
            Phase::Open { until, .. } => until.saturating_sub(now),
            Phase::Closed { .. } | Phase::HalfOpen { .. } => Duration::ZERO,
        }
    }

    /// Whether `ticket` is still worth something: the breaker is as it was when it gave it.
    pub fn honours(&self, ticket: &Ticket) -> bool {
        ticket.phase == self.number
    }

    /// Asks for one request to be let through.
    ///
    /// # Errors
    /// When it is open, or half open with all trials under way.
    pub fn admit(&mut self, now: Duration) -> Result<Ticket, Broken> {
        if let Phase::Open { reason, until } = self.phase {
            if now < until {
                return Err(Broken { reason, retry_after: until - now });
            }
            self.enter(Phase::HalfOpen { reason, under_way: Arc::new(()), successes: 0 });
        }
        let trial = match &self.phase {
            Phase::HalfOpen { reason, under_way, .. } => {
                let trials = Arc::strong_count(under_way) - 1;
                if trials >= self.settings.trials.max(1) as usize {
                    return Err(Broken { reason: *reason, retry_after: Duration::ZERO });
                }
                Some(under_way.clone())
            }
            _ => None,
        };
        Ok(Ticket { phase: self.number, _trial: trial })
    }

    /// Takes a ticket back with what came of it, and says if that opened or closed the breaker.
    /// `random` is 64 random bits, for the jitter of the time it stays open.
    pub fn report(
        &mut self,
        ticket: Ticket,
        outcome: BreakerOutcome,
        now: Duration,
        random: u64,
    ) -> Option<BreakerChange> {
        if ticket.phase != self.number || outcome == BreakerOutcome::Abandoned {
            return None;
        }
        let failed = outcome == BreakerOutcome::Failure;
        match &mut self.phase {
            Phase::Closed { since } => {
                let since = *since;
                self.streak = if failed { self.streak.saturating_add(1) } else { 0 };
                self.window.add(now, [1, u32::from(failed)]);
                let reason = self.tripped(now).filter(|_| failed)?;
                Some(self.open_after(since, reason, now, random))
            }
            Phase::HalfOpen { .. } if failed => {
                Some(self.open(TripReason::TrialFailed, now, random))
            }
            Phase::HalfOpen { successes, .. } => {
                *successes += 1;
                if *successes < self.settings.trial_successes {
                    return None;
                }
                self.streak = 0;
                self.window.clear();
                self.enter(Phase::Closed { since: now });
                Some(BreakerChange::Closed)
            }
            Phase::Open { .. } => None,
        }
    }

    /// A request that was reported as a success at its response's head failed after all: its body broke
    /// off. It counts as a failure, and not as one request more. Says if that opened the breaker.
    pub fn take_back(
        &mut self,
        receipt: Receipt,
        now: Duration,
        random: u64,
    ) -> Option<BreakerChange> {
        if receipt.phase != self.number {
            return None;
        }
        match self.phase {
            Phase::Closed { since } => {
                self.streak = self.streak.saturating_add(1);
                self.window.add(now, [0, 1]);
                let reason = self.tripped(now)?;
                Some(self.open_after(since, reason, now, random))
            }
            Phase::HalfOpen { .. } => Some(self.open(TripReason::TrialFailed, now, random)),
            Phase::Open { .. } => None,
        }
    }

    fn tripped(&mut self, now: Duration) -> Option<TripReason> {
        let limit = self.settings.consecutive_failures;
        if limit > 0 && self.streak >= limit {
            return Some(TripReason::ConsecutiveFailures);
        }
        let [all, failed] = self.window.sums(now);
        let ratio = self.settings.failure_ratio;
        let enough = all >= u64::from(self.settings.minimum_requests.max(1));
        (enough && ratio > 0.0 && failed as f64 >= ratio * all as f64)
            .then_some(TripReason::FailureRatio)
    }

    /// Opens it, closed since `since`.
    fn open_after(
        &mut self,
        since: Duration,
        reason: TripReason,
        now: Duration,
        random: u64,
    ) -> BreakerChange {
        // One that closes only to open again has not recovered: its times go on doubling.
        if now.saturating_sub(since) > self.settings.window {
            self.openings = 0;
        }
        self.open(reason, now, random)
    }

    fn open(&mut self, reason: TripReason, now: Duration, random: u64) -> BreakerChange {
        let time = doubled(self.settings.open, self.openings, self.settings.longest_open);
        self.openings = self.openings.saturating_add(1);
        let until = now.saturating_add(jittered(time, random));
        self.enter(Phase::Open { reason, until });
        BreakerChange::Opened(reason)
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.number += 1;
    }
}

#[cfg(test)]
mod tests;
