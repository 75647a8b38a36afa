//! What one phase of a run came to.

use std::time::Duration;

use e2e::workers::most_at_once;
use serde_json::{Value, json};

use crate::run::{Run, SETTLING};
use crate::{LATENCY, MEASURING, QUEUE, RATE, SERVICE, THROUGHPUT, WORKERS};

/// The names of the phases, and the part of the workers that are there.
pub(crate) const PHASES: [(&str, f64); 3] =
    [("all workers", 1.0), ("half", 0.5), ("all again", 1.0)];

/// One phase without its beginning.
pub(crate) struct Figures {
    pub(crate) phase: &'static str,
    /// What the workers can do in a second.
    pub(crate) capacity: f64,
    /// Requests a second with a good answer.
    pub(crate) throughput: f64,
    /// Those sent away.
    pub(crate) refused: f64,
    /// Of good answers, from the client's first byte to the last.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// How long the origin had requests.
    pub(crate) origin_p99: Duration,
    pub(crate) most_at_origin: usize,
    /// The mean.
    pub(crate) limit: f64,
}

impl Figures {
    pub(crate) fn of(run: &Run, phase: usize) -> Self {
        let (name, part) = PHASES[phase];
        let length = run.phase();
        let from = length * u32::try_from(phase).unwrap_or_default() + length.mul_f64(SETTLING);
        let until = length * u32::try_from(phase + 1).unwrap_or_default();
        let within = |at: Duration| at >= from && at < until;
        let seconds = (until - from).as_secs_f64();
        let good = run.asked.iter().filter(|asked| asked.status == 200);
        let done = good.clone().filter(|asked| within(asked.sent + asked.took)).count();
        let mut took: Vec<_> = good.filter(|a| within(a.sent)).map(|a| a.took).collect();
        let sent_away = run.asked.iter().filter(|a| a.status != 200 && within(a.sent)).count();
        let there: Vec<_> =
            run.visits.iter().filter(|v| within(v.from - run.begun)).cloned().collect();
        let mut at_origin: Vec<_> = there.iter().filter_map(|v| Some(v.until? - v.from)).collect();
        let limits: Vec<_> = run.looks.iter().filter(|l| within(l.at)).map(|l| l.limit).collect();
        Self {
            phase: name,
            capacity: f64::from(WORKERS) * part / SERVICE.as_secs_f64(),
            throughput: done as f64 / seconds,
            refused: sent_away as f64 / seconds,
            p50: percentile(&mut took, 50.0),
            p99: percentile(&mut took, 99.0),
            origin_p99: percentile(&mut at_origin, 99.0),
            most_at_origin: most_at_once(&there, Duration::ZERO),
            limit: limits.iter().sum::<f64>() / limits.len().max(1) as f64,
        }
    }

    /// The promised 99th percentile: through the queue, and some times an answer.
    pub(crate) fn bound(&self) -> Duration {
        let queue = Duration::from_secs_f64(f64::from(QUEUE) / self.capacity);
        queue.mul_f64(MEASURING) + SERVICE.mul_f64(LATENCY)
    }

    pub(crate) fn is_kept(&self) -> bool {
        let offered = self.capacity.min(f64::from(RATE));
        self.throughput >= THROUGHPUT * offered && self.p99 <= self.bound()
    }

    pub(crate) fn json(&self) -> Value {
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        json!({
            "phase": self.phase, "capacity_per_second": self.capacity,
            "throughput_per_second": tenth(self.throughput),
            "refused_per_second": tenth(self.refused), "p50_ms": tenth(millis(self.p50)),
            "p99_ms": tenth(millis(self.p99)), "promised_p99_ms": tenth(millis(self.bound())),
            "origin_p99_ms": tenth(millis(self.origin_p99)),
            "most_at_origin": self.most_at_origin, "mean_limit": tenth(self.limit),
        })
    }
}

/// The least of `times` that so many percent do not exceed; zero of none.
pub(crate) fn percentile(times: &mut [Duration], percent: f64) -> Duration {
    times.sort_unstable();
    let rank = (times.len() as f64 * percent / 100.0).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// In milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
