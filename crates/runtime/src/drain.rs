//! How a process ends without dropping anything: running → draining → closed.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

/// Where a process stands between start and end.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Takes and serves everything.
    Running,
    /// Says it is not ready, asks clients to leave, still serves whoever comes.
    Draining,
    /// Takes no more connections; what is in flight is finished.
    Closed,
}

/// The stage of a process, shared by everything that runs in it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drain {
    sender: watch::Sender<Stage>,
}

impl Drain {
    /// A process that runs.
    pub fn new() -> Self {
        Self { sender: watch::Sender::new(Stage::Running) }
    }

    /// The stage now.
    pub fn stage(&self) -> Stage {
        *self.sender.borrow()
    }

    /// Moves on to `stage`; never back.
    pub fn advance(&self, stage: Stage) {
        self.sender.send_if_modified(|now| {
            let moves = *now < stage;
            if moves {
                *now = stage;
            }
            moves
        });
    }

    /// Waits until the process is at `stage` or past it.
    pub async fn reached(&self, stage: Stage) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`, so the channel cannot close under the wait.
        let _ = receiver.wait_for(|now| *now >= stage).await;
    }

    /// Draining for `notice`, then closed: clients and load balancers get the time to go elsewhere.
    pub async fn run_down(&self, notice: Duration) {
        self.advance(Stage::Draining);
        tokio::time::sleep(notice).await;
        self.advance(Stage::Closed);
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

/// Listens for SIGINT and SIGTERM from now on; the future waits for one of them. In a runtime only.
///
/// # Errors
/// When the process cannot listen for signals.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests;
