//! A place in the queue behind somebody else's fetch.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderMap;
use semantics::{VariantRules, variant_key};

use super::{Failure, Flight, Settled};
use crate::invalidation::Position;
use crate::lookup::Found;
use crate::object::Object;

/// Waits for a flight. Dropping it at any time leaves nothing behind.
#[derive(Debug)]
pub struct Waiter {
    flight: Arc<Flight>,
    /// None once an object was handed out.
    slot: Option<u32>,
    stale: Option<Arc<Object>>,
    arrived: Position,
}

/// What the wait was for.
#[derive(Debug)]
pub enum Outcome {
    /// The response, complete or on its way in.
    Filled(Found),
    /// Look again: it was given up, or it is for another variant, or must not be shared.
    Retry,
    /// The response must not be shared: fetch it alone.
    Uncacheable,
    /// The fetch failed. Trying again at once would only add to the load.
    Failed(Failure),
}

impl Waiter {
    pub(crate) fn new(flight: Arc<Flight>, stale: Option<Arc<Object>>, arrived: Position) -> Self {
        let slot = Some(flight.state.lock().waiters.insert(None));
        Self { flight, slot, stale, arrived }
    }

    /// The stored response that must not be used without validation, should that fail.
    pub fn stale(&self) -> Option<&Arc<Object>> {
        self.stale.as_ref()
    }

    /// Waits until the flight is settled. May be cancelled and called again.
    pub async fn outcome(&mut self, request: &HeaderMap, rules: &VariantRules) -> Outcome {
        poll_fn(|cx| self.poll_outcome(cx, request, rules)).await
    }

    fn poll_outcome(
        &mut self,
        cx: &mut Context<'_>,
        request: &HeaderMap,
        rules: &VariantRules,
    ) -> Poll<Outcome> {
        let mut state = self.flight.state.lock();
        let object = match &state.settled {
            None => {
                if let Some(waiting) = self.slot.and_then(|id| state.waiters.get_mut(id)) {
                    match waiting {
                        Some(waker) => waker.clone_from(cx.waker()),
                        none => *none = Some(cx.waker().clone()),
                    }
                }
                return Poll::Pending;
            }
            Some(Settled::Retry) => return Poll::Ready(Outcome::Retry),
            Some(Settled::Uncacheable) => return Poll::Ready(Outcome::Uncacheable),
            Some(Settled::Failed(failure)) => {
                return Poll::Ready(Outcome::Failed(failure.clone()));
            }
            // An order took away what the flight brings, and this request may have come after it.
            Some(Settled::Filled(_, _, Some(since))) if self.arrived.0 > *since => {
                return Poll::Ready(Outcome::Retry);
            }
            Some(Settled::Filled(object, _, _)) => object.clone(),
        };
        drop(state);
        let same = object.vary().is_none()
            || variant_key(object.vary(), request, rules).as_ref() == object.variant();
        let outcome = match same.then(|| Found::new(object)) {
            Some(found) if found.object.body().has_beginning() => Outcome::Filled(found),
            _ => Outcome::Retry,
        };
        self.leave();
        Poll::Ready(outcome)
    }

    /// The last one to leave takes along the claim on the body's beginning.
    fn leave(&mut self) {
        let Some(id) = self.slot.take() else { return };
        let mut state = self.flight.state.lock();
        let waiting = state.waiters.remove(id);
        let hold = state.release_hold();
        drop(state);
        drop((waiting, hold));
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.leave();
    }
}
