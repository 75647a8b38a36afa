//! What pure code makes of the random numbers it is given.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// 2⁵³, the number of steps that an `f64` between 0 and 1 can take evenly.
const STEPS: f64 = 9_007_199_254_740_992.0;

/// 64 random bits: different in each process, and not for secrets.
pub(crate) fn random() -> u64 {
    // The standard library seeds its hash maps from the system's randomness.
    static STATE: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(STEP)));
    Sequence(STATE.fetch_add(STEP, Ordering::Relaxed)).next()
}

/// A number of `[0, 1)` from 64 random bits.
pub(crate) fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / STEPS
}

/// Between half and all of `time`, so that nodes do not act in step.
pub(crate) fn jittered(time: Duration, random: u64) -> Duration {
    let part = time.as_secs_f64() * (0.5 + unit(random) / 2.0);
    Duration::try_from_secs_f64(part).unwrap_or(time)
}

/// By how much the state of [`Sequence`] moves for each number.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Many numbers from one: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
pub(crate) struct Sequence(pub(crate) u64);

impl Sequence {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests;
