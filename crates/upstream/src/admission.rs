//! The bounded fair queue in front of a limit of requests at once.
//!
//! Who asks names a flow: a site, or a host of it. Flows take turns, one request each, however many
//! of them one flow has waiting (Nagle, "On packet switches with infinite storage", RFC 970); within
//! a flow, who came first goes first. When the queue is full, whoever comes pushes out the last one of
//! the longest flow, if that is longer than its own: busy flows cannot fill the queue against others
//! either (McKenney, "Stochastic fairness queueing", INFOCOM 1990). Nobody polls: whoever gives a permit back wakes the one that
//! gets it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use pace::Pace;

mod pace;

/// How many may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionSettings {
    /// In all; 0: nobody waits.
    pub queue: usize,
    /// Of one flow.
    pub queue_per_flow: usize,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self { queue: 1024, queue_per_flow: 256 }
    }
}

/// No permit was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many wait already as may, in all or of this flow; or others came whose flows were
    /// shorter.
    #[error("the queue is full")]
    Full {
        /// When it may be worth while to ask again, in seconds, 1 to 60.
        retry_after: u32,
    },
    /// The turn did not come in time.
    #[error("waited too long in the queue")]
    TimedOut {
        /// When it may be worth while to ask again, in seconds, 1 to 60.
        retry_after: u32,
    },
}

impl Refused {
    /// A stable token for `Cache-Status`, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full { .. } => "queue-full",
            Self::TimedOut { .. } => "queue-timeout",
        }
    }

    /// For `Retry-After`, in seconds, 1 to 60: about the time that those who wait now need.
    pub fn retry_after(self) -> u32 {
        match self {
            Self::Full { retry_after } | Self::TimedOut { retry_after } => retry_after,
        }
    }
}

/// The queue in front of one origin. Clones are the same queue.
#[derive(Clone, Debug)]
pub struct Admission {
    shared: Arc<Mutex<State>>,
}

impl Admission {
    /// Lets `limit` requests through at once; 0 lets none through.
    pub fn new(limit: u32, settings: AdmissionSettings) -> Self {
        let state = State {
            settings,
            limit,
            in_flight: 0,
            waiting: 0,
            flows: HashMap::new(),
            turns: BTreeMap::new(),
            pushed_out: HashSet::new(),
            next: 0,
            pace: Pace::default(),
        };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Waits for the turn of `flow`, at most `timeout`. Dropping the future leaves the queue.
    ///
    /// # Errors
    /// When the queue is full, or the time is over.
    pub async fn acquire(&self, flow: u64, timeout: Duration) -> Result<Permit, Refused> {
        let (mut place, pushed_out) = {
            let mut state = self.shared.lock();
            if state.has_room() {
                state.take();
                return Ok(self.permit());
            }
            if !state.may_wait(flow) {
                return Err(Refused::Full { retry_after: state.retry_after(timeout) });
            }
            let pushed_out = state.make_room();
            let (id, woken) = state.enqueue(flow);
            (Place { shared: &self.shared, flow, id, woken, left: false }, pushed_out)
        };
        drop(pushed_out);
        // Whether it was woken or the time is over, what counts is what became of its place.
        let _ = tokio::time::timeout(timeout, &mut place.woken).await;
        let mut state = self.shared.lock();
        place.left = true;
        match state.leave(flow, place.id) {
            Fate::Served => Ok(self.permit()),
            Fate::PushedOut => Err(Refused::Full { retry_after: state.retry_after(timeout) }),
            Fate::Waiting => Err(Refused::TimedOut { retry_after: state.retry_after(timeout) }),
        }
    }

    /// A permit, if there is room for one more now.
    pub fn try_acquire(&self) -> Option<Permit> {
        let mut state = self.shared.lock();
        state.has_room().then(|| {
            state.take();
            self.permit()
        })
    }

    /// Changes the limit. If it rises, those who wait are served at once; if it falls, whoever has
    /// a permit keeps it.
    pub fn set_limit(&self, limit: u32) {
        let mut served = Vec::new();
        {
            let mut state = self.shared.lock();
            state.limit = limit;
            while let Some(waiter) = state.serve() {
                served.push(waiter);
            }
        }
        served.into_iter().for_each(wake);
    }

    /// Changes how many may wait. Those who do stay.
    pub fn set_queue(&self, settings: AdmissionSettings) {
        self.shared.lock().settings = settings;
    }

    /// How many may be under way at once.
    pub fn limit(&self) -> u32 {
        self.shared.lock().limit
    }

    /// How many permits are out.
    pub fn in_flight(&self) -> u32 {
        self.shared.lock().in_flight
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting
    }

    fn permit(&self) -> Permit {
        Permit { shared: self.shared.clone(), since: Instant::now() }
    }
}

/// The right to one request, given back on drop.
#[must_use = "dropping it gives it back"]
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Mutex<State>>,
    since: Instant,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = Instant::now();
        release(&self.shared, |state| state.pace.ended(self.since, now));
    }
}

/// Gives a permit back and wakes who gets it, after the lock is free: what a waker does is not ours.
fn release(shared: &Mutex<State>, note: impl FnOnce(&mut State)) {
    let served = {
        let mut state = shared.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        note(&mut state);
        state.serve()
    };
    served.into_iter().for_each(wake);
}

fn wake(waiter: oneshot::Sender<()>) {
    // Should the receiver be gone, its `Place` finds itself served, and gives the permit back.
    let _ = waiter.send(());
}

/// A waiter's place in the queue, for as long as it waits.
struct Place<'a> {
    shared: &'a Mutex<State>,
    flow: u64,
    id: u64,
    woken: oneshot::Receiver<()>,
    /// The place was given up, for a permit or without.
    left: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let fate = self.shared.lock().leave(self.flow, self.id);
        if fate == Fate::Served {
            release(self.shared, |_| ());
        }
    }
}

/// What became of a place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It was still in the queue.
    Waiting,
    /// It counts as under way.
    Served,
    /// It had to make room.
    PushedOut,
}

#[derive(Debug)]
struct State {
    settings: AdmissionSettings,
    limit: u32,
    in_flight: u32,
    /// How many wait, over all flows.
    waiting: usize,
    /// Flows with waiters, and no others.
    flows: HashMap<u64, Flow>,
    /// Which flow is next: turn → flow.
    turns: BTreeMap<u64, u64>,
    /// Waiters that had to make room and do not know yet.
    pushed_out: HashSet<u64>,
    /// Numbers for turns and waiters; at a million a second they last half a million years.
    next: u64,
    pace: Pace,
}

#[derive(Debug)]
struct Flow {
    turn: u64,
    /// In the order in which they came.
    waiters: BTreeMap<u64, oneshot::Sender<()>>,
}

impl State {
    /// Nobody waits while there is room, so that who comes then passes nobody.
    fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }

    fn take(&mut self) {
        self.in_flight += 1;
        if !self.has_room() {
            self.pace.filled(Instant::now());
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn length(&self, flow: u64) -> usize {
        self.flows.get(&flow).map_or(0, |flow| flow.waiters.len())
    }

    /// Whether one more of `flow` may wait, be it in another's place.
    fn may_wait(&self, flow: u64) -> bool {
        let length = self.length(flow);
        if self.settings.queue == 0 || length >= self.settings.queue_per_flow {
            return false;
        }
        // Two more, or the one that is pushed out would be right to push back.
        self.waiting < self.settings.queue
            || self.longest().is_some_and(|longest| self.length(longest) >= length + 2)
    }

    fn longest(&self) -> Option<u64> {
        self.flows.iter().max_by_key(|(_, flow)| flow.waiters.len()).map(|(flow, _)| *flow)
    }

    /// Takes out the last one of the longest flow if the queue is full. To be dropped when the lock
    /// is free, which wakes it.
    fn make_room(&mut self) -> Option<oneshot::Sender<()>> {
        if self.waiting < self.settings.queue {
            return None;
        }
        let flow = self.longest()?;
        let id = *self.flows.get(&flow)?.waiters.last_key_value()?.0;
        self.pushed_out.insert(id);
        self.take_out(flow, id)
    }

    fn enqueue(&mut self, flow: u64) -> (u64, oneshot::Receiver<()>) {
        let (id, turn) = (self.number(), self.number());
        let (sender, receiver) = oneshot::channel();
        let turns = &mut self.turns;
        let entry = self.flows.entry(flow).or_insert_with(|| {
            turns.insert(turn, flow);
            Flow { turn, waiters: BTreeMap::new() }
        });
        entry.waiters.insert(id, sender);
        self.waiting += 1;
        (id, receiver)
    }

    /// Forgets a waiter, which learns what became of its place.
    fn leave(&mut self, flow: u64, id: u64) -> Fate {
        if self.pushed_out.remove(&id) {
            Fate::PushedOut
        } else if self.take_out(flow, id).is_some() {
            Fate::Waiting
        } else {
            Fate::Served
        }
    }

    fn take_out(&mut self, flow: u64, id: u64) -> Option<oneshot::Sender<()>> {
        let entry = self.flows.get_mut(&flow)?;
        let waiter = entry.waiters.remove(&id)?;
        self.waiting -= 1;
        if entry.waiters.is_empty() {
            self.turns.remove(&entry.turn);
            self.flows.remove(&flow);
        }
        Some(waiter)
    }

    /// Counts the next waiter as under way, if there is one and room for it.
    fn serve(&mut self) -> Option<oneshot::Sender<()>> {
        if !self.has_room() {
            return None;
        }
        let (_, flow) = self.turns.pop_first()?;
        let turn = self.number();
        let entry = self.flows.get_mut(&flow)?;
        let (_, waiter) = entry.waiters.pop_first()?;
        if entry.waiters.is_empty() {
            self.flows.remove(&flow);
        } else {
            entry.turn = turn;
            self.turns.insert(turn, flow);
        }
        self.waiting -= 1;
        self.take();
        Some(waiter)
    }

    fn retry_after(&self, waited: Duration) -> u32 {
        let ahead = self.waiting.saturating_add(self.in_flight as usize);
        let stuck = self.in_flight >= self.limit;
        self.pace.retry_after(ahead, self.limit, stuck, waited, Instant::now())
    }
}

#[cfg(test)]
mod tests;
