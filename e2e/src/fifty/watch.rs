//! Reads back from Redis who acknowledged what, and when the last of them did.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::{Bus, Delivery, RedisBus, RedisSettings};
use e2e::redis::Redis;
use runtime::Clock;
use tokio::sync::oneshot;
use wire::LogPosition;

/// Looks at the log as one more process.
pub(crate) struct Watch {
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<Duration>>>>,
}

impl Watch {
    /// Returns once `members` nodes are known to the log.
    pub(crate) async fn start(redis: &Redis, members: usize, clock: Clock) -> anyhow::Result<Self> {
        let settings = RedisSettings { url: redis.url(), ..RedisSettings::default() };
        let bus: Arc<dyn Bus> = Arc::new(RedisBus::connect(settings)?);
        while bus.members().await.map_or(0, |known| known.len()) < members {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let waiting = Arc::default();
        tokio::spawn(follow(bus, Arc::clone(&waiting), members, clock));
        Ok(Self { waiting })
    }

    /// The time at which the order called `id`, to be sent now, is acknowledged by all.
    pub(crate) fn expect(&self, id: &str) -> oneshot::Receiver<Duration> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(id.to_owned(), sender);
        receiver
    }
}

type Waiting = Mutex<HashMap<String, oneshot::Sender<Duration>>>;

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Duration>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn follow(bus: Arc<dyn Bus>, waiting: Arc<Waiting>, members: usize, clock: Clock) {
    let mut log = bus.subscribe(None);
    let mut changes = bus.changes();
    let mut open: Vec<(String, LogPosition)> = Vec::new();
    loop {
        tokio::select! {
            delivery = log.next() => if let Delivery::Event(entry) = delivery {
                open.extend(entry.order.ok().map(|order| (order.id, entry.position)));
            },
            () = changes.next() => {}
        }
        let positions: Vec<_> = open.iter().map(|(_, position)| position.clone()).collect();
        let Ok(acks) = bus.acks(&positions).await else { continue };
        let now = clock.monotonic();
        let mut told = acks.iter().map(|known| known.acks.len() >= members);
        open.retain(|(id, _)| {
            let all = told.next().unwrap_or_default();
            if all && let Some(sender) = lock(&waiting).remove(id) {
                // Nobody waits for an order that failed.
                let _ = sender.send(now);
            }
            !all
        });
    }
}
