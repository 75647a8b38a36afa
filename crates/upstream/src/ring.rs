//! The hash ring: which member owns a key, and who is next (Karger et al. 1997).
//!
//! Pure, and its bytes are a format: two processes, or two releases, that disagreed would double what the
//! origin sees. `docs/design/0004-shield.md` has the format, `tests/golden/` holds it.

use wire::fleet::{MAX_WEIGHT, Member};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

mod bounded;
mod hot;
mod ramp;
mod successors;

pub use bounded::{Pick, PickReason, Standing};
pub use hot::{HotKeys, HotSettings};
pub use ramp::Ramp;
pub use successors::Successors;

/// Points of a member of weight 100.
const POINTS: u64 = 1024;

/// Where a key stands on every ring: `xxh3_64` of its bytes, without a seed.
#[must_use]
pub fn hash_key(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// Members and their points. Made once for each content of a ring, never changed, shared in an `Arc`.
///
/// A member is told by its place in [`members`](Self::members), which are in the order of their names
/// whatever order they came in.
#[derive(Debug)]
pub struct HashRing {
    members: Box<[Member]>,
    /// In ascending order; equal ones in the order of their owners' names.
    points: Box<[u64]>,
    /// Whose each of the points is.
    owners: Box<[u32]>,
    /// How many members have points.
    owning: usize,
}

impl HashRing {
    /// The ring of `members`, 1,024 points for a weight of 100, the others in proportion, rounded down but
    /// at least one; a member of weight 0 has none and owns nothing.
    ///
    /// What [`Fleet::check`](wire::Fleet::check) refuses is bounded here: a weight above [`MAX_WEIGHT`]
    /// counts as that, and of two members with one name the lesser (by URL, weight and PoP) stays.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let mut members = members.to_vec();
        members.sort();
        members.dedup_by(|next, kept| next.name == kept.name);
        let mut points: Vec<(u64, u32)> = Vec::new();
        let mut bytes = Vec::new();
        for (member, place) in members.iter().zip(0u32..) {
            for index in 0..points_of(member) {
                bytes.clear();
                bytes.extend_from_slice(member.name.as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(&index.to_le_bytes());
                points.push((xxh3_64(&bytes), place));
            }
        }
        points.sort_unstable();
        let owning = members.iter().filter(|member| member.weight > 0).count();
        let (points, owners): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        Self { members: members.into(), points: points.into(), owners: owners.into(), owning }
    }

    /// Everybody on the ring, in the order of their names, those of weight 0 too.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member that owns the key with this hash; `None` when nobody owns anything.
    #[must_use]
    pub fn owner(&self, key_hash: u64) -> Option<usize> {
        self.owners.get(self.first_point(key_hash)).map(|owner| *owner as usize)
    }

    /// The owner of the key, then whoever would own it without those before, each member once. All that
    /// have points.
    #[must_use]
    pub fn successors(&self, key_hash: u64) -> Successors<'_> {
        Successors::new(self, self.first_point(key_hash))
    }

    /// The share of all possible keys that each member owns, 0 to 1, in the order of
    /// [`members`](Self::members). They sum to 1 unless nobody owns anything.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let share = |arc: u128| arc as f64 / 2f64.powi(64);
        self.arcs().into_iter().map(share).collect()
    }

    /// Names the ring's content: equal for rings that have the same points of the same members.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut digest = Xxh3::new();
        for (point, owner) in self.points.iter().zip(&self.owners) {
            digest.update(&point.to_le_bytes());
            digest.update(self.members[*owner as usize].name.as_bytes());
            digest.update(&[0]);
        }
        digest.digest()
    }

    /// How many points there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points.len()
    }

    /// How many hashes each member owns; together 2^64.
    fn arcs(&self) -> Vec<u128> {
        let mut arcs = vec![0; self.members.len()];
        let Some(mut before) = self.points.last().copied() else { return arcs };
        for (nth, (point, owner)) in self.points.iter().zip(&self.owners).enumerate() {
            // The first arc goes round over zero; where there is but one place, it is all the way round.
            let length = match point.wrapping_sub(before) {
                0 if nth == 0 => 1 << 64,
                length => u128::from(length),
            };
            arcs[*owner as usize] += length;
            before = *point;
        }
        arcs
    }

    /// The place of the first point at or after `key_hash`; 0 behind the last.
    fn first_point(&self, key_hash: u64) -> usize {
        let place = self.points.partition_point(|point| *point < key_hash);
        if place == self.points.len() { 0 } else { place }
    }
}

fn weight_of(member: &Member) -> u32 {
    member.weight.min(MAX_WEIGHT)
}

fn points_of(member: &Member) -> u32 {
    match u64::from(weight_of(member)) {
        0 => 0,
        weight => (weight * POINTS / 100).max(1) as u32,
    }
}

#[cfg(test)]
mod tests;
