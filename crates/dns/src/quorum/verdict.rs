//! Where targets stand when an observer's own view and the common decision come together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Ballot, Quorum, Standpoint};
use crate::health::Condition;

/// Where targets stand, by what was decided last.
#[derive(Clone, Debug)]
pub struct Verdicts<T>(BTreeMap<T, Condition>);

impl<T> Default for Verdicts<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord + Clone> Verdicts<T> {
    /// Decides anew. `own` is what this observer sees of its targets itself, `now` the time of a monotonic clock.
    ///
    /// What is out is unhealthy, whatever the observer sees. Of what it sees unhealthy alone it cannot say how well it
    /// is: that stays as it was, or is degraded if it was out.
    pub fn decide(
        &mut self,
        quorum: &mut Quorum<T>,
        own: &[(T, Condition)],
        now: Duration,
    ) -> Standpoint {
        let standpoint = quorum.decide(&ballot(own), now);
        let verdict = |(target, seen): &(T, Condition)| {
            let before = self.0.get(target).copied().unwrap_or(Condition::Unknown);
            let condition = match *seen {
                _ if quorum.is_out(target) => Condition::Unhealthy,
                Condition::Unhealthy if before == Condition::Unhealthy => Condition::Degraded,
                Condition::Unhealthy => before,
                seen => seen,
            };
            (target.clone(), condition)
        };
        self.0 = own.iter().map(verdict).collect();
        standpoint
    }

    /// Where a target stands; unknown before the first decision on it.
    #[must_use]
    pub fn condition(&self, target: &T) -> Condition {
        self.0.get(target).copied().unwrap_or(Condition::Unknown)
    }
}

/// What an observer tells the others.
pub fn ballot<T: Ord + Clone>(own: &[(T, Condition)]) -> Ballot<T> {
    let vote = |(target, seen): &(T, Condition)| {
        let well = match seen {
            Condition::Unknown => return None,
            Condition::Healthy | Condition::Degraded => true,
            Condition::Unhealthy => false,
        };
        Some((target.clone(), well))
    };
    own.iter().filter_map(vote).collect()
}

#[cfg(test)]
mod tests;
