//! Reads a log on and on for one node.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;
use wire::Seq;
use wire::invalidation::LogPosition;

use crate::changes::TICK;
use crate::log::Page;
use crate::reader::{Delivery, Reader};
use crate::{BusError, Later};

/// Where pages of a log come from.
pub trait Source: Send + Sync + 'static {
    /// The next entries after `after`, and the state of the log at that moment.
    fn look(self: Arc<Self>, after: Seq) -> Later<'static, Result<Page, BusError>>;
}

/// What one node reads. It never ends; while the log is away it waits.
pub struct Subscription {
    reader: Reader,
    source: Arc<dyn Source>,
    /// Raised when there may be something new.
    wake: watch::Receiver<u64>,
    /// When to look even if nobody says so.
    look_at: Instant,
    /// A look under way, kept when the caller turns away meanwhile.
    /// (Never locked: the mutex only lets a subscription be shared between threads.)
    looking: Mutex<Option<Later<'static, Result<Page, BusError>>>>,
    /// Somebody wants what came after the look under way was begun.
    once_more: bool,
}

impl Subscription {
    /// Reads `source` on after `from`, at least once a second and whenever `wake` is raised.
    pub fn new(
        source: Arc<dyn Source>,
        wake: watch::Receiver<u64>,
        from: Option<LogPosition>,
    ) -> Self {
        let look_at = Instant::now();
        Self {
            reader: Reader::new(from),
            source,
            wake,
            look_at,
            looking: Mutex::new(None),
            once_more: false,
        }
    }

    /// Up to where everything was delivered; see [`Reader::cursor`].
    pub fn cursor(&self) -> Option<&LogPosition> {
        self.reader.cursor()
    }

    /// How many entries are to come; see [`Reader::behind`].
    pub fn behind(&self) -> u64 {
        self.reader.behind()
    }

    /// Looks at once, and once more after a look that is under way.
    pub fn hurry(&mut self) {
        self.look_at = Instant::now();
        self.once_more = self.looking.get_mut().is_some();
    }

    /// The next delivery. Cancel-safe: what was not returned is returned by the next call.
    pub async fn next(&mut self) -> Delivery {
        loop {
            if let Some(delivery) = self.reader.deliver() {
                return delivery;
            }
            if self.looking.get_mut().is_none() {
                self.rest().await;
                let look = Arc::clone(&self.source).look(self.reader.after());
                *self.looking.get_mut() = Some(look);
            }
            let Some(look) = self.looking.get_mut() else { continue };
            let page = look.await;
            *self.looking.get_mut() = None;
            self.look_at = Instant::now();
            match page {
                Ok(page) => {
                    self.reader.take(page);
                    if self.reader.at_end() && !std::mem::take(&mut self.once_more) {
                        self.look_at += TICK;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the invalidation log cannot be read");
                    self.reader.away();
                    self.look_at += TICK;
                }
            }
        }
    }

    /// Waits until a look is worth it.
    async fn rest(&mut self) {
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(self.look_at) => {}
            changed = self.wake.changed() => if changed.is_err() {
                tokio::time::sleep_until(self.look_at).await;
            }
        }
        // The look is due now even if the caller turns away before it begins.
        self.look_at = Instant::now();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("reader", &self.reader).finish_non_exhaustive()
    }
}
