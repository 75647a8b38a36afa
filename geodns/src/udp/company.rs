//! Whether a busy thread waits for more queries to come, so that it answers them together.
//!
//! Of a query that comes alone most of the work is to wake up for it. A network card gathers packets for the same reason
//! before it interrupts anybody. Pure: the time is an argument.

use std::time::Duration;

use super::batch::MOST;

/// How often it is decided.
const WINDOW: Duration = Duration::from_millis(2);
/// Busy is who answers so many queries a second. With fewer, most of them come alone and would wait for nobody.
const BUSY: f64 = 40_000.0;
/// What a query waits for company at most.
const PAUSE: Duration = Duration::from_micros(50);

/// How busy a thread is.
#[derive(Debug, Default)]
pub(super) struct Company {
    began: Duration,
    queries: usize,
    busy: bool,
}

impl Company {
    /// So many queries came together at `now`; how long to wait before the next are taken.
    pub(super) fn came(&mut self, count: usize, now: Duration) -> Option<Duration> {
        self.queries += count;
        let took = now.saturating_sub(self.began);
        if took >= WINDOW {
            self.busy = self.queries as f64 >= took.as_secs_f64() * BUSY;
            (self.began, self.queries) = (now, 0);
        }
        // Behind a whole batch are more already.
        (self.busy && count < MOST).then_some(PAUSE)
    }
}

#[cfg(test)]
mod tests;
