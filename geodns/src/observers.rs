//! What this observer and the others see together.

use std::collections::BTreeMap;
use std::time::Duration;

use dns::fleet::Fleet;
use dns::health::{Condition, HealthSettings};
use dns::quorum::{Ballot, Quorum, QuorumSettings, Standpoint, Verdicts, ballot};
use parking_lot::Mutex;
use wire::observers::{FORMAT, Report};

use crate::healths::Subject;

/// For how long Redis keeps what an observer said; the longest lease.
pub(crate) const KEEP: Duration = Duration::from_secs(60);
/// More than an exchange takes.
const MARGIN: Duration = Duration::from_secs(1);

/// This observer among others.
#[derive(Debug)]
pub struct Observers(Mutex<Common>);

#[derive(Debug)]
struct Common {
    quorum: Quorum<Subject>,
    verdicts: Verdicts<Subject>,
    standpoint: Standpoint,
}

/// What the observers say of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opinion {
    /// Where it stands by what was decided.
    pub(crate) condition: Condition,
    /// By the names of the others: whether they see it well.
    pub(crate) others: BTreeMap<String, bool>,
}

impl Default for Observers {
    fn default() -> Self {
        Self(Mutex::new(Common {
            quorum: Quorum::new(QuorumSettings::default()),
            verdicts: Verdicts::default(),
            standpoint: Standpoint::Alone,
        }))
    }
}

impl Observers {
    /// Decides with what this one sees; the standpoint, and whether it is another one than before.
    pub(crate) fn decide(
        &self,
        own: &[(Subject, Condition)],
        fleet: &Fleet,
        now: Duration,
    ) -> (Standpoint, bool) {
        let mut common = self.0.lock();
        let Common { quorum, verdicts, standpoint } = &mut *common;
        quorum.set_settings(QuorumSettings { lease: lease(fleet), ..QuorumSettings::default() });
        let before = std::mem::replace(standpoint, verdicts.decide(quorum, own, now));
        (*standpoint, *standpoint != before)
    }

    /// The log was reached at `now`, or is to be.
    pub(crate) fn meet(&self, now: Duration) {
        self.0.lock().quorum.meet(now);
    }

    /// Another one's ballot was heard at `now`.
    pub(crate) fn hear(&self, name: &str, ballot: Ballot<Subject>, now: Duration) {
        self.0.lock().quorum.hear(name, ballot, now);
    }

    /// Another one goes.
    pub(crate) fn leave(&self, name: &str) {
        self.0.lock().quorum.leave(name);
    }

    /// The others whose ballots count.
    pub(crate) fn live(&self, now: Duration) -> Vec<String> {
        self.0.lock().quorum.live(now).map(str::to_owned).collect()
    }

    /// What was decided last, and who is heard.
    pub(crate) fn standpoint(&self) -> Standpoint {
        self.0.lock().standpoint
    }

    /// Where an address stands.
    pub(crate) fn condition(&self, subject: &Subject) -> Condition {
        self.0.lock().verdicts.condition(subject)
    }

    /// The same, with what the others say.
    pub(crate) fn opinion(&self, subject: &Subject, now: Duration) -> Opinion {
        let common = self.0.lock();
        let votes = common.quorum.votes(subject, now);
        let others = votes.map(|(name, well)| (name.to_owned(), well)).collect();
        Opinion { condition: common.verdicts.condition(subject), others }
    }
}

/// A ballot counts for longer than it takes to find everything dead: who is cut off is outvoted by what it heard last
/// until it sees that it is.
fn lease(fleet: &Fleet) -> Duration {
    let slowest = |probe| {
        let HealthSettings { failures, interval, interval_in_doubt, timeout, .. } =
            HealthSettings::from(probe);
        interval + interval_in_doubt.max(timeout) * failures
    };
    let slowest = fleet.pools().iter().filter_map(|pool| pool.probe.as_ref()).map(slowest).max();
    let usual = QuorumSettings::default().lease;
    slowest.map_or(usual, |slowest| (slowest + MARGIN).clamp(usual, KEEP))
}

/// What this observer says.
pub(crate) fn report(own: &[(Subject, Condition)], instance: u64, leaves: bool) -> Report {
    let mut sees: BTreeMap<_, BTreeMap<_, BTreeMap<_, _>>> = BTreeMap::new();
    for (Subject { pool, pop, address }, well) in ballot(own) {
        sees.entry(pool).or_default().entry(pop).or_default().insert(address, well);
    }
    Report { format: FORMAT, instance, leaves, sees }
}

/// What another one said.
pub(crate) fn heard(report: Report) -> Ballot<Subject> {
    let mut ballot = Ballot::new();
    for (pool, pops) in report.sees {
        for (pop, addresses) in pops {
            for (address, well) in addresses {
                ballot.insert(Subject { pool: pool.clone(), pop: pop.clone(), address }, well);
            }
        }
    }
    ballot
}

#[cfg(test)]
mod tests;
