//! The least that a node does: follow, apply, acknowledge.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use wire::invalidation::{Ack, Heartbeat, LogPosition, OnLogLoss};

use crate::{Bus, Delivery, Subscription};

/// A node that runs until it is dropped. It matches one response with every order.
#[derive(Debug)]
pub struct Node {
    applied: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts a node; it is a member when this returns.
    pub async fn start(bus: Arc<dyn Bus>, name: &str) -> Self {
        bus.heartbeat(&beat(name)).await.expect("the log is there");
        let applied = Arc::default();
        let run = follow(bus, name.to_owned(), Arc::clone(&applied));
        Self { applied, task: tokio::spawn(run) }
    }

    /// Starts a node as soon as the log is there.
    pub async fn start_when_there(bus: Arc<dyn Bus>, name: &str) -> Self {
        super::eventually("connected", async || bus.heartbeat(&beat(name)).await.is_ok()).await;
        Self::start(bus, name).await
    }

    /// What it applied since it was last empty, by order.
    pub fn applied(&self) -> Vec<String> {
        self.applied.lock().clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A heartbeat of a node of this name.
pub(super) fn beat(name: &str) -> Heartbeat {
    Heartbeat {
        node: name.into(),
        role: "edge".into(),
        pool: "test".into(),
        applied: None,
        on_log_loss: OnLogLoss::Serve,
        lease_ms: 10_000,
        ..Heartbeat::default()
    }
}

async fn follow(bus: Arc<dyn Bus>, name: String, applied: Arc<Mutex<Vec<String>>>) {
    let mut reader = bus.subscribe(None);
    loop {
        match reader.next().await {
            Delivery::Gap(_) => applied.lock().clear(),
            Delivery::Event(entry) => {
                let Ok(order) = entry.order else { continue };
                applied.lock().push(order.id);
                acknowledge(&bus, &name, &entry.position).await;
            }
            Delivery::CaughtUp(_) => say_hello(&bus, &name, &reader).await,
            Delivery::Away => {}
        }
    }
}

async fn acknowledge(bus: &Arc<dyn Bus>, name: &str, position: &LogPosition) {
    let ack = Ack { node: name.into(), seq: position.seq, matched: Some(1), error: None };
    while bus.acknowledge(&position.epoch, std::slice::from_ref(&ack)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn say_hello(bus: &Arc<dyn Bus>, name: &str, reader: &Subscription) {
    let hello = Heartbeat { applied: reader.cursor().cloned(), ..beat(name) };
    // When this gets lost, the log is away, and the next `CaughtUp` follows.
    let _ = bus.heartbeat(&hello).await;
}
