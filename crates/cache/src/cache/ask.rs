//! Looking up: under a read lock wherever nothing has to be written down.

use std::sync::Arc;

use semantics::{MissReason, StaleReason, Vary, Verdict, variant_key};

use super::Cache;
use crate::flight::{Flight, Target, Waiter};
use crate::index::{self, Slot};
use crate::lookup::{Found, Going, Lookup, Query};
use crate::mark::Mark;
use crate::object::Object;
use crate::obligation::Obligation;
use crate::stats::up;

/// What the index says to a query, before anything is done about it.
enum Decision {
    Hit(Found),
    /// Orders came since the object was last held against them.
    Unsettled(Arc<Object>),
    /// Stale, and either nothing to do about it or somebody does.
    Use(Found, StaleReason, Verdict),
    /// Stale: somebody has to ask the origin, for all or for one request.
    Refresh(Found, StaleReason, Verdict, Sharing),
    Join(Arc<Flight>, Option<Arc<Object>>),
    Marked(Arc<Mark>),
    Fetch(MissReason, Option<Target>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Shared,
    Solo,
}

impl Cache {
    /// Asks for a stored response. Never waits.
    pub fn lookup(self: &Arc<Self>, q: &Query<'_>) -> Lookup {
        let hash = self.index.hash(q.key);
        loop {
            let decision = {
                let table = self.index.shard(hash).read();
                self.decide(index::find(&table, hash, q.key), q)
            };
            match self.answer(decision, hash, q) {
                Ok(lookup) => return lookup,
                // Up to date or gone by the next look.
                Err(object) => self.settle(&object, q.now),
            }
        }
    }

    fn answer(
        self: &Arc<Self>,
        decision: Decision,
        hash: u64,
        q: &Query<'_>,
    ) -> Result<Lookup, Arc<Object>> {
        Ok(match decision {
            Decision::Unsettled(object) => return Err(object),
            Decision::Hit(found) => self.hit(found, q),
            Decision::Use(found, reason, verdict) => self.stale(found, reason, verdict, q, None),
            Decision::Join(flight, stale) => self.wait(flight, stale, q),
            Decision::Marked(mark) => self.marked(&mark),
            Decision::Refresh(..) | Decision::Fetch(..) => return self.take_off(hash, q),
        })
    }

    /// Decides once more with the shard to itself, and writes the flight down.
    fn take_off(self: &Arc<Self>, hash: u64, q: &Query<'_>) -> Result<Lookup, Arc<Object>> {
        self.note_time(q.now);
        let across = q.going.is_across();
        let mut table = self.index.shard(hash).write();
        let decision = self.decide(index::find(&table, hash, q.key), q);
        let (target, sharing) = match &decision {
            Decision::Refresh(found, _, _, sharing) => (target_of(&found.object), *sharing),
            Decision::Fetch(_, target) => (target.clone(), Sharing::Shared),
            _ => {
                drop(table);
                return match decision {
                    // Both were handled above; looking again is right whatever happens.
                    Decision::Refresh(..) | Decision::Fetch(..) => Ok(self.lookup(q)),
                    decision => self.answer(decision, hash, q),
                };
            }
        };
        let solo = sharing == Sharing::Solo || q.unvouched;
        let accounts = self.accounts();
        let since = self.orders.latest();
        let flight =
            Flight::new(q.key, hash, q.head, solo, across, target, since, accounts.clone());
        index::edit(&mut table, hash, q.key, accounts, |entry| {
            entry.flights.push(flight.clone());
        });
        drop(table);
        let obligation = |stale| Obligation::new(self.clone(), flight, stale, q.now);
        Ok(match decision {
            Decision::Refresh(found, reason, verdict, _) => {
                let obligation = obligation(Some(found.object.clone()));
                self.stale(found, reason, verdict, q, Some(obligation))
            }
            Decision::Fetch(reason, _) => Lookup::Miss(reason, obligation(None)),
            _ => Lookup::Miss(MissReason::UriMiss, obligation(None)),
        })
    }

    fn hit(&self, found: Found, q: &Query<'_>) -> Lookup {
        self.used(&found.object, q);
        if !found.object.body().is_complete() {
            up(&self.counters.collapsed);
        }
        Lookup::Hit(found)
    }

    fn stale(
        &self,
        found: Found,
        reason: StaleReason,
        verdict: Verdict,
        q: &Query<'_>,
        obligation: Option<Obligation>,
    ) -> Lookup {
        self.used(&found.object, q);
        Lookup::Stale(found, reason, verdict, obligation)
    }

    fn wait(&self, flight: Arc<Flight>, stale: Option<Arc<Object>>, q: &Query<'_>) -> Lookup {
        up(&self.counters.collapsed);
        Lookup::Wait(Waiter::new(flight, stale, q.arrived))
    }

    fn marked(&self, mark: &Arc<Mark>) -> Lookup {
        self.evictor.touch(&mark.tally, self.accounts());
        Lookup::HitForMiss
    }

    fn used(&self, object: &Arc<Object>, q: &Query<'_>) {
        object.note_use(q.now);
        self.evictor.touch(&object.tally, self.accounts());
    }

    fn decide(&self, slot: Option<&Slot>, q: &Query<'_>) -> Decision {
        let Some(slot) = slot else {
            return Decision::Fetch(MissReason::UriMiss, None);
        };
        let found = select(slot.objects(), q);
        if let Some(object) = found.filter(|object| object.checked() < self.orders.latest()) {
            return Decision::Unsettled(object.clone());
        }
        let judged = found.map(|object| (object, judge(object, q)));
        if let Some((object, Verdict::Fresh)) = judged {
            return Decision::Hit(Found::new(object.clone()));
        }
        // Cut off, nobody knows what was ordered since a flight took off: each asks by itself.
        let serves = |f: &&Arc<Flight>| {
            let circles = f.across && matches!(q.going, Going::UpForPeer);
            let alone = q.unvouched || circles;
            !alone && f.serves(q.head, q.request, q.rules) && !self.orders.overtook(f, q.now)
        };
        let flight = || slot.flights().iter().find(serves);
        let mark = || slot.marks().iter().find(|mark| applies(mark, q));
        let Some((object, verdict)) = judged else {
            if let Some(mark) = mark() {
                return Decision::Marked(mark.clone());
            }
            if let Some(flight) = flight() {
                return Decision::Join(flight.clone(), None);
            }
            return missing(slot.objects(), q);
        };
        let found = || Found::new(object.clone());
        match verdict {
            Verdict::Fresh => Decision::Hit(found()),
            Verdict::StaleAllowed(reason) => Decision::Use(found(), reason, verdict),
            // Found uncacheable while something old was still there: nobody waits for another, and
            // the old one may still stand in for an error.
            Verdict::StaleWhileRevalidate(reason) | Verdict::MustValidate(reason)
                if object.freshness.always_revalidate() || mark().is_some() =>
            {
                Decision::Refresh(found(), reason, verdict, Sharing::Solo)
            }
            Verdict::StaleWhileRevalidate(reason) => match flight() {
                Some(_) => Decision::Use(found(), reason, verdict),
                None => Decision::Refresh(found(), reason, verdict, Sharing::Shared),
            },
            Verdict::MustValidate(reason) => match flight() {
                Some(flight) => Decision::Join(flight.clone(), Some(object.clone())),
                None => Decision::Refresh(found(), reason, verdict, Sharing::Shared),
            },
        }
    }
}

/// Whether and how a stored response may be used.
fn judge(object: &Object, q: &Query<'_>) -> Verdict {
    let verdict = object.freshness.judge(q.directives, q.now);
    match verdict {
        _ if !q.unvouched => verdict,
        Verdict::MustValidate(_) => verdict,
        Verdict::Fresh | Verdict::StaleAllowed(_) | Verdict::StaleWhileRevalidate(_) => {
            Verdict::MustValidate(StaleReason::LogLoss)
        }
    }
}

/// The newest stored response that may answer the request.
//= rfc9111#4
//= rfc9111#4.1
fn select<'a>(objects: &'a [Arc<Object>], q: &Query<'_>) -> Option<&'a Arc<Object>> {
    let mut known: Option<(&Vary, Box<[u8]>)> = None;
    objects.iter().rev().filter(|object| q.head || !object.head_only).find(|object| {
        let Some(vary) = object.vary() else {
            return true;
        };
        let key = match known.take() {
            Some((of, key)) if of == vary => key,
            _ => variant_key(Some(vary), q.request, q.rules),
        };
        let same = *key == *object.variant();
        known = Some((vary, key));
        same
    })
}

fn missing(objects: &[Arc<Object>], q: &Query<'_>) -> Decision {
    let mut others = objects.iter().rev().filter(|object| q.head || !object.head_only);
    let Some(other) = others.next() else {
        return Decision::Fetch(MissReason::UriMiss, None);
    };
    // The URL varies as its newest response says, so far as anybody knows.
    let target = other.vary_shared().map(|vary| Target {
        vary: vary.clone(),
        variant: variant_key(Some(vary), q.request, q.rules),
    });
    Decision::Fetch(MissReason::VaryMiss, target)
}

fn target_of(object: &Object) -> Option<Target> {
    let vary = object.vary_shared()?.clone();
    Some(Target { vary, variant: object.variant().into() })
}

fn applies(mark: &Mark, q: &Query<'_>) -> bool {
    q.now < mark.until
        && (q.head || !mark.head)
        && mark.target.as_ref().is_none_or(|target| target.matches(q.request, q.rules))
}
