//! What comes of an obligation: published, renewed, declined, given up.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http::StatusCode;
use semantics::{Freshness, NoStoreReason, Timestamp};
use smallvec::SmallVec;

use super::Cache;
use crate::body::Body;
use crate::eviction::Unit;
use crate::fill::Fill;
use crate::flight::{Flight, Settled, Target};
use crate::index::{self, Entry, Table};
use crate::invalidation::{Fields, Judged, Matched, Subject};
use crate::mark::Mark;
use crate::object::{Identity, NewHead, NewObject, Object};
use crate::obligation::Obligation;
use crate::stats::{down, up};
use crate::tags::Tagged;

/// How long a URL is not tried again whose body proved too large.
const OVERSIZE_MARK: Duration = Duration::from_secs(60);

type Gone = SmallVec<[Arc<Object>; 2]>;

impl Cache {
    pub(crate) fn begin(self: Arc<Self>, by: &Obligation, new: NewObject) -> Fill {
        let flight = &by.flight;
        let too_large = new.content_length.is_some_and(|len| len > self.max_object());
        let expected = if new.head_only { Some(0) } else { new.content_length };
        let body = Body::begin(self.accounts().clone(), expected);
        let tagged = Tagged::new(&new.tags, &self.tags);
        let mut judged = self.judge_new(by, &tagged, Fields::Map(&new.headers));
        let id = Identity {
            key: &flight.key,
            hash: flight.hash,
            variant: &new.variant,
            vary: new.vary.map(|vary| self.shared_vary(vary)),
            vouched: by.vouched,
            checked: judged.number,
            stored_at: by.now,
            head_only: new.head_only,
        };
        let freshness = softened(judged.matched, new.freshness);
        let mut object = Object::new(id, new.status, &new.headers, freshness, tagged, body);
        // Before anybody can find the object: the caller's own reader is not made yet.
        let hold = object.body().hold();
        let mut gone = Gone::new();
        let attached = {
            let mut table = self.index.shard(flight.hash).write();
            self.judge_again(by, &mut object, &mut judged);
            let purged = judged.matched.hard.is_some();
            self.edit(&mut table, flight, |entry| {
                let attached = leave(entry, flight) && !purged;
                if attached && !too_large {
                    self.replace(entry, &object, by.stale(), &mut gone);
                    unmark(&self, entry, &object);
                }
                attached
            })
        };
        drop(gone);
        let mut fill = Fill::new(self.clone(), object.clone(), expected);
        if too_large {
            up(&self.counters.oversized);
            fill.stream(NoStoreReason::TooLarge);
            if attached {
                self.mark_object(&object);
            }
            flight.settle(Settled::Uncacheable);
        } else {
            if !attached {
                fill.stream(NoStoreReason::Purged);
            }
            flight.settle(result(&object, hold, judged.matched, by.since));
        }
        fill
    }

    /// What came between the request upstream and its answer, whose tags are only known now.
    fn judge_new(&self, by: &Obligation, tags: &Tagged, fields: Fields<'_>) -> Judged {
        let subject = Subject { key: &by.flight.key, tags, fields, vouched: by.vouched };
        let mut judged = self.orders.judge(&subject, by.since, u64::MAX, by.now);
        judged.matched = judged.matched.and(Matched { hard: None, soft: by.flight.softened() });
        judged
    }

    /// The same under the shard's lock, if an order came in between: who joined the flight after it, and
    /// the sweeper that was here for it, must not miss it.
    fn judge_again(&self, by: &Obligation, object: &mut Arc<Object>, judged: &mut Judged) {
        if self.orders.latest() == judged.number {
            return;
        }
        *judged = self.judge_new(by, object.tagged(), Fields::Stored(object));
        let freshness = softened(judged.matched, object.freshness);
        *object = object.with_freshness(freshness, judged.number);
    }

    pub(crate) fn freshen(self: Arc<Self>, by: &Obligation, head: NewHead) -> Arc<Object> {
        let flight = &by.flight;
        let old = by.stale();
        // A 304 to a request without a validator is an answer without a body.
        let body = match old {
            Some(old) => old.body().clone(),
            None => Body::empty(self.accounts().clone()),
        };
        // Not as far as the old one, if that is further: it may have been so in another log.
        let vouched = by.vouched;
        let tagged = Tagged::new(&head.tags, &self.tags);
        let mut judged = self.judge_new(by, &tagged, Fields::Map(&head.headers));
        let id = Identity {
            key: &flight.key,
            hash: flight.hash,
            variant: old.map_or(&[], |old| old.variant()),
            vary: old.and_then(|old| old.vary_shared().cloned()),
            vouched,
            checked: judged.number,
            stored_at: by.now,
            head_only: old.is_some_and(|old| old.head_only),
        };
        let status = old.map_or(StatusCode::OK, |old| old.status);
        // What it varies on by now cannot be told from the request that was stored: serve, forget.
        let varies = old.is_some_and(|old| old.vary() != head.vary.as_ref());
        let freshness = softened(judged.matched, head.freshness);
        let mut object = Object::new(id, status, &head.headers, freshness, tagged, body);
        let mut gone = Gone::new();
        {
            let mut table = self.index.shard(flight.hash).write();
            self.judge_again(by, &mut object, &mut judged);
            let purged = judged.matched.hard.is_some();
            self.edit(&mut table, flight, |entry| {
                let attached = leave(entry, flight);
                let at =
                    old.and_then(|old| entry.objects.iter().position(|other| other.same_body(old)));
                let Some(at) = at else { return };
                let old = entry.objects.remove(at);
                if attached && !varies && !purged {
                    object.inherit(&old);
                    old.tagged().unlist();
                    object.tagged().list();
                    self.evictor.replace(&Unit::Object(old.clone()), Unit::Object(object.clone()));
                    entry.objects.push(object.clone());
                    up(&self.counters.inserts);
                } else {
                    self.gone(&SmallVec::from_iter([old.clone()]));
                }
                gone.push(old);
            });
        }
        drop(gone);
        flight.settle(result(&object, object.body().hold(), judged.matched, by.since));
        self.make_room();
        object
    }

    /// A stored body under another head, not stored itself.
    pub(crate) fn renewed(&self, by: &Obligation, old: &Object, head: NewHead) -> Arc<Object> {
        let id = Identity {
            key: &by.flight.key,
            hash: by.flight.hash,
            variant: old.variant(),
            vary: old.vary_shared().cloned(),
            vouched: by.vouched,
            checked: old.checked(),
            stored_at: by.now,
            head_only: old.head_only,
        };
        let tagged = Tagged::new(&head.tags, &self.tags);
        Object::new(id, old.status, &head.headers, head.freshness, tagged, old.body().clone())
    }

    pub(crate) fn decline(
        &self,
        flight: &Arc<Flight>,
        _reason: NoStoreReason,
        mark_until: Option<Timestamp>,
    ) {
        {
            let mut table = self.index.shard(flight.hash).write();
            self.edit(&mut table, flight, |entry| {
                // An invalidation may have changed what made it uncacheable.
                if leave(entry, flight)
                    && let Some(until) = mark_until
                {
                    self.mark(entry, flight.target.clone(), flight.head, until);
                }
            });
        }
        flight.settle(Settled::Uncacheable);
        self.make_room();
    }

    /// Ends a flight that brought nothing to store.
    pub(crate) fn land(&self, flight: &Arc<Flight>, outcome: Settled) {
        {
            let mut table = self.index.shard(flight.hash).write();
            self.edit(&mut table, flight, |entry| leave(entry, flight));
        }
        flight.settle(outcome);
    }

    /// The body is complete: from now on the object may be evicted. The object as it is stored by
    /// now, if it is.
    pub(crate) fn store(&self, filled: &Arc<Object>) -> Option<Arc<Object>> {
        self.settle(filled, self.latest());
        let stored = {
            // Under the lock: a renewal must not come between finding the object and listing it.
            let table = self.index.shard(filled.hash).read();
            let slot = index::find(&table, filled.hash, filled.key());
            let object = slot
                .and_then(|slot| slot.objects().iter().find(|other| other.same_body(filled)))
                .cloned();
            if let Some(object) = &object {
                self.evictor.insert(Unit::Object(object.clone()), self.accounts());
            }
            object
        };
        if stored.is_some() {
            up(&self.counters.inserts);
            self.make_room();
        }
        stored
    }

    /// Marks what a fill was for, because it proved too large to keep.
    pub(crate) fn mark_object(&self, object: &Object) {
        let target = object
            .vary_shared()
            .map(|vary| Target { vary: vary.clone(), variant: object.variant().into() });
        let until = self.latest().saturating_add(OVERSIZE_MARK);
        let mut table = self.index.shard(object.hash).write();
        index::edit(&mut table, object.hash, object.key(), self.accounts(), |entry| {
            self.mark(entry, target, object.head_only, until);
        });
    }

    fn mark(&self, entry: &mut Entry, target: Option<Target>, head: bool, until: Timestamp) {
        let now = self.latest();
        let same = |mark: &Mark| {
            mark.head == head
                && match (&mark.target, &target) {
                    (Some(a), Some(b)) => a.same(b),
                    (None, None) => true,
                    _ => false,
                }
        };
        entry.marks.retain(|mark| {
            let keep = mark.until > now && !same(mark);
            if !keep {
                self.unmarked(mark);
            }
            keep
        });
        // As many as there may be variants: the marks of one URL, too, are bounded.
        if entry.marks.len() >= self.max_variants.load(Relaxed).max(1) {
            let oldest = entry.marks.remove(0);
            self.unmarked(&oldest);
        }
        let hash = self.index.hash(entry.key());
        let mark = Mark::new(hash, target, head, until, self.accounts().clone());
        up(&self.counters.marks);
        self.evictor.insert(Unit::Mark(mark.clone()), self.accounts());
        entry.marks.push(mark);
    }

    pub(super) fn unmarked(&self, mark: &Arc<Mark>) {
        down(&self.counters.marks);
        self.evictor.remove(&Unit::Mark(mark.clone()));
    }

    /// Puts the new object in the place of those it supersedes.
    fn replace(
        &self,
        entry: &mut Entry,
        object: &Arc<Object>,
        stale: Option<&Arc<Object>>,
        gone: &mut Gone,
    ) {
        entry.objects.retain(|old| {
            // A response to HEAD says nothing about a stored body.
            let about = old.head_only || !object.head_only;
            // What does not vary answers every request: one such makes all others useless, and is
            // itself in the way once the URL turns out to vary.
            let covered = object.vary().is_none()
                || old.vary().is_none()
                || old.same_variant(object.vary(), object.variant())
                || stale.is_some_and(|stale| stale.same_body(old));
            let goes = about && covered;
            if goes {
                gone.push(old.clone());
            }
            !goes
        });
        while entry.objects.len() >= self.max_variants.load(Relaxed).max(1) {
            let oldest = entry.objects.iter().enumerate().min_by_key(|(_, old)| old.used());
            let Some((at, _)) = oldest else { break };
            gone.push(entry.objects.remove(at));
            up(&self.counters.variants_rejected);
        }
        self.gone(gone);
        up(&self.counters.objects);
        object.tagged().list();
        entry.objects.push(object.clone());
    }

    pub(super) fn edit<R>(
        &self,
        table: &mut Table,
        flight: &Flight,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> R {
        index::edit(table, flight.hash, &flight.key, self.accounts(), change)
    }
}

/// Takes the flight off the entry; false when an invalidation did already.
fn leave(entry: &mut Entry, flight: &Arc<Flight>) -> bool {
    let before = entry.flights.len();
    entry.flights.retain(|other| !Arc::ptr_eq(other, flight));
    entry.flights.len() < before
}

/// What turned out cacheable is marked no more.
fn unmark(cache: &Cache, entry: &mut Entry, object: &Object) {
    entry.marks.retain(|mark| {
        let about = mark
            .target
            .as_ref()
            .is_none_or(|target| object.same_variant(Some(&target.vary), &target.variant));
        if about {
            cache.unmarked(mark);
        }
        !about
    });
}

fn softened(matched: Matched, freshness: Freshness) -> Freshness {
    match matched.soft {
        Some((_, at)) => freshness.invalidated_soft(at),
        None => freshness,
    }
}

/// What those who wait get: the object, unless each needs its own answer from the origin, or came
/// after an order that took it away. Of several such orders only the newest is known, so that nobody
/// is given it who came after any order at all.
fn result(
    object: &Arc<Object>,
    hold: Option<crate::body::Hold>,
    matched: Matched,
    since: u64,
) -> Settled {
    if object.freshness.always_revalidate() {
        Settled::Retry
    } else {
        Settled::Filled(object.clone(), hold, matched.newest().map(|_| since))
    }
}
