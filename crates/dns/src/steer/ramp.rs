//! Shares that move over time.

use std::time::Duration;

/// A share that moves in a straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    from: f64,
    to: f64,
    start: Duration,
    length: Duration,
}

impl Ramp {
    /// A share that stays.
    #[must_use]
    pub fn still(share: f64) -> Self {
        Self { from: share, to: share, start: Duration::ZERO, length: Duration::ZERO }
    }

    /// The share at `now`, the time of a monotonic clock.
    #[must_use]
    pub fn at(&self, now: Duration) -> f64 {
        let gone = now.saturating_sub(self.start);
        if gone >= self.length {
            return self.to;
        }
        self.from + (self.to - self.from) * gone.as_secs_f64() / self.length.as_secs_f64()
    }

    /// It still moves.
    #[must_use]
    pub fn is_moving(&self, now: Duration) -> bool {
        self.from != self.to && now.saturating_sub(self.start) < self.length
    }

    /// Where it goes.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.to
    }

    /// Goes to another share from where it is, over `length`. Where it goes there already, nothing changes.
    pub fn go(&mut self, to: f64, now: Duration, length: Duration) {
        if to != self.to {
            *self = Self { from: self.at(now), to, start: now, length };
        }
    }
}
