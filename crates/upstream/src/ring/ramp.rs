//! A newcomer takes its keys over a while and not at once.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// When a member came, or came back, and how long it takes until all its keys are with it.
///
/// Until a key is, the next of its successors has it, who had it before: the newcomer is filled from there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// When it began, by the monotonic clock that `now` is of.
    pub since: Duration,
    /// How long it takes; zero = at once.
    pub over: Duration,
}

impl Ramp {
    /// The share of its keys that the newcomer has by now, 0 to 1. Never falls as `now` rises.
    #[must_use]
    pub fn share(&self, now: Duration) -> f64 {
        let elapsed = now.saturating_sub(self.since);
        if elapsed >= self.over {
            return 1.0;
        }
        elapsed.as_secs_f64() / self.over.as_secs_f64()
    }

    /// Whether the newcomer has this one of its keys by now. Once it has, it has it for good.
    ///
    /// All nodes move keys in one order: by `xxh3_64` of the key's hash, little endian. The hash itself
    /// would not do, since keys of neighbouring hashes are those of one arc of the ring.
    #[must_use]
    pub fn takes(&self, key_hash: u64, now: Duration) -> bool {
        let turn = xxh3_64(&key_hash.to_le_bytes());
        // The upper 53 bits are a number in [0, 1) that an f64 holds exactly.
        let turn = (turn >> 11) as f64 / 2f64.powi(53);
        turn < self.share(now)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) >= self.over
    }
}

#[cfg(test)]
mod tests;
