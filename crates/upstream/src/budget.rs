//! How many retries there may be, and how long to wait before one.
//!
//! A retry helps when few requests fail. When all do it multiplies the load on an origin that is
//! already in trouble; so retries are a share of the requests, whatever goes wrong.

use std::time::Duration;

use crate::random::jittered;
use crate::window::Window;

/// How many retries are allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetSettings {
    /// Retries for each request within the window, 0 or more; 0.1 means that retries add at most
    /// a tenth to the load.
    pub ratio: f64,
    /// Retries a second that are allowed besides, so that quiet sites can retry at all; 0 or more.
    /// What a whole window of it allows may be used at once.
    pub floor: f64,
    /// Over how long requests and retries are counted; more than zero.
    pub window: Duration,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { ratio: 0.1, floor: 1.0, window: Duration::from_secs(10) }
    }
}

/// The retry budget of one origin, or of all that one request may be tried on.
#[derive(Debug)]
pub struct RetryBudget {
    settings: BudgetSettings,
    /// Requests and retries.
    window: Window,
}

impl RetryBudget {
    /// A budget of which nothing is used.
    pub fn new(settings: BudgetSettings) -> Self {
        let window = Window::new(settings.window);
        Self { settings, window }
    }

    /// A request was sent for the first time. `now` is the time of a monotonic clock.
    pub fn on_request(&mut self, now: Duration) {
        self.window.add(now, [1, 0]);
    }

    /// Takes one retry from the budget, or says that there is none left.
    pub fn take_retry(&mut self, now: Duration) -> bool {
        let [requests, retries] = self.window.sums(now);
        let floor = self.settings.floor * self.settings.window.as_secs_f64();
        let allowed = requests as f64 * self.settings.ratio + floor;
        let granted = (retries + 1) as f64 <= allowed;
        if granted {
            self.window.add(now, [0, 1]);
        }
        granted
    }
}

/// How long to wait before a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first retry; each further one waits twice as long as the one before it.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(25), longest: Duration::from_secs(1) }
    }
}

impl Backoff {
    /// The wait before retry number `retry`, counted from 0, of which jitter takes up to a half;
    /// `random` is 64 random bits.
    pub fn wait(&self, retry: u32, random: u64) -> Duration {
        jittered(doubled(self.first, retry, self.longest), random)
    }
}

/// `time`, doubled so often, but at most `longest`.
pub(crate) fn doubled(time: Duration, often: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(often).unwrap_or(u32::MAX);
    time.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests;
