//! Random schedules of everything the store offers, beside a naive map that says what must come of
//! each step. Single-threaded, seeded, shrunk by proptest.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../it/support.rs"]
mod support;

mod naive;

use std::sync::Arc;

use cache::{Cache, EvictionPolicy, Failure, Fill, Invalidate, Lookup, Obligation, Progress};
use naive::{Expected, Naive, Slot};
use proptest::prelude::*;
use semantics::NoStoreReason;
use support::*;

/// For how many seconds a URL is marked whose fill found no room.
const OVERSIZE_MARK: i64 = 60;

/// One step. Numbers choose among what is there.
#[derive(Clone, Copy, Debug)]
enum Step {
    Look { key: u8, lang: u8 },
    Begin { which: u8, kind: u8 },
    Append { which: u8, len: u16 },
    Finish { which: u8 },
    Abort { which: u8 },
    Freshen { which: u8, kind: u8 },
    Decline { which: u8, secs: u8 },
    Fail { which: u8 },
    Drop { which: u8 },
    Hard { key: u8 },
    Soft { key: u8 },
    Pass { secs: u8 },
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<u8>;
    prop_oneof![
        12 => (0..4_u8, 0..3_u8).prop_map(|(key, lang)| Step::Look { key, lang }),
        6 => (any(), any()).prop_map(|(which, kind)| Step::Begin { which, kind }),
        4 => (any(), 0..3_000_u16).prop_map(|(which, len)| Step::Append { which, len }),
        5 => any().prop_map(|which| Step::Finish { which }),
        1 => any().prop_map(|which| Step::Abort { which }),
        3 => (any(), any()).prop_map(|(which, kind)| Step::Freshen { which, kind }),
        1 => (any(), 0..10_u8).prop_map(|(which, secs)| Step::Decline { which, secs }),
        1 => any().prop_map(|which| Step::Fail { which }),
        1 => any().prop_map(|which| Step::Drop { which }),
        1 => (0..4_u8).prop_map(|key| Step::Hard { key }),
        1 => (0..4_u8).prop_map(|key| Step::Soft { key }),
        3 => (0..8_u8).prop_map(|secs| Step::Pass { secs }),
        1 => Just(Step::Clear),
    ]
}

/// The kinds of responses an origin gives: fresh for a while, usable a while longer, never.
fn response(kind: u8, id: u64, varied: bool) -> Vec<(&'static str, String)> {
    let control = match kind % 3 {
        0 => "max-age=10",
        1 => "max-age=4, stale-while-revalidate=9",
        _ => "no-cache",
    };
    let mut fields = vec![("cache-control", control.to_owned()), ("etag", format!("\"{id}\""))];
    if varied {
        fields.push(("vary", "x-lang".to_owned()));
    }
    fields
}

struct Held {
    obligation: Obligation,
    key: u8,
    lang: u8,
    model: naive::Held,
}

struct Filling {
    fill: Fill,
    slot: Slot,
    id: u64,
}

struct Run {
    cache: Arc<Cache>,
    naive: Naive,
    held: Vec<Held>,
    fills: Vec<Filling>,
    secs: i64,
    next: u64,
    /// Objects may go by themselves.
    lossy: bool,
}

impl Run {
    fn new(kind: EvictionPolicy, capacity: u64) -> Self {
        Self {
            cache: store_with(kind, capacity, 1 << 20),
            naive: Naive::default(),
            held: Vec::new(),
            fills: Vec::new(),
            secs: 0,
            next: 1,
            lossy: capacity < 1 << 20,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Look { key, lang } => self.look(key, lang),
            Step::Begin { which, kind } => self.begin(which, kind),
            Step::Append { which, len } => self.append(which, len),
            Step::Finish { which } => self.finish(which),
            Step::Abort { which } => {
                if let Some(filling) = take(&mut self.fills, which) {
                    filling.fill.abort(NoStoreReason::Truncated);
                    self.naive.aborted(filling.slot, filling.id);
                }
            }
            Step::Freshen { which, kind } => self.freshen(which, kind),
            Step::Decline { which, secs } => {
                if let Some(held) = take(&mut self.held, which) {
                    let until = at(self.secs + i64::from(secs));
                    held.obligation.decline(NoStoreReason::SetCookie, Some(until));
                    self.naive.declined(&held.model, until);
                }
            }
            Step::Fail { which } => {
                if let Some(held) = take(&mut self.held, which) {
                    held.obligation.fail(Failure {
                        status: 502,
                        reason: "reset",
                        retry_after: None,
                    });
                    self.naive.landed(&held.model);
                }
            }
            Step::Drop { which } => {
                if let Some(held) = take(&mut self.held, which) {
                    drop(held.obligation);
                    self.naive.landed(&held.model);
                }
            }
            Step::Hard { key } => {
                let count = self.cache.invalidate(&[key], Invalidate::Hard, at(self.secs));
                let known = self.naive.hard(key);
                assert!(count == known || (self.lossy && count < known));
            }
            Step::Soft { key } => {
                let count = self.cache.invalidate(&[key], Invalidate::Soft, at(self.secs));
                let known = self.naive.soft(key, at(self.secs));
                assert!(count == known || (self.lossy && count < known));
            }
            Step::Pass { secs } => self.secs += i64::from(secs),
            Step::Clear => {
                self.cache.clear();
                (0..4).for_each(|key| {
                    self.naive.hard(key);
                });
            }
        }
        let stats = self.cache.stats();
        assert_eq!(stats.flights, self.held.len() as u64);
    }

    fn ask(&self, key: u8, lang: u8) -> (Lookup, Ask<'static>) {
        let keys: &'static [[u8; 1]; 4] = &[[0], [1], [2], [3]];
        let ask = Ask { key: &keys[usize::from(key)], ..Ask::get("") };
        let ask = ask.with("x-lang", ["de", "en", "fr"][usize::from(lang)]).at(self.secs);
        (ask.of(&self.cache), ask)
    }

    fn look(&mut self, key: u8, lang: u8) {
        let (lookup, _) = self.ask(key, lang);
        let slot = Slot::of(key, lang);
        let expected = self.naive.look(slot, at(self.secs));
        let id = |object: &cache::Object| {
            let tag = object.header(&http::header::ETAG).unwrap();
            tag.to_str().unwrap().trim_matches('"').parse::<u64>().unwrap()
        };
        let hold = |run: &mut Self, obligation: Obligation, stale: Option<u64>| {
            let model = run.naive.take_off(slot, stale, obligation.is_solo());
            run.held.push(Held { obligation, key, lang, model });
        };
        match (lookup, expected) {
            (Lookup::Hit(found), Expected::Hit(known)) => assert_eq!(id(&found.object), known),
            (Lookup::Stale(found, _, _, None), Expected::Stale(known, None)) => {
                assert_eq!(id(&found.object), known);
            }
            (Lookup::Stale(found, _, _, Some(obligation)), Expected::Stale(known, Some(solo))) => {
                assert_eq!(id(&found.object), known);
                let now = at(self.secs);
                let maybe = self.naive.maybe_marked(slot, now);
                // A mark may be gone, or be one for all variants.
                let unsure = self.lossy && self.naive.is_marked(key, now);
                assert!(obligation.is_solo() == solo || (maybe && obligation.is_solo()) || unsure);
                hold(self, obligation, Some(known));
            }
            (Lookup::Miss(_, obligation), Expected::Miss) => hold(self, obligation, None),
            (Lookup::Wait(_), Expected::Wait) | (Lookup::HitForMiss, Expected::HitForMiss) => {}
            (Lookup::HitForMiss, _) if self.naive.maybe_marked(slot, at(self.secs)) => {}
            // Evicted, and a mark was not: with the variants forgotten it may be one for all of them.
            (Lookup::HitForMiss, _) if self.lossy && self.naive.is_marked(key, at(self.secs)) => {
                self.naive.evicted(slot);
            }
            // Evicted: then nothing of it may be there.
            (Lookup::Miss(_, obligation), _) if self.lossy => {
                self.naive.evicted(slot);
                drop(obligation);
            }
            (Lookup::Wait(_), Expected::Stale(..) | Expected::Hit(_)) if self.lossy => {
                self.naive.evicted(slot);
            }
            (Lookup::Wait(_), Expected::Miss | Expected::HitForMiss)
                if self.lossy && self.naive.is_fetched(slot) => {}
            (lookup @ (Lookup::Miss(..) | Lookup::Stale(..)), Expected::Wait) if self.lossy => {
                drop(lookup);
            }
            (lookup, expected) => panic!("{lookup:?} where {expected:?} was due"),
        }
    }

    fn begin(&mut self, which: u8, kind: u8) {
        let Some(held) = take(&mut self.held, which) else {
            return;
        };
        let (id, slot) = (self.next, Slot::of(held.key, held.lang));
        self.next += 1;
        let fields = response(kind, id, slot.varied());
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ask = Ask { now: at(self.secs), ..Ask::get("") };
        let ask = ask.with("x-lang", ["de", "en", "fr"][usize::from(held.lang)]);
        let new = ask.answer(&fields);
        self.naive.begun(&held.model, id, new.freshness);
        let fill = held.obligation.begin(new);
        self.fills.push(Filling { fill, slot, id });
    }

    fn append(&mut self, which: u8, len: u16) {
        if self.fills.is_empty() {
            return;
        }
        let index = usize::from(which) % self.fills.len();
        let filling = &mut self.fills[index];
        let progress = block_on(filling.fill.append(&vec![filling.id as u8; usize::from(len)]));
        if progress != Progress::Storing {
            assert!(self.lossy || !self.naive.has(filling.slot, filling.id));
            if self.lossy {
                self.naive.no_room(filling.slot, at(self.secs + OVERSIZE_MARK));
            }
            self.naive.aborted(filling.slot, filling.id);
        }
        assert!(self.cache.stats().bytes <= self.cache.stats().capacity || self.lossy);
    }

    fn finish(&mut self, which: u8) {
        let Some(filling) = take(&mut self.fills, which) else {
            return;
        };
        let stored = filling.fill.finish();
        let known = self.naive.has(filling.slot, filling.id);
        assert!(stored.is_ok() == known || (self.lossy && stored.is_err()), "{stored:?} {known}");
        if let Ok(object) = stored {
            let body = read(object.body().reader(None)).unwrap();
            assert!(body.iter().all(|byte| *byte == filling.id as u8));
        } else {
            self.naive.aborted(filling.slot, filling.id);
        }
    }

    fn freshen(&mut self, which: u8, kind: u8) {
        let Some(held) = take(&mut self.held, which) else {
            return;
        };
        let slot = Slot::of(held.key, held.lang);
        let Some(id) = held.model.stale else {
            self.naive.landed(&held.model);
            return;
        };
        let fields = response(kind, id, slot.varied());
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let head = renewed(&fields, at(self.secs));
        self.naive.freshened(&held.model, head.freshness);
        held.obligation.freshen(head);
    }

    /// Everything is given back in the end.
    fn end(mut self) {
        self.held.clear();
        self.fills.clear();
        let stats = self.cache.stats();
        assert_eq!((stats.flights, stats.in_flight_bytes), (0, 0));
        self.cache.clear();
        let stats = self.cache.stats();
        assert_eq!((stats.objects, stats.marks), (0, 0));
        assert!(stats.bytes <= 16 << 10, "{stats:?}");
    }
}

fn take<T>(list: &mut Vec<T>, which: u8) -> Option<T> {
    (!list.is_empty()).then(|| list.swap_remove(usize::from(which) % list.len()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_map(steps in prop::collection::vec(step(), 1..200)) {
        let mut run = Run::new(EvictionPolicy::S3Fifo, 64 << 20);
        steps.into_iter().for_each(|step| run.step(step));
        run.end();
    }

    #[test]
    fn agrees_with_a_map_that_loses(steps in prop::collection::vec(step(), 1..200), kind in 0..3) {
        let kind = [EvictionPolicy::Lru, EvictionPolicy::Lfu, EvictionPolicy::S3Fifo][kind as usize];
        let mut run = Run::new(kind, 24 << 10);
        steps.into_iter().for_each(|step| run.step(step));
        run.end();
    }
}
