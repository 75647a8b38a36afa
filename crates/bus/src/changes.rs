//! A wake-up for whoever waits for acknowledgements.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// However well wake-ups work, look this often.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// How long after the last call the wake-ups still come at once.
const LINGER: Duration = Duration::from_secs(30);

/// Wakes when acknowledgements or members may have changed; and once a second, since a wake-up may get lost.
#[derive(Debug)]
pub struct Changes {
    wake: watch::Receiver<u64>,
    /// Until when somebody cares.
    interest: Option<watch::Sender<Option<Instant>>>,
    tick: Option<Instant>,
}

impl Changes {
    /// Wakes whenever the number is raised. `interest` hears until when anybody cares.
    pub(crate) fn new(
        wake: watch::Receiver<u64>,
        interest: Option<watch::Sender<Option<Instant>>>,
    ) -> Self {
        Self { wake, interest, tick: None }
    }

    /// Comes back when something may have changed since the last call. Cancel-safe.
    pub async fn next(&mut self) {
        let now = Instant::now();
        let tick = *self.tick.get_or_insert(now + TICK);
        if let Some(interest) = &self.interest {
            // Telling it anew each time would wake the listener for nothing.
            interest.send_if_modified(|until| {
                let short = until.is_none_or(|until| until < now + LINGER / 2);
                if short {
                    *until = Some(now + LINGER);
                }
                short
            });
        }
        tokio::select! {
            changed = self.wake.changed() => if changed.is_err() {
                tokio::time::sleep_until(tick).await;
            },
            () = tokio::time::sleep_until(tick) => {}
        }
        self.tick = None;
    }
}
