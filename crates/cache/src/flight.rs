//! Somebody fetches: the flight is what those who wait for it share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Waker;

use http::HeaderMap;
use parking_lot::Mutex;
use semantics::{Timestamp, VariantRules, Vary, variant_key};

use crate::accounts::{ARC, Accounts};
use crate::body::Hold;
use crate::object::Object;
use crate::slab::Slab;

mod waiter;

pub use waiter::{Outcome, Waiter};

/// A variant: the fields that matter and their values.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) vary: Arc<Vary>,
    pub(crate) variant: Box<[u8]>,
}

impl Target {
    pub(crate) fn matches(&self, request: &HeaderMap, rules: &VariantRules) -> bool {
        variant_key(Some(&self.vary), request, rules) == self.variant
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.variant == other.variant && self.vary == other.vary
    }
}

/// Why a fetch brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status to answer with.
    pub status: u16,
    /// A stable token for logs and `Cache-Status`.
    pub reason: &'static str,
    /// When it may be worth while to ask again, in seconds.
    pub retry_after: Option<u32>,
}

/// One obligation under way and those who wait for it.
pub(crate) struct Flight {
    pub(crate) key: Box<[u8]>,
    pub(crate) hash: u64,
    /// Asked for by HEAD: only HEAD requests wait for it.
    pub(crate) head: bool,
    /// Nobody waits for it.
    pub(crate) solo: bool,
    /// It goes to a node that may ask this one.
    pub(crate) across: bool,
    /// The variant it will bring, where that is known beforehand.
    pub(crate) target: Option<Target>,
    /// The newest order that its answer is not subject to.
    since: AtomicU64,
    state: Mutex<State>,
    accounts: Arc<Accounts>,
}

struct State {
    settled: Option<Settled>,
    /// Their wakers, once they have been polled.
    waiters: Slab<Option<Waker>>,
    /// Softly invalidated meanwhile, by the order of this number: what it brings is stale from then on.
    softened: Option<(u64, Timestamp)>,
}

/// What came of a flight.
pub(crate) enum Settled {
    /// If an order matched, only for those who came before every order newer than this number.
    Filled(Arc<Object>, Option<Hold>, Option<u64>),
    Retry,
    Uncacheable,
    Failed(Failure),
}

impl Flight {
    #[expect(clippy::too_many_arguments, reason = "each is a field")]
    pub(crate) fn new(
        key: &[u8],
        hash: u64,
        head: bool,
        solo: bool,
        across: bool,
        target: Option<Target>,
        since: u64,
        accounts: Arc<Accounts>,
    ) -> Arc<Self> {
        let state = State { settled: None, waiters: Slab::new(), softened: None };
        let state = Mutex::new(state);
        let since = AtomicU64::new(since);
        let key = key.into();
        let flight = Self { key, hash, head, solo, across, target, since, state, accounts };
        flight.accounts.charge(flight.bytes_used());
        Arc::new(flight)
    }

    /// Whether a request of this kind may wait for it.
    pub(crate) fn serves(&self, head: bool, request: &HeaderMap, rules: &VariantRules) -> bool {
        !self.solo
            && (head || !self.head)
            && self.target.as_ref().is_none_or(|target| target.matches(request, rules))
    }

    /// Settles it, once, and wakes everybody.
    pub(crate) fn settle(&self, outcome: Settled) {
        let (wakers, hold) = {
            let mut state = self.state.lock();
            if state.settled.is_none() {
                state.settled = Some(outcome);
            }
            let waiters = state.waiters.iter_mut();
            let wakers: Vec<Waker> = waiters.filter_map(Option::take).collect();
            (wakers, state.release_hold())
        };
        drop(hold);
        for waker in wakers {
            waker.wake();
        }
    }

    pub(crate) fn soften(&self, at: Timestamp, number: u64) {
        self.state.lock().softened = Some((number, at));
    }

    pub(crate) fn softened(&self) -> Option<(u64, Timestamp)> {
        self.state.lock().softened
    }

    pub(crate) fn sent(&self, since: u64) {
        self.since.store(since, Relaxed);
    }

    pub(crate) fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().waiters.len()
    }

    fn bytes_used(&self) -> u64 {
        let variant = self.target.as_ref().map_or(0, |target| target.variant.len() as u64);
        size_of::<Self>() as u64 + ARC + self.key.len() as u64 + variant
    }
}

impl State {
    /// Gives up the claim on the body's beginning when nobody is left to use it.
    fn release_hold(&mut self) -> Option<Hold> {
        match &mut self.settled {
            Some(Settled::Filled(_, hold, _)) if self.waiters.is_empty() => hold.take(),
            _ => None,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.accounts.release(self.bytes_used());
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight")
            .field("key", &String::from_utf8_lossy(&self.key))
            .field("solo", &self.solo)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
