//! The map beside the store: what is stored where, who holds what, what is marked.

use std::collections::HashMap;

use semantics::{Freshness, RequestDirectives, Timestamp, Verdict};

/// Where a response is stored: even keys vary on the language, odd ones do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    key: u8,
    lang: Option<u8>,
}

impl Slot {
    pub(crate) fn of(key: u8, lang: u8) -> Self {
        Self { key, lang: key.is_multiple_of(2).then_some(lang) }
    }

    pub(crate) fn varied(self) -> bool {
        self.lang.is_some()
    }
}

#[derive(Debug)]
pub(crate) enum Expected {
    Hit(u64),
    /// With an obligation, and that solo or not.
    Stale(u64, Option<bool>),
    Miss,
    Wait,
    HitForMiss,
}

/// An obligation as the map sees it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    number: u64,
    slot: Slot,
    /// Whether the variant was known.
    target: bool,
    solo: bool,
    pub(crate) stale: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Naive {
    stored: HashMap<Slot, (u64, Freshness)>,
    /// Attached obligations, and since when their results are stale.
    held: HashMap<u64, (Held, Option<Timestamp>)>,
    marks: HashMap<(u8, Option<Slot>), Timestamp>,
    /// Slots whose fills found no room: each may be marked until then, if its mark was not evicted.
    maybe: HashMap<Slot, Timestamp>,
    next: u64,
}

impl Naive {
    pub(crate) fn look(&self, slot: Slot, now: Timestamp) -> Expected {
        let marked = [None, Some(slot)]
            .iter()
            .any(|target| self.marks.get(&(slot.key, *target)).is_some_and(|until| now < *until));
        let joinable = self.held.values().any(|(held, _)| {
            !held.solo && held.slot.key == slot.key && (!held.target || held.slot == slot)
        });
        let Some((id, freshness)) = self.stored.get(&slot) else {
            return match (marked, joinable) {
                (true, _) => Expected::HitForMiss,
                (false, true) => Expected::Wait,
                (false, false) => Expected::Miss,
            };
        };
        let solo = freshness.always_revalidate() || marked;
        match freshness.judge(&RequestDirectives::default(), now) {
            Verdict::Fresh => Expected::Hit(*id),
            _ if solo => Expected::Stale(*id, Some(true)),
            Verdict::StaleWhileRevalidate(_) => Expected::Stale(*id, (!joinable).then_some(false)),
            _ if joinable => Expected::Wait,
            _ => Expected::Stale(*id, Some(false)),
        }
    }

    /// Whether anything of this key is marked.
    pub(crate) fn is_marked(&self, key: u8, now: Timestamp) -> bool {
        self.marks.iter().any(|((marked, _), until)| *marked == key && now < *until)
    }

    /// Whether somebody fetches something of this key: with what was known of its variants lost, that
    /// may be for all of them.
    pub(crate) fn is_fetched(&self, slot: Slot) -> bool {
        self.held.values().any(|(held, _)| !held.solo && held.slot.key == slot.key)
    }

    /// A fill found no room.
    pub(crate) fn no_room(&mut self, slot: Slot, until: Timestamp) {
        self.maybe.insert(slot, until);
    }

    pub(crate) fn maybe_marked(&self, slot: Slot, now: Timestamp) -> bool {
        self.maybe.get(&slot).is_some_and(|until| now < *until)
    }

    pub(crate) fn take_off(&mut self, slot: Slot, stale: Option<u64>, solo: bool) -> Held {
        let known = self.stored.keys().any(|stored| stored.key == slot.key);
        let target = slot.varied() && known;
        self.next += 1;
        let held = Held { number: self.next, slot, target, solo, stale };
        self.held.insert(held.number, (held.clone(), None));
        held
    }

    pub(crate) fn landed(&mut self, held: &Held) -> Option<Option<Timestamp>> {
        self.held.remove(&held.number).map(|(_, soft)| soft)
    }

    pub(crate) fn begun(&mut self, held: &Held, id: u64, freshness: Freshness) {
        if let Some(soft) = self.landed(held) {
            let freshness = soft.map_or(freshness, |at| freshness.invalidated_soft(at));
            self.stored.insert(held.slot, (id, freshness));
            self.marks.remove(&(held.slot.key, None));
            self.marks.remove(&(held.slot.key, Some(held.slot)));
        }
    }

    pub(crate) fn freshened(&mut self, held: &Held, freshness: Freshness) {
        if let Some(soft) = self.landed(held)
            && let Some(stored) = self.stored.get_mut(&held.slot)
            && Some(stored.0) == held.stale
        {
            stored.1 = soft.map_or(freshness, |at| freshness.invalidated_soft(at));
        }
    }

    pub(crate) fn declined(&mut self, held: &Held, until: Timestamp) {
        if self.landed(held).is_some() {
            self.marks.insert((held.slot.key, held.target.then_some(held.slot)), until);
        }
    }

    pub(crate) fn aborted(&mut self, slot: Slot, id: u64) {
        if self.has(slot, id) {
            self.stored.remove(&slot);
        }
    }

    pub(crate) fn has(&self, slot: Slot, id: u64) -> bool {
        self.stored.get(&slot).is_some_and(|stored| stored.0 == id)
    }

    pub(crate) fn evicted(&mut self, slot: Slot) {
        self.stored.remove(&slot);
    }

    pub(crate) fn hard(&mut self, key: u8) -> usize {
        let before = self.stored.len();
        self.stored.retain(|slot, _| slot.key != key);
        self.held.retain(|_, (held, _)| held.slot.key != key);
        self.marks.retain(|(marked, _), _| *marked != key);
        before - self.stored.len()
    }

    pub(crate) fn soft(&mut self, key: u8, now: Timestamp) -> usize {
        for (held, soft) in self.held.values_mut() {
            if held.slot.key == key {
                *soft = Some(now);
            }
        }
        let mut count = 0;
        for (slot, (_, freshness)) in &mut self.stored {
            if slot.key == key {
                *freshness = freshness.invalidated_soft(now);
                count += 1;
            }
        }
        count
    }
}
