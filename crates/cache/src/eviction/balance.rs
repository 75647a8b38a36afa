//! How many of the bytes newcomers get: learned from those that came back after they had to go.
//!
//! A newcomer that returns says its part was too small, one of the established that returns says
//! that theirs was. The rarer of the two kinds of ghost weighs more, as in ARC (Megiddo and Modha
//! 2003).

use super::ghost::Ghosts;

/// How fast the share follows: more is nervous, less is late.
const PACE: f64 = 2.0;
/// The most newcomers get.
const MOST: f64 = 0.95;

/// The ghosts of both parts and the share they argue about.
pub(super) struct Balance {
    newcomers: Ghosts,
    established: Ghosts,
    /// Bytes the newcomers should have.
    share: f64,
    least: f64,
}

/// Where a returning object had to go from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Returned {
    No,
    Newcomer,
    Established,
}

impl Balance {
    /// The share in parts of all bytes: at first, and at least.
    pub(super) const fn new(share: f64, least: f64) -> Self {
        Self { newcomers: Ghosts::new(), established: Ghosts::new(), share, least }
    }

    /// Whether newcomers have more than this part: favourites change, and what was used is no
    /// longer a sure sign of what will be.
    pub(super) fn shifting(&self, above: f64) -> bool {
        self.share > above
    }

    /// The bytes newcomers should have of `total`.
    pub(super) fn share(&self, total: u64) -> u64 {
        (self.share * total as f64) as u64
    }

    /// An object came: has it been here before? `part` is how much of all bytes it takes.
    pub(super) fn arrived(&mut self, hash: u64, part: f64) -> Returned {
        let ratio = |one: &Ghosts, other: &Ghosts| {
            (other.len() as f64 / one.len().max(1) as f64).clamp(1.0, 32.0)
        };
        if self.newcomers.take(hash) {
            let step = PACE * part * ratio(&self.newcomers, &self.established);
            self.share = (self.share + step).min(MOST);
            Returned::Newcomer
        } else if self.established.take(hash) {
            let step = PACE * part * ratio(&self.established, &self.newcomers);
            self.share = (self.share - step).max(self.least);
            Returned::Established
        } else {
            Returned::No
        }
    }

    /// A newcomer has to go. What is remembered stands for about `limit` bytes.
    pub(super) fn newcomer_left(&mut self, hash: u64, bytes: u64, limit: u64) {
        self.newcomers.add(hash, bytes, limit);
    }

    /// One of the established has to go.
    pub(super) fn established_left(&mut self, hash: u64, bytes: u64, limit: u64) {
        self.established.add(hash, bytes, limit);
    }

    pub(super) fn overhead(&self) -> u64 {
        self.newcomers.overhead() + self.established.overhead()
    }
}
