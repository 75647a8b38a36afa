//! Keeps an order until every node has applied it.
//!
//! What the log does not take now waits in order; what the log lost is published again; what nodes do not
//! acknowledge in time is said to be [`Phase::Partial`], with their names, and watched on.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use runtime::Clock;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use wire::invalidation::{Invalidation, LogPosition, Phase, PurgeReport};

use crate::{Bus, BusError, completion};

mod book;
mod kept;

use book::Book;

/// Most orders of which the log is asked at once.
const ROUND: usize = 128;

/// What a sender may keep.
#[derive(Copy, Clone, Debug)]
pub struct SenderSettings {
    /// How long after it came into the log an order may take before it is said to be partial.
    pub deadline: Duration,
    /// Most orders that wait for the log.
    pub queue: usize,
    /// How long the report of a complete order is kept.
    pub keep: Duration,
    /// Most orders known in all; the oldest that are complete go first, then the oldest partial ones.
    pub known: usize,
    /// Most bytes of orders that are not complete.
    pub bytes: usize,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            queue: 10_000,
            keep: Duration::from_secs(3600),
            known: 20_000,
            bytes: 64 << 20,
        }
    }
}

/// An order was not accepted; nothing of it will be applied anywhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// As many orders as may be kept are waiting.
    #[error("too many orders are waiting for the invalidation log")]
    Full,
    /// Its id is that of another order.
    #[error("the id names another order already")]
    Taken,
    /// It is no order that the log takes.
    #[error("{0}")]
    Refused(String),
}

/// What an order is waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// All nodes applied it. Bans are swept late, so it takes half a minute until they are counted.
    Applied,
    /// All nodes told how much it matched, too.
    Counted,
}

/// Sends orders and knows where each of them stands.
pub struct Sender {
    bus: Arc<dyn Bus>,
    clock: Clock,
    book: Mutex<Book>,
    /// Held while the queue is published, so that order is kept.
    lane: tokio::sync::Mutex<()>,
    /// There is something to look after.
    sent: Notify,
    /// Raised when a report changed.
    changed: watch::Sender<u64>,
}

impl Sender {
    /// A sender that knows of nothing. [`Sender::run`] must run for orders to become complete.
    pub fn new(bus: Arc<dyn Bus>, clock: Clock, settings: SenderSettings) -> Self {
        Self {
            bus,
            clock,
            book: Mutex::new(Book::new(settings)),
            lane: tokio::sync::Mutex::default(),
            sent: Notify::new(),
            changed: watch::Sender::new(0),
        }
    }

    /// Publishes an order, or keeps it for when the log is back (phase `Pending`). An order whose id is
    /// known is the known one: nothing happens twice.
    ///
    /// # Errors
    /// [`SendError`]; the order is forgotten.
    pub async fn send(&self, order: Invalidation) -> Result<PurgeReport, SendError> {
        let id = order.id.clone();
        let known = self.book.lock().accept(order, self.clock.monotonic())?;
        if !known {
            self.sent.notify_one();
            self.flush().await;
        }
        if let Some(reason) = self.book.lock().refused(&id) {
            return Err(SendError::Refused(reason));
        }
        // It can only be gone when very many came after it in the meantime.
        self.report(&id).ok_or(SendError::Full)
    }

    /// Where an order stands, if it is known.
    pub fn report(&self, id: &str) -> Option<PurgeReport> {
        self.book.lock().report(id, self.clock.monotonic())
    }

    /// The newest reports first, at most `most`.
    pub fn reports(&self, most: usize) -> Vec<PurgeReport> {
        self.book.lock().reports(most, self.clock.monotonic())
    }

    /// The ids of the orders that never were in the log, in their order.
    pub fn waiting(&self) -> Vec<String> {
        self.book.lock().waiting()
    }

    /// How many orders wait for the log.
    pub fn queued(&self) -> usize {
        self.book.lock().queued()
    }

    /// Goes on with an order that is in the log at `position` and maybe was complete, as another sender said. One that
    /// is known is the known one.
    ///
    /// # Errors
    /// [`SendError`]; then it is not looked after.
    pub fn resume(
        &self,
        order: Invalidation,
        position: LogPosition,
        complete: bool,
    ) -> Result<(), SendError> {
        let (id, now) = (order.id.clone(), self.clock.monotonic());
        let mut book = self.book.lock();
        if !book.accept(order, now)? {
            book.published(&id, position, now);
            if complete {
                book.completed(&id, now);
            }
        }
        drop(book);
        self.sent.notify_one();
        Ok(())
    }

    /// Looks no longer after an order: it is not published again. What is in the log stays there.
    pub fn withdraw(&self, id: &str) {
        self.book.lock().withdraw(id);
    }

    /// Waits until `until`, or until an order is partial or failed, or `up_to` has passed; then says where it stands.
    /// `None`: it is not known.
    pub async fn wait(&self, id: &str, until: Until, up_to: Duration) -> Option<PurgeReport> {
        let end = Instant::now() + up_to;
        let mut changed = self.changed.subscribe();
        loop {
            let report = self.report(id)?;
            let settled = match report.phase {
                Phase::Pending | Phase::Applying => false,
                Phase::Complete => until == Until::Applied || !report.counting,
                Phase::Partial | Phase::Failed => true,
            };
            if settled {
                return Some(report);
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = tokio::time::sleep_until(end) => return self.report(id),
            }
        }
    }

    /// Looks after the orders, for ever.
    pub async fn run(self: Arc<Self>) {
        let mut changes = self.bus.changes();
        loop {
            let rest = self.book.lock().rest(self.clock.monotonic());
            tokio::select! {
                () = self.sent.notified() => {}
                () = changes.next(), if rest.is_some() => {}
                () = tokio::time::sleep(rest.unwrap_or_default()), if rest.is_some() => {}
            }
            self.flush().await;
            self.look().await;
        }
    }

    /// Publishes what waits, in order, as long as the log takes it.
    async fn flush(&self) {
        let _lane = self.lane.lock().await;
        loop {
            let Some(order) = self.book.lock().front() else { return };
            let published = self.bus.publish(&order).await;
            let now = self.clock.monotonic();
            match published {
                Ok(position) => self.book.lock().published(&order.id, position, now),
                Err(BusError::Refused(reason)) => {
                    tracing::warn!(
                        order = order.id,
                        reason,
                        "the invalidation log takes no such order"
                    );
                    self.book.lock().refuse(&order.id, reason, now);
                }
                Err(BusError::Away(_)) => return,
            }
            self.tell();
        }
    }

    /// Asks the log what became of the orders.
    async fn look(&self) {
        self.book.lock().pass_time(self.clock.monotonic());
        let due = self.book.lock().due(ROUND);
        for some in due.chunks(ROUND) {
            if let Err(error) = self.judge(some).await {
                tracing::debug!(%error, "what became of orders cannot be asked");
                break;
            }
        }
        self.tell();
    }

    async fn judge(&self, due: &[(String, LogPosition)]) -> Result<(), BusError> {
        let positions: Vec<_> = due.iter().map(|(_, position)| position.clone()).collect();
        let members = self.bus.members().await?;
        let acks = self.bus.acks(&positions).await?;
        let now = self.clock.monotonic();
        let mut book = self.book.lock();
        for ((id, position), acks) in due.iter().zip(&acks) {
            book.judged(id, position, completion::judge(position, &members, acks), now);
        }
        book.meet(&members);
        Ok(())
    }

    fn tell(&self) {
        self.changed.send_modify(|n| *n += 1);
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("queued", &self.queued()).finish_non_exhaustive()
    }
}
