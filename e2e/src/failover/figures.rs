//! What rounds come to.

use std::fmt;
use std::time::Duration;

use super::{BUCKET, Round};

/// Between the bounds of the histogram's rows, in milliseconds.
const STEP: u128 = 200;
/// The longest bar.
const BAR: usize = 50;

/// What rounds come to.
#[derive(Clone, Debug)]
pub struct Figures<'a>(pub &'a [Round]);

impl Figures<'_> {
    /// The time from kill to out of all answers that so many percent of the rounds do not exceed.
    pub fn gone_after(&self, percent: f64) -> Duration {
        let mut times: Vec<_> = self.0.iter().map(|round| round.gone_after).collect();
        times.sort_unstable();
        let rank = (times.len() as f64 * percent / 100.0).ceil() as usize;
        times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Over all rounds, the mean share of a place in each bucket after its return. A round that was at its end keeps
    /// all its clients.
    pub fn shares(&self) -> Vec<f64> {
        let longest = self.0.iter().map(|round| round.shares.len()).max().unwrap_or_default();
        let of = |round: &Round, nth: usize| round.shares.get(nth).copied().unwrap_or(1.0);
        let mean = |nth| self.0.iter().map(|round| of(round, nth)).sum::<f64>();
        (0..longest).map(|nth| mean(nth) / self.0.len() as f64).collect()
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |round: &Round| round.gone_after.as_millis().div_ceil(STEP).max(1);
        let last = self.0.iter().map(row).max().unwrap_or_default();
        for nth in 1..=last {
            let count = self.0.iter().filter(|round| row(round) == nth).count();
            writeln!(f, "≤ {:>5} ms {count:>4} {}", nth * STEP, "#".repeat(count.min(BAR)))?;
        }
        let ms = |percent| self.gone_after(percent).as_millis();
        writeln!(f, "p50 {} ms, p95 {} ms, longest {} ms", ms(50.0), ms(95.0), ms(100.0))?;
        let back = self.0.iter().map(|round| round.back_after.as_millis());
        let back = back.sum::<u128>() / (self.0.len() as u128).max(1);
        writeln!(
            f,
            "\nback in answers {back} ms after the start of the edges, on average; then of its clients"
        )?;
        for (nth, share) in self.shares().iter().enumerate() {
            let seconds = BUCKET.as_secs_f64() * (nth + 1) as f64;
            let bar = "#".repeat((share * BAR as f64).round() as usize);
            writeln!(f, "to {seconds:>4.1} s {:>4.0} % {bar}", share * 100.0)?;
        }
        Ok(())
    }
}
