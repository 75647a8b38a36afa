//! What several observers agree on.
//!
//! Pure. Each observer tells the others what it sees; a ballot counts while its lease runs. A target is out when more
//! than half of the observers that have a ballot on it and are not doubtful say so, and back when more than half say
//! that; otherwise all stays as it was. One that is alone decides alone.
//!
//! An observer is doubtful when it sees everything out at once: then rather its own line is. It keeps its last good view
//! while no others can be asked; but if several see everything out, it is so. One that reaches the place where observers
//! meet and finds nobody there is alone, and decides so. One that does not reach it may be cut off, or the place is gone:
//! it is doubtful already when it sees more than half out, but not for long, as who sees some places well has a line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

mod verdict;

pub use verdict::{Verdicts, ballot};

/// How long what observers know counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumSettings {
    /// A ballot counts for so long after it was heard, and so does that the others could be met.
    pub lease: Duration,
    /// Who cannot meet the others believes after so long that more than half is out.
    pub patience: Duration,
}

impl Default for QuorumSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(3), patience: Duration::from_secs(60) }
    }
}

/// What an observer sees of its targets: `true` for those that are well, `false` for those that are not. What it knows
/// nothing of is not there.
pub type Ballot<T> = BTreeMap<T, bool>;

/// Why an observer's view is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standpoint {
    /// It decides with others.
    Together,
    /// There are no others, or none can be met and it is sure of what it sees.
    Alone,
    /// It is doubtful and takes over what the others say.
    Outvoted,
    /// It is doubtful and there are no others to ask, so it keeps its last good view.
    Holding,
}

impl Standpoint {
    /// All of them, for metrics.
    pub const ALL: [Self; 4] = [Self::Together, Self::Alone, Self::Outvoted, Self::Holding];

    /// A stable token for metrics, logs and the debug API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Alone => "alone",
            Self::Outvoted => "outvoted",
            Self::Holding => "holding",
        }
    }
}

/// An observer among others.
#[derive(Clone, Debug)]
pub struct Quorum<T> {
    settings: QuorumSettings,
    /// By observer: when it was heard, and what it said.
    others: BTreeMap<String, (Duration, Ballot<T>)>,
    /// When the place where observers meet was reached last, if there is one.
    met: Option<Duration>,
    /// Since when it cannot meet the others and sees more than half out.
    doubts: Option<Duration>,
    /// Those that are out.
    out: BTreeSet<T>,
}

impl<T: Ord + Clone> Quorum<T> {
    /// An observer that heard of nobody.
    #[must_use]
    pub fn new(settings: QuorumSettings) -> Self {
        Self { settings, others: BTreeMap::new(), met: None, doubts: None, out: BTreeSet::new() }
    }

    /// From now on what is known counts for so long.
    pub fn set_settings(&mut self, settings: QuorumSettings) {
        self.settings = settings;
    }

    /// The place where observers meet was reached at `now`, whoever was there; or there is one, if this comes first.
    pub fn meet(&mut self, now: Duration) {
        self.met = Some(now);
    }

    /// Another observer's ballot was heard at `now`, the time of a monotonic clock.
    pub fn hear(&mut self, observer: &str, ballot: Ballot<T>, now: Duration) {
        self.others.insert(observer.to_owned(), (now, ballot));
    }

    /// Another observer goes and says so.
    pub fn leave(&mut self, observer: &str) {
        self.others.remove(observer);
    }

    /// Decides anew, with what this observer sees itself.
    pub fn decide(&mut self, own: &Ballot<T>, now: Duration) -> Standpoint {
        let lease = self.settings.lease;
        let live = |heard: Duration| now.saturating_sub(heard) <= lease;
        self.others.retain(|_, (heard, _)| live(*heard));
        let may_be_cut_off = self.others.is_empty() && self.met.is_some_and(|met| !live(met));
        let doubtful = self.doubts(may_be_cut_off, own, now);
        let others: Vec<&Ballot<T>> = self.others.values().map(|(_, ballot)| ballot).collect();
        let sure: Vec<&Ballot<T>> =
            others.iter().copied().filter(|ballot| !is_doubtful(ballot, 1.0)).collect();
        let (standpoint, voters) = match (doubtful, others.is_empty()) {
            (true, true) => return Standpoint::Holding,
            // All that can be asked see the same.
            (true, false) if sure.is_empty() => {
                (Standpoint::Together, [vec![own], others].concat())
            }
            (true, false) => (Standpoint::Outvoted, sure),
            (false, true) => (Standpoint::Alone, vec![own]),
            (false, false) => (Standpoint::Together, [vec![own], sure].concat()),
        };
        let targets: BTreeSet<&T> = voters.iter().flat_map(|ballot| ballot.keys()).collect();
        self.out.retain(|target| targets.contains(target));
        for target in targets {
            let votes = || voters.iter().filter_map(|ballot| ballot.get(target));
            let (all, well) = (votes().count(), votes().filter(|well| **well).count());
            if (all - well) * 2 > all {
                self.out.insert(target.clone());
            } else if well * 2 > all {
                self.out.remove(target);
            }
        }
        standpoint
    }

    /// Whether an observer sees too much out to believe it, or to believe it yet.
    fn doubts(&mut self, may_be_cut_off: bool, own: &Ballot<T>, now: Duration) -> bool {
        let all = is_doubtful(own, 1.0);
        if all || !may_be_cut_off || !is_doubtful(own, 0.5) {
            self.doubts = None;
            return all;
        }
        now.saturating_sub(*self.doubts.get_or_insert(now)) <= self.settings.patience
    }

    /// Whether a target is out, as of the last decision.
    #[must_use]
    pub fn is_out(&self, target: &T) -> bool {
        self.out.contains(target)
    }

    /// Who says what of a target, of those whose ballots count at `now`, without this one.
    pub fn votes<'a>(
        &'a self,
        target: &'a T,
        now: Duration,
    ) -> impl Iterator<Item = (&'a str, bool)> {
        let lease = self.settings.lease;
        let live =
            self.others.iter().filter(move |(_, (heard, _))| now.saturating_sub(*heard) <= lease);
        live.filter_map(|(name, (_, ballot))| Some((name.as_str(), *ballot.get(target)?)))
    }

    /// The observers whose ballots count at `now`, without this one.
    pub fn live(&self, now: Duration) -> impl Iterator<Item = &str> {
        let lease = self.settings.lease;
        let live = move |heard: Duration| now.saturating_sub(heard) <= lease;
        self.others
            .iter()
            .filter(move |(_, (heard, _))| live(*heard))
            .map(|(name, _)| name.as_str())
    }
}

/// Whether an observer sees more out than is likely: this part of its targets, or all. Of a single target it may
/// be sure.
fn is_doubtful<T>(ballot: &Ballot<T>, part: f64) -> bool {
    let bad = ballot.values().filter(|well| !**well).count();
    ballot.len() > 1 && (bad == ballot.len() || bad as f64 > ballot.len() as f64 * part)
}

#[cfg(test)]
mod tests;
