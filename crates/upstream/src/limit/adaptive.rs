//! A limit that follows measured latency.
//!
//! It compares the latency of now with that without a queue, as the gradient controller of Envoy's
//! adaptive concurrency filter does (its documentation, "Gradient Controller"), and grows by the
//! square root of itself as that of Netflix' concurrency-limits. What is different here:
//!
//! - The mean of logarithms instead of percentiles: it needs no memory, and an odd slow answer
//!   does not move it.
//! - Above the tolerance it only falls, so that the latency is what was asked for.
//! - Latency without a queue is measured at a quarter of the limit instead of at almost nothing, of
//!   requests chosen by when they were sent: those that answer first are the quick ones.
//! - It is also measured whenever the limit has fallen by half: an origin that has become slower, not
//!   fuller, looks overloaded at any limit, until the yardstick is made anew.

use std::time::Duration;

use super::{AdaptiveSettings, LimitOutcome};

/// How far a window cuts towards the limit that its latency speaks for: half the way, so that noise
/// costs little, and never to less than half.
const CUT: f64 = 0.5;
/// What a window does to the limit in which the origin said that it has too much.
const OVERLOADED_CUT: f64 = 0.8;
/// From this share of overloaded answers on.
const OVERLOADED_SHARE: f64 = 0.1;
/// The part of the limit at which latency without a queue is measured.
const MEASURING_PART: f64 = 0.25;
/// The fewest samples that make a good measurement.
const MEASURING_SAMPLES: u32 = 40;
/// How many answers' time a measurement waits for its last samples.
const MEASURING_TAIL: f64 = 4.0;
/// How many answers' time a measurement takes at most before that.
const MEASURING_PATIENCE: f64 = 20.0;
/// How many answers' time there is between two measurements at least.
const MEASURING_PAUSE: f64 = 200.0;
/// A measurement that says so much more than the one before is repeated soon: a quarter of a limit
/// that is far too high still makes a queue.
const DOUBTFUL: f64 = 1.25;
/// How many windows a doubtful measurement is trusted, and the very first latencies, which nobody
/// knows to be without a queue.
const DOUBTFUL_WINDOWS: u32 = 10;
/// How quickly the baseline follows latencies at low load.
const DRIFT: f64 = 0.1;

/// The controller.
#[derive(Debug)]
pub(super) struct Adaptive {
    settings: AdaptiveSettings,
    limit: f64,
    /// Latency without a queue in seconds.
    baseline: Option<f64>,
    /// Latency of the last window in seconds.
    recent: f64,
    /// The highest limit since the last measurement.
    highest: f64,
    next_measurement: Duration,
    measuring: Option<Measuring>,
    samples: Samples,
}

/// A measurement of the latency without a queue.
#[derive(Clone, Copy, Debug)]
enum Measuring {
    /// Since when the limit is low. What is sent from now on finds no queue.
    Collecting(Duration),
    /// The same, and until when what was sent counts. The quick ones answer first; without waiting
    /// for the others the measurement would be of them alone.
    Waiting(Duration, Duration),
}

/// What was seen since a moment.
#[derive(Debug, Default)]
struct Samples {
    since: Duration,
    /// The sum of the logarithms of the latencies in seconds.
    logarithms: f64,
    answered: u32,
    overloaded: u32,
    /// The most requests under way.
    most: u32,
}

impl Samples {
    fn from(since: Duration) -> Self {
        Self { since, ..Self::default() }
    }

    fn add(&mut self, latency: Duration, in_flight: u32, outcome: LimitOutcome) {
        self.most = self.most.max(in_flight);
        match outcome {
            LimitOutcome::Answered => {
                // A latency of nothing has no logarithm.
                self.logarithms += latency.as_secs_f64().max(1e-6).ln();
                self.answered = self.answered.saturating_add(1);
            }
            LimitOutcome::Overloaded => self.overloaded = self.overloaded.saturating_add(1),
            LimitOutcome::Silent => {}
        }
    }

    fn all(&self) -> u32 {
        self.answered.saturating_add(self.overloaded)
    }

    /// The geometric mean of the latencies in seconds.
    fn latency(&self) -> Option<f64> {
        (self.answered > 0).then(|| (self.logarithms / f64::from(self.answered)).exp())
    }
}

impl Adaptive {
    pub(super) fn new(mut settings: AdaptiveSettings) -> Self {
        settings.min = settings.min.max(1);
        settings.max = settings.max.max(settings.min);
        // `max` gives the other one for what is not a number.
        settings.tolerance = settings.tolerance.max(1.01);
        let limit = f64::from(settings.initial.clamp(settings.min, settings.max));
        Self {
            settings,
            limit,
            baseline: None,
            recent: 0.0,
            highest: limit,
            next_measurement: Duration::ZERO,
            measuring: None,
            samples: Samples::default(),
        }
    }

    pub(super) fn limit(&self) -> u32 {
        // Between 1 and `max` by construction.
        if self.measuring.is_some() { self.measuring_limit() } else { self.limit as u32 }
    }

    pub(super) fn baseline(&self) -> Option<Duration> {
        self.baseline.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    fn measuring_limit(&self) -> u32 {
        ((self.limit * MEASURING_PART) as u32).max(self.settings.min)
    }

    pub(super) fn on_sample(
        &mut self,
        latency: Duration,
        in_flight: u32,
        outcome: LimitOutcome,
        now: Duration,
    ) {
        let sent = now.saturating_sub(latency);
        let counts = match self.measuring {
            None => true,
            Some(Measuring::Collecting(since)) => sent >= since,
            Some(Measuring::Waiting(since, until)) => sent >= since && sent <= until,
        };
        if counts {
            self.samples.add(latency, in_flight, outcome);
        }
        match self.measuring {
            None => self.steer(now),
            Some(measuring) => self.measure(measuring, now),
        }
    }

    /// Ends the window if there is enough in it, and moves the limit by what it says.
    fn steer(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.samples.since);
        let long_enough = elapsed >= self.settings.window && elapsed.as_secs_f64() >= self.recent;
        if !long_enough || self.samples.all() < self.settings.window_samples.max(1) {
            return;
        }
        let window = std::mem::replace(&mut self.samples, Samples::from(now));
        let loaded = f64::from(window.most) * 2.0 >= self.limit;
        let mut fell = false;
        if f64::from(window.overloaded) >= OVERLOADED_SHARE * f64::from(window.all()) {
            self.move_to(self.limit * OVERLOADED_CUT);
        } else if let Some(latency) = window.latency() {
            fell = self.compare(latency, loaded, now);
        }
        let halved = fell && self.limit < self.highest / 2.0;
        if halved || (loaded && now >= self.next_measurement) {
            self.begin_measuring(now);
        }
    }

    /// Moves the limit by the latency of a window; true if it cut it.
    fn compare(&mut self, latency: f64, loaded: bool, now: Duration) -> bool {
        self.recent = latency;
        let baseline = *self.baseline.get_or_insert_with(|| {
            self.next_measurement =
                now.saturating_add(self.settings.window.saturating_mul(DOUBTFUL_WINDOWS));
            latency
        });
        let gradient = self.settings.tolerance * baseline / latency;
        let lowest = self.limit <= f64::from(self.settings.min);
        if gradient < 1.0 && !lowest {
            self.move_to(self.limit * (1.0 - CUT * (1.0 - gradient)));
            return true;
        }
        if lowest || !loaded {
            // There is no queue, so this is the latency without one.
            self.baseline = Some(baseline + (latency - baseline) * DRIFT);
        }
        if loaded && gradient >= 1.0 {
            self.move_to(self.limit + self.limit.sqrt());
        }
        false
    }

    fn move_to(&mut self, limit: f64) {
        self.limit = limit.clamp(f64::from(self.settings.min), f64::from(self.settings.max));
        self.highest = self.highest.max(self.limit);
    }

    fn begin_measuring(&mut self, now: Duration) {
        self.measuring = Some(Measuring::Collecting(now));
        self.samples = Samples::from(now);
    }

    fn measure(&mut self, measuring: Measuring, now: Duration) {
        match measuring {
            Measuring::Collecting(since) => {
                let wanted = self.measuring_limit().saturating_mul(2).max(MEASURING_SAMPLES);
                let patience = seconds((MEASURING_PATIENCE * self.recent).max(1.0));
                if self.samples.answered >= wanted || now >= since.saturating_add(patience) {
                    self.measuring = Some(Measuring::Waiting(since, now));
                }
            }
            Measuring::Waiting(_, until) => {
                if now >= until.saturating_add(seconds(MEASURING_TAIL * self.recent)) {
                    self.end_measuring(now);
                }
            }
        }
    }

    fn end_measuring(&mut self, now: Duration) {
        let window = std::mem::replace(&mut self.samples, Samples::from(now));
        let mut pause = self.settings.remeasure;
        let enough = window.answered >= MEASURING_SAMPLES / 4;
        if let Some(measured) = window.latency().filter(|_| enough) {
            // Half of the old one takes noise out; what is far from it is news, not noise.
            let old = self.baseline.unwrap_or(measured);
            let news = measured > old * 2.0 || measured < old / 2.0;
            self.baseline = Some(if news { measured } else { f64::midpoint(old, measured) });
            pause = if measured > old * DOUBTFUL {
                self.settings.window.max(seconds(self.recent)).saturating_mul(DOUBTFUL_WINDOWS)
            } else {
                pause.max(seconds(measured * MEASURING_PAUSE))
            };
        }
        self.measuring = None;
        self.highest = self.limit;
        self.next_measurement = now.saturating_add(pause);
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests;
