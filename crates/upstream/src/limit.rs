//! How many requests one origin gets at once: a fixed number, or one that follows its latency.
//!
//! Pure; [`crate::admission`] is what holds requests back. The limit counts what the origin has in
//! hand, the adaptive one is steered by the time to the first byte: slow clients say nothing of
//! the origin.

use std::time::Duration;

use adaptive::Adaptive;

mod adaptive;

/// How many requests may be under way at once.
#[derive(Clone, Debug, PartialEq)]
pub enum LimitSettings {
    /// Always so many; 1 or more.
    Fixed(u32),
    /// As many as the origin takes without becoming slow.
    Adaptive(AdaptiveSettings),
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self::Fixed(256)
    }
}

/// The adaptive limit.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveSettings {
    /// The limit before anything is known, brought between `min` and `max`.
    pub initial: u32,
    /// Never fewer; 1 or more. It should be so few that the origin surely serves them side by
    /// side.
    pub min: u32,
    /// Never more; at least `min`.
    pub max: u32,
    /// How much slower than without a queue the origin may answer: 1.5 is half as slow again.
    /// Above 1; values close to 1 take noise for a queue.
    pub tolerance: f64,
    /// The shortest time over which latencies are looked at together. An origin that answers more
    /// slowly than that is looked at over the time of an answer.
    pub window: Duration,
    /// As many samples are looked at together at least; 1 or more.
    pub window_samples: u32,
    /// How often the latency without a queue is measured anew under load, for which the limit
    /// falls to a quarter for a few answers' time. Slow origins are measured less often, so that it
    /// costs a few per cent at most.
    pub remeasure: Duration,
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            initial: 32,
            min: 4,
            max: 1024,
            tolerance: 1.5,
            window: Duration::from_millis(100),
            window_samples: 20,
            remeasure: Duration::from_secs(30),
        }
    }
}

/// What a request says of the origin's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitOutcome {
    /// It was answered; its latency counts, whatever the status.
    Answered,
    /// The origin has too much: refused, out of time, 429 or 503.
    Overloaded,
    /// Nothing: the client left, or its request was broken.
    Silent,
}

/// The limit of one origin.
#[derive(Debug)]
pub struct Limit(Kind);

#[derive(Debug)]
enum Kind {
    Fixed(u32),
    Adaptive(Box<Adaptive>),
}

impl Limit {
    /// The limit before any request.
    pub fn new(settings: LimitSettings) -> Self {
        Self(match settings {
            LimitSettings::Fixed(limit) => Kind::Fixed(limit.max(1)),
            LimitSettings::Adaptive(settings) => Kind::Adaptive(Box::new(Adaptive::new(settings))),
        })
    }

    /// How many requests may be under way now; 1 or more.
    pub fn limit(&self) -> u32 {
        match &self.0 {
            Kind::Fixed(limit) => *limit,
            Kind::Adaptive(adaptive) => adaptive.limit(),
        }
    }

    /// The origin's latency without a queue as far as it is known, for the debug API.
    pub fn baseline(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Fixed(_) => None,
            Kind::Adaptive(adaptive) => adaptive.baseline(),
        }
    }

    /// A request ended, or got its response's head, `latency` after it was sent and at `now` of a
    /// monotonic clock; `in_flight` were under way, it included. Gives the limit if that changed
    /// it.
    pub fn on_sample(
        &mut self,
        latency: Duration,
        in_flight: u32,
        outcome: LimitOutcome,
        now: Duration,
    ) -> Option<u32> {
        let Kind::Adaptive(adaptive) = &mut self.0 else { return None };
        let before = adaptive.limit();
        adaptive.on_sample(latency, in_flight, outcome, now);
        Some(adaptive.limit()).filter(|after| *after != before)
    }
}

#[cfg(test)]
mod tests;
