//! Turns of the connections of one thread: who writes without end lets the others write, first come, first
//! served.
//!
//! [`tokio::task::yield_now`] alone does neither. hyper polls again in the same breath what said that it
//! waits, and would get a second turn at once; and the runtime wakes those who yielded in reverse, so that
//! whoever was last is first.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

thread_local! {
    static ROUND: Arc<Round> = Arc::default();
}

/// The turns of one connection.
#[derive(Default)]
pub(super) enum Turn {
    /// It may write.
    #[default]
    Has,
    /// It has written enough.
    Ended,
    /// It has said so, and waits for the next.
    Waits(Arc<Place>),
}

impl Turn {
    /// Others write before this one does again.
    pub(super) fn end(&mut self) {
        *self = Self::Ended;
    }

    /// Pending until everybody else of this thread who could write had the chance.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Has => {}
            Self::Ended => {
                *self = Self::Waits(Place::last(cx));
                return Poll::Pending;
            }
            Self::Waits(place) => {
                if !place.has_come(cx) {
                    return Poll::Pending;
                }
                *self = Self::Has;
            }
        }
        Poll::Ready(())
    }
}

/// One who waits.
pub(super) struct Place {
    come: AtomicBool,
    task: Mutex<Waker>,
}

impl Place {
    /// Behind everybody who waits already.
    fn last(cx: &Context<'_>) -> Arc<Self> {
        let task = Mutex::new(cx.waker().clone());
        let place = Arc::new(Self { come: AtomicBool::new(false), task });
        ROUND.with(|round| round.join(place.clone()));
        place
    }

    /// Whether its turn has come; if not, wakes the task of `cx` when it does.
    fn has_come(&self, cx: &Context<'_>) -> bool {
        // The lock comes first: whoever calls takes it behind the word that the turn has come.
        self.task.lock().clone_from(cx.waker());
        self.come.load(Ordering::Acquire)
    }

    fn call(&self) {
        self.come.store(true, Ordering::Release);
        self.task.lock().wake_by_ref();
    }
}

/// Those who wait for their next turn, in order.
#[derive(Default)]
struct Round {
    waiting: Mutex<VecDeque<Arc<Place>>>,
}

impl Round {
    fn join(self: &Arc<Self>, place: Arc<Place>) {
        self.waiting.lock().push_back(place);
        // Wakes this once all tasks ran that could, and had a look at their sockets. Once more for each who
        // joins: a runtime that ends forgets whom it was to wake.
        let waker = Waker::from(self.clone());
        let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
    }
}

impl Wake for Round {
    fn wake(self: Arc<Self>) {
        let waiting = mem::take(&mut *self.waiting.lock());
        waiting.iter().for_each(|place| place.call());
    }
}

#[cfg(test)]
mod tests;
