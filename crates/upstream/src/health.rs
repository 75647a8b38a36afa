//! What a node knows of the health of one upstream: from its own probes and from its own traffic.
//!
//! Pure: the caller sends the probes and says what time it is. Health only orders what is tried
//! first ([`crate::select`]); an upstream that is down is still tried if all are.
//!
//! Probes and traffic are counted apart, since either can fail while the other works: a server
//! that answers its health check and drops every request is down, and so is one that still answers
//! requests but says that it is going away.

use std::time::Duration;

use crate::random::jittered;

/// Between two probes, whatever the settings say.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// When an upstream goes down and up, and how often it is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// Whether it is probed at all.
    pub probes: bool,
    /// Between the starts of two probes while all is well; jitter takes up to half away, so that
    /// nodes do not probe in step.
    pub interval: Duration,
    /// The same after a first failure, until it is up or down for certain.
    pub interval_in_doubt: Duration,
    /// The same while it is down.
    pub interval_down: Duration,
    /// So many failed probes in a row take it down; 1 or more.
    pub probe_failures: u32,
    /// So many successes in a row bring it up; 1 or more.
    pub successes: u32,
    /// So many requests in a row without a connection take it down; 1 or more. Small: nothing says
    /// more clearly that nobody is there.
    pub connect_failures: u32,
    /// So many requests in a row that failed in any way take it down; 1 or more.
    pub traffic_failures: u32,
    /// Without probes: it is given another chance after so long.
    pub rest: Duration,
}

impl Default for HealthSettings {
    /// With these a dead upstream is down within a second of the first failed connection, even if
    /// that request was the only one: two more probes follow at 250 ms.
    fn default() -> Self {
        Self {
            probes: true,
            interval: Duration::from_secs(5),
            interval_in_doubt: Duration::from_millis(250),
            interval_down: Duration::from_secs(1),
            probe_failures: 3,
            successes: 2,
            connect_failures: 2,
            traffic_failures: 5,
            rest: Duration::from_secs(5),
        }
    }
}

/// How a probe or a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthFailure {
    /// No connection: refused, unreachable, not in time, no name, no TLS.
    Connect,
    /// Connected, but no answer in time.
    Timeout,
    /// The connection broke, or what came is not HTTP.
    Exchange,
    /// An answer that says that it is not well.
    Status,
}

/// Why an upstream is up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthReason {
    /// Up until the contrary is known.
    Untried,
    /// Up or down by probes.
    Probes,
    /// Up by requests that succeeded, down by requests that failed.
    Traffic,
    /// Down because requests found nobody there.
    Connect,
    /// Up for another chance: it is not probed and was down for long enough.
    Rested,
}

impl HealthReason {
    /// All of them, for metrics.
    pub const ALL: [Self; 5] =
        [Self::Untried, Self::Probes, Self::Traffic, Self::Connect, Self::Rested];

    /// A stable token for metrics, logs and the debug API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::Probes => "probes",
            Self::Traffic => "traffic",
            Self::Connect => "connect",
            Self::Rested => "rested",
        }
    }
}

/// The health of one upstream.
#[derive(Debug)]
pub struct Health {
    settings: HealthSettings,
    up: bool,
    reason: HealthReason,
    since: Duration,
    /// Failed probes since the last good one.
    probes_failed: u32,
    /// Failed requests since the last good one.
    traffic_failed: u32,
    /// Requests without a connection since the last with one.
    connects_failed: u32,
    /// Successes since the last failure, while down.
    succeeded: u32,
    last_probe: Option<Duration>,
    next_probe: Duration,
}

impl Health {
    /// An upstream of which nothing is known: up, and to be probed at once.
    pub fn new(settings: HealthSettings, now: Duration) -> Self {
        Self {
            settings,
            up: true,
            reason: HealthReason::Untried,
            since: now,
            probes_failed: 0,
            traffic_failed: 0,
            connects_failed: 0,
            succeeded: 0,
            last_probe: None,
            next_probe: now,
        }
    }

    /// Whether to prefer others at `now`, the time of a monotonic clock.
    pub fn is_up(&self, now: Duration) -> bool {
        self.up || self.rested(now)
    }

    /// Why it is up or down.
    pub fn reason(&self, now: Duration) -> HealthReason {
        if self.rested(now) { HealthReason::Rested } else { self.reason }
    }

    /// Since when it is as it is.
    pub fn since(&self) -> Duration {
        self.since
    }

    /// When the next probe is due; `None` if it is not probed.
    pub fn next_probe(&self) -> Option<Duration> {
        self.settings.probes.then_some(self.next_probe)
    }

    /// A probe starts. `random` is 64 random bits. A probe that is given up needs no report: the
    /// next is due in its time.
    pub fn probe_started(&mut self, now: Duration, random: u64) {
        self.last_probe = Some(now);
        let pause = match self.pause() {
            quick if self.in_doubt() => quick,
            pause => jittered(pause, random),
        };
        self.next_probe = now.saturating_add(pause);
    }

    /// A probe ended. Says if that took the upstream up or down.
    pub fn on_probe(
        &mut self,
        result: Result<(), HealthFailure>,
        now: Duration,
    ) -> Option<HealthReason> {
        let reason = HealthReason::Probes;
        let changed = match result {
            Ok(()) => {
                self.probes_failed = 0;
                self.connects_failed = 0;
                self.success(reason, now)
            }
            Err(_) => {
                self.probes_failed = self.probes_failed.saturating_add(1);
                let down = self.probes_failed >= self.settings.probe_failures.max(1);
                self.failure(down.then_some(reason), now)
            }
        };
        self.hasten(now);
        changed
    }

    /// A request ended, or got its response's head. Says if that took the upstream up or down.
    pub fn on_traffic(
        &mut self,
        result: Result<(), HealthFailure>,
        now: Duration,
    ) -> Option<HealthReason> {
        let changed = match result {
            Ok(()) => {
                self.traffic_failed = 0;
                self.connects_failed = 0;
                // Probes took it down for what requests do not show; only they bring it back.
                let by_probes = self.reason == HealthReason::Probes && self.settings.probes;
                if by_probes { None } else { self.success(HealthReason::Traffic, now) }
            }
            Err(failure) => {
                self.traffic_failed = self.traffic_failed.saturating_add(1);
                self.connects_failed = match failure {
                    HealthFailure::Connect => self.connects_failed.saturating_add(1),
                    _ => 0,
                };
                let reason = if self.connects_failed >= self.settings.connect_failures.max(1) {
                    Some(HealthReason::Connect)
                } else if self.traffic_failed >= self.settings.traffic_failures.max(1) {
                    Some(HealthReason::Traffic)
                } else {
                    None
                };
                self.failure(reason, now)
            }
        };
        self.hasten(now);
        changed
    }

    /// Somebody waits for an answer for longer than usual: the next probe comes as soon as after a failure.
    pub fn doubt(&mut self, now: Duration) {
        let pause = self.settings.interval_in_doubt.max(SHORTEST_PAUSE);
        let due = self.last_probe.map_or(now, |last| last.saturating_add(pause).max(now));
        self.next_probe = self.next_probe.min(due);
    }

    fn success(&mut self, reason: HealthReason, now: Duration) -> Option<HealthReason> {
        if self.up {
            return None;
        }
        self.succeeded = self.succeeded.saturating_add(1);
        // One that had its rest has waited long enough.
        if self.succeeded < self.settings.successes.max(1) && !self.rested(now) {
            return None;
        }
        self.change(true, reason, now)
    }

    fn failure(&mut self, down: Option<HealthReason>, now: Duration) -> Option<HealthReason> {
        self.succeeded = 0;
        if self.rested(now) {
            // The chance is used up, whatever the failure was; the rest begins again.
            return self.change(false, down.unwrap_or(self.reason), now);
        }
        if self.up {
            return self.change(false, down?, now);
        }
        if down == Some(HealthReason::Probes) {
            self.reason = HealthReason::Probes;
        }
        None
    }

    fn change(&mut self, up: bool, reason: HealthReason, now: Duration) -> Option<HealthReason> {
        self.up = up;
        self.reason = reason;
        self.since = now;
        self.succeeded = 0;
        self.probes_failed = 0;
        self.traffic_failed = 0;
        self.connects_failed = 0;
        Some(reason)
    }

    fn rested(&self, now: Duration) -> bool {
        let due = self.since.saturating_add(self.settings.rest);
        !self.up && !self.settings.probes && now >= due
    }

    /// Whether the last signals speak against what it is taken for.
    fn in_doubt(&self) -> bool {
        if self.up {
            self.probes_failed > 0 || self.connects_failed > 0 || self.traffic_failed > 0
        } else {
            self.succeeded > 0
        }
    }

    fn pause(&self) -> Duration {
        let pause = match (self.in_doubt(), self.up) {
            (true, _) => self.settings.interval_in_doubt,
            (false, true) => self.settings.interval,
            (false, false) => self.settings.interval_down,
        };
        pause.max(SHORTEST_PAUSE)
    }

    /// Brings the next probe forward if it is to come sooner than it was planned.
    fn hasten(&mut self, now: Duration) {
        let due = match self.last_probe {
            Some(last) => last.saturating_add(self.pause()).max(now),
            None => now,
        };
        self.next_probe = self.next_probe.min(due);
    }
}

#[cfg(test)]
mod tests;
