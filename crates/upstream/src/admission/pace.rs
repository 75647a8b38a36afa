//! How fast requests end, to say when it is worth while to ask again.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time that anybody is told to wait, in seconds.
const LONGEST: f64 = 60.0;
/// The weight of the newest request in the mean.
const NEWEST: f64 = 0.05;

/// How long requests lately took.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Mean of the time between permit and return in seconds, newer ones weighing more.
    mean: Option<f64>,
    /// When a request last ended, or the last place was taken.
    last_event: Option<Instant>,
}

impl Pace {
    pub(super) fn ended(&mut self, since: Instant, now: Instant) {
        let took = now.saturating_duration_since(since).as_secs_f64();
        self.mean = Some(self.mean.map_or(took, |mean| mean + (took - mean) * NEWEST));
        self.last_event = Some(now);
    }

    /// As many are under way as may be. How long nothing had happened before says nothing.
    pub(super) fn filled(&mut self, now: Instant) {
        self.last_event = Some(now);
    }

    /// Seconds until `ahead` requests will have ended, `limit` at once. `stuck`: as many are under
    /// way as may be; `waited` is what the one that asks could wait.
    pub(super) fn retry_after(
        &self,
        ahead: usize,
        limit: u32,
        stuck: bool,
        waited: Duration,
        now: Instant,
    ) -> u32 {
        // An origin that hangs ends no request that could say so; the silence does.
        let silence = match self.last_event {
            Some(event) if stuck => now.saturating_duration_since(event).as_secs_f64(),
            Some(_) => 0.0,
            None => waited.as_secs_f64(),
        };
        let each = self.mean.unwrap_or_default().max(silence);
        let seconds = each * ahead as f64 / f64::from(limit.max(1));
        seconds.ceil().clamp(1.0, LONGEST) as u32
    }
}

#[cfg(test)]
mod tests;
