//! How many requests clients make of a node, for those who send clients to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is longer ago counts little.
const MEMORY: Duration = Duration::from_secs(2);

/// Requests of clients, not of other tiers.
#[derive(Debug, Default)]
pub struct Demand(AtomicU64);

impl Demand {
    /// One more was answered.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Requests per second, smoothed.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When it was looked at last, and how many there were then.
    last: Option<(Duration, u64)>,
    per_second: Option<f64>,
}

impl Rate {
    /// There were `total` requests until `now`, the time of a monotonic clock. Nothing is known before the second look.
    pub(super) fn update(&mut self, total: u64, now: Duration) -> Option<u32> {
        if let Some((then, before)) = self.last {
            let step = now.saturating_sub(then).as_secs_f64();
            if step <= 0.0 {
                return self.rounded();
            }
            let rate = total.saturating_sub(before) as f64 / step;
            let former = self.per_second.unwrap_or(rate);
            let weight = 1.0 - (-step / MEMORY.as_secs_f64()).exp();
            self.per_second = Some(former + (rate - former) * weight);
        }
        self.last = Some((now, total));
        self.rounded()
    }

    fn rounded(&self) -> Option<u32> {
        // Saturates.
        self.per_second.map(|rate| rate.round() as u32)
    }
}

#[cfg(test)]
mod tests;
