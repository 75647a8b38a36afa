//! Two counts over a time that slides.

use std::time::Duration;

/// Into how many slots a window is cut. It forgets a slot at a time, and so covers between nine
/// tenths and all of its length.
const SLOTS: usize = 10;

/// Counts of two kinds of events within the last while, in constant memory.
#[derive(Debug)]
pub(crate) struct Window {
    /// Nanoseconds of a slot, at least 1.
    slot: u128,
    /// The number of the newest slot since time zero.
    newest: u128,
    slots: [[u64; 2]; SLOTS],
    sums: [u64; 2],
}

impl Window {
    pub(crate) fn new(length: Duration) -> Self {
        let slot = (length.as_nanos() / SLOTS as u128).max(1);
        Self { slot, newest: 0, slots: [[0; 2]; SLOTS], sums: [0; 2] }
    }

    /// Adds to both counts. A `now` before the last one counts as the last one.
    pub(crate) fn add(&mut self, now: Duration, counts: [u32; 2]) {
        self.advance(now);
        let slot = &mut self.slots[(self.newest % SLOTS as u128) as usize];
        for (index, count) in counts.into_iter().enumerate() {
            slot[index] += u64::from(count);
            self.sums[index] += u64::from(count);
        }
    }

    /// Both counts at `now`.
    pub(crate) fn sums(&mut self, now: Duration) -> [u64; 2] {
        self.advance(now);
        self.sums
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.slots = [[0; 2]; SLOTS];
        self.sums = [0; 2];
    }

    fn advance(&mut self, now: Duration) {
        let at = now.as_nanos() / self.slot;
        let steps = at.saturating_sub(self.newest);
        for step in 1..=steps.min(SLOTS as u128) {
            let slot = &mut self.slots[((self.newest + step) % SLOTS as u128) as usize];
            for (sum, count) in self.sums.iter_mut().zip(std::mem::take(slot)) {
                *sum -= count;
            }
        }
        self.newest += steps;
    }
}

#[cfg(test)]
mod tests;
