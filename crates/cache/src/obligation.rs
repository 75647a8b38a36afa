//! The right and duty to fill one key and variant.

use std::sync::Arc;

use semantics::{NoStoreReason, Timestamp};
use wire::Seq;

use crate::cache::Cache;
use crate::fill::Fill;
use crate::flight::{Failure, Flight, Settled};
use crate::object::{NewHead, NewObject, Object};

/// Whoever holds this fetches; everybody else who asks meanwhile waits.
///
/// It ends in exactly one of [`begin`](Self::begin), [`freshen`](Self::freshen),
/// [`decline`](Self::decline) and [`fail`](Self::fail). Dropping it is giving up: those who wait
/// look again, and one of them gets the next obligation.
#[derive(Debug)]
pub struct Obligation {
    pub(crate) cache: Arc<Cache>,
    pub(crate) flight: Arc<Flight>,
    stale: Option<Arc<Object>>,
    /// What the answer is vouched for; at first, what the store was when this took off.
    pub(crate) vouched: Seq,
    /// The newest order that the answer is not subject to.
    pub(crate) since: u64,
    /// The number at which it took off, for the store's memory.
    taken_off: u64,
    pub(crate) now: Timestamp,
    settled: bool,
}

impl Obligation {
    pub(crate) fn new(
        cache: Arc<Cache>,
        flight: Arc<Flight>,
        stale: Option<Arc<Object>>,
        now: Timestamp,
    ) -> Self {
        crate::stats::up(&cache.counters.flights);
        let taken_off = cache.orders.take_off();
        let (vouched, since) = cache.orders.sent();
        Self { cache, flight, stale, vouched, since, taken_off, now, settled: false }
    }

    /// The stored response to revalidate.
    pub fn stale(&self) -> Option<&Arc<Object>> {
        self.stale.as_ref()
    }

    /// Nobody waits for this one: its result must not be shared between requests.
    pub fn is_solo(&self) -> bool {
        self.flight.solo
    }

    /// It was decided at its take-off that it goes to a node that may ask this one: only then it may.
    pub fn is_across(&self) -> bool {
        self.flight.across
    }

    /// The key to fill.
    pub fn key(&self) -> &[u8] {
        &self.flight.key
    }

    /// The upstream request goes out now, and asks for what is vouched for up to the position that is
    /// returned, which is at least `least`: so far does its answer from an origin go.
    ///
    /// `least` is called once it is settled which orders the fill is subject to: it must not give the position
    /// of a log for which the store was distrusted before.
    pub fn sent(&mut self, least: impl FnOnce() -> Seq) -> Seq {
        let (asked, since) = self.cache.orders.sent();
        self.vouched = asked.max(least());
        self.since = since;
        self.flight.sent(since);
        self.vouched
    }

    /// The answer came from the store of another tier, which vouches for it up to here.
    pub fn vouched_by_tier(&mut self, vouched: Seq) {
        self.vouched = vouched;
    }

    /// The head is here and may be stored: publishes it. Those who wait for this variant read
    /// along, the others look again, now knowing what it varies on.
    pub fn begin(mut self, new: NewObject) -> Fill {
        self.settled = true;
        self.cache.clone().begin(&self, new)
    }

    /// The origin answered 304: the stored body goes on under a renewed head.
    ///
    /// The result is always usable for this request, and stored if what it renews still is.
    pub fn freshen(mut self, head: NewHead) -> Arc<Object> {
        self.settled = true;
        self.cache.clone().freshen(&self, head)
    }

    /// What [`freshen`](Self::freshen) would give, for this request alone: the 304 said that it must not be stored.
    /// `None` when nothing is there to renew.
    pub fn renewed(&self, head: NewHead) -> Option<Arc<Object>> {
        let stale = self.stale()?;
        Some(self.cache.renewed(self, stale, head))
    }

    /// The response must not be stored. Those who wait fetch for themselves, and so does until
    /// `mark_until` everybody who asks.
    pub fn decline(mut self, reason: NoStoreReason, mark_until: Option<Timestamp>) {
        self.settled = true;
        self.cache.decline(&self.flight, reason, mark_until);
    }

    /// The fetch failed: so it does for those who wait.
    pub fn fail(mut self, failure: Failure) {
        self.settled = true;
        self.cache.land(&self.flight, Settled::Failed(failure));
    }

    /// The origin answered something else: the stored response is no longer good for anything.
    pub fn discard_stale(&mut self) {
        if let Some(stale) = self.stale.take() {
            self.cache.remove_body(&stale);
        }
    }
}

impl Drop for Obligation {
    fn drop(&mut self) {
        crate::stats::down(&self.cache.counters.flights);
        self.cache.orders.land(self.taken_off);
        if !self.settled {
            self.cache.land(&self.flight, Settled::Retry);
        }
    }
}
