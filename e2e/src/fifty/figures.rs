//! Times, and what they come to.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// Upper bounds of the histogram's rows, in milliseconds.
const BOUNDS: [u64; 16] = [2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1000];
/// The longest bar.
const BAR: usize = 50;

/// What was measured in one way of sending.
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) applied: Figures,
    pub(crate) complete: Figures,
}

impl Phase {
    pub(crate) fn new(name: &str, times: &[(Duration, Duration)]) -> Self {
        Self {
            name: name.to_owned(),
            applied: Figures::new(times.iter().map(|(applied, _)| *applied)),
            complete: Figures::new(times.iter().map(|(_, complete)| *complete)),
        }
    }
}

/// Times in order.
pub(crate) struct Figures(Vec<Duration>);

impl Figures {
    fn new(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.collect();
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The least time that so many percent do not exceed.
    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        let rank = (self.0.len() as f64 * percent / 100.0).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// How many are at most as long as each bound, and longer than the one before; then the rest.
    fn rows(&self) -> Vec<(Option<u64>, usize)> {
        let mut before = 0;
        let mut rows = Vec::new();
        for bound in BOUNDS {
            let up_to = self.0.partition_point(|time| *time <= Duration::from_millis(bound));
            rows.push((Some(bound), up_to - before));
            before = up_to;
        }
        rows.push((None, self.0.len() - before));
        rows
    }

    pub(crate) fn json(&self) -> Value {
        let ms = |percent| (millis(self.percentile(percent)) * 100.0).round() / 100.0;
        let rows: Vec<_> = self
            .rows()
            .into_iter()
            .map(|(bound, count)| json!({ "up_to_ms": bound, "orders": count }))
            .collect();
        json!({
            "orders": self.count(), "p50_ms": ms(50.0), "p90_ms": ms(90.0), "p99_ms": ms(99.0),
            "longest_ms": ms(100.0), "histogram": rows,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let most = rows.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
        let counts = |(_, count): &(Option<u64>, usize)| *count > 0;
        let first = rows.iter().position(counts).unwrap_or_default();
        let last = rows.iter().rposition(counts).unwrap_or_default();
        for (bound, count) in rows.iter().take(last + 1).skip(first) {
            let bound = bound.map_or("longer".to_owned(), |bound| format!("≤ {bound} ms"));
            let bar = "#".repeat((count * BAR).div_ceil(most));
            writeln!(f, "{bound:>10} {count:>5} {bar}")?;
        }
        let ms = |percent| millis(self.percentile(percent));
        let (p50, p90, p99, longest) = (ms(50.0), ms(90.0), ms(99.0), ms(100.0));
        writeln!(f, "p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms")
    }
}

/// In milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
