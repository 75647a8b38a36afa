//! Acknowledgements on their way to the log.

use std::time::Duration;

use bus::{Bus, BusError};
use parking_lot::Mutex;
use tokio::sync::Notify;
use wire::invalidation::Ack;

/// Told in one go.
const BATCH: usize = 512;
/// Kept while the log is away. What does not fit is asked for again by whoever waits for it.
const MOST: usize = 65_536;
const PAUSE: Duration = Duration::from_millis(500);

/// What is still to be told, of one log: of another nobody asks any more.
#[derive(Default)]
pub(super) struct Acks {
    waiting: Mutex<Waiting>,
    added: Notify,
}

#[derive(Default)]
struct Waiting {
    epoch: String,
    acks: Vec<Ack>,
}

impl Acks {
    pub(super) fn add(&self, epoch: &str, ack: Ack) {
        let mut waiting = self.waiting.lock();
        if waiting.epoch != epoch {
            *waiting = Waiting { epoch: epoch.to_owned(), acks: Vec::new() };
        }
        if waiting.acks.len() < MOST {
            waiting.acks.push(ack);
        }
        drop(waiting);
        self.added.notify_one();
    }

    /// A count that came later, of the log that is read now.
    pub(super) fn add_count(&self, ack: Ack) {
        let mut waiting = self.waiting.lock();
        if waiting.acks.len() < MOST {
            waiting.acks.push(ack);
        }
        drop(waiting);
        self.added.notify_one();
    }

    /// Tells the log, in order, for ever.
    pub(super) async fn send(&self, bus: &dyn Bus) {
        loop {
            let (epoch, batch) = {
                let waiting = self.waiting.lock();
                let batch: Vec<_> = waiting.acks.iter().take(BATCH).cloned().collect();
                (waiting.epoch.clone(), batch)
            };
            if batch.is_empty() {
                self.added.notified().await;
                continue;
            }
            match bus.acknowledge(&epoch, &batch).await {
                Ok(()) => self.told(&epoch, batch.len()),
                Err(BusError::Away(_)) => tokio::time::sleep(PAUSE).await,
                Err(BusError::Refused(error)) => {
                    tracing::error!(error, "the invalidation log refuses acknowledgements");
                    self.told(&epoch, batch.len());
                }
            }
        }
    }

    fn told(&self, epoch: &str, count: usize) {
        let mut waiting = self.waiting.lock();
        // Another log may have come meanwhile, with acknowledgements of its own.
        if waiting.epoch == epoch {
            let told = count.min(waiting.acks.len());
            waiting.acks.drain(..told);
        }
    }
}
