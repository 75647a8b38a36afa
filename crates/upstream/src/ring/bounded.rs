//! Bounded loads: a key goes to its owner unless that has too much in hand.
//!
//! Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (SODA 2018): no member holds
//! more than ⌈c · average⌉, and what is too much for one goes to the next on the ring, so that little moves.

use super::{HashRing, weight_of};

/// How a member stands towards one key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can take it, and has this many requests in hand.
    Serves(u32),
    /// It is out of service.
    Down,
    /// It is new or back, and the key is not among those that it took already.
    Warming,
}

/// A member, and why this one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Its place in the ring's members.
    pub member: usize,
    /// What kept the owner from it, if it is another.
    pub reason: PickReason,
}

/// Why a member was picked for a key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PickReason {
    /// It owns it.
    Owner,
    /// The owner is out of service.
    OwnerDown,
    /// The owner is new or back and did not take this key yet.
    OwnerWarming,
    /// The owner has as much in hand as its bound allows.
    OwnerBusy,
}

impl PickReason {
    /// The word for metrics and the debug API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::OwnerDown => "owner-down",
            Self::OwnerWarming => "owner-warming",
            Self::OwnerBusy => "owner-busy",
        }
    }
}

impl HashRing {
    /// Who of those that serve takes the key: the first of its successors that has less in hand than its
    /// bound, ⌈c · (all in hand + 1) · its share of the weight⌉, over the members that serve.
    ///
    /// `bound_percent` is c in hundredths, 125 = a quarter above the average; below 100 counts as 100, else
    /// there could be nobody. `standing` is asked twice for a member; if loads rise in between so far that
    /// nobody is below the bound, the first that serves takes it. `None` when nobody serves.
    #[must_use]
    pub fn pick(
        &self,
        key_hash: u64,
        bound_percent: u32,
        standing: impl Fn(usize) -> Standing,
    ) -> Option<Pick> {
        let (mut in_hand, mut weights) = (0u128, 0u128);
        for (place, member) in self.members.iter().enumerate().filter(|(_, m)| m.weight > 0) {
            if let Standing::Serves(load) = standing(place) {
                in_hand += u128::from(load);
                weights += u128::from(weight_of(member));
            }
        }
        // At most 2^32 members of 2^32 requests each, times a percentage and a weight: below 2^107.
        let all = u128::from(bound_percent.max(100)) * (in_hand + 1);
        let is_below = |place: usize, load: u32| {
            let bound = all * u128::from(weight_of(&self.members[place]));
            // load < ⌈bound / (100 · weights)⌉, without the division.
            u128::from(load) * 100 * weights < bound
        };
        let mut reason = PickReason::Owner;
        let mut first = None;
        for member in self.successors(key_hash) {
            let passed = match standing(member) {
                Standing::Serves(load) if is_below(member, load) => {
                    return Some(Pick { member, reason });
                }
                Standing::Serves(_) => {
                    first.get_or_insert(Pick { member, reason });
                    PickReason::OwnerBusy
                }
                Standing::Down => PickReason::OwnerDown,
                Standing::Warming => PickReason::OwnerWarming,
            };
            if reason == PickReason::Owner {
                reason = passed;
            }
        }
        first
    }
}

#[cfg(test)]
mod tests;
