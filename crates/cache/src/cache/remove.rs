//! Ways out of the store: evicted, invalidated, cleared.

use std::sync::Arc;

use semantics::Timestamp;
use smallvec::SmallVec;

use super::Cache;
use crate::eviction::Unit;
use crate::index::{self, Entry};
use crate::object::Object;

/// How thoroughly something is invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidate {
    /// Gone at once.
    Hard,
    /// Stale from now on, still servable while it is refreshed.
    Soft,
}

impl Cache {
    /// Invalidates all variants of a key; how many there were.
    ///
    /// Fills under way are detached: who reads them reads on, who waits for them is served, nothing
    /// of them is stored as fresh, and later requests start anew.
    pub fn invalidate(&self, key: &[u8], how: Invalidate, now: Timestamp) -> usize {
        let hash = self.index.hash(key);
        match how {
            Invalidate::Hard => {
                let mut table = self.index.shard(hash).write();
                let taken = index::take(&mut table, hash, key, self.accounts());
                if let Some(entry) = &taken {
                    self.left(entry);
                }
                drop(table);
                taken.map_or(0, |entry| entry.objects.len())
            }
            Invalidate::Soft => {
                let number = self.orders.number();
                let mut table = self.index.shard(hash).write();
                if index::find(&table, hash, key).is_none() {
                    return 0;
                }
                let old = index::edit(&mut table, hash, key, self.accounts(), |entry| {
                    self.soften(entry, now, number)
                });
                drop(table);
                old.len()
            }
        }
    }

    /// Empties the store as a hard invalidation of everything would.
    pub fn clear(&self) {
        for shard in self.index.shards() {
            let mut table = shard.0.write();
            let slots = table.take_all().into_iter();
            let entries: Vec<_> = slots.map(|slot| slot.into_entry(self.accounts())).collect();
            for entry in &entries {
                self.left(entry);
            }
            drop(table);
        }
        self.evictor.forget(self.accounts());
    }

    /// Removes the object with this object's body, if it is still there.
    pub(crate) fn remove_body(&self, object: &Arc<Object>) {
        let gone = {
            let mut table = self.index.shard(object.hash).write();
            index::edit(&mut table, object.hash, object.key(), self.accounts(), |entry| {
                self.pull(entry, |other| other.same_body(object))
            })
        };
        drop(gone);
    }

    /// Removes one object; false when it had left by itself.
    pub(super) fn remove(&self, object: &Arc<Object>) -> bool {
        let gone = {
            let mut table = self.index.shard(object.hash).write();
            if index::find(&table, object.hash, object.key()).is_none() {
                return false;
            }
            index::edit(&mut table, object.hash, object.key(), self.accounts(), |entry| {
                self.pull(entry, |other| Arc::ptr_eq(other, object))
            })
        };
        !gone.is_empty()
    }

    /// Softens one object; false when it is gone, or gone harder in the meantime.
    pub(super) fn soften_one(&self, object: &Arc<Object>, now: Timestamp) -> bool {
        let mut table = self.index.shard(object.hash).write();
        if index::find(&table, object.hash, object.key()).is_none() {
            return false;
        }
        // Under the lock: its successor must not escape an order that the sweeper was here for.
        let Some(judged) = self.judge(object, u64::MAX, now) else { return false };
        let (None, Some((_, at))) = (judged.matched.hard, judged.matched.soft) else {
            drop(table);
            return self.remove(object);
        };
        let number = judged.number;
        index::edit(&mut table, object.hash, object.key(), self.accounts(), |entry| {
            let mut objects = entry.objects.iter_mut();
            let found = objects.find(|other| Arc::ptr_eq(other, object));
            found.map(|found| self.exchange(found, at, number))
        })
        .is_some()
    }

    /// Takes a victim out of the index; false when it had left by itself.
    pub(super) fn evict(&self, unit: &Unit) -> bool {
        let mut table = self.index.shard(unit.hash()).write();
        match unit {
            Unit::Object(object) => {
                let gone =
                    index::edit(&mut table, object.hash, object.key(), self.accounts(), |entry| {
                        self.pull(entry, |other| Arc::ptr_eq(other, object))
                    });
                drop(table);
                !gone.is_empty()
            }
            Unit::Mark(mark) => {
                let is_it = |other: &Arc<_>| Arc::ptr_eq(other, mark);
                let slot = table.find(mark.hash, |slot| slot.marks().iter().any(is_it));
                let Some(key) = slot.map(|slot| slot.key().to_vec()) else {
                    return false;
                };
                index::edit(&mut table, mark.hash, &key, self.accounts(), |entry| {
                    entry.marks.retain(|other| !Arc::ptr_eq(other, mark));
                });
                self.unmarked(mark);
                true
            }
        }
    }

    fn pull(
        &self,
        entry: &mut Entry,
        which: impl Fn(&Arc<Object>) -> bool,
    ) -> SmallVec<[Arc<Object>; 2]> {
        let mut gone = SmallVec::new();
        entry.objects.retain(|object| {
            let goes = which(object);
            if goes {
                gone.push(object.clone());
            }
            !goes
        });
        self.gone(&gone);
        gone
    }

    /// Bookkeeping for an entry taken out as a whole, under its shard's lock. Its flights find
    /// themselves detached when they land.
    fn left(&self, entry: &Entry) {
        self.gone(&entry.objects);
        for mark in &entry.marks {
            self.unmarked(mark);
        }
    }

    fn soften(&self, entry: &mut Entry, now: Timestamp, number: u64) -> Vec<Arc<Object>> {
        for flight in &entry.flights {
            flight.soften(now, number);
        }
        let objects = entry.objects.iter_mut();
        // Softened by name, and not held against anything else.
        objects.map(|object| self.exchange(object, now, object.checked())).collect()
    }

    /// Puts a softened copy in the place of an object, which is returned.
    fn exchange(&self, object: &mut Arc<Object>, at: Timestamp, number: u64) -> Arc<Object> {
        let soft = object.with_freshness(object.freshness.invalidated_soft(at), number);
        self.evictor.replace(&Unit::Object(object.clone()), Unit::Object(soft.clone()));
        object.tagged().unlist();
        soft.tagged().list();
        std::mem::replace(object, soft)
    }
}
