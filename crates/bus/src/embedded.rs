//! The log inside one process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use runtime::Clock;
use tokio::sync::watch;
use wire::Seq;
use wire::invalidation::{Ack, Heartbeat, Invalidation, LogPosition};

use crate::changes::Changes;
use crate::entry::{self, BanChange};
use crate::log::{MemoryLog, Page};
use crate::subscription::{Source, Subscription};
use crate::{Acks, Bus, BusError, Later, Member};

mod faults;

pub use faults::Faults;

/// Most entries in one page.
const PAGE: usize = 256;

/// What the log may use.
#[derive(Copy, Clone, Debug)]
pub struct EmbeddedLimits {
    /// Most entries kept.
    pub entries: usize,
    /// Most bytes of orders kept.
    pub bytes: usize,
    /// Most bytes of one order.
    pub order_bytes: usize,
    /// Most nodes.
    pub members: usize,
}

impl Default for EmbeddedLimits {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 64 << 20, order_bytes: 1 << 20, members: 10_000 }
    }
}

/// One process's line to a log that lives in memory.
#[derive(Clone, Debug)]
pub struct EmbeddedBus {
    shared: Arc<Shared>,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    limits: EmbeddedLimits,
    state: Mutex<State>,
    log_wake: watch::Sender<u64>,
    change_wake: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    log: MemoryLog,
    /// By entry, then by node. As bounded as entries and nodes are.
    acks: BTreeMap<Seq, BTreeMap<String, Ack>>,
    /// What each node said last, and when.
    members: BTreeMap<String, (Heartbeat, Duration)>,
    /// Until when each ban is in force, in milliseconds since 1970.
    bans: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Line {
    cut: AtomicBool,
    /// The newest entry when it was cut off.
    end: Mutex<Option<LogPosition>>,
}

impl EmbeddedBus {
    /// An empty log.
    pub fn new(limits: EmbeddedLimits, clock: Clock) -> Self {
        let log = MemoryLog::new(new_epoch(), limits.entries, limits.bytes);
        let state =
            State { log, acks: BTreeMap::new(), members: BTreeMap::new(), bans: BTreeMap::new() };
        let shared = Shared {
            clock,
            limits,
            state: Mutex::new(state),
            log_wake: watch::Sender::new(0),
            change_wake: watch::Sender::new(0),
        };
        Self { shared: Arc::new(shared), line: Arc::default() }
    }

    /// Another line to the same log, which can be cut off by itself. (A clone is the same line.)
    pub fn join(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), line: Arc::default() }
    }

    /// What may go wrong, for tests.
    pub fn faults(&self) -> Faults {
        Faults { bus: self.clone() }
    }

    fn reach(&self) -> Result<&Shared, BusError> {
        if self.line.cut.load(Ordering::Acquire) {
            return Err(BusError::Away("cut off".into()));
        }
        Ok(&self.shared)
    }

    fn append(&self, order: &Invalidation) -> Result<LogPosition, BusError> {
        let shared = self.reach()?;
        let text = entry::write(order, shared.limits.order_bytes)?;
        let now = u64::try_from(shared.clock.now_millis()).unwrap_or(0);
        let position = {
            let mut state = shared.state.lock();
            let position = state.log.append(text, now);
            state.remember(entry::ban(order), now);
            state.drop_stale_acks();
            position
        };
        shared.log_wake.send_modify(|n| *n += 1);
        Ok(position)
    }

    fn beat(&self, beat: &Heartbeat) -> Result<(), BusError> {
        let shared = self.reach()?;
        let now = shared.clock.monotonic();
        let joins = {
            let mut state = shared.state.lock();
            let joins = !state.members.contains_key(&beat.node);
            if joins && state.members.len() >= shared.limits.members {
                return Err(BusError::Refused("too many nodes are members".into()));
            }
            state.members.insert(beat.node.clone(), (beat.clone(), now));
            joins
        };
        if joins {
            shared.change_wake.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<Member>, BusError> {
        let shared = self.reach()?;
        let now = shared.clock.monotonic();
        let state = shared.state.lock();
        let member = |(beat, at): &(Heartbeat, Duration)| {
            let silent = now.saturating_sub(*at);
            Member { beat: beat.clone(), silent, unheard: silent }
        };
        Ok(state.members.values().map(member).collect())
    }

    fn remove(&self, node: &str) -> Result<bool, BusError> {
        let shared = self.reach()?;
        let was_there = shared.state.lock().members.remove(node).is_some();
        shared.change_wake.send_modify(|n| *n += 1);
        Ok(was_there)
    }

    fn note(&self, epoch: &str, acks: &[Ack]) -> Result<(), BusError> {
        let shared = self.reach()?;
        {
            let mut state = shared.state.lock();
            if state.log.epoch() != epoch {
                return Ok(());
            }
            for ack in acks {
                // Entries that are gone have no acknowledgements, so these are bounded too.
                if state.log.holds(ack.seq) {
                    state.acks.entry(ack.seq).or_default().insert(ack.node.clone(), ack.clone());
                }
            }
        }
        shared.change_wake.send_modify(|n| *n += 1);
        Ok(())
    }

    fn in_force(&self) -> Result<Vec<String>, BusError> {
        let shared = self.reach()?;
        let now = u64::try_from(shared.clock.now_millis()).unwrap_or(0);
        let state = shared.state.lock();
        Ok(state.bans.iter().filter(|(_, until)| **until > now).map(|(id, _)| id.clone()).collect())
    }

    fn known(&self, at: &[LogPosition]) -> Result<Vec<Acks>, BusError> {
        let state = self.reach()?.state.lock();
        let known = |position: &LogPosition| {
            if state.log.epoch() != position.epoch || !state.log.holds(position.seq) {
                return Acks::default();
            }
            let acks = state.acks.get(&position.seq);
            Acks {
                present: true,
                acks: acks.map(|acks| acks.values().cloned().collect()).unwrap_or_default(),
            }
        };
        Ok(at.iter().map(known).collect())
    }
}

impl State {
    fn remember(&mut self, change: Option<BanChange<'_>>, now: u64) {
        match change {
            Some(BanChange::Ordered { id, ttl_ms }) => {
                self.bans.retain(|_, until| *until > now);
                self.bans.insert(id.to_owned(), now.saturating_add(ttl_ms));
            }
            Some(BanChange::Lifted { id }) => {
                self.bans.remove(id);
            }
            None => {}
        }
    }

    fn drop_stale_acks(&mut self) {
        let log = &self.log;
        match log.first() {
            None => self.acks.clear(),
            Some(first) => {
                self.acks = self.acks.split_off(&first);
                while self.acks.last_key_value().is_some_and(|(newest, _)| *newest > log.last()) {
                    self.acks.pop_last();
                }
            }
        }
    }
}

impl Source for EmbeddedBus {
    fn look(self: Arc<Self>, after: Seq) -> Later<'static, Result<Page, BusError>> {
        let page = self.reach().map(|shared| shared.state.lock().log.read(after, PAGE));
        Box::pin(std::future::ready(page))
    }
}

impl Bus for EmbeddedBus {
    fn publish<'a>(&'a self, order: &'a Invalidation) -> Later<'a, Result<LogPosition, BusError>> {
        Box::pin(async move { self.append(order) })
    }

    fn subscribe(&self, from: Option<LogPosition>) -> Subscription {
        Subscription::new(Arc::new(self.clone()), self.shared.log_wake.subscribe(), from)
    }

    fn end(&self) -> Option<LogPosition> {
        let Ok(shared) = self.reach() else { return self.line.end.lock().clone() };
        let state = shared.state.lock();
        Some(LogPosition { epoch: state.log.epoch().to_owned(), seq: state.log.last() })
    }

    fn connected(&self) -> bool {
        self.reach().is_ok()
    }

    fn heartbeat<'a>(&'a self, beat: &'a Heartbeat) -> Later<'a, Result<(), BusError>> {
        Box::pin(async move { self.beat(beat) })
    }

    fn members<'a>(&'a self) -> Later<'a, Result<Vec<Member>, BusError>> {
        Box::pin(async move { self.list() })
    }

    fn leave<'a>(&'a self, node: &'a str) -> Later<'a, Result<bool, BusError>> {
        Box::pin(async move { self.remove(node) })
    }

    fn acknowledge<'a>(
        &'a self,
        epoch: &'a str,
        acks: &'a [Ack],
    ) -> Later<'a, Result<(), BusError>> {
        Box::pin(async move { self.note(epoch, acks) })
    }

    fn acks<'a>(&'a self, at: &'a [LogPosition]) -> Later<'a, Result<Vec<Acks>, BusError>> {
        Box::pin(async move { self.known(at) })
    }

    fn bans(&self) -> Later<'_, Result<Vec<String>, BusError>> {
        Box::pin(async move { self.in_force() })
    }

    fn changes(&self) -> Changes {
        Changes::new(self.shared.change_wake.subscribe(), None)
    }
}

/// A name that no other log has.
pub(crate) fn new_epoch() -> String {
    // Without the system's random numbers, the address of a fresh value and the hasher's keys remain.
    let fallback = || {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(0_u8)
    };
    let number = || getrandom::u64().unwrap_or_else(|_| fallback());
    format!("{:016x}", number())
}
