//! What the tries of a site's requests have in common.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use wire::snapshot::{Retries, Timeouts};

use crate::budget::{Backoff, BudgetSettings, RetryBudget};
use crate::random::random;

/// How long the requests of one site may take, and how often they may be tried. Shared by all workers,
/// since the budget is.
#[derive(Debug)]
pub struct Policy {
    pub(crate) first_byte: Duration,
    pub(crate) between_bytes: Duration,
    pub(crate) total: Duration,
    pub(crate) attempts: u32,
    backoff: Backoff,
    budget: Mutex<RetryBudget>,
    start: Instant,
}

impl Policy {
    /// A policy whose budget is not used yet.
    pub fn new(timeouts: &Timeouts, retries: &Retries) -> Self {
        let usual = BudgetSettings::default();
        let budget = BudgetSettings {
            ratio: f64::from(retries.budget_percent) / 100.0,
            // None at all means none for quiet sites either.
            floor: if retries.budget_percent == 0 { 0.0 } else { usual.floor },
            ..usual
        };
        Self {
            first_byte: Duration::from_millis(timeouts.first_byte_ms),
            between_bytes: Duration::from_millis(timeouts.between_bytes_ms),
            total: Duration::from_millis(timeouts.total_ms),
            attempts: retries.attempts.max(1),
            backoff: Backoff {
                first: Duration::from_millis(retries.backoff_ms),
                longest: Duration::from_millis(retries.max_backoff_ms),
            },
            budget: Mutex::new(RetryBudget::new(budget)),
            start: Instant::now(),
        }
    }

    /// A request is sent for the first time.
    pub(crate) fn on_request(&self) {
        let mut budget = self.budget.lock();
        budget.on_request(self.start.elapsed());
    }

    pub(crate) fn take_retry(&self) -> bool {
        let mut budget = self.budget.lock();
        budget.take_retry(self.start.elapsed())
    }

    /// How long to wait before try number `retry`, counted from 0, of the same target.
    pub(crate) fn pause(&self, retry: u32) -> Duration {
        self.backoff.wait(retry, random())
    }
}
