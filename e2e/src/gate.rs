//! A door that a test opens when it has seen what it waits for: events instead of sleeps.

use std::sync::Arc;

use tokio::sync::watch;

/// A door, closed at first. Clones are the same door.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed one.
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`.
        let _ = receiver.wait_for(|open| *open).await;
    }
}
