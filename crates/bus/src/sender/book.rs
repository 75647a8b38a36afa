//! All orders that a sender keeps: pure, `now` is an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use wire::invalidation::{Invalidation, LogPosition, NodeReport, NodeState, Phase, PurgeReport};

use super::kept::{Kept, Watch};
use super::{SendError, SenderSettings};
use crate::completion::Verdict;
use crate::{BusError, Member, entry};

/// The least pause between two looks at orders of which nothing was heard.
const TICK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Book {
    settings: SenderSettings,
    orders: HashMap<String, Numbered>,
    /// Every order by its number: they count up as orders come.
    by_number: BTreeMap<u64, String>,
    close: BTreeSet<u64>,
    loose: BTreeSet<u64>,
    /// Where the next round over the loosely watched begins.
    round_from: u64,
    queue: VecDeque<String>,
    /// Of them, those that never were in the log.
    pending: usize,
    bytes: usize,
    nodes: Vec<NodeReport>,
}

#[derive(Debug)]
struct Numbered {
    number: u64,
    kept: Kept,
}

impl Book {
    pub(super) fn new(settings: SenderSettings) -> Self {
        Self {
            settings,
            orders: HashMap::new(),
            by_number: BTreeMap::new(),
            close: BTreeSet::new(),
            loose: BTreeSet::new(),
            round_from: 0,
            queue: VecDeque::new(),
            pending: 0,
            bytes: 0,
            nodes: Vec::new(),
        }
    }

    /// Takes an order in. `true`: it was known.
    pub(super) fn accept(&mut self, order: Invalidation, now: Duration) -> Result<bool, SendError> {
        if let Some(known) = self.orders.get(&order.id) {
            return if known.kept.is(&order) { Ok(true) } else { Err(SendError::Taken) };
        }
        let text = entry::write(&order, self.settings.bytes).map_err(|error| match error {
            BusError::Away(reason) | BusError::Refused(reason) => SendError::Refused(reason),
        })?;
        self.expire(now);
        let full = |book: &Self| {
            book.orders.len() >= book.settings.known
                || book.bytes + text.len() > book.settings.bytes
        };
        if self.pending >= self.settings.queue {
            return Err(SendError::Full);
        }
        while full(self) {
            if !self.evict() {
                return Err(SendError::Full);
            }
        }
        let number = self.by_number.last_key_value().map_or(0, |(newest, _)| newest + 1);
        self.bytes += text.len();
        self.pending += 1;
        self.queue.push_back(order.id.clone());
        self.by_number.insert(number, order.id.clone());
        self.close.insert(number);
        let id = order.id.clone();
        let kept = Kept::new(order, text.len(), now);
        self.orders.insert(id, Numbered { number, kept });
        Ok(false)
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// The order to publish next.
    pub(super) fn front(&mut self) -> Option<Invalidation> {
        while let Some(id) = self.queue.front() {
            let order = self.orders.get(id).and_then(|known| known.kept.order());
            if let Some(order) = order {
                return Some(order.clone());
            }
            self.queue.pop_front();
        }
        None
    }

    pub(super) fn published(&mut self, id: &str, position: LogPosition, now: Duration) {
        self.dequeue(id);
        self.change(id, |kept| kept.published(position, now));
    }

    pub(super) fn completed(&mut self, id: &str, now: Duration) {
        self.change(id, |kept| kept.complete(now));
    }

    /// The orders that never were in the log.
    pub(super) fn waiting(&self) -> Vec<String> {
        let never = |id: &&String| {
            self.orders.get(*id).is_some_and(|known| known.kept.phase() == Phase::Pending)
        };
        self.queue.iter().filter(never).cloned().collect()
    }

    pub(super) fn refuse(&mut self, id: &str, reason: String, now: Duration) {
        self.dequeue(id);
        self.change(id, |kept| kept.refuse(reason, now));
    }

    pub(super) fn refused(&self, id: &str) -> Option<String> {
        self.orders.get(id)?.kept.refused.clone()
    }

    /// The orders to ask about: all that are watched closely, and some of the others.
    pub(super) fn due(&mut self, loose: usize) -> Vec<(String, LogPosition)> {
        let from = self.round_from;
        let round: Vec<_> =
            self.loose.range(from..).chain(self.loose.range(..from)).take(loose).copied().collect();
        self.round_from = round.last().map_or(0, |last| last + 1);
        let asked = |number: &u64| {
            let id = self.by_number.get(number)?;
            let kept = &self.orders.get(id)?.kept;
            Some((id.clone(), kept.position.clone().filter(|_| !kept.queued)?))
        };
        self.close.iter().chain(&round).filter_map(asked).collect()
    }

    /// Takes in what is known of the entry at `position`.
    pub(super) fn judged(
        &mut self,
        id: &str,
        position: &LogPosition,
        verdict: Verdict,
        now: Duration,
    ) {
        let current = self.orders.get(id).and_then(|known| known.kept.position.as_ref());
        if current != Some(position) {
            return;
        }
        let mut again = false;
        self.change(id, |kept| again = kept.judged(verdict, now));
        if again {
            tracing::info!(order = id, "an order that nodes still need is published again");
            self.queue.push_back(id.to_owned());
        }
    }

    /// Remembers whom an order must reach.
    pub(super) fn meet(&mut self, members: &[Member]) {
        let waiting = |member: &Member| NodeReport {
            name: member.beat.node.clone(),
            state: NodeState::Waiting,
            matched: None,
            error: None,
        };
        self.nodes = members.iter().map(waiting).collect();
    }

    /// Says of what took too long that it is partial, and forgets what is old.
    pub(super) fn pass_time(&mut self, now: Duration) {
        let deadline = self.settings.deadline;
        let late: Vec<_> = self
            .close
            .iter()
            .filter_map(|number| self.by_number.get(number))
            .filter(|id| self.left(id, deadline, now).is_some_and(|left| left.is_zero()))
            .cloned()
            .collect();
        for id in late {
            self.change(&id, Kept::give_up);
        }
        self.expire(now);
    }

    /// How long the orders may be left alone; `None`: there are none to look after.
    pub(super) fn rest(&self, now: Duration) -> Option<Duration> {
        if self.close.is_empty() && self.loose.is_empty() && self.queue.is_empty() {
            return None;
        }
        let deadline = self.settings.deadline;
        let ids = self.close.iter().filter_map(|number| self.by_number.get(number));
        let next = ids.filter_map(|id| self.left(id, deadline, now)).min();
        Some(next.map_or(TICK, |left| left.min(TICK)))
    }

    pub(super) fn report(&self, id: &str, now: Duration) -> Option<PurgeReport> {
        Some(self.orders.get(id)?.kept.report(&self.nodes, now))
    }

    pub(super) fn reports(&self, most: usize, now: Duration) -> Vec<PurgeReport> {
        let newest = self.by_number.values().rev().take(most);
        newest.filter_map(|id| self.report(id, now)).collect()
    }

    fn left(&self, id: &str, deadline: Duration, now: Duration) -> Option<Duration> {
        self.orders.get(id)?.kept.left(deadline, now)
    }

    /// Changes an order, and how closely it is watched with it.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Kept)) {
        let Some(Numbered { number, kept }) = self.orders.get_mut(id) else { return };
        let bytes = kept.bytes;
        change(kept);
        self.bytes -= bytes - kept.bytes;
        self.close.remove(number);
        self.loose.remove(number);
        match kept.watch() {
            Watch::Close => self.close.insert(*number),
            Watch::Loose => self.loose.insert(*number),
            Watch::Over => false,
        };
    }

    fn dequeue(&mut self, id: &str) {
        if let Some(at) = self.queue.iter().position(|queued| queued == id) {
            self.queue.remove(at);
        }
        if self.orders.get(id).is_some_and(|known| known.kept.phase() == Phase::Pending) {
            self.pending -= 1;
        }
    }

    fn expire(&mut self, now: Duration) {
        let keep = self.settings.keep;
        while let Some((_, oldest)) = self.by_number.first_key_value() {
            let expired = self.orders.get(oldest).is_none_or(|known| known.kept.expired(keep, now));
            if !expired {
                return;
            }
            let oldest = oldest.clone();
            self.forget(&oldest);
        }
    }

    /// Forgets the oldest order that is over; if none is, the oldest that the log has but not every node.
    fn evict(&mut self) -> bool {
        let over = |number: &&u64| !self.close.contains(number) && !self.loose.contains(number);
        let number = self.by_number.keys().find(over).or_else(|| self.loose.first());
        let Some(id) = number.and_then(|number| self.by_number.get(number)).cloned() else {
            return false;
        };
        self.forget(&id);
        true
    }

    pub(super) fn withdraw(&mut self, id: &str) {
        self.dequeue(id);
        self.forget(id);
    }

    fn forget(&mut self, id: &str) {
        let Some(Numbered { number, kept }) = self.orders.remove(id) else { return };
        self.bytes -= kept.bytes;
        self.by_number.remove(&number);
        self.close.remove(&number);
        self.loose.remove(&number);
        if kept.queued {
            self.queue.retain(|queued| queued != id);
        }
    }
}

#[cfg(test)]
mod tests;
