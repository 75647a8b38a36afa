//! What the store remembers of orders to invalidate, and how objects are held against it.
//!
//! Orders about named URLs act on the index at once and need no memory. Every other one gets the next
//! number of this store; objects remember up to which number they were checked, and are held against
//! the rest when somebody asks for them, or when the sweeper comes by.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::time::Duration;

use http::HeaderMap;
use parking_lot::{Mutex, RwLock};
use semantics::Timestamp;
use smallvec::SmallVec;
use wire::Seq;

use crate::accounts::Accounts;
use crate::flight::Flight;
use crate::object::Object;
use crate::tags::{Tag, TagHold, Tagged};

mod ban;
mod generation;
mod order;

pub use ban::BanInfo;
pub(crate) use ban::{Ban, Kind, Matcher};
pub(crate) use generation::{Generation, Mark, Matched};
pub(crate) use order::What;
pub use order::{BadOrder, Keys, Order};

/// How far a request's view of invalidations reaches: it must not be given what an order up to here
/// took away, whatever was in flight then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub(crate) u64);

impl Position {
    /// Where this is once `orders` more were given, and no others.
    #[must_use]
    pub fn after(self, orders: u64) -> Self {
        Self(self.0 + orders)
    }
}

/// What came of applying an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Stored responses that it matched; `None` while they are counted, which [`Counted`] ends: at the end of a sweep, or
    /// when a ban goes before it.
    pub matched: Option<u64>,
}

/// The count of an order whose matches took a sweep to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The order.
    pub seq: Seq,
    /// Stored responses that it matched.
    pub matched: u64,
}

/// A response, as far as orders care.
pub(crate) struct Subject<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) tags: &'a Tagged,
    pub(crate) fields: Fields<'a>,
    pub(crate) vouched: Seq,
}

/// Header fields, stored or arriving.
pub(crate) enum Fields<'a> {
    Stored(&'a Object),
    Map(&'a HeaderMap),
    /// Not known yet: what depends on them does not match.
    Unknown,
}

/// What the orders say of a subject.
#[derive(Clone)]
pub(crate) struct Judged {
    /// It was held against all orders up to this one.
    pub(crate) number: u64,
    pub(crate) matched: Matched,
    /// Who counts it, once something comes of this.
    pub(crate) bans: SmallVec<[Arc<Ban>; 1]>,
}

/// Bans that a store holds at once: what an object that nobody asked for long may have to be held
/// against when somebody does.
const MOST_BANS: usize = 16_384;
/// The same with prefixes and counts, which are gone after a sweep.
const MOST_EAGER: usize = 65_536;

pub(crate) struct Orders {
    /// The newest order that objects must be held against.
    latest: AtomicU64,
    state: RwLock<State>,
    /// The numbers at which fills took off that are under way, and how many each.
    taken_off: Mutex<BTreeMap<u64, u32>>,
    accounts: Arc<Accounts>,
}

#[derive(Default)]
struct State {
    /// Fills may be vouched for up to here.
    asked: Seq,
    /// Everything up to here has taken effect.
    applied: Seq,
    all: Generation,
    /// Tags that must be remembered though no object may have them.
    tags: Vec<(u64, TagHold)>,
    /// By number; those that match prefixes, and those that only count, among them.
    bans: Vec<Arc<Ban>>,
    /// The ids of those that have one.
    named: HashSet<String>,
    /// Every object has been held against all eager orders up to here …
    swept: u64,
    /// … and against all bans up to here.
    swept_bans: u64,
    /// The newest order that sweeping must not wait for.
    eager: u64,
    /// Counts of bans that went before they were swept, for whoever tells of them.
    gone: Vec<Counted>,
}

impl Orders {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        let state = RwLock::new(State::default());
        Self { latest: AtomicU64::new(0), state, taken_off: Mutex::default(), accounts }
    }

    pub(crate) fn latest(&self) -> u64 {
        self.latest.load(Acquire)
    }

    /// Everything up to here has taken effect.
    pub(crate) fn applied(&self) -> Seq {
        self.state.read().applied
    }

    /// For a request about to be sent upstream: what its answer is vouched for, and the number of the
    /// newest order that it is not subject to.
    pub(crate) fn sent(&self) -> (Seq, u64) {
        let state = self.state.read();
        (state.asked, self.latest())
    }

    /// The log is at `seq`; until [`settled`](Self::settled) it is being applied.
    pub(crate) fn raise(&self, seq: Seq) {
        let mut state = self.state.write();
        state.asked = state.asked.max(seq);
    }

    /// What `seq` orders has taken effect.
    pub(crate) fn settled(&self, seq: Seq) {
        let mut state = self.state.write();
        state.asked = state.asked.max(seq);
        state.applied = state.applied.max(seq);
    }

    /// A number for an order that acts on the index by itself.
    pub(crate) fn number(&self) -> u64 {
        let _state = self.state.write();
        let number = self.latest() + 1;
        self.latest.store(number, Release);
        number
    }

    /// A new order about tags; how many objects the tags together know of.
    pub(crate) fn tags(&self, seq: Seq, tags: Vec<TagHold>, soft: Option<Timestamp>) -> u64 {
        self.write(seq, |state, mark| {
            let take = |tag: &Tag| match soft {
                Some(at) => tag.soften_all(mark, at),
                None => tag.take_all(mark),
            };
            let matched = tags.iter().filter_map(TagHold::tag).map(take).sum();
            state.tags.extend(tags.into_iter().map(|tag| (mark.number, tag)));
            // What nothing has needs no sweep.
            if matched > 0 {
                state.eager = mark.number;
            }
            matched
        })
    }

    /// A new order about everything.
    pub(crate) fn all(&self, seq: Seq, soft: Option<Timestamp>) {
        self.write(seq, |state, mark| {
            match soft {
                Some(at) => state.all.soft(mark, at),
                None => state.all.hard(mark),
            }
            state.eager = mark.number;
        });
    }

    /// A new ban, prefix or count, unless there are too many.
    pub(crate) fn ban(
        &self,
        seq: Seq,
        matcher: Matcher,
        kind: Kind,
        now: Timestamp,
    ) -> Result<(), BadOrder> {
        self.write(seq, |state, mark| {
            let ban = Arc::new(Ban::new(mark, matcher, kind, now, self.accounts.clone()));
            // One that was given twice, here and by the log, is one.
            if let Some(id) = ban.id()
                && !state.named.insert(id.to_owned())
            {
                state.bans.retain(|other| other.id() != Some(id));
            }
            let most = if ban.is_eager() { MOST_EAGER } else { MOST_BANS };
            if state.bans.len() >= most {
                if let Some(id) = ban.id() {
                    state.named.remove(id);
                }
                return Err(BadOrder::TooManyBans(state.bans.len()));
            }
            if ban.is_eager() {
                state.eager = mark.number;
            }
            state.bans.push(ban);
            Ok(())
        })
    }

    /// Ends a ban; how many objects it had matched.
    pub(crate) fn lift(&self, id: &str) -> Option<u64> {
        let mut state = self.state.write();
        state.named.remove(id);
        let lifted: Vec<_> = state.bans.extract_if(.., |ban| ban.id() == Some(id)).collect();
        state.gone.extend(lifted.iter().filter_map(|ban| ban.last_count()));
        drop(state);
        (!lifted.is_empty()).then(|| lifted.iter().map(|ban| ban.matched()).sum())
    }

    /// Distrusts everything there was: the log has a gap. Positions start anew.
    pub(crate) fn distrust(&self) {
        let mut state = self.state.write();
        let number = self.latest() + 1;
        // One order about everything says all that these do.
        let gone = (std::mem::take(&mut state.tags), std::mem::take(&mut state.bans));
        state.named.clear();
        state.all.hard(Mark { number, seq: END });
        state.eager = number;
        state.asked = Seq::ZERO;
        state.applied = Seq::ZERO;
        self.latest.store(number, Release);
        drop(state);
        drop(gone);
    }

    fn write<R>(&self, seq: Seq, change: impl FnOnce(&mut State, Mark) -> R) -> R {
        let mut state = self.state.write();
        let mark = Mark { number: self.latest() + 1, seq };
        let result = change(&mut state, mark);
        // Last: who sees the number sees the order.
        self.latest.store(mark.number, Release);
        result
    }

    /// Holds a subject that was checked up to `since` against what came later. Bans newer than
    /// `bans_until` are left for later, and so is then what comes after them.
    pub(crate) fn judge(
        &self,
        subject: &Subject<'_>,
        since: u64,
        bans_until: u64,
        now: Timestamp,
    ) -> Judged {
        let state = self.state.read();
        let mut number = self.latest();
        let mut matched = state.all.judge(since, subject.vouched);
        matched = matched.and(subject.tags.judge(since, subject.vouched));
        let mut bans = SmallVec::new();
        let first = state.bans.partition_point(|ban| ban.mark().number <= since);
        for ban in &state.bans[first..] {
            if ban.mark().number > bans_until && !ban.is_eager() {
                number = number.min(ban.mark().number - 1);
            } else if ban.mark().seq > subject.vouched && ban.matches(subject, now) {
                matched = matched.and(ban.verdict());
                bans.push(ban.clone());
            }
        }
        Judged { number, matched, bans }
    }

    /// Whether an order that goes by the URL alone took away what a flight will bring: whoever comes
    /// now must not wait for it. What depends on its head is found out when that is here.
    pub(crate) fn overtook(&self, flight: &Flight, now: Timestamp) -> bool {
        let since = flight.since();
        if since >= self.latest() {
            return false;
        }
        let subject = Subject {
            key: &flight.key,
            tags: &Tagged::default(),
            fields: Fields::Unknown,
            // What its answer will be vouched for is not known either: enough that it may be less.
            vouched: Seq::ZERO,
        };
        self.judge(&subject, since, u64::MAX, now).matched.hard.is_some()
    }

    /// A fill takes off; not before it landed is anything forgotten that it is subject to.
    pub(crate) fn take_off(&self) -> u64 {
        let mut taken_off = self.taken_off.lock();
        let number = self.latest();
        *taken_off.entry(number).or_default() += 1;
        number
    }

    pub(crate) fn land(&self, number: u64) {
        let mut taken_off = self.taken_off.lock();
        if let Some(count) = taken_off.get_mut(&number) {
            *count -= 1;
            if *count == 0 {
                taken_off.remove(&number);
            }
        }
    }

    /// When the sweeper should come next: now, at a time, or not before something is ordered.
    pub(crate) fn due(&self, grace: Duration) -> Option<Option<Timestamp>> {
        let state = self.state.read();
        if state.eager > state.swept {
            return Some(None);
        }
        let waiting = |ban: &&Arc<Ban>| !ban.is_eager() && ban.mark().number > state.swept_bans;
        let ban = state.bans.iter().find(waiting);
        let expiry = state.bans.iter().filter_map(|ban| ban.expires()).min();
        let due = ban.map(|ban| ban.ripe(grace)).into_iter().chain(expiry);
        due.min().map(Some)
    }

    /// What a sweep that begins now must hold objects against: everything, but bans only up to the
    /// second number.
    pub(crate) fn sweep_until(&self, grace: Duration, now: Timestamp) -> (u64, u64) {
        let state = self.state.read();
        let young =
            |ban: &&Arc<Ban>| !ban.is_eager() && !ban.is_exhausted() && ban.ripe(grace) > now;
        let latest = self.latest();
        let bans = state.bans.iter().find(young).map_or(latest, |ban| ban.mark().number - 1);
        (latest, bans)
    }

    /// A sweep is through: forgets what neither an object nor a fill is subject to any more. The
    /// orders whose matches are counted by now.
    pub(crate) fn swept(&self, until: u64, bans_until: u64) -> Vec<Counted> {
        let mut state = self.state.write();
        state.swept = state.swept.max(until);
        state.swept_bans = state.swept_bans.max(bans_until);
        let mut counted = Vec::new();
        for ban in &state.bans {
            let limit = if ban.is_eager() { until } else { bans_until };
            if ban.mark().number <= limit && ban.exhaust() && ban.mark().seq != END {
                counted.push(Counted { seq: ban.mark().seq, matched: ban.matched() });
            }
        }
        counted
    }

    /// The counts of bans that went before they were swept, each once.
    pub(crate) fn take_gone(&self) -> Vec<Counted> {
        std::mem::take(&mut self.state.write().gone)
    }

    /// Forgets what nothing is subject to any more, and bans whose time is over.
    pub(crate) fn forget(&self, now: Timestamp) {
        let mut gone = Vec::new();
        {
            let mut state = self.state.write();
            // With the state locked: who takes off from here on is subject to nothing that is there.
            let oldest = self.taken_off.lock().keys().next().copied().unwrap_or(u64::MAX);
            let (swept, eager) = (state.swept, state.eager);
            // With nothing to sweep for, no object is subject to what is there.
            let done = |number: u64| number <= oldest && (number <= swept || eager <= swept);
            gone.extend(state.tags.extract_if(.., |(number, _)| done(*number)).map(|(_, tag)| tag));
            let State { bans, named, gone: counts, .. } = &mut *state;
            bans.retain(|ban| {
                let spent = ban.is_exhausted() && ban.mark().number <= oldest;
                let stays = !(spent && ban.is_eager() || ban.is_over(now));
                if let (false, Some(id)) = (stays, ban.id()) {
                    named.remove(id);
                    counts.extend(ban.last_count());
                }
                stays
            });
        }
        // Outside: letting go of tags takes locks of theirs.
        drop(gone);
    }

    /// The bans that were ordered by name.
    pub(crate) fn list(&self, now: Timestamp) -> Vec<BanInfo> {
        let bans = self.state.read().bans.clone();
        bans.iter().filter_map(|ban| ban.info(now)).collect()
    }

    /// Bytes of what does not belong to a tag.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.read().bans.iter().map(|ban| ban.bytes_used()).sum()
    }

    pub(crate) fn remembered(&self) -> usize {
        let state = self.state.read();
        state.tags.len() + state.bans.len()
    }
}

/// Orders that are not in the log are newer than anything that a fill is vouched for.
pub(crate) const END: Seq = Seq { ms: u64::MAX, n: u64::MAX };
